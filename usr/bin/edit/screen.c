/*
 * screen.c - draw the editor: the text, a bar with the file's name, a row for messages.
 *
 * A picture is put together in memory and written at once, so that the screen does not flicker.
 *
 * Invariants: the cursor is on the screen after every drawing.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/edit/edit.h"
#include "usr/lib/terminal.h"
#include "usr/lib/tool.h"

static int rows, columns;

int screen_rows(void)
{
	terminal_size(&rows, &columns);
	return rows > 3 ? rows - 2 : 1;
}

void screen_clear(void)
{
	static const char clear[] = "\x1b[0m\x1b[2J\x1b[H";

	write_all(STDOUT_FILENO, clear, sizeof(clear) - 1);
}

static void scroll(struct editor *editor, size_t height)
{
	const struct position *cursor = &editor->cursor;
	size_t column = column_of(&editor->buffer.lines[cursor->line], cursor->byte);

	if (cursor->line < editor->top)
		editor->top = cursor->line;
	if (cursor->line >= editor->top + height)
		editor->top = cursor->line - height + 1;
	if (column < editor->left)
		editor->left = column > 8 ? column - 8 : 0;
	if (column >= editor->left + columns)
		editor->left = column - columns + 9;
}

/* The part of a line that is on the screen; control characters are shown as ?. */
static void draw_line(FILE *out, const struct line *line, size_t left)
{
	size_t column = 0, end = left + columns;

	for (size_t i = 0, size; (size = next_size(line, i)) > 0; i += size) {
		size_t width = column_of(line, i + size) - column;
		unsigned char c = line->text[i];

		if (column + width > end)
			break;
		for (size_t j = 0; c == '\t' && j < width; j++)
			if (column + j >= left)
				putc(' ', out);
		if (c != '\t' && column >= left) {
			if (c < ' ' || c == 127)
				putc('?', out);
			else
				fwrite(line->text + i, 1, size, out);
		}
		column += width;
	}
}

static void draw_bar(FILE *out, const struct editor *editor)
{
	char left[200], right[64];
	int length;

	snprintf(left, sizeof(left), " %s%s", editor->path ? editor->path : "(no name)",
		 editor->buffer.changed ? " *" : "");
	length = snprintf(right, sizeof(right), "line %zu of %zu ", editor->cursor.line + 1,
			  editor->buffer.count);
	if (length > columns)
		length = columns;
	fprintf(out, "\x1b[7m%-*.*s%.*s\x1b[0m\r\n", columns - length, columns - length, left,
		length, right);
}

void screen_draw(struct editor *editor, const char *prompt)
{
	size_t height = screen_rows();
	const struct line *current = &editor->buffer.lines[editor->cursor.line];
	const char *text = prompt ? prompt : editor->message;
	char *picture = NULL;
	size_t size;
	FILE *out = open_memstream(&picture, &size);

	if (!out)
		die_errno(STATUS_FAILED, "screen");
	scroll(editor, height);
	fputs("\x1b[?25l\x1b[H", out);
	for (size_t row = 0; row < height; row++) {
		if (editor->top + row < editor->buffer.count)
			draw_line(out, &editor->buffer.lines[editor->top + row], editor->left);
		else
			putc('~', out);
		fputs("\x1b[K\r\n", out);
	}
	draw_bar(out, editor);
	fprintf(out, "%.*s\x1b[K", columns - 1, text);
	if (!prompt)
		fprintf(out, "\x1b[%zu;%zuH", editor->cursor.line - editor->top + 1,
			column_of(current, editor->cursor.byte) - editor->left + 1);
	fputs("\x1b[?25h", out);
	if (fclose(out) != 0 || write_all(STDOUT_FILENO, picture, size) < 0)
		die_errno(STATUS_FAILED, "screen");
	free(picture);
}
