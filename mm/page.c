/*
 * page.c - the array of page descriptors, the page lock, and what a page can tell of itself.
 *
 *	       mem_map[]      one 64-byte struct page for each frame from the lowest RAM address up
 *	       |  |  |  |
 *	RAM   [  ][  ][  ]
 *
 * Invariants: a frame that the buddy never got stays PAGE_RESERVED with refcount 0; PG_LOCKED has
 * one owner, which is an I/O or the task that set it.
 * Locks: the page lock (a sleeping bit lock, outside i_mmap and page-table locks); the wait queues
 * here are shared by all pages and have no order with anything.
 */
#include "mm/page.h"

#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/task.h"
#include "kernel/wait.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/early.h"
#include "mm/swap.h"

struct page *mem_map;
unsigned long mem_map_base_pfn, mem_map_nr;

#define PAGE_WAIT_QUEUES 32

static struct wait_queue page_waiters[PAGE_WAIT_QUEUES];

/* Hands the free parts of [pfn, end) to the buddy; reservations are sorted and disjoint. */
static void add_free_parts(unsigned long pfn, unsigned long end)
{
	for (unsigned i = 0; i < early_reserved.nr && pfn < end; i++) {
		unsigned long res_start = PFN_DOWN(early_reserved.range[i].start);
		unsigned long res_end = PFN_DOWN(early_reserved.range[i].end);

		if (res_end <= pfn)
			continue;
		if (res_start > pfn)
			buddy_add_range(pfn, min(res_start, end));
		pfn = max(pfn, res_end);
	}
	if (pfn < end)
		buddy_add_range(pfn, end);
}

void page_init(void)
{
	BUG_ON(early_ram.nr == 0);
	BUILD_BUG_ON(sizeof(struct page) != 64);
	mem_map_base_pfn = PFN_DOWN(early_ram.range[0].start);
	mem_map_nr = PFN_DOWN(early_ram.range[early_ram.nr - 1].end) - mem_map_base_pfn;
	mem_map = phys_to_virt(early_alloc(mem_map_nr * sizeof(struct page), PAGE_SIZE));
	for (unsigned i = 0; i < PAGE_WAIT_QUEUES; i++)
		wait_queue_init(&page_waiters[i]);
	for (unsigned i = 0; i < early_ram.nr; i++)
		add_free_parts(PFN_DOWN(early_ram.range[i].start),
			       PFN_DOWN(early_ram.range[i].end));
}

static struct wait_queue *page_wait_queue(const struct page *page)
{
	return &page_waiters[page_to_pfn(page) % PAGE_WAIT_QUEUES];
}

static bool take_page_bit(struct page *page)
{
	return !(__atomic_fetch_or(&page->flags, PG_LOCKED, __ATOMIC_ACQUIRE) & PG_LOCKED);
}

/* The file that @page is of; NULL: it is anonymous. */
static inline const struct address_space *file_of(const struct page *page)
{
	return page->type == PAGE_ANON ? NULL : page->mapping;
}

bool trylock_page(struct page *page)
{
	if (!take_page_bit(page))
		return false;
	lockdep_take_page(page, file_of(page), LOCK_TRY, __builtin_return_address(0));
	return true;
}

void lock_new_page(struct page *page, const struct address_space *as __maybe_unused)
{
	page_set_flags(page, PG_LOCKED);
	lockdep_take_page(page, as, LOCK_TRY, __builtin_return_address(0));
}

void unlock_new_page(struct page *page)
{
	lockdep_give_page(page);
	page_clear_flags(page, PG_LOCKED);
}

/* As take_page_bit(), having first told the owner that somebody will sleep. */
static bool take_page_bit_or_announce(struct page *page)
{
	page_set_flags(page, PG_WAITERS);
	return take_page_bit(page);
}

void lock_page(struct page *page)
{
	might_sleep();
	lockdep_take_page(page, file_of(page), 0, __builtin_return_address(0));
	if (take_page_bit(page))
		return;
	wait_event(page_wait_queue(page), take_page_bit_or_announce(page));
}

void unlock_page(struct page *page)
{
	u32 old;

	if (unlikely(page_flags(page) & PG_UNWANTED))
		swap_cache_drop_unwanted(page);
	lockdep_give_page(page);
	old = __atomic_fetch_and(&page->flags, ~(PG_LOCKED | PG_WAITERS), __ATOMIC_RELEASE);
	BUG_ON(!(old & PG_LOCKED));
	/* Waiters of other pages on this queue look again and sleep on. */
	if (old & PG_WAITERS)
		wake_up_all(page_wait_queue(page));
	/* Marked while it was ours: only anonymous pages are, and their owner has a reference. */
	if (unlikely(old & PG_UNWANTED))
		swap_cache_unwanted(page);
}

static bool page_unlocked_or_announce(struct page *page)
{
	if (!(page_flags(page) & PG_LOCKED))
		return true;
	page_set_flags(page, PG_WAITERS);
	smp_mb(); /* the announcement before the second look: pairs with unlock_page()'s AMO */
	return !(page_flags(page) & PG_LOCKED);
}

void wait_on_page_locked(struct page *page)
{
	wait_event(page_wait_queue(page), page_unlocked_or_announce(page));
}

int wait_on_page_locked_killable(struct page *page)
{
	return wait_event_killable(page_wait_queue(page), page_unlocked_or_announce(page));
}

void page_wake_writeback(struct page *page)
{
	u32 old = __atomic_fetch_and(&page->flags, ~(PG_WRITEBACK | PG_WAITERS), __ATOMIC_RELEASE);

	BUG_ON(!(old & PG_WRITEBACK));
	/* From here on the page may be gone; its queue is one of a few that stay. */
	if (old & PG_WAITERS)
		wake_up_all(page_wait_queue(page));
}

static bool page_written_or_announce(struct page *page)
{
	if (!(page_flags(page) & PG_WRITEBACK))
		return true;
	page_set_flags(page, PG_WAITERS);
	smp_mb(); /* as above: pairs with page_wake_writeback()'s AMO */
	return !(page_flags(page) & PG_WRITEBACK);
}

void wait_on_page_writeback(struct page *page)
{
	if (page_flags(page) & PG_WRITEBACK)
		wait_event(page_wait_queue(page), page_written_or_announce(page));
}

static const char *const type_names[NR_PAGE_TYPES] = {
	[PAGE_RESERVED] = "reserved", [PAGE_FREE] = "free",   [PAGE_KERNEL] = "kernel",
	[PAGE_SLAB] = "slab",	      [PAGE_TABLE] = "table", [PAGE_ANON] = "anonymous",
	[PAGE_FILE] = "file",	      [PAGE_STACK] = "stack",
};

const char *page_type_name(const struct page *page)
{
	return page->type < NR_PAGE_TYPES ? type_names[page->type] : "corrupt";
}

extern char _stext[];

static void print_pc(const char *what, u32 pc_offset)
{
	char name[64];

	if (pc_offset == 0)
		return;
	symbol_name((unsigned long)_stext + pc_offset, name, sizeof(name));
	printk("  %s by %s\n", what, name);
}

void page_story(const struct page *page, const char *why)
{
	printk("page: pfn 0x%lx: %s\n", page_to_pfn(page), why);
	printk("  %s, order %u, refcount %d, mapcount %d, flags 0x%x, mapping %p, index 0x%lx\n",
	       page_type_name(page), page->order, atomic_read(&page->refcount),
	       atomic_read(&page->mapcount), page->flags, page->mapping, page->index);
	print_pc("last allocated", page->alloc_pc);
	print_pc("last freed", page->free_pc);
}
