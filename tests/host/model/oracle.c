/*
 * oracle.c - what an address space must look like, page by page.
 *
 *	zones:   low   heap            mid             mmap            stack
 *	pages:  [....] [..hhhh......]  [...aaab.b...]  [.....ccccccc]  [..........ss]
 *	                                   |
 *	                   mapped, prot, flags, file and page in it, own bytes or not
 *
 * An area is nothing but a run of pages that are alike: so the areas that must be there, merged as
 * far as can be, are found by going over the pages (oracle_check.c). What the calls do is in files
 * of their own: oracle_edit.c, oracle_remap.c, oracle_advice.c, shared.c; oracle_place.c says where
 * there is room.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/task.h"
#include "tests/host/model/oracle_rules.h"

const struct zone zones[NR_ZONES] = {
	[ZONE_LOW] = { MMAP_MIN_ADDR, ZONE_PAGES_LOW },
	[ZONE_HEAP] = { (1UL << 30) - 16 * PAGE_SIZE, ZONE_PAGES_HEAP },
	[ZONE_MID] = { (1UL << 36) + (2UL << 20) - 20 * PAGE_SIZE, ZONE_PAGES_MID },
	[ZONE_MMAP] = { MMAP_TOP - 96 * PAGE_SIZE, ZONE_PAGES_MMAP },
	[ZONE_STACK] = { TASK_SIZE - ZONE_PAGES_STACK * PAGE_SIZE, ZONE_PAGES_STACK },
};

struct oracle_mm oracle_mms[ORACLE_MMS];
struct oracle_file oracle_files[ORACLE_ALL_FILES];

/* ---- pages ---- */

unsigned long oracle_addr(unsigned index)
{
	const struct zone *zone = zones;

	for (; index >= zone->nr; zone++)
		index -= zone->nr;
	return zone->start + index * PAGE_SIZE;
}

struct oracle_page *oracle_page(struct oracle_mm *om, unsigned long addr)
{
	struct oracle_page *page = om->pages;

	for (unsigned z = 0; z < NR_ZONES; page += zones[z++].nr) {
		if (addr - zones[z].start < zones[z].nr * PAGE_SIZE)
			return page + (addr - zones[z].start) / PAGE_SIZE;
	}
	return NULL;
}

struct oracle_page *oracle_next(struct oracle_mm *om, unsigned long addr, unsigned long *at)
{
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		if (om->pages[i].mapped && oracle_addr(i) + PAGE_SIZE > addr) {
			*at = oracle_addr(i);
			return &om->pages[i];
		}
	}
	return NULL;
}

bool oracle_backed(const struct oracle_page *page)
{
	return page->file == NO_FILE ||
	       page->pgoff < DIV_ROUND_UP(oracle_files[page->file].size, PAGE_SIZE);
}

/* ---- bytes ---- */

static u8 no_bytes[PAGE_SIZE];
static u8 *spare_bytes; /* chained by their first word */

const u8 *oracle_bytes(const struct oracle_page *page)
{
	if (page->own)
		return page->own;
	if (page->file == NO_FILE || !oracle_backed(page))
		return no_bytes;
	return oracle_files[page->file].bytes + page->pgoff * PAGE_SIZE;
}

u8 *oracle_own(struct oracle_page *page)
{
	u8 *bytes = spare_bytes;

	if (page->own)
		return page->own;
	if (oracle_shared(page))
		return oracle_files[page->file].bytes + page->pgoff * PAGE_SIZE;
	if (bytes)
		spare_bytes = *(u8 **)bytes;
	else
		bytes = malloc(PAGE_SIZE);
	memcpy(bytes, oracle_bytes(page), PAGE_SIZE);
	page->own = bytes;
	return bytes;
}

void oracle_disown(struct oracle_page *page)
{
	if (!page->own)
		return;
	*(u8 **)page->own = spare_bytes;
	spare_bytes = page->own;
	page->own = NULL;
}

void oracle_unmap_page(struct oracle_page *page)
{
	oracle_disown(page);
	*page = (struct oracle_page){ .file = NO_FILE };
}

/* ---- mapped and not ---- */

/* @page may be fetched from. */
void oracle_note_code(struct oracle_page *page)
{
	page->was_exec |= page->prot & PROT_EXEC;
	if (page->file != NO_FILE && page->was_exec)
		oracle_files[page->file].was_exec = true;
}

/* Fresh pages like *@want, of which the first has its pgoff. */
void oracle_map_pages(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		      unsigned long len)
{
	oracle_unmap(om, addr, len);
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		struct oracle_page *page = &om->pages[i];
		unsigned long at = oracle_addr(i);

		if (at - addr >= len)
			continue;
		*page = *want;
		page->mapped = true;
		page->was_exec = false;
		page->own = NULL;
		page->pgoff += (at - addr) / PAGE_SIZE;
		oracle_note_code(page);
	}
}

void oracle_unmap(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long at = addr;
	struct oracle_page *page;

	while ((page = oracle_next(om, at, &at)) && at - addr < len)
		oracle_unmap_page(page);
}

void oracle_fork(struct oracle_mm *child, const struct oracle_mm *parent)
{
	oracle_drop(child);
	child->brk = parent->brk;
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		struct oracle_page *page = &child->pages[i];

		if (parent->pages[i].flags & VM_DONTCOPY)
			continue;
		*page = parent->pages[i];
		page->flags &= ~VM_LOCK_MASK;
		page->own = NULL;
		if (parent->pages[i].own && !(page->flags & VM_WIPEONFORK))
			memcpy(oracle_own(page), parent->pages[i].own, PAGE_SIZE);
	}
}

void oracle_drop(struct oracle_mm *om)
{
	for (unsigned i = 0; i < ORACLE_PAGES; i++)
		oracle_unmap_page(&om->pages[i]);
	om->mm = NULL;
	om->def_flags = 0;
}

void oracle_truncate(struct oracle_file *of, u64 size)
{
	u64 from = min(size, of->size); /* growing leaves a hole, whatever was stored there */

	memset(of->bytes + from, 0, sizeof(of->bytes) - from);
	of->size = size;
	for (unsigned m = 0; m < ORACLE_MMS; m++) {
		for (unsigned i = 0; i < ORACLE_PAGES; i++) {
			struct oracle_page *page = &oracle_mms[m].pages[i];

			if (page->mapped && page->file == of - oracle_files && !oracle_backed(page))
				oracle_disown(page);
		}
	}
}

/* ---- touching ---- */

bool oracle_grow(struct oracle_mm *om, unsigned long addr)
{
	unsigned long next_at = 0, floor = MMAP_MIN_ADDR, end, at = addr - addr % PAGE_SIZE;
	struct oracle_page *next = oracle_next(om, at, &next_at), *first = next, like, *prev;

	if (!next || !(next->flags & VM_GROWSDOWN))
		return false;
	for (prev = next - 1; prev >= om->pages && !prev->mapped; prev--)
		;
	if (prev >= om->pages)
		floor = oracle_addr(prev - om->pages) + PAGE_SIZE +
			(prev->prot == PROT_NONE || (prev->flags & VM_GROWSDOWN) ? 0 : STACK_GUARD);
	for (end = next_at + PAGE_SIZE; next < &om->pages[ORACLE_PAGES - 1]; next++) {
		if (!oracle_same_area(next, next + 1))
			break;
		end += PAGE_SIZE;
	}
	if (at < floor || end - at > current->rlim[RLIMIT_STACK].cur ||
	    first->pgoff < (next_at - at) / PAGE_SIZE ||
	    ((next->flags & VM_LOCKED) && !oracle_may_lock(om, (next_at - at) / PAGE_SIZE)) ||
	    !oracle_within_limits(om, (next_at - at) / PAGE_SIZE, NO_MORE))
		return false;
	like = *first;
	like.pgoff -= (next_at - at) / PAGE_SIZE;
	oracle_map_pages(om, &like, at, next_at - at);
	return true;
}

enum fault_result oracle_allows(struct oracle_mm *om, unsigned long addr, enum fault_access access)
{
	static const u32 needs[] = {
		[FAULT_READ] = PROT_READ | PROT_WRITE,
		[FAULT_WRITE] = PROT_WRITE,
		[FAULT_EXEC] = PROT_EXEC,
	};
	struct oracle_page *page = oracle_page(om, addr);

	if (!page || !page->mapped)
		return FAULT_SEGV_MAPERR;
	if (!(page->prot & needs[access]))
		return FAULT_SEGV_ACCERR;
	return page->own || oracle_backed(page) ? FAULT_OK : FAULT_SIGBUS;
}

enum fault_result oracle_touch(struct oracle_mm *om, unsigned long addr, enum fault_access access)
{
	struct oracle_page *page = oracle_page(om, addr);

	if (page && !page->mapped && !oracle_grow(om, addr))
		return FAULT_SEGV_MAPERR;
	return oracle_allows(om, addr, access);
}
