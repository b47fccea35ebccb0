#include "CSimdJSON.h"
extern "C" int cohortd_simdjson_placeholder(void) { return 0; }
