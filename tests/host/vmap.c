/*
 * vmap.c - the vmap region of the simulated machine: what is mapped, and what each hart believes.
 *
 *	         map                     a fence on hart h
 *	free ----------> mapped, stale = all harts --> stale without h: h reaches the page
 *	 ^                 | unmap
 *	 |  no hart stale  v
 *	 '-------------- gone, stale = all harts --> stale without h: h does not reach the frame
 *
 * As strict as the specification lets hardware be: every hart has cached what was there before, be
 * it nothing, and forgets it only by a fence.
 */
#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "tests/host/host.h"

#define MAX_VMAP_PAGES 1024

static struct vmap_page {
	unsigned long va; /* 0: free */
	phys_addr_t pa;
	bool mapped;
	unsigned long stale; /* harts that have not seen the last change */
} vmap[MAX_VMAP_PAGES];
static unsigned vmap_end; /* entries from here on were never used */
unsigned kernel_map_fail; /* the so many-th mapping from now fails */

/* The page of @va, mapped or not; NULL: none. */
static struct vmap_page *vmap_find(unsigned long va)
{
	for (unsigned i = 0; i < vmap_end; i++) {
		if (vmap[i].va == va)
			return &vmap[i];
	}
	return NULL;
}

static void vmap_set(unsigned long va, phys_addr_t pa)
{
	struct vmap_page *page = vmap_find(va);

	/* Its old frame would still be reached, and no fence tell the two apart. */
	BUG_ON(page);
	page = vmap_find(0);
	if (!page) {
		BUG_ON(vmap_end == MAX_VMAP_PAGES);
		page = &vmap[vmap_end++];
	}
	*page = (struct vmap_page){ va, pa, true, BIT(nr_harts) - 1 };
}

/* The leaf table of each 2 MiB, half of which is guards. */
static struct page **vmap_table(unsigned long va)
{
	static struct page *table[MAX_VMAP_PAGES / PT_ENTRIES * 2];
	unsigned long t = (va - VMAP_BASE) >> PT_SHIFT(1);

	BUG_ON(t >= ARRAY_SIZE(table));
	return &table[t];
}

int kernel_map_page(unsigned long va, phys_addr_t pa, unsigned long bits)
{
	struct page **table = vmap_table(va);

	(void)bits;
	if (kernel_map_fail && --kernel_map_fail == 0)
		return -ENOMEM;
	if (!*table && (*table = alloc_page(GFP_KERNEL)) == NULL)
		return -ENOMEM;
	vmap_set(va, pa);
	return 0;
}

void kernel_map_beside(unsigned long va, phys_addr_t pa, unsigned long bits)
{
	(void)bits;
	BUG_ON(!*vmap_table(va));
	vmap_set(va, pa);
}

bool kernel_page_mapped(unsigned long va)
{
	const struct vmap_page *page = vmap_find(va & PAGE_MASK);

	return page && page->mapped;
}

phys_addr_t kernel_unmap_page(unsigned long va)
{
	struct vmap_page *page = vmap_find(va);

	if (!page || !page->mapped)
		panic("kernel_unmap_page: 0x%lx is not mapped", va);
	page->mapped = false;
	page->stale = BIT(nr_harts) - 1;
	return page->pa;
}

void vmap_fence(unsigned hart, unsigned long start, unsigned long end)
{
	for (unsigned i = 0; i < vmap_end; i++) {
		struct vmap_page *page = &vmap[i];

		if (!page->va || page->va >= end || page->va + PAGE_SIZE <= start)
			continue;
		page->stale &= ~BIT(hart);
		if (!page->mapped && !page->stale)
			page->va = 0;
	}
}

bool vmap_reaches(unsigned hart, unsigned long va)
{
	const struct vmap_page *page = vmap_find(va & PAGE_MASK);

	return page && page->mapped && !(page->stale & BIT(hart));
}

void vmap_frames_freed(unsigned long pfn, unsigned long nr)
{
	for (unsigned i = 0; i < vmap_end; i++) {
		if (vmap[i].va && PFN_DOWN(vmap[i].pa) - pfn < nr)
			panic("a frame is freed that a hart may still reach at 0x%lx", vmap[i].va);
	}
}
