/*
 * test.h - unit tests on the host: each TEST runs in a process of its own, on a fresh machine.
 *
 *	TEST(a_name_that_says_what_holds)
 *	{
 *		CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
 *	}
 *
 * The machine is booted before it with TEST_PAGES of RAM and TEST_HARTS harts, unless the test is a
 * BARE_TEST; after it machine_check_rest() must find nothing. A failing CHECK ends the test.
 */
#ifndef RAVEL_HOST_TEST_H
#define RAVEL_HOST_TEST_H

#include "tests/host/host.h"

#define TEST_PAGES 4096
#define TEST_HARTS 4

struct host_test {
	const char *file, *name;
	void (*fn)(void);
	bool bare;
};

void host_test_add(struct host_test *test);
void host_test_fail(const char *file, int line, const char *fmt, ...) __noreturn __printf(3, 4);

#define HOST_TEST(name_, bare_)                                                                    \
	static void test_##name_(void);                                                            \
	__attribute__((constructor)) static void add_##name_(void)                                 \
	{                                                                                          \
		static struct host_test test = { __FILE__, #name_, test_##name_, bare_ };          \
		host_test_add(&test);                                                              \
	}                                                                                          \
	static void test_##name_(void)

#define TEST(name)	HOST_TEST(name, false)
#define BARE_TEST(name) HOST_TEST(name, true) /* boots the machine itself, or needs none */

#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			host_test_fail(__FILE__, __LINE__, "%s", #cond);                           \
	} while (0)

/* Integers of any type. */
#define CHECK_EQ(got, expected)                                                                    \
	do {                                                                                       \
		long long got_ = (long long)(got), expected_ = (long long)(expected);              \
		if (got_ != expected_)                                                             \
			host_test_fail(__FILE__, __LINE__,                                         \
				       "expected %lld (0x%llx), got %lld "                         \
				       "(0x%llx) (%s)",                                            \
				       expected_, expected_, got_, got_, #got);                    \
	} while (0)

#define CHECK_STRING(got, expected)                                                                \
	do {                                                                                       \
		const char *got_ = (got), *expected_ = (expected);                                 \
		if (__builtin_strcmp(got_, expected_) != 0)                                        \
			host_test_fail(__FILE__, __LINE__, "expected \"%s\", got \"%s\" (%s)",     \
				       expected_, got_, #got);                                     \
	} while (0)

/* The statement panics, and says @words. */
#define CHECK_PANIC(statement, words)                                                              \
	do {                                                                                       \
		const char *said_;                                                                 \
		void run_(void *arg)                                                               \
		{                                                                                  \
			(void)arg;                                                                 \
			statement;                                                                 \
		}                                                                                  \
		said_ = machine_expect_panic(run_, NULL);                                          \
		if (!said_ || !__builtin_strstr(said_, words))                                     \
			host_test_fail(__FILE__, __LINE__, "expected a panic with \"%s\", got %s", \
				       words, said_ ? said_ : "none");                             \
	} while (0)

#endif
