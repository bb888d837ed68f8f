/*
 * alias.h - names that stand for other text where a command could begin.
 *
 * Invariants: an alias is not replaced again inside its own text.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_ALIAS_H
#define RAVEL_USR_BIN_SH_ALIAS_H

/* What @name stands for, or NULL. */
const char *alias_find(const char *name);

/* Call @visit with every alias's name. */
void alias_names(void (*visit)(const char *name, void *context), void *context);

#endif
