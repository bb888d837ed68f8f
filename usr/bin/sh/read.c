/*
 * read.c - read: a line of standard input into variables.
 *
 * Invariants: see builtins.h.  Locks: none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/sh/builtins.h"
#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/jobs.h"
#include "usr/bin/sh/memory.h"
#include "usr/bin/sh/parser.h"
#include "usr/bin/sh/trap.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

#define CTRL_C	3
#define ESCAPED '\1' /* before a character that had a backslash: it separates nothing */

enum read_result { READ_LINE, READ_END, READ_INTERRUPTED, READ_TRAPPED };

/*
 * Read one line, byte by byte, since what follows is for others. From a shell's own terminal
 * (@prompting) ^C comes as a character.
 */
static enum read_result read_line(struct strbuf *line, bool raw, bool prompting)
{
	bool escaped = false;
	ssize_t n;
	char c;

	for (;;) {
		n = read(STDIN_FILENO, &c, 1);
		if (n < 0 && errno == EINTR && traps_waiting())
			return READ_TRAPPED;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return READ_END;
		if (c == CTRL_C && prompting)
			return READ_INTERRUPTED;
		if (escaped) {
			escaped = false;
			if (c != '\n') {
				strbuf_add_char(line, ESCAPED);
				strbuf_add_char(line, c);
			}
		} else if (c == '\\' && !raw) {
			escaped = true;
		} else if (c == '\n') {
			return READ_LINE;
		} else {
			if (c == ESCAPED)
				strbuf_add_char(line, ESCAPED);
			strbuf_add_char(line, c);
		}
	}
}

/* read_line() with the terminal in the prompt's modes, if it is read and the shell controls it. */
static enum read_result read_from_terminal(struct strbuf *line, bool raw)
{
	bool prompting = jobs_controlled() && isatty(STDIN_FILENO);
	enum read_result result;

	if (prompting)
		terminal_to_prompt();
	/* Until the modes changed ^C was a signal, and from then on it is a character. */
	result = prompting && jobs_interrupted() ? READ_INTERRUPTED :
						   read_line(line, raw, prompting);
	if (prompting)
		terminal_to_command();
	if (result == READ_INTERRUPTED) {
		fputc('\n', stderr);
		shell.skip = SKIP_LINE;
	}
	return result;
}

/* The bytes up to the first separator that was not escaped. */
static size_t field_length(const char *line, const char *ifs)
{
	size_t length = 0;

	while (line[length] && !strchr(ifs, line[length]))
		length += line[length] == ESCAPED && line[length + 1] ? 2 : 1;
	return length;
}

static void drop_marks(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == ESCAPED && text[1])
			text++;
		*to++ = *text;
	}
	*to = '\0';
}

/* Split @line by IFS into the variables @names; the last takes all that is left. */
static void assign_fields(char *line, char **names)
{
	const char *ifs = var_get("IFS");
	char blanks[4] = "";
	int nr_blanks = 0;
	size_t end;

	if (!ifs)
		ifs = " \t\n";
	for (const char *c = " \t\n"; *c; c++)
		if (strchr(ifs, *c))
			blanks[nr_blanks++] = *c;
	line += strspn(line, blanks);
	for (; *names; names++) {
		size_t length = names[1] ? field_length(line, ifs) : strlen(line);
		char *value = line;

		line += length;
		if (*line) {
			line += strspn(line, blanks);
			if (*line && strchr(ifs, *line) && !strchr(blanks, *line))
				line += 1 + strspn(line + 1, blanks);
		}
		end = length;
		while (!names[1] && end && strchr(blanks, value[end - 1]) &&
		       (end < 2 || value[end - 2] != ESCAPED))
			end--;
		value = strndup(value, end);
		if (!value)
			die(1, "out of memory");
		drop_marks(value);
		var_set(*names, value);
		free(value);
	}
}

int builtin_read(int argc, char **argv)
{
	static char *reply[] = { "REPLY", NULL };
	bool raw = argc > 1 && strcmp(argv[1], "-r") == 0;
	char **names = argc > 1 + raw ? argv + 1 + raw : reply;
	struct arena arena = { NULL };
	struct strbuf line = strbuf_in(&arena);
	enum read_result result;

	for (char **name = names; *name; name++) {
		bool named = name_length(*name) && !(*name)[name_length(*name)];

		if (named && var_may_change(*name))
			continue;
		if (!named)
			warn("read: %s: bad variable name", *name);
		arena_free(&arena);
		return 2;
	}
	result = read_from_terminal(&line, raw);
	if (result == READ_LINE || result == READ_END)
		assign_fields(line.text, names);
	arena_free(&arena);
	if (result == READ_TRAPPED)
		return traps_waiting();
	return result == READ_INTERRUPTED ? 130 : result;
}
