/*
 * leak.c - the debug kernel's last question: what is in use although nobody has it?
 *
 *	boot          debug_leak_baseline(): objects and pages in use now are kept (drivers, tables)
 *	on the way    debug_object_kept(): here and there a thing that is made once and stays
 *	power-off     every process is ended, every file system unmounted (kernel/shutdown.c); then
 *	              mem_map is gone through: a slab's objects, and pages by type
 *
 *	not a leak, besides: the kernel's own page tables (reached from kernel_root), stacks of
 *	tasks that exist and those kept for reuse, empty slabs, free objects in magazines
 *
 * Invariant: counting changes nothing but PG_KEPT, so that it can be done again.
 * Locks: none: nothing else runs in the kernel but idle tasks and its own threads, asleep.
 */
#include "mm/debug.h"

#ifdef CONFIG_DEBUG

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/filemap.h"
#include "mm/kstack.h"
#include "mm/pgtable.h"
#include "mm/slab.h"

#define MAX_KINDS 40

extern char _stext[];

/* What was found, by kind and by who allocated it. */
static struct kind {
	const char *what; /* a cache, or a type of page */
	bool is_object;
	u32 alloc_pc;
	unsigned nr;
} kinds[MAX_KINDS];
static unsigned nr_kinds, nr_found;

static void found(const char *what, bool is_object, u32 alloc_pc)
{
	struct kind *kind = kinds;

	nr_found++;
	while (kind < kinds + nr_kinds && (kind->what != what || kind->alloc_pc != alloc_pc))
		kind++;
	if (kind == kinds + MAX_KINDS)
		return; /* the sum will tell */
	if (kind == kinds + nr_kinds)
		kinds[nr_kinds++] = (struct kind){ what, is_object, alloc_pc, 0 };
	kind->nr++;
}

static void print_kinds(void)
{
	unsigned shown = 0;
	char name[64];

	for (unsigned i = 0; i < nr_kinds; i++) {
		symbol_name((unsigned long)_stext + kinds[i].alloc_pc, name, sizeof(name));
		printk("debug: leak: %u %s %s allocated by %s\n", kinds[i].nr,
		       kinds[i].is_object ? "objects of" : "pages:", kinds[i].what, name);
		shown += kinds[i].nr;
	}
	if (shown < nr_found)
		printk("debug: leak: %u more\n", nr_found - shown);
}

/* ---- what is kept ---- */

static void keep_object(void *obj, size_t size, const char *cache __maybe_unused)
{
	u32 pc;

	if (debug_object_owner(obj, size, &pc))
		debug_object_kept(obj);
}

/* The first page of a block in use: those behind it have no references. */
static bool is_block(const struct page *page)
{
	return page->type != PAGE_FREE && page->type != PAGE_RESERVED &&
	       atomic_read(&page->refcount) > 0;
}

void debug_leak_baseline(void)
{
	for (unsigned long i = 0; i < mem_map_nr; i++) {
		if (is_block(&mem_map[i]))
			page_set_flags(&mem_map[i], PG_KEPT);
		slab_for_each(&mem_map[i], keep_object);
	}
}

/* The tables of the kernel's half are made on demand and stay. */
static void keep_tables(const pte_t *table, unsigned level, unsigned first)
{
	for (unsigned i = first; i < PT_ENTRIES; i++) {
		pte_t pte = pte_read(&table[i]);

		if (pte_none(pte) || !pte_is_table(pte))
			continue;
		page_set_flags(pfn_to_page(pte_pfn(pte)), PG_KEPT);
		if (level > 1)
			keep_tables(phys_to_virt(PFN_PHYS(pte_pfn(pte))), level - 1, 0);
	}
}

/* ---- what is not ---- */

static void count_object(void *obj, size_t size, const char *cache)
{
	u32 pc;

	if (debug_object_owner(obj, size, &pc))
		found(cache, true, pc);
}

static void count_page(const struct page *page)
{
	static const char *const what[NR_PAGE_TYPES] = {
		[PAGE_KERNEL] = "kernel",  [PAGE_SLAB] = "large kmalloc", [PAGE_TABLE] = "table",
		[PAGE_ANON] = "anonymous", [PAGE_FILE] = "file",
	};

	if (!is_block(page) || !what[page->type] || (page_flags(page) & PG_KEPT))
		return;
	if (page->type == PAGE_SLAB && page->mapping)
		return;
	found(what[page->type], false, page->alloc_pc);
}

unsigned debug_leaks(unsigned nr_tasks, bool print)
{
	unsigned long stacks = nr_tasks + hweight64(harts_online_mask);

	nr_kinds = nr_found = 0;
	keep_tables(kernel_root, PT_LEVELS - 1, KERNEL_ROOT_IX);
	for (unsigned long i = 0; i < mem_map_nr; i++) {
		count_page(&mem_map[i]);
		slab_for_each(&mem_map[i], count_object);
	}
	if (print)
		print_kinds();
	if (kstack_nr_used() != stacks) {
		if (print)
			printk("debug: leak: %lu kernel stacks in use, %lu tasks\n",
			       kstack_nr_used(), stacks);
		nr_found++;
	}
	return nr_found;
}

#endif
