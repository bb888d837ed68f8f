/*
 * yes.c - print "y", or the arguments, until nobody reads any more.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	do {
		if (argc < 2)
			fputs("y", stdout);
		for (int i = 1; i < argc; i++)
			printf("%s%s", i > 1 ? " " : "", argv[i]);
		putchar('\n');
	} while (!ferror(stdout));
	return close_stdout(STATUS_FAILED);
}
