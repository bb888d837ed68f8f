/*
 * clear.c - clear the terminal's screen.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		usage("clear");
	fputs("\x1b[H\x1b[2J\x1b[3J", stdout);
	return close_stdout(0);
}
