/*
 * oracle.c - what an address space must look like, page by page.
 *
 *	zones:   low   heap            mid             mmap            stack
 *	pages:  [....] [..hhhh......]  [...aaab.b...]  [.....ccccccc]  [..........ss]
 *	                                   |
 *	                   mapped, prot, flags, file and page in it, own bytes or not
 *
 * An area is nothing but a run of pages that are alike: so the areas that must be there, merged as
 * far as can be, are found by going over the pages (oracle_check.c).
 */
#include "tests/host/model/oracle.h"

#include <stdlib.h>
#include <string.h>

#include "fs/mapping.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/mmap.h"

#define MMAP_TOP (TASK_SIZE - (128UL << 20) - STACK_GUARD) /* below a small stack's place */

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

/* How many pages of [addr, addr + len) are mapped. */
static unsigned long nr_mapped(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long nr = 0, at = addr;

	while (at < addr + len && oracle_next(om, at, &at) && at < addr + len) {
		nr++;
		at += PAGE_SIZE;
	}
	return nr;
}

static bool is_data(const struct oracle_page *page)
{
	return (page->prot & PROT_WRITE) && !(page->flags & (VM_GROWSDOWN | VM_SHARED));
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

static void unmap_page(struct oracle_page *page)
{
	oracle_disown(page);
	*page = (struct oracle_page){ .file = NO_FILE };
}

/* ---- limits ---- */

/* @pages more (NO_MORE: as many as now), and @data more that count as data (likewise). */
#define NO_MORE (1UL << 63)
static bool within_limits(struct oracle_mm *om, unsigned long pages, unsigned long data)
{
	unsigned long total = 0, total_data = 0;

	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		total += om->pages[i].mapped;
		total_data += om->pages[i].mapped && is_data(&om->pages[i]);
	}
	return (pages == NO_MORE || total + pages <= current->rlim[RLIMIT_AS].cur / PAGE_SIZE) &&
	       (data == NO_MORE || total_data + data <= current->rlim[RLIMIT_DATA].cur / PAGE_SIZE);
}

/* ---- mmap ---- */

static bool is_free(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	return nr_mapped(om, addr, len) == 0;
}

/* A place that the kernel chooses leaves the gap below a stack alone. */
static bool is_free_for_us(struct oracle_mm *om, unsigned long addr, unsigned long len)
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

static bool same_area(const struct oracle_page *a, const struct oracle_page *b)
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
	for (; same_area(page - 1, page); page--)
		start -= PAGE_SIZE;
	return max(start - STACK_GUARD, MMAP_TOP);
}

static long place(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 flags)
{
	unsigned long gap;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		if (addr % PAGE_SIZE)
			return -EINVAL;
		if (addr < MMAP_MIN_ADDR)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) && !is_free(om, addr, len))
			return -EEXIST;
		return addr;
	}
	addr -= addr % PAGE_SIZE;
	if (addr)
		addr = max(addr, (unsigned long)MMAP_MIN_ADDR);
	if (addr && addr <= TASK_SIZE - len && is_free_for_us(om, addr, len))
		return addr;
	gap = highest_gap(om, len, MMAP_MIN_ADDR, MMAP_TOP);
	if (!gap)
		gap = highest_gap(om, len, MMAP_TOP, stack_floor(om));
	return gap ? (long)gap : -ENOMEM;
}

static long mmap_arguments(const struct oracle_page *want, unsigned long len, u32 flags,
			   unsigned long off)
{
	const struct oracle_file *of = want->file < 0 ? NULL : &oracle_files[want->file];
	long err = 0;

	if ((flags & MAP_TYPE) != MAP_PRIVATE)
		err = oracle_shared_arguments(want, flags);
	if (err)
		return err;
	if (flags & MAP_HUGETLB)
		return -EINVAL;
	if ((flags & MAP_LOCKED) && !oracle_may_lock_at_all())
		return -EPERM;
	if ((flags & MAP_GROWSDOWN) && (of || oracle_shared(want)))
		return -EINVAL;
	if (len == 0)
		return -EINVAL;
	if (len > TASK_SIZE)
		return -ENOMEM;
	if (oracle_makes_memory(want) && len > nr_managed_pages() * PAGE_SIZE &&
	    !(flags & MAP_NORESERVE))
		return -ENOMEM;
	if (!of || of->kind == FILE_ZERO_DEVICE)
		return 0;
	if (off > (unsigned long)LONG_MAX - PAGE_ALIGN(len))
		return -EOVERFLOW;
	if (!file_can_read(of->file))
		return -EACCES;
	if (oracle_shared(want) && (want->prot & PROT_WRITE) && !(want->flags & VM_MAYWRITE))
		return -EACCES;
	if ((want->prot & PROT_EXEC) && !file_can_exec(of->file))
		return -EPERM;
	return of->kind == FILE_PIPE ? -ENODEV : 0;
}

long oracle_mmap_where(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		       unsigned long len, u32 flags, unsigned long off)
{
	unsigned long bytes = PAGE_ALIGN(len), pages = bytes / PAGE_SIZE;
	long start = mmap_arguments(want, len, flags, off);

	if (start < 0)
		return start;
	start = place(om, addr, bytes, flags);
	if (start < 0)
		return start;
	if ((want->flags & VM_LOCKED) && !oracle_may_lock(om, pages))
		return -EAGAIN;
	if (flags & MAP_FIXED)
		pages -= nr_mapped(om, start, bytes);
	if (!within_limits(om, pages, is_data(want) ? pages : NO_MORE))
		return -ENOMEM;
	if (is_data(want) && pages > nr_managed_pages() && !(want->flags & VM_NORESERVE))
		return -ENOMEM;
	return start;
}

/* @page may be fetched from. */
static void note_code(struct oracle_page *page)
{
	page->was_exec |= page->prot & PROT_EXEC;
	if (page->file != NO_FILE && page->was_exec)
		oracle_files[page->file].was_exec = true;
}

/* Fresh pages like *@want, of which the first has its pgoff. */
static void map_pages(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
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
		note_code(page);
	}
}

void oracle_map(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		unsigned long len)
{
	struct oracle_page first = *want;

	if (oracle_makes_memory(want))
		first.file = oracle_adopt(om, addr, len);
	else if (first.file != NO_FILE && oracle_files[first.file].kind == FILE_ZERO_DEVICE)
		first.file = NO_FILE;
	if (first.file == NO_FILE)
		first.pgoff = addr / PAGE_SIZE;
	map_pages(om, &first, addr, len);
}

/* ---- the other edits ---- */

void oracle_unmap(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long at = addr;
	struct oracle_page *page;

	while ((page = oracle_next(om, at, &at)) && at - addr < len)
		unmap_page(page);
}

int oracle_munmap_result(unsigned long addr, unsigned long len)
{
	unsigned long bytes = PAGE_ALIGN(len);

	if (addr % PAGE_SIZE || len == 0 || bytes < len || bytes > TASK_SIZE ||
	    addr > TASK_SIZE - bytes)
		return -EINVAL;
	return 0;
}

static bool mprotect_within_limits(struct oracle_mm *om, unsigned long addr, unsigned long len,
				   u32 prot)
{
	unsigned long at = addr, more = 0;
	struct oracle_page *page;

	for (; (page = oracle_next(om, at, &at)) && at - addr < len; at += PAGE_SIZE)
		more += !(page->prot & PROT_WRITE) && !(page->flags & (VM_GROWSDOWN | VM_SHARED));
	return !(prot & PROT_WRITE) || more == 0 || within_limits(om, NO_MORE, more);
}

int oracle_mprotect(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 prot)
{
	unsigned long bytes = PAGE_ALIGN(len);

	if (addr % PAGE_SIZE)
		return -EINVAL;
	if (len == 0)
		return 0;
	if (bytes < len || addr + bytes < addr)
		return -ENOMEM;
	if (prot & ~(PROT_MASK | 0x8u))
		return -EINVAL;
	prot &= PROT_MASK;
	if (!mprotect_within_limits(om, addr, bytes, prot))
		return -ENOMEM;
	for (unsigned long at = addr; at < addr + bytes; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at);

		if (!page || !page->mapped)
			return -ENOMEM;
		if ((prot & PROT_EXEC) && page->file != NO_FILE &&
		    !file_can_exec(oracle_files[page->file].file))
			return -EACCES;
		if ((prot & PROT_WRITE) && oracle_shared(page) && !(page->flags & VM_MAYWRITE))
			return -EACCES;
		page->prot = prot;
		note_code(page);
	}
	return 0;
}

unsigned long oracle_brk(struct oracle_mm *om, unsigned long brk)
{
	const struct oracle_page heap = {
		.prot = PROT_READ | PROT_WRITE,
		.flags = VM_HEAP | om->def_flags,
		.file = NO_FILE,
	};
	unsigned long start = om->mm->start_brk, end = PAGE_ALIGN(om->brk), new = PAGE_ALIGN(brk);

	if (brk < start || brk > TASK_SIZE || brk - start > current->rlim[RLIMIT_DATA].cur)
		return om->brk;
	if (new > end) {
		unsigned long pages = (new - end) / PAGE_SIZE;

		if (!is_free_for_us(om, end, new - end) || !within_limits(om, pages, pages) ||
		    ((heap.flags & VM_LOCKED) && !oracle_may_lock(om, pages)) ||
		    pages > nr_managed_pages())
			return om->brk;
		oracle_map(om, &heap, end, new - end);
	} else {
		oracle_unmap(om, new, end - new);
	}
	om->brk = brk;
	return brk;
}

/* ---- mremap ---- */

static long mremap_arguments(const struct oracle_remap *r)
{
	bool to = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);

	if ((r->flags & ~7u) || (to && !(r->flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && r->old_len != r->new_len)
		return -EINVAL;
	if (r->addr % PAGE_SIZE || r->new_len == 0)
		return -EINVAL;
	return 0;
}

/* Where it may not go, and what the caller's address must be. */
static long mremap_target(const struct oracle_remap *r)
{
	if (r->new_addr % PAGE_SIZE || r->new_len > TASK_SIZE ||
	    r->new_addr > TASK_SIZE - r->new_len)
		return -EINVAL;
	if (r->addr + r->old_len > r->new_addr && r->new_addr + r->new_len > r->addr)
		return -EINVAL;
	if ((r->flags & MREMAP_FIXED) && r->new_addr < MMAP_MIN_ADDR)
		return -EPERM;
	if (r->old_len > r->new_len && r->old_len > TASK_SIZE - r->addr)
		return -EINVAL;
	return 0;
}

/* All of [addr, addr + len) is one area. */
static bool is_one_area(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	for (unsigned long at = addr; at + PAGE_SIZE < addr + len; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at), *next;

		next = oracle_page(om, at + PAGE_SIZE);
		if (!next || !same_area(page, next))
			return false;
	}
	return true;
}

/* @pages more of @like, after what is at the target has gone. */
static bool mremap_within_limits(struct oracle_mm *om, const struct oracle_remap *r,
				 const struct oracle_page *like, unsigned long pages)
{
	unsigned long total = pages, data = pages, at = r->new_addr;
	struct oracle_page *page;

	for (; (r->flags & MREMAP_FIXED) && (page = oracle_next(om, at, &at)) &&
	       at - r->new_addr < r->new_len;
	     at += PAGE_SIZE) {
		total--;
		data -= is_data(page);
	}
	if (is_data(like) && pages > nr_managed_pages() && !(like->flags & VM_NORESERVE))
		return false;
	return within_limits(om, total, is_data(like) ? data : NO_MORE);
}

static long mremap_resize(struct oracle_mm *om, const struct oracle_remap *r, unsigned long moved)
{
	const struct oracle_page *page = oracle_page(om, r->addr);

	if (moved == 0 && !oracle_shared(page))
		return -EINVAL;
	if (!is_one_area(om, r->addr, moved))
		return -EFAULT;
	if (r->new_len > moved && page->file != NO_FILE &&
	    page->pgoff + r->new_len / PAGE_SIZE > (unsigned long)LONG_MAX / PAGE_SIZE)
		return -EINVAL;
	if ((page->flags & VM_LOCKED) && r->new_len > moved &&
	    !oracle_may_lock(om, (r->new_len - moved) / PAGE_SIZE))
		return -EAGAIN;
	if (r->new_len > moved &&
	    !mremap_within_limits(om, r, page, (r->new_len - moved) / PAGE_SIZE))
		return -ENOMEM;
	if ((r->flags & MREMAP_DONTUNMAP) && !mremap_within_limits(om, r, page, moved / PAGE_SIZE))
		return -ENOMEM;
	return 0;
}

/* The range ends where its area does, and behind it is room. */
static bool grows_in_place(struct oracle_mm *om, const struct oracle_remap *r)
{
	unsigned long end = r->addr + r->old_len;
	struct oracle_page *next = oracle_page(om, end);

	if (r->old_len == 0)
		return false;
	if (next && same_area(oracle_page(om, end - PAGE_SIZE), next))
		return false;
	return r->new_len <= TASK_SIZE && r->addr <= TASK_SIZE - r->new_len &&
	       is_free(om, end, r->new_len - r->old_len);
}

long oracle_mremap_where(struct oracle_mm *om, const struct oracle_remap *r)
{
	struct oracle_page *page = oracle_page(om, r->addr);
	bool to = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	long err = mremap_arguments(r);

	if (err)
		return err;
	if (!page || !page->mapped)
		return -EFAULT;
	if (!to && r->old_len >= r->new_len)
		return r->old_len > r->new_len && r->old_len > TASK_SIZE - r->addr ? -EINVAL :
										     (long)r->addr;
	if (to)
		err = mremap_target(r);
	/* Of nothing, over itself: then there is nothing to be moved. */
	if (!err && (r->flags & MREMAP_FIXED) && r->addr - r->new_addr < r->new_len)
		err = -EFAULT;
	if (!err)
		err = mremap_resize(om, r, min(r->old_len, r->new_len));
	if (err)
		return err;
	if (r->flags & MREMAP_FIXED)
		return r->new_addr;
	if (to)
		return place(om, r->new_addr, r->new_len, 0);
	if (grows_in_place(om, r))
		return r->addr;
	return r->flags & MREMAP_MAYMOVE ? place(om, 0, r->new_len, 0) : -ENOMEM;
}

/* One page, with its bytes, from @from to @to; an old area that stays is as if never touched. */
static void move_page(struct oracle_mm *om, unsigned long from, unsigned long to, bool stays)
{
	struct oracle_page *old = oracle_page(om, from), *new = oracle_page(om, to);

	if (new) {
		new->own = old->own;
		new->was_exec = old->was_exec;
		old->own = NULL;
	} else {
		oracle_disown(old);
	}
	if (!stays)
		unmap_page(old);
}

/* The whole area that @page is of. */
static void unlock_area(struct oracle_mm *om, struct oracle_page *page)
{
	struct oracle_page *first = page, *last = page;

	while (first > om->pages && same_area(first - 1, first))
		first--;
	while (last < &om->pages[ORACLE_PAGES - 1] && same_area(last, last + 1))
		last++;
	for (; first <= last; first++)
		first->flags &= ~VM_LOCK_MASK;
}

void oracle_mremap(struct oracle_mm *om, const struct oracle_remap *r, unsigned long to)
{
	struct oracle_page like = *oracle_page(om, r->addr);
	unsigned long moved = min(r->old_len, r->new_len);
	bool stays = r->flags & MREMAP_DONTUNMAP;

	if (to == r->addr) {
		oracle_unmap(om, r->addr + moved, r->old_len - moved);
		like.pgoff += moved / PAGE_SIZE;
		if (r->new_len > moved)
			map_pages(om, &like, to + moved, r->new_len - moved);
		return;
	}
	like.flags &= ~VM_HEAP;
	if (like.file == NO_FILE && !r->keeps_pgoff)
		like.pgoff = to / PAGE_SIZE;
	oracle_unmap(om, to, r->new_len);
	if (stays)
		unlock_area(om, oracle_page(om, r->addr));
	map_pages(om, &like, to, r->new_len);
	for (unsigned long at = 0; at < moved; at += PAGE_SIZE)
		move_page(om, r->addr + at, to + at, stays);
	if (!stays)
		oracle_unmap(om, r->addr, r->old_len);
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
		unmap_page(&om->pages[i]);
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
		if (!same_area(next, next + 1))
			break;
		end += PAGE_SIZE;
	}
	if (at < floor || end - at > current->rlim[RLIMIT_STACK].cur ||
	    first->pgoff < (next_at - at) / PAGE_SIZE ||
	    ((next->flags & VM_LOCKED) && !oracle_may_lock(om, (next_at - at) / PAGE_SIZE)) ||
	    !within_limits(om, (next_at - at) / PAGE_SIZE, NO_MORE))
		return false;
	like = *first;
	like.pgoff -= (next_at - at) / PAGE_SIZE;
	map_pages(om, &like, at, next_at - at);
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
