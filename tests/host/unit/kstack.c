/*
 * kstack.c - kernel stacks (mm/kstack.c): slots of the vmap region, each above its guard.
 *
 *	slot n                           slot n + 1
 *	[ guard: unmapped ][ stack ]     [ guard: unmapped ][ stack ]
 */
#include "mm/kstack.h"

#include "arch/riscv/mmu.h"
#include "kernel/task.h"
#include "tests/host/unit/space.h"

#define SLOT   (2UL * THREAD_SIZE)
#define PAGES  (THREAD_SIZE / PAGE_SIZE)
#define CACHED 32

TEST(a_stack_lies_above_its_guard)
{
	unsigned long first = (unsigned long)kstack_alloc(), second = (unsigned long)kstack_alloc();

	CHECK(first >= VMAP_BASE && first + THREAD_SIZE <= VMAP_END);
	CHECK_EQ(first % SLOT, THREAD_SIZE); /* bit THREAD_SHIFT of a sane sp is set */
	CHECK_EQ(second - first, SLOT);
	CHECK_EQ(kstack_nr_pages(), 2 * PAGES + 1); /* and the table of both */
	kstack_free((void *)second);
	kstack_free((void *)first);
}

TEST(what_was_given_back_is_taken_first)
{
	void *stack = kstack_alloc();
	unsigned long free = nr_free_pages();

	kstack_free(stack);
	CHECK_EQ(nr_free_pages(), free); /* still mapped */
	CHECK(kstack_alloc() == stack);
	kstack_free(stack);
}

TEST(only_so_many_are_kept)
{
	static void *stack[CACHED + 3];

	for (unsigned i = 0; i < CACHED + 3; i++)
		stack[i] = kstack_alloc();
	CHECK_EQ(kstack_nr_pages(), (CACHED + 3) * PAGES + 1);
	for (unsigned i = 0; i < CACHED + 3; i++)
		kstack_free(stack[i]);
	CHECK_EQ(kstack_nr_pages(), CACHED * PAGES + 1);
	/* The slots of those that went can be had again. */
	for (unsigned i = 0; i < CACHED + 1; i++) {
		unsigned long at = (unsigned long)kstack_alloc();

		CHECK(at < VMAP_BASE + (CACHED + 3) * SLOT);
		stack[i] = (void *)at;
	}
	for (unsigned i = 0; i < CACHED + 1; i++)
		kstack_free(stack[i]);
}

TEST(a_stack_that_cannot_be_mapped_is_undone)
{
	for (unsigned nth = 1; nth <= PAGES; nth++) {
		kernel_map_fail = nth;
		CHECK(kstack_alloc() == NULL);
		CHECK_EQ(kernel_map_fail, 0);
		CHECK_EQ(kstack_nr_pages(), 0);
		machine_check();
	}
	kstack_free(kstack_alloc()); /* the slot was given back: it is the first again */
}

TEST(nor_one_without_pages)
{
	void *stack;

	/* The stack itself, its first page, the table (which stays), the other pages. */
	for (unsigned nth = 1; nth <= 1 + PAGES; nth++) {
		current->fail_alloc = nth;
		CHECK(kstack_alloc() == NULL);
		CHECK_EQ(current->fail_alloc, 0);
		CHECK_EQ(kstack_nr_pages(), 0);
	}
	stack = kstack_alloc();
	CHECK_EQ((unsigned long)stack, VMAP_BASE + THREAD_SIZE);
	kstack_free(stack);
}
