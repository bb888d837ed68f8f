/*
 * cmp.c - compare two files byte by byte; -l all that differs, -s say nothing.
 *
 * Invariants: status 0: the same, 1: they differ, 2: trouble.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "cmp [-l | -s] file1 [file2]";

static bool list, silent;

/* @line: the one that the end is in, or, at the start of a line, behind. */
static void say_end(const char *name, unsigned long long bytes, unsigned long long line, bool start)
{
	if (silent)
		return;
	if (bytes == 0)
		warn("EOF on %s which is empty", name);
	else if (list)
		warn("EOF on %s after byte %llu", name, bytes);
	else
		warn("EOF on %s after byte %llu, %sline %llu", name, bytes, start ? "" : "in ",
		     line - start);
}

static int compare(FILE *a, const char *a_name, FILE *b, const char *b_name)
{
	unsigned long long byte = 0, line = 1;
	int status = 0;
	int c, d, last = 0;

	while ((c = getc(a), d = getc(b), c != EOF && d != EOF)) {
		byte++;
		if (c != d) {
			status = 1;
			if (list)
				printf("%llu %3o %3o\n", byte, c, d);
			else if (!silent)
				printf("%s %s differ: byte %llu, line %llu\n", a_name, b_name, byte,
				       line);
			if (!list)
				return status;
		}
		line += c == '\n';
		last = c;
	}
	if (c == d || ferror(a) || ferror(b))
		return status;
	say_end(c == EOF ? a_name : b_name, byte, line, last == '\n');
	return 1;
}

int main(int argc, char **argv)
{
	const char *names[2];
	FILE *files[2];
	int status, option;

	while ((option = getopt(argc, argv, "ls")) != -1) {
		if (option == '?')
			usage_status(STATUS_TROUBLE, synopsis);
		list |= option == 'l';
		silent |= option == 's';
	}
	if (argc - optind < 1 || argc - optind > 2)
		usage_status(STATUS_TROUBLE, synopsis);
	names[0] = argv[optind];
	names[1] = argc - optind == 2 ? argv[optind + 1] : "-";
	for (int i = 0; i < 2; i++) {
		files[i] = open_input(names[i]);
		if (!files[i])
			return STATUS_TROUBLE;
	}
	status = compare(files[0], names[0], files[1], names[1]);
	if (close_input(files[0], names[0]) || close_input(files[1], names[1]))
		status = STATUS_TROUBLE;
	return close_stdout(status);
}
