/*
 * provoke.c - faults made on purpose, to see that the allocator catches them and tells the story.
 *
 * `ravel.panic=WHAT` on the kernel's command line, once the machine is up. Each must end in a panic
 * whose text names the fault; scripts/test checks that.
 */
#include "mm/provoke.h"

#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"

static void double_free(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	free_pages(page, 0);
	free_pages(page, 0);
}

static void wrong_order(void)
{
	free_pages(alloc_pages(1, GFP_KERNEL), 0);
}

static void free_mapped(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	atomic_inc(&page->mapcount);
	free_pages(page, 0);
}

static void wrong_cache(void)
{
	char *obj = kmalloc(100, GFP_KERNEL);

	kfree(obj + 8);
}

static const struct {
	const char *what;
	void (*fn)(void);
} provocations[] = {
	{ "double-free", double_free },
	{ "wrong-order", wrong_order },
	{ "free-mapped", free_mapped },
	{ "bad-kfree", wrong_cache },
};

void mm_provoke(const char *what)
{
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(what, provocations[i].what) == 0)
			provocations[i].fn();
	}
}
