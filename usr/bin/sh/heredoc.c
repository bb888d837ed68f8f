/*
 * heredoc.c - here-documents: reading their bodies, and giving them to a command.
 *
 *   cat <<A; cat <<B NEWLINE   ->  the bodies of A and B follow, in this order
 *
 * A short body goes into a pipe at once; a process of its own writes a long one, which would not
 * fit.
 *
 * Invariants: a body is checked when it is read, so that expanding it finds every closing
 * character.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/expand.h"
#include "usr/bin/sh/redirect.h"
#include "usr/lib/tool.h"

/* The delimiter without its quotes. */
static char *unquote(struct arena *arena, const char *word)
{
	struct strbuf text = strbuf_in(arena);
	char quote = '\0';

	for (; *word; word++) {
		if (*word == quote)
			quote = '\0';
		else if (!quote && (*word == '\'' || *word == '"'))
			quote = *word;
		else if (*word == '\\' && quote != '\'' && word[1])
			strbuf_add_char(&text, *++word);
		else
			strbuf_add_char(&text, *word);
	}
	return text.text;
}

/* Read a line with its newline into @line. Returns false when there is none. */
static bool read_line(struct lexer *lexer, const struct redirect *redirect, struct strbuf *line)
{
	int c = SOURCE_EOF;

	do {
		c = redirect->literal ? source_next(lexer->src) : lexer_next_char(lexer);
		if (c == '\t' && line->length == 0 && redirect->type == TOKEN_DOUBLE_LESS_DASH)
			continue;
		if (c == SOURCE_EOF)
			return line->length > 0;
		strbuf_add_char(line, c);
		if (c == '\\' && !redirect->literal) {
			/* The next character is not special: no newline is dropped after it. */
			c = source_next(lexer->src);
			if (c != SOURCE_EOF)
				strbuf_add_char(line, c);
		}
	} while (c != '\n');
	return true;
}

static void read_body(struct lexer *lexer, struct redirect *redirect)
{
	const char *delimiter = unquote(lexer->arena, redirect->target);
	struct strbuf body = strbuf_in(lexer->arena);
	size_t length = strlen(delimiter);

	redirect->literal = strpbrk(redirect->target, "\\'\"") != NULL;
	for (;;) {
		struct strbuf line = strbuf_in(lexer->arena);

		if (!read_line(lexer, redirect, &line))
			break;
		if (strncmp(line.text, delimiter, length) == 0 &&
		    (!line.text[length] || strcmp(line.text + length, "\n") == 0))
			break;
		strbuf_add(&body, line.text, line.length);
	}
	redirect->body = body.text;
	if (!redirect->literal && !lexer->src->interrupted &&
	    lexer_find_close(body.text, body.text + body.length, CONSTRUCT_HERE_DOCUMENT, true) !=
		    body.text + body.length)
		lexer->failed = true;
}

void heredoc_read_all(struct lexer *lexer)
{
	while (lexer->heredocs && !lexer->failed) {
		struct redirect *redirect = lexer->heredocs;

		lexer->heredocs = redirect->next_heredoc;
		read_body(lexer, redirect);
	}
}

int heredoc_open(struct arena *arena, const struct redirect *redirect)
{
	const char *text = redirect->body ? redirect->body : "";
	size_t length;
	int ends[2];
	pid_t pid;

	if (!redirect->literal)
		text = expand_here_document(arena, text);
	if (!text)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		warn_errno("here-document");
		return -1;
	}
	length = strlen(text);
	pid = length <= PIPE_BUF ? -1 : fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(write_all(ends[1], text, length) < 0);
	}
	if (pid < 0 && length > PIPE_BUF) {
		warn_errno("here-document");
		close(ends[0]);
		ends[0] = -1;
	} else if (pid < 0 && write_all(ends[1], text, length) < 0) {
		warn_errno("here-document");
	}
	close(ends[1]);
	return ends[0];
}
