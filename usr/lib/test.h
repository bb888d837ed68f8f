/*
 * test.h - the harness of Ravel's tests: KTAP out, one forked child per TEST.
 *
 *	#include "usr/lib/test.h"
 *
 *	TEST(answer)
 *	{
 *		CHECK_EQ(6 * 7, 42);
 *	}
 *
 * The library supplies main().  Each TEST runs in a child with its own process group, so that a
 * crash, a lost signal mask or a stray mapping ends with it.  A failing check prints where, what
 * was expected and what came, says how to repeat it, and ends the TEST.  On Ravel the harness
 * also compares free memory and object counts from before and after, and runs vm_check_all().
 *
 * The same program runs on the host's Linux as the oracle: what passes here and fails there is a
 * wrong test.  on_ravel() tells the two apart where a promise is Ravel's alone.
 *
 * Locks: none.  Reporting uses write() on a stack buffer only, so that checks work in a child that
 * shares its memory with another task.
 */
#ifndef RAVEL_USR_LIB_TEST_H
#define RAVEL_USR_LIB_TEST_H

/* Include this header first: glibc then declares all it has. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_SIZE    4096UL
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Addresses that no program of Ravel may use, and that Linux on the host refuses as well. */
#define KERNEL_ADDRESS 0xffffffc080200000UL
#define USER_TOP       0x4000000000UL

struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
};

struct test_child {
	const char *name;
	int (*main)(int argc, char **argv);
	struct test_child *next;
};

void test_register(struct test_case *test);
void test_register_child(struct test_child *child);

/* TEST(name) { body }: one test of this program, run in the order of the file. */
#define TEST(id)                                                                                   \
	static void test_##id(void);                                                               \
	static struct test_case case_##id = { .name = #id, .run = test_##id };                     \
	__attribute__((constructor)) static void register_##id(void)                               \
	{                                                                                          \
		test_register(&case_##id);                                                         \
	}                                                                                          \
	static void test_##id(void)

/*
 * CHILD(name) { body }: what this program does when it is executed with the first argument
 * "--child=name"; the body sees argc and argv and returns the exit status.
 */
#define CHILD(id)                                                                                  \
	static int child_##id(int argc, char **argv);                                              \
	static struct test_child entry_##id = { .name = #id, .main = child_##id };                 \
	__attribute__((constructor)) static void register_child_##id(void)                         \
	{                                                                                          \
		test_register_child(&entry_##id);                                                  \
	}                                                                                          \
	static int child_##id(int argc __attribute__((unused)), char **argv __attribute__((unused)))

/* The checks below end the calling process with status 1 when they fail. */
void test_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void test_check_eq(const char *file, int line, const char *expr, long long got, long long expected,
		   int saved_errno);
void test_check_errno(const char *file, int line, const char *expr, long long got, int saved_errno,
		      int expected);
void test_check_string(const char *file, int line, const char *expr, const char *got,
		       const char *expected);
void test_check_signal(const char *file, int line, pid_t pid, int signal);
void test_check_exit(const char *file, int line, pid_t pid, int status);
void test_skip(const char *reason) __attribute__((noreturn));

/* CHECK(condition) */
#define CHECK(cond)                                                                                \
	((cond) ? (void)0 : test_fail(__FILE__, __LINE__, "expected true, got false (%s)", #cond))

/* CHECK_EQ(got, expected): two numbers or pointers; a -1 is shown with its errno. */
#define CHECK_EQ(got, expected)                                                                    \
	do {                                                                                       \
		long long check_got = (long long)(got);                                            \
		test_check_eq(__FILE__, __LINE__, #got, check_got, (long long)(expected), errno);  \
	} while (0)

/* CHECK_RANGE(got, low, high): low <= got <= high. */
#define CHECK_RANGE(got, low, high)                                                                \
	do {                                                                                       \
		long long range_got = (long long)(got), range_low = (long long)(low),              \
			  range_high = (long long)(high);                                          \
		if (range_got < range_low || range_got > range_high)                               \
			test_fail(__FILE__, __LINE__, "expected %lld..%lld, got %lld (%s)",        \
				  range_low, range_high, range_got, #got);                         \
	} while (0)

#define CHECK_STRING(got, expected) test_check_string(__FILE__, __LINE__, #got, (got), (expected))

/* CHECK_OK(call): a call that must not return -1; the value of the expression is its result. */
#define CHECK_OK(call)                                                                             \
	({                                                                                         \
		__auto_type check_result = (call);                                                 \
		if ((long)check_result == -1)                                                      \
			test_fail(__FILE__, __LINE__, "expected success, got errno %d %s (%s)",    \
				  errno, strerrorname_np(errno), #call);                           \
		check_result;                                                                      \
	})

/* CHECK_ERRNO(call, errno): the call returns -1 and sets this errno. */
#define CHECK_ERRNO(call, expected)                                                                \
	do {                                                                                       \
		errno = 0;                                                                         \
		long long errno_got = (long long)(call);                                           \
		test_check_errno(__FILE__, __LINE__, #call, errno_got, errno, (expected));         \
	} while (0)

/* CHECK_SIGNAL({ block }, signal): the block, run in a forked child, dies by this signal. */
#define CHECK_SIGNAL(block, signal)                                                                \
	do {                                                                                       \
		pid_t signal_pid = CHECK_OK(fork());                                               \
		if (signal_pid == 0) {                                                             \
			block;                                                                     \
			_exit(0);                                                                  \
		}                                                                                  \
		test_check_signal(__FILE__, __LINE__, signal_pid, (signal));                       \
	} while (0)

/* CHECK_EXIT(pid, status): wait for this child; it must exit with this status. */
#define CHECK_EXIT(pid, status) test_check_exit(__FILE__, __LINE__, (pid), (status))

/* CHECK_CHILD({ block }): run the block, with its checks, in a forked child that must pass. */
#define CHECK_CHILD(...)                                                                           \
	do {                                                                                       \
		pid_t block_pid = CHECK_OK(fork());                                                \
		if (block_pid == 0) {                                                              \
			__VA_ARGS__;                                                               \
			_exit(0);                                                                  \
		}                                                                                  \
		test_check_exit(__FILE__, __LINE__, block_pid, 0);                                 \
	} while (0)

/* WAIT_UNTIL(condition): poll until it holds; the TEST fails after 30 s in which it did not. */
#define WAIT_UNTIL(cond)                                                                           \
	do {                                                                                       \
		uint64_t wait_end = test_now() + 30000000000ULL;                                   \
		while (!(cond)) {                                                                  \
			if (test_now() > wait_end)                                                 \
				test_fail(__FILE__, __LINE__, "expected within 30 s: %s", #cond);  \
			test_pause(1);                                                             \
		}                                                                                  \
	} while (0)

/* SKIP(reason): end this TEST as skipped. */
#define SKIP(reason) test_skip(reason)

/* Print one diagnostic line, "# ..." . */
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Tell the watchdog that a long TEST still makes progress. */
void test_progress(void);

/* Does this program run on Ravel (true) or on Linux (false)? */
bool on_ravel(void);

/* Monotonic time in nanoseconds, and a poll's pause in milliseconds. */
uint64_t test_now(void);
void test_pause(unsigned int milliseconds);

/* The number of harts that are online, at least 1. */
int test_harts(void);

/* Seeded random numbers: the whole 64 bits, or 0 .. limit - 1. */
uint64_t test_random(void);
uint64_t test_random_below(uint64_t limit);
uint64_t test_seed(void);

#endif
