/*
 * provoke.c - faults made on purpose, to see that the allocator catches them and tells the story.
 *
 * `ravel.panic=WHAT` on the kernel's command line, once the machine is up. Each must end in a panic
 * whose text names the fault; a leak, in a report at power-off. scripts/test checks that. Some
 * faults only the debug kernel sees: the usual one, which they might ruin, refuses them.
 */
#include "mm/provoke.h"

#include "fs/mapping.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/kstack.h"
#include "mm/slab.h"
#include "mm/vma.h"

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

/* ---- what needs the debug kernel; the last that was freed is the next to be allocated ---- */

static void use_after_free_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char *bytes = page_address(page);

	free_pages(page, 0);
	bytes[100] = 'x';
	alloc_page(GFP_KERNEL);
}

static void use_after_free_object(void)
{
	char *obj = kmalloc(100, GFP_KERNEL);

	kfree(obj);
	obj[20] = 'x';
	kmalloc(100, GFP_KERNEL);
}

/* Of four that are free the one that is wanted last: vm_check_all() is to find it first. */
static void write_free_object(void)
{
	char *obj[4];

	for (unsigned i = 0; i < ARRAY_SIZE(obj); i++)
		obj[i] = kmalloc(1000, GFP_KERNEL);
	for (unsigned i = 0; i < ARRAY_SIZE(obj); i++)
		kfree(obj[i]);
	obj[0][20] = 'x';
}

/* One byte past what was asked for, within what kmalloc() had to give. */
static void overrun(void)
{
	char *obj = kmalloc(100, GFP_KERNEL);

	obj[100] = 'x';
	kfree(obj);
}

static void long_overrun(void)
{
	char *obj = kmalloc(64, GFP_KERNEL);

	memset(obj, 'x', 96);
	kfree(obj);
}

static void double_kfree(void)
{
	char *obj = kmalloc(100, GFP_KERNEL);

	kfree(obj);
	kfree(obj);
}

/* An area that ends a page late, seen after an edit elsewhere. */
static void bad_area(void)
{
	struct mm *mm = mm_alloc();
	u32 flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	vm_mmap(mm, NULL, 0x100000, PAGE_SIZE, PROT_READ, flags, 0);
	vm_mmap(mm, NULL, 0x200000, PAGE_SIZE, PROT_READ, flags, 0);
	mm->mmap->vm_end += PAGE_SIZE;
	vm_munmap(mm, 0x200000, PAGE_SIZE);
}

static void leak_memory(void)
{
	volatile unsigned nr = 3; /* not unrolled: one call site */
	unsigned long low;

	alloc_page(GFP_KERNEL);
	while (nr-- > 0)
		kmalloc(100, GFP_KERNEL);
	kmalloc(2 * PAGE_SIZE, GFP_KERNEL);
	mm_alloc();
	kstack_alloc(&low);
}

/* The console's: its inode and file system stay in use with it. */
static void leak_file(void)
{
	fd_get(0);
}

static const struct {
	const char *what;
	void (*fn)(void);
	bool needs_debug;
} provocations[] = {
	{ "double-free", double_free, false },
	{ "wrong-order", wrong_order, false },
	{ "free-mapped", free_mapped, false },
	{ "bad-kfree", wrong_cache, false },
	{ "use-after-free-page", use_after_free_page, true },
	{ "use-after-free-object", use_after_free_object, true },
	{ "write-free-object", write_free_object, true },
	{ "overrun", overrun, true },
	{ "long-overrun", long_overrun, true },
	{ "double-kfree", double_kfree, true },
	{ "bad-area", bad_area, true },
	{ "leak-memory", leak_memory, true },
	{ "leak-file", leak_file, true },
};

void mm_provoke(const char *what)
{
	for (unsigned i = 0; i < ARRAY_SIZE(provocations); i++) {
		if (strcmp(what, provocations[i].what) != 0)
			continue;
		if (provocations[i].needs_debug && !debug_kernel)
			printk("ravel.panic=%s: only the debug kernel (make DEBUG=1) sees that\n",
			       what);
		else
			provocations[i].fn();
	}
}
