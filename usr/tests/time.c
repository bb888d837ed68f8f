/*
 * time.c - clocks and sleeping.
 */
#include "usr/lib/test.h"

#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#include "usr/lib/testutil.h"

#define MILLISECOND 1000000ULL

TEST(monotonic_never_goes_back)
{
	uint64_t last = test_now();

	for (int i = 0; i < 20000; i++) {
		uint64_t now = test_now();

		CHECK(now >= last);
		last = now;
	}
	CHECK_CHILD({ CHECK(test_now() >= last); });
}

TEST(nanosleep_sleeps_at_least_as_long)
{
	static const unsigned int lengths[] = { 1, 2, 5, 20, 50 };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		uint64_t start = test_now();

		test_pause(lengths[i]);
		CHECK(test_now() - start >= lengths[i] * MILLISECOND);
	}
}

TEST(nanosleep_of_nothing_returns)
{
	struct timespec zero = { 0, 0 }, tiny = { 0, 1 };

	CHECK_EQ(nanosleep(&zero, NULL), 0);
	CHECK_EQ(nanosleep(&tiny, NULL), 0);
}

TEST(nanosleep_errors)
{
	static const struct timespec bad[] = { { 0, -1 }, { 0, 1000000000 }, { -1, 0 } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_ERRNO(nanosleep(&bad[i], NULL), EINVAL);
}

TEST(absolute_sleep)
{
	uint64_t end = test_now() + 10 * MILLISECOND;
	struct timespec until = { end / 1000000000, end % 1000000000 };
	struct timespec past = { 0, 1 };

	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
	CHECK(test_now() >= end);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
}

TEST(clock_errors)
{
	struct timespec now;

	CHECK_ERRNO(clock_gettime(9999, &now), EINVAL);
	CHECK_ERRNO(clock_getres(9999, &now), EINVAL);
	CHECK_EQ(clock_nanosleep(9999, 0, &now, NULL), EINVAL);
}

TEST(resolution)
{
	struct timespec resolution;

	CHECK_OK(clock_getres(CLOCK_MONOTONIC, &resolution));
	CHECK_EQ(resolution.tv_sec, 0);
	CHECK_RANGE(resolution.tv_nsec, 1, 10 * MILLISECOND);
}

TEST(real_time_agrees_with_gettimeofday)
{
	struct timespec a;
	struct timeval b;

	CHECK_OK(clock_gettime(CLOCK_REALTIME, &a));
	CHECK_OK(gettimeofday(&b, NULL));
	CHECK_RANGE(b.tv_sec - a.tv_sec, 0, 5);
	CHECK_RANGE(a.tv_nsec, 0, 999999999);
}

TEST(processor_time_counts_work_not_sleep)
{
	struct timespec before, after;
	uint64_t end;

	CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	test_pause(30);
	CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after));
	CHECK_RANGE((after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec,
		    0, 25 * MILLISECOND);
	for (end = test_now() + 60 * MILLISECOND; test_now() < end;)
		;
	CHECK_OK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	CHECK((before.tv_sec - after.tv_sec) * 1000000000LL + before.tv_nsec - after.tv_nsec > 0);
}

TEST(many_sleepers_wake_in_their_time)
{
	pid_t pids[10];

	for (int i = 0; i < 10; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			uint64_t start = test_now();

			test_pause(10 * (10 - i));
			_exit(test_now() - start >= 10 * (10 - i) * MILLISECOND ? 0 : 1);
		}
	}
	for (int i = 0; i < 10; i++)
		CHECK_EXIT(pids[i], 0);
}

TEST(times_moves)
{
	struct tms tms;
	clock_t first = times(&tms);

	test_pause(30);
	CHECK(times(&tms) > first);
}

/* Each re-arms itself from the timer interrupt: however many there are, others must get to run. */
TEST(a_storm_of_interval_timers_leaves_time_to_run)
{
	static const struct itimerval shortest = { { 0, 1 }, { 0, 1 } };
	pid_t pids[100];

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			signal(SIGALRM, SIG_IGN);
			setitimer(ITIMER_REAL, &shortest, NULL);
			for (;;)
				pause();
		}
	}
	for (int i = 0; i < 20; i++)
		test_pause(1);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		CHECK_OK(kill(pids[i], SIGKILL));
		CHECK_EQ(waitpid(pids[i], NULL, 0), pids[i]);
	}
}
