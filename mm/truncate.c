/*
 * truncate.c - a file ends elsewhere, or gets a hole: its pages leave the cache and all mappings.
 *
 *	truncate to s    [0] [1] [2 | zeros]  .   .       PTEs of all that lies past s go, private
 *	                            s                     copies too: SIGBUS from then on
 *	grow             [0] [1] [2] . .                  what mappings wrote past the old end goes
 *	punch [f, t)     [0] [1 |0] . . [0| 4]          PTEs of the file's pages go; private copies
 *	                        f          t              stay: the next touch finds a new page
 *
 * A fault may run at the same time. It sets a PTE under the leaf lock if the page is still the
 * file's then. So: PTEs are cleared, the page leaves the cache, and PTEs are cleared once more:
 * either the fault sees that the page is gone, or the second look sees the PTE.
 *
 * Locks: the inode's, the caller's; page lock of each page that goes, inside it as->mmap_lock.
 */
#include "lib/err.h"
#include "lib/string.h"
#include "mm/filemap.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/window.h"

#define BATCH 16 /* pages looked up at once */

/* Takes up to BATCH pages from index @first on out of the cache; how many. */
static unsigned remove_batch(struct address_space *as, unsigned long first)
{
	unsigned long indexes[BATCH];
	void *items[BATCH];
	unsigned nr;

	spin_lock(&as->lock);
	nr = radix_tree_gang_lookup(&as->pages, items, indexes, first, BATCH);
	for (unsigned i = 0; i < nr; i++) {
		if (item_is_swapped(items[i]))
			shmem_forget_swapped(as, indexes[i], items[i]);
		else
			page_get(items[i]);
	}
	spin_unlock(&as->lock);
	for (unsigned i = 0; i < nr; i++) {
		if (item_is_swapped(items[i]))
			continue;
		lock_page(items[i]); /* an I/O in progress ends first */
		filemap_cancel_dirty(as, items[i]);
		filemap_remove_page(as, items[i]);
		unlock_page(items[i]);
		page_put(items[i]);
	}
	cond_resched();
	return nr;
}

void filemap_remove_from(struct address_space *as, unsigned long first)
{
	while (remove_batch(as, first) > 0)
		;
}

/*
 * Zeroes the last page past the new end, so that growing again shows zeros: on the disk too. The
 * file system has seen to it that the page is there if the disk has it.
 */
static void zero_tail(struct address_space *as, u64 size)
{
	unsigned offset = size & (PAGE_SIZE - 1);
	struct page *page;

	if (offset == 0)
		return;
	page = find_get_page(as, size >> PAGE_SHIFT);
	if (!page)
		return;
	lock_page(page);	      /* a read in progress would fill the tail again */
	wait_on_page_writeback(page); /* a write of it may go to blocks that are about to be free */
	memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
	page_clear_flags(page, PG_MAPPED); /* blocks of it past the end are given back */
	unlock_page(page);
	filemap_set_dirty(as, page);
	page_put(page);
}

/* as->lock held: zeros from the end of the file to the end of the page there, if it is cached. */
static void zero_past_end(struct address_space *as)
{
	unsigned offset = as->size & (PAGE_SIZE - 1);
	struct page *page = NULL;

	if (offset > 0)
		page = radix_tree_lookup(&as->pages, as->size >> PAGE_SHIFT);
	/* One that lies in swap has zeros there: mm/shmem_swap.c. */
	if (page && !item_is_swapped(page) && (page_flags(page) & PG_UPTODATE))
		memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
}

void filemap_begin_grow(struct address_space *as)
{
	spin_lock(&as->lock);
	as->growing = true;
	if (READ_ONCE(as->was_shared))
		zero_past_end(as);
	spin_unlock(&as->lock);
}

/*
 * A write-back while the file was growing left alone what mappings stored past the end, and the
 * size may be what it was: the last page is written once more, with zeros there.
 */
static void dirty_tail(struct address_space *as)
{
	struct page *page;

	if (as->size % PAGE_SIZE == 0 || !as->ops->write_pages)
		return;
	page = find_get_page(as, as->size >> PAGE_SHIFT);
	if (!page)
		return;
	if (page_flags(page) & PG_UPTODATE)
		filemap_set_dirty(as, page);
	page_put(page);
}

void filemap_end_grow(struct address_space *as, u64 old_size)
{
	struct page *page;

	smp_store_release(&as->growing, false); /* the new size and bytes before it */
	if (likely(!READ_ONCE(as->was_shared)))
		return;
	dirty_tail(as);
	if (old_size % PAGE_SIZE == 0 || !as->ops->map_locked_page)
		return;
	/* The new size before the look at PTEs: pairs with the leaf lock, or pte_alloc(). */
	smp_mb();
	page = find_get_page(as, old_size >> PAGE_SHIFT);
	if (!page)
		return;
	unmap_page_writes(as, page);
	page_put(page);
}

void filemap_grow(struct address_space *as, u64 size)
{
	u64 old_size = as->size;

	filemap_begin_grow(as);
	WRITE_ONCE(as->size, size);
	filemap_end_grow(as, old_size);
}

void filemap_truncate(struct address_space *as, u64 size)
{
	unsigned long first = DIV_ROUND_UP(size, PAGE_SIZE);

	if (size >= as->size) {
		filemap_grow(as, size);
		return;
	}
	WRITE_ONCE(as->size, size);
	unmap_mapping_from(as, first);
	filemap_remove_from(as, first);
	/* The removals before the second look at the tables: pairs with pte_alloc(). */
	smp_mb();
	unmap_mapping_from(as, first);
	zero_tail(as, size);
}

/* ---- holes ---- */

/* Page @index, and every PTE that maps it, goes. */
static void punch_page(struct address_space *as, struct page *page)
{
	lock_page(page);
	unmap_page(as, page);
	window();
	filemap_remove_page(as, page);
	window();
	/* The removal before the second look at PTEs: pairs with the leaf lock, or pte_alloc(). */
	smp_mb();
	unmap_page(as, page);
	unlock_page(page);
}

/* Zeros in [from, to), which lies in one page, if that is there. */
static void punch_part(struct address_space *as, u64 from, u64 to)
{
	struct page *page = from < to ? find_get_page(as, from >> PAGE_SHIFT) : NULL;

	if (!page)
		return;
	lock_page(page);
	memset((char *)page_address(page) + offset_in_page(from), 0, to - from);
	unlock_page(page);
	page_put(page);
}

/*
 * The next page of [first, last) goes, or its swap entry; returns its index, or @last: there is
 * none.
 */
static unsigned long punch_next(struct address_space *as, unsigned long first, unsigned long last)
{
	struct page *page = NULL;
	unsigned long index;
	void *item;

	spin_lock(&as->lock);
	if (!radix_tree_gang_lookup(&as->pages, &item, &index, first, 1) || index >= last) {
		index = last;
	} else if (item_is_swapped(item)) {
		shmem_forget_swapped(as, index, item);
	} else {
		page = item;
		page_get(page);
	}
	spin_unlock(&as->lock);
	if (page) {
		punch_page(as, page);
		page_put(page);
	}
	return index;
}

static void punch_whole(struct address_space *as, unsigned long first, unsigned long last)
{
	while (first < last) {
		first = punch_next(as, first, last) + 1;
		cond_resched();
	}
}

int filemap_punch(struct address_space *as, u64 from, u64 to)
{
	unsigned long first = DIV_ROUND_UP(from, PAGE_SIZE), last = to >> PAGE_SHIFT;
	struct page *head, *tail;

	/* While we have them they do not go to swap. */
	head = shmem_hold_part(as, from);
	if (IS_ERR(head))
		return PTR_ERR(head);
	tail = shmem_hold_part(as, to);
	if (!IS_ERR(tail)) {
		punch_part(as, from, min(to, (u64)first << PAGE_SHIFT));
		if (last >= first)
			punch_part(as, (u64)last << PAGE_SHIFT, to);
		punch_whole(as, first, last);
	}
	if (head)
		page_put(head);
	if (!IS_ERR(tail) && tail)
		page_put(tail);
	return IS_ERR(tail) ? PTR_ERR(tail) : 0;
}
