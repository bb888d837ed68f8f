/*
 * oracle_place.c - where an area may be, and how much of them there may be: free places, limits.
 */
#include "kernel/task.h"
#include "lib/errno.h"
#include "tests/host/model/oracle_rules.h"

/* ---- what is there ---- */

/* How many pages of [addr, addr + len) are mapped. */
unsigned long oracle_nr_mapped(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long nr = 0, at = addr;

	while (at < addr + len && oracle_next(om, at, &at) && at < addr + len) {
		nr++;
		at += PAGE_SIZE;
	}
	return nr;
}

bool oracle_is_data(const struct oracle_page *page)
{
	return (page->prot & PROT_WRITE) && !(page->flags & (VM_GROWSDOWN | VM_SHARED));
}

/* ---- limits ---- */

bool oracle_within_limits(struct oracle_mm *om, unsigned long pages, unsigned long data)
{
	unsigned long total = 0, total_data = 0;

	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		total += om->pages[i].mapped;
		total_data += om->pages[i].mapped && oracle_is_data(&om->pages[i]);
	}
	return (pages == NO_MORE || total + pages <= current->rlim[RLIMIT_AS].cur / PAGE_SIZE) &&
	       (data == NO_MORE || total_data + data <= current->rlim[RLIMIT_DATA].cur / PAGE_SIZE);
}

/* ---- places ---- */

bool oracle_is_free(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	return oracle_nr_mapped(om, addr, len) == 0;
}

/* A place that the kernel chooses leaves the gap below a stack alone. */
bool oracle_is_free_for_us(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long at, guard;
	struct oracle_page *next = oracle_next(om, addr, &at);

	if (!next)
		return true;
	guard = next->flags & VM_GROWSDOWN ? STACK_GUARD : 0;
	return at >= guard && at - guard >= addr + len;
}

/* The highest free place of @len bytes in [low, high), or 0. */
static unsigned long highest_gap(struct oracle_mm *om, unsigned long len, unsigned long low,
				 unsigned long high)
{
	unsigned long guard = 0, at;
	const struct oracle_page *above = oracle_next(om, high, &at);

	if (above && at - high < STACK_GUARD && (above->flags & VM_GROWSDOWN))
		guard = STACK_GUARD - (at - high);
	for (int i = ORACLE_PAGES - 1; i >= 0; i--) {
		unsigned long addr = oracle_addr(i), end = addr + PAGE_SIZE;
		bool grows = om->pages[i].flags & VM_GROWSDOWN;

		if (!om->pages[i].mapped)
			continue;
		if (end + guard < high && high - guard - max(end, low) >= len && high - guard > low)
			return high - guard - len;
		if (addr < high)
			guard = grows ? STACK_GUARD : 0;
		high = min(high, addr);
	}
	return high >= low + guard && high - guard - low >= len ? high - guard - len : 0;
}

bool oracle_same_area(const struct oracle_page *a, const struct oracle_page *b)
{
	return a->mapped && b->mapped && a->prot == b->prot && a->flags == b->flags &&
	       a->file == b->file && a->pgoff + 1 == b->pgoff;
}

/* Where the room that is kept for the stack ends. */
static unsigned long stack_floor(struct oracle_mm *om)
{
	const struct oracle_page *page = &om->pages[ORACLE_PAGES - 1];
	unsigned long start = TASK_SIZE - PAGE_SIZE;

	if (!page->mapped || !(page->flags & VM_GROWSDOWN))
		return TASK_SIZE;
	for (; oracle_same_area(page - 1, page); page--)
		start -= PAGE_SIZE;
	return max(start - STACK_GUARD, MMAP_TOP);
}

long oracle_place(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 flags)
{
	unsigned long gap;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		if (addr % PAGE_SIZE)
			return -EINVAL;
		if (addr < MMAP_MIN_ADDR)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) && !oracle_is_free(om, addr, len))
			return -EEXIST;
		return addr;
	}
	addr -= addr % PAGE_SIZE;
	if (addr)
		addr = max(addr, (unsigned long)MMAP_MIN_ADDR);
	if (addr && addr <= TASK_SIZE - len && oracle_is_free_for_us(om, addr, len))
		return addr;
	gap = highest_gap(om, len, MMAP_MIN_ADDR, MMAP_TOP);
	if (!gap)
		gap = highest_gap(om, len, MMAP_TOP, stack_floor(om));
	return gap ? (long)gap : -ENOMEM;
}
