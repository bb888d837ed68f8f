/*
 * echo.c - print the arguments with blanks between them; -n leaves out the newline.
 *
 * Invariants: backslashes are ordinary characters.  Locks: none.
 */
#include <stdio.h>
#include <string.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	int no_newline = argc > 1 && strcmp(argv[1], "-n") == 0;

	for (int i = 1 + no_newline; i < argc; i++) {
		if (i > 1 + no_newline)
			putchar(' ');
		fputs(argv[i], stdout);
	}
	if (!no_newline)
		putchar('\n');
	return close_stdout(0);
}
