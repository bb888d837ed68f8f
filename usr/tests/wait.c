/*
 * wait.c - wait4() and waitid(): statuses, options, errors, and what becomes of orphans.
 */
#include "usr/lib/test.h"

#include <sys/resource.h>

#include "usr/lib/testutil.h"

static pid_t exiting(int status)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(status);
	return pid;
}

/* A child that lives until the write end of the pipe is closed. */
static pid_t waiting(int fds[2])
{
	char byte;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fds[1]);
		CHECK_EQ(read(fds[0], &byte, 1), 0);
		_exit(7);
	}
	close(fds[0]);
	return pid;
}

TEST(exit_statuses)
{
	static const int statuses[] = { 0, 1, 42, 255, 256 + 3, -1 };

	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		CHECK_EXIT(exiting(statuses[i]), statuses[i] & 0xff);
}

TEST(any_child)
{
	pid_t a = exiting(1), b = exiting(2), got[2];
	int status;

	got[0] = CHECK_OK(wait(&status));
	CHECK_EQ(WEXITSTATUS(status), got[0] == a ? 1 : 2);
	got[1] = CHECK_OK(waitpid(-1, &status, 0));
	CHECK_EQ(got[0] + got[1], a + b);
	CHECK_ERRNO(wait(&status), ECHILD);
}

TEST(no_child_is_echild)
{
	siginfo_t info;

	CHECK_ERRNO(waitpid(-1, NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(getppid(), NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(4000000, NULL, WNOHANG), ECHILD);
	CHECK_ERRNO(waitpid(-4000000, NULL, 0), ECHILD);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
}

TEST(a_grandchild_is_not_waited_for)
{
	CHECK_CHILD({
		pid_t pid = exiting(0);

		CHECK_CHILD({ CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD); });
		CHECK_EXIT(pid, 0);
	});
}

TEST(wnohang)
{
	int fds[2], status;
	pid_t pid = waiting(fds);

	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(waitpid(-1, &status, WNOHANG), 0);
	close(fds[1]);
	CHECK_EXIT(pid, 7);
}

TEST(by_process_group)
{
	int fds[2], status;
	pid_t pid = waiting(fds), other = exiting(1);

	CHECK_OK(setpgid(pid, pid));
	CHECK_EQ(waitpid(0, &status, 0), other);
	CHECK_EQ(waitpid(-pid, &status, WNOHANG), 0);
	close(fds[1]);
	CHECK_EQ(waitpid(-pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), 7);
}

TEST(bad_options_are_einval)
{
	siginfo_t info;

	CHECK_ERRNO(waitpid(-1, NULL, 0x100), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(99, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
}

TEST(waitid_fills_siginfo)
{
	siginfo_t info = { 0 };
	pid_t pid = exiting(5);

	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_status, 5);
	CHECK_EQ(info.si_uid, getuid());
}

TEST(waitid_of_a_signal)
{
	siginfo_t info = { 0 };
	int fds[2];
	pid_t pid = waiting(fds);

	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED), 0);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGKILL);
}

TEST(waitid_of_stop_and_continue)
{
	siginfo_t info = { 0 };
	int fds[2];
	pid_t pid = waiting(fds);

	CHECK_OK(kill(pid, SIGSTOP));
	CHECK_EQ(waitid(P_PID, pid, &info, WSTOPPED), 0);
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitid(P_PID, pid, &info, WCONTINUED), 0);
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	close(fds[1]);
	CHECK_EXIT(pid, 7);
}

TEST(waitid_wnohang_and_wnowait)
{
	siginfo_t info = { .si_pid = 1234 };
	int fds[2];
	pid_t pid = waiting(fds);

	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOHANG), 0);
	CHECK_EQ(info.si_pid, 0);
	close(fds[1]);
	CHECK_EQ(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_EQ(info.si_pid, pid);
	CHECK_EXIT(pid, 7);
}

/* An orphan is given to init, which reaps it: its pid disappears. */
TEST(orphans_go_to_init)
{
	pid_t orphan;
	int fds[2], hold[2];

	CHECK_OK(pipe(fds));
	CHECK_OK(pipe(hold));
	CHECK_CHILD({
		pid_t parent = getpid(), pid = CHECK_OK(fork());

		if (pid == 0) {
			pid_t self = getpid();
			char byte;

			close(hold[1]);
			WAIT_UNTIL(getppid() != parent);
			CHECK_EQ(write(fds[1], &self, sizeof(self)), sizeof(self));
			CHECK_EQ(read(hold[0], &byte, 1), 0);
			_exit(0);
		}
	});
	CHECK_EQ(read(fds[0], &orphan, sizeof(orphan)), sizeof(orphan));
	CHECK_EQ(kill(orphan, 0), 0);
	CHECK_ERRNO(waitpid(orphan, NULL, 0), ECHILD);
	close(hold[1]);
	WAIT_UNTIL(kill(orphan, 0) == -1 && errno == ESRCH);
}

TEST(sigchld_ignored_reaps_at_once)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = exiting(0);
	WAIT_UNTIL(kill(pid, 0) == -1 && errno == ESRCH);
	CHECK_ERRNO(waitpid(pid, NULL, 0), ECHILD);
}

TEST(wait_returns_usage)
{
	struct rusage usage;
	int status;
	pid_t pid = exiting(0);

	memset(&usage, 0xff, sizeof(usage));
	CHECK_EQ(wait4(pid, &status, 0, &usage), pid);
	CHECK_RANGE(usage.ru_utime.tv_sec, 0, 5);
	CHECK_RANGE(usage.ru_utime.tv_usec, 0, 999999);
}

TEST(a_hundred_zombies_at_once)
{
	pid_t pids[100];

	for (int i = 0; i < 100; i++)
		pids[i] = exiting(i);
	for (int i = 99; i >= 0; i--)
		CHECK_EXIT(pids[i], i);
}
