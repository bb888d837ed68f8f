/*
 * filefault.c - a fault on a page of a file that has no PTE yet.
 *
 *	page index past the end of the file   -> SIGBUS
 *	not in the page cache, or being read  -> drop mmap_lock, read, start over (a major fault)
 *	in the cache, but nobody had asked    -> drop mmap_lock, maybe read on, start over
 *	in the cache; read or fetch           -> map it read-only, and its cached neighbours with it
 *	in the cache; write, private          -> copy at once, map the copy writable
 *	in the cache; write, shared           -> shared.c
 *
 *	fault-around:   window of FAULT_AROUND pages, cut to the area and to its leaf table
 *	        [ ][x][x][F][x][ ][x][x]   F: faulting page   x: cached and up to date: mapped
 *
 * A truncation may run at the same time. It sets the new size, removes the pages from the cache
 * (page->mapping becomes NULL), and *then* clears PTEs under the leaf locks. So each page's mapping
 * and the size are checked under the leaf lock, when its PTE is set: either the check sees the
 * change, or the truncation sees the PTE. Where the leaf table itself is new, the fences in
 * pte_alloc() and filemap_truncate() order the two.
 *
 * Invariant: a file page is mapped read-only here, but where nobody needs to know of writes.
 * Locks: mmap_lock for reading, from the caller, dropped for I/O; the leaf table's lock.
 */
#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "lib/err.h"
#include "mm/buddy.h"
#include "mm/decide.h"
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/oom.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "mm/window.h"

#define FAULT_AROUND 16 /* pages; a power of two */

static enum readahead_advice advice_of(const struct vm_area *vma)
{
	if (vma->vm_flags & VM_RAND)
		return READAHEAD_RANDOM;
	return vma->vm_flags & VM_SEQ ? READAHEAD_SEQUENTIAL : READAHEAD_NORMAL;
}

/* The page is made where there is no disk to wait for: memory's own, that is not in a swap area. */
static bool is_made(struct address_space *as, unsigned long index)
{
	return as->ops->no_backing && filemap_is_hole(as, index);
}

/*
 * Brings the page in without mmap_lock, so that others fault and edit meanwhile. A major fault, but
 * for a page that is made.
 */
static enum fault_result read_in(struct fault *f, unsigned long index)
{
	struct file *file = file_get(f->vma->vm_file);
	enum readahead_advice advice = advice_of(f->vma);
	struct page *page;

	up_read(&f->mm->mmap_lock);
	f->waited |= !is_made(file_mapping(file), index);
	count_vm(VM_fault_io_retry);
	page = read_fault_page(file_mapping(file), file_readahead(file), index, advice);
	file_put(file);
	if (!IS_ERR(page)) {
		page_put(page);
		return FAULT_RETRY_UNLOCKED;
	}
	/* The caller expects the lock on any other result. */
	down_read(&f->mm->mmap_lock);
	return fault_from_errno(PTR_ERR(page));
}

/*
 * @page, whose reference goes, was read before anybody asked: now somebody does, and what comes
 * next may have to be read, also without mmap_lock.
 */
static enum fault_result read_on(struct fault *f, struct page *page)
{
	struct file *file = file_get(f->vma->vm_file);

	up_read(&f->mm->mmap_lock);
	filemap_use_ahead(file_mapping(file), file_readahead(file), page);
	page_put(page);
	file_put(file);
	return FAULT_RETRY_UNLOCKED;
}

/* ---- private write: a copy at once ---- */

static enum fault_result copy_from_cache(struct fault *f, struct page *cached,
					 const struct address_space *as)
{
	struct page *new = alloc_page(GFP_KERNEL);
	enum fault_result res;
	pte_t pte;

	if (!new)
		return FAULT_OOM;
	copy_page(page_address(new), page_address(cached));
	fault_own_anon(f, new);
	if (f->vma->vm_prot & PROT_EXEC)
		fault_sync_icache(&new, 1);
	f->source = cached;
	f->source_mapping = as;
	pte = pte_make(page_to_pfn(new), fault_pte_bits(f->vma, true) | PTE_D);
	res = fault_install(f, pte);
	if (res != FAULT_OK) {
		page_put(new);
		return res;
	}
	mm_add_rss_anon(f->mm, 1);
	count_vm(VM_fault_file_cow);
	return FAULT_OK;
}

/* ---- read: map what is there, around the address ---- */

struct window {
	unsigned long first; /* page index in the file */
	unsigned long addr;  /* user address of first */
	unsigned nr;
};

/* The aligned window around f->addr, cut to the area; it never leaves the leaf table. */
static struct window around(const struct fault *f)
{
	unsigned long span = FAULT_AROUND * PAGE_SIZE;
	unsigned long start = max(f->addr & ~(span - 1), f->vma->vm_start);
	unsigned long end = min((f->addr & ~(span - 1)) + span, f->vma->vm_end);

	return (struct window){
		.first = vma_pgoff(f->vma, start),
		.addr = start,
		.nr = (end - start) >> PAGE_SHIFT,
	};
}

/* Maps the @nr found pages, whose references become the PTEs' or are dropped. */
static enum fault_result map_found(struct fault *f, struct window w, struct page **pages,
				   unsigned nr, struct address_space *as)
{
	pte_t *first = f->ptep - ((f->addr - w.addr) >> PAGE_SHIFT);
	struct spinlock *ptl = pte_lockptr(f->ptep);
	unsigned kept = 0, mapped;
	long shared = 0;
	bool writable = shared_maps_writable(f->vma), hit = false;
	unsigned long end;
	unsigned long bits = fault_pte_bits(f->vma, writable) | (writable ? PTE_D : 0);
	unsigned long unused = bits & ~PTE_A; /* the neighbours': reclaim is to see a first use */

	window();
	spin_lock(ptl);
	if (mm_is_reaped(f->mm) && !(f->vma->vm_flags & VM_SHARED)) {
		spin_unlock(ptl);
		pages_put(pages, nr);
		return FAULT_KILLED;
	}
	end = nr_pages_in_file(as); /* after the lock is taken, as page_still_in_file() */
	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];
		unsigned long index = page->index;
		pte_t *ptep = first + (index - w.first);

		if (unlikely(!pte_none(pte_read(ptep)) || READ_ONCE(page->mapping) != as ||
			     index >= end)) {
			pages[kept++] = page;
			continue;
		}
		shared += atomic_inc_old(&page->mapcount) > 0;
		pte_set(ptep, pte_make(page_to_pfn(page), ptep == f->ptep ? bits : unused));
		hit |= ptep == f->ptep;
	}
	mapped = nr - kept;
	spin_unlock(ptl);
	fault_flush_local(f);
	mm_add_rss_file(f->mm, mapped);
	gauge_add(GAUGE_SHARED_FILE, shared);
	for (unsigned i = 0; i < kept; i++)
		page_put(pages[i]);
	if (!hit)
		return FAULT_RETRY;
	count_vm(VM_fault_file_read);
	count_vm_n(VM_fault_file_around, mapped - 1);
	return FAULT_OK;
}

static enum fault_result map_around(struct fault *f, struct address_space *as)
{
	struct page *pages[FAULT_AROUND];
	struct window w = around(f);
	unsigned nr;

	if (!fault_alloc_pte(f))
		return FAULT_OOM;
	nr = find_uptodate_pages(as, w.first, w.nr, pages);
	if (f->vma->vm_prot & PROT_EXEC)
		fault_sync_icache(pages, nr);
	return map_found(f, w, pages, nr, as);
}

enum fault_result file_fault(struct fault *f)
{
	struct address_space *as = file_mapping(f->vma->vm_file);
	unsigned long index = vma_pgoff(f->vma, f->addr);
	enum fault_result res;
	enum fault_case what;
	struct page *page;

	if (!index_is_in_file(as, index))
		return FAULT_SIGBUS;
	page = find_get_page(as, index);
	if (page && unlikely(page_flags(page) & PG_READAHEAD))
		return read_on(f, page);
	if (!page_is_here(page)) {
		if (page)
			page_put(page);
		return read_in(f, index);
	}
	what = decide_file(f->vma, f->access);
	if (what == CASE_FILE_MAP)
		res = map_around(f, as);
	else if (what == CASE_SHARED_WRITE)
		res = shared_write(f, page);
	else
		res = copy_from_cache(f, page, as);
	page_put(page);
	return res;
}
