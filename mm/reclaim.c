/*
 * reclaim.c - memory back from whoever can spare it, a batch of pages at a time.
 *
 *	the oldest pages of an inactive list, isolated (mm/lru.c)
 *	   |
 *	   +-- locked by somebody, used since, wanted by mlock(2) ..... stays (mm/policy.h)
 *	   +-- a file's, clean ............ every PTE goes, then it leaves the cache: free
 *	   +-- a file's, dirty ............ kswapd has it written, with its neighbours; it goes when
 *	   |                                it comes round again. Others wake the flusher
 *	   +-- a file's, being written .... stays until it comes round again
 *	   +-- anonymous .................. swap_out() of all those of the batch at once
 *	   +-- shared memory .............. likewise, mm/shmem_swap.c
 *
 *	which list: both kinds in turn, by size, swappiness (0..200) and by how many pages of each
 *	kind came back lately: the kind whose going hurts is looked at less.
 *
 * A writable PTE of a file's page means that the page is dirty already (mm/shared.c), and D in a
 * read-only one means nothing: so what a clean page loses with its PTEs is nothing.
 *
 * Who sleeps for what: page locks are only tried, no mmap_lock is taken; a batch waits for its own
 * writes to the swap area. So reclaim may run inside any lock that may be slept with.
 *
 * Locks: the page lock of each page of the batch; inside it what rmap.c and filemap.c take.
 */
#include "mm/reclaim.h"

#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/policy.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/swap.h"
#include "mm/vma.h"
#include "mm/vmstat.h"

#define FILES_KEPT_MAX	1024UL /* pages, if a 64th of memory is not less */
#define FILES_KEPT_FROM 4096UL /* pages of memory; where there is less each of them counts */

unsigned long swappiness = 60;

/* A batch on its way: where each page ends up. Those that stay move up in the array of all. */
struct batch {
	struct page *stay[LRU_BATCH], *gone[LRU_BATCH], *anon[LRU_BATCH], *shared[LRU_BATCH];
	unsigned nr_stay, nr_gone, nr_anon, nr_shared;
};

static void stays(struct batch *b, struct page *page)
{
	unlock_page(page);
	b->stay[b->nr_stay++] = page;
}

static void goes(struct batch *b, struct page *page)
{
	unlock_page(page);
	b->gone[b->nr_gone++] = page;
}

/* ---- one page ---- */

/* Dirty @page, locked, is to be written. Unlocks it. */
static void have_it_written(struct page *page, const struct scan *scan)
{
	if (scan->write && mapping_is_data(page->mapping)) {
		count_vm_n(VM_pgreclaim_write, filemap_write_around(page));
	} else {
		unlock_page(page);
		flusher_wake();
	}
}

/* Locked @page of a file leaves memory, or stays for a reason. */
static void shrink_file_page(struct batch *b, struct page *page, const struct scan *scan)
{
	struct address_space *as = page->mapping;

	if (!as) { /* truncated: it is on no list any more */
		goes(b, page);
		return;
	}
	if (page_flags(page) & PG_WRITEBACK) {
		stays(b, page);
		return;
	}
	if (atomic_read(&page->mapcount) > 0 && !scan->unmap) {
		stays(b, page);
		return;
	}
	if (page_flags(page) & PG_DIRTY) {
		have_it_written(page, scan);
		b->stay[b->nr_stay++] = page;
		return;
	}
	/* Whoever locks it in memory, mapped it again since, or reads it just now, keeps it. */
	if ((!scan->unmap || unmap_page_unless_locked(as, page)) && filemap_evict(page))
		goes(b, page);
	else
		stays(b, page);
}

static void shrink_page(struct batch *b, struct page *page, const struct scan *scan)
{
	enum verdict verdict;

	if (!trylock_page(page)) {
		b->stay[b->nr_stay++] = page;
		return;
	}
	verdict = scan->policy->judge(page);
	if (verdict == VERDICT_ACTIVATE) {
		page_set_flags(page, PG_ACTIVE);
		page_clear_flags(page, PG_SECOND);
		count_vm(VM_pgactivate);
	}
	if (verdict != VERDICT_GOES)
		stays(b, page);
	else if (page_is_file(page))
		shrink_file_page(b, page, scan);
	else if (page->type == PAGE_FILE)
		b->shared[b->nr_shared++] = page;
	else if (atomic_read(&page->mapcount) > 0 || (page_flags(page) & PG_SWAPCACHE))
		b->anon[b->nr_anon++] = page;
	else /* a fault is just making it, or has just lost it */
		stays(b, page);
}

/* ---- a batch ---- */

static void swap_pages(struct batch *b, struct page **pages, unsigned nr,
		       unsigned (*out)(struct page **pages, unsigned nr))
{
	unsigned gone = nr > 0 ? out(pages, nr) : 0;

	for (unsigned i = 0; i < nr; i++) {
		if (i < gone) {
			policy_goes(pages[i]);
			goes(b, pages[i]);
		} else {
			stays(b, pages[i]);
		}
	}
}

unsigned shrink_list(enum lru_list list, unsigned nr, struct scan *scan)
{
	struct batch b = {};

	nr = lru_isolate(list, min(nr, (unsigned)LRU_BATCH), b.stay);
	scan->nr_seen += nr;
	for (unsigned i = 0; i < nr; i++)
		shrink_page(&b, b.stay[i], scan);
	swap_pages(&b, b.anon, b.nr_anon, swap_out);
	swap_pages(&b, b.shared, b.nr_shared, shmem_swap_out);
	lru_putback(b.stay, b.nr_stay);
	lru_forget(b.nr_gone);
	pages_put(b.stay, b.nr_stay);
	pages_put(b.gone, b.nr_gone);
	if (scan->unmap)
		local_flush_tlb_all(); /* so that the next use of what stays is seen: policy.c */
	cond_resched();
	return b.nr_gone;
}

/* ---- what to look at ---- */

/* Those that are cached have their slots already; those of bad slots never go. */
static bool anon_may_go(void)
{
	return swap_has_room() || swap_nr_cached() > swap_nr_stuck();
}

static unsigned long nr_of_kind(enum lru_list inactive)
{
	return lru_nr(inactive) + lru_nr(inactive | LRU_ACTIVE);
}

/* The kind of which fewer pages were looked at than are due: the inactive list of it. */
static enum lru_list next_list(const struct scan *scan)
{
	unsigned long anon = nr_of_kind(LRU_INACTIVE_ANON), file = nr_of_kind(LRU_INACTIVE_FILE);
	unsigned long bent = READ_ONCE(swappiness), due_anon, due_file;

	if (!scan->unmap || !anon_may_go() || anon == 0)
		return LRU_INACTIVE_FILE;
	if (file == 0)
		return LRU_INACTIVE_ANON;
	if (bent == 0 && scan->looked[LRU_INACTIVE_FILE] < 2 * file)
		return LRU_INACTIVE_FILE;
	due_anon = anon * (bent + 1) * (policy_cost(true) + 1);
	due_file = file * (201 - bent) * (policy_cost(false) + 1);
	/* looked[file] / due_file <= looked[anon] / due_anon, in whole numbers that fit. */
	return (scan->looked[LRU_INACTIVE_FILE] + 1) * (due_anon / 256 + 1) <=
			       (scan->looked[LRU_INACTIVE_ANON] + 1) * (due_file / 256 + 1) ?
		       LRU_INACTIVE_FILE :
		       LRU_INACTIVE_ANON;
}

/* Each page is looked at up to three times: the first two may only take second chances away. */
static unsigned long looks_worth_while(const struct scan *scan)
{
	unsigned long nr = nr_of_kind(LRU_INACTIVE_FILE);

	if (scan->unmap && anon_may_go())
		nr += nr_of_kind(LRU_INACTIVE_ANON);
	return 3 * nr + LRU_BATCH;
}

/*
 * The last pages of files stay when nothing else can go. Without them each step of a program waits
 * for the disk, and still one more page can always be had: nobody would notice that memory has run
 * out. So it has run out before, and the OOM killer is asked.
 */
static bool only_the_last_files_are_left(void)
{
	unsigned long all = nr_managed_pages();

	return all >= FILES_KEPT_FROM && !anon_may_go() &&
	       nr_of_kind(LRU_INACTIVE_FILE) <= min(all / 64, FILES_KEPT_MAX);
}

unsigned long shrink_memory(unsigned long wanted, bool kswapd)
{
	struct scan scan = { .policy = policy_now(), .unmap = true, .write = kswapd };
	unsigned long looks = 0, got = 0, idle = 0;

	BUG_ON(this_hart()->spin_depth != 0);
	lru_flush_all();
	while (got < wanted && idle < looks_worth_while(&scan) && !only_the_last_files_are_left()) {
		enum lru_list list = next_list(&scan);
		unsigned now;

		if (scan.policy->balance)
			scan.policy->balance(list == LRU_INACTIVE_FILE);
		now = shrink_list(list, LRU_BATCH, &scan);
		scan.looked[list] += LRU_BATCH;
		looks += LRU_BATCH;
		idle = now > 0 ? 0 : idle + LRU_BATCH;
		got += now;
		count_vm_n(list == LRU_INACTIVE_FILE ? VM_pgsteal_file : VM_pgsteal_anon, now);
	}
	count_vm_n(kswapd ? VM_pgscan_kswapd : VM_pgscan_direct, scan.nr_seen);
	count_vm_n(kswapd ? VM_pgsteal_kswapd : VM_pgsteal_direct, got);
	return got;
}

/* ---- the cache alone: what nobody would notice ---- */

unsigned long shrink_page_cache(unsigned long nr)
{
	struct scan scan = { .policy = &policy_clock };
	/* Twice around: the first look may only take second chances away. */
	unsigned long dropped = 0, left;

	BUG_ON(this_hart()->spin_depth != 0);
	for (unsigned active = 0; active <= LRU_ACTIVE; active++) {
		enum lru_list list = LRU_INACTIVE_FILE | active;

		for (left = 2 * lru_nr(list); left > 0 && dropped < nr;) {
			unsigned now = min(min(left, nr - dropped), lru_nr(list));

			now = clamp(now, 1U, (unsigned)LRU_BATCH);
			dropped += shrink_list(list, now, &scan);
			left -= now;
		}
	}
	count_vm_n(VM_cache_reclaimed, dropped);
	return dropped;
}
