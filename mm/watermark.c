/*
 * watermark.c - how much memory stays free: the marks, the thread that keeps to them, and the slow
 * path of an allocation.
 *
 *	free
 *	  |\                       kswapd reclaims up to high, then sleeps
 *	  | \            ______
 *	--+--\----------/------\---- high = 3 * min
 *	  |   \        /        \
 *	--+----\------/----------\-- low = 2 * min       a refill of a hart's list that sees less
 *	  |     \    /                                   wakes kswapd
 *	--+------\  /--------------- min                 who may sleep reclaims
 *	  |       \/
 *	--+------------------------- min / 2             who may not sleep has this for himself
 *	  |                          0                   who reclaims has this
 *
 *	direct reclaim:  free some, try again. Nothing freed, but pages are being written, or kswapd
 *	                 is busy: a short sleep, try again, a bounded number of times. Then it
 *	                 fails: ENOMEM, or for a fault the OOM killer.
 *
 *	kswapd that finds nothing several times in a row is not woken again until somebody else
 *	freed something: it would only look at the same pages.
 *
 * The min/2 of who may not sleep is what spinlock holders and the tree of the page cache live on;
 * the last of all is for reclaim's own needs, since freeing may take memory first (bios, nodes).
 *
 * Locks: none but the wait queues'.
 */
#include "mm/watermark.h"

#include "arch/riscv/hart.h"
#include "fs/mapping.h"
#include "kernel/task.h"
#include "kernel/wait.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/reclaim.h"
#include "mm/slab.h"
#include "mm/vmstat.h"

#define MIN_SHARE     128 /* of memory is the mark min, within */
#define MIN_LOWEST    (128UL << 10 >> PAGE_SHIFT)
#define MIN_HIGHEST   (8UL << 20 >> PAGE_SHIFT)
#define TRIES	      256  /* of an allocation that frees something each time */
#define IDLE_TRIES    16   /* ... that frees nothing, while others may */
#define MUST_TRIES    6000 /* ... of who cannot do without: a minute */
#define TURN	      8	   /* tries, the last of which is not left to others */
#define SHORT_WHILE   (NSEC_PER_SEC / 100)
#define FAILURES_MAX  8 /* of kswapd in a row */
#define PAGES_AT_ONCE LRU_BATCH

unsigned long mark_min, mark_low, mark_high;
unsigned long min_free_kbytes;

static struct wait_queue kswapd_queue = WAIT_QUEUE_INIT(kswapd_queue);
static struct wait_queue progress_queue = WAIT_QUEUE_INIT(progress_queue);
static bool kswapd_asked, kswapd_busy;
static unsigned kswapd_failures;
static long nr_reclaiming; /* tasks that reclaim for themselves */

/* ---- the marks ---- */

void watermarks_changed(void)
{
	unsigned long most = nr_managed_pages() / 8;
	unsigned long min_pages = min(READ_ONCE(min_free_kbytes) >> (PAGE_SHIFT - 10), most);

	WRITE_ONCE(mark_min, min_pages);
	WRITE_ONCE(mark_low, 2 * min_pages);
	WRITE_ONCE(mark_high, 3 * min_pages);
}

void watermarks_init(void)
{
	unsigned long pages = max(nr_managed_pages() / MIN_SHARE, MIN_LOWEST);

	min_free_kbytes = min(pages, MIN_HIGHEST) << (PAGE_SHIFT - 10);
	watermarks_changed();
}

/* ---- kswapd ---- */

void kswapd_wake(void)
{
	if (READ_ONCE(kswapd_asked) || READ_ONCE(kswapd_failures) >= FAILURES_MAX)
		return;
	WRITE_ONCE(kswapd_asked, true);
	wake_up_all(&kswapd_queue);
}

static bool io_is_under_way(void)
{
	return filemap_nr_writeback() > 0 || filemap_nr_dirty() > 0;
}

/* Sleeps until kswapd has freed something, but not long. */
static void wait_a_short_while(void)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;

	prepare_to_wait(&progress_queue, &entry, TASK_UNINTERRUPTIBLE);
	schedule_until(ktime_ns() + SHORT_WHILE);
	finish_wait(&progress_queue, &entry);
}

/* Names and inodes that nobody uses, and the slabs that this leaves empty. How much. */
static unsigned long shrink_kernel(void)
{
	unsigned long got = fs_shrink(PAGES_AT_ONCE);

	return got + slab_shrink();
}

bool kswapd_balance(void)
{
	unsigned long got;

	while (nr_block_pages() < READ_ONCE(mark_high)) {
		got = shrink_memory(PAGES_AT_ONCE, true) + shrink_kernel();
		buddy_drain_local(); /* what is on this hart's list is not counted as free */
		if (got == 0)
			return false;
		wake_up_all(&progress_queue);
	}
	return true;
}

static void wait_for_work(void)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;

	do {
		prepare_to_wait(&kswapd_queue, &entry, TASK_IDLE);
		if (READ_ONCE(kswapd_asked))
			break;
		schedule();
	} while (!READ_ONCE(kswapd_asked));
	finish_wait(&kswapd_queue, &entry);
	WRITE_ONCE(kswapd_asked, false);
}

void kswapd(void *arg __maybe_unused)
{
	current->reclaiming = true;
	for (;;) {
		wait_for_work();
		count_vm(VM_kswapd_wake);
		WRITE_ONCE(kswapd_busy, true);
		while (!kswapd_balance() && ++kswapd_failures < FAILURES_MAX)
			wait_a_short_while();
		if (kswapd_failures < FAILURES_MAX)
			kswapd_failures = 0;
		WRITE_ONCE(kswapd_busy, false);
		wake_up_all(&progress_queue);
	}
}

/* ---- direct reclaim ---- */

static unsigned long reclaim_some(unsigned order)
{
	unsigned long got;

	current->reclaiming = true;
	atomic_add_long(&nr_reclaiming, 1);
	got = shrink_memory((unsigned long)PAGES_AT_ONCE << order, false);
	got += shrink_kernel();
	atomic_add_long(&nr_reclaiming, -1);
	current->reclaiming = false;
	wake_up_all(&progress_queue);
	return got;
}

/*
 * Many at once would only wait for each other's locks, which are held while harts are told of PTEs
 * that are gone: mostly one does it, the others sleep. False: @tries says that it is our turn.
 */
static bool others_do_it(unsigned tries)
{
	if (READ_ONCE(nr_reclaiming) == 0 || tries % TURN == TURN - 1)
		return false;
	wait_a_short_while();
	return true;
}

bool reclaim_for(unsigned order, unsigned tries)
{
	count_vm(VM_allocstall);
	if (tries < TRIES && others_do_it(tries))
		return true;
	if (reclaim_some(order) > 0) {
		WRITE_ONCE(kswapd_failures, 0);
		return tries < TRIES;
	}
	if (tries >= IDLE_TRIES || current->killed ||
	    !(io_is_under_way() || READ_ONCE(kswapd_busy)))
		return false;
	wait_a_short_while();
	return true;
}

bool wait_for_memory(unsigned tries)
{
	if (tries >= MUST_TRIES)
		return false;
	wait_a_short_while();
	return true;
}
