/*
 * run.h - run a program and wait for it, for find and xargs.
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_RUN_H
#define RAVEL_USR_LIB_RUN_H

/*
 * Run @argv, found by PATH, after flushing standard output.
 * Returns its exit status, 128 + signal if one killed it, 127 or 126 after a message when it was
 * not found or cannot be executed.
 */
int run(char **argv);

#endif
