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

/* Call @visit with the name of every builtin, function and alias: for completion. */
void command_names(void (*visit)(const char *name, void *context), void *context);

builtin_function builtin_alias; /* alias.c */
builtin_function builtin_break;
builtin_function builtin_cd;
builtin_function builtin_command; /* describe.c */
builtin_function builtin_dot;
builtin_function builtin_eval;
builtin_function builtin_exit;
builtin_function builtin_export;
builtin_function builtin_false;
builtin_function builtin_getopts; /* getopts.c */
builtin_function builtin_hash;	  /* describe.c */
builtin_function builtin_local;	  /* function.c */
builtin_function builtin_printf;  /* printf.c */
builtin_function builtin_pwd;
builtin_function builtin_read; /* read.c */
builtin_function builtin_return;
builtin_function builtin_set; /* options.c */
builtin_function builtin_shift;
builtin_function builtin_times;
builtin_function builtin_trap; /* trap.c */
builtin_function builtin_true;
builtin_function builtin_type; /* describe.c */
builtin_function builtin_umask;
builtin_function builtin_unalias; /* alias.c */
builtin_function builtin_unset;
builtin_function builtin_ulimit; /* ulimit.c */

#endif
