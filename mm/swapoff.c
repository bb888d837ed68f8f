/*
 * swapoff.c - everything that lies in a swap area comes back, while programs go on.
 *
 *	closing          no slot is given out any more
 *	each mm          every PTE that holds an entry of the area gets its page, as if it were read
 *	shared memory    every entry in a tree of pages likewise (mm/shmem_swap.c)
 *	the cache        pages that no PTE wants by entry any more leave it, which frees their slots
 *	again            until no slot is in use: an address space that is just being copied or ends
 *	                 may have entries where the round has already been
 *
 * A page that several PTEs want by the same entry is read once: it stays in the cache until the
 * last of them has it.
 *
 * Without memory, or a page that cannot be read, the area stays in use as before, with less in it.
 *
 * Locks: swap_mutex; mmap_lock for reading of one address space at a time; mm_list_lock while the
 * next is looked for.
 */
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/fault.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/shmem.h"
#include "mm/swap_internal.h"
#include "mm/vma.h"

/* ---- one address space ---- */

/* Sets f->addr, ptep and orig to the next entry of @area from f->addr on, up to @end. */
static bool find_entry(struct fault *f, unsigned long end, const struct swap_area *area)
{
	unsigned long next;

	for (; f->addr < end; f->addr = next) {
		next = pt_addr_end(f->addr, end, 1);
		f->ptep = pte_find(f->mm, f->addr);
		for (; f->ptep && f->addr < next; f->addr += PAGE_SIZE, f->ptep++) {
			f->orig = pte_read(f->ptep);
			if (pte_swap(f->orig) && swap_entry_area(f->orig) == area->nr)
				return true;
		}
	}
	return false;
}

/* The next place from f->addr on; false: there is none. mmap_lock held. */
static bool find_place(struct fault *f, const struct swap_area *area)
{
	for (f->vma = find_vma(f->mm, f->addr); f->vma; f->vma = f->vma->vm_next) {
		f->addr = max(f->addr, f->vma->vm_start);
		if (f->vma->vm_anon && find_entry(f, f->vma->vm_end, area))
			return true;
	}
	return false;
}

static int bring_errno(enum fault_result res)
{
	switch (res) {
	case FAULT_OOM:
		return -ENOMEM;
	case FAULT_KILLED:
		return -EINTR;
	case FAULT_SIGBUS:
		return -EIO;
	default:
		return 0;
	}
}

static int bring_mm_back(struct mm *mm, const struct swap_area *area)
{
	struct fault f = { .mm = mm, .access = FAULT_READ };
	enum fault_result res;
	int err = 0;

	down_read(&mm->mmap_lock);
	while (!err && find_place(&f, area)) {
		res = current->killed ? FAULT_KILLED : swap_fault(&f);
		err = bring_errno(res);
		if (res == FAULT_RETRY_UNLOCKED)
			down_read(&mm->mmap_lock);
		if (res == FAULT_RETRY) {
			up_read(&mm->mmap_lock);
			cond_resched();
			down_read(&mm->mmap_lock);
		}
	}
	up_read(&mm->mmap_lock);
	return err;
}

/* ---- all of them ---- */

/* The first mm behind @prev (NULL: of all) that has swap entries, with a user; NULL: none. */
static struct mm *next_mm(struct mm *prev)
{
	struct list_head *link;
	struct mm *found = NULL;

	spin_lock(&mm_list_lock);
	for (link = prev ? prev->all_link.next : mm_list.next; link != &mm_list;
	     link = link->next) {
		struct mm *mm = list_entry(link, struct mm, all_link);

		if (READ_ONCE(mm->swap_ents) && atomic_inc_not_zero(&mm->users)) {
			found = mm;
			break;
		}
	}
	spin_unlock(&mm_list_lock);
	return found;
}

static int bring_mms_back(const struct swap_area *area)
{
	struct mm *mm = NULL, *next;
	int err = 0;

	while (!err && (next = next_mm(mm))) {
		if (mm)
			mm_put(mm);
		mm = next;
		err = bring_mm_back(mm, area);
	}
	if (mm)
		mm_put(mm);
	return err;
}

/* Cached pages whose entries nobody holds leave the cache. */
static void empty_cache(struct swap_area *area)
{
	for (unsigned long n = 1; n < area->nr_slots; n++) {
		pte_t entry = swap_entry(area->nr, n);
		struct page *page;

		if (n % SLOTS_PER_TABLE == 0)
			cond_resched();
		if (READ_ONCE(area_table(area, n)->frame[n % SLOTS_PER_TABLE]) == 0)
			continue;
		page = swap_cache_get(entry);
		if (!page)
			continue;
		lock_page(page);
		if ((page_flags(page) & PG_SWAPCACHE) && page->swap.val == entry.val)
			swap_cache_drop(page);
		unlock_page(page);
		page_put(page);
	}
}

static int bring_all_back(struct swap_area *area)
{
	int err = 0;

	while (!err && READ_ONCE(area->nr_busy) > 0) {
		err = bring_mms_back(area) ?: shmem_bring_area_back(area->nr);
		empty_cache(area);
		if (!err && current->killed)
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* ---- off ---- */

static struct swap_area *find_area(const struct block_device *bdev)
{
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		if (swap_areas[i] && (!bdev || swap_areas[i]->bdev == bdev))
			return swap_areas[i];
	}
	return NULL;
}

static void set_closing(struct swap_area *area, bool closing)
{
	spin_lock(&swap_lock);
	area->closing = closing;
	spin_unlock(&swap_lock);
	if (!closing)
		swap_discard_go_on();
}

static void remove_area(struct swap_area *area)
{
	swap_discard_end(area);
	spin_lock(&swap_lock);
	BUG_ON(area->nr_busy != 0);
	swap_areas[area->nr] = NULL;
	spin_unlock(&swap_lock);
	swap_area_free(area);
}

int swap_area_off(struct block_device *bdev)
{
	struct swap_area *area;
	int err = -EINVAL;

	mutex_lock(&swap_mutex);
	area = find_area(bdev);
	if (area) {
		set_closing(area, true);
		err = bring_all_back(area);
		if (err)
			set_closing(area, false);
		else
			remove_area(area);
	}
	mutex_unlock(&swap_mutex);
	return err;
}
