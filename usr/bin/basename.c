/*
 * basename.c - the last component of a path, without a suffix if one is given.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "basename path [suffix]";

int main(int argc, char **argv)
{
	size_t length, suffix;
	char *base;

	if (getopt(argc, argv, "") != -1 || argc - optind < 1 || argc - optind > 2)
		usage(synopsis);
	base = path_base(argv[optind]);
	length = strlen(base);
	if (argc - optind == 2) {
		suffix = strlen(argv[optind + 1]);
		if (suffix < length && strcmp(base + length - suffix, argv[optind + 1]) == 0)
			base[length - suffix] = '\0';
	}
	puts(base);
	return close_stdout(0);
}
