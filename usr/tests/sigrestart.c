/*
 * sigrestart.c - system calls that a signal interrupts: signal(7)'s table, line by line.
 *
 * A child makes the call and sleeps; the parent sends SIGUSR1, waits for the handler to have run,
 * and then gives the call what it waits for. Made again, the call succeeds; else it says EINTR.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define LONG_SLEEP 999000000 /* ns; what sleeps so goes on to its end by itself */

/* What the child works with: a pipe, a file, a FIFO, and a pipe by which the handler tells. */
static int fds[2], file, told[2];
static char fifo[64], lock_file[64];

static void tell(int signal __attribute__((unused)))
{
	int saved = errno;

	CHECK_EQ(write(told[1], "h", 1), 1);
	errno = saved;
}

/* ---- the calls, and what ends each ---- */

static long do_read(void)
{
	char byte;

	return read(fds[0], &byte, 1);
}

static long do_readv(void)
{
	char byte;
	struct iovec iov = { &byte, 1 };

	return readv(fds[0], &iov, 1);
}

static void give_byte(void)
{
	CHECK_EQ(write(fds[1], "b", 1), 1);
}

/* The pipe is full. */
static long do_write(void)
{
	return write(fds[1], "b", 1);
}

static void fill_pipe(void)
{
	static char page[PAGE_SIZE];
	int flags = CHECK_OK(fcntl(fds[1], F_GETFL));

	CHECK_OK(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK));
	while (write(fds[1], page, sizeof(page)) > 0)
		;
	while (write(fds[1], page, 1) > 0)
		;
	CHECK_OK(fcntl(fds[1], F_SETFL, flags));
}

static void empty_pipe(void)
{
	static char page[PAGE_SIZE];

	CHECK(read(fds[0], page, sizeof(page)) > 0);
}

static pid_t grandchild;

static void begin_grandchild(void)
{
	grandchild = CHECK_OK(fork());
	if (grandchild == 0) {
		char byte;

		CHECK_EQ(read(fds[0], &byte, 1), 1);
		_exit(0);
	}
}

static long do_wait4(void)
{
	return waitpid(grandchild, NULL, 0);
}

static long do_waitid(void)
{
	siginfo_t info;

	return waitid(P_PID, grandchild, &info, WEXITED);
}

static long do_open_fifo(void)
{
	return open(fifo, O_RDONLY);
}

static void open_other_end(void)
{
	CHECK_OK(open(fifo, O_WRONLY));
}

static long do_flock(void)
{
	return flock(CHECK_OK(open(lock_file, O_RDWR)), LOCK_EX);
}

static void lock_it(void)
{
	CHECK_OK(flock(file, LOCK_EX));
}

static void unlock_it(void)
{
	CHECK_OK(flock(file, LOCK_UN));
}

static long do_setlkw(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(file, F_SETLKW, &lock);
}

static void set_lock(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	CHECK_OK(fcntl(file, F_SETLK, &lock));
}

static void drop_lock(void)
{
	struct flock lock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	CHECK_OK(fcntl(file, F_SETLK, &lock));
}

static long do_nanosleep(void)
{
	struct timespec span = { 0, LONG_SLEEP };

	return nanosleep(&span, NULL);
}

static long do_sleep_until(void)
{
	struct timespec until;

	CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &until));
	until.tv_nsec += LONG_SLEEP;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	return errno ? -1 : 0;
}

static long do_poll(void)
{
	struct pollfd pfd = { .fd = fds[0], .events = POLLIN };

	return poll(&pfd, 1, 20000);
}

static long do_ppoll(void)
{
	struct pollfd pfd = { .fd = fds[0], .events = POLLIN };

	return ppoll(&pfd, 1, NULL, NULL);
}

static long do_select(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fds[0], &set);
	return select(fds[0] + 1, &set, NULL, NULL, NULL);
}

static long do_sigsuspend(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigsuspend(&none);
}

static long do_sigtimedwait(void)
{
	struct timespec span = { 20, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_OK(sigprocmask(SIG_BLOCK, &set, NULL));
	return sigtimedwait(&set, NULL, &span);
}

static pid_t child;

/* The child may be gone. */
static void send_usr2(void)
{
	kill(child, SIGUSR2);
}

static void nothing(void)
{
}

static const struct call {
	const char *name;
	void (*prepare)(void); /* in the parent */
	void (*begin)(void);   /* in the child */
	long (*make)(void);
	void (*end)(void); /* in the parent */
	bool restarts;	   /* with SA_RESTART */
	bool stop_ends;	   /* EINTR by a stop without any handler */
} calls[] = {
	{ "read", nothing, nothing, do_read, give_byte, true, false },
	{ "readv", nothing, nothing, do_readv, give_byte, true, false },
	{ "write", fill_pipe, nothing, do_write, empty_pipe, true, false },
	{ "wait4", nothing, begin_grandchild, do_wait4, give_byte, true, false },
	{ "waitid", nothing, begin_grandchild, do_waitid, give_byte, true, false },
	{ "open", nothing, nothing, do_open_fifo, open_other_end, true, false },
	{ "flock", lock_it, nothing, do_flock, unlock_it, true, false },
	{ "F_SETLKW", set_lock, nothing, do_setlkw, drop_lock, true, false },
	{ "nanosleep", nothing, nothing, do_nanosleep, nothing, false, false },
	{ "clock_nanosleep", nothing, nothing, do_sleep_until, nothing, false, false },
	{ "poll", nothing, nothing, do_poll, give_byte, false, false },
	{ "ppoll", nothing, nothing, do_ppoll, give_byte, false, false },
	{ "select", nothing, nothing, do_select, give_byte, false, false },
	{ "sigtimedwait", nothing, nothing, do_sigtimedwait, send_usr2, false, true },
};

/* ---- the test of one ---- */

static void set_up(const struct call *call)
{
	CHECK_OK(pipe(fds));
	CHECK_OK(pipe(told));
	strcpy(lock_file, tmp_path("restart"));
	file = CHECK_OK(open(lock_file, O_CREAT | O_RDWR, 0600));
	call->prepare();
}

static void tear_down(void)
{
	close(fds[0]);
	close(fds[1]);
	close(told[0]);
	close(file);
	CHECK_OK(unlink(lock_file));
}

/* The child: exits with 0 when the call succeeded, 1 for EINTR. */
static void be_child(const struct call *call, int flags)
{
	struct sigaction action = { .sa_handler = tell, .sa_flags = flags };
	long result;

	CHECK_OK(sigaction(SIGUSR1, &action, NULL));
	call->begin();
	CHECK_EQ(write(told[1], "b", 1), 1);
	result = call->make();
	if (result < 0)
		CHECK_EQ(errno, EINTR);
	_exit(result < 0);
}

static void begin(const struct call *call, int flags)
{
	char byte;

	set_up(call);
	child = CHECK_OK(fork());
	if (child == 0)
		be_child(call, flags);
	CHECK_OK(close(told[1])); /* a child that fails is the end of the pipe */
	CHECK_EQ(read(told[0], &byte, 1), 1);
	wait_until_asleep(child);
}

static void finish(const struct call *call, bool fails)
{
	int status;

	if (!fails)
		call->end();
	CHECK_EQ(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != fails)
		test_fail(__FILE__, __LINE__, "%s: expected %s, got status %x", call->name,
			  fails ? "EINTR" : "success", status);
	if (fails) /* for those that still wait */
		call->end();
	tear_down();
	test_progress();
}

static void with_handler(int flags)
{
	char byte;

	strcpy(fifo, tmp_path("fifo"));
	CHECK_OK(mkfifo(fifo, 0600));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		const struct call *call = &calls[i];
		bool fails = !flags || !call->restarts;

		if (fails && call->make == do_open_fifo)
			continue; /* nobody would be there to open the other end */
		begin(call, flags);
		CHECK_OK(kill(child, SIGUSR1));
		CHECK_EQ(read(told[0], &byte, 1), 1);
		finish(call, fails);
	}
	CHECK_OK(unlink(fifo));
}

TEST(with_sa_restart)
{
	with_handler(SA_RESTART);
}

TEST(without_sa_restart)
{
	signal(SIGPIPE, SIG_IGN);
	with_handler(0);
}

TEST(stopped_and_continued)
{
	int status;

	strcpy(fifo, tmp_path("fifo"));
	CHECK_OK(mkfifo(fifo, 0600));
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		begin(&calls[i], 0);
		CHECK_OK(kill(child, SIGSTOP));
		CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
		CHECK(WIFSTOPPED(status));
		CHECK_OK(kill(child, SIGCONT));
		finish(&calls[i], calls[i].stop_ends);
	}
	CHECK_OK(unlink(fifo));
}

/* ---- what is told of the rest ---- */

TEST(nanosleep_tells_what_is_left)
{
	struct timespec span = { 100, 0 }, left = { 0, 0 };
	pid_t pid;

	on_signal(SIGUSR1, SA_RESTART);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		wait_until_asleep(getppid());
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	CHECK_ERRNO(nanosleep(&span, &left), EINTR);
	CHECK_RANGE(left.tv_sec, 60, 99);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(signal_calls, 1);
	/* The call is over: there is nothing to go on with. */
	CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
}

TEST(pause_ends_with_its_handler)
{
	pid_t pid;

	on_signal(SIGUSR1, SA_RESTART);
	signal_mask(SIG_BLOCK, SIGUSR1);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK_EQ(do_sigsuspend(), -1);
	CHECK_EQ(errno, EINTR);
	CHECK_EQ(signal_calls, 1);
	CHECK_EXIT(pid, 0);
}

/* What was done before the signal counts, and the handler runs after it. */
TEST(a_partial_write_is_no_error)
{
	static char pages[64 * PAGE_SIZE];
	long capacity = 0;
	pid_t pid;

	CHECK_OK(pipe(fds));
	fill_pipe();
	while (true) {
		int flags = CHECK_OK(fcntl(fds[0], F_SETFL, O_NONBLOCK));
		long n = read(fds[0], pages, sizeof(pages));

		CHECK_EQ(flags, 0);
		if (n <= 0)
			break;
		capacity += n;
	}
	on_signal(SIGUSR1, SA_RESTART);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		wait_until_asleep(getppid());
		CHECK_OK(kill(getppid(), SIGUSR1));
		_exit(0);
	}
	CHECK_EQ(write(fds[1], pages, sizeof(pages)), capacity);
	CHECK_EQ(signal_calls, 1);
	CHECK_EXIT(pid, 0);
}
