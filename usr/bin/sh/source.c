/*
 * source.c - characters for the lexer; see source.h.
 *
 * Invariants: next <= length; a refill happens only when next == length.  Locks: none.
 */
#include "usr/bin/sh/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/edit.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/memory.h"
#include "usr/bin/sh/prompt.h"
#include "usr/lib/tool.h"

#define CTRL_C 3

void source_open_string(struct source *src, const char *text)
{
	memset(src, 0, sizeof(*src));
	src->line = 1;
	src->fd = -1;
	src->text = text;
	src->length = strlen(text);
}

void source_open_fd(struct source *src, int fd, const char *name, bool is_terminal)
{
	memset(src, 0, sizeof(*src));
	src->line = 1;
	src->name = name;
	src->fd = fd;
	src->is_terminal = is_terminal;
	src->byte_by_byte = fd == STDIN_FILENO && !is_terminal;
	src->text = src->buffer;
}

/* ^C: the line is gone, whatever it was. The parser sees an end and asks why. */
static bool interrupt(struct source *src)
{
	src->interrupted = true;
	src->length = 0;
	return false;
}

/* Read from the file, or a line as the terminal itself edits it. */
static bool read_buffer(struct source *src)
{
	ssize_t n;

	if (src->is_terminal)
		terminal_to_prompt();
	do {
		n = read(src->fd, src->buffer, src->byte_by_byte ? 1 : sizeof(src->buffer));
	} while (n < 0 && errno == EINTR);
	if (src->is_terminal)
		terminal_to_command();
	if (n < 0)
		warn_errno("read");
	if (n <= 0)
		return false;
	src->text = src->buffer;
	src->length = n;
	if (src->is_terminal && memchr(src->buffer, CTRL_C, n)) {
		fputc('\n', stderr);
		return interrupt(src);
	}
	return true;
}

/* Ask the person at the terminal for a line. */
static bool read_line(struct source *src)
{
	struct arena arena = { NULL };
	const char *prompt = prompt_text(&arena, src->continued);
	enum edit_result result = EDIT_NO_TERMINAL;
	bool more;

	if (edit_is_possible())
		result = edit_read(prompt, &src->text);
	if (result == EDIT_NO_TERMINAL) {
		fputs(prompt, stderr);
		more = read_buffer(src);
	} else if (result == EDIT_INTERRUPTED) {
		more = interrupt(src);
	} else {
		more = result == EDIT_LINE;
		src->length = more ? strlen(src->text) : 0;
	}
	arena_free(&arena);
	return more;
}

/* Read more from the file. Returns false at its end, or on an error (which is reported). */
static bool refill(struct source *src)
{
	if (src->fd < 0)
		return false;
	src->next = src->length = 0;
	return src->is_terminal ? read_line(src) : read_buffer(src);
}

/* The next character that was read. A null byte can be part of no command: it is passed over. */
static int next_from_text(struct source *src)
{
	int c = 0;

	while (c == 0) {
		if (src->at_eof || (src->next == src->length && !refill(src))) {
			src->at_eof = true;
			return SOURCE_EOF;
		}
		c = (unsigned char)src->text[src->next++];
	}
	return c;
}

int source_next(struct source *src)
{
	int c;

	if (src->nr_pushed)
		c = src->pushed[--src->nr_pushed];
	else if (src->inserted && src->inserted[src->next_inserted])
		c = (unsigned char)src->inserted[src->next_inserted++];
	else
		c = next_from_text(src);
	if (c == SOURCE_EOF)
		return c;
	if (c == '\n') {
		src->line++;
		src->continued = true;
	}
	if (src->record)
		strbuf_add_char(src->record, c);
	return c;
}

void source_push(struct source *src, int c)
{
	if (c == SOURCE_EOF)
		return;
	if (c == '\n')
		src->line--;
	if (src->record && src->record->length)
		src->record->text[--src->record->length] = '\0';
	src->pushed[src->nr_pushed++] = c;
}

void source_insert(struct source *src, const char *text)
{
	const char *rest = src->inserted ? src->inserted + src->next_inserted : "";
	size_t length = strlen(text);
	char *all = xmalloc(length + strlen(rest) + 3);

	memcpy(all, text, length);
	while (src->nr_pushed)
		all[length++] = src->pushed[--src->nr_pushed];
	strcpy(all + length, rest);
	free(src->inserted);
	src->inserted = all;
	src->next_inserted = 0;
}

void source_drop_line(struct source *src)
{
	src->next = src->length;
	src->nr_pushed = 0;
	free(src->inserted);
	src->inserted = NULL;
	src->at_eof = false;
}
