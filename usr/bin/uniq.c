/*
 * uniq.c - one line for each run of equal lines; -c with their number, -d only of several, -u only
 * of one, -i upper and lower case are one, -f N without the first fields.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "uniq [-cdiu] [-f fields] [input [output]]";

static bool counted, only_repeated, only_single, ignore_case;
static long long skipped;

/* What is compared of a line: all behind the fields that are skipped. */
static const char *key(const char *line)
{
	for (long long i = 0; i < skipped; i++) {
		while (isblank((unsigned char)*line))
			line++;
		while (*line && !isblank((unsigned char)*line))
			line++;
	}
	return line;
}

static void print(const char *line, unsigned long count)
{
	if (count == 0 || (only_repeated && count == 1) || (only_single && count > 1))
		return;
	if (counted)
		printf("%7lu ", count);
	puts(line);
}

static void uniq(FILE *file)
{
	char *line = NULL, *last = NULL;
	unsigned long count = 0;
	size_t room = 0;
	ssize_t length;

	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			line[length - 1] = '\0';
		if (last && (ignore_case ? strcasecmp : strcmp)(key(last), key(line)) == 0) {
			count++;
			continue;
		}
		print(last, count);
		free(last);
		last = xstrdup(line);
		count = 1;
	}
	print(last, count);
	free(last);
	free(line);
}

int main(int argc, char **argv)
{
	const char *input;
	FILE *file;
	int option;

	while ((option = getopt(argc, argv, "cdiuf:")) != -1) {
		if (option == '?' ||
		    (option == 'f' && parse_number(optarg, 0, 1 << 30, &skipped) < 0))
			usage(synopsis);
		counted |= option == 'c';
		only_repeated |= option == 'd';
		ignore_case |= option == 'i';
		only_single |= option == 'u';
	}
	if (argc - optind > 2)
		usage(synopsis);
	input = optind < argc ? argv[optind] : "-";
	file = open_input(input);
	if (!file)
		return STATUS_FAILED;
	if (argc - optind == 2 && !freopen(argv[optind + 1], "w", stdout))
		die_errno(STATUS_FAILED, "%s", argv[optind + 1]);
	uniq(file);
	return close_stdout(close_input(file, input));
}
