/*
 * pageout.c - MADV_PAGEOUT: what a range maps leaves memory now. MADV_COLD: it is the next to go.
 *
 *	[start ........................ end)
 *	 a  a  z  f  F  .  a        a  anonymous, or shared memory: to its slot, in batches
 *	                            f  a file's, clean, nobody else maps it: out of the cache
 *	                            F  a file's, dirty or shared; z: the zero page: left alone
 *
 * Nothing is promised: a page that somebody else is using, or that finds no slot, stays. Anonymous
 * pages that relatives share go for all of them.
 *
 * Locks: mmap_lock for reading and the leaf table's lock while pages are collected; then none, but
 * those of the pages, taken by trying.
 * Source: madvise(2).
 */
#include "mm/pageout.h"

#include "fs/mapping.h"
#include "kernel/task.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/piece.h"
#include "mm/policy.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/swap.h"

struct batch {
	struct page *pages[SWAP_CLUSTER];
	unsigned nr;
};

/* Pages mapped in [addr, end), of one leaf table, each with a reference; where it stopped. */
static unsigned long collect_leaves(pte_t *ptep, unsigned long addr, unsigned long end,
				    struct batch *b)
{
	struct spinlock *ptl = pte_lockptr(ptep);

	spin_lock(ptl);
	for (; addr < end && b->nr < SWAP_CLUSTER; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		if (!pte_present(pte) || pte_special(pte))
			continue;
		b->pages[b->nr] = pfn_to_page(pte_pfn(pte));
		page_get(b->pages[b->nr++]);
	}
	spin_unlock(ptl);
	return addr;
}

static unsigned long collect(struct mm *mm, unsigned long addr, unsigned long end, struct batch *b)
{
	b->nr = 0;
	down_read(&mm->mmap_lock);
	while (addr < end && b->nr < SWAP_CLUSTER) {
		unsigned long next = pt_addr_end(addr, end, 1);
		pte_t *ptep;

		if (!pte_present(pte_read(&mm->pgd[pt_index(addr, 2)]))) {
			addr = pt_addr_end(addr, end, 2);
			continue;
		}
		ptep = pte_find(mm, addr);
		addr = ptep ? collect_leaves(ptep, addr, next, b) : next;
	}
	up_read(&mm->mmap_lock);
	return addr;
}

static void drop_file_page(struct address_space *as, struct page *page)
{
	/* The area may be another file's by now; and shared memory has no other copy. */
	if (as->ops->no_backing || atomic_read(&page->mapcount) != 1 ||
	    (page_flags(page) & (PG_DIRTY | PG_WRITEBACK | PG_SHMEM)))
		return;
	if (unmap_page_unless_locked(as, page))
		filemap_drop_idle(page);
}

/* Locked pages of one kind go to swap, as far as they can. */
static void swap_batch(struct batch *b, unsigned (*out)(struct page **pages, unsigned nr))
{
	if (b->nr > 0)
		out(b->pages, b->nr);
	for (unsigned i = 0; i < b->nr; i++) {
		unlock_page(b->pages[i]);
		page_put(b->pages[i]);
	}
}

/* @b has pages of any kind; none of them has a lock or a reference of ours afterwards. */
static void pageout_batch(const struct area_piece *p, struct batch *b)
{
	struct batch anon = { .nr = 0 }, shared = { .nr = 0 };

	for (unsigned i = 0; i < b->nr; i++) {
		struct page *page = b->pages[i];
		bool is_shared = page_flags(page) & PG_SHMEM;

		if ((page_is_anon(page) || is_shared) && trylock_page(page)) {
			struct batch *to = is_shared ? &shared : &anon;

			to->pages[to->nr++] = page;
			continue;
		}
		if (page->type == PAGE_FILE && p->file)
			drop_file_page(file_mapping(p->file), page);
		page_put(page);
	}
	swap_batch(&anon, swap_out);
	swap_batch(&shared, shmem_swap_out);
}

void mm_pageout(struct mm *mm, const struct area_piece *p)
{
	unsigned long addr = p->start;
	struct batch b;

	while (addr < p->end && !current->killed) {
		addr = collect(mm, addr, p->end, &b);
		pageout_batch(p, &b);
		cond_resched();
	}
}

/* ---- cold ---- */

static void make_cold(struct page *page)
{
	if (atomic_read(&page->mapcount) != 1 || !trylock_page(page))
		return;
	page_test_clear_used(page);
	unlock_page(page);
	lru_make_oldest(page);
}

void mm_cold(struct mm *mm, const struct area_piece *p)
{
	unsigned long addr = p->start;
	struct batch b;

	while (addr < p->end && !current->killed) {
		addr = collect(mm, addr, p->end, &b);
		for (unsigned i = 0; i < b.nr; i++) {
			make_cold(b.pages[i]);
			page_put(b.pages[i]);
		}
		cond_resched();
	}
}
