/*
 * pagemap.c - what is behind each page of an address space, and what each frame is: 64 bits each.
 *
 *	/proc/<pid>/pagemap    page of the process --> 63 present | 62 swap | 61 file | 56 exclusive
 *	                                               | frame number (for root)
 *	/proc/kpagecount       frame number --------> how many PTEs map it
 *	/proc/kpageflags       frame number --------> what it is used for
 *
 * The zero page is present, without file or exclusive: nobody has it for himself.
 *
 * Locks: mmap_lock for reading and the leaf tables' locks, around a piece that fits in the caller's
 * buffer, which is copied out later. Frames are looked at without any lock: a frame may become
 * something else at any time, as the reader must know.
 * Source: Linux' Documentation/admin-guide/mm/pagemap.rst.
 */
#include "lib/string.h"
#include "mm/early.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/walk.h"

struct pagemap {
	unsigned long start;
	bool pfns;
	u64 *entry;
};

static u64 entry_of(pte_t pte, bool pfns)
{
	u64 entry = PM_PRESENT | (pfns ? pte_pfn(pte) : 0);
	const struct page *page;

	if (pte_special(pte))
		return entry;
	page = pfn_to_page(pte_pfn(pte));
	if (!page_is_anon(page))
		entry |= PM_FILE;
	if (atomic_read(&page->mapcount) == 1)
		entry |= PM_EXCLUSIVE;
	return entry;
}

/* In the place of the frame's number: the area's in bits 0 to 4, then the slot's. */
static u64 swapped_entry_of(pte_t pte, bool slots)
{
	u64 entry = PM_SWAP;

	if (slots)
		entry |= (swap_entry_area(pte) | swap_entry_slot(pte) << PM_SWAP_AREA_BITS) &
			 PM_PFN_MASK;
	return entry;
}

static void put_leaves(pte_t *ptep, unsigned long addr, unsigned long end, void *arg)
{
	struct pagemap *map = arg;

	for (; addr < end; addr += PAGE_SIZE, ptep++) {
		pte_t pte = pte_read(ptep);

		u64 *entry = &map->entry[(addr - map->start) >> PAGE_SHIFT];

		if (pte_present(pte))
			*entry = entry_of(pte, map->pfns);
		else if (pte_swap(pte))
			*entry = swapped_entry_of(pte, map->pfns);
	}
}

void mm_pagemap(struct mm *mm, unsigned long start, unsigned nr, bool pfns, u64 *entry)
{
	struct pagemap map = { .start = start, .pfns = pfns, .entry = entry };

	memset(entry, 0, nr * sizeof(*entry));
	down_read(&mm->mmap_lock);
	walk_range(mm, start, start + nr * PAGE_SIZE, put_leaves, &map);
	up_read(&mm->mmap_lock);
}

/* ---- frames ---- */

/* The page of RAM with number @pfn; NULL: there is none, or it lies between two banks. */
static const struct page *ram_page(unsigned long pfn)
{
	if (!pfn_valid(pfn) || !early_is_ram(PFN_PHYS(pfn), PFN_PHYS(pfn + 1)))
		return NULL;
	return pfn_to_page(pfn);
}

static u64 type_flags(const struct page *page)
{
	switch (READ_ONCE(page->type)) {
	case PAGE_RESERVED:
		return 1UL << KPF_RESERVED;
	case PAGE_FREE:
		return 1UL << KPF_BUDDY;
	case PAGE_SLAB:
		return 1UL << KPF_SLAB;
	case PAGE_TABLE:
		return 1UL << KPF_PGTABLE;
	case PAGE_ANON:
		return 1UL << KPF_ANON | 1UL << KPF_SWAPBACKED;
	case PAGE_FILE:
		return READ_ONCE(page->mapping) ? 1UL << KPF_LRU : 0;
	default:
		return 0;
	}
}

u64 frame_flags(unsigned long pfn)
{
	static const struct {
		u32 flag;
		unsigned bit;
	} bits[] = {
		{ PG_LOCKED, KPF_LOCKED },	   { PG_ERROR, KPF_ERROR },
		{ PG_REFERENCED, KPF_REFERENCED }, { PG_UPTODATE, KPF_UPTODATE },
		{ PG_DIRTY, KPF_DIRTY },	   { PG_WRITEBACK, KPF_WRITEBACK },
		{ PG_SHMEM, KPF_SWAPBACKED },
	};
	const struct page *page = ram_page(pfn);
	u64 flags;

	if (!page)
		return 1UL << KPF_NOPAGE;
	flags = type_flags(page);
	for (unsigned i = 0; i < ARRAY_SIZE(bits); i++)
		if (page_flags(page) & bits[i].flag)
			flags |= 1UL << bits[i].bit;
	if (frame_count(pfn) > 0)
		flags |= 1UL << KPF_MMAP;
	if (page == zero_page)
		flags |= 1UL << KPF_ZERO_PAGE;
	return flags;
}

u64 frame_count(unsigned long pfn)
{
	const struct page *page = ram_page(pfn);
	int maps = page ? atomic_read(&page->mapcount) : 0;

	return max(maps, 0);
}

unsigned long frame_end(void)
{
	return mem_map_base_pfn + mem_map_nr;
}
