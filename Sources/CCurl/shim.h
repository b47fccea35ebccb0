#ifndef COHORTD_CCurl_SHIM_H
#define COHORTD_CCurl_SHIM_H
#include <curl/curl.h>
#endif
