/*
 * builtins.h - the commands that must run inside the shell.
 *
 * Invariants: argv[argc] is NULL; a builtin returns its exit status and leaves $? to its caller.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_BUILTINS_H
#define RAVEL_USR_BIN_SH_BUILTINS_H

#include <stdbool.h>

typedef int builtin_function(int argc, char **argv);

/* The builtin called @name, or NULL. */
builtin_function *builtin_find(const char *name);

/* exec: eval.c treats its redirections differently, they stay. */
builtin_function builtin_exec;

/* Call @visit with the name of every builtin: for completion. */
void command_names(void (*visit)(const char *name, void *context), void *context);

builtin_function builtin_ulimit; /* ulimit.c */
builtin_function builtin_test;	 /* test.c */

#endif
