/*
 * eval.h - the shell's heart: walk the tree, do what it says.
 *
 * Invariants: params.status is the status of the last command, at every moment.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_EVAL_H
#define RAVEL_USR_BIN_SH_EVAL_H

#include "usr/bin/sh/tree.h"

/* Why commands are being passed over, if they are. */
enum skip {
	SKIP_NOTHING,
	SKIP_BREAK,    /* to the end of skip_loops loops */
	SKIP_CONTINUE, /* the same, but the last of them goes on */
	SKIP_RETURN,   /* to the end of the function, or of the file that . reads */
	SKIP_LINE,     /* to the next prompt: after ^C, or an error while interactive */
};

struct shell {
	bool interactive;
	bool exit_on_error;  /* set -e */
	bool trace;	     /* set -x */
	bool unset_is_error; /* set -u */
	bool no_glob;	     /* set -f */
	bool no_exec;	     /* set -n */
	bool no_clobber;     /* set -C */
	bool export_all;     /* set -a */
	bool pipefail;	     /* set -o pipefail */
	enum skip skip;
	int skip_loops;
	int loop_depth;
	int dot_depth;
	int function_depth;
};

extern struct shell shell;

/* Do what @tree says (NULL: nothing) and return its status, which is also $?. */
int eval_tree(const struct node *tree);

/* The same for a part of a tree; with @last, a program may replace this process. */
int eval_node(const struct node *node, bool last);

/* Parse and evaluate all of @src. Returns the last status, 2 after a syntax error. */
int eval_source(struct source *src);

/* What the commands in @text print, without the newlines at the end, in @arena. Sets $?. */
char *eval_output(struct arena *arena, const char *text);

/*
 * Replace this process by the program @argv[0], looked for in PATH. Prints why it cannot and
 * returns 127 (not found) or 126.
 */
int exec_program(char **argv, char **environment);

/* End this shell: the EXIT trap, what is still in the buffers, exit(@status). */
void eval_exit(int status) __attribute__((noreturn));

/* case.c: case WORD in ... esac */
int eval_case(const struct node *node, bool last);

/* An error that ends a shell that reads a script and costs an interactive one its line. */
int eval_fatal(int status);

#endif
