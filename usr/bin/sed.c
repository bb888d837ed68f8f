/*
 * sed.c - change lines as they pass: the part of sed that is used most.
 *
 *	sed [-n] [-E] [-e] SCRIPT [file...]; commands by ; or newline, each for all lines, or for
 *	those of an address N $ /re/ or of a range of two; a ! behind means: for all others
 *	s/re/text/[g p i N]  & and \1-\9 in text     p print     d no more of this line
 *	= print the number   q end after this line   -n print only what p says
 *
 * Invariants: a command of another name is refused with status 1.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "sed [-nE] [-e] script [file...]";

struct address {
	enum { NONE, LINE, LAST, MATCH } kind;
	unsigned long line;
	regex_t regex;
};

struct command {
	struct command *next;
	struct address from, to;
	bool inside; /* a range that has begun */
	bool invert;
	char name;
	/* of s: */
	regex_t regex;
	char *text;
	bool global, print;
	unsigned long which;
};

static struct command *commands, **commands_end = &commands;
static bool quiet, extended, finished;
static unsigned long number;
static bool is_last;

static void bad_script(const char *at)
{
	die(STATUS_FAILED, "bad script at: %s", *at ? at : "its end");
}

/* The text up to the next @end, which may be in it behind a backslash. */
static char *parse_part(const char **at, char end)
{
	const char *start = *at;
	char *part = xmalloc(strlen(start) + 1), *out = part;

	for (; **at && **at != end; (*at)++) {
		if (**at != '\\' || !(*at)[1]) {
			*out++ = **at;
			continue;
		}
		(*at)++;
		if (**at != end && **at != 't')
			*out++ = '\\';
		*out++ = **at == 't' && end != 't' ? '\t' : **at;
	}
	if (**at != end)
		bad_script(start);
	(*at)++;
	*out = '\0';
	return part;
}

static void compile(regex_t *regex, char *text, bool ignore_case)
{
	int flags = (extended ? REG_EXTENDED : 0) | (ignore_case ? REG_ICASE : 0);
	char message[200];
	int error = regcomp(regex, text, flags);

	if (error) {
		regerror(error, regex, message, sizeof(message));
		die(STATUS_FAILED, "%s: %s", text, message);
	}
	free(text);
}

static void parse_address(const char **at, struct address *address)
{
	if (isdigit((unsigned char)**at)) {
		address->kind = LINE;
		address->line = strtoul(*at, (char **)at, 10);
	} else if (**at == '$') {
		address->kind = LAST;
		(*at)++;
	} else if (**at == '/') {
		address->kind = MATCH;
		(*at)++;
		compile(&address->regex, parse_part(at, '/'), false);
	}
}

static void parse_substitution(const char **at, struct command *command)
{
	bool ignore_case = false;
	char separator = **at, *pattern;

	if (!separator || separator == '\n' || separator == '\\')
		bad_script(*at);
	(*at)++;
	pattern = parse_part(at, separator);
	command->text = parse_part(at, separator);
	command->which = 1;
	for (;; (*at)++) {
		if (**at == 'g')
			command->global = true;
		else if (**at == 'p')
			command->print = true;
		else if (**at == 'i' || **at == 'I')
			ignore_case = true;
		else if (isdigit((unsigned char)**at))
			command->which = strtoul(*at, (char **)at, 10), (*at)--;
		else
			break;
	}
	compile(&command->regex, pattern, ignore_case);
}

static void parse_script(const char *at)
{
	for (;;) {
		struct command *command;

		at += strspn(at, " \t\n;");
		if (!*at)
			return;
		command = xmalloc(sizeof(*command));
		memset(command, 0, sizeof(*command));
		parse_address(&at, &command->from);
		if (*at == ',') {
			at++;
			parse_address(&at, &command->to);
			if (!command->from.kind || !command->to.kind)
				bad_script(at);
		}
		at += strspn(at, " \t");
		if (*at == '!') {
			command->invert = true;
			at += 1 + strspn(at + 1, " \t");
		}
		if (!*at || !strchr("spdq=", *at))
			bad_script(at);
		command->name = *at++;
		if (command->name == 's')
			parse_substitution(&at, command);
		at += strspn(at, " \t");
		if (*at && *at != ';' && *at != '\n')
			bad_script(at);
		*commands_end = command;
		commands_end = &command->next;
	}
}

static bool at_address(const struct address *address, const char *line)
{
	switch (address->kind) {
	case LINE:
		return number == address->line;
	case LAST:
		return is_last;
	case MATCH:
		return regexec(&address->regex, line, 0, NULL, 0) == 0;
	default:
		return true;
	}
}

static bool is_selected(struct command *command, const char *line)
{
	if (!command->to.kind)
		return at_address(&command->from, line);
	if (!command->inside) {
		if (!at_address(&command->from, line))
			return false;
		/* A range whose end is a line that was before is one line. */
		command->inside = command->to.kind != LINE || command->to.line > number;
		return true;
	}
	command->inside = !at_address(&command->to, line);
	return true;
}

/* Write what stands for a match: & and \1 are parts of it. */
static void put_replacement(FILE *out, const char *text, const char *line, const regmatch_t *match)
{
	for (; *text; text++) {
		int group = *text == '&' ? 0 : -1;

		if (*text == '\\' && text[1]) {
			text++;
			group = isdigit((unsigned char)*text) ? *text - '0' : -1;
		}
		if (group >= 0 && match[group].rm_so >= 0)
			fwrite(line + match[group].rm_so, 1,
			       match[group].rm_eo - match[group].rm_so, out);
		else if (group < 0)
			putc(text[-1] == '\\' && *text == 'n' ? '\n' : *text, out);
	}
}

/* Replace in *@line. Returns whether something was. */
static bool substitute(const struct command *command, char **line)
{
	const char *at = *line, *last = NULL;
	unsigned long count = 0;
	bool changed = false, counts;
	regmatch_t match[10];
	char *result;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		die(STATUS_FAILED, "out of memory");
	while (regexec(&command->regex, at, 10, match, at > *line ? REG_NOTBOL : 0) == 0) {
		const char *start = at + match[0].rm_so, *end = at + match[0].rm_eo;

		fwrite(at, 1, start - at, out);
		/* Nothing, right behind a match, is no match. */
		counts = start < end || start != last;
		count += counts;
		if (counts &&
		    (count == command->which || (command->global && count > command->which))) {
			put_replacement(out, command->text, at, match);
			changed = true;
		} else {
			fwrite(start, 1, end - start, out);
		}
		at = last = end;
		if (start == end) {
			if (!*at)
				break;
			putc(*at++, out);
		}
		if (changed && !command->global)
			break;
	}
	fputs(at, out);
	fclose(out);
	free(*line);
	*line = result;
	return changed;
}

/* Do all commands to one line. Returns what is left of it. */
static char *process(char *line)
{
	bool deleted = false;

	for (struct command *command = commands; command && !deleted; command = command->next) {
		if (is_selected(command, line) == command->invert)
			continue;
		if (command->name == 's') {
			if (substitute(command, &line) && command->print)
				puts(line);
		} else if (command->name == 'p') {
			puts(line);
		} else if (command->name == '=') {
			printf("%lu\n", number);
		} else if (command->name == 'd') {
			deleted = true;
		} else {
			finished = true;
			break;
		}
	}
	if (!deleted && !quiet)
		puts(line);
	return line;
}

static int edit(const char *name, bool last_file)
{
	FILE *file = open_input(name);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int c;

	if (!file)
		return STATUS_TROUBLE;
	while (!finished && (length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		c = getc(file);
		is_last = last_file && c == EOF;
		if (c != EOF)
			ungetc(c, file);
		number++;
		free(process(xstrdup(line)));
	}
	free(line);
	return close_input(file, name) ? STATUS_TROUBLE : 0;
}

int main(int argc, char **argv)
{
	char *scripts[64];
	int count = 0, status = 0;
	int option;

	while ((option = getopt(argc, argv, "nEre:")) != -1) {
		if (option == '?' || count == 63)
			usage(synopsis);
		quiet |= option == 'n';
		extended |= option == 'E' || option == 'r';
		if (option == 'e')
			scripts[count++] = optarg;
	}
	if (count == 0 && optind == argc)
		usage(synopsis);
	if (count == 0)
		scripts[count++] = argv[optind++];
	for (int i = 0; i < count; i++)
		parse_script(scripts[i]);
	if (optind == argc)
		status = edit("-", true);
	for (; optind < argc && !finished; optind++)
		status |= edit(argv[optind], optind + 1 == argc);
	return close_stdout(status);
}
