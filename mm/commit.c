/*
 * commit.c - memory that is promised to programs, whether or not they have touched it yet.
 *
 *	area                                   promised
 *	private, writable                      all its pages: each may become its own frame
 *	private, read-only, once written to    likewise: what was written is still there
 *	private, never writable; PROT_NONE     nothing: the file, or the zero page, has it all
 *	shared                                 nothing: the file has it. Memory shared without a
 *	                                       file is promised whole with its object; a page
 *	                                       of tmpfs, or of a memfd, when it comes
 *	MAP_NORESERVE                          nothing, unless nothing may be overcommitted
 *
 *	overcommit_memory   a new promise is refused, ENOMEM,
 *	0                   if it alone is more than memory and swap together: an obvious mistake
 *	1                   never
 *	2                   if all were more than swap and overcommit_ratio percent of memory
 *
 * Only in mode 2 can memory not run out; the price is that big programs cannot fork, and sparse
 * arrays are refused.
 *
 * The area list is edited after the check, so harts that check at the same moment may go beyond the
 * limit together, by one edit each.
 *
 * Invariant (mm_check()): mm->committed_vm is the sum over the list.
 * Locks: mm_list_lock while the address spaces are added up, which only mode 2 and /proc do;
 * vma_account() is the one place where areas are, under mmap_lock.
 * Source: Linux' Documentation/mm/overcommit-accounting.rst.
 */
#include "mm/commit.h"

#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/swap.h"

unsigned long overcommit_memory = OVERCOMMIT_GUESS, overcommit_ratio = 50;

static long shmem_committed; /* pages of shared memory */

unsigned long commit_limit(void)
{
	return nr_managed_pages() * READ_ONCE(overcommit_ratio) / 100 + swap_nr_slots();
}

unsigned long committed_pages(void)
{
	struct mm_totals totals;

	mm_totals(&totals);
	return totals.committed + READ_ONCE(shmem_committed);
}

int commit_check_mode(unsigned long pages)
{
	switch (READ_ONCE(overcommit_memory)) {
	case OVERCOMMIT_ALWAYS:
		return 0;
	case OVERCOMMIT_NEVER:
		return pages > 0 && committed_pages() + pages > commit_limit() ? -ENOMEM : 0;
	default:
		return pages > nr_managed_pages() + swap_nr_slots() ? -ENOMEM : 0;
	}
}

bool commit_may_be_skipped(void)
{
	return READ_ONCE(overcommit_memory) != OVERCOMMIT_NEVER;
}

/* ---- shared memory ---- */

void shmem_commit(struct address_space *as, unsigned long pages)
{
	as->nr_committed = pages;
	atomic_add_long(&shmem_committed, pages);
}

void shmem_commit_page(struct address_space *as, long n)
{
	if (as->nr_committed == 0)
		atomic_add_long(&shmem_committed, n);
}

void shmem_uncommit(struct address_space *as)
{
	if (as->nr_committed)
		atomic_add_long(&shmem_committed, -(long)as->nr_committed);
	as->nr_committed = 0;
}
