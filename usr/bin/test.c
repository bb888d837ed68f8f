/*
 * test.c - the program test, which is [ too: is a condition true?
 *
 * Invariants: none.  Locks: none.
 */
#include "usr/lib/condition.h"
#include "usr/lib/path.h"

int main(int argc, char **argv)
{
	/* execve() may have been told a path: /bin/[ */
	if (argc > 0)
		argv[0] = path_base(argv[0]);
	return test_condition(argc, argv);
}
