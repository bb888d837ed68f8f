/*
 * cut.c - parts of lines: -c or -b LIST bytes, -f LIST fields, -d what is between fields (a tab),
 * -s no lines without that; LIST is N, N-M, N-, -M and several by commas.
 *
 * Invariants: parts come in the order of the line, whatever that of LIST.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "cut -b list | -c list | -f list [-d char] [-s] [file...]";

struct range {
	size_t first, last;
};

static struct range *ranges;
static size_t range_count;
static char delimiter = '\t';
static bool fields, only_delimited;

static void parse_list(const char *text)
{
	char *end = (char *)text;

	do {
		struct range range = { 1, (size_t)-1 };

		if (*text >= '0' && *text <= '9')
			range.first = range.last = strtoul(text, &end, 10);
		if (*end == '-') {
			text = end + 1;
			range.last = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
			if (range.last == 0) {
				end = (char *)text;
				range.last = (size_t)-1;
			}
		} else if (end == text) {
			usage(synopsis);
		}
		if (range.first == 0 || range.last < range.first || (*end && *end != ','))
			usage(synopsis);
		ranges = xrealloc(ranges, (range_count + 1) * sizeof(range));
		ranges[range_count++] = range;
		text = end + 1;
		end = (char *)text;
	} while (text[-1] == ',');
}

static bool wanted(size_t number)
{
	for (size_t i = 0; i < range_count; i++)
		if (number >= ranges[i].first && number <= ranges[i].last)
			return true;
	return false;
}

static void cut_bytes(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (wanted(i + 1))
			putchar(line[i]);
	putchar('\n');
}

static void cut_fields(const char *line, size_t length)
{
	const char *end = line + length;
	bool first = true;

	if (!memchr(line, delimiter, length)) {
		if (!only_delimited)
			printf("%.*s\n", (int)length, line);
		return;
	}
	for (size_t number = 1; line <= end; number++) {
		const char *next = memchr(line, delimiter, end - line);

		if (!next)
			next = end;
		if (wanted(number)) {
			if (!first)
				putchar(delimiter);
			fwrite(line, 1, next - line, stdout);
			first = false;
		}
		line = next + 1;
	}
	putchar('\n');
}

static int cut(const char *name)
{
	FILE *file = open_input(name);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return STATUS_FAILED;
	while ((length = getline(&line, &room, file)) > 0) {
		if (line[length - 1] == '\n')
			length--;
		(fields ? cut_fields : cut_bytes)(line, length);
	}
	free(line);
	return close_input(file, name);
}

int main(int argc, char **argv)
{
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "b:c:f:d:sn")) != -1) {
		if (option == '?')
			usage(synopsis);
		only_delimited |= option == 's';
		if (option == 'd')
			delimiter = optarg[0];
		if (option == 'b' || option == 'c' || option == 'f') {
			fields = option == 'f';
			parse_list(optarg);
		}
	}
	if (range_count == 0)
		usage(synopsis);
	if (optind == argc)
		status = cut("-");
	for (; optind < argc; optind++)
		status |= cut(argv[optind]);
	return close_stdout(status);
}
