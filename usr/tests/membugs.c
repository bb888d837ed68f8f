/*
 * membugs.c - each bug of membugs(1) does what docs/membugs.md says. What an allocator makes of
 * one is its own affair, so that is checked where the C library's is in use.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

static char output[16384];

static bool says(const char *text)
{
	return strstr(output, text);
}

static void must_say(const char *text)
{
	if (!says(text))
		test_fail(__FILE__, __LINE__, "expected \"%s\" in:\n%s", text, output);
}

/* The number that stands before @text. */
static long long number_before(const char *text)
{
	const char *at = strstr(output, text);

	if (!at)
		test_fail(__FILE__, __LINE__, "expected \"%s\" in:\n%s", text, output);
	while (at > output && (at[-1] == ' ' || (at[-1] >= '0' && at[-1] <= '9')))
		at--;
	return strtoll(at, NULL, 10);
}

static void run_bug(const char *nr)
{
	char command[64];

	tools_path();
	unsetenv("UMALLOC");
	snprintf(command, sizeof(command), "membugs %s 2>&1", nr);
	CHECK_EQ(run_line(command, output, sizeof(output)), 0);
	must_say("\n--- ");
}

static bool is_libc(void)
{
	return says("malloc: the C library's");
}

/* On Ravel: what the kernel wrote about the last fault. */
static void kernel_says(const char *text)
{
	static char log[4096];

	if (!on_ravel())
		return;
	CHECK_EQ(run_line("dmesg | grep 'membugs.*pc' | tail -n 1", log, sizeof(log)), 0);
	if (!strstr(log, text))
		test_fail(__FILE__, __LINE__, "expected \"%s\" in:\n%s", text, log);
}

TEST(a_list_without_arguments)
{
	tools_path();
	CHECK_EQ(run_line("membugs", output, sizeof(output)), 0);
	must_say("\n10  a leak");
	CHECK_EQ(run_line("membugs 11", output, sizeof(output)), 1);
	must_say("usage: membugs");
}

TEST(bug_1_bad_pointer)
{
	run_bug("1");
	must_say("SIGSEGV at 0x2a, from pc");
	must_say("SEGV_MAPERR: no area holds the address\n  above: ");
	must_say("--- killed by SIGSEGV");
	kernel_says("store to 0x2a at pc");
}

TEST(bug_2_uninitialised_read)
{
	run_bug("2");
	CHECK_RANGE(number_before(" of 8 sums are wrong"), 1, 8);
	must_say("--- exited with status 0");
}

TEST(bug_3_stack_buffer)
{
	run_bug("3");
	must_say("a line of 64 bytes is in a buffer of 16");
	CHECK(!says("returned\n"));
	if (!on_ravel()) {
		must_say("--- killed by SIG"); /* SEGV, or ABRT of a stack protector */
		return;
	}
	must_say("SIGSEGV at 0x4141414141414140, from pc 0x4141414141414140");
	must_say("--- killed by SIGSEGV");
	kernel_says("fetch from 0x4141414141414140");
}

TEST(bug_4_pointer_size)
{
	run_bug("4");
	must_say(": 220 bytes behind it");
	CHECK(number_before(" of 55 rows are damaged") > 0);
	if (is_libc())
		must_say("--- killed by SIGABRT");
}

TEST(bug_5_off_by_one)
{
	run_bug("5");
	must_say(": 8 bytes behind it");
	if (is_libc()) {
		must_say(", 440 bytes may be used");
		must_say("--- killed by SIGABRT");
	}
}

TEST(bug_6_operator_precedence)
{
	run_bug("6");
	must_say("is told of 1000 values");
	must_say("the size is 4, should be 1");
}

TEST(bug_7_pointer_arithmetic)
{
	unsigned long start, end, fault;

	run_bug("7");
	CHECK_EQ(sscanf(strstr(output, "ints from"), "ints from %lx to %lx", &start, &end), 2);
	must_say("SIGSEGV at ");
	CHECK_EQ(sscanf(strstr(output, "SIGSEGV at"), "SIGSEGV at %lx", &fault), 1);
	CHECK_EQ(end - start, PAGE_SIZE);
	CHECK_EQ(fault, end);
	must_say("SEGV_MAPERR");
	must_say("--- killed by SIGSEGV");
	kernel_says("load from");
}

TEST(bug_8_dangling_stack_address)
{
	run_bug("8");
	must_say("at once 42 is there, after a call of another function 5,");
	must_say("a local variable of another function is 99 now, was 7");
}

TEST(bug_9_use_after_free)
{
	run_bug("9");
	if (is_libc())
		must_say(": the same block");
	CHECK_EQ(number_before(" of 50 values of y"), says(": the same block") ? 50 : 0);
}

TEST(bug_10_leak)
{
	run_bug("10");
	CHECK_RANGE(number_before(" KiB are lost"), 3800, 6000);
}
