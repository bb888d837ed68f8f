/*
 * mallocbench.c - mallocbench replays a recording: its tables, and its last line.
 *
 * ravel-only: natively `make test-umalloc` runs it, on every trace. Time is a real clock's here, so
 * only utilisation can be judged.
 */
#include "usr/lib/test.h"

#include <stdio.h>

#include "usr/lib/testtools.h"

#define TRACE "/bench/traces/find.rep"

static char output[8192];

TEST(the_last_line_of_a_recording)
{
	double used, ratio;
	int length = 0;
	char *line;

	CHECK_EQ(run_line("/bench/mallocbench " TRACE, output, sizeof(output)), 0);
	line = strstr(output, "\nmean umalloc ");
	CHECK(strstr(output, "\nutilisation "));
	CHECK(strstr(output, "\npage faults "));
	CHECK(line);
	CHECK_EQ(sscanf(line, " mean umalloc %lf %lf\n%n", &used, &ratio, &length), 2);
	CHECK_EQ(line[length], '\0');
	CHECK_RANGE(used * 1000, 900, 1000);
	CHECK_RANGE(ratio * 1000, 50, 20000);
}

TEST(a_trace_that_is_not_there)
{
	CHECK(run_line("/bench/mallocbench /bench/traces/nothing.rep", output, sizeof(output)) > 0);
	CHECK(strstr(output, "/bench/traces/nothing.rep"));
	CHECK(!strstr(output, "mean umalloc"));
}
