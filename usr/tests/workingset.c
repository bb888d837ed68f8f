/*
 * workingset.c - workingset(1): what it says of a program whose working set is known, and what it
 * does with what it cannot look at; thrash(1); the reference patterns of bench/refpatterns.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "usr/lib/refpattern.h"
#include "usr/lib/testtools.h"
#include "usr/lib/testutil.h"

#define SIZE (4UL << 20) /* bytes of the child: all written, */
#define USED (1UL << 20) /* then these in use */

static char output[16384];

/* Uses USED bytes of SIZE for as long as anybody cares. */
CHILD(uses)
{
	volatile char *p = map_anon(SIZE);

	madvise((void *)p, SIZE, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < SIZE; i += PAGE_SIZE)
		p[i] = 1;
	for (size_t i = 0;; i = (i + PAGE_SIZE) % USED)
		p[i]++;
	return 0;
}

static void check_line(const char *command, const char *expected, int status)
{
	CHECK_EQ(run_line(command, output, sizeof(output)), status);
	CHECK_STRING(output, expected);
}

/* Lines of the output. */
static int count_lines(void)
{
	int lines = 0;

	for (const char *p = output; *p; p++)
		lines += *p == '\n';
	return lines;
}

/* The characters @c in line @number of the output. */
static int count_in_line(int number, char c)
{
	const char *p = output;
	int found = 0;

	for (; number > 0; number--)
		p = strchr(p, '\n') + 1;
	for (; *p && *p != '\n'; p++)
		found += *p == c;
	return found;
}

TEST(what_is_used_and_what_is_resident)
{
	long long average, least, most, resident, peak, delay;
	char command[256];
	const char *totals;
	pid_t pid;

	tools_path();
	pid = spawn_self("uses", NULL, NULL, NULL);
	WAIT_UNTIL(status_kb(pid, "VmRSS") >= (long long)SIZE / 1024);
	snprintf(command, sizeof(command), "workingset -i 50 -n 8 %d", pid);
	CHECK_EQ(run_line(command, output, sizeof(output)), 0);
	CHECK_OK(kill(pid, SIGKILL));
	test_check_signal(__FILE__, __LINE__, pid, SIGKILL);
	CHECK_EQ(count_lines(), 16 + 2 + 3);
	CHECK_EQ(count_in_line(16, '-'), 8);
	totals = strstr(output, "#  used");
	CHECK(totals != NULL);
	CHECK_EQ(sscanf(totals,
			"#  used within %lld ms: %lld K on average, %lld K at least, %lld K at "
			"most\n:  resident: %lld K on average, %lld K at most",
			&delay, &average, &least, &most, &resident, &peak),
		 6);
	CHECK_EQ(delay, 50);
	CHECK(least <= average && average <= most && most <= peak);
	CHECK_RANGE(resident, SIZE / 1024, 2 * SIZE / 1024);
	CHECK(strstr(totals, "\n8 samples in ") != NULL);
	CHECK(most < (long long)SIZE / 1024);
	if (!on_ravel()) /* Linux does not see what a processor has in its TLB */
		return;
	CHECK_RANGE(most, USED / 1024, 2 * USED / 1024);
	/* The bottom row is in use all the time, the row at half the height is only resident. */
	CHECK_EQ(count_in_line(15, '#'), 8);
	CHECK_EQ(count_in_line(8, ':'), 8);
}

TEST(the_status_is_that_of_the_command)
{
	tools_path();
	check_line("workingset -i 3000 sh -c 'exit 7' 2>&1",
		   "workingset: it ended within the first 3000 ms\n", 7);
	check_line("workingset -i 3000 sh -c 'kill -9 $$' 2>/dev/null", "", 128 + SIGKILL);
	check_line("workingset ./nothing 2>&1",
		   "workingset: ./nothing: No such file or directory\n", 127);
	check_line("workingset /etc/passwd 2>&1", "workingset: /etc/passwd: Permission denied\n",
		   126);
}

/* A command goes on when nobody looks any more; what it prints then comes after the chart. */
TEST(a_command_is_waited_for)
{
	tools_path();
	CHECK_EQ(run_line("workingset -n 1 -i 1 sh -c 'sleep 0.3; echo end' | tail -n 1", output,
			  sizeof(output)),
		 0);
	CHECK_STRING(output, "end\n");
}

TEST(what_cannot_be_looked_at)
{
	static const char usage[] =
		"usage: workingset [-i milliseconds] [-n samples] pid | command [argument...]\n";

	tools_path();
	check_line("workingset 4999999 2>&1", "workingset: 4999999: No such process\n", 1);
	check_line("workingset 2>&1", usage, 1);
	check_line("workingset -i 0 1 2>&1", usage, 1);
	check_line("workingset -n 0 1 2>&1", usage, 1);
	check_line("workingset -n 5x 1 2>&1", usage, 1);
}

/* Of the whole demo, which takes its time, what must be so wherever it runs. */
TEST(a_small_set_fits_and_one_that_is_too_large_is_left_out)
{
	static const char usage[] =
		"usage: thrash [-t seconds] [-p loop | random | 80-20 | stack] [percent...]\n";

	tools_path();
	check_line("thrash -t 1 1 | tail -n 1 | grep -c ' fits'", "1\n", 0);
	check_line("thrash -t 1 -p 80-20 100000 | tail -n 1 | grep -c 'left out'", "1\n", 0);
	check_line("thrash -p spiral 2>&1", usage, 1);
	check_line("thrash 10 x 2>&1", usage, 1);
	check_line("thrash 0 2>&1", usage, 1);
}

/* scripts/hosttests.py expects the same of the host's generator. */
TEST(reference_patterns_are_those_that_the_host_makes)
{
	static const struct {
		const char *kind;
		uint64_t check;
	} rows[] = {
		{ "loop", 0xe2a59168b144088 },
		{ "random", 0x4d907a89d24264d7 },
		{ "80-20", 0xe9dfe30141ef64a1 },
		{ "stack", 0x1aa9048aca21033f },
	};
	struct refpattern pattern;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t check = 0;

		CHECK(refpattern_start(&pattern, rows[i].kind, 1000, 7));
		for (int n = 0; n < 10000; n++) {
			uint32_t page = refpattern_next(&pattern);

			CHECK(page < 1000);
			check = refpattern_check(check, page);
		}
		CHECK_EQ(check, rows[i].check);
	}
	CHECK(!refpattern_start(&pattern, "spiral", 1000, 7));
}
