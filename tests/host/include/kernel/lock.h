/*
 * lock.h, host: as the kernel's; before an rwsem is taken, the test's machine_down() may run.
 */
#ifndef RAVEL_HOST_LOCK_H
#define RAVEL_HOST_LOCK_H

#include_next "kernel/lock.h"

void host_before_down(struct rwsem *sem);

#define down_read(sem)	(host_before_down(sem), down_read(sem))
#define down_write(sem) (host_before_down(sem), down_write(sem))

#endif
