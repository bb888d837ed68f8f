/*
 * oomreaper.c - the kernel thread that takes the memory of victims which do not end by themselves:
 * when it looks. What it does is in mm/oom_reaper.c.
 *
 *	somebody was killed --> 10 ms --> round --> 100 ms --> round ... until nobody is left
 *
 * Locks: none of its own.
 */
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/time.h"
#include "mm/oom.h"

#define REAP_DELAY  (10 * (NSEC_PER_SEC / 1000)) /* in which most end by themselves */
#define REAP_PERIOD (100 * (NSEC_PER_SEC / 1000))

static struct wait_queue reaper_queue = WAIT_QUEUE_INIT(reaper_queue);
static bool reaper_asked;

static void sleep_for(u64 ns)
{
	u64 deadline = ktime_ns() + ns;
	struct wait_entry entry = WAIT_ENTRY_INIT;
	struct wait_queue nobody_wakes;

	wait_queue_init(&nobody_wakes);
	do {
		prepare_to_wait(&nobody_wakes, &entry, TASK_IDLE);
	} while (!schedule_until(deadline));
	finish_wait(&nobody_wakes, &entry);
}

void oom_wake_reaper(void)
{
	smp_store_release(&reaper_asked, true);
	wake_up_all(&reaper_queue);
}

static void oom_reaper(void *arg __maybe_unused)
{
	for (;;) {
		wait_event_state(&reaper_queue, smp_load_acquire(&reaper_asked), TASK_IDLE);
		smp_store_release(&reaper_asked, false);
		sleep_for(REAP_DELAY);
		while (oom_reap_round())
			sleep_for(REAP_PERIOD);
	}
}

void oom_reaper_start(void)
{
	if (!kernel_thread(oom_reaper, NULL, "oom_reaper"))
		panic("no memory for the OOM reaper");
}
