/*
 * function.h - shell functions and what "local" saved for them.
 *
 * Invariants: a function that runs keeps its tree, also when it is redefined meanwhile.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_FUNCTION_H
#define RAVEL_USR_BIN_SH_FUNCTION_H

#include "usr/bin/sh/tree.h"

struct function;

/* Do the NODE_FUNCTION @node: define its name, or replace what it was. */
void function_define(const struct node *node);

/* The function called @name, or NULL. */
struct function *function_find(const char *name);

/* Forget @name. Returns whether there was such a function. */
bool function_unset(const char *name);

/* Run @function with the arguments argv[1].. and return its status. */
int function_call(struct function *function, int argc, char **argv);

/* Call @visit with every function's name. */
void function_names(void (*visit)(const char *name, void *context), void *context);

#endif
