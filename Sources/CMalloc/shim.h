// What Swift's module of glibc leaves out. No library of its own stands behind this module.
#ifndef COHORTD_CMALLOC_SHIM_H
#define COHORTD_CMALLOC_SHIM_H

#include <malloc.h>

#endif
