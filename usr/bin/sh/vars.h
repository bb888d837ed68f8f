/*
 * vars.h - shell variables, positional parameters and the special parameters' values.
 *
 * Invariants: a variable has a value, or is only marked for export.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_VARS_H
#define RAVEL_USR_BIN_SH_VARS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "usr/bin/sh/memory.h"

/* $? $$ $! $0 and the arguments "$1" ...: one set, for the whole shell. */
struct parameters {
	int status;
	pid_t shell_pid;
	pid_t last_background; /* 0: none yet */
	const char *name;
	int count;
	char **args; /* args[0] is $1 */
};

extern struct parameters params;

/* Take over the environment. Names that are no shell names are dropped. */
void vars_init(void);

/* The value of @name, or NULL when it is not set. */
const char *var_get(const char *name);

/* Set @name (which need not end after its @length bytes) to a copy of @value. */
void var_set_n(const char *name, size_t length, const char *value);
void var_set(const char *name, const char *value);

void var_export(const char *name, size_t length);
void var_unset(const char *name);
bool var_is_exported(const char *name);

/* "NAME=value" of every exported variable, NULL at the end, in @arena. */
char **vars_environment(struct arena *arena);

/* Call @visit with the name of every variable that is set: for completion. */
void vars_names(void (*visit)(const char *name, void *context), void *context);

/* Print every variable, or only the exported ones, so that the shell can read it again. */
void vars_print(bool exported_only);

/* Replace the arguments by copies of @args. */
void params_set(char *const *args, int count);

/* Drop the first @count arguments; there are that many. */
void params_shift(int count);

#endif
