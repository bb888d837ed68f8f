/*
 * finisher.h - how the machine ends.
 */
#ifndef RAVEL_DRIVERS_FINISHER_H
#define RAVEL_DRIVERS_FINISHER_H

#include "lib/types.h"

void finisher_init(void);
/* Ends QEMU with exit status @status (0..255). Any context. */
void machine_poweroff(int status) __noreturn;
void machine_reboot(void) __noreturn;

#endif
