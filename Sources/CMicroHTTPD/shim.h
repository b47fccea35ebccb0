#ifndef COHORTD_CMicroHTTPD_SHIM_H
#define COHORTD_CMicroHTTPD_SHIM_H
#include <microhttpd.h>
#endif
