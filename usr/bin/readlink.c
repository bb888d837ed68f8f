/*
 * readlink.c - what symbolic links point to; -f the path of a file without any link in it (all but
 * the last component must exist), -n no newline.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "readlink [-fn] file...";

/* realpath(), where the last component need not be there. */
static char *canonical(const char *path)
{
	char *whole = realpath(path, NULL), *parent, *base, *real;

	if (whole || errno != ENOENT)
		return whole;
	parent = path_parent(path);
	base = path_base(path);
	real = realpath(parent, NULL);
	if (real)
		whole = path_join(real, base);
	free(parent);
	free(base);
	free(real);
	return whole;
}

int main(int argc, char **argv)
{
	bool full = false, newline = true;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "fn")) != -1) {
		if (option == '?')
			usage(synopsis);
		full |= option == 'f';
		newline &= option != 'n';
	}
	if (optind == argc)
		usage(synopsis);
	for (; optind < argc; optind++) {
		char *target = full ? canonical(argv[optind]) : read_link(argv[optind]);

		if (!target) {
			warn_errno("%s", argv[optind]);
			status = STATUS_FAILED;
			continue;
		}
		printf("%s%s", target, newline ? "\n" : "");
		free(target);
	}
	return close_stdout(status);
}
