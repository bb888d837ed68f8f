/*
 * sigqueue.c - real-time signals queue, in order and with their values; the calls that take them.
 */
#include "usr/lib/test.h"

#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define RT (SIGRTMIN + 2)

static const struct timespec at_once = { 0, 0 };

static sigset_t set_of(int first, int last)
{
	sigset_t set;

	sigemptyset(&set);
	for (int signal = first; signal <= last; signal++)
		sigaddset(&set, signal);
	return set;
}

static void block(sigset_t set)
{
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

/* ---- order and values ---- */

TEST(lowest_number_first_then_the_oldest)
{
	static const struct {
		int signal, value;
	} sent[] = { { 2, 1 }, { 0, 2 }, { 2, 3 }, { 1, 4 }, { 0, 5 }, { 0, 6 }, { 2, 7 } };
	static const int taken[] = { 2, 5, 6, 4, 1, 3, 7 };
	sigset_t set = set_of(RT, RT + 2);
	siginfo_t info;

	block(set);
	for (size_t i = 0; i < ARRAY_LEN(sent); i++)
		CHECK_OK(send_value(getpid(), RT + sent[i].signal, sent[i].value));
	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		int signal = CHECK_OK(sigtimedwait(&set, &info, &at_once));

		CHECK_EQ(info.si_signo, signal);
		CHECK_EQ(info.si_value.sival_int, taken[i]);
		CHECK_EQ(info.si_code, SI_QUEUE);
		CHECK_EQ(info.si_pid, getpid());
		CHECK_EQ(info.si_uid, getuid());
	}
	CHECK_ERRNO(sigtimedwait(&set, &info, &at_once), EAGAIN);
}

static volatile int values[16];

static void note_value(int signal __attribute__((unused)), siginfo_t *info,
		       void *context __attribute__((unused)))
{
	values[signal_calls++] = info->si_value.sival_int;
}

TEST(a_handler_gets_each_in_order)
{
	struct sigaction action = { .sa_sigaction = note_value, .sa_flags = SA_SIGINFO };

	CHECK_OK(sigaction(RT, &action, NULL));
	signal_mask(SIG_BLOCK, RT);
	for (int i = 0; i < 10; i++)
		CHECK_OK(send_value(getpid(), RT, 100 + i));
	CHECK(signal_is_pending(RT));
	signal_mask(SIG_UNBLOCK, RT);
	CHECK_EQ(signal_calls, 10);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(values[i], 100 + i);
	CHECK(!signal_is_pending(RT));
}

TEST(standard_signals_do_not_queue)
{
	sigset_t set = set_of(SIGUSR1, SIGUSR1);
	siginfo_t info;

	block(set);
	for (int i = 0; i < 5; i++)
		CHECK_OK(send_value(getpid(), SIGUSR1, i));
	CHECK_EQ(sigtimedwait(&set, &info, &at_once), SIGUSR1);
	CHECK_EQ(info.si_value.sival_int, 0); /* the first stays */
	CHECK_ERRNO(sigtimedwait(&set, &info, &at_once), EAGAIN);
}

TEST(kill_queues_real_time_signals_too)
{
	sigset_t set = set_of(RT, RT);
	siginfo_t info;

	block(set);
	for (int directed = 0; directed < 2; directed++) {
		for (int i = 0; i < 3; i++)
			CHECK_OK(directed ? syscall(SYS_tgkill, getpid(), getpid(), RT) :
					    kill(getpid(), RT));
		for (int i = 0; i < 3; i++) {
			CHECK_EQ(sigtimedwait(&set, &info, &at_once), RT);
			CHECK_EQ(info.si_code, SI_USER); /* glibc says so of SI_TKILL, too */
			CHECK_EQ(info.si_pid, getpid());
		}
		CHECK_ERRNO(sigtimedwait(&set, &info, &at_once), EAGAIN);
	}
}

TEST(a_group_gets_one_each)
{
	sigset_t set = set_of(RT, RT);
	pid_t pids[3];

	block(set);
	for (int i = 0; i < 3; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			siginfo_t info;

			CHECK_EQ(sigwaitinfo(&set, &info), RT);
			CHECK_EQ(info.si_code, SI_USER);
			CHECK_EQ(info.si_pid, getppid());
			_exit(0);
		}
	}
	for (int i = 0; i < 3; i++) /* now, for nobody ends those of another group if one fails */
		CHECK_OK(setpgid(pids[i], pids[0]));
	CHECK_OK(kill(-pids[0], RT));
	for (int i = 0; i < 3; i++)
		CHECK_EXIT(pids[i], 0);
}

/* ---- forgetting, inheriting ---- */

TEST(ignoring_drops_all)
{
	sigset_t set = set_of(RT, RT);

	block(set);
	for (int i = 0; i < 5; i++)
		CHECK_OK(send_value(getpid(), RT, i));
	signal(RT, SIG_IGN);
	CHECK(!signal_is_pending(RT));
	signal(RT, SIG_DFL);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &at_once), EAGAIN);
}

CHILD(pending)
{
	sigset_t set = set_of(RT, RT);
	siginfo_t info;

	for (int i = 0; i < 3; i++)
		if (sigtimedwait(&set, &info, &at_once) != RT || info.si_value.sival_int != i)
			return 1;
	return sigtimedwait(&set, &info, &at_once) == -1 ? 42 : 2;
}

TEST(what_waits_survives_exec_but_not_fork)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		signal_mask(SIG_BLOCK, RT);
		for (int i = 0; i < 3; i++)
			CHECK_OK(send_value(getpid(), RT, i));
		CHECK_CHILD({ CHECK(!signal_is_pending(RT)); });
		execl(self_path(), "x", "--child=pending", NULL);
	}
	CHECK_EXIT(pid, 42);
}

TEST(dying_with_a_full_queue)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		signal_mask(SIG_BLOCK, RT);
		for (int i = 0; i < 100; i++)
			CHECK_OK(send_value(getpid(), RT, i));
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
}

/* ---- limits and errors ---- */

/* Under a user id of its own: the limit counts all of a user's processes. */
TEST(the_limit_is_eagain)
{
	struct rlimit limit = { 3, 3 };
	sigset_t set = set_of(RT, RT), both = set_of(RT, RT + 1);

	if (geteuid() != 0)
		SKIP("needs root to become somebody else");
	CHECK_CHILD({
		CHECK_OK(setuid(54321));
		block(both);
		CHECK_OK(setrlimit(RLIMIT_SIGPENDING, &limit));
		for (int i = 0; i < 3; i++)
			CHECK_OK(send_value(getpid(), RT, i));
		CHECK_ERRNO(send_value(getpid(), RT, 3), EAGAIN);
		CHECK_ERRNO(send_value(getpid(), RT + 1, 3), EAGAIN);
		/* kill() never fails so: the signal comes without its sender. */
		CHECK_OK(kill(getpid(), RT + 1));
		CHECK_EQ(sigtimedwait(&set, NULL, &at_once), RT);
		CHECK_OK(send_value(getpid(), RT, 4));
		CHECK_ERRNO(send_value(getpid(), RT, 5), EAGAIN);
		_exit(0);
	});
}

TEST(nobody_pretends_to_be_the_kernel)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_USER };
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		for (;;)
			test_pause(1000);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_KERNEL;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_TKILL;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info), EPERM);
	info.si_code = SI_QUEUE;
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, 65, &info), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, 4000000, SIGUSR1, &info), ESRCH);
	CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_tgsigqueueinfo, pid, 0, SIGUSR1, &info), EINVAL);
	CHECK_OK(syscall(SYS_rt_sigqueueinfo, pid, 0, &info));
	CHECK_OK(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGUSR1, &info));
	test_check_signal(__FILE__, __LINE__, pid, SIGUSR1);
}

TEST(one_may_tell_oneself_anything)
{
	siginfo_t info = { .si_signo = RT, .si_code = 77, .si_errno = 5 }, got;
	sigset_t set = set_of(RT, RT);

	block(set);
	info.si_pid = 4711;
	info.si_uid = 12;
	info.si_value.sival_ptr = (void *)0x123456789abcdef0;
	CHECK_OK(syscall(SYS_rt_sigqueueinfo, getpid(), RT, &info));
	CHECK_EQ(sigtimedwait(&set, &got, &at_once), RT);
	CHECK_EQ(got.si_signo, RT);
	CHECK_EQ(got.si_code, 77);
	CHECK_EQ(got.si_errno, 5);
	CHECK_EQ(got.si_pid, 4711);
	CHECK_EQ(got.si_uid, 12);
	CHECK(got.si_value.sival_ptr == info.si_value.sival_ptr);
}

TEST(sigtimedwait_errors)
{
	sigset_t set = set_of(RT, RT);
	struct timespec bad = { 0, 1000000000 };

	block(set);
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &at_once, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, KERNEL_ADDRESS, NULL, &at_once, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, KERNEL_ADDRESS, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, 8), EINVAL);
	CHECK_OK(raise(RT));
	CHECK_ERRNO(syscall(SYS_rt_sigtimedwait, &set, KERNEL_ADDRESS, &at_once, 8), EFAULT);
}

TEST(sigtimedwait_waits)
{
	sigset_t set = set_of(RT, RT);
	struct timespec span = { 0, 20000000 };
	uint64_t start = test_now();
	pid_t pid;

	block(set);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &span), EAGAIN);
	CHECK(test_now() - start >= 20000000);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		wait_until_asleep(getppid());
		CHECK_OK(send_value(getppid(), RT, 99));
		_exit(0);
	}
	CHECK_EQ(sigwaitinfo(&set, NULL), RT);
	CHECK_EXIT(pid, 0);
}

/* ---- storms ---- */

#define SENDERS 4
#define EACH	200

static volatile sig_atomic_t next_of[SENDERS], wrong;
static volatile double seen_sum;

static void count_sender(int signal __attribute__((unused)), siginfo_t *info,
			 void *context __attribute__((unused)))
{
	int sender = info->si_value.sival_int >> 16, number = info->si_value.sival_int & 0xffff;

	if (sender < 0 || sender >= SENDERS || number != next_of[sender])
		wrong++;
	else
		next_of[sender]++;
	seen_sum = seen_sum * 0.5 + number;
	signal_calls++;
}

static void send_many(int sender, pid_t to)
{
	for (int i = 0; i < EACH; i++) {
		kill(to, SIGUSR1);
		while (send_value(to, RT, sender << 16 | i) < 0) {
			CHECK_EQ(errno, EAGAIN);
			test_pause(1);
		}
	}
	_exit(0);
}

TEST(a_storm_loses_nothing)
{
	struct sigaction action = { .sa_sigaction = count_sender, .sa_flags = SA_SIGINFO };
	double a = 1, expected = 0;
	pid_t pids[SENDERS];

	CHECK_OK(sigaction(RT, &action, NULL));
	signal(SIGUSR1, SIG_IGN);
	for (int i = 0; i < 1000; i++)
		expected = expected * 0.999 + i;
	for (int i = 0; i < SENDERS; i++) {
		pid_t self = getpid();

		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0)
			send_many(i, self);
	}
	for (uint64_t end = test_now() + 40000000000; signal_calls < SENDERS * EACH;) {
		a = 0;
		for (int i = 0; i < 1000; i++)
			a = a * 0.999 + i;
		CHECK(a == expected);
		CHECK(test_now() < end);
	}
	for (int i = 0; i < SENDERS; i++) {
		CHECK_EXIT(pids[i], 0);
		CHECK_EQ(next_of[i], EACH);
	}
	CHECK_EQ(wrong, 0);
}

static void do_nothing(int signal __attribute__((unused)))
{
}

/* Everybody signals everybody, and then all are killed. */
TEST(all_against_all)
{
	pid_t parent = getpid(), leader = 0, pid;
	int nr = 8, status;

	for (int i = 0; i < nr; i++) {
		pid = CHECK_OK(fork());
		if (pid == 0) {
			setpgid(0, leader);
			signal(SIGUSR1, do_nothing);
			signal(SIGUSR2, do_nothing);
			signal(RT, do_nothing);
			for (int round = 0; round < 100; round++) {
				static const int kinds[] = { 10, 12, 0 };
				int kind = kinds[test_random_below(3)];

				kill(0, kind ? kind : RT);
			}
			/* If that one fails, nobody else kills those of another group. */
			while (getppid() == parent)
				test_pause(100);
			_exit(1);
		}
		setpgid(pid, leader);
		if (i == 0)
			leader = pid;
		/* Handlers first: a signal before them would be the end. */
		wait_until_asleep(pid);
		test_progress();
	}
	CHECK_OK(kill(-leader, SIGKILL));
	for (int i = 0; i < nr; i++) {
		CHECK_OK(wait(&status));
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}
