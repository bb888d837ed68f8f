/*
 * expand.h - from words as written to the arguments they mean.
 *
 * Invariants: expansion has no effect but ${X=word} (an assignment) and what $(command) does.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_EXPAND_H
#define RAVEL_USR_BIN_SH_EXPAND_H

#include "usr/bin/sh/tree.h"

struct fields {
	int count;
	char **list; /* NULL after the last; in the arena */
};

/*
 * Expand @words fully: ~ $X ${X} $(command) $((expression)), field splitting, file names, quotes.
 * Returns 0, or -1 after a message (a bad ${ }, ${X?}, arithmetic).
 */
int expand_words(struct arena *arena, const struct word *words, struct fields *fields);

/* Expand one word to one string: no splitting, no file names. NULL after a message. */
char *expand_string(struct arena *arena, const char *word);

/*
 * Expand @s..@end to a pattern for fnmatch(), where what was quoted has a backslash. NULL after a
 * message.
 */
char *expand_pattern(struct arena *arena, const char *s, const char *end);

/* Expand the body of a here-document. NULL after a message. */
char *expand_here_document(struct arena *arena, const char *text);

/*
 * glob.c: the sorted paths that match @pattern (where \c is an ordinary c) are added to @fields.
 * Returns how many there were.
 */
int glob_paths(struct arena *arena, const char *pattern, struct fields *fields);

/* glob.c: has @pattern a * ? or [ that stands for something else than itself? */
bool glob_is_pattern(const char *pattern);

/* Add @text, which is not copied. */
void fields_add(struct arena *arena, struct fields *fields, char *text);

/* arith.c: the value of @expression. Returns 0, or -1 after a message. */
int arith_evaluate(const char *expression, long long *value);

#endif
