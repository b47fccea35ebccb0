#ifndef COHORTD_CRdKafka_SHIM_H
#define COHORTD_CRdKafka_SHIM_H
#include <librdkafka/rdkafka.h>
#endif
