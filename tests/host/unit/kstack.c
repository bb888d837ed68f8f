/*
 * kstack.c - kernel stacks (mm/kstack.c): slots of the vmap region, each above its guard.
 *
 *	slot n                                      slot n + 1
 *	[ guard: unmapped ][ unmapped ][ mapped ]   [ guard: unmapped ][ ...
 *	                               ^ low
 */
#include "mm/kstack.h"

#include "arch/riscv/mmu.h"
#include "kernel/task.h"
#include "mm/vmstat.h"
#include "tests/host/unit/console.h"
#include "tests/host/unit/space.h"

#define SLOT	(2UL * THREAD_SIZE)
#define PAGES	(THREAD_SIZE / PAGE_SIZE)
#define CACHED	32
#define RESERVE 8 /* pages for each hart */
#define ALL	(TEST_HARTS * RESERVE)

static unsigned long alloc_low(void)
{
	unsigned long low = 0;

	CHECK(kstack_alloc(&low) != NULL);
	return low;
}

static void free_low(unsigned long low)
{
	kstack_free((void *)(low & ~(THREAD_SIZE - 1UL)), low);
}

static void boot(const char *cmdline)
{
	host_cmdline = cmdline;
	machine_boot(TEST_PAGES, TEST_HARTS);
}

TEST(a_stack_lies_above_its_guard)
{
	unsigned long low[2], first, second;

	first = (unsigned long)kstack_alloc(&low[0]);
	second = (unsigned long)kstack_alloc(&low[1]);
	CHECK(first >= VMAP_BASE && first + THREAD_SIZE <= VMAP_END);
	CHECK_EQ(first % SLOT, THREAD_SIZE);
	CHECK_EQ(second - first, SLOT);
	CHECK_EQ(low[0], first + THREAD_SIZE - PAGE_SIZE); /* a page of it is there */
	for (unsigned hart = 0; hart < TEST_HARTS; hart++)
		CHECK(vmap_reaches(hart, low[0]) && !vmap_reaches(hart, low[0] - 1));
	CHECK_EQ(kstack_nr_pages(), ALL + 2 + 1); /* and the table of both */
	CHECK_EQ(kstack_nr_used(), 2);
	free_low(low[0]);
	free_low(low[1]);
	CHECK_EQ(kstack_nr_used(), 0);
}

/* Maps the page at @va too, for so long as the checker looks. */
static void one_page_more(unsigned long va, const char *words)
{
	CHECK_EQ(kernel_map_page(va, page_to_phys(zero_page), PTE_R | PTE_W), 0);
	CHECK_PRINTS(CHECK_EQ(kstack_check(), 1), words);
	kernel_unmap_page(va);
	flush_tlb_harts(BIT(TEST_HARTS) - 1, va, va + PAGE_SIZE);
}

TEST(the_checker_sees_holes_and_guards)
{
	unsigned long low = alloc_low(), stack = low & ~(THREAD_SIZE - 1UL);

	CHECK_EQ(kstack_check(), 0);
	one_page_more(stack, "slot 0: there is a hole in the stack");
	one_page_more(stack - THREAD_SIZE, "slot 0: there is a hole in the stack");
	one_page_more(stack + SLOT + THREAD_SIZE - PAGE_SIZE, "slot 1: mapped, but not in use");
	low = kstack_grow(low, stack);
	CHECK_EQ(low, stack);
	CHECK_EQ(kstack_check(), 0);
	one_page_more(stack - PAGE_SIZE, "slot 0: the guard is mapped");
	free_low(low);
	CHECK_EQ(kstack_check(), 0);
}

TEST(what_was_given_back_is_taken_first)
{
	unsigned long low = alloc_low(), free = nr_free_pages();

	free_low(low);
	CHECK_EQ(nr_free_pages(), free); /* still mapped */
	CHECK_EQ(alloc_low(), low);
	free_low(low);
}

TEST(only_so_many_are_kept)
{
	static unsigned long low[CACHED + 3];

	for (unsigned i = 0; i < CACHED + 3; i++)
		low[i] = alloc_low();
	CHECK_EQ(kstack_nr_pages(), ALL + CACHED + 3 + 1);
	for (unsigned i = 0; i < CACHED + 3; i++)
		free_low(low[i]);
	CHECK_EQ(kstack_nr_pages(), ALL + CACHED + 1);
	/* The slots of those that went can be had again. */
	for (unsigned i = 0; i < CACHED + 1; i++) {
		low[i] = alloc_low();
		CHECK(low[i] < VMAP_BASE + (CACHED + 3) * SLOT);
	}
	for (unsigned i = 0; i < CACHED + 1; i++)
		free_low(low[i]);
}

/* ---- the command line ---- */

/* Pages of a new stack with this command line. */
static unsigned first_pages(const char *cmdline)
{
	unsigned long low;

	boot(cmdline);
	low = alloc_low();
	free_low(low);
	return (THREAD_SIZE - low % THREAD_SIZE) / PAGE_SIZE;
}

BARE_TEST(one_page_at_first)
{
	CHECK_EQ(first_pages("kstack=1"), 1);
}

BARE_TEST(or_all)
{
	CHECK_EQ(first_pages("kstack=4"), PAGES);
	CHECK_EQ(kstack_deepest(), PAGES);
}

BARE_TEST(none_is_refused)
{
	CHECK_EQ(first_pages("kstack=0"), 1);
}

BARE_TEST(more_than_all_is_refused)
{
	CHECK_EQ(first_pages("kstack=5"), 1);
}

BARE_TEST(a_word_is_refused)
{
	CHECK_EQ(first_pages("kstack=many"), 1);
}

BARE_TEST(nothing_is_refused)
{
	CHECK_EQ(first_pages("kstack="), 1);
}

/* ---- growth ---- */

TEST(it_grows_page_by_page)
{
	unsigned long low = alloc_low(), pages = kstack_nr_pages(), free = nr_free_pages();
	unsigned long lower;

	lower = kstack_grow(low, low - 8);
	CHECK_EQ(lower, low - PAGE_SIZE);
	CHECK(vmap_reaches(current->hart->id, lower) &&
	      !vmap_reaches(current->hart->id, lower - 1));
	CHECK_EQ(kstack_nr_reserved(), ALL - 1);
	CHECK_EQ(kstack_deepest(), 2);
	lower = kstack_grow(lower, lower); /* it is there */
	CHECK_EQ(lower, low - PAGE_SIZE);
	lower = kstack_grow(lower, lower - PAGE_SIZE - 1); /* a frame that leaves out a page */
	CHECK_EQ(lower, low - 3 * PAGE_SIZE);
	CHECK_EQ(lower % THREAD_SIZE, 0);
	CHECK_EQ(kstack_deepest(), PAGES);
	CHECK_EQ(vmstat_sum(VM_kstack_grow), 3);
	/* Mapped pages are counted as those of the reserve were; the buddy has not been asked. */
	CHECK_EQ(kstack_nr_pages(), pages);
	CHECK_EQ(nr_free_pages(), free);
	free_low(lower);
}

TEST(it_stays_grown_for_its_next_owner)
{
	unsigned long low = alloc_low(), lower = kstack_grow(low, low - 1);

	free_low(lower);
	machine_run_on(2);
	CHECK_EQ(alloc_low(), lower);
	CHECK(vmap_reaches(2, lower)); /* whoever hands it out knows all of it */
	machine_run_on(0);
	free_low(lower);
}

TEST(other_harts_learn_of_it_on_arrival)
{
	unsigned long low = alloc_low(), lower;
	const void *stack = (const void *)(low & ~(THREAD_SIZE - 1UL));

	lower = kstack_grow(low, low - 2 * PAGE_SIZE);
	for (unsigned hart = 1; hart < TEST_HARTS; hart++) {
		machine_run_on(hart);
		CHECK(!vmap_reaches(hart, lower));
		kstack_arrive(stack, lower);
		CHECK(vmap_reaches(hart, lower) && vmap_reaches(hart, lower + PAGE_SIZE));
		CHECK(vmap_reaches(hart, low));
	}
	machine_run_on(0);
	free_low(lower);
}

TEST(or_by_a_fault)
{
	unsigned long low = alloc_low(), lower = kstack_grow(low, low - 1);

	machine_run_on(1);
	CHECK(kstack_fault_stale(lower + 100));
	CHECK(vmap_reaches(1, lower));
	CHECK_EQ(vmstat_sum(VM_kstack_stale), 1);
	/* What is really not there is no such fault. */
	CHECK(!kstack_fault_stale(lower - 1));
	CHECK(!kstack_fault_stale(low + SLOT));
	CHECK(!kstack_fault_stale(VMAP_BASE - 1));
	CHECK(!kstack_fault_stale(VMAP_END));
	machine_run_on(0);
	free_low(lower);
}

TEST(what_has_grown_is_unmapped_whole)
{
	static unsigned long low[CACHED + 1];
	unsigned long pages;

	for (unsigned i = 0; i < CACHED + 1; i++)
		low[i] = alloc_low();
	low[CACHED] = kstack_grow(low[CACHED], low[CACHED] & ~(THREAD_SIZE - 1UL));
	CHECK(kstack_refill(GFP_KERNEL));
	pages = kstack_nr_pages();
	for (unsigned i = 0; i < CACHED + 1; i++)
		free_low(low[i]);
	CHECK_EQ(kstack_nr_pages(), pages - PAGES);
}

/* ---- the reserve ---- */

/* Grows stacks until one cannot; all are given back. Returns the pages they got. */
static unsigned use_up_reserve(void)
{
	static unsigned long low[ALL];
	unsigned n = 0, pages = 0;

	for (unsigned i = 0; i < ALL; i++)
		low[i] = alloc_low();
	for (bool more = true; more; n++) {
		unsigned long need = low[n] & ~(THREAD_SIZE - 1UL);
		unsigned long lower = kstack_grow(low[n], need);

		pages += (low[n] - lower) / PAGE_SIZE;
		more = lower == need;
		low[n] = lower;
	}
	for (unsigned i = 0; i < ALL; i++)
		free_low(low[i]);
	return pages;
}

TEST(a_hart_takes_of_its_own_then_of_the_others)
{
	CHECK_EQ(kstack_nr_reserved(), ALL);
	CHECK_EQ(use_up_reserve(), ALL);
	CHECK_EQ(kstack_nr_reserved(), 0);
	CHECK(kstack_refill(GFP_ATOMIC));
	CHECK_EQ(kstack_nr_reserved(), ALL);
	CHECK(kstack_refill(GFP_KERNEL)); /* nothing to do */
	CHECK_EQ(kstack_nr_reserved(), ALL);
}

TEST(a_new_stack_fills_it)
{
	unsigned long low = alloc_low(), lower = kstack_grow(low, low - 1);

	CHECK_EQ(kstack_nr_reserved(), ALL - 1);
	low = alloc_low();
	CHECK_EQ(kstack_nr_reserved(), ALL);
	free_low(low);
	free_low(lower);
}

/* Takes all memory; gives it back when @pages is given. */
static struct page *take_all(struct page *pages)
{
	struct page *page, *next, *list = NULL;

	for (page = pages; page; page = next) {
		next = page->mapping;
		page->mapping = NULL;
		page_put(page);
	}
	while (!pages && (page = alloc_page(GFP_ATOMIC)) != NULL) {
		page->mapping = list;
		list = page;
	}
	return list;
}

TEST(without_memory_the_reserve_is_all_there_is)
{
	unsigned long low = alloc_low(), none;
	struct page *all = take_all(NULL);

	low = kstack_grow(low, low - 1);
	CHECK_EQ(low % THREAD_SIZE, THREAD_SIZE - 2 * PAGE_SIZE);
	CHECK(!kstack_refill(GFP_ATOMIC));
	CHECK(!kstack_refill(GFP_KERNEL));
	CHECK(kstack_alloc(&none) == NULL); /* although some stack may wait */
	CHECK_EQ(kstack_nr_reserved(), ALL - 1);
	take_all(all);
	CHECK(kstack_refill(GFP_KERNEL));
	free_low(low);
}

TEST(no_kernel_without_a_reserve)
{
	unsigned long low = alloc_low();
	struct page *all = take_all(NULL);

	low = kstack_grow(low, low - 1);
	CHECK_PANIC(kstack_init(), "reserve");
	take_all(all);
	free_low(low);
}

static void fill_first(bool locked __maybe_unused)
{
	machine_run_on(1);
	CHECK(kstack_refill(GFP_ATOMIC));
}

TEST(two_harts_fill_it_at_once)
{
	unsigned long low = alloc_low(), pages = kstack_nr_pages();

	low = kstack_grow(low, low - 1);
	machine_meanwhile = fill_first;
	CHECK(kstack_refill(GFP_KERNEL));
	machine_meanwhile = NULL;
	CHECK_EQ(kstack_nr_reserved(), ALL);
	CHECK_EQ(kstack_nr_pages(), pages + 1);
	free_low(low);
}

TEST(fail_alloc_does_not_see_the_reserve)
{
	unsigned long low = alloc_low();

	low = kstack_grow(low, low - 1);
	current->fail_alloc = 1;
	CHECK(kstack_refill(GFP_KERNEL));
	CHECK_EQ(current->fail_alloc, 1);
	current->fail_alloc = 0;
	free_low(low);
}

/* ---- failures ---- */

BARE_TEST(a_stack_that_cannot_be_mapped_is_undone)
{
	unsigned long low;

	boot("kstack=4");
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		kernel_map_fail = nth;
		CHECK(kstack_alloc(&low) == NULL);
		CHECK_EQ(kernel_map_fail, 0);
		CHECK_EQ(kstack_nr_pages(), ALL);
		CHECK_EQ(kstack_nr_used(), 0);
		machine_check();
	}
	free_low(alloc_low()); /* the slot was given back: it is the first again */
	machine_check_rest();
}

BARE_TEST(nor_one_without_pages)
{
	unsigned long low;

	boot("kstack=4");
	/* The stack itself, its first page, the table (which stays), the other pages. */
	for (unsigned nth = 1; nth <= 1 + PAGES; nth++) {
		current->fail_alloc = nth;
		CHECK(kstack_alloc(&low) == NULL);
		CHECK_EQ(current->fail_alloc, 0);
		CHECK_EQ(kstack_nr_pages(), ALL);
	}
	CHECK_EQ((unsigned long)kstack_alloc(&low), VMAP_BASE + THREAD_SIZE);
	free_low(low);
	machine_check_rest();
}

/* ---- ravel.kstackpad ---- */

TEST(without_it_a_task_begins_at_the_top)
{
	CHECK_EQ(kstack_pad(), 0);
}

BARE_TEST(padded_stacks_leave_room_for_the_users_frame)
{
	unsigned most = 0;

	boot("ravel.kstackpad=7");
	for (unsigned i = 0; i < 10000; i++) {
		unsigned pad = kstack_pad();

		CHECK_EQ(pad % 16, 0);
		CHECK(pad + sizeof(struct trap_frame) <= PAGE_SIZE);
		most = max(most, pad);
	}
	CHECK_EQ(most, PAGE_SIZE - sizeof(struct trap_frame));
}

BARE_TEST(and_are_trimmed)
{
	unsigned long low, lower;

	boot("ravel.kstackpad=7");
	low = alloc_low();
	lower = kstack_grow(low, low - 1);
	CHECK(kstack_refill(GFP_KERNEL));
	free_low(lower);
	CHECK_EQ(alloc_low(), low);
	CHECK_EQ(kstack_nr_pages(), ALL + 1 + 1);
	free_low(low);
	machine_check_rest();
}
