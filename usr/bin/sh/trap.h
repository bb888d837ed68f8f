/*
 * trap.h - what the shell does when a signal comes, and when it ends.
 *
 * Invariants: actions run between commands, never inside a signal handler.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_TRAP_H
#define RAVEL_USR_BIN_SH_TRAP_H

#include <stdbool.h>

/* Run the actions of the signals that came. $? is afterwards what it was. */
void traps_run(void);

/*
 * 128 + the number of a signal that came and has an action, which traps_run() will run; 0: none.
 * `wait` and `read` end with it.
 */
int traps_waiting(void);

/* Run the action for EXIT, once. Leaves the status to end with in params.status. */
void traps_run_exit(void);

/* Is there an action for EXIT, so that this process may not become a program? */
bool traps_at_exit(void);

/* In a new child: actions are forgotten, what is ignored stays ignored. */
void traps_in_child(void);

#endif
