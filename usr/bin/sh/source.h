/*
 * source.h - where the shell's characters come from: a string (-c, eval), a file, or a terminal.
 *
 *   fd --read--> buffer[next..length) --source_next()--> lexer
 *                                     <--source_push()--   (at most two characters back)
 *
 * Invariants: standard input is never read further than the line being parsed, since the commands
 * of that line may read the rest.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_SOURCE_H
#define RAVEL_USR_BIN_SH_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "usr/bin/sh/memory.h"

#define SOURCE_EOF (-1)

struct source {
	const char *name;  /* for messages: a script's name, or NULL */
	int line;	   /* the line number of the next character */
	int fd;		   /* -1: all there is lies in text */
	bool is_terminal;  /* prompts, and end of file is not for ever */
	bool byte_by_byte; /* others read the same file description */
	bool continued;	   /* the next prompt is the second one, "> " */
	bool interrupted;  /* ^C was typed at the prompt: drop the command */
	bool at_eof;
	const char *text; /* what was read, or the string */
	size_t next;
	size_t length;
	int pushed[2];
	int nr_pushed;
	struct strbuf *record; /* what is read is added here too; NULL: nowhere */
	char *inserted;	       /* an alias: read before anything else but what was pushed */
	size_t next_inserted;
	char buffer[1024];
};

void source_open_string(struct source *src, const char *text);

/* @fd stays the caller's, and is to be closed by it. */
void source_open_fd(struct source *src, int fd, const char *name, bool is_terminal);

/* The next character, or SOURCE_EOF. A terminal prompts when it needs a new line. */
int source_next(struct source *src);

/* Let a copy of @text be read next. */
void source_insert(struct source *src, const char *text);

/* Give @c back, to be returned by the next source_next(). */
void source_push(struct source *src, int c);

/* Forget the rest of the line that was read: after a syntax error at a terminal. */
void source_drop_line(struct source *src);

#endif
