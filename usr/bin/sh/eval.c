/*
 * eval.c - walk the tree; see eval.h.
 *
 * `last` says that this process has nothing to do after the node: then a program replaces the
 * shell, and ( ) and pipelines cost no process that only waits.
 *
 * Invariants: every function that evaluates returns the status and leaves it in params.status; when
 * shell.skip is set nothing more is started.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/bin/sh/eval.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/function.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/redirect.h"
#include "usr/bin/sh/simple.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

struct shell shell;
static int conditions; /* > 0: inside a condition, where failing is no error for set -e */

static bool interrupted; /* ^C ended a loop: the line's status is to say so */

void eval_exit(int status)
{
	params.status = status & 255;
	traps_run_exit();
	fflush(stdout);
	exit(params.status);
}

int eval_fatal(int status)
{
	params.status = status;
	if (!shell.interactive) {
		eval_exit(status);
	}
	shell.skip = SKIP_LINE;
	return status;
}

static int eval_condition(const struct node *node)
{
	int status;

	conditions++;
	status = eval_node(node, false);
	conditions--;
	return status;
}

/* Make @to the descriptor that @from is; @from goes away. */
static void move_fd(int from, int to)
{
	if (from < 0)
		return;
	if (from == to) {
		fcntl(from, F_SETFD, 0);
		return;
	}
	dup2(from, to);
	close(from);
}

static void __attribute__((noreturn)) eval_and_exit(const struct node *node)
{
	int status = eval_node(node, true);

	eval_exit(status);
}

static int eval_pipe(const struct node *node)
{
	struct job *job = job_new(node);
	bool more = true;
	int input = -1;

	for (; more; node = node->right) {
		int ends[2] = { -1, -1 };
		pid_t pid;

		more = node->type == NODE_PIPE;
		if (more && pipe2(ends, O_CLOEXEC) < 0) {
			warn_errno("pipe");
			break;
		}
		pid = job_fork(job, true);
		if (pid == 0) {
			move_fd(input, STDIN_FILENO);
			move_fd(ends[1], STDOUT_FILENO);
			eval_and_exit(more ? node->left : node);
		}
		close(input);
		close(ends[1]);
		input = ends[0];
		if (pid < 0)
			break;
	}
	close(input);
	return job_wait(job);
}

static int eval_subshell(const struct node *node)
{
	struct job *job = job_new(node);
	struct arena arena = { NULL };

	if (job_fork(job, true) == 0) {
		if (redirect_apply(&arena, node->redirects, NULL) < 0)
			exit(1);
		eval_and_exit(node->left);
	}
	return job_wait(job);
}

static int eval_background(const struct node *node)
{
	struct job *job = job_new(node->left);
	pid_t pid = job_fork(job, false);

	if (pid == 0)
		eval_and_exit(node->left);
	job_leave(job);
	return pid < 0 ? 2 : 0;
}

/* After a loop's body: is the loop over? Uses up break and continue that were meant for it. */
static bool loop_ends(void)
{
	if (jobs_interrupted()) {
		fputc('\n', stderr); /* after the terminal's ^C */
		shell.skip = SKIP_LINE;
		interrupted = true;
	}
	if (shell.skip == SKIP_NOTHING)
		return false;
	if (shell.skip != SKIP_BREAK && shell.skip != SKIP_CONTINUE)
		return true;
	if (--shell.skip_loops > 0)
		return true;
	if (shell.skip == SKIP_BREAK) {
		shell.skip = SKIP_NOTHING;
		return true;
	}
	shell.skip = SKIP_NOTHING;
	return false;
}

static int eval_while(const struct node *node)
{
	int status = 0;

	shell.loop_depth++;
	for (;;) {
		bool holds = eval_condition(node->left) == 0;

		if (shell.skip != SKIP_NOTHING ? loop_ends() : holds != (node->type == NODE_WHILE))
			break;
		if (shell.skip != SKIP_NOTHING)
			continue;
		status = eval_node(node->right, false);
		if (loop_ends())
			break;
	}
	shell.loop_depth--;
	return status;
}

static int eval_for(const struct node *node)
{
	static const struct word all_arguments = { "\"$@\"", NULL };
	struct arena arena = { NULL };
	struct fields fields;
	int status = 0;

	if (expand_words(&arena, node->over_arguments ? &all_arguments : node->words, &fields) <
	    0) {
		arena_free(&arena);
		return eval_fatal(2);
	}
	shell.loop_depth++;
	for (int i = 0; i < fields.count && shell.skip == SKIP_NOTHING; i++) {
		if (!var_may_change(node->name)) {
			status = eval_fatal(2);
			break;
		}
		var_set(node->name, fields.list[i]);
		status = eval_node(node->right, false);
		if (loop_ends())
			break;
	}
	shell.loop_depth--;
	arena_free(&arena);
	return status;
}

static int eval_if(const struct node *node, bool last)
{
	int status = eval_condition(node->left);

	if (shell.skip != SKIP_NOTHING)
		return status;
	if (status == 0)
		return eval_node(node->right, last);
	return node->other ? eval_node(node->other, last) : 0;
}

/*
 * a && b || c from left to right: each operator looks at the status of what was last run. A loop,
 * since a line may be long and the stack is not.
 */
static int eval_and_or(const struct node *node, bool last)
{
	int status = eval_condition(node->left);

	while (shell.skip == SKIP_NOTHING) {
		bool runs = (status == 0) == (node->type == NODE_AND);

		node = node->right;
		if (node->type != NODE_AND && node->type != NODE_OR)
			return runs ? eval_node(node, last) : status;
		if (runs)
			status = eval_condition(node->left);
	}
	return status;
}

static int eval_sequence(const struct node *node, bool last)
{
	for (; node->type == NODE_SEQUENCE; node = node->right) {
		eval_node(node->left, false);
		if (shell.skip != SKIP_NOTHING)
			return params.status;
	}
	return eval_node(node, last);
}

/* Everything but a pipeline's end: lists, groups and compounds. */
static int eval_compound(const struct node *node, bool last)
{
	switch (node->type) {
	case NODE_AND:
	case NODE_OR:
		return eval_and_or(node, last);
	case NODE_NOT:
		return !eval_condition(node->left);
	case NODE_SEQUENCE:
		return eval_sequence(node, last);
	case NODE_GROUP:
		return eval_node(node->left, last);
	case NODE_IF:
		return eval_if(node, last);
	case NODE_WHILE:
	case NODE_UNTIL:
		return eval_while(node);
	case NODE_FOR:
		return eval_for(node);
	case NODE_CASE:
		return eval_case(node, last);
	case NODE_FUNCTION:
		function_define(node);
		return 0;
	default:
		return eval_background(node);
	}
}

static int eval_redirected(const struct node *node, bool last)
{
	struct arena arena = { NULL };
	struct saved_fd *saved = NULL;
	int status = 1;

	if (!node->redirects)
		return eval_compound(node, last);
	if (redirect_apply(&arena, node->redirects, &saved) == 0)
		status = eval_compound(node, false);
	redirect_undo(saved);
	arena_free(&arena);
	return status;
}

int eval_node(const struct node *node, bool last)
{
	int status;

	switch (node->type) {
	case NODE_SIMPLE:
		status = simple_command(node, last);
		break;
	case NODE_PIPE:
		status = eval_pipe(node);
		break;
	case NODE_SUBSHELL:
		status = eval_subshell(node);
		break;
	default:
		params.status = eval_redirected(node, last);
		return params.status;
	}
	params.status = status;
	if (status && shell.exit_on_error && !conditions) {
		eval_exit(status);
	}
	traps_run();
	return status;
}

int eval_tree(const struct node *tree)
{
	return tree ? eval_node(tree, false) : params.status;
}

int eval_source(struct source *src)
{
	enum parse_result result = PARSE_COMMAND;

	while (result != PARSE_END) {
		struct arena *arena = arena_new();
		struct node *tree;

		if (src->is_terminal) {
			jobs_interrupted(); /* what came too late for the last line */
			jobs_notify();
		}
		result = parse_command(src, arena, &tree);
		if (result == PARSE_COMMAND && (!shell.no_exec || shell.interactive))
			eval_tree(tree);
		else if (result == PARSE_ERROR)
			params.status = 2;
		else if (result == PARSE_INTERRUPTED)
			params.status = 130;
		arena_put(arena);
		if (interrupted)
			params.status = 130;
		interrupted = false;
		if (src->is_terminal)
			shell.skip = SKIP_NOTHING;
		else if (shell.skip != SKIP_NOTHING || result == PARSE_ERROR)
			break;
	}
	return params.status;
}

char *eval_output(struct arena *arena, const char *text)
{
	struct strbuf output = strbuf_in(arena);
	struct job *job = job_new(NULL);
	char buffer[512];
	int ends[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		warn_errno("pipe");
		ends[0] = ends[1] = -1;
	}
	pid = job_fork(job, true);
	if (pid == 0) {
		struct source src;

		close(ends[0]);
		move_fd(ends[1], STDOUT_FILENO);
		source_open_string(&src, text);
		eval_source(&src);
		eval_exit(params.status);
	}
	close(ends[1]);
	while ((n = read(ends[0], buffer, sizeof(buffer))) > 0 || (n < 0 && errno == EINTR))
		for (ssize_t i = 0; i < n; i++)
			if (buffer[i])
				strbuf_add_char(&output, buffer[i]);
	close(ends[0]);
	params.status = job_wait(job);
	simple_note_substitution();
	while (output.length && output.text[output.length - 1] == '\n')
		output.text[--output.length] = '\0';
	return output.text;
}
