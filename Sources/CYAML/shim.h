#ifndef COHORTD_CYAML_SHIM_H
#define COHORTD_CYAML_SHIM_H
#include <yaml.h>
#endif
