/*
 * edit.c - the line editor: what each key does.
 *
 * One table binds keys to functions; a function changes the line, and the loop draws it. ^R is a
 * loop of its own, in search.c.
 *
 * Invariants: position <= history_count(); below that the line shown came from the history, and
 * what was being typed is in `kept`.  Locks: none (one editor, one thread).
 */
#include "usr/bin/sh/edit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/complete.h"
#include "usr/bin/sh/editor.h"
#include "usr/bin/sh/history.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/keys.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

/* ---- moving */

static void line_start(struct editor *editor)
{
	editor->line.cursor = 0;
}

static void line_end(struct editor *editor)
{
	editor->line.cursor = editor->line.length;
}

static void left(struct editor *editor)
{
	editor->line.cursor = line_before(&editor->line, editor->line.cursor);
}

static void right(struct editor *editor)
{
	editor->line.cursor = line_after(&editor->line, editor->line.cursor);
}

static void word_left(struct editor *editor)
{
	editor->line.cursor = line_word_start(&editor->line, false);
}

static void word_right(struct editor *editor)
{
	editor->line.cursor = line_word_end(&editor->line);
}

/* ---- removing: what a kill removes can be put back by ^Y */

/* Remove [@from, @to), one of which is the cursor. Kills in a row add up to one text. */
static void kill_range(struct editor *editor, size_t from, size_t to)
{
	struct line *killed = &editor->killed;

	if (!editor->was_kill)
		line_set(killed, "");
	killed->cursor = from < editor->line.cursor ? 0 : killed->length;
	line_insert(killed, editor->line.text + from, to - from);
	line_remove(&editor->line, from, to);
	editor->is_kill = true;
}

static void kill_to_end(struct editor *editor)
{
	kill_range(editor, editor->line.cursor, editor->line.length);
}

static void kill_to_start(struct editor *editor)
{
	kill_range(editor, 0, editor->line.cursor);
}

static void kill_blank_word_left(struct editor *editor)
{
	kill_range(editor, line_word_start(&editor->line, true), editor->line.cursor);
}

static void kill_word_left(struct editor *editor)
{
	kill_range(editor, line_word_start(&editor->line, false), editor->line.cursor);
}

static void kill_word_right(struct editor *editor)
{
	kill_range(editor, editor->line.cursor, line_word_end(&editor->line));
}

static void yank(struct editor *editor)
{
	if (editor->killed.length)
		line_insert(&editor->line, editor->killed.text, editor->killed.length);
}

static void delete_left(struct editor *editor)
{
	line_remove(&editor->line, line_before(&editor->line, editor->line.cursor),
		    editor->line.cursor);
}

static void delete_right(struct editor *editor)
{
	size_t cursor = editor->line.cursor;

	line_remove(&editor->line, cursor, line_after(&editor->line, cursor));
}

static void transpose(struct editor *editor)
{
	line_transpose(&editor->line);
}

/* ---- ends */

static void finish(struct editor *editor)
{
	line_end(editor);
	editor->result = EDIT_LINE;
	editor->done = true;
}

static void interrupt(struct editor *editor)
{
	line_end(editor);
	line_insert(&editor->line, "\003", 1); /* shown as ^C, and never seen by the parser */
	editor->result = EDIT_INTERRUPTED;
	editor->done = true;
}

static void end_of_file(struct editor *editor)
{
	editor->result = EDIT_EOF;
	editor->done = true;
}

static void delete_right_or_end(struct editor *editor)
{
	if (editor->line.length)
		delete_right(editor);
	else
		end_of_file(editor);
}

/* ---- history */

void editor_show_history(struct editor *editor, size_t position)
{
	if (editor->position == history_count())
		line_set(&editor->kept, editor->line.text);
	editor->position = position;
	line_set(&editor->line,
		 position == history_count() ? editor->kept.text : history_line(position));
}

static void older(struct editor *editor)
{
	if (editor->position)
		editor_show_history(editor, editor->position - 1);
}

static void newer(struct editor *editor)
{
	if (editor->position < history_count())
		editor_show_history(editor, editor->position + 1);
}

/* ---- the screen */

static void clear(struct editor *editor)
{
	screen_clear(&editor->screen);
}

static void draw_again(struct editor *editor)
{
	screen_change_prompt(&editor->screen, editor->prompt);
}

/* ---- completion */

/* Write @candidates in columns, sorted downwards, as many as there are rows on the screen. */
static void list_candidates(struct editor *editor, const struct fields *candidates)
{
	int widest = 0;
	int per_row, nr_rows, nr_shown;

	for (int i = 0; i < candidates->count; i++)
		if (screen_width(candidates->list[i]) > widest)
			widest = screen_width(candidates->list[i]);
	per_row = editor->screen.columns / (widest + 2);
	per_row = per_row ? per_row : 1;
	nr_rows = (candidates->count + per_row - 1) / per_row;
	nr_shown = nr_rows < editor->screen.rows - 2 ? nr_rows : editor->screen.rows - 2;
	screen_leave(&editor->screen);
	for (int row = 0; row < nr_shown; row++)
		for (int i = row; i < candidates->count; i += nr_rows)
			screen_print(candidates->list[i], widest + 2,
				     i + nr_rows >= candidates->count);
	if (nr_shown < nr_rows)
		screen_print("... and more", 0, true);
	screen_begin(&editor->screen, editor->prompt);
}

static void complete_word(struct editor *editor)
{
	struct line *line = &editor->line;
	struct arena arena = { NULL };
	struct completion found;
	size_t old;

	/* A tab that indents is a tab: text may be pasted. */
	if (strspn(line->text, " \t") >= line->cursor) {
		line_insert(line, "\t", 1);
		return;
	}
	found = complete(&arena, line->text, line->cursor);
	old = line->cursor - found.start;
	if (found.text &&
	    (strlen(found.text) != old || memcmp(found.text, line->text + found.start, old) != 0)) {
		line_remove(line, found.start, line->cursor);
		line_insert(line, found.text, strlen(found.text));
	} else if (found.others.count > 1 && editor->was_tab) {
		list_candidates(editor, &found.others);
	} else {
		screen_bell();
	}
	editor->is_tab = true;
	arena_free(&arena);
}

/* ---- the table and the loop */

static const struct {
	int key;
	void (*function)(struct editor *editor);
} bindings[] = {
	{ CTRL('A'), line_start },
	{ KEY_HOME, line_start },
	{ CTRL('E'), line_end },
	{ KEY_END, line_end },
	{ CTRL('B'), left },
	{ KEY_LEFT, left },
	{ CTRL('F'), right },
	{ KEY_RIGHT, right },
	{ ALT('b'), word_left },
	{ KEY_WORD_LEFT, word_left },
	{ ALT('f'), word_right },
	{ KEY_WORD_RIGHT, word_right },
	{ CTRL('H'), delete_left },
	{ KEY_BACKSPACE, delete_left },
	{ CTRL('D'), delete_right_or_end },
	{ KEY_DELETE, delete_right },
	{ CTRL('K'), kill_to_end },
	{ CTRL('U'), kill_to_start },
	{ CTRL('W'), kill_blank_word_left },
	{ ALT(KEY_BACKSPACE), kill_word_left },
	{ ALT('d'), kill_word_right },
	{ CTRL('Y'), yank },
	{ CTRL('T'), transpose },
	{ CTRL('P'), older },
	{ KEY_UP, older },
	{ CTRL('N'), newer },
	{ KEY_DOWN, newer },
	{ CTRL('R'), editor_search },
	{ CTRL('I'), complete_word },
	{ CTRL('L'), clear },
	{ CTRL('C'), interrupt },
	{ CTRL('J'), finish },
	{ CTRL('M'), finish },
	{ KEY_WOKEN, draw_again },
	{ KEY_GONE, end_of_file },
};

/* Other keys are themselves; those that mean nothing are ignored, as all control characters are. */
void editor_do_key(struct editor *editor, int key)
{
	char byte = (char)key;

	editor->was_kill = editor->is_kill;
	editor->was_tab = editor->is_tab;
	editor->is_kill = false;
	editor->is_tab = false;
	for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++) {
		if (bindings[i].key == key) {
			bindings[i].function(editor);
			return;
		}
	}
	if (key >= ' ' && key <= 0xff)
		line_insert(&editor->line, &byte, 1);
}

bool edit_is_possible(void)
{
	const char *terminal = var_get("TERM");

	return terminal && *terminal && strcmp(terminal, "dumb") != 0 && isatty(STDIN_FILENO) &&
	       isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
}

/* Only the last line of a prompt takes part in the drawing. Returns that one. */
static const char *show_lines_above(const char *prompt)
{
	const char *newline = strrchr(prompt, '\n');

	if (!newline)
		return prompt;
	write_all(STDERR_FILENO, prompt, newline + 1 - prompt);
	return newline + 1;
}

enum edit_result edit_read(const char *prompt, const char **text)
{
	static struct editor editor;

	history_load();
	if (!terminal_to_edit())
		return EDIT_NO_TERMINAL;
	editor.prompt = show_lines_above(prompt);
	editor.position = history_count();
	editor.done = editor.is_kill = editor.is_tab = false;
	line_set(&editor.line, "");
	line_set(&editor.kept, "");
	screen_begin(&editor.screen, editor.prompt);
	while (!editor.done) {
		editor_do_key(&editor, key_read());
		screen_draw(&editor.screen, &editor.line);
	}
	if (editor.result != EDIT_EOF)
		screen_leave(&editor.screen);
	terminal_to_command();
	if (editor.result == EDIT_LINE) {
		history_add(editor.line.text);
		line_insert(&editor.line, "\n", 1);
	}
	*text = editor.line.text;
	return editor.result;
}
