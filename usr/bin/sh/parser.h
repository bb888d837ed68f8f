/*
 * parser.h - tokens to a tree, one complete command at a time.
 *
 * Invariants: see tree.h.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_PARSER_H
#define RAVEL_USR_BIN_SH_PARSER_H

#include "usr/bin/sh/tree.h"

enum parse_result {
	PARSE_COMMAND,	   /* a command in *tree; NULL for an empty line */
	PARSE_END,	   /* there is no more */
	PARSE_ERROR,	   /* a syntax error, which was printed */
	PARSE_INTERRUPTED, /* ^C at the terminal */
};

/*
 * Parse up to the end of a line that ends a command. The tree is in @arena, whatever the result.
 */
enum parse_result parse_command(struct source *src, struct arena *arena, struct node **tree);

/* Is @word a reserved word: if, {, ! ... */
bool parser_is_keyword(const char *word);

/* The length of the name at the start of @text: letters, digits and _, no digit first. May be 0. */
int name_length(const char *text);

#endif
