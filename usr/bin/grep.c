/*
 * grep.c - print the lines in which a regular expression matches.
 *
 *	-E extended, -F fixed text, -e PATTERN (several), -i any case, -w words, -x whole lines
 *	-v lines without a match, -n with numbers, -c only how many, -l -L only names of files with
 *	or without, -o only the matches, -q nothing, -h -H without or with names, -s no complaints,
 *	-r directories too
 *
 * Invariants: status 0: a line was chosen, 1: none, 2: trouble.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"
#include "usr/lib/walk.h"

static const char synopsis[] = "grep [-cEFhHiLlnoqrsvwx] [-e pattern | pattern] [file...]";

static bool option_set[128];
static regex_t *patterns;
static size_t pattern_count;
static bool chosen, trouble;

/* The text as a regular expression that matches just it. */
static char *quote(const char *text)
{
	char *quoted = xmalloc(2 * strlen(text) + 1), *out = quoted;

	for (; *text; text++) {
		if (strchr("\\[.*^$", *text))
			*out++ = '\\';
		*out++ = *text;
	}
	*out = '\0';
	return quoted;
}

static void add_pattern(const char *text)
{
	int flags = (option_set['E'] ? REG_EXTENDED : 0) | (option_set['i'] ? REG_ICASE : 0);
	char *quoted = option_set['F'] ? quote(text) : xstrdup(text);
	char message[200];
	int error;

	patterns = xrealloc(patterns, (pattern_count + 1) * sizeof(*patterns));
	error = regcomp(&patterns[pattern_count], quoted, flags);
	if (error) {
		regerror(error, &patterns[pattern_count], message, sizeof(message));
		die(STATUS_TROUBLE, "%s: %s", text, message);
	}
	pattern_count++;
	free(quoted);
}

/* The lines of a pattern are patterns. */
static void add_patterns(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")) != NULL)
		add_pattern(line);
}

static bool is_word(int c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Is what was matched what -x and -w want? */
static bool is_whole(const char *line, size_t length, const regmatch_t *match)
{
	size_t start = match->rm_so, end = match->rm_eo;

	if (option_set['x'])
		return start == 0 && end == length;
	return !option_set['w'] || ((start == 0 || !is_word(line[start - 1])) &&
				    (end == length || !is_word(line[end])));
}

/* Find the first match at or behind @from: of several patterns the leftmost, then the longest. */
static bool find(const char *line, size_t length, size_t from, regmatch_t *best)
{
	bool found = false;

	for (size_t i = 0; i < pattern_count; i++) {
		regmatch_t match = { .rm_so = from, .rm_eo = length };
		int flags = REG_STARTEND | (from ? REG_NOTBOL : 0);

		while (regexec(&patterns[i], line, 1, &match, flags) == 0) {
			if (is_whole(line, length, &match)) {
				if (!found || match.rm_so < best->rm_so ||
				    (match.rm_so == best->rm_so && match.rm_eo > best->rm_eo))
					*best = match;
				found = true;
				break;
			}
			if ((size_t)match.rm_so >= length)
				break;
			match.rm_so++;
			match.rm_eo = length;
			flags |= REG_NOTBOL;
		}
	}
	return found;
}

static void print_prefix(const char *name, unsigned long number)
{
	if (name)
		printf("%s:", name);
	if (option_set['n'])
		printf("%lu:", number);
}

static void print_matches(const char *line, size_t length, const char *name, unsigned long number)
{
	regmatch_t match;
	size_t from = 0;

	while (from <= length && find(line, length, from, &match)) {
		if (match.rm_eo > match.rm_so) {
			print_prefix(name, number);
			printf("%.*s\n", (int)(match.rm_eo - match.rm_so), line + match.rm_so);
		}
		from = match.rm_eo + (match.rm_eo == match.rm_so);
	}
}

/* What is printed of a chosen line. Returns false when the file needs no more of it. */
static bool print_line(const char *line, size_t length, const char *file, const char *name,
		       unsigned long number)
{
	if (option_set['q'] || option_set['l'] || option_set['L'])
		return false;
	if (option_set['c'])
		return true;
	if (memchr(line, '\0', length)) {
		printf("grep: %s: binary file matches\n", file);
		return false;
	}
	if (option_set['o']) {
		if (!option_set['v'])
			print_matches(line, length, name, number);
		return true;
	}
	print_prefix(name, number);
	fwrite(line, 1, length, stdout);
	putchar('\n');
	return true;
}

/* @name is what stands before each line, or NULL. */
static void search(FILE *file, const char *path, const char *name)
{
	unsigned long number = 0, count = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	regmatch_t match;
	bool more = true;

	while (more && (length = getline(&line, &room, file)) > 0) {
		number++;
		if (line[length - 1] == '\n')
			length--;
		if (find(line, length, 0, &match) == option_set['v'])
			continue;
		count++;
		more = print_line(line, length, path, name, number);
	}
	free(line);
	if (option_set['c'] && !option_set['q'] && !option_set['l'] && !option_set['L'])
		printf("%s%s%lu\n", name ? name : "", name ? ":" : "", count);
	if (option_set[count ? 'l' : 'L'] && !option_set['q'])
		puts(path);
	chosen |= option_set['L'] ? !count : count > 0;
}

static void search_file(const char *path, bool named)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	const char *shown = file == stdin ? "(standard input)" : path;

	if (file)
		search(file, shown, named ? shown : NULL);
	if (!file || ferror(file)) {
		if (!option_set['s'])
			warn_errno("%s", path);
		trouble = true;
	}
	if (file && file != stdin)
		fclose(file);
}

static bool visit(const struct walk_entry *entry, void *arg)
{
	const char *implied = arg; /* "./", which the user did not write, is not shown */
	/* A device or a FIFO below would be read for ever. */
	if (entry->when == WALK_FILE && (entry->depth == 0 || S_ISREG(entry->st->st_mode)))
		search_file(entry->path + (entry->depth ? strlen(implied) : 0),
			    !option_set['h'] && (entry->depth || option_set['H']));
	return true;
}

int main(int argc, char **argv)
{
	char *pattern = NULL, *here = ".", *standard = "-";
	int option;

	while ((option = getopt(argc, argv, "cEFGhHiLlnoqrRsvwxe:")) != -1) {
		if (option == '?')
			usage_status(STATUS_TROUBLE, synopsis);
		option_set[option == 'R' ? 'r' : option] = true;
		if (option == 'h' || option == 'H')
			option_set[option == 'h' ? 'H' : 'h'] = false;
		if (option == 'e' &&
		    (!pattern || asprintf(&pattern, "%s\n%s", pattern, optarg) < 0))
			pattern = xstrdup(optarg);
	}
	if (!pattern && optind == argc)
		usage_status(STATUS_TROUBLE, synopsis);
	add_patterns(pattern ? pattern : argv[optind++]);
	if (argc - optind > 1)
		option_set['H'] = !option_set['h'];
	if (optind == argc) {
		argv = option_set['r'] ? &here : &standard;
		optind = 0;
		argc = 1;
	}
	for (; optind < argc; optind++) {
		if (option_set['r'] && strcmp(argv[optind], "-") != 0)
			trouble |= walk(argv[optind], WALK_FOLLOW_OPERAND, visit,
					argv == &here ? "./" : "") != 0;
		else
			search_file(argv[optind], option_set['H']);
	}
	close_stdout(0);
	return trouble && !(option_set['q'] && chosen) ? STATUS_TROUBLE : !chosen;
}
