/*
 * tty_job.h - job control: what the terminal asks before it serves the current task.
 * drivers/tty_job.c. tty->lock is not held.
 */
#ifndef RAVEL_DRIVERS_TTY_JOB_H
#define RAVEL_DRIVERS_TTY_JOB_H

#include "lib/types.h"

struct tty;

/* True when @tty is the current task's controlling terminal; *pgrp: the foreground group. */
bool tty_is_controlling(struct tty *tty, pid_t *pgrp);
/* 0 when the current task may read; -EIO, or -ERESTARTSYS after its group got SIGTTIN. */
int tty_check_read(struct tty *tty);
/*
 * 0 when the current task may change the terminal; -EIO, or -ERESTARTSYS after its group got
 * SIGTTOU.
 */
int tty_check_change(struct tty *tty);
/* The ioctl requests about sessions and groups; -ENOTTY for any other. */
long tty_job_ioctl(struct tty *tty, unsigned cmd, unsigned long arg);

#endif
