/*
 * unparse.h - what a job is called: its tree as text again.
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_UNPARSE_H
#define RAVEL_USR_BIN_SH_UNPARSE_H

#include "usr/bin/sh/memory.h"
#include "usr/bin/sh/tree.h"

#define UNPARSE_LENGTH 60 /* what is longer is cut, and ends with "..." */

/* The text of @node, at most UNPARSE_LENGTH bytes in one line, in @arena. */
const char *unparse(struct arena *arena, const struct node *node);

#endif
