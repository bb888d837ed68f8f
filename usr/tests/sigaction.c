/*
 * sigaction.c - signal handlers: what they are told, what is blocked meanwhile, how they return.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define MS 1000 /* in microseconds */

/* ---- one handler ---- */

TEST(a_handler_runs_and_returns)
{
	on_signal(SIGUSR1, 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(signal_calls, 1);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(signal_calls, 2);
	CHECK(!signal_is_blocked(SIGUSR1));
}

TEST(every_signal_has_a_handler_but_two)
{
	for (int signal = 1; signal <= 64; signal++) {
		if (signal == SIGKILL || signal == SIGSTOP || signal == 32 || signal == 33)
			continue;
		on_signal(signal, 0);
		CHECK_OK(raise(signal));
		CHECK_EQ(signal_calls, 1);
	}
}

TEST(who_sent_it)
{
	pid_t pid;

	on_signal(SIGUSR1, 0);
	CHECK_OK(kill(getpid(), SIGUSR1));
	CHECK_EQ(signal_last.si_code, SI_USER);
	CHECK_EQ(signal_last.si_pid, getpid());
	CHECK_EQ(signal_last.si_uid, getuid());
	CHECK_OK(syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1));
	CHECK_EQ(signal_last.si_code, SI_TKILL);
	CHECK_EQ(signal_last.si_pid, getpid());
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	WAIT_UNTIL(signal_calls == 3);
	CHECK_EQ(signal_last.si_pid, pid);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(signal_calls, 3);
}

/* ---- flags and masks ---- */

static volatile int depth, deepest, raised, other_blocked;

static void again(int signal)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (raised++ < 2)
		raise(signal);
	other_blocked = signal_is_blocked(SIGUSR2);
	depth--;
}

static int depth_with(int flags)
{
	struct sigaction action = { .sa_handler = again, .sa_flags = flags };

	depth = deepest = raised = 0;
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, SIGKILL);
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	return deepest;
}

TEST(a_signal_is_blocked_in_its_handler)
{
	CHECK_EQ(depth_with(0), 1);
	CHECK_EQ(raised, 3);
	CHECK(other_blocked);
	CHECK(!signal_is_blocked(SIGUSR1));
	CHECK(!signal_is_blocked(SIGUSR2));
}

TEST(nodefer_lets_it_nest)
{
	CHECK_EQ(depth_with(SA_NODEFER), 3);
	CHECK(other_blocked);
	CHECK(!signal_is_blocked(SIGUSR2));
}

TEST(resethand_is_for_once)
{
	CHECK_SIGNAL(
		{
			struct sigaction now;

			on_signal(SIGUSR1, SA_RESETHAND);
			CHECK_OK(raise(SIGUSR1));
			CHECK_EQ(signal_calls, 1);
			CHECK_OK(sigaction(SIGUSR1, NULL, &now));
			CHECK(now.sa_handler == SIG_DFL);
			raise(SIGUSR1);
		},
		SIGUSR1);
}

TEST(an_action_is_read_back)
{
	struct sigaction action = { .sa_handler = again,
				    .sa_flags = SA_RESTART | SA_ONSTACK | SA_NODEFER };
	struct sigaction old;

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGHUP);
	sigaddset(&action.sa_mask, SIGKILL);
	CHECK_OK(sigaction(SIGUSR1, &action, &old));
	CHECK(old.sa_handler == SIG_DFL);
	CHECK_OK(sigaction(SIGUSR1, NULL, &old));
	CHECK(old.sa_handler == again);
	CHECK_EQ(old.sa_flags & 0xffff0000 & ~0x04000000, action.sa_flags & 0xffff0000);
	CHECK(sigismember(&old.sa_mask, SIGHUP));
	CHECK(!sigismember(&old.sa_mask, SIGKILL));
	CHECK(!sigismember(&old.sa_mask, SIGUSR1));
}

static volatile int order[4], nr_order;

static void note_order(int signal)
{
	order[nr_order++] = signal;
}

/* Both get their frames before user mode runs, so the later frame's handler is first. */
TEST(two_signals_at_once)
{
	sigset_t both;

	signal(SIGUSR1, note_order);
	signal(SIGUSR2, note_order);
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &both, NULL));
	CHECK_OK(raise(SIGUSR2));
	CHECK_OK(raise(SIGUSR1));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(nr_order, 0);
	CHECK_OK(sigprocmask(SIG_UNBLOCK, &both, NULL));
	CHECK_EQ(nr_order, 2);
	CHECK_EQ(order[0], SIGUSR2);
	CHECK_EQ(order[1], SIGUSR1);
}

TEST(bad_arguments)
{
	struct sigaction action = { .sa_handler = SIG_DFL };
	unsigned long set = 0;

	CHECK_ERRNO(sigaction(0, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(65, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(-1, NULL, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_OK(sigaction(SIGKILL, NULL, &action));
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, KERNEL_ADDRESS, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, KERNEL_ADDRESS, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 3, &set, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 16, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 16, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigpending, &set, 16), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigpending, 16, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigsuspend, &set, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigsuspend, 16, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_tkill, 0, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tkill, getpid(), 65), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, -1, getpid(), SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 0, SIGUSR1), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, 1, getpid(), SIGUSR1), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, getpid(), 4000000, SIGUSR1), ESRCH);
	CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
}

/* ---- fork and exec ---- */

TEST(a_child_has_the_same_handlers)
{
	on_signal(SIGUSR1, 0);
	CHECK_CHILD({
		CHECK_OK(raise(SIGUSR1));
		CHECK_EQ(signal_calls, 1);
		CHECK_EQ(signal_last.si_pid, getpid());
	});
	CHECK_EQ(signal_calls, 0);
}

CHILD(fresh)
{
	struct sigaction action;
	stack_t stack;

	CHECK_OK(sigaction(SIGUSR1, NULL, &action));
	CHECK(action.sa_handler == SIG_DFL);
	CHECK_EQ(action.sa_flags & 0xff000000 & ~0x04000000, 0);
	CHECK_OK(sigaction(SIGUSR2, NULL, &action));
	CHECK(action.sa_handler == SIG_IGN);
	CHECK(signal_is_blocked(SIGHUP));
	CHECK(signal_is_pending(SIGHUP));
	CHECK_OK(sigaltstack(NULL, &stack));
	CHECK_EQ(stack.ss_flags, SS_DISABLE);
	return 42;
}

TEST(exec_forgets_handlers_and_keeps_what_waits)
{
	static char space[16384];
	stack_t stack = { .ss_sp = space, .ss_size = sizeof(space) };
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		on_signal(SIGUSR1, SA_ONSTACK);
		CHECK_OK(sigaltstack(&stack, NULL));
		signal(SIGUSR2, SIG_IGN);
		signal_mask(SIG_BLOCK, SIGHUP);
		CHECK_OK(raise(SIGHUP));
		execl(self_path(), "x", "--child=fresh", NULL);
	}
	CHECK_EXIT(pid, 42);
}

/* ---- signals that the kernel sends ---- */

TEST(sigpipe_has_a_handler)
{
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_OK(close(fds[0]));
	on_signal(SIGPIPE, 0);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	CHECK_EQ(signal_calls, 1);
	CHECK_EQ(signal_last.si_code, SI_USER);
	CHECK_EQ(signal_last.si_pid, getpid());
}

TEST(sigxfsz_has_a_handler)
{
	struct rlimit limit = { 100, RLIM_INFINITY };
	int fd = CHECK_OK(open(tmp_path("xfsz"), O_CREAT | O_RDWR, 0600));

	CHECK_OK(unlink(tmp_path("xfsz")));
	on_signal(SIGXFSZ, 0);
	CHECK_OK(setrlimit(RLIMIT_FSIZE, &limit));
	CHECK_ERRNO(pwrite(fd, "x", 1, 100), EFBIG);
	CHECK_EQ(signal_calls, 1);
	CHECK_ERRNO(ftruncate(fd, 101), EFBIG);
	CHECK_EQ(signal_calls, 2);
}

static pid_t child_that(int signal)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0 && signal)
		for (;;)
			test_pause(1000);
	if (pid == 0)
		_exit(7);
	if (signal)
		CHECK_OK(kill(pid, signal));
	return pid;
}

static void check_child_news(pid_t pid, int calls, int code, int status)
{
	WAIT_UNTIL(signal_calls == calls);
	CHECK_EQ(signal_last.si_code, code);
	CHECK_EQ(signal_last.si_pid, pid);
	CHECK_EQ(signal_last.si_uid, getuid());
	CHECK_EQ(signal_last.si_status, status);
}

TEST(sigchld_tells_what_happened)
{
	int status;
	pid_t pid;

	on_signal(SIGCHLD, 0);
	pid = child_that(0);
	check_child_news(pid, 1, CLD_EXITED, 7);
	CHECK_EXIT(pid, 7);
	pid = child_that(SIGSTOP);
	check_child_news(pid, 2, CLD_STOPPED, SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGCONT));
	check_child_news(pid, 3, CLD_CONTINUED, SIGCONT);
	CHECK_OK(kill(pid, SIGKILL));
	check_child_news(pid, 4, CLD_KILLED, SIGKILL);
	test_check_signal(__FILE__, __LINE__, pid, SIGKILL);
}

TEST(nocldstop_and_nocldwait)
{
	int status;
	pid_t pid;

	on_signal(SIGCHLD, SA_NOCLDSTOP);
	pid = child_that(SIGSTOP);
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EQ(waitpid(pid, &status, WCONTINUED), pid);
	CHECK_EQ(signal_calls, 0);
	CHECK_OK(kill(pid, SIGKILL));
	test_check_signal(__FILE__, __LINE__, pid, SIGKILL);
	WAIT_UNTIL(signal_calls == 1);

	on_signal(SIGCHLD, SA_NOCLDWAIT);
	pid = child_that(0);
	WAIT_UNTIL(signal_calls == 1);
	CHECK_ERRNO(waitpid(pid, &status, 0), ECHILD);
}

TEST(sigcont_goes_on_and_has_a_handler)
{
	int status;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		on_signal(SIGCONT, 0);
		CHECK_OK(raise(SIGSTOP));
		CHECK_EQ(signal_calls, 1);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status));
	CHECK_OK(kill(pid, SIGCONT));
	CHECK_EXIT(pid, 0);
}

TEST(sigtstp_may_be_handled)
{
	on_signal(SIGTSTP, 0);
	CHECK_OK(raise(SIGTSTP));
	CHECK_EQ(signal_calls, 1);
}

/* ---- timers ---- */

static void check_timer(int which, int signal)
{
	struct itimerval every = { { 0, 2 * MS }, { 0, 3 * MS } }, off = { { 0, 0 }, { 0, 0 } },
			 old;

	on_signal(signal, 0);
	CHECK_OK(setitimer(which, &every, NULL));
	CHECK_OK(getitimer(which, &old));
	CHECK_EQ(old.it_interval.tv_usec / 1000, 2);
	for (uint64_t end = test_now() + 30000000000; signal_calls < 5; getppid())
		CHECK(test_now() < end);
	CHECK_EQ(signal_last.si_code, SI_KERNEL);
	CHECK_OK(setitimer(which, &off, &old));
	CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 20 * MS);
	signal_calls = 0;
	CHECK_OK(getitimer(which, &old));
	CHECK_EQ(old.it_value.tv_usec, 0);
}

TEST(real_timer)
{
	check_timer(ITIMER_REAL, SIGALRM);
}

TEST(virtual_timer)
{
	check_timer(ITIMER_VIRTUAL, SIGVTALRM);
}

TEST(profiling_timer)
{
	check_timer(ITIMER_PROF, SIGPROF);
}

TEST(bad_timers)
{
	struct itimerval bad = { { 0, 0 }, { 0, 1000000 } }, good = { { 0, 0 }, { 0, 0 } };

	CHECK_ERRNO(syscall(SYS_setitimer, 3, &good, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, -1, &good, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_getitimer, 3, &good), EINVAL);
	CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_PROF, KERNEL_ADDRESS), EFAULT);
	CHECK_ERRNO(setitimer(ITIMER_VIRTUAL, &bad, NULL), EINVAL);
	bad = (struct itimerval){ { -1, 0 }, { 0, 0 } };
	CHECK_ERRNO(setitimer(ITIMER_REAL, &bad, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, KERNEL_ADDRESS, NULL), EFAULT);
}

TEST(alarm_tells_what_was_left)
{
	on_signal(SIGALRM, 0);
	CHECK_EQ(alarm(100), 0);
	CHECK_CHILD({ CHECK_EQ(alarm(0), 0); }); /* not inherited */
	CHECK_RANGE(alarm(0), 99, 100);
	CHECK_EQ(alarm(0), 0);
	CHECK_EQ(signal_calls, 0);
}

/* ---- waiting with another mask ---- */

TEST(sigsuspend_changes_the_mask_for_the_handler)
{
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	on_signal(SIGUSR1, 0);
	signal_mask(SIG_BLOCK, SIGUSR1);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(signal_calls, 1);
	CHECK(signal_is_blocked(SIGUSR1));
	CHECK_EXIT(pid, 0);
	/* What waits already is taken at once. */
	CHECK_OK(raise(SIGUSR1));
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(signal_calls, 2);
	CHECK(signal_is_blocked(SIGUSR1));
}

TEST(ppoll_changes_the_mask)
{
	sigset_t none;

	sigemptyset(&none);
	on_signal(SIGUSR1, SA_RESTART);
	signal_mask(SIG_BLOCK, SIGUSR1);
	CHECK_OK(raise(SIGUSR1));
	CHECK_ERRNO(ppoll(NULL, 0, NULL, &none), EINTR);
	CHECK_EQ(signal_calls, 1);
	CHECK(signal_is_blocked(SIGUSR1));
}

/* ---- out of a handler, and what it leaves untouched ---- */

static sigjmp_buf jump;

static void jump_out(int signal)
{
	siglongjmp(jump, signal);
}

TEST(siglongjmp_restores_the_mask)
{
	signal(SIGUSR1, jump_out);
	for (volatile int i = 0; i < 100; i++) {
		int value = sigsetjmp(jump, 1);

		if (value == 0) {
			raise(SIGUSR1);
			CHECK(false);
		}
		CHECK_EQ(value, SIGUSR1);
		CHECK(!signal_is_blocked(SIGUSR1));
	}
}

TEST(abort_has_a_handler_first)
{
	CHECK_SIGNAL(
		{
			on_signal(SIGABRT, 0);
			abort();
		},
		SIGABRT);
	signal(SIGABRT, jump_out);
	if (sigsetjmp(jump, 1) == 0)
		abort();
}

static volatile double disturbed;

static void disturb(int signal __attribute__((unused)))
{
	double x = disturbed;

	for (int i = 0; i < 50; i++)
		x = x * 1.25 + i / 3.0;
	disturbed = x > 1e100 ? 1 : x;
	errno = ENOTTY;
	signal_calls++;
}

/* The same sums with and without a handler that computes, too, at any instruction. */
static uint64_t sums(void)
{
	double a = 1.5, b = 0.25, c = 3.75;
	uint64_t x = 88172645463325252ULL, y = 1;

	for (int i = 0; i < 20000; i++) {
		a = a * 0.999 + b;
		b = b + c / (a + 2);
		c = c * 0.5 + i;
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		y = y * 31 + x;
	}
	return y ^ (uint64_t)(a * 1000) ^ (uint64_t)(b * 1000) << 20 ^ (uint64_t)(c * 10) << 40;
}

TEST(registers_come_back)
{
	struct itimerval every = { { 0, 1 * MS }, { 0, 1 * MS } };
	uint64_t expected = sums();

	signal_calls = 0;
	disturbed = 1;
	signal(SIGALRM, disturb);
	CHECK_OK(setitimer(ITIMER_REAL, &every, NULL));
	for (int i = 0; signal_calls < 100 || i < 10; i++)
		CHECK_EQ(sums(), expected);
}

/* ---- the alternate stack ---- */

static char space[65536];

static bool in_space(const void *p)
{
	return (char *)p >= space && (char *)p < space + sizeof(space);
}

static void check_inside(int signal)
{
	stack_t stack, same = { .ss_sp = space, .ss_size = sizeof(space) };

	CHECK(in_space(__builtin_frame_address(0)));
	CHECK_OK(sigaltstack(NULL, &stack));
	CHECK_EQ(stack.ss_flags, SS_ONSTACK);
	CHECK(stack.ss_sp == space && stack.ss_size == sizeof(space));
	same.ss_size -= 4096;
	CHECK_ERRNO(sigaltstack(&same, NULL), EPERM);
	if (signal == SIGUSR1) {
		/* A second one goes below the first. */
		CHECK_OK(raise(SIGUSR2));
		CHECK(in_space(signal_stack));
		CHECK((char *)signal_stack < (char *)__builtin_frame_address(0));
	}
}

TEST(alternate_stack)
{
	struct sigaction action = { .sa_handler = check_inside, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = space, .ss_size = sizeof(space) }, old;

	CHECK_OK(sigaltstack(&stack, &old));
	CHECK_EQ(old.ss_flags, SS_DISABLE);
	on_signal(SIGUSR2, SA_ONSTACK);
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(signal_calls, 1);
	CHECK_CHILD({
		CHECK_OK(raise(SIGUSR2));
		CHECK(in_space(signal_stack));
	});
	on_signal(SIGUSR2, 0);
	CHECK_OK(raise(SIGUSR2));
	CHECK(!in_space(signal_stack));
	CHECK_OK(sigaltstack(NULL, &old));
	CHECK_EQ(old.ss_flags, 0);
	stack.ss_flags = SS_DISABLE;
	CHECK_OK(sigaltstack(&stack, NULL));
	on_signal(SIGUSR2, SA_ONSTACK);
	CHECK_OK(raise(SIGUSR2));
	CHECK(!in_space(signal_stack));
}

TEST(alternate_stack_errors)
{
	stack_t stack = { .ss_sp = space, .ss_size = 1000 };

	CHECK_ERRNO(sigaltstack(&stack, NULL), ENOMEM);
	stack.ss_size = sizeof(space);
	stack.ss_flags = 4;
	CHECK_ERRNO(sigaltstack(&stack, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_sigaltstack, KERNEL_ADDRESS, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_sigaltstack, NULL, KERNEL_ADDRESS), EFAULT);
	CHECK_OK(sigaltstack(NULL, &stack));
	CHECK_EQ(stack.ss_flags, SS_DISABLE);
}

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static stack_t seen_inside;

static void look_inside(int signal __attribute__((unused)))
{
	CHECK(in_space(__builtin_frame_address(0)));
	CHECK_OK(sigaltstack(NULL, &seen_inside));
}

TEST(autodisarm)
{
	struct sigaction action = { .sa_handler = look_inside, .sa_flags = SA_ONSTACK };
	stack_t stack = { .ss_sp = space,
			  .ss_size = sizeof(space),
			  .ss_flags = (int)SS_AUTODISARM };
	stack_t now;

	CHECK_OK(sigaltstack(&stack, NULL));
	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < 2; i++) {
		CHECK_OK(raise(SIGUSR1));
		CHECK_EQ(seen_inside.ss_flags, SS_DISABLE);
		CHECK_OK(sigaltstack(NULL, &now));
		CHECK(now.ss_sp == space && now.ss_size == sizeof(space));
		CHECK_EQ(now.ss_flags, (int)SS_AUTODISARM);
	}
}

/* ---- seen from outside ---- */

TEST(proc_tells_what_is_caught)
{
	char text[4096];
	const char *line;

	on_signal(SIGUSR1, 0);
	signal_mask(SIG_BLOCK, SIGUSR2);
	CHECK_OK(raise(SIGUSR2));
	CHECK(read_text("/proc/self/status", text, sizeof(text)) > 0);
	line = strstr(text, "SigCgt:");
	CHECK(line);
	CHECK(strtoull(line + 7, NULL, 16) & 1UL << (SIGUSR1 - 1));
	line = strstr(text, "SigBlk:");
	CHECK(line);
	CHECK(strtoull(line + 7, NULL, 16) & 1UL << (SIGUSR2 - 1));
}

TEST(the_vdso_is_one_page_of_code)
{
	char text[65536];
	const char *line;

	on_signal(SIGUSR1, 0); /* before that Ravel does without */
	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	line = strstr(text, "[vdso]");
	CHECK(line);
	while (line > text && line[-1] != '\n')
		line--;
	CHECK(strncmp(strchr(line, ' '), " r-xp 00000000 00:00 0", 22) == 0);
}
