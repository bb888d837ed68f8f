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
 *	a block of several pages comes together by luck: reclaim goes on for four times its size
 *	and some, in small steps, and then gives up: it does not empty memory for one block.
 *
 *	kswapd that finds nothing several times in a row rests for a second, or until direct reclaim
 *	has freed something: it would only look at the same pages. What may have changed by then,
 *	a swap area, a process that ended, pages that were written, nobody needs to tell.
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
#define TRIES	      256 /* of an allocation that frees something each time: of a page */
#define BLOCK_TRIES   16  /* ... of a block, besides those for BLOCK_SIZES times its size */
#define BLOCK_SIZES   4
#define IDLE_TRIES    16 /* ... that frees nothing, while others may */
#define TURN	      8	 /* tries, the last of which is not left to others */
#define SHORT_WHILE   (NSEC_PER_SEC / 100)
#define FAILURES_MAX  8 /* of kswapd in a row */
#define REST	      NSEC_PER_SEC
#define PAGES_AT_ONCE LRU_BATCH

unsigned long mark_min, mark_low, mark_high;
unsigned long min_free_kbytes;

static struct wait_queue kswapd_queue = WAIT_QUEUE_INIT(kswapd_queue);
static struct wait_queue progress_queue = WAIT_QUEUE_INIT(progress_queue);
static bool kswapd_asked, kswapd_busy;
static u64 kswapd_rests_until; /* ns since boot */
static long nr_reclaiming;     /* tasks that reclaim for themselves */

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

bool kswapd_wake(void)
{
	if (READ_ONCE(kswapd_asked) || ktime_ns() < READ_ONCE(kswapd_rests_until))
		return false;
	WRITE_ONCE(kswapd_asked, true);
	wake_up_all(&kswapd_queue);
	return true;
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

/*
 * @wanted pages of programs and files; besides, names and inodes that nobody uses, and the slabs
 * that this leaves empty; when there is nothing of it, empty page tables. How much.
 */
static unsigned long shrink_all(unsigned long wanted, bool is_kswapd)
{
	unsigned long got = shrink_memory(wanted, is_kswapd);

	got += fs_shrink(PAGES_AT_ONCE);
	got += slab_shrink();
	return got > 0 ? got : reclaim_tables();
}

bool kswapd_balance(void)
{
	unsigned long got;

	reclaim_tables(); /* once: to go through all address spaces for each batch is too dear */
	while (nr_block_pages() < READ_ONCE(mark_high)) {
		got = shrink_all(PAGES_AT_ONCE, true);
		buddy_drain_local(); /* what is on this hart's list is not counted as free */
		if (got == 0)
			return false;
		wake_up_all(&progress_queue);
	}
	return true;
}

void kswapd_work(void)
{
	unsigned failures = 0;

	WRITE_ONCE(kswapd_asked, false);
	count_vm(VM_kswapd_wake);
	WRITE_ONCE(kswapd_busy, true);
	while (!kswapd_balance() && ++failures < FAILURES_MAX)
		wait_a_short_while();
	if (failures == FAILURES_MAX)
		WRITE_ONCE(kswapd_rests_until, ktime_ns() + REST);
	WRITE_ONCE(kswapd_busy, false);
	wake_up_all(&progress_queue);
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
}

void kswapd(void *arg __maybe_unused)
{
	current->reclaiming = true;
	for (;;) {
		wait_for_work();
		kswapd_work();
	}
}

/* ---- direct reclaim ---- */

/* How often a block of @order may be tried for that frees something each time. */
static unsigned tries_for(unsigned order)
{
	return order == 0 ? TRIES : BLOCK_TRIES + (BLOCK_SIZES << order) / PAGES_AT_ONCE;
}

static unsigned long reclaim_some(void)
{
	unsigned long got;

	current->reclaiming = true;
	atomic_add_long(&nr_reclaiming, 1);
	got = shrink_all(PAGES_AT_ONCE, false);
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
	if (tries < tries_for(order) && others_do_it(tries))
		return true;
	if (reclaim_some() > 0) {
		WRITE_ONCE(kswapd_rests_until, 0);
		return tries < tries_for(order);
	}
	if (tries >= IDLE_TRIES || current->killed ||
	    !(io_is_under_way() || READ_ONCE(kswapd_busy)))
		return false;
	wait_a_short_while();
	return true;
}
