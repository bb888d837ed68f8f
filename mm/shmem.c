/*
 * shmem.c - mappings without a backing store: tmpfs, memfd, shared anonymous memory, System V.
 *
 *	The page cache *is* the file. A page that is not in the tree is a hole: it reads as zeros,
 *	and a write or a fault makes it. Such pages are never dropped by reclaim, only by
 *	truncation and by punching holes; but they may go to swap (mm/shmem_swap.c), and the tree
 *	has the swap entry then.
 *
 * Invariant: shmem_nr_used() counts the pages of all such mappings, at most shmem_max_pages() but
 * for races of a few pages; shmem_nr_pages() those in memory.
 * Locks: those of filemap.c; the count is atomic.
 */
#include "mm/shmem.h"

#include "mm/buddy.h"
#include "mm/commit.h"

static long nr_shmem;

static long nr_shmem_swapped; /* of them, in swap areas */

void shmem_account(struct address_space *as, long n)
{
	atomic_add_long(&nr_shmem, n);
	shmem_commit_page(as, n);
}

bool shmem_has_room(const struct address_space *as)
{
	return shmem_nr_used() < shmem_max_pages() && (as->nr_committed || !commit_check(1));
}

void shmem_account_swapped(long n)
{
	atomic_add_long(&nr_shmem_swapped, n);
}

unsigned long shmem_nr_used(void)
{
	return READ_ONCE(nr_shmem);
}

unsigned long shmem_nr_pages(void)
{
	long nr = READ_ONCE(nr_shmem) - READ_ONCE(nr_shmem_swapped);

	return max(nr, 0L); /* not of one moment */
}

unsigned long shmem_max_pages(void)
{
	return nr_managed_pages() / 2;
}

/* "Reading" a hole is making its zeros. */
static void shmem_read_pages(struct address_space *as __maybe_unused, struct page **pages,
			     unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		clear_page(page_address(pages[i]));
		page_end_read(pages[i], true);
	}
}

/* What has a page is data. */
static s64 shmem_seek(struct address_space *as, u64 pos, bool data)
{
	unsigned long first = pos >> PAGE_SHIFT, index = first;
	void *page;
	u64 found;

	spin_lock(&as->lock);
	if (data && radix_tree_gang_lookup(&as->pages, &page, &index, first, 1) == 0)
		index = ~0UL >> PAGE_SHIFT;
	while (!data && radix_tree_lookup(&as->pages, index))
		index++;
	spin_unlock(&as->lock);
	found = index == first ? pos : (u64)index << PAGE_SHIFT;
	return min(found, as->size);
}

const struct address_space_ops shmem_aops = {
	.read_pages = shmem_read_pages,
	.seek = shmem_seek,
	.no_backing = true,
};
