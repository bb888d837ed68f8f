/*
 * test.c - main() of every test program: runs the TESTs, prints KTAP, watches memory.
 *
 *	main ── fork ──> TEST in its own process group ── fork ──> blocks of CHECK_SIGNAL ...
 *	  │  <── result pipe: '.' progress, 'S reason' skipped ──┘
 *	  └── waits with a limit of inactivity, compares memory, runs vm_check_all()
 *
 * Invariants: the parent allocates nothing between the two memory snapshots of a TEST; all output
 * is whole lines in one write(), so that lines of several processes do not mix.
 * Locks: none; the parent is single threaded and installs no signal handler.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "usr/lib/testmem.h"
#include "usr/lib/testutil.h"

#define STATUS_SKIP   77
#define RESULT_FD_MIN 100
/* Less than the host waits for output before it calls the whole machine hung. */
#define INACTIVITY_NS 45000000000ULL
#define DEBUG_SLOWER  4 /* so many times: the debug kernel, which has a /proc/lockdep */
#define LINE_SIZE     1024

static struct test_case *tests, **tests_end = &tests;
static struct test_child *children;
static uint64_t seed, random_state;
static char skip_reason[200];
static int result_fd = -1;

void test_register(struct test_case *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void test_register_child(struct test_child *child)
{
	child->next = children;
	children = child;
}

static void write_all(const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(1);
		text += n;
		length -= n;
	}
}

/* Print prefix, the formatted text and a newline in one write; longer lines are cut. */
static void say_prefixed(const char *prefix, const char *format, va_list args)
{
	char line[LINE_SIZE];
	int length = snprintf(line, sizeof(line), "%s", prefix);

	length += vsnprintf(line + length, sizeof(line) - length, format, args);
	if (length > LINE_SIZE - 2)
		length = LINE_SIZE - 2;
	line[length++] = '\n';
	write_all(line, length);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_prefixed("", format, args);
	va_end(args);
}

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_prefixed("# ", format, args);
	va_end(args);
}

static void say_repeat(void)
{
	test_note("repeat: make test TEST=%s SEED=%llu SMP=%d", program_invocation_short_name,
		  (unsigned long long)seed, test_harts());
}

void test_fail(const char *file, int line, const char *format, ...)
{
	char prefix[160];
	va_list args;

	snprintf(prefix, sizeof(prefix), "# %s:%d: ", file, line);
	va_start(args, format);
	say_prefixed(prefix, format, args);
	va_end(args);
	say_repeat();
	_exit(1);
}

void test_check_eq(const char *file, int line, const char *expr, long long got, long long expected,
		   int saved_errno)
{
	if (got == expected)
		return;
	if (got == -1)
		test_fail(file, line, "expected %lld, got -1 errno %d %s (%s)", expected,
			  saved_errno, strerrorname_np(saved_errno), expr);
	test_fail(file, line, "expected %lld (0x%llx), got %lld (0x%llx) (%s)", expected, expected,
		  got, got, expr);
}

void test_check_errno(const char *file, int line, const char *expr, long long got, int saved_errno,
		      int expected)
{
	const char *name = strerrorname_np(expected);

	if (got != -1)
		test_fail(file, line, "expected -1 %s, got %lld (0x%llx) (%s)", name, got, got,
			  expr);
	if (saved_errno != expected)
		test_fail(file, line, "expected %s, got errno %d %s (%s)", name, saved_errno,
			  strerrorname_np(saved_errno), expr);
}

void test_check_string(const char *file, int line, const char *expr, const char *got,
		       const char *expected)
{
	if (strcmp(got, expected))
		test_fail(file, line, "expected \"%s\", got \"%s\" (%s)", expected, got, expr);
}

/* Describe a wait status in words. */
static const char *status_words(int status, char *words, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(words, size, "killed by signal %d SIG%s", WTERMSIG(status),
			 sigabbrev_np(WTERMSIG(status)));
	else if (WIFEXITED(status))
		snprintf(words, size, "exit %d", WEXITSTATUS(status));
	else
		snprintf(words, size, "wait status 0x%x", status);
	return words;
}

static int wait_for(const char *file, int line, pid_t pid)
{
	int status;
	pid_t got;

	do {
		got = waitpid(pid, &status, 0);
	} while (got < 0 && errno == EINTR);
	if (got != pid)
		test_fail(file, line, "expected waitpid to return %d, got %d errno %d", pid, got,
			  errno);
	return status;
}

void test_check_signal(const char *file, int line, pid_t pid, int signal)
{
	char words[64];
	int status = wait_for(file, line, pid);

	if (!WIFSIGNALED(status) || WTERMSIG(status) != signal)
		test_fail(file, line, "expected death by SIG%s, got %s", sigabbrev_np(signal),
			  status_words(status, words, sizeof(words)));
}

void test_check_exit(const char *file, int line, pid_t pid, int expected)
{
	char words[64];
	int status = wait_for(file, line, pid);

	if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
		test_fail(file, line, "expected exit %d of the child, got %s", expected,
			  status_words(status, words, sizeof(words)));
}

void test_skip(const char *reason)
{
	char message[200];
	int length = snprintf(message, sizeof(message), "S%s", reason);

	if (write(result_fd, message, length) != length)
		_exit(1);
	_exit(STATUS_SKIP);
}

void test_progress(void)
{
	ssize_t ignored = write(result_fd, ".", 1);

	(void)ignored;
}

bool on_ravel(void)
{
	static int answer;

	if (!answer)
		answer = access("/proc/self/fail_alloc", F_OK) == 0 ? 1 : 2;
	return answer == 1;
}

uint64_t test_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

void test_pause(unsigned int milliseconds)
{
	struct timespec pause = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

	nanosleep(&pause, NULL);
}

int test_harts(void)
{
	cpu_set_t set;
	int harts;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return 1;
	harts = CPU_COUNT(&set);
	return harts > 0 ? harts : 1;
}

uint64_t test_seed(void)
{
	return seed;
}

uint64_t test_random(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

uint64_t test_random_below(uint64_t limit)
{
	return test_random() % limit;
}

/* The seed: SEED in the environment, else ravel.seed= on the command line, else the time. */
static uint64_t choose_seed(void)
{
	static char line[2048];
	const char *text = getenv("SEED");
	struct timespec now;

	if (text && *text)
		return strtoull(text, NULL, 0);
	if (read_text("/proc/cmdline", line, sizeof(line)) > 0) {
		text = strstr(line, "ravel.seed=");
		if (text)
			return strtoull(text + strlen("ravel.seed="), NULL, 0);
	}
	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec * 1000000ULL + now.tv_nsec / 1000) % 1000000007ULL;
}

/* Every TEST starts from a state made of the seed and its name, so that it repeats alone. */
static void seed_test(const char *name)
{
	uint64_t state = seed + 0x9e3779b97f4a7c15ULL;

	while (*name)
		state = (state ^ (unsigned char)*name++) * 0x100000001b3ULL;
	random_state = state ? state : 1;
	test_random();
}

/* The child's side of one TEST: never returns. */
static void run_child(struct test_case *test, int result)
{
	struct rlimit core;

	setpgid(0, 0);
	/* Out of the way, so that the TEST sees the low descriptors free. */
	result_fd = fcntl(result, F_DUPFD_CLOEXEC, RESULT_FD_MIN);
	if (result_fd < 0)
		result_fd = result;
	else
		close(result);
	if (!on_ravel() && getrlimit(RLIMIT_CORE, &core) == 0) {
		core.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &core);
	}
	seed_test(test->name);
	test->run();
	_exit(0);
}

/* Take what the child wrote to the result pipe. Returns true when there was anything. */
static bool drain_results(int fd)
{
	char bytes[sizeof(skip_reason)];
	ssize_t n = read(fd, bytes, sizeof(bytes) - 1);
	char *skip;

	if (n <= 0)
		return false;
	bytes[n] = 0;
	skip = strchr(bytes, 'S');
	if (skip)
		strcpy(skip_reason, skip + 1);
	return true;
}

/*
 * Wait for the TEST's child. Returns its status, or -1 after INACTIVITY_NS, on a debug kernel
 * DEBUG_SLOWER times that, without progress.
 */
static int watch_child(pid_t pid, int results)
{
	bool debug = on_ravel() && access("/proc/lockdep", F_OK) == 0;
	uint64_t patience = INACTIVITY_NS * (debug ? DEBUG_SLOWER : 1);
	uint64_t end = test_now() + patience;
	unsigned int pause = 1;
	int status;

	for (;;) {
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (drain_results(results))
			end = test_now() + patience;
		if (got == pid)
			return status;
		if (test_now() > end)
			break;
		test_pause(pause);
		if (pause < 16)
			pause *= 2;
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

/* Run one TEST in a child. Returns its wait status, -1 for a timeout, -2 if it never started. */
static int run_isolated(struct test_case *test)
{
	int results[2], status;
	pid_t pid;

	skip_reason[0] = 0;
	if (pipe2(results, O_CLOEXEC | O_NONBLOCK) < 0)
		return -2;
	pid = fork();
	if (pid == 0) {
		close(results[0]);
		run_child(test, results[1]);
	}
	close(results[1]);
	if (pid < 0) {
		close(results[0]);
		return -2;
	}
	setpgid(pid, pid);
	status = watch_child(pid, results[0]);
	kill(-pid, SIGKILL);
	close(results[0]);
	return status;
}

/* Run TEST number n and print its line. Returns true when it passed or was skipped. */
static bool run_test(struct test_case *test, int n)
{
	char words[64];
	bool memory_ok;
	int status;

	testmem_rest();
	testmem_before();
	status = run_isolated(test);
	memory_ok = testmem_after();
	if (!memory_ok)
		say_repeat();
	if (status == 0 && memory_ok) {
		say("ok %d - %s", n, test->name);
		return true;
	}
	if (status == W_EXITCODE(STATUS_SKIP, 0) && memory_ok) {
		say("ok %d - %s # SKIP %s", n, test->name, skip_reason);
		return true;
	}
	if (status == -1 || status == -2 || WIFSIGNALED(status))
		say_repeat();
	if (status == -1)
		say("not ok %d - %s # timed out", n, test->name);
	else if (status == -2)
		say("not ok %d - %s # could not start", n, test->name);
	else if (status == 0 || status == W_EXITCODE(STATUS_SKIP, 0))
		say("not ok %d - %s # memory or invariants differ", n, test->name);
	else
		say("not ok %d - %s # %s", n, test->name,
		    status_words(status, words, sizeof(words)));
	return false;
}

static void do_nothing(void)
{
}

/* Is this TEST named on the command line (no names: all)? */
static bool is_chosen(const struct test_case *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], test->name))
			return true;
	return argc < 2;
}

static int run_tests(int argc, char **argv)
{
	static struct test_case warm_up = { .name = "warm_up", .run = do_nothing };
	int count = 0, failed = 0, n = 0;

	for (struct test_case *test = tests; test; test = test->next)
		count += is_chosen(test, argc, argv);
	if (!count) {
		test_note("no such test in %s", program_invocation_short_name);
		return 2;
	}
	say("KTAP version 1");
	say("1..%d", count);
	test_note("seed %llu", (unsigned long long)seed);
	/* The first run touches pages and fills caches which no later one will. */
	testmem_before();
	run_isolated(&warm_up);
	testmem_settle();
	for (struct test_case *test = tests; test; test = test->next)
		if (is_chosen(test, argc, argv) && !run_test(test, ++n))
			failed++;
	return failed ? 1 : 0;
}

/* Weak, so that a tool with its own main() can use the same library. */
__attribute__((weak)) int main(int argc, char **argv)
{
	seed = choose_seed();
	if (argc > 1 && !strncmp(argv[1], "--child=", 8)) {
		for (struct test_child *child = children; child; child = child->next)
			if (!strcmp(child->name, argv[1] + 8))
				return child->main(argc, argv);
		return 125;
	}
	return run_tests(argc, argv);
}
