/*
 * tree.h - what the parser makes and the evaluator walks.
 *
 *   a && b | c >f        NODE_AND
 *                        /      \
 *                  SIMPLE a    NODE_PIPE
 *                              /      \
 *                        SIMPLE b    SIMPLE c, redirect > f
 *
 * Invariants: a tree lives in one arena and does not change once it is made.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_TREE_H
#define RAVEL_USR_BIN_SH_TREE_H

#include <stdbool.h>

#include "usr/bin/sh/lexer.h"

enum node_type {
	NODE_SIMPLE,	 /* assigns words redirects */
	NODE_PIPE,	 /* left | right, where right may be a pipe again */
	NODE_AND,	 /* left && right, where right may go on with && or || */
	NODE_OR,	 /* left || right, likewise; a && b || c is AND a (OR b c) */
	NODE_NOT,	 /* ! left */
	NODE_SEQUENCE,	 /* left ; right, where right may be a sequence again */
	NODE_BACKGROUND, /* left & */
	NODE_SUBSHELL,	 /* ( left ) redirects */
	NODE_GROUP,	 /* { left } redirects */
	NODE_IF,	 /* if left then right else other */
	NODE_WHILE,	 /* while left do right */
	NODE_UNTIL,	 /* until left do right */
	NODE_FOR,	 /* for name in words do right */
	NODE_CASE,	 /* case name in items esac */
	NODE_FUNCTION,	 /* name() left, in an arena that the function keeps */
};

struct word {
	const char *text; /* as written */
	struct word *next;
};

struct redirect {
	enum token_type type; /* TOKEN_LESS ... TOKEN_GREAT_AND */
	int fd;
	const char *target; /* a word as written: a file, or a descriptor after & */
	struct redirect *next;
	char *body;   /* of a here-document */
	bool literal; /* its delimiter was quoted: nothing in it is expanded */
	struct redirect *next_heredoc;
};

struct case_item {
	struct word *patterns;
	struct node *body; /* may be NULL */
	struct case_item *next;
};

struct node {
	enum node_type type;
	struct node *left;
	struct node *right;
	struct node *other;
	const char *name;
	struct word *assigns;
	struct word *words;
	bool over_arguments; /* NODE_FOR without "in": over "$@" */
	struct redirect *redirects;
	struct case_item *items;
	struct arena *arena;
};

#endif
