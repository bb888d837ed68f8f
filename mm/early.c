/*
 * early.c - physical memory before there is an allocator.
 *
 *	early_ram       |=================================|        |==============|
 *	early_reserved  |firmware|kernel|  |dtb|   |mem_map|
 *	what is free:                    --     ---         ------  --------------
 *
 * Invariants: both tables are sorted, their ranges neither overlap nor touch, every bound is
 * page aligned (RAM inwards, reservations outwards).
 * Locks: none. Only the boot hart runs; after page_init() nobody writes here.
 */
#include "mm/early.h"

#include "kernel/panic.h"
#include "lib/errno.h"
#include "lib/string.h"

struct early_ranges early_ram;
unsigned long early_nr_allocated;
unsigned long early_nr_allocated;
struct early_ranges early_reserved;

/* Adds [start, end), melting together all ranges that it overlaps or touches. */
static int range_add(struct early_ranges *t, phys_addr_t start, phys_addr_t end)
{
	unsigned i = 0, j;

	while (i < t->nr && t->range[i].end < start)
		i++;
	for (j = i; j < t->nr && t->range[j].start <= end; j++) {
		start = min(start, t->range[j].start);
		end = max(end, t->range[j].end);
	}
	if (j == i) {
		if (t->nr == EARLY_MAX_RANGES)
			return -ENOSPC;
		memmove(&t->range[i + 1], &t->range[i], (t->nr - i) * sizeof(t->range[0]));
		t->nr++;
	} else {
		memmove(&t->range[i + 1], &t->range[j], (t->nr - j) * sizeof(t->range[0]));
		t->nr -= j - i - 1;
	}
	t->range[i] = (struct early_range){ start, end };
	return 0;
}

int early_add_ram(phys_addr_t start, phys_addr_t size)
{
	phys_addr_t end = start + size;

	if (end < start)
		return 0;
	start = PAGE_ALIGN(start);
	end &= PAGE_MASK;
	return start < end ? range_add(&early_ram, start, end) : 0;
}

int early_reserve(phys_addr_t start, phys_addr_t size)
{
	phys_addr_t end = start + size;

	if (size == 0 || end < start || PAGE_ALIGN(end) < end)
		return 0;
	return range_add(&early_reserved, start & PAGE_MASK, PAGE_ALIGN(end));
}

bool early_is_ram(phys_addr_t start, phys_addr_t end)
{
	for (unsigned i = 0; i < early_ram.nr; i++) {
		if (start < early_ram.range[i].end && end > early_ram.range[i].start)
			return true;
	}
	return false;
}

/* The lowest address >= @from, aligned, whose @size bytes no reservation touches. */
static phys_addr_t skip_reserved(phys_addr_t from, phys_addr_t size, phys_addr_t align)
{
	from = ALIGN_UP(from, align);
	for (unsigned i = 0; i < early_reserved.nr; i++) {
		struct early_range *r = &early_reserved.range[i];

		if (r->start < from + size && r->end > from)
			from = ALIGN_UP(r->end, align);
	}
	return from;
}

phys_addr_t early_alloc(phys_addr_t size, phys_addr_t align)
{
	size = PAGE_ALIGN(size);
	for (unsigned i = 0; i < early_ram.nr; i++) {
		phys_addr_t pa = skip_reserved(early_ram.range[i].start, size, align);

		if (pa + size > early_ram.range[i].end)
			continue;
		if (early_reserve(pa, size) != 0)
			panic("early memory: more than %d reserved ranges", EARLY_MAX_RANGES);
		memset(phys_to_virt(pa), 0, size);
		early_nr_allocated += size >> PAGE_SHIFT;
		return pa;
	}
	panic("early memory: no %lu bytes free", (unsigned long)size);
}
