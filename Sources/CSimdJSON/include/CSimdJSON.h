#ifndef COHORTD_CSIMDJSON_H
#define COHORTD_CSIMDJSON_H
#ifdef __cplusplus
extern "C"
#endif
int cohortd_simdjson_placeholder(void);
#endif
