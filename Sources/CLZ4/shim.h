#ifndef COHORTD_CLZ4_SHIM_H
#define COHORTD_CLZ4_SHIM_H
#include <lz4.h>
#endif
