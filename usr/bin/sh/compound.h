/*
 * compound.h - what parser.c and compound.c share.
 *
 * Invariants: parser->token is the next token, not yet used.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_COMPOUND_H
#define RAVEL_USR_BIN_SH_COMPOUND_H

#include "usr/bin/sh/tree.h"

struct parser {
	struct lexer lexer;
	struct token token;
	bool no_aliases; /* inside $( ), whose text is parsed again when it is used */
};

/* Go to the next token. */
void parser_advance(struct parser *parser);
void parser_skip_newlines(struct parser *parser);

/* A syntax error at the next token, where @expected (may be NULL) should have been. */
void parser_unexpected(struct parser *parser, const char *expected);

bool parser_at_keyword(const struct parser *parser, const char *keyword);
void parser_expect_keyword(struct parser *parser, const char *keyword);

struct node *parser_new_node(struct parser *parser, enum node_type type, struct node *left,
			     struct node *right);

/* Append the next token, a word, to the list that ends at *@tail; returns the new end. */
struct word **parser_take_word(struct parser *parser, struct word **tail);

/* One or more commands; a @compound's list goes on over newlines. */
struct node *parser_list(struct parser *parser, bool compound);

/* One command with its redirections. */
struct node *parser_command(struct parser *parser);

/* A compound command without its redirections, or NULL when the next token starts none. */
struct node *parser_compound(struct parser *parser);

/* The function @name, from the parenthesis after it on. */
struct node *parser_function(struct parser *parser, const char *name);

#endif
