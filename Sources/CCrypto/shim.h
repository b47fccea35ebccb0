#ifndef COHORTD_CCrypto_SHIM_H
#define COHORTD_CCrypto_SHIM_H
#include <openssl/evp.h>
#endif
