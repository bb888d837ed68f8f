/*
 * condition.h - the conditions of test and [, for the shell's builtins and the programs.
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_CONDITION_H
#define RAVEL_USR_LIB_CONDITION_H

/*
 * Evaluate the arguments after argv[0]; when that is "[", the last must be "]".
 * Returns the exit status: 0 true, 1 false, 2 after a message.
 */
int test_condition(int argc, char **argv);

#endif
