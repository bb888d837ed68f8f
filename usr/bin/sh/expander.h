/*
 * expander.h - what expand.c and params.c share: a word on its way to fields.
 *
 * Invariants: see expand.c.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_EXPANDER_H
#define RAVEL_USR_BIN_SH_EXPANDER_H

#include "usr/bin/sh/expand.h"

struct expander {
	struct arena *arena;
	struct fields *fields; /* NULL: one string, no splitting */
	struct strbuf text;    /* the field that is being made */
	bool open;
	bool after_blank; /* the last field was ended by a blank of IFS */
	bool failed;
	bool pattern;	    /* no splitting, but unquoted characters of patterns stay special */
	bool here_document; /* a double quote is an ordinary character */
	bool in_braces;	    /* a } can be escaped */
};

/* Add the value of an expansion; an unquoted one is split. */
void expander_add_value(struct expander *x, const char *value, bool quoted);

/* Add $* or $@. */
void expander_add_arguments(struct expander *x, char which, bool quoted);

/* Expand @s..@end as written and add what it means. */
void expander_add_range(struct expander *x, const char *s, const char *end, bool quoted);

/* Expand @s..@end to one string; NULL after a message. */
char *expander_string(struct arena *arena, const char *s, const char *end);

/* params.c: add what @s..@end, the inside of ${ }, means. */
void expander_add_braces(struct expander *x, const char *s, const char *end, bool quoted);

/* params.c: with set -u, @name that is not set is an error. */
void expander_check_set(struct expander *x, const char *name);

/* params.c: the value of the parameter @name ("X", "1", "?"), or NULL when it is not set. */
const char *parameter_value(struct expander *x, const char *name);

/* params.c: the bytes of the parameter's name at @s; 0 if none is there. */
int parameter_length(const char *s, bool braces);

#endif
