/*
 * search.c - ^R: search the history while typing.
 *
 *	(reverse-i-search)`mak': make -j2       the newest line with "mak" in it
 *
 * ^R again goes to an older line, backspace takes back a letter, ^G gives up; every other key ends
 * the search and then does to the found line what it always does.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "usr/bin/sh/editor.h"
#include "usr/bin/sh/history.h"
#include "usr/bin/sh/keys.h"
#include "usr/bin/sh/memory.h"

struct search {
	struct line pattern;
	bool failed;
};

/* Show the newest line before @end that has the pattern, with the cursor where it is in it. */
static void find_before(struct editor *editor, struct search *search, size_t end)
{
	for (size_t i = end; i-- > 0;) {
		const char *line = history_line(i);
		const char *found = strstr(line, search->pattern.text);

		if (!found)
			continue;
		editor_show_history(editor, i);
		editor->line.cursor = found - line;
		search->failed = false;
		return;
	}
	search->failed = true;
	screen_bell();
}

static void draw(struct editor *editor, const struct search *search)
{
	struct arena arena = { NULL };
	struct strbuf prompt = strbuf_in(&arena);

	strbuf_add(&prompt, "(failed ", search->failed ? strlen("(failed ") : 1);
	strbuf_add(&prompt, "reverse-i-search)`", strlen("reverse-i-search)`"));
	strbuf_add(&prompt, search->pattern.text, search->pattern.length);
	strbuf_add(&prompt, "': ", strlen("': "));
	screen_change_prompt(&editor->screen, prompt.text);
	screen_draw(&editor->screen, &editor->line);
	arena_free(&arena);
}

/* Returns false when @key is none of the search's own. */
static bool search_key(struct editor *editor, struct search *search, int key)
{
	struct line *pattern = &search->pattern;
	char byte = (char)key;

	if (key == CTRL('R')) {
		find_before(editor, search, editor->position);
	} else if (key == KEY_BACKSPACE || key == CTRL('H')) {
		line_remove(pattern, line_before(pattern, pattern->length), pattern->length);
		find_before(editor, search, history_count());
	} else if (key >= ' ' && key <= 0xff) {
		/* The line that is shown may be the one: go on from there. */
		line_insert(pattern, &byte, 1);
		find_before(editor, search,
			    editor->position < history_count() ? editor->position + 1 :
								 history_count());
	} else {
		return key == KEY_WOKEN;
	}
	return true;
}

void editor_search(struct editor *editor)
{
	struct search search = { .failed = false };
	size_t position = editor->position;
	int key;

	line_set(&search.pattern, "");
	do {
		draw(editor, &search);
		key = key_read();
	} while (search_key(editor, &search, key));
	free(search.pattern.text);
	screen_change_prompt(&editor->screen, editor->prompt);
	if (key == CTRL('G'))
		editor_show_history(editor, position);
	else
		editor_do_key(editor, key);
}
