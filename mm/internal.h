/*
 * internal.h - what the files of mm/ share among themselves and nobody else needs.
 */
#ifndef RAVEL_MM_INTERNAL_H
#define RAVEL_MM_INTERNAL_H

#include "mm/mm.h"
#include "mm/vmstat.h"

struct kmem_cache;

/* As mm_alloc(), into the fork family @root; NULL: a family of its own. */
struct mm *mm_alloc_in_family(struct anon_root *root);

extern struct kmem_cache *vma_cache;

/* Every mm that exists, for vm_check_all(). */
extern struct spinlock mm_list_lock;
extern struct list_head mm_list;

/*
 * 0 when @pages more pages of an area like @like are within the task's limits, and may be promised;
 * -ENOMEM.
 */
int may_expand(struct mm *mm, unsigned long pages, const struct vm_area *like);
/* The limits alone, for an address space of @total pages, @data of them data. */
int within_limits(unsigned long total, unsigned long data, unsigned long pages,
		  const struct vm_area *like);
/* Pages of [start, end) that are promised: given back when they are replaced. mmap_lock held. */
unsigned long committed_in(struct mm *mm, unsigned long start, unsigned long end);

/* ---- pages before they are touched (mm/populate.c); each takes and drops mmap_lock ---- */

/*
 * Faults in the pages of [start, end) that their areas let be reached, as MAP_POPULATE and mlock(2)
 * do; where that fails, goes on with the next area.
 */
void mm_populate(struct mm *mm, unsigned long start, unsigned long end);
/* The same in locked areas only: what was unreachable there, and is not any more. */
void mm_populate_locked(struct mm *mm, unsigned long start, unsigned long end);
/*
 * The same, ended by the first failure: 0, or -EFAULT (PROT_NONE, past the end of a file), -ENOMEM,
 * -EINTR (a fatal signal). Holes are nobody's failure.
 */
int mm_populate_or_fail(struct mm *mm, unsigned long start, unsigned long end);
/*
 * MADV_POPULATE_READ and _WRITE. 0, -EINVAL: an area forbids it; -EFAULT, -ENOMEM: a hole, the rest
 * being populated, or memory; -EINTR.
 */
int mm_populate_for(struct mm *mm, unsigned long start, unsigned long end,
		    enum fault_access access);

static inline void mm_add_rss_anon(struct mm *mm, long n)
{
	atomic_add_long(&mm->rss_anon, n);
}

static inline void mm_add_rss_file(struct mm *mm, long n)
{
	atomic_add_long(&mm->rss_file, n);
}

static inline void mm_add_swap_ents(struct mm *mm, long n)
{
	atomic_add_long(&mm->swap_ents, n);
}

/* Called before rss falls, so that the peak is not lost. */
static inline void mm_update_hiwater(struct mm *mm)
{
	unsigned long rss = mm_rss(mm);

	if (rss > READ_ONCE(mm->hiwater_rss))
		WRITE_ONCE(mm->hiwater_rss, rss);
}

/* Anonymous memory of the family of @mm: the tagged owner that such pages name. */
static inline void *anon_owner(const struct mm *mm)
{
	return (void *)((unsigned long)mm->anon_root | PAGE_MAPPING_ANON);
}

static inline bool page_is_anon(const struct page *page)
{
	return page->type == PAGE_ANON;
}

#endif
