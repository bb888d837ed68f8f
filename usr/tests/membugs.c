/*
 * membugs.c - each bug of membugs(1) does what docs/membugs.md says, plain and in the debugging
 * modes of libumalloc, with which the program is linked, natively too.
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

/* @mode: what UMALLOC is set to, or "" for plain. */
static void run_bug(const char *mode, const char *nr)
{
	char text[64];

	tools_path();
	if (*mode)
		setenv("UMALLOC", mode, 1);
	else
		unsetenv("UMALLOC");
	snprintf(text, sizeof(text), "membugs %s 2>&1", nr);
	CHECK_EQ(run_line(text, output, sizeof(output)), 0);
	snprintf(text, sizeof(text), "  malloc: libumalloc, %s%s\n",
		 *mode ? "UMALLOC=" : "as usual", mode);
	must_say(text);
	must_say("\n--- ");
}

/* What allocators do not see to is the same in each of these. */
static const char *const modes[] = { "", "check", "fence" };

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
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "1");
		must_say("SIGSEGV at 0x2a, from pc");
		must_say("SEGV_MAPERR: no area holds the address\n  above: ");
		must_say("--- killed by SIGSEGV");
		kernel_says("store to 0x2a at pc");
	}
}

TEST(bug_2_uninitialised_read)
{
	run_bug("", "2");
	CHECK_EQ(number_before(" of 8 sums are wrong"), 7);
	must_say("y[1] = 1002, wrong");
	must_say("--- exited with status 0");
}

TEST(bug_2_in_a_mode)
{
	for (size_t i = 1; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "2");
		CHECK_EQ(number_before(" of 8 sums are wrong"), 8);
		must_say("y[0] = -842150450, wrong"); /* 0xcdcdcdcd + 1 */
		must_say("--- exited with status 0");
	}
}

TEST(bug_3_stack_buffer)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "3");
		must_say("a line of 64 bytes is in a buffer of 16");
		CHECK(!says("returned\n"));
		must_say("--- killed by SIG"); /* on the host SEGV, or ABRT of a stack protector */
		if (!on_ravel())
			continue;
		must_say("SIGSEGV at 0x4141414141414140, from pc 0x4141414141414140");
		must_say("--- killed by SIGSEGV");
		kernel_says("fetch from 0x4141414141414140");
	}
}

/* free() believes what was stored over the head of a block, and faults. */
static void must_crash_in_free(void)
{
	must_say("freeing all of it ...\nSIGSEGV at 0x");
	must_say("--- killed by SIGSEGV");
	kernel_says("load from");
}

/* The guard behind the array is found changed when the first of the blocks is freed. */
static void must_find_the_overrun(const char *which)
{
	must_say("freeing all of it ...\numalloc: a store behind the end of a block: 0x");
	must_say(which);
	must_say("\n  allocated at 0x");
	must_say("\n  found by the call at 0x");
	must_say("--- killed by SIGABRT");
}

/* The fence is hit by the store itself: nothing is freed any more. */
static void must_hit_the_fence(const char *which)
{
	must_say("SEGV_ACCERR: the area forbids it\n  area:  ");
	must_say("umalloc: access behind the end of a block\n  0x");
	must_say(which);
	must_say("\n  allocated at 0x");
	must_say("--- killed by SIGSEGV");
	kernel_says("(SEGV_ACCERR)");
	CHECK(!says("freeing all of it"));
}

TEST(bug_4_pointer_size)
{
	run_bug("", "4");
	must_say(": 220 bytes behind it");
	CHECK(number_before(" of 55 rows are damaged") > 0);
	must_crash_in_free();
}

TEST(bug_4_in_a_mode)
{
	run_bug("check", "4");
	CHECK(number_before(" of 55 rows are damaged") > 0);
	must_find_the_overrun(" is 0 bytes behind the end of the block 0x");
	must_say(" of 220 bytes\n");
	run_bug("fence", "4");
	must_hit_the_fence(" is 4 bytes behind the end of the block 0x");
	must_say(" of 220 bytes\n");
}

TEST(bug_5_off_by_one)
{
	run_bug("", "5");
	must_say(", 440 bytes may be used");
	must_say(": 8 bytes behind it");
	CHECK_EQ(number_before(" of 55 rows are damaged"), 0);
	must_crash_in_free();
}

TEST(bug_5_in_a_mode)
{
	run_bug("check", "5");
	CHECK_EQ(number_before(" of 55 rows are damaged"), 0);
	must_find_the_overrun(" is 0 bytes behind the end of the block 0x");
	must_say(" of 440 bytes\n");
	run_bug("fence", "5");
	must_hit_the_fence(" is 0 bytes behind the end of the block 0x");
	must_say(" of 440 bytes\n");
}

TEST(bug_6_operator_precedence)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "6");
		must_say("is told of 1000 values");
		must_say("the size is 4, should be 1");
		must_say("--- exited with status 0");
	}
}

TEST(bug_7_pointer_arithmetic)
{
	unsigned long start, end, fault;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "7");
		must_say("ints from");
		must_say("SIGSEGV at ");
		CHECK_EQ(sscanf(strstr(output, "ints from"), "ints from %lx to %lx", &start, &end),
			 2);
		CHECK_EQ(sscanf(strstr(output, "SIGSEGV at"), "SIGSEGV at %lx", &fault), 1);
		CHECK_EQ(end - start, PAGE_SIZE);
		CHECK_EQ(fault, end);
		must_say("SEGV_MAPERR");
		must_say("--- killed by SIGSEGV");
		kernel_says("load from");
	}
}

TEST(bug_8_dangling_stack_address)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		run_bug(modes[i], "8");
		must_say("at once 42 is there, after a call of another function 5,");
		must_say("a local variable of another function is 99 now, was 7");
		must_say("--- exited with status 0");
	}
}

TEST(bug_9_use_after_free)
{
	run_bug("", "9");
	must_say(": the same block");
	CHECK_EQ(number_before(" of 50 values of y"), 50);
	must_say("--- exited with status 0");
}

TEST(bug_9_in_a_mode)
{
	run_bug("check", "9");
	must_say(": another one");
	CHECK_EQ(number_before(" of 50 values of y"), 0);
	must_say("umalloc: a store into a block that is free: 0xde\n  0x");
	must_say(" is byte 0 of the block 0x");
	must_say(" of 200 bytes\n  allocated at 0x");
	must_say("\n  freed at 0x");
	must_say("--- killed by SIGABRT");
	run_bug("fence", "9");
	must_say(": another one");
	must_say("umalloc: use of a block that is free\n  0x");
	must_say(" is byte 0 of the block 0x");
	must_say(" of 200 bytes\n  allocated at 0x");
	must_say("\n  freed at 0x");
	must_say("--- killed by SIGSEGV");
	kernel_says("load from");
	CHECK(!says(" of 50 values of y"));
}

TEST(bug_10_leak)
{
	run_bug("", "10");
	CHECK_RANGE(number_before(" KiB are lost"), 3800, 6000);
	CHECK(!says("umalloc: "));
	must_say("--- exited with status 0");
}

TEST(bug_10_in_a_mode)
{
	static const char *const with_leaks[] = { "leaks", "fence,leaks" };

	for (size_t i = 0; i < ARRAY_LEN(with_leaks); i++) {
		run_bug(with_leaks[i], "10");
		must_say("\n  4000000 bytes in 1000 blocks allocated at 0x");
		must_say(" blocks are still in use\n");
		must_say("--- exited with status 0");
	}
}
