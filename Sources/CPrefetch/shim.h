// An instruction that Swift has no name for. No library stands behind this module.
#ifndef COHORTD_CPREFETCH_SHIM_H
#define COHORTD_CPREFETCH_SHIM_H

// Asks for the cache line at `address`, and waits for nothing. Any address is allowed.
static inline void cohortd_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
