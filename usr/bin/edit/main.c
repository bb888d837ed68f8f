/*
 * main.c - edit FILE: the keys of the editor.
 *
 *	arrows, Home, End, Page    move            ^A ^E  start and end of the line
 *	^S save   ^Q or ^X quit    ^F find  ^G find again  ^L go to a line
 *	^K cut the line (several in a row together)  ^U put them back  ^D delete
 *
 * Invariants: those of edit.h, after every key.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/edit/edit.h"
#include "usr/lib/terminal.h"
#include "usr/lib/tool.h"

static const char help[] = "^S save  ^Q quit  ^F find  ^G again  ^K cut  ^U paste  ^L line";

static struct editor editor;

static struct line *current(void)
{
	return &editor.buffer.lines[editor.cursor.line];
}

/* Up and down keep to the column where they began. */
static void move_lines(long lines)
{
	size_t line = editor.cursor.line;

	if (lines < 0)
		line = line > (size_t)-lines ? line + lines : 0;
	else
		line = line + lines < editor.buffer.count ? line + lines : editor.buffer.count - 1;
	editor.cursor.line = line;
	editor.cursor.byte = byte_of(current(), editor.goal);
}

static void move_left(void)
{
	if (editor.cursor.byte > 0) {
		editor.cursor.byte -= previous_size(current(), editor.cursor.byte);
	} else if (editor.cursor.line > 0) {
		editor.cursor.line--;
		editor.cursor.byte = current()->length;
	}
}

static void move_right(void)
{
	if (editor.cursor.byte < current()->length) {
		editor.cursor.byte += next_size(current(), editor.cursor.byte);
	} else if (editor.cursor.line + 1 < editor.buffer.count) {
		editor.cursor.line++;
		editor.cursor.byte = 0;
	}
}

static void delete_forward(void)
{
	if (editor.cursor.byte < current()->length)
		line_delete(&editor.buffer, editor.cursor,
			    next_size(current(), editor.cursor.byte));
	else if (editor.cursor.line + 1 < editor.buffer.count)
		buffer_join(&editor.buffer, editor.cursor.line);
}

static void delete_backward(void)
{
	if (editor.cursor.byte == 0 && editor.cursor.line == 0)
		return;
	move_left();
	delete_forward();
}

static void insert_newline(void)
{
	buffer_split(&editor.buffer, editor.cursor);
	editor.cursor.line++;
	editor.cursor.byte = 0;
}

/* ^K after ^K adds to what was cut; after another key it starts anew. */
static void cut_line(bool again)
{
	if (!again) {
		while (editor.cut_count)
			free(editor.cut[--editor.cut_count].text);
	}
	editor.cut = xrealloc(editor.cut, (editor.cut_count + 1) * sizeof(*editor.cut));
	editor.cut[editor.cut_count++] =
		(struct line){ .text = xstrndup(current()->text, current()->length),
			       .length = current()->length };
	buffer_delete_line(&editor.buffer, editor.cursor.line);
	if (editor.cursor.line == editor.buffer.count)
		editor.cursor.line--;
	editor.cursor.byte = 0;
}

static void paste(void)
{
	for (size_t i = 0; i < editor.cut_count; i++)
		buffer_insert_line(&editor.buffer, editor.cursor.line++, editor.cut[i].text,
				   editor.cut[i].length);
	editor.cursor.byte = 0;
}

static void say(const char *text)
{
	snprintf(editor.message, sizeof(editor.message), "%s", text);
}

/* Returns true when the file is safe. */
static bool save(void)
{
	static char name[256];

	if (!editor.path) {
		if (!prompt(&editor, "Save as: ", name, sizeof(name)))
			return false;
		editor.path = name;
	}
	if (buffer_save(&editor.buffer, editor.path) < 0) {
		snprintf(editor.message, sizeof(editor.message), "NOT saved: %.60s: %.60s",
			 editor.path, strerror(errno));
		return false;
	}
	snprintf(editor.message, sizeof(editor.message), "%zu lines saved", editor.buffer.count);
	return true;
}

static void find(bool again)
{
	if (!again || !editor.search[0]) {
		if (!prompt(&editor, "Find: ", editor.search, sizeof(editor.search)))
			return;
	}
	if (!buffer_search(&editor.buffer, editor.search, &editor.cursor))
		say("not found");
}

static void go_to_line(void)
{
	char text[24] = "";
	long long line;

	if (!prompt(&editor, "Line: ", text, sizeof(text)))
		return;
	if (parse_number(text, 1, editor.buffer.count, &line) < 0) {
		say("no such line");
		return;
	}
	editor.cursor = (struct position){ line - 1, 0 };
}

/* Returns true when the editor may end. */
static bool may_quit(void)
{
	int answer = 'n';

	if (editor.buffer.changed)
		answer = prompt_yes(&editor, "Save the changes? (y, n, Esc) ");
	return answer == 'y' ? save() : answer == 'n';
}

/* Keys that move up and down, which keep the goal column. Returns false for others. */
static bool vertical_key(int key)
{
	switch (key) {
	case KEY_UP:
	case CTRL('p'):
		move_lines(-1);
		return true;
	case KEY_DOWN:
	case CTRL('n'):
		move_lines(1);
		return true;
	case KEY_PAGE_UP:
		move_lines(-screen_rows());
		return true;
	case KEY_PAGE_DOWN:
	case CTRL('v'):
		move_lines(screen_rows());
		return true;
	}
	return false;
}

static void edit_key(int key, int last)
{
	char byte = key;

	switch (key) {
	case KEY_LEFT:
		move_left();
		break;
	case KEY_RIGHT:
		move_right();
		break;
	case KEY_HOME:
	case CTRL('a'):
		editor.cursor.byte = 0;
		break;
	case KEY_END:
	case CTRL('e'):
		editor.cursor.byte = current()->length;
		break;
	case '\r':
	case '\n':
		insert_newline();
		break;
	case 127:
	case CTRL('h'):
		delete_backward();
		break;
	case KEY_DELETE:
	case CTRL('d'):
		delete_forward();
		break;
	case CTRL('k'):
		cut_line(last == key);
		break;
	case CTRL('u'):
		paste();
		break;
	default:
		if ((key < ' ' && key != '\t') || key > 255)
			return;
		line_insert(&editor.buffer, editor.cursor, &byte, 1);
		editor.cursor.byte++;
	}
}

/* Returns false when the editor ends. */
static bool handle_key(int key, int last)
{
	editor.message[0] = '\0';
	if (vertical_key(key))
		return true;
	switch (key) {
	case -1:
		return false;
	case CTRL('q'):
	case CTRL('x'):
		return !may_quit();
	case CTRL('s'):
		save();
		break;
	case CTRL('f'):
		find(false);
		break;
	case CTRL('g'):
		find(true);
		break;
	case CTRL('l'):
		go_to_line();
		break;
	case CTRL('c'):
	case KEY_ESCAPE:
		say(help);
		break;
	default:
		edit_key(key, last);
	}
	editor.goal = column_of(current(), editor.cursor.byte);
	return true;
}

int main(int argc, char **argv)
{
	int key = 0, last;

	if (getopt(argc, argv, "") != -1 || argc - optind > 1)
		usage("edit [file]");
	editor.path = argv[optind];
	if (buffer_load(&editor.buffer, editor.path) < 0)
		die_errno(STATUS_FAILED, "%s", editor.path);
	if (terminal_raw(STDIN_FILENO) < 0)
		die_errno(STATUS_FAILED, "standard input");
	say(help);
	do {
		screen_draw(&editor, NULL);
		last = key;
		key = terminal_key();
	} while (handle_key(key, last));
	screen_clear();
	return 0;
}
