// Counts heap allocations of the program it is linked into.
#ifndef COHORTD_ALLOCATION_COUNT_H
#define COHORTD_ALLOCATION_COUNT_H

#include <stdint.h>

// How often the calling thread has asked for memory so far: malloc, calloc, realloc and those with an
// alignment, by whomever they were called. 0 for good in builds with a sanitizer, which brings a malloc of
// its own.
uint64_t cohortd_allocation_count(void);

#endif
