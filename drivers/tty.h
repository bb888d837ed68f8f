/*
 * tty.h - the console terminal, as the rest of the kernel sees it. drivers/tty.c
 */
#ifndef RAVEL_DRIVERS_TTY_H
#define RAVEL_DRIVERS_TTY_H

#include "lib/types.h"

struct task;

/* Boot, after slab_init(): /dev/console and /dev/tty. */
void tty_init(void);
/*
 * May tty_input() be called? If not, the UART's input is held until somebody reads what was typed.
 * From the UART's interrupt.
 */
bool tty_has_room(void);
/* A byte came in. From the UART's interrupt, also before tty_init(). */
void tty_input(char c);
/* The session leader @task ends: its foreground group is told. Task context. */
void tty_session_exit(struct task *task);

#endif
