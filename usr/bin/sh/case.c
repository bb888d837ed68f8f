/*
 * case.c - case WORD in PATTERN | PATTERN) LIST ;; ... esac.
 *
 * Invariants: patterns are expanded one after the other, and no further than the one that matches.
 * Locks: none.
 */
#include <fnmatch.h>
#include <string.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/vars.h"

/* The item with a pattern that matches @text; NULL without one, or after a message (*@failed). */
static const struct case_item *find_item(struct arena *arena, const struct case_item *item,
					 const char *text, bool *failed)
{
	for (; item; item = item->next) {
		for (const struct word *word = item->patterns; word; word = word->next) {
			char *pattern =
				expand_pattern(arena, word->text, word->text + strlen(word->text));

			*failed = !pattern;
			if (!pattern)
				return NULL;
			if (fnmatch(pattern, text, 0) == 0)
				return item;
		}
	}
	return NULL;
}

int eval_case(const struct node *node, bool last)
{
	struct arena arena = { NULL };
	const char *text = expand_string(&arena, node->name);
	const struct case_item *item = NULL;
	bool failed = !text;

	if (!failed)
		item = find_item(&arena, node->items, text, &failed);
	arena_free(&arena);
	if (failed)
		return eval_fatal(2);
	return item && item->body ? eval_node(item->body, last) : 0;
}
