/*
 * xargs.c - run a command with the words of standard input as arguments.
 *
 *	-n N at most so many a time, -0 words end in NUL, -I TEXT a line a time in place of TEXT,
 *	-r not at all without words, -t show the commands
 *
 * Invariants: status 123: a command failed, 126 or 127: it could not be run.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/run.h"
#include "usr/lib/tool.h"

#define MAX_WORDS 1024
#define MAX_BYTES (64 * 1024)

static const char synopsis[] = "xargs [-0rt] [-n number] [-I text] [command [argument...]]";

static bool nul, trace, no_empty;
static const char *placeholder;
static long long max_words = MAX_WORDS;
static int status;

/*
 * Read a word: blanks end it, quotes and backslashes keep them; a line with -I; up to NUL with -0.
 * Returns NULL at the end; the caller frees it.
 */
static char *read_word(void)
{
	char *word = NULL;
	size_t length = 0;
	int quote = 0, c;
	bool begun = false;

	while ((c = getchar()) != EOF) {
		bool ends = nul ? !c : placeholder ? c == '\n' : isspace(c);

		if (!quote && ends) {
			if (begun || nul)
				break;
			continue;
		}
		if (placeholder && !begun && isblank(c))
			continue;
		begun = true;
		if (!nul && quote && c == quote) {
			quote = 0;
			continue;
		}
		if (!nul && !quote && (c == '"' || c == '\'')) {
			quote = c;
			continue;
		}
		if (!nul && !quote && c == '\\')
			c = getchar();
		if ((length & 63) == 0)
			word = xrealloc(word, length + 65);
		word[length++] = c;
	}
	if (quote)
		die(STATUS_FAILED, "a quote is not closed");
	if (c == EOF && !begun)
		return NULL;
	word = word ? word : xmalloc(1);
	word[length] = '\0';
	return word;
}

static void run_command(char **argv)
{
	int result;

	for (char **word = argv; trace && *word; word++)
		fprintf(stderr, "%s%c", *word, word[1] ? ' ' : '\n');
	result = run(argv);
	if (result == 126 || result == 127)
		exit(result);
	if (result)
		status = result == 255 ? 124 : 123;
	if (result == 255)
		die(124, "%s: status 255", argv[0]);
}

/* @text with every placeholder replaced by @word. */
static char *replace(const char *text, const char *word)
{
	size_t length = strlen(placeholder);
	char *result = xmalloc(strlen(text) * (strlen(word) + 1) + 1), *out = result;

	while (*text) {
		if (strncmp(text, placeholder, length) == 0) {
			out = stpcpy(out, word);
			text += length;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
	return result;
}

static void run_each(char **command, int count)
{
	char **argv = xmalloc((count + 1) * sizeof(*argv));
	char *word;

	while ((word = read_word()) != NULL) {
		for (int i = 0; i < count; i++)
			argv[i] = replace(command[i], word);
		argv[count] = NULL;
		run_command(argv);
		for (int i = 0; i < count; i++)
			free(argv[i]);
		free(word);
	}
	free(argv);
}

static void run_all(char **command, int count)
{
	char **argv = xmalloc((count + max_words + 1) * sizeof(*argv));
	bool first = true;
	char *word = read_word();

	memcpy(argv, command, count * sizeof(*argv));
	while (word || (first && !no_empty)) {
		long long words = 0;
		size_t bytes = 0;

		for (; word && words < max_words && bytes < MAX_BYTES; word = read_word()) {
			bytes += strlen(word) + 1;
			argv[count + words++] = word;
		}
		argv[count + words] = NULL;
		run_command(argv);
		while (words)
			free(argv[count + --words]);
		first = false;
	}
	free(argv);
}

int main(int argc, char **argv)
{
	char *echo[] = { "echo", NULL };
	int option;

	while ((option = getopt(argc, argv, "+0rtn:I:")) != -1) {
		if (option == '?' ||
		    (option == 'n' && parse_number(optarg, 1, MAX_WORDS, &max_words) < 0) ||
		    (option == 'I' && !*optarg))
			usage(synopsis);
		nul |= option == '0';
		no_empty |= option == 'r';
		trace |= option == 't';
		if (option == 'I')
			placeholder = optarg;
	}
	if (optind == argc) {
		argv = echo;
		argc = 1;
		optind = 0;
	}
	(placeholder ? run_each : run_all)(argv + optind, argc - optind);
	return status;
}
