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

#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/vars.h"
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

static void show_prompt(const struct source *src)
{
	const char *prompt = var_get(src->continued ? "PS2" : "PS1");

	if (!prompt)
		prompt = src->continued ? "> " : "ravel# ";
	fputs(prompt, stderr);
	fflush(stderr);
}

/* Read more from the file. Returns false at its end, or on an error (which is reported). */
static bool refill(struct source *src)
{
	ssize_t n;

	if (src->fd < 0)
		return false;
	src->next = src->length = 0;
	if (src->is_terminal) {
		show_prompt(src);
		terminal_to_prompt();
	}
	do {
		n = read(src->fd, src->buffer, src->byte_by_byte ? 1 : sizeof(src->buffer));
	} while (n < 0 && errno == EINTR);
	if (src->is_terminal)
		terminal_to_command();
	if (n < 0)
		warn_errno("read");
	if (n <= 0)
		return false;
	src->length = n;
	if (src->is_terminal && memchr(src->buffer, CTRL_C, n)) {
		/* The line is gone, whatever it was: the parser sees an end and asks why. */
		fputc('\n', stderr);
		src->interrupted = true;
		src->length = 0;
		return false;
	}
	return true;
}

int source_next(struct source *src)
{
	int c;

	if (src->nr_pushed) {
		c = src->pushed[--src->nr_pushed];
	} else if (src->inserted && src->inserted[src->next_inserted]) {
		c = (unsigned char)src->inserted[src->next_inserted++];
	} else if (src->at_eof || (src->next == src->length && !refill(src))) {
		src->at_eof = true;
		return SOURCE_EOF;
	} else {
		c = (unsigned char)src->text[src->next++];
	}
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
