/*
 * kill.c - send a signal to processes, or to process groups (-PGID after --).
 *
 * Invariants: none.  Locks: none.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "kill [-s signal | -signal] pid...  or  kill -l [status]";

/* All signals' names, or the name of the signal that a status tells of. */
static int list(const char *status)
{
	long long number;

	if (!status) {
		for (int sig = 1; sig < 32; sig++)
			printf("%2d %s\n", sig, signal_name(sig));
		return close_stdout(0);
	}
	if (parse_number(status, 1, 255, &number) < 0 || !signal_name(number & 127))
		die(STATUS_FAILED, "%s: no such signal", status);
	puts(signal_name(number & 127));
	return close_stdout(0);
}

int main(int argc, char **argv)
{
	const char *name = "TERM";
	int status = 0;
	int first = 1;
	int sig;

	if (argc > 1 && strcmp(argv[1], "-l") == 0)
		return list(argv[2]);
	if (argc > 2 && strcmp(argv[1], "-s") == 0) {
		name = argv[2];
		first = 3;
	} else if (argc > 1 && argv[1][0] == '-' && strcmp(argv[1], "--") != 0) {
		name = argv[1] + 1;
		first = 2;
	}
	if (first < argc && strcmp(argv[first], "--") == 0)
		first++;
	sig = signal_number(name);
	if (sig < 0)
		die(STATUS_FAILED, "%s: no such signal", name);
	if (first == argc)
		usage(synopsis);
	for (; first < argc; first++) {
		long long pid;

		if (parse_number(argv[first], -(1LL << 31) + 1, (1LL << 31) - 1, &pid) < 0) {
			warn("%s: not a process id", argv[first]);
			status = STATUS_FAILED;
		} else if (kill(pid, sig) < 0) {
			warn_errno("%s", argv[first]);
			status = STATUS_FAILED;
		}
	}
	return status;
}
