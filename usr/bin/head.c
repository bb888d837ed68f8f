/*
 * head.c - the first lines of files: ten, -n N lines, -c N bytes; -q no headers, -v always headers.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "head [-qv] [-n lines | -c bytes] [file...]";

static bool bytes;
static long long amount = 10;

static int head(const char *name, bool header)
{
	static const char *gap = "";
	FILE *file = open_input(name);
	long long left = amount;
	int c;

	if (!file)
		return STATUS_FAILED;
	if (header) {
		printf("%s==> %s <==\n", gap, file == stdin ? "standard input" : name);
		gap = "\n";
	}
	while (left > 0 && (c = getc(file)) != EOF) {
		putchar(c);
		left -= bytes || c == '\n';
	}
	return close_input(file, name);
}

static void set_amount(const char *text, bool in_bytes)
{
	bytes = in_bytes;
	if (parse_size(text, &amount) < 0)
		die(STATUS_FAILED, "%s: not a number", text);
}

int main(int argc, char **argv)
{
	int headers = 0, status = 0;
	int option;

	/* head -5 is an old way to say head -n 5. */
	if (argc > 1 && argv[1][0] == '-' && argv[1][1] >= '0' && argv[1][1] <= '9') {
		set_amount(argv[1] + 1, false);
		argv++;
		argc--;
	}
	while ((option = getopt(argc, argv, "qvn:c:")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'n' || option == 'c')
			set_amount(optarg, option == 'c');
		else
			headers = option;
	}
	if (optind == argc)
		return close_stdout(head("-", headers == 'v'));
	if (headers == 0 && argc - optind > 1)
		headers = 'v';
	for (; optind < argc; optind++)
		status |= head(argv[optind], headers == 'v');
	return close_stdout(status);
}
