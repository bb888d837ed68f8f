/*
 * limit.c - endless loops are found after so much CPU time: that, unlike the clock, does not depend
 * on who else uses the machine.
 */
#include "tests/host/fs/limit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

static void too_long(int signal __attribute__((unused)))
{
	static const char text[] = "an endless loop\n";

	if (write(STDERR_FILENO, text, sizeof(text) - 1) >= 0)
		abort();
	_exit(1);
}

void limit_cpu(unsigned long usec)
{
	struct itimerval limit = { .it_value = { .tv_usec = usec } };

	signal(SIGVTALRM, too_long);
	setitimer(ITIMER_VIRTUAL, &limit, NULL);
}
