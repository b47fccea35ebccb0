#ifndef COHORTD_CSystemd_SHIM_H
#define COHORTD_CSystemd_SHIM_H
#include <systemd/sd-daemon.h>
#endif
