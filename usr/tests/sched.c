/*
 * sched.c - preemption: processes that never give up a hart all make progress.
 */
#include "usr/lib/test.h"

#include <sched.h>

#include "usr/lib/testutil.h"

#define SPINNERS 8

static volatile long counters[SPINNERS * 16];

static int spin(void *arg)
{
	volatile long *counter = arg;

	for (;;)
		++*counter;
	return 0;
}

TEST(all_spinners_progress)
{
	pid_t pids[SPINNERS];

	for (int i = 0; i < SPINNERS; i++)
		pids[i] = spawn_sharing(spin, (void *)&counters[i * 16]);
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < SPINNERS; i++) {
			long seen = counters[i * 16];

			WAIT_UNTIL(counters[i * 16] > seen + 1000);
		}
	for (int i = 0; i < SPINNERS; i++) {
		CHECK_OK(kill(pids[i], SIGKILL));
		test_check_signal(__FILE__, __LINE__, pids[i], SIGKILL);
	}
}

/* A sleeper gets the hart soon though everybody else computes. */
TEST(a_sleeper_wakes_among_spinners)
{
	pid_t pids[SPINNERS];
	uint64_t start;

	for (int i = 0; i < SPINNERS; i++)
		pids[i] = spawn_sharing(spin, (void *)&counters[i * 16]);
	start = test_now();
	for (int i = 0; i < 5; i++)
		test_pause(2);
	CHECK(test_now() - start < 10000000000ULL);
	for (int i = 0; i < SPINNERS; i++) {
		kill(pids[i], SIGKILL);
		test_check_signal(__FILE__, __LINE__, pids[i], SIGKILL);
	}
}

static int take_turns(void *arg)
{
	long me = (long)arg;

	for (int turn = 0; turn < 200; turn++) {
		while (counters[0] % 2 != me)
			sched_yield();
		counters[0]++;
	}
	return 0;
}

TEST(sched_yield_lets_others_run)
{
	pid_t pid;

	counters[0] = 0;
	pid = spawn_sharing(take_turns, (void *)1);
	take_turns((void *)0);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(counters[0], 400);
}
