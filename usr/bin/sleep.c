/*
 * sleep.c - wait for a number of seconds, which may have a fraction.
 *
 * Invariants: interrupted sleeps go on for what was left.  Locks: none.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	struct timespec left;
	double seconds;
	char *end;

	if (argc != 2)
		usage("sleep seconds");
	seconds = strtod(argv[1], &end);
	if (end == argv[1] || *end || !(seconds >= 0 && seconds < 1e15))
		die(STATUS_FAILED, "%s: bad number of seconds", argv[1]);
	left.tv_sec = seconds;
	left.tv_nsec = (seconds - left.tv_sec) * 1e9;
	while (nanosleep(&left, &left) < 0)
		if (errno != EINTR)
			die_errno(STATUS_FAILED, "nanosleep");
	return 0;
}
