/*
 * demos.c - gcdemo and factorial print what docs/gc.md and docs/factorial.md say.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

static char output[32768];

static void run_demo(const char *command)
{
	tools_path();
	test_progress();
	CHECK_EQ(run_line(command, output, sizeof(output)), 0);
}

static int count(const char *text)
{
	int nr = 0;

	for (const char *at = output; (at = strstr(at, text)); at++)
		nr++;
	return nr;
}

/* The first number behind @text. */
static long long number_behind(const char *text)
{
	const char *at = strstr(output, text);

	if (!at)
		test_fail(__FILE__, __LINE__, "expected \"%s\" in:\n%s", text, output);
	at += strlen(text);
	return strtoll(at + strcspn(at, "0123456789"), NULL, 10);
}

TEST(gcdemo_graph)
{
	run_demo("gcdemo graph");
	CHECK_EQ(count("  data 0x"), 3 + 2 + 2);
	CHECK_EQ(count("32 bytes, t"), 7 + 7 + 4);
	CHECK_EQ(count("32 bytes, c"), 3 + 3);
	CHECK_EQ(count("32 bytes, l"), 3 + 3 + 3);
	CHECK_EQ(count(", garbage"), 6);
	CHECK(strstr(output, "It freed 6 blocks, 192 bytes."));
}

TEST(gcdemo_dot)
{
	run_demo("gcdemo dot");
	CHECK_EQ(count("digraph heap {\n"), 1);
	CHECK_EQ(count("fillcolor=grey"), 6);
	CHECK_EQ(count("label=\"data"), 2);
	CHECK_STRING(output + strlen(output) - 3, "\n}\n");
}

TEST(gcdemo_churn)
{
	run_demo("gcdemo churn 20");
	CHECK_EQ(count("\n"), 1 + 20 + 2);
	CHECK_RANGE(number_behind("  20 "), 10000, 20000); /* allocated */
	CHECK_RANGE(number_behind("All forgotten: the last collection freed"), 100, 5000);
	CHECK_RANGE(number_behind("system;"), 0, 5);
}

TEST(gcdemo_deep)
{
	run_demo("gcdemo deep 200000");
	CHECK_EQ(number_behind("A list of 200000 cells:"), 200000);
	CHECK_RANGE(number_behind("at most"), 1, 10);
	CHECK_EQ(number_behind("room for one entry:"), 201023);
	CHECK_RANGE(number_behind("scanned"), 2, 2000);
	CHECK_RANGE(number_behind("Both forgotten:"), 0, 5);
}

TEST(gcdemo_tricks)
{
	static const struct {
		const char *line;
		int least;
	} tricks[] = {
		{ "is no pointer)", 0 }, { "to be its address", 1 },   { "to a member", 1 },
		{ "local variable", 1 }, { "by gc_add_roots()", 100 }, { "nobody looks there", 0 },
	};

	run_demo("gcdemo tricks");
	for (size_t i = 0; i < ARRAY_LEN(tricks); i++)
		CHECK_RANGE(number_behind(tricks[i].line), tricks[i].least, tricks[i].least + 5);
}

/* The first column of a row of factorial's table is the stack's area, then what is resident. */
static long long resident(const char *row)
{
	char title[64];

	snprintf(title, sizeof(title), "%s", row);
	number_behind(title);
	return strtoll(strstr(strstr(output, row), "KiB") + 3, NULL, 10);
}

TEST(factorial_a_million_deep)
{
	long long frame;

	run_demo("factorial");
	CHECK_EQ(number_behind("factorial(1000000) mod 1000000007 ="), 641102369);
	frame = number_behind("with frames of");
	CHECK_RANGE(frame, 16, 128);
	CHECK_RANGE(resident("\nbefore  "), 4, 200);
	/* It grew by a million frames, and is no smaller afterwards. */
	CHECK_RANGE(resident("at the deepest call"), frame * 1000000 / 1024,
		    frame * 1000000 / 1024 + 300);
	CHECK(resident("after the last return") >= resident("at the deepest call"));
}

/* What the kernel says it got back: /proc/exits. */
TEST(factorial_gives_its_stack_back)
{
	if (!on_ravel())
		SKIP("/proc/exits is Ravel's");
	run_demo("factorial 300000");
	/* pid, code, peak, anon: the third number behind the pid's. */
	char *at = strstr(output, "comm\n");
	long long values[4];

	CHECK(at);
	CHECK_EQ(sscanf(at + 5, "%lld %lld %lld %lld", &values[0], &values[1], &values[2],
			&values[3]),
		 4);
	CHECK_EQ(values[1], 0);
	CHECK(values[3] * 4 >= resident("after the last return"));
}

/* ps and pmap, which -p runs at the deepest call: the child's stack has grown, the parent's not. */
TEST(factorial_seen_by_ps_and_pmap)
{
	const long long grown = 300000 * 16 / 1024; /* KiB, of the smallest frames there are */
	long long stack, resident, small = 0, large = 0, mapped = 0;
	int command;

	run_demo("factorial -p 300000 2>&1 | grep -e factorial -e stack");
	for (char *line = output, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		command = 0;
		if (sscanf(line, "%*d %*d %*s %*s %*d %*d %*s %*d %*d %lld %*d %n", &stack,
			   &command) == 1 &&
		    strncmp(line + command, "factorial -p", 12) == 0)
			*(stack < grown ? &small : &large) = stack;
		if (strstr(line, "[ stack ]") &&
		    sscanf(line, "%*x %lld %lld", &mapped, &resident) != 2)
			test_fail(__FILE__, __LINE__, "no row of pmap -x: %s", line);
	}
	CHECK_RANGE(small, 4, 300);
	CHECK_RANGE(large, grown, 300000 * 128 / 1024);
	CHECK_RANGE(mapped, large, large + 4);
	CHECK_RANGE(resident, grown, mapped);
}

TEST(factorial_says_what_is_wrong)
{
	tools_path();
	CHECK_EQ(run_line("factorial 0", output, sizeof(output)), 1);
	CHECK(strstr(output, "usage: factorial"));
	CHECK_EQ(run_line("ulimit -Hs 8192; factorial", output, sizeof(output)), 1);
	CHECK(strstr(output, "cannot raise it to"));
}
