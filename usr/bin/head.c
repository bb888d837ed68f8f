/*
 * head.c - the first lines of files: ten, or -n N.
 *
 * Invariants: none.  Locks: none.
 */
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "head [-n lines] [file...]";

static int head(FILE *file, const char *name, long long lines)
{
	int c;

	while (lines > 0 && (c = getc(file)) != EOF) {
		putchar(c);
		if (c == '\n')
			lines--;
	}
	if (!ferror(file))
		return 0;
	warn_errno("%s", name);
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	long long lines = 10;
	int status = 0;
	int several;
	int option;

	/* head -5 is an old way to say head -n 5. */
	if (argc > 1 && argv[1][0] == '-' && parse_number(argv[1] + 1, 0, LLONG_MAX, &lines) == 0)
		optind = 2;
	while ((option = getopt(argc, argv, "n:")) != -1)
		if (option != 'n' || parse_number(optarg, 0, LLONG_MAX, &lines) < 0)
			usage(synopsis);
	if (optind == argc)
		return close_stdout(head(stdin, "standard input", lines));
	several = argc - optind > 1;
	for (int i = optind; i < argc; i++) {
		FILE *file = fopen(argv[i], "r");

		if (!file) {
			warn_errno("%s", argv[i]);
			status = STATUS_FAILED;
			continue;
		}
		if (several)
			printf("%s==> %s <==\n", i > optind ? "\n" : "", argv[i]);
		status |= head(file, argv[i], lines);
		fclose(file);
	}
	return close_stdout(status);
}
