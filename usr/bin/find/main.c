/*
 * main.c - find: walk trees and evaluate an expression for each file.
 *
 *	find [-H | -L] [path...] [expression]
 *
 * Invariants: without an action in the expression, what is true is printed.  Locks: none.
 */
#include <string.h>

#include "usr/bin/find/find.h"
#include "usr/lib/tool.h"

struct settings settings = { .max_depth = 1 << 30 };

static struct node *expression;

static void evaluate(const struct walk_entry *entry)
{
	if (entry->depth < settings.min_depth)
		return;
	if (expression->evaluate(expression, entry) && !settings.has_action)
		eval_print(expression, entry);
}

static bool visit(const struct walk_entry *entry, void *arg)
{
	(void)arg;
	if (entry->when == WALK_AFTER) {
		if (settings.depth)
			evaluate(entry);
		return true;
	}
	settings.prune = false;
	if (entry->when == WALK_FILE || !settings.depth)
		evaluate(entry);
	if (entry->when == WALK_FILE || (entry->depth < settings.max_depth && !settings.prune))
		return true;
	/* A directory that is not entered has no WALK_AFTER. */
	if (settings.depth)
		evaluate(entry);
	return false;
}

static bool starts_expression(const char *word)
{
	return (word[0] == '-' && word[1]) || strcmp(word, "(") == 0 || strcmp(word, "!") == 0;
}

int main(int argc, char **argv)
{
	unsigned int flags = 0;
	char *here[] = { ".", NULL };
	char **paths;
	int count = 0, first = 1;

	for (; first < argc; first++) {
		if (strcmp(argv[first], "-L") == 0)
			flags = WALK_FOLLOW_ALL;
		else if (strcmp(argv[first], "-H") == 0)
			flags = WALK_FOLLOW_OPERAND;
		else if (strcmp(argv[first], "-P") == 0)
			flags = 0;
		else
			break;
	}
	paths = argv + first;
	while (paths[count] && !starts_expression(paths[count]))
		count++;
	expression = parse_expression(paths + count);
	if (settings.one_device)
		flags |= WALK_ONE_DEVICE;
	if (count == 0) {
		paths = here;
		count = 1;
	}
	for (int i = 0; i < count; i++)
		settings.status |= walk(paths[i], flags, visit, NULL);
	for (struct node *node = settings.execs; node; node = node->next_exec)
		flush_exec(node);
	return close_stdout(settings.status);
}
