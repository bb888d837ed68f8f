/*
 * sigaction.c - signal handlers: what they are told, what is blocked meanwhile, how they return.
 */
#include "usr/lib/test.h"

#include <sys/resource.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

static volatile sig_atomic_t calls;
static volatile siginfo_t last;

static void count(int signal __attribute__((unused)))
{
	calls++;
}

static void remember(int signal, siginfo_t *info, void *context)
{
	CHECK_EQ(info->si_signo, signal);
	CHECK(context);
	last = *info;
	calls++;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	calls = 0;
	CHECK_OK(sigaction(signal, &action, NULL));
}

static void handle_info(int signal, int flags)
{
	struct sigaction action = { .sa_sigaction = remember, .sa_flags = flags | SA_SIGINFO };

	calls = 0;
	CHECK_OK(sigaction(signal, &action, NULL));
}

static bool is_blocked(int signal)
{
	sigset_t set;

	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, signal);
}

TEST(a_handler_runs_and_returns)
{
	handle(SIGUSR1, count, 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(calls, 1);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(calls, 2);
	CHECK(!is_blocked(SIGUSR1));
}

TEST(every_signal_has_a_handler_but_two)
{
	for (int signal = 1; signal <= 64; signal++) {
		if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
			continue;
		handle(signal, count, 0);
		CHECK_OK(raise(signal));
		CHECK_EQ(calls, 1);
	}
}

TEST(who_sent_it)
{
	pid_t pid;

	handle_info(SIGUSR1, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(last.si_code, SI_USER);
	CHECK_EQ(last.si_pid, getpid());
	CHECK_EQ(last.si_uid, getuid());
	CHECK_OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	CHECK_EQ(last.si_code, SI_TKILL);
	CHECK_EQ(last.si_pid, getpid());
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	WAIT_UNTIL(calls == 3);
	CHECK_EQ(last.si_pid, pid);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(calls, 3);
}
