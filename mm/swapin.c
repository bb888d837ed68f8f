/*
 * swapin.c - a fault on a page that is in a slot.
 *
 *	entry -> no cached page      it is read, with its neighbours; then the fault starts over
 *	      -> cached, locked      an I/O is under way: wait for its end, start over
 *	      -> cached              map it
 *
 *	slots   [8][9][10][11][12][13][14][15]     the aligned window around the entry: what is in
 *	         x  x       F   x            x     use and not here is read in as few requests as it
 *	                                           makes runs; in a VM_RAND area only F. It has
 *	                                           1 << page_cluster slots
 *
 *	mapped how?                    the only one that wants it       others have it, too
 *	  write                        W, and the slot is given back    read-only; the write that
 *	                                                                follows is copy-on-write
 *	  read, swap has room          read-only, slot kept             read-only, slot kept
 *	  read, swap is tight, or      as the area says, slot given     read-only, slot kept
 *	        locked in memory       back
 *
 * A page that is mapped read-only with its slot kept is clean: it can go again without being
 * written. The first write to it is a fault (mm/cow.c), which gives the slot back, whatever the
 * area allows. So W in a PTE says that the slot is not needed, and no D bit has to be looked for.
 * It costs that one fault, for pages that are read first and written later.
 *
 * "The only one": the PTE is the last that holds the entry, no PTE maps the page, and nobody but
 * the cache and this fault has a reference.
 *
 * PTEs are read without their lock first, so the entry may name nothing any more when its slot is
 * looked up, not even an area: then there is no page and none is read, and the next try finds what
 * the PTE holds now.
 *
 * A failed read: SIGBUS for who wanted the page. It does not stay in the cache, so the next try
 * reads again. A neighbour that fails is nobody's failure.
 *
 * While mmap_lock is dropped for the disk the cached pages keep their slots: what is read is what
 * the entry meant; if nobody wants it any more when it is here, it goes with its slot.
 *
 * Locks: mmap_lock for reading, from the caller, dropped for I/O; the page lock by trying; the leaf
 * table's lock inside it.
 */
#include "arch/riscv/mmu.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/decide.h"
#include "mm/fault.h"
#include "mm/internal.h"
#include "mm/lru.h"
#include "mm/pgtable.h"
#include "mm/swap_internal.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "mm/watermark.h"
#include "mm/window.h"

unsigned long page_cluster = 3;

/* ---- from the disk ---- */

/* Cached, locked pages that wait to be read, in the order of their slots. */
struct reading {
	struct page *pages[1 << PAGE_CLUSTER_MAX];
	unsigned nr;
};

/* Makes new @page, which may be NULL, the one that @entry is read to, if that wants one. */
static void add_page(struct reading *r, pte_t entry, struct page *page)
{
	if (!page)
		return;
	page->type = PAGE_ANON;
	lock_new_page(page, NULL);
	lru_add(page); /* now: a neighbour may never be mapped */
	if (swap_cache_add_unread(page, entry)) {
		r->pages[r->nr++] = page;
		return;
	}
	unlock_new_page(page);
	page_put(page);
}

/* The slots around that of @entry get a page where that is easy, @entry gets @page. */
static void add_window(struct reading *r, pte_t entry, struct page *page)
{
	unsigned long slot = swap_entry_slot(entry);
	unsigned long window = 1UL << READ_ONCE(page_cluster);
	unsigned long first = slot & ~(window - 1);

	for (unsigned long n = first; n < first + window; n++) {
		pte_t at = swap_entry(swap_entry_area(entry), n);

		if (n == slot)
			add_page(r, entry, page);
		else if (!memory_is_short() && swap_wants_read(at))
			add_page(r, at, alloc_page(GFP_ATOMIC));
	}
}

/* The read of a run has ended. True: the page of @entry is among those that failed. */
static bool end_run(struct page **pages, unsigned nr, u32 failed, pte_t entry)
{
	bool hit = false;

	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];

		if (failed >> i & 1) {
			hit |= page->swap.val == entry.val;
			count_vm(VM_swap_read_failed);
			swap_cache_unread(page);
		} else {
			page_set_flags(page, PG_UPTODATE);
		}
	}
	return hit;
}

/* Reads them all. 0, or -EIO: that of @entry failed. */
static int read_all(struct reading *r, pte_t entry)
{
	int err = 0;

	for (unsigned i = 0, len; i < r->nr; i += len) {
		pte_t first = r->pages[i]->swap;

		for (len = 1; i + len < r->nr; len++)
			if (r->pages[i + len]->swap.val != swap_entry_next(first, len).val)
				break;
		if (end_run(&r->pages[i], len, swap_transfer(BIO_READ, &r->pages[i], len), entry))
			err = -EIO;
	}
	return err;
}

static void put_all(struct reading *r)
{
	for (unsigned i = 0; i < r->nr; i++) {
		/* Nobody may want it any more, who left it to us because it was locked. */
		unlock_page(r->pages[i]);
		page_put(r->pages[i]);
	}
}

int swap_read_in(pte_t entry, bool around)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct reading r = { .nr = 0 };
	int err;

	if (!page)
		return -ENOMEM;
	if (around)
		add_window(&r, entry, page);
	else
		add_page(&r, entry, page);
	err = read_all(&r, entry);
	put_all(&r);
	return err;
}

/* ---- the fault ---- */

/* Without mmap_lock, so that others fault and edit meanwhile. */
static enum fault_result read_in(struct fault *f)
{
	bool around = !(f->vma->vm_flags & VM_RAND);
	int err;

	up_read(&f->mm->mmap_lock);
	f->waited = true;
	count_vm(VM_fault_swap_in);
	err = swap_read_in(f->orig, around);
	if (!err)
		return FAULT_RETRY_UNLOCKED;
	/* The caller expects the lock on any other result. */
	down_read(&f->mm->mmap_lock);
	return fault_from_errno(err);
}

/* Somebody reads or writes @page. */
static enum fault_result wait_for(struct fault *f, struct page *page)
{
	int err;

	up_read(&f->mm->mmap_lock);
	err = wait_on_page_locked_killable(page);
	page_put(page);
	if (!err)
		return FAULT_RETRY_UNLOCKED;
	down_read(&f->mm->mmap_lock);
	return fault_from_errno(err);
}

/*
 * The slot of @page, which only this PTE wants, is given back, rather than kept for later: then
 * reclaim would drop the page as one that is in its area still, and swapoff read it once more.
 */
static bool takes_slot_back(const struct fault *f, const struct page *page)
{
	if (!swap_is_only_one(f->orig, page))
		return false;
	return f->access == FAULT_WRITE || (f->vma->vm_flags & VM_LOCKED) || swap_is_tight() ||
	       swap_is_closing(f->orig);
}

/*
 * Sets the PTE, which gets a reference of its own. @page is locked and cached. False: another hart
 * was first.
 */
static bool map_cached(struct fault *f, struct page *page)
{
	struct spinlock *ptl = pte_lockptr(f->ptep);
	bool alone;

	spin_lock(ptl);
	if (pte_read(f->ptep).val != f->orig.val) {
		spin_unlock(ptl);
		return false;
	}
	alone = takes_slot_back(f, page);
	page_get(page);
	if (!page->mapping)
		fault_own_anon(f, page);
	if (atomic_inc_old(&page->mapcount) > 0)
		gauge_add(GAUGE_SHARED_ANON, 1);
	swap_put(f->orig);
	if (alone)
		swap_cache_drop(page); /* before W comes: cow.c */
	f->orig = pte_make(page_to_pfn(page), fault_pte_bits(f->vma, alone) | (alone ? PTE_D : 0));
	pte_set(f->ptep, f->orig);
	mm_add_rss_anon(f->mm, 1);
	mm_add_swap_ents(f->mm, -1);
	spin_unlock(ptl);
	window();
	fault_flush_local(f);
	return true;
}

/* Is locked @page still what the entry means? (Or was it dropped, or could it not be read?) */
static bool is_cached_for(const struct page *page, pte_t entry)
{
	return (page_flags(page) & PG_SWAPCACHE) && page->swap.val == entry.val;
}

enum fault_result swap_fault(struct fault *f)
{
	struct page *page = swap_cache_get(f->orig);
	bool mapped = false;

	if (!page)
		return read_in(f);
	window();
	if (!trylock_page(page))
		return wait_for(f, page);
	if (is_cached_for(page, f->orig)) {
		if (f->vma->vm_prot & PROT_EXEC)
			fault_sync_icache(&page, 1);
		mapped = map_cached(f, page);
	}
	unlock_page(page);
	page_put(page); /* not earlier: a truncation may have taken the PTE, and its reference */
	if (!mapped)
		return FAULT_RETRY;
	if (f->access == FAULT_WRITE && !pte_write(f->orig))
		return cow_fault(f);
	count_vm(VM_fault_swap_cache);
	return FAULT_OK;
}
