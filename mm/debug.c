/*
 * debug.c - the debug kernel's eyes in mm/: poison in what is free, red zones, last owners.
 *
 *	a free block      [6b 6b 6b 6b ...                                   6b 6b]
 *	                   every byte must still be so when it is allocated again
 *
 *	an object in use  [ bytes asked for | bb .. | bb x 16 | record ]
 *	                                      ^ up to the cache's size: kmalloc(100) has 28 of them
 *	a free object     [chain| 6b 6b .. 6b 6b .. | bb x 16 | record ]
 *	                   the chain is slab.c's; in a magazine it is stale
 *	                                                        record: state, bytes asked for,
 *	                                                        who allocated and who freed it last
 *
 * Invariants: a frame with a free_pc is poisoned while it is free; so are the first
 * BOOT_POISON_PAGES that nobody had yet (the rest of a large machine would take seconds to fill).
 * Locks: none. What is looked at belongs to the caller: just taken off a list, or not yet on one.
 */
#include "mm/debug.h"

#ifdef CONFIG_DEBUG

#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"
#include "mm/vma.h"

#define POISON_FREE	  0x6b
#define POISON_RED	  0xbb
#define RED_BYTES	  16
#define BOOT_POISON_PAGES 0x10000 /* 256 MiB */

#define OBJECT_FREE 0x0f4ee0b1u
#define OBJECT_USED 0x05ed0b1eu
#define OBJECT_KEPT 0x05edcee9u /* in use, and stays so until power-off */

/* Behind the red zone of each object. */
struct record {
	u32 state;
	u32 asked;	       /* bytes that the owner may use */
	u32 alloc_pc, free_pc; /* offsets from the start of kernel text; 0: never */
};

extern char _stext[];

static u32 pc_offset(const void *pc)
{
	return (u32)((unsigned long)pc - (unsigned long)_stext);
}

/* ---- patterns ---- */

/* The first byte of [p, end) that is not @pattern, or NULL. */
static const u8 *first_wrong(const u8 *p, const u8 *end, u8 pattern)
{
	const unsigned long word = pattern * 0x0101010101010101UL;

	for (; p < end && !IS_ALIGNED((unsigned long)p, sizeof(word)); p++) {
		if (*p != pattern)
			return p;
	}
	for (; p + 4 * sizeof(word) <= end; p += 4 * sizeof(word)) {
		const unsigned long *w = (const unsigned long *)p;

		if ((w[0] ^ word) | (w[1] ^ word) | (w[2] ^ word) | (w[3] ^ word))
			break;
	}
	for (; p < end; p++) {
		if (*p != pattern)
			return p;
	}
	return NULL;
}

/* Says which bytes of the area at @base are wrong: the first of them, and how far they reach. */
static void print_wrong(const void *base, const u8 *wrong, const u8 *end, u8 pattern)
{
	const u8 *last = end - 1;

	while (last > wrong && *last == pattern)
		last--;
	printk("  wrong bytes at offset %lu to %lu, which should be 0x%02x:", wrong - (u8 *)base,
	       last - (u8 *)base, pattern);
	for (const u8 *p = wrong; p <= last && p < wrong + 16; p++)
		printk(" %02x", *p);
	printk("\n");
}

/* ---- pages ---- */

static unsigned long boot_poison_end; /* pfn: frames that nobody had are poisoned below it */

static bool is_poisoned(const struct page *page)
{
	return page->free_pc || page_to_pfn(page) < boot_poison_end;
}

void debug_pages_allocated(struct page *page, unsigned order)
{
	for (unsigned long i = 0; i < (1UL << order); i++) {
		const u8 *bytes = page_address(&page[i]), *wrong;

		if (!is_poisoned(&page[i]))
			continue;
		wrong = first_wrong(bytes, bytes + PAGE_SIZE, POISON_FREE);
		if (likely(!wrong))
			continue;
		page_story(&page[i], "written to while it was free");
		print_wrong(bytes, wrong, bytes + PAGE_SIZE, POISON_FREE);
		panic("BUG: use after free of a page");
	}
}

void debug_pages_freed(struct page *page, unsigned order)
{
	if (!page->free_pc) { /* boot */
		if (page_to_pfn(page) - mem_map_base_pfn >= BOOT_POISON_PAGES)
			return;
		boot_poison_end = page_to_pfn(page) + (1UL << order);
	}
	for (unsigned long i = 0; i < (1UL << order); i++) {
		/* The block may be allocated in parts the next time: each knows its story. */
		page[i].alloc_pc = page->alloc_pc;
		page[i].free_pc = page->free_pc;
		memset(page_address(&page[i]), POISON_FREE, PAGE_SIZE);
	}
}

/* ---- objects ---- */

static u8 *red_zone(void *obj, size_t size)
{
	return (u8 *)obj + ALIGN_UP(size, sizeof(long));
}

static struct record *record_of(void *obj, size_t size)
{
	return (struct record *)(red_zone(obj, size) + RED_BYTES);
}

static bool is_used(const struct record *record)
{
	return record->state == OBJECT_USED || record->state == OBJECT_KEPT;
}

size_t debug_object_room(size_t size)
{
	return ALIGN_UP(size, sizeof(long)) + RED_BYTES + sizeof(struct record);
}

static void print_owner(const char *what, u32 pc)
{
	char name[64];

	if (pc == 0)
		return;
	symbol_name((unsigned long)_stext + pc, name, sizeof(name));
	printk("  last %s by %s\n", what, name);
}

static void object_story(void *obj, size_t size, const char *cache, const char *why)
{
	const struct record *record = record_of(obj, size);

	printk("object: %p of cache %s, %lu bytes: %s\n", obj, cache, size, why);
	if (is_used(record) && record->asked < size)
		printk("  %u bytes were asked for\n", record->asked);
	print_owner("allocated", record->alloc_pc);
	print_owner("freed", record->free_pc);
}

/* Panics unless [start, end) of @obj is all @pattern. */
static void check_bytes(void *obj, size_t size, const char *cache, u8 *start, u8 *end, u8 pattern)
{
	const u8 *wrong = first_wrong(start, end, pattern);
	const char *why = pattern == POISON_FREE ? "use after free of an object" :
						   "write past the end of an object";

	if (likely(!wrong))
		return;
	object_story(obj, size, cache, why);
	print_wrong(obj, wrong, end, pattern);
	panic("BUG: %s of cache %s", why, cache);
}

/* The record itself is beyond the red zone: a wild write, or a long overrun, may have hit it. */
static void check_state(void *obj, size_t size, const char *cache, bool used)
{
	const struct record *record = record_of(obj, size);

	if (likely(used ? is_used(record) : record->state == OBJECT_FREE))
		return;
	if (record->state != OBJECT_FREE && !is_used(record)) {
		printk("object: %p of cache %s, %lu bytes: its record says state 0x%x\n", obj,
		       cache, size, record->state);
		print_wrong(obj, red_zone(obj, size), red_zone(obj, size) + RED_BYTES, POISON_RED);
		panic("BUG: the record of an object of cache %s is overwritten", cache);
	}
	object_story(obj, size, cache, used ? "double free" : "in use, but free");
	panic("BUG: %s of an object of cache %s", used ? "double free" : "second allocation",
	      cache);
}

static void make_free(void *obj, size_t size)
{
	/* Word 0 is the chain; the caller may have set it. */
	if (size > sizeof(void *))
		memset((u8 *)obj + sizeof(void *), POISON_FREE, size - sizeof(void *));
	memset((u8 *)obj + size, POISON_RED, red_zone(obj, size) + RED_BYTES - (u8 *)obj - size);
	barrier(); /* the hart may be paused for debug_check_free() between any two of these */
	record_of(obj, size)->state = OBJECT_FREE;
}

void debug_object_made(void *obj, size_t size)
{
	*record_of(obj, size) = (struct record){};
	make_free(obj, size);
}

void debug_object_allocated(void *obj, size_t size, const char *cache, const void *caller)
{
	size_t whole = slab_object_size(obj);
	struct record *record = record_of(obj, whole);
	u8 *bytes = obj, *red = red_zone(obj, whole);

	check_state(obj, whole, cache, false);
	if (whole > sizeof(void *))
		check_bytes(obj, whole, cache, bytes + sizeof(void *), bytes + whole, POISON_FREE);
	check_bytes(obj, whole, cache, bytes + whole, red + RED_BYTES, POISON_RED);
	record->state = OBJECT_USED;
	record->asked = size;
	record->alloc_pc = pc_offset(caller);
	barrier(); /* as in make_free() */
	memset(bytes, POISON_FREE, min(whole, sizeof(void *)));
	memset(bytes + size, POISON_RED, whole - size);
}

void debug_object_freed(void *obj, size_t size, const char *cache, const void *caller)
{
	struct record *record = record_of(obj, size);
	u8 *bytes = obj;

	check_state(obj, size, cache, true);
	check_bytes(obj, size, cache, bytes + record->asked, red_zone(obj, size) + RED_BYTES,
		    POISON_RED);
	record->free_pc = pc_offset(caller);
	make_free(obj, size);
}

static int nr_free_faults;

static void check_free_object(void *obj, size_t size, const char *cache)
{
	const u8 *bytes = obj, *red = bytes + size, *red_end = red_zone(obj, size) + RED_BYTES;
	const u8 *wrong = first_wrong(bytes + sizeof(void *), red, POISON_FREE);
	const u8 *wrong_red = first_wrong(red, red_end, POISON_RED);

	if (record_of(obj, size)->state != OBJECT_FREE || (!wrong && !wrong_red))
		return;
	object_story(obj, size, cache, "free, but written to");
	if (wrong)
		print_wrong(obj, wrong, red, POISON_FREE);
	if (wrong_red)
		print_wrong(obj, wrong_red, red_end, POISON_RED);
	nr_free_faults++;
}

int debug_check_free(void)
{
	nr_free_faults = 0;
	for (unsigned long i = 0; i < mem_map_nr; i++)
		slab_for_each(&mem_map[i], check_free_object);
	return nr_free_faults;
}

void debug_object_kept(void *obj)
{
	record_of(obj, slab_object_size(obj))->state = OBJECT_KEPT;
}

bool debug_object_owner(void *obj, size_t size, u32 *alloc_pc)
{
	const struct record *record = record_of(obj, size);

	*alloc_pc = record->alloc_pc;
	return record->state == OBJECT_USED;
}

/* ---- address spaces ---- */

#define MANY_AREAS	 100 /* from so many on not every edit is checked */
#define FAULTS_PER_CHECK 64
#define AREAS_SHOWN	 200

/* Without the files' names: who panics takes no locks. */
static void print_areas(const struct mm *mm)
{
	unsigned nr = 0;

	printk("mm %p of task %d (%s): %u areas, brk 0x%lx-0x%lx\n", mm, current->pid,
	       current->comm, mm->nr_areas, mm->start_brk, mm->brk);
	for (const struct vm_area *vma = mm->mmap; vma && nr < AREAS_SHOWN; vma = vma->vm_next) {
		printk("  0x%lx-0x%lx %c%c%c flags 0x%x pgoff 0x%lx file %p anon %d moved %d\n",
		       vma->vm_start, vma->vm_end, vma->vm_prot & PROT_READ ? 'r' : '-',
		       vma->vm_prot & PROT_WRITE ? 'w' : '-', vma->vm_prot & PROT_EXEC ? 'x' : '-',
		       vma->vm_flags, vma->vm_pgoff, vma->vm_file, vma->vm_anon, vma->vm_moved);
		nr++;
	}
}

static void check_now(struct mm *mm, const void *caller)
{
	char name[64];
	int faults = mm_check(mm);

	if (likely(faults == 0))
		return;
	print_areas(mm);
	symbol_name((unsigned long)caller, name, sizeof(name));
	panic("BUG: mm_check found %d faults after %s", faults, name);
}

void debug_mm_edited(struct mm *mm)
{
	static unsigned edits[MAX_HARTS];

	if (mm->nr_areas >= MANY_AREAS &&
	    ++edits[this_hart()->id] % (mm->nr_areas / (MANY_AREAS / 2)) != 0)
		return;
	check_now(mm, __builtin_return_address(0));
}

void debug_mm_faulted(struct mm *mm)
{
	static unsigned faults[MAX_HARTS];
	/* A check looks at every page and area: it must not come with each of them. */
	unsigned every = max(FAULTS_PER_CHECK, mm_rss(mm) / 8 + READ_ONCE(mm->nr_areas) / 2);

	if (++faults[this_hart()->id] % every != 0)
		return;
	down_write(&mm->mmap_lock);
	check_now(mm, __builtin_return_address(0));
	up_write(&mm->mmap_lock);
}

#endif
