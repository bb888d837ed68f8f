/*
 * signals.c - default actions, ignoring, blocking, groups, stopping: all without handlers.
 */
#include "usr/lib/test.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "usr/lib/testutil.h"

/* A child that sleeps until a signal ends it. */
static pid_t sleeper(void)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		for (;;)
			test_pause(1000);
	return pid;
}

static void block(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK_OK(sigprocmask(how, &set, NULL));
}

TEST(default_action_terminates)
{
	static const int fatal[] = { SIGHUP,  SIGINT,  SIGQUIT, SIGILL,	 SIGTRAP, SIGABRT,
				     SIGBUS,  SIGFPE,  SIGKILL, SIGUSR1, SIGSEGV, SIGUSR2,
				     SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGSYS,  40 };

	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		CHECK_SIGNAL({ kill(getpid(), fatal[i]); }, fatal[i]);
}

TEST(a_sleeping_process_is_ended)
{
	static const int fatal[] = { SIGTERM, SIGKILL, SIGINT };

	for (size_t i = 0; i < ARRAY_LEN(fatal); i++) {
		pid_t pid = sleeper();

		CHECK_OK(kill(pid, fatal[i]));
		test_check_signal(__FILE__, __LINE__, pid, fatal[i]);
	}
}

TEST(a_spinning_process_is_ended)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		for (;;)
			__asm__ volatile("");
	CHECK_OK(kill(pid, SIGTERM));
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
}

TEST(a_process_in_a_pipe_read_is_ended)
{
	int fds[2];
	char byte;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		_exit(0);
	}
	test_pause(5);
	CHECK_OK(kill(pid, SIGTERM));
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
}

TEST(default_action_ignores)
{
	CHECK_OK(raise(SIGCHLD));
	CHECK_OK(raise(SIGURG));
	CHECK_OK(raise(SIGWINCH));
	CHECK_OK(raise(SIGCONT));
}

TEST(abort_is_sigabrt)
{
	CHECK_SIGNAL({ abort(); }, SIGABRT);
}

TEST(sig_ign)
{
	CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL);
	CHECK_OK(raise(SIGTERM));
	CHECK_CHILD({ CHECK_OK(raise(SIGTERM)); });
	CHECK(signal(SIGTERM, SIG_DFL) == SIG_IGN);
	CHECK_SIGNAL({ raise(SIGTERM); }, SIGTERM);
}

CHILD(ignored)
{
	return raise(SIGTERM) == 0 && signal(SIGTERM, SIG_DFL) == SIG_IGN ? 42 : 1;
}

TEST(sig_ign_survives_exec)
{
	signal(SIGTERM, SIG_IGN);
	CHECK_EXIT(spawn_self("ignored", NULL, NULL, NULL), 42);
}

TEST(kill_and_stop_cannot_be_ignored)
{
	struct sigaction action = { .sa_handler = SIG_IGN };

	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(0, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
	CHECK_SIGNAL(
		{
			block(SIG_BLOCK, SIGKILL);
			raise(SIGKILL);
		},
		SIGKILL);
}

TEST(a_blocked_signal_waits)
{
	CHECK_SIGNAL(
		{
			sigset_t pending;

			block(SIG_BLOCK, SIGTERM);
			raise(SIGTERM);
			CHECK_OK(sigpending(&pending));
			CHECK_EQ(sigismember(&pending, SIGTERM), 1);
			CHECK_EQ(sigismember(&pending, SIGINT), 0);
			block(SIG_UNBLOCK, SIGTERM);
			_exit(1);
		},
		SIGTERM);
}

/* A signal that becomes ignored while it is pending is gone. */
TEST(ignoring_drops_what_is_pending)
{
	block(SIG_BLOCK, SIGTERM);
	raise(SIGTERM);
	signal(SIGTERM, SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	block(SIG_UNBLOCK, SIGTERM);
}

TEST(sigprocmask_hows)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_OK(sigprocmask(SIG_SETMASK, &set, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
	CHECK_EQ(sigismember(&old, SIGUSR1), 1);
	CHECK_EQ(sigismember(&old, SIGUSR2), 0);
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &set, &old));
	CHECK_EQ(sigismember(&old, SIGUSR2), 1);
	CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &old));
	CHECK_EQ(sigismember(&old, SIGUSR1), 1);
	CHECK_EQ(sigismember(&old, SIGUSR2), 0);
	CHECK_ERRNO(sigprocmask(17, &set, NULL), EINVAL);
}

TEST(a_child_inherits_the_mask_but_no_pending_signal)
{
	block(SIG_BLOCK, SIGTERM);
	raise(SIGTERM);
	CHECK_CHILD({
		sigset_t set;

		CHECK_OK(sigpending(&set));
		CHECK_EQ(sigismember(&set, SIGTERM), 0);
		CHECK_OK(sigprocmask(SIG_BLOCK, NULL, &set));
		CHECK_EQ(sigismember(&set, SIGTERM), 1);
	});
}

TEST(kill_errors)
{
	CHECK_ERRNO(kill(getpid(), 65), EINVAL);
	CHECK_ERRNO(kill(getpid(), -1), EINVAL);
	CHECK_ERRNO(kill(4000000, SIGTERM), ESRCH);
	CHECK_ERRNO(kill(-4000000, SIGTERM), ESRCH);
	CHECK_EQ(kill(getpid(), 0), 0);
	CHECK_EQ(kill(getppid(), 0), 0);
}

TEST(a_zombie_can_be_signalled_till_it_is_reaped)
{
	pid_t pid = CHECK_OK(fork());
	siginfo_t info;

	if (pid == 0)
		_exit(3);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EXIT(pid, 3);
	CHECK_ERRNO(kill(pid, 0), ESRCH);
}

TEST(a_process_group_is_signalled_together)
{
	pid_t pids[3];

	for (int i = 0; i < 3; i++)
		pids[i] = sleeper();
	for (int i = 0; i < 3; i++) { /* now, for nobody ends those of another group if one fails */
		CHECK_OK(setpgid(pids[i], pids[0]));
		CHECK_EQ(getpgid(pids[i]), pids[0]);
	}
	CHECK_OK(kill(-pids[0], SIGINT));
	for (int i = 0; i < 3; i++)
		test_check_signal(__FILE__, __LINE__, pids[i], SIGINT);
	CHECK_ERRNO(kill(-pids[0], SIGINT), ESRCH);
}

TEST(kill_zero_is_the_own_group)
{
	CHECK_SIGNAL(
		{
			CHECK_OK(setpgid(0, 0));
			kill(0, SIGUSR1);
		},
		SIGUSR1);
}

TEST(process_group_errors)
{
	CHECK_ERRNO(setpgid(getpid(), -1), EINVAL);
	CHECK_ERRNO(setpgid(4000000, 0), ESRCH);
	CHECK_ERRNO(getpgid(4000000), ESRCH);
	CHECK_ERRNO(setpgid(0, 4000000), EPERM);
	CHECK_EQ(getpgid(0), getpgrp());
}

TEST(sessions)
{
	CHECK_CHILD({
		CHECK_EQ(setsid(), getpid());
		CHECK_EQ(getsid(0), getpid());
		CHECK_EQ(getpgrp(), getpid());
		CHECK_ERRNO(setsid(), EPERM);
		CHECK_ERRNO(setpgid(0, 0), EPERM);
	});
}

TEST(stop_and_continue)
{
	pid_t pid = sleeper();
	int status;

	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	CHECK_OK(kill(pid, SIGTERM));
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
}

TEST(a_stopped_process_is_killed)
{
	pid_t pid = sleeper();
	int status;

	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGTERM));
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_OK(kill(pid, SIGKILL));
	test_check_signal(__FILE__, __LINE__, pid, SIGKILL);
}

TEST(a_stopped_spinner_stands_still)
{
	int fds[2];
	char bytes[64];
	pid_t pid;
	int status;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0)
		for (;;)
			CHECK_EQ(write(fds[1], "t", 1), 1);
	CHECK(read(fds[0], bytes, sizeof(bytes)) > 0);
	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(close(fds[1]));
	CHECK_OK(kill(pid, SIGKILL));
	test_check_signal(__FILE__, __LINE__, pid, SIGKILL);
	while (CHECK_OK(read(fds[0], bytes, sizeof(bytes))) > 0)
		;
}

TEST(faults_are_signals)
{
	CHECK_SIGNAL({ __builtin_trap(); }, on_ravel() ? SIGTRAP : SIGILL);
	CHECK_SIGNAL({ *(volatile int *)KERNEL_ADDRESS = 1; }, SIGSEGV);
}
