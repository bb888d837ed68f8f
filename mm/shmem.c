/*
 * shmem.c - mappings without a backing store: tmpfs files now, shared anonymous memory later.
 *
 *	The page cache *is* the file. A page that is not in the tree is a hole: it reads as zeros,
 *	and a write or a fault makes it. Such pages are never dropped by reclaim, only by
 *	truncation.
 *
 * Invariant: shmem_nr_pages() counts the cache pages of all such mappings, at most
 * shmem_max_pages() but for races of a few pages.
 * Locks: those of filemap.c; the count is atomic.
 */
#include "mm/shmem.h"

#include "mm/buddy.h"

static long nr_shmem;

void shmem_account(long n)
{
	atomic_add_long(&nr_shmem, n);
}

unsigned long shmem_nr_pages(void)
{
	return READ_ONCE(nr_shmem);
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

const struct address_space_ops shmem_aops = {
	.read_pages = shmem_read_pages,
	.no_backing = true,
};
