/*
 * find.h - the expression of find: a tree of nodes, made by parse.c and evaluated by tests.c.
 *
 *	find . -name '*.c' -print  -->  AND(NAME "*.c", PRINT)
 *
 * Invariants: a tree is complete or the program has ended with a message.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_FIND_H
#define RAVEL_USR_BIN_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "usr/lib/walk.h"

struct node;
typedef bool evaluate_fn(struct node *node, const struct walk_entry *entry);

struct node {
	evaluate_fn *evaluate;
	struct node *left, *right; /* of -and, -or; of -not only the left */
	const char *text;	   /* a pattern, a type */
	int sign;		   /* of a number: -1 less, 0 just, 1 more */
	long long number;
	char **argv; /* -exec: the command, ended by NULL; for + what was gathered is behind */
	size_t argc, gathered;
	struct node *next_exec; /* all -exec + of the expression */
};

/* What the options of the expression say. */
struct settings {
	long long min_depth, max_depth;
	bool depth;	 /* directories after what is in them */
	bool one_device; /* -xdev */
	bool has_action; /* no -print of its own */
	struct node *execs;
	int status;
	bool prune; /* set by -prune for the directory at hand */
};

extern struct settings settings;

/* Parse the words up to NULL. Exits with a message when they are no expression. */
struct node *parse_expression(char **words);

/* What an expression is made of. */
evaluate_fn eval_and, eval_or, eval_not, eval_true, eval_false;
evaluate_fn eval_name, eval_iname, eval_path, eval_type, eval_size, eval_newer, eval_mtime;
evaluate_fn eval_mmin, eval_perm, eval_empty, eval_links, eval_inum, eval_user, eval_group;
evaluate_fn eval_print, eval_print0, eval_delete, eval_prune, eval_exec, eval_exec_plus;

/* Run what an -exec + has gathered. */
void flush_exec(struct node *node);

#endif
