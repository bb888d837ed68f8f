/*
 * kstack.c - kernel stacks: in the vmap region, each above an unmapped guard, mapped as they grow.
 *
 *	slot 0                                     slot 1
 *	|  guard, unmapped  | unmapped |  mapped  ||  guard, unmapped  |       |  mapped  ||  ...
 *	^                   ^ stack    ^ low      ^ sp starts here, grows down
 *	2 * THREAD_SIZE     |<--- THREAD_SIZE --->|
 *	aligned
 *
 * A trap whose frame would lie below low runs on its hart's emergency stack (arch/riscv/entry.S),
 * maps what misses, and is taken again. Whoever was interrupted may hold any lock, the buddy's too:
 * so the pages come from a reserve, and the leaf table is there since the stack was made.
 *
 *	reserve[hart][0..7]  page page -  page ...    taken and put by atomic exchange
 *	   taken from        this hart's, else another's       kstack_grow()
 *	   filled up by      who grew, at its next schedule(), and on its way to user mode
 *
 * Between two calls of schedule() a hart runs one task, which takes THREAD_SIZE less a page at
 * most: 3 of the 8. Only where memory is out at several of these calls, one after the other, can
 * the reserves of all harts run empty: that is a panic. No new stack is handed out while the
 * reserve is short.
 *
 * A stack that is given back stays as it is on a short list: most are wanted again soon, and
 * neither a page-table edit nor a flush on all harts is needed then.
 *
 * Translations: a stack's first pages are flushed on all harts when they are mapped. A page of its
 * growth is flushed on the hart that runs on it, then and whenever the task comes to another hart
 * (kstack_arrive()): no hart stores a frame where it believes that nothing is mapped. Who only
 * looks at another task's stack, at a waiter on it, may fault, and finds the page mapped.
 *
 * Invariants: a slot's bit is set while it is in use or on the list; a stack's pages are mapped
 * without a hole up from its low, and none in its guard (both: kstack_check()); nr_pages counts the
 * frames of mapped stacks, the tables made for them, and the reserve.
 * Locks: kstack_lock for the list and the bitmap; mapping is done outside of it. Growth takes none.
 */
#include "mm/kstack.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/prng.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/vmstat.h"
#include "mm/window.h"

#define SLOT_SIZE    (2UL * THREAD_SIZE)
#define NR_SLOTS     ((VMAP_END - VMAP_BASE) / SLOT_SIZE)
#define STACK_PAGES  (THREAD_SIZE / PAGE_SIZE)
#define MAX_CACHED   32
#define SLOTS_PER_L0 (PT_SPAN(1) / SLOT_SIZE)
#define RESERVE	     8 /* pages for each hart */
#define START_PAGES  1 /* without kstack=; docs/kernel-stacks.md has the numbers */

static struct spinlock kstack_lock;
static unsigned long slot_used[NR_SLOTS / 64];
static bool l0_made[NR_SLOTS / SLOTS_PER_L0];
static unsigned long cached[MAX_CACHED]; /* each stack's lowest mapped byte */
static unsigned nr_cached;
static unsigned start_pages = START_PAGES;
static struct page *reserve[MAX_HARTS][RESERVE]; /* NULL: taken */
static long nr_pages, nr_reserved, reserve_size;
static unsigned long grown_to; /* bit n: some stack has grown to n pages */
bool kstack_padded;
static struct prng pad_prng; /* kstack_lock */

unsigned long kstack_nr_pages(void)
{
	return READ_ONCE(nr_pages);
}

unsigned long kstack_nr_reserved(void)
{
	return READ_ONCE(nr_reserved);
}

unsigned kstack_deepest(void)
{
	unsigned pages = STACK_PAGES;

	while (pages > start_pages && !(READ_ONCE(grown_to) & BIT(pages)))
		pages--;
	return pages;
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

static void read_options(void)
{
	unsigned long pages;
	char value[24];

	if (cmdline_option("ravel.kstackpad", value, sizeof(value)))
		kstack_padded = kstrtoul(value, 0, &pad_prng.state) == 0;
	if (!cmdline_option("kstack", value, sizeof(value)))
		return;
	if (kstrtoul(value, 10, &pages) == 0 && pages >= 1 && pages <= STACK_PAGES)
		start_pages = pages;
	else
		printk("kstack=%s: must be 1 to %d pages; %u is taken\n", value, STACK_PAGES,
		       start_pages);
}

void kstack_init(void)
{
	spin_lock_init(&kstack_lock);
	read_options();
	reserve_size = nr_harts * RESERVE;
	if (!kstack_refill(GFP_ATOMIC))
		panic("no memory for the reserve of kernel stacks");
}

/* ---- slots ---- */

static void *slot_stack(unsigned long slot)
{
	return (void *)(VMAP_BASE + slot * SLOT_SIZE + THREAD_SIZE);
}

static unsigned long stack_slot(const void *stack)
{
	return ((unsigned long)stack - VMAP_BASE) / SLOT_SIZE;
}

static unsigned long stack_top(const void *stack)
{
	return (unsigned long)stack + THREAD_SIZE;
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

/* ---- mapping ---- */

/* Unmaps [@low, @top) of a stack, and frees its pages once no hart can reach them. */
static void unmap_pages(unsigned long low, unsigned long top)
{
	struct page *page[STACK_PAGES];
	unsigned n = 0;

	if (low == top)
		return;
	for (unsigned long va = low; va < top; va += PAGE_SIZE)
		page[n++] = pfn_to_page(PFN_DOWN(kernel_unmap_page(va)));
	flush_tlb_harts(harts_online_mask, low, top);
	atomic_add_long(&nr_pages, -(long)n);
	while (n > 0)
		page_put(page[--n]);
}

/* The leaf table of a slot is made with its first stack and stays: it is accounted here. */
static void account_table(unsigned long slot)
{
	spin_lock(&kstack_lock);
	if (!l0_made[slot / SLOTS_PER_L0]) {
		l0_made[slot / SLOTS_PER_L0] = true;
		atomic_add_long(&nr_pages, 1);
	}
	spin_unlock(&kstack_lock);
}

/* Maps the first pages of @stack; returns the lowest mapped byte, 0: no memory. */
static unsigned long map_pages(void *stack)
{
	unsigned long top = stack_top(stack), low = top;

	while (low > top - start_pages * PAGE_SIZE) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (page)
			page->type = PAGE_STACK;
		if (!page || kernel_map_page(low - PAGE_SIZE, page_to_phys(page), PTE_R | PTE_W)) {
			if (page)
				page_put(page);
			unmap_pages(low, top);
			return 0;
		}
		atomic_add_long(&nr_pages, 1);
		low -= PAGE_SIZE;
	}
	account_table(stack_slot(stack));
	/* Harts may have cached that nothing was there, and cannot fault on their own stack. */
	flush_tlb_harts(harts_online_mask, low, top);
	return low;
}

/* ---- growth ---- */

static struct page *reserve_take(void)
{
	unsigned me = this_hart()->id;
	struct page *page = NULL;

	for (unsigned i = 0; i < MAX_HARTS * RESERVE && !page; i++) {
		struct page **entry = &reserve[(me + i / RESERVE) % MAX_HARTS][i % RESERVE];

		if (READ_ONCE(*entry))
			page = __atomic_exchange_n(entry, NULL, __ATOMIC_ACQ_REL);
	}
	if (page)
		atomic_add_long(&nr_reserved, -1);
	return page;
}

unsigned long kstack_grow(unsigned long low, unsigned long need)
{
	unsigned long top = (low | (THREAD_SIZE - 1)) + 1;

	while (low > need) {
		struct page *page = reserve_take();

		if (!page)
			break;
		low -= PAGE_SIZE;
		kernel_map_beside(low, page_to_phys(page), PTE_R | PTE_W);
		local_flush_tlb_page(low);
		count_vm(VM_kstack_grow);
	}
	atomic_or_ulong(&grown_to, BIT((top - low) / PAGE_SIZE));
	return low;
}

/* Fills one entry of the reserve; false: no memory. */
static bool refill_entry(struct page **entry, gfp_t gfp)
{
	struct page *page = alloc_page(gfp), *none = NULL;

	if (!page)
		return false;
	page->type = PAGE_STACK;
	window();
	if (!__atomic_compare_exchange_n(entry, &none, page, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_RELAXED)) {
		page_put(page); /* another hart was first */
		return true;
	}
	atomic_add_long(&nr_reserved, 1);
	atomic_add_long(&nr_pages, 1);
	return true;
}

bool kstack_refill(gfp_t gfp)
{
	long fail_alloc = current->fail_alloc;
	bool full = true;

	/* What the task tries out with fail_alloc is its own allocations. */
	current->fail_alloc = 0;
	for (long i = 0; i < reserve_size && full; i++) {
		struct page **entry = &reserve[i / RESERVE][i % RESERVE];

		if (!READ_ONCE(*entry))
			full = refill_entry(entry, gfp);
	}
	current->fail_alloc = fail_alloc;
	return full;
}

void kstack_arrive(const void *stack, unsigned long low)
{
	unsigned long end = stack_top(stack) - start_pages * PAGE_SIZE;

	for (unsigned long va = low; va < end; va += PAGE_SIZE)
		local_flush_tlb_page(va);
}

bool kstack_fault_stale(unsigned long va)
{
	if (va < VMAP_BASE || va >= VMAP_END || !kernel_page_mapped(va))
		return false;
	local_flush_tlb_page(va);
	count_vm(VM_kstack_stale);
	return true;
}

/* ---- stacks ---- */

unsigned kstack_random_pad(void)
{
	unsigned pad;

	spin_lock(&kstack_lock);
	pad = 16 * prng_below(&pad_prng, (PAGE_SIZE - sizeof(struct trap_frame)) / 16 + 1);
	spin_unlock(&kstack_lock);
	return pad;
}

/* One that was given back, with its lowest mapped byte; NULL: none. */
static void *cached_take(unsigned long *low)
{
	void *stack = NULL;

	spin_lock(&kstack_lock);
	if (nr_cached > 0) {
		*low = cached[--nr_cached];
		stack = (void *)(*low & ~(THREAD_SIZE - 1UL));
	}
	spin_unlock(&kstack_lock);
	return stack;
}

void *kstack_alloc(unsigned long *low)
{
	unsigned long slot;
	void *stack;

	if (unlikely(current->fail_alloc) && alloc_should_fail())
		return NULL;
	if (unlikely(READ_ONCE(nr_reserved) < reserve_size) && !kstack_refill(GFP_KERNEL))
		return NULL;
	stack = cached_take(low);
	if (stack) {
		if (unlikely(*low < stack_top(stack) - start_pages * PAGE_SIZE))
			kstack_arrive(stack, *low);
		return stack;
	}
	slot = slot_take();
	if (slot >= NR_SLOTS)
		return NULL;
	stack = slot_stack(slot);
	*low = map_pages(stack);
	if (*low)
		return stack;
	slot_release(slot);
	return NULL;
}

void kstack_free(void *stack, unsigned long low)
{
	unsigned long start = stack_top(stack) - start_pages * PAGE_SIZE;
	bool kept = false;

	if (unlikely(kstack_padded) && low < start) {
		unmap_pages(low, start);
		low = start;
	}
	spin_lock(&kstack_lock);
	if (nr_cached < MAX_CACHED) {
		cached[nr_cached++] = low;
		kept = true;
	}
	spin_unlock(&kstack_lock);
	if (kept)
		return;
	unmap_pages(low, stack_top(stack));
	slot_release(stack_slot(stack));
}

/* ---- the checker ---- */

/* What is wrong with the pages of @slot, or NULL: it may just be growing, or being unmapped. */
static const char *slot_fault(unsigned long slot)
{
	unsigned long top = stack_top(slot_stack(slot)), low = top;

	while (low > top - SLOT_SIZE && kernel_page_mapped(low - PAGE_SIZE))
		low -= PAGE_SIZE;
	for (unsigned long va = top - SLOT_SIZE; va < low; va += PAGE_SIZE) {
		if (kernel_page_mapped(va))
			return "there is a hole in the stack";
	}
	if (low < top - THREAD_SIZE)
		return "the guard is mapped";
	return low < top && !test_bit(slot, slot_used) ? "mapped, but not in use" : NULL;
}

int kstack_check(void)
{
	int faults = 0;

	for (unsigned long slot = 0; slot < NR_SLOTS; slot++) {
		const char *fault = l0_made[slot / SLOTS_PER_L0] ? slot_fault(slot) : NULL;

		if (!fault)
			continue;
		printk("kstack: slot %lu: %s\n", slot, fault);
		faults++;
	}
	return faults;
}
