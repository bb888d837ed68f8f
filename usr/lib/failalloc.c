/*
 * failalloc.c - on Ravel: a system call with its first, second, ... allocation failing.
 */
#include "usr/lib/test.h"

#include "usr/lib/failalloc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testmem.h"
#include "usr/lib/testutil.h"

static int control = -1;
static char maps_before[16384], maps_after[16384];

void fail_open(void)
{
	control = CHECK_OK(open("/proc/self/fail_alloc", O_RDWR | O_CLOEXEC));
}

void fail_arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	CHECK_EQ(pwrite(control, text, length, 0), length);
}

bool fail_fired(void)
{
	char text[64] = "";
	char *end;
	bool answer = false;

	if (pread(control, text, sizeof(text) - 1, 0) > 0) {
		strtol(text, &end, 10);
		answer = strtol(end, NULL, 10) > 0;
	}
	fail_arm(0);
	return answer;
}

bool fail_is_errno(long result)
{
	return result == -ENOMEM || result == -EAGAIN || result == -ENOLCK;
}

/* One run with the nth allocation failing; *failures counts calls that did. Did it happen? */
static bool run_once(const char *what, int n, long (*op)(void), void (*cleanup)(long),
		     int *failures)
{
	bool fired, failed;
	long result;

	fail_arm(n);
	result = op();
	fired = fail_fired();
	failed = result < 0 && result >= -4095;
	if (failed && (!fired || !fail_is_errno(result)))
		test_fail(__FILE__, __LINE__, "expected -ENOMEM, got %ld (%s), %s", result, what,
			  fired ? "an allocation failed" : "no allocation failed");
	if (failed)
		++*failures;
	else
		cleanup(result);
	return fired;
}

void fail_each(const char *what, long (*op)(void), void (*cleanup)(long))
{
	int failures = 0;
	bool any = true;

	fail_open();
	/* Once without failure: touches the stack, the buffers and the code. */
	run_once(what, 0, op, cleanup, &failures);
	CHECK(read_text("/proc/self/maps", maps_after, sizeof(maps_after)) > 0);
	for (int n = 1; any; n++) {
		CHECK(n < FAIL_LIMIT);
		CHECK(read_text("/proc/self/maps", maps_before, sizeof(maps_before)) > 0);
		testmem_before();
		any = run_once(what, n, op, cleanup, &failures);
		CHECK(read_text("/proc/self/maps", maps_after, sizeof(maps_after)) > 0);
		CHECK_STRING(maps_after, maps_before);
		CHECK(testmem_after());
		test_progress();
	}
	test_note("%s: %d failures undone", what, failures);
	CHECK(failures > 0);
	close(control);
}
