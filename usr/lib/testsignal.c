/*
 * testsignal.c - see testsignal.h.
 */
#include "usr/lib/test.h"

#include <stdio.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

volatile sig_atomic_t signal_calls;
volatile siginfo_t signal_last;
void *volatile signal_stack;

static void remember(int signal, siginfo_t *info, void *context)
{
	CHECK_EQ(info->si_signo, signal);
	CHECK(context);
	signal_last = *info;
	signal_stack = __builtin_frame_address(0);
	signal_calls++;
}

void on_signal(int signal, int flags)
{
	struct sigaction action = { .sa_sigaction = remember, .sa_flags = flags | SA_SIGINFO };

	signal_calls = 0;
	CHECK_OK(sigaction(signal, &action, NULL));
}

void signal_mask(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK_OK(sigprocmask(how, &set, NULL));
}

bool signal_is_blocked(int signal)
{
	sigset_t set;

	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, signal);
}

bool signal_is_pending(int signal)
{
	sigset_t set;

	CHECK_OK(sigpending(&set));
	return sigismember(&set, signal);
}

int send_value(pid_t pid, int signal, int value)
{
	return sigqueue(pid, signal, (union sigval){ .sival_int = value });
}

static char state_of(pid_t pid)
{
	char path[64], text[512];
	const char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return 0;
	end = strrchr(text, ')');
	return end && end[1] ? end[2] : 0;
}

void wait_until_asleep(pid_t pid)
{
	WAIT_UNTIL(state_of(pid) == 'S');
}
