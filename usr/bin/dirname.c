/*
 * dirname.c - paths without their last components.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	if (getopt(argc, argv, "") != -1 || optind == argc)
		usage("dirname path...");
	for (; optind < argc; optind++)
		puts(path_parent(argv[optind]));
	return close_stdout(0);
}
