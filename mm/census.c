/*
 * census.c - every frame of the machine counted by what it is, against what is counted in passing.
 *
 *	mem_map[]   A A F T . S F A ...     looked at one by one, with the machine stopped
 *	counters    cache, dirty, tables, slabs, sharing: kept up by who changes them
 *
 * Invariant: both agree: what /proc/meminfo shows is what there is.
 * Locks: vm_check_all() has stopped the machine.
 */
#include "mm/census.h"

#include "kernel/printk.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/slab.h"

struct census {
	unsigned long cached, buffers, shmem, dirty, tables, slab;
	long shared_anon, shared_file; /* PTEs beyond the first of a frame */
};

static void count_cached(struct census *census, const struct page *page)
{
	const struct address_space *as = page->mapping;

	census->cached++;
	census->buffers += !as->host;
	census->shmem += as->ops->no_backing;
}

static void count_frame(struct census *census, const struct page *page)
{
	long shared = max(atomic_read(&page->mapcount) - 1, 0);

	switch (page->type) {
	case PAGE_FILE:
		if (page->mapping)
			count_cached(census, page);
		census->dirty += !!(page_flags(page) & PG_DIRTY);
		census->shared_file += shared;
		break;
	case PAGE_ANON:
		census->shared_anon += shared;
		break;
	case PAGE_TABLE:
		census->tables += page->mapping != NULL;
		break;
	case PAGE_SLAB:
		/* Of a large kmalloc() only the first page says what it is. */
		census->slab += page->mapping ? 1 : 1UL << page->order;
		break;
	default:
		break;
	}
}

static int compare(const struct census *census)
{
	unsigned long tables = 0;
	int faults = 0;
	struct mm *mm;

	list_for_each_entry(mm, &mm_list, all_link)
		tables += mm->nr_ptes;
	{
		const struct {
			const char *what;
			long found, counted;
		} sums[] = {
			{ "are cache", census->cached, filemap_nr_pages() },
			{ "are buffers", census->buffers, filemap_nr_buffers() },
			{ "are of shared memory", census->shmem, shmem_nr_pages() },
			{ "are dirty", census->dirty, filemap_nr_dirty() },
			{ "are page tables", census->tables, tables },
			{ "are slabs", census->slab, slab_nr_pages() },
			{ "are PTEs of shared anonymous frames", census->shared_anon,
			  gauge_sum(GAUGE_SHARED_ANON) },
			{ "are PTEs of shared file frames", census->shared_file,
			  gauge_sum(GAUGE_SHARED_FILE) },
		};

		for (unsigned i = 0; i < ARRAY_SIZE(sums); i++)
			if (sums[i].found != sums[i].counted) {
				printk("mm_check: %ld pages %s, %ld are counted\n", sums[i].found,
				       sums[i].what, sums[i].counted);
				faults++;
			}
	}
	return faults;
}

int census_check(void)
{
	struct census census = {};

	for (unsigned long i = 0; i < mem_map_nr; i++)
		count_frame(&census, &mem_map[i]);
	return compare(&census);
}
