/*
 * simple.h - simple commands: assignments, redirections, a builtin or a program.
 *
 * Invariants: see simple.c.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_SIMPLE_H
#define RAVEL_USR_BIN_SH_SIMPLE_H

#include "usr/bin/sh/tree.h"

/* Do the NODE_SIMPLE @node; with @last a program replaces this process. Returns the status. */
int simple_command(const struct node *node, bool last);

/* A $(command) ended: its status is that of a command that is nothing but assignments. */
void simple_note_substitution(void);

#endif
