/*
 * swapout.c - anonymous pages leave memory, a batch at a time.
 *
 *	1. a slot for each      in a row for those that have none; one that is cached and clean
 *	                        keeps its own; one that is cached and dirty, but whose entry no PTE
 *	                        holds, gets a new one, so that it is written with the others
 *	2. unmap                every PTE becomes the swap entry, by the reverse walk; its D goes to
 *	                        PG_DIRTY; then the harts forget what they have translated, once for
 *	                        the whole batch: to tell another hart costs more than all the rest
 *	3. write                what is dirty and nobody else's, a request for each run of slots
 *	4. release              who still has no reference but the cache's and ours leaves the cache
 *
 * The pages are locked all the time. Who faults meanwhile finds the entry, by it the page in the
 * cache, and waits for the lock; then he takes the page back, written or not, and step 4, which
 * finds his reference, leaves it. So nothing is ever written to while the disk reads it, and what a
 * fault maps is what the last PTE had.
 *
 * Between a PTE that is taken and that flush a hart may go on storing to the page. It still comes
 * to the disk. But who finds the entry meanwhile must not promise that nobody stores there any
 * more: munmap, fork and mprotect ask swap_is_unflushed(), under the leaf lock, and flush
 * themselves. mremap flushes whatever it moves; a fault waits for the page lock.
 *
 * Only pages with two references are written, the cache's and ours: who has another, from before
 * step 2, may be about to write through it (exec does, into a new stack). Such a page stays, dirty.
 *
 * What fails:
 *
 *	no slot                 the page is as it was
 *	a PTE was not found     it was just moving, or is locked in memory: the page stays, and its
 *	                        slot with it if another PTE has become an entry
 *	the write               the slot is bad for ever; the page stays, dirty and cached, until
 *	                        the last PTE that holds the entry has it back
 *
 * Locks: the page locks, from the caller; those of rmap_walk(); swap_lock.
 */
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "mm/internal.h"
#include "mm/rmap.h"
#include "mm/swap_internal.h"
#include "mm/tlb.h"
#include "mm/vmstat.h"
#include "mm/window.h"

/* ---- step 1 ---- */

static void give_slots(struct page **pages, unsigned nr)
{
	struct page *without[SWAP_CLUSTER];
	unsigned n = 0, done = 0, got;

	swap_discard_wait();
	for (unsigned i = 0; i < nr; i++) {
		BUG_ON(!page_is_anon(pages[i]));
		if (page_flags(pages[i]) & PG_DIRTY)
			swap_cache_drop(pages[i]);
		if (!(page_flags(pages[i]) & PG_SWAPCACHE))
			without[n++] = pages[i];
	}
	while (done < n && (got = swap_cache_add(&without[done], n - done)) > 0)
		done += got;
}

/* ---- step 2 ---- */

atomic_t swap_unflushed_batches;

struct unmapping {
	struct page *page;
	unsigned long harts; /* that may have one of the PTEs in their TLBs */
};

/* One PTE of a cached page: for rmap_walk(). */
static bool take_pte(struct mm *mm, unsigned long addr __maybe_unused, pte_t *ptep, void *arg)
{
	struct unmapping *u = arg;
	struct page *page = u->page;
	pte_t pte;

	mm_update_hiwater(mm);
	swap_dup(page->swap);
	pte = pte_take(ptep);
	window(); /* empty, for who does not take the leaf lock */
	if (pte.val & PTE_D)
		page_set_flags(page, PG_DIRTY);
	pte_set(ptep, page->swap);
	u->harts |= mm_harts(mm);
	if (atomic_dec_old(&page->mapcount) > 1)
		gauge_add(GAUGE_SHARED_ANON, -1);
	mm_add_rss_anon(mm, -1);
	mm_add_swap_ents(mm, 1);
	page_put(page); /* not the last: the caller has one */
	return true;
}

static void unmap_all(struct page **pages, unsigned nr)
{
	struct unmapping u = { .harts = 0 };
	const struct rmap_walk walk = { .stop_at_locked = true, .visit = take_pte, .arg = &u };

	atomic_inc(&swap_unflushed_batches);
	for (unsigned i = 0; i < nr; i++) {
		u.page = pages[i];
		if ((page_flags(u.page) & PG_SWAPCACHE) && atomic_read(&u.page->mapcount) > 0)
			rmap_walk(u.page, &walk);
		cond_resched(); /* a family may be large */
	}
	window();
	if (u.harts)
		flush_tlb_harts(u.harts, 0, TASK_SIZE);
	atomic_dec(&swap_unflushed_batches);
}

/* ---- step 3 ---- */

/* @page has to be written before it can go, and may be. */
static bool is_to_be_written(const struct page *page)
{
	const u32 flags = PG_SWAPCACHE | PG_DIRTY;

	return (page_flags(page) & flags) == flags && atomic_read(&page->refcount) == 2 &&
	       swap_wants_write(page->swap);
}

static void write_run(struct page **pages, unsigned nr)
{
	u32 failed = swap_transfer(BIO_WRITE, pages, nr);

	for (unsigned i = 0; i < nr; i++) {
		if (!(failed >> i & 1)) {
			page_clear_flags(pages[i], PG_DIRTY);
			continue;
		}
		count_vm(VM_swap_write_failed);
		swap_slot_failed(pages[i]->swap);
	}
}

static void write_dirty(struct page **pages, unsigned nr)
{
	for (unsigned i = 0, len; i < nr; i += len) {
		len = 1;
		if (!is_to_be_written(pages[i]))
			continue;
		while (i + len < nr && is_to_be_written(pages[i + len]) &&
		       pages[i + len]->swap.val == swap_entry_next(pages[i]->swap, len).val)
			len++;
		write_run(&pages[i], len);
	}
}

/* ---- step 4 ---- */

/* True when @page is free but for the caller's reference. */
static bool release(struct page *page)
{
	if (!(page_flags(page) & PG_SWAPCACHE))
		return false;
	if (swap_cache_release(page))
		return true;
	/* Still mapped, and by no entry: the slot is of no use. */
	if (page_flags(page) & PG_DIRTY)
		swap_cache_drop(page);
	return false;
}

unsigned swap_out(struct page **pages, unsigned nr)
{
	unsigned freed = 0;

	BUG_ON(nr > SWAP_CLUSTER);
	give_slots(pages, nr);
	unmap_all(pages, nr);
	write_dirty(pages, nr);
	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];

		if (!release(page))
			continue;
		pages[i] = pages[freed];
		pages[freed++] = page;
	}
	return freed;
}
