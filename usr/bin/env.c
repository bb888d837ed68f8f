/*
 * env.c - print the environment, or run a program in a changed one.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	int option;

	/* "+": the program's own options are not ours. */
	while ((option = getopt(argc, argv, "+iu:")) != -1) {
		if (option == 'i')
			clearenv();
		else if (option != 'u')
			usage_status(125,
				     "env [-i] [-u name] [name=value...] [program argument...]");
		else if (unsetenv(optarg) < 0)
			die_errno(125, "%s", optarg);
	}
	for (; optind < argc && strchr(argv[optind], '='); optind++)
		if (putenv(argv[optind]) != 0)
			die_errno(STATUS_FAILED, "%s", argv[optind]);
	if (optind < argc) {
		execvp(argv[optind], argv + optind);
		option = errno == ENOENT ? 127 : 126;
		die_errno(option, "%s", argv[optind]);
	}
	for (char **entry = environ; entry && *entry; entry++)
		puts(*entry);
	return close_stdout(0);
}
