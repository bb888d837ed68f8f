/*
 * shared.c - a write to a page of a shared mapping: the first one to a clean page is noticed.
 *
 *	       write fault (here)                   write-back (mm/writeback.c)
 *	PTE r-- ----------------> PTE rw-, D        PTE rw- --------------> PTE r--, D clear
 *	clean                     page dirty        dirty   all PTEs, flush clean, being written
 *
 *	1 lock the page                        truncation and write-back stay away
 *	2 the file system gives it a place     ENOSPC: SIGBUS, no PTE has changed
 *	3 the page is dirty, the file's times are now
 *	4 W and D in the PTE, or a new PTE     all users of the page see the same frame
 *	5 unlock; where too much is dirty the task waits, after mmap_lock was dropped
 *
 * Where nothing is ever written back (memory without backing store) there is nothing to notice, and
 * the first touch, a read too, maps the page as the area says.
 *
 * A file may end inside the page. Then only what lies before its end has a place, and growing the
 * file takes W away again (filemap_end_grow()). Step 4 looks at the size under the leaf lock:
 * either it sees the growth, or the growth sees the PTE.
 *
 * Invariant: a writable PTE of a file that is written back maps a dirty page (mm_check()).
 * Locks: mmap_lock for reading, from the caller; inside it the page lock, and inside that what the
 * file system needs to find a place: never the inode's lock, which is outside mmap_lock.
 * Source: the memory-mapping pages of POSIX and mmap(2): SIGBUS, times.
 */
#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "lib/errno.h"
#include "mm/fault.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "mm/window.h"

bool shared_maps_writable(const struct vm_area *vma)
{
	return (vma->vm_flags & VM_SHARED) && !file_mapping(vma->vm_file)->ops->write_pages;
}

/* The file system could free room if it were not for our locks: without them, then once more. */
static enum fault_result make_room(struct fault *f)
{
	struct file *file = file_get(f->vma->vm_file);
	struct address_space *as = file_mapping(file);
	int err;

	up_read(&f->mm->mmap_lock);
	err = as->ops->make_room(as);
	file_put(file);
	f->made_room = true;
	if (!err)
		return FAULT_RETRY_UNLOCKED;
	down_read(&f->mm->mmap_lock);
	return fault_from_errno(err);
}

/*
 * Locked @page gets its place, up to position *@end, which the file may not pass as long as it is
 * writable. 0 or -errno, -EAGAIN: make_room() may help.
 */
static int find_place(struct address_space *as, struct page *page, u64 *end)
{
	u64 pos = (u64)page->index << PAGE_SHIFT, size = READ_ONCE(as->size);
	unsigned to = min(size - pos, (u64)PAGE_SIZE);
	int err;

	*end = ~0UL;
	if (!as->ops->map_locked_page || (page_flags(page) & PG_MAPPED))
		return 0;
	err = as->ops->map_locked_page(as, page, to);
	if (err)
		/* A hole that got its block all the same is zeros, not what the disk held. */
		filemap_set_dirty(as, page);
	else if (to < PAGE_SIZE)
		*end = pos + to;
	return err;
}

/* Step 4. The page's reference stays the caller's. */
static enum fault_result make_writable(struct fault *f, struct page *page,
				       const struct address_space *as, u64 end)
{
	unsigned long bits = fault_pte_bits(f->vma, true) | PTE_D;
	struct spinlock *ptl;
	bool fresh;

	if (!fault_alloc_pte(f))
		return FAULT_OOM;
	window();
	ptl = pte_lockptr(f->ptep);
	spin_lock(ptl);
	if (((pte_read(f->ptep).val ^ f->orig.val) & ~PTE_A) || !page_still_in_file(page, as) ||
	    READ_ONCE(as->size) > end) {
		spin_unlock(ptl);
		return FAULT_RETRY;
	}
	fresh = pte_none(f->orig);
	if (fresh) {
		page_get(page);
		if (atomic_inc_old(&page->mapcount) > 0)
			gauge_add(GAUGE_SHARED_FILE, 1);
		pte_set(f->ptep, pte_make(page_to_pfn(page), bits));
		mm_add_rss_file(f->mm, 1);
	} else {
		pte_set_bits(f->ptep, PTE_W | PTE_D | PTE_A);
	}
	spin_unlock(ptl);
	fault_flush_local(f);
	count_vm(VM_fault_shared_write);
	return FAULT_OK;
}

/* Steps 2 to 4 for a locked page. */
static enum fault_result notice_write(struct fault *f, struct page *page, struct address_space *as,
				      int *err)
{
	u64 end;

	if (!page_still_in_file(page, as))
		return FAULT_RETRY;
	*err = find_place(as, page, &end);
	if (*err)
		return fault_from_errno(*err);
	filemap_set_dirty(as, page);
	mapping_written(as);
	if (page_flags(page) & PG_ICACHE_CLEAN) /* what is written may be code */
		page_clear_flags(page, PG_ICACHE_CLEAN);
	return make_writable(f, page, as, end);
}

enum fault_result shared_write(struct fault *f, struct page *page)
{
	struct address_space *as = file_mapping(f->vma->vm_file);
	enum fault_result res;
	int err = 0;

	if (!as->ops->write_pages) {
		if (f->vma->vm_prot & PROT_EXEC)
			fault_sync_icache(&page, 1);
		return make_writable(f, page, as, ~0UL);
	}
	window();
	lock_page(page);
	res = notice_write(f, page, as, &err);
	unlock_page(page);
	if (err == -EAGAIN && !f->made_room)
		return make_room(f);
	if (res == FAULT_OK && too_much_is_dirty() && !f->throttle)
		f->throttle = file_get(f->vma->vm_file);
	return res;
}

enum fault_result shared_write_fault(struct fault *f)
{
	struct spinlock *ptl = pte_lockptr(f->ptep);
	enum fault_result res = FAULT_RETRY;
	struct page *page = NULL;

	spin_lock(ptl);
	if (((pte_read(f->ptep).val ^ f->orig.val) & ~PTE_A) == 0) {
		page = pfn_to_page(pte_pfn(f->orig));
		page_get(page);
	}
	spin_unlock(ptl);
	if (page) {
		res = shared_write(f, page);
		page_put(page);
	}
	return res;
}
