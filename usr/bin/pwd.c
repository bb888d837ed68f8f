/*
 * pwd.c - print the current directory.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	char *directory;

	(void)argv;
	if (argc > 1)
		usage("pwd");
	directory = getcwd(NULL, 0);
	if (!directory)
		die_errno(STATUS_FAILED, "current directory");
	puts(directory);
	free(directory);
	return close_stdout(0);
}
