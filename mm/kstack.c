/*
 * kstack.c - kernel stacks: in the vmap region, each above an unmapped guard.
 *
 *	slot 0                          slot 1
 *	|  guard, unmapped  |  stack   ||  guard, unmapped  |  stack   ||  ...
 *	^ 2 * THREAD_SIZE aligned      ^ sp starts here, grows down
 *
 *	So bit THREAD_SHIFT of a sane sp is set; trap entry tests it before its first store and
 *	takes an overflow to another stack (arch/riscv/entry.S).
 *
 *	A stack that is given back stays mapped on a short list: most are wanted again soon, and
 *	neither a page-table edit nor a flush on all harts is needed then.
 *
 * Invariants: a slot's bit is set while it is in use or on the list; nr_pages counts the frames of
 * mapped stacks and the tables made for them.
 * Locks: kstack_lock for the list and the bitmap; mapping is done outside of it.
 */
#include "mm/kstack.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "lib/bitmap.h"
#include "mm/buddy.h"
#include "mm/vmstat.h"

#define SLOT_SIZE    (2UL * THREAD_SIZE)
#define NR_SLOTS     ((VMAP_END - VMAP_BASE) / SLOT_SIZE)
#define STACK_PAGES  (THREAD_SIZE / PAGE_SIZE)
#define MAX_CACHED   32
#define SLOTS_PER_L0 (PT_SPAN(1) / SLOT_SIZE)

static struct spinlock kstack_lock;
static unsigned long slot_used[NR_SLOTS / 64];
static bool l0_made[NR_SLOTS / SLOTS_PER_L0];
static void *cached[MAX_CACHED];
static unsigned nr_cached;
static long nr_pages;

unsigned long kstack_nr_pages(void)
{
	return READ_ONCE(nr_pages);
}

unsigned long kstack_nr_used(void)
{
	unsigned long n;

	spin_lock(&kstack_lock);
	n = 0UL - nr_cached;
	for (unsigned long i = 0; i < ARRAY_SIZE(slot_used); i++)
		n += hweight64(slot_used[i]);
	spin_unlock(&kstack_lock);
	return n;
}

void kstack_init(void)
{
	spin_lock_init(&kstack_lock);
}

static void *slot_stack(unsigned long slot)
{
	return (void *)(VMAP_BASE + slot * SLOT_SIZE + THREAD_SIZE);
}

static unsigned long stack_slot(const void *stack)
{
	return ((unsigned long)stack - VMAP_BASE) / SLOT_SIZE;
}

static void slot_release(unsigned long slot)
{
	spin_lock(&kstack_lock);
	clear_bit(slot, slot_used);
	spin_unlock(&kstack_lock);
}

/* A free slot, now taken, or NR_SLOTS. */
static unsigned long slot_take(void)
{
	unsigned long slot;

	spin_lock(&kstack_lock);
	slot = find_next_zero_bit(slot_used, NR_SLOTS, 0);
	if (slot < NR_SLOTS)
		set_bit(slot, slot_used);
	spin_unlock(&kstack_lock);
	return slot;
}

/* Unmaps the first @n pages of @stack, and frees them once no hart can reach them. */
static void unmap_pages(void *stack, unsigned n)
{
	unsigned long va = (unsigned long)stack;
	struct page *page[STACK_PAGES];

	for (unsigned i = 0; i < n; i++)
		page[i] = pfn_to_page(PFN_DOWN(kernel_unmap_page(va + i * PAGE_SIZE)));
	flush_tlb_harts(harts_online_mask, va, va + n * PAGE_SIZE);
	for (unsigned i = 0; i < n; i++)
		page_put(page[i]);
	atomic_add_long(&nr_pages, -(long)n);
}

/* The leaf table of a slot is made with its first stack and stays: it is accounted here. */
static void account_table(unsigned long slot)
{
	spin_lock(&kstack_lock);
	if (!l0_made[slot / SLOTS_PER_L0]) {
		l0_made[slot / SLOTS_PER_L0] = true;
		nr_pages++;
	}
	spin_unlock(&kstack_lock);
}

static bool map_pages(void *stack)
{
	unsigned long va = (unsigned long)stack;

	for (unsigned i = 0; i < STACK_PAGES; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (page)
			page->type = PAGE_STACK;
		if (!page ||
		    kernel_map_page(va + i * PAGE_SIZE, page_to_phys(page), PTE_R | PTE_W) != 0) {
			if (page)
				page_put(page);
			if (i > 0)
				unmap_pages(stack, i);
			return false;
		}
		atomic_add_long(&nr_pages, 1);
	}
	account_table(stack_slot(stack));
	/* Harts may have cached that nothing was there, and cannot fault on their own stack. */
	flush_tlb_harts(harts_online_mask, va, va + THREAD_SIZE);
	return true;
}

void *kstack_alloc(void)
{
	void *stack = NULL;
	unsigned long slot;

	if (unlikely(current->fail_alloc) && alloc_should_fail())
		return NULL;
	spin_lock(&kstack_lock);
	if (nr_cached > 0)
		stack = cached[--nr_cached];
	spin_unlock(&kstack_lock);
	if (stack)
		return stack;
	slot = slot_take();
	if (slot >= NR_SLOTS)
		return NULL;
	stack = slot_stack(slot);
	if (map_pages(stack))
		return stack;
	slot_release(slot);
	return NULL;
}

void kstack_free(void *stack)
{
	bool kept = false;

	spin_lock(&kstack_lock);
	if (nr_cached < MAX_CACHED) {
		cached[nr_cached++] = stack;
		kept = true;
	}
	spin_unlock(&kstack_lock);
	if (kept)
		return;
	unmap_pages(stack, STACK_PAGES);
	slot_release(stack_slot(stack));
}
