/*
 * function.c - shell functions; see function.h.
 *
 * Invariants: `frame` is the innermost call's, NULL outside functions.  Locks: none.
 */
#include "usr/bin/sh/function.h"

#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

#define MAX_CALLS 500 /* one inside the other: the stack is finite */

struct function {
	struct function *next;
	char *name;
	const struct node *body;
	struct arena *arena;
};

/* What one call's "local" has to put back. */
struct frame {
	struct arena arena;
	struct saved_var *saved;
};

static struct function *functions;
static struct frame *frame;

struct function *function_find(const char *name)
{
	for (struct function *function = functions; function; function = function->next)
		if (strcmp(function->name, name) == 0)
			return function;
	return NULL;
}

bool function_unset(const char *name)
{
	struct function **link = &functions;
	struct function *function;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	function = *link;
	if (!function)
		return false;
	*link = function->next;
	arena_put(function->arena);
	free(function->name);
	free(function);
	return true;
}

void function_define(const struct node *node)
{
	struct function *function = xmalloc(sizeof(*function));

	function->arena = arena_get(node->arena);
	function->name = xstrdup(node->name);
	function->body = node->left;
	function_unset(node->name);
	function->next = functions;
	functions = function;
}

int function_call(struct function *function, int argc, char **argv)
{
	struct frame *outer_frame = frame;
	struct frame own = { .saved = NULL };
	struct arena *arena = function->arena;
	int loop_depth = shell.loop_depth;
	struct parameters outer;
	int status;

	if (shell.function_depth >= MAX_CALLS) {
		warn("%s: functions call each other too deeply", argv[0]);
		return eval_fatal(2);
	}
	arena_get(arena);
	outer = params_enter(argv + 1, argc - 1);
	frame = &own;
	shell.loop_depth = 0;
	shell.function_depth++;
	status = eval_node(function->body, false);
	shell.function_depth--;
	shell.loop_depth = loop_depth;
	if (shell.skip == SKIP_RETURN) {
		shell.skip = SKIP_NOTHING;
		status = params.status;
	}
	frame = outer_frame;
	params_leave(&outer);
	vars_restore(own.saved);
	arena_free(&own.arena);
	arena_put(arena);
	return status;
}

int builtin_local(int argc, char **argv)
{
	if (!frame) {
		warn("local: only in a function");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int length = name_length(argv[i]);
		char *name = arena_copy(&frame->arena, argv[i], length);

		if (length == 0 || (argv[i][length] && argv[i][length] != '=')) {
			warn("local: %s: bad variable name", argv[i]);
			return 2;
		}
		if (argv[i][length] && !var_may_change(name))
			return eval_fatal(2);
		var_save(&frame->arena, name, &frame->saved);
		if (argv[i][length])
			var_set(name, argv[i] + length + 1);
	}
	return 0;
}

void function_names(void (*visit)(const char *name, void *context), void *context)
{
	for (struct function *function = functions; function; function = function->next)
		visit(function->name, context);
}
