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

/* readonly: from now on @name keeps its value. */
void var_make_readonly(const char *name, size_t length);

/* May @name be set and unset? Prints why when not. */
bool var_may_change(const char *name);

/* What a variable was before an assignment that holds for a while. */
struct saved_var {
	const char *name;
	const char *value; /* NULL: it was not set */
	bool exported;
	struct saved_var *next;
};

/* Keep what @name is now, in @arena, at the front of *@saved. */
void var_save(struct arena *arena, const char *name, struct saved_var **saved);

/* Put back all that was kept, the last first. */
void vars_restore(const struct saved_var *saved);

/* "NAME=value" of every exported variable, NULL at the end, in @arena. */
char **vars_environment(struct arena *arena);

/* Call @visit with the name of every variable that is set: for completion. */
void vars_names(void (*visit)(const char *name, void *context), void *context);

/* Print every variable ("") or those that @command ("export", "readonly") marks, as commands. */
void vars_print(const char *command);

/* Print @value between single quotes, so that the shell can read it again. */
void vars_print_quoted(const char *value);

/* A function's own arguments for now. Returns what was, for params_leave(). */
struct parameters params_enter(char *const *args, int count);
void params_leave(const struct parameters *outer);

/* Replace the arguments by copies of @args. */
void params_set(char *const *args, int count);

/* Drop the first @count arguments; there are that many. */
void params_shift(int count);

#endif
