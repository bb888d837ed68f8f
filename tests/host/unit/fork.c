/*
 * fork.c - a second address space like the first (mm/fork.c): which PTEs are copied, and how.
 *
 *	                 parent          child
 *	anonymous page   r-- (was rw-)   r--      one page, two mappings, two references
 *	zero page        r--             -
 *	file page        r--             -
 *	PROT_NONE'd      ---             ---      kept, hidden
 *	untouched        -               -
 */
#include "lib/string.h"
#include "mm/anon_root.h"
#include "tests/host/unit/space.h"

TEST(anonymous_pages_are_shared_and_lose_their_write_bit)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr = map_anon(parent, 2, RW);
	struct page *page;

	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	page = page_at(parent, addr);
	child = mm_fork(parent);
	CHECK(page_at(child, addr) == page);
	CHECK_EQ(pte_at(parent, addr) & (PTE_R | PTE_W), PTE_R);
	CHECK_EQ(pte_at(child, addr), pte_at(parent, addr));
	CHECK_EQ(atomic_read(&page->refcount), 2);
	CHECK_EQ(atomic_read(&page->mapcount), 2);
	CHECK_EQ(child->rss_anon, 1);
	CHECK_EQ(child->nr_ptes, 2);
	machine_check();
	mm_put(child);
	CHECK_EQ(atomic_read(&page->mapcount), 1);
	space_end(parent);
}

TEST(what_one_side_writes_the_other_does_not_see)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr = map_anon(parent, 2, RW);

	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	child = mm_fork(parent);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	live_in(1, child);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 3), FAULT_OK);
	machine_run_on(0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 1);
	CHECK_EQ(user_byte(addr), 2);
	machine_check();
	space_end(child);
	space_end(parent);
}

/* The parent's threads on other harts have the page writable in their TLBs. */
TEST(every_hart_of_the_parent_forgets_the_write_bit)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr = map_anon(parent, 1, RW);

	for (unsigned hart = 0; hart < 3; hart++) {
		live_in(hart, parent);
		CHECK_EQ(user_put(addr, hart), FAULT_OK);
	}
	child = mm_fork(parent);
	for (unsigned hart = 0; hart < 3; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_put(addr, 10 + hart), FAULT_OK);
	}
	live_in(3, child);
	CHECK_EQ(user_byte(addr), 2);
	space_end(child);
	space_end(parent);
}

TEST(what_a_fault_can_rebuild_is_left_out)
{
	struct file *file = host_file(FILE_DISK, 2 * PAGE_SIZE);
	struct mm *parent = space_new(), *child;
	unsigned long zero = map_anon(parent, 1, RO), text = map_file(parent, file, 2, RW, 0);

	CHECK_EQ(user_byte(zero), 0);
	CHECK_EQ(user_byte(text), pattern_of(file, 0));
	CHECK_EQ(user_put(text + PAGE_SIZE, 0xaa), FAULT_OK);
	child = mm_fork(parent);
	CHECK_EQ(pte_at(child, zero), 0);
	CHECK_EQ(pte_at(child, text), 0);
	CHECK(page_at(child, text + PAGE_SIZE) == page_at(parent, text + PAGE_SIZE));
	CHECK_EQ(child->rss_file, 0);
	CHECK_EQ(child->rss_anon, 1);
	live_in(1, child);
	CHECK_EQ(user_byte(zero), 0);
	CHECK_EQ(user_byte(text), pattern_of(file, 0));
	CHECK_EQ(user_byte(text + PAGE_SIZE), 0xaa);
	CHECK_EQ(host_file_refs(file), 3);
	space_end(child);
	space_end(parent);
	file_put(file);
}

/* Text of a large program costs a fork nothing: no table is made for it. */
TEST(areas_without_anonymous_pages_are_not_walked)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *parent = space_new(), *child;
	unsigned long zero = map_anon(parent, 1, RW), text = map_file(parent, file, 4, RX, 0);

	CHECK_EQ(user_byte(text), pattern_of(file, 0));
	CHECK_EQ(user_byte(zero), 0);
	child = mm_fork(parent);
	CHECK_EQ(child->nr_areas, 2);
	CHECK_EQ(child->nr_ptes, 0);
	CHECK(!vma_lookup(child, text)->vm_anon);
	CHECK(!vma_lookup(child, zero)->vm_anon);
	mm_put(child);
	space_end(parent);
	file_put(file);
}

/* vm_anon says where to look; a merge of areas must not lose it, nor a second fork. */
TEST(grandchildren_get_the_pages_too)
{
	struct mm *parent = space_new(), *child, *grandchild;
	unsigned long addr = map_anon(parent, 3, RW);

	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(vm_mprotect(parent, addr + PAGE_SIZE, PAGE_SIZE, RO), 0);
	CHECK_EQ(vm_mprotect(parent, addr + PAGE_SIZE, PAGE_SIZE, RW), 0);
	CHECK_EQ(parent->nr_areas, 1);
	child = mm_fork(parent);
	grandchild = mm_fork(child);
	CHECK(vma_lookup(grandchild, addr)->vm_anon);
	CHECK_EQ(atomic_read(&page_at(grandchild, addr)->mapcount), 3);
	live_in(1, grandchild);
	CHECK_EQ(user_put(addr, 3), FAULT_OK);
	machine_run_on(0);
	CHECK_EQ(user_byte(addr), 1);
	mm_put(child);
	space_end(grandchild);
	space_end(parent);
}

TEST(hidden_pages_are_kept_hidden)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr = map_anon(parent, 1, RW);

	CHECK_EQ(user_put(addr, 9), FAULT_OK);
	CHECK_EQ(vm_mprotect(parent, addr, PAGE_SIZE, PROT_NONE), 0);
	child = mm_fork(parent);
	CHECK_EQ(pte_at(child, addr) & (PTE_V | PTE_PROTNONE | PTE_LEAF), PTE_PROTNONE);
	live_in(1, child);
	CHECK_EQ(user_byte(addr), -FAULT_SEGV_ACCERR);
	CHECK_EQ(vm_mprotect(child, addr, PAGE_SIZE, RW), 0);
	CHECK_EQ(user_byte(addr), 9);
	CHECK_EQ(user_put(addr, 10), FAULT_OK);
	live_in(0, parent);
	CHECK_EQ(vm_mprotect(parent, addr, PAGE_SIZE, RW), 0);
	CHECK_EQ(user_byte(addr), 9);
	space_end(child);
	space_end(parent);
}

TEST(pages_of_several_tables_are_found)
{
	struct mm *parent = space_new(), *child;
	unsigned long start = 1UL << 30, places[] = { 0, 2 * PT_SPAN(1) - PAGE_SIZE, PT_SPAN(2),
						      3 * PT_SPAN(2) + PT_SPAN(1) };

	/* More than there is memory; the second and third GiB have no table at all. */
	CHECK_EQ(vm_mmap(parent, NULL, start, 4 * PT_SPAN(2), RW, ANON | MAP_FIXED | MAP_NORESERVE,
			 0),
		 start);
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		CHECK_EQ(user_put(start + places[i], 100 + i), FAULT_OK);
	CHECK_EQ(user_byte(start + 8 * PT_SPAN(1)), 0);
	child = mm_fork(parent);
	CHECK_EQ(child->rss_anon, ARRAY_SIZE(places));
	/* All but the table that leads to a zero page only. */
	CHECK_EQ(child->nr_ptes, parent->nr_ptes - 1);
	live_in(1, child);
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		CHECK_EQ(user_byte(start + places[i]), 100 + i);
	space_end(child);
	space_end(parent);
}

TEST(the_family_is_one_and_strangers_are_not_of_it)
{
	struct mm *parent = space_new(), *stranger = mm_alloc(), *child = mm_fork(parent);

	CHECK(child->anon_root == parent->anon_root);
	CHECK(stranger->anon_root != parent->anon_root);
	CHECK_EQ(atomic_read(&parent->anon_root->refcount), 2);
	CHECK_EQ(atomic_read(&child->users), 1);
	CHECK_EQ(child->hart_mask, 0);
	mm_put(child);
	CHECK_EQ(atomic_read(&parent->anon_root->refcount), 1);
	mm_put(stranger);
	space_end(parent);
}

TEST(the_child_outlives_its_parent)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr = map_anon(parent, 1, RW);

	CHECK_EQ(user_put(addr, 4), FAULT_OK);
	child = mm_fork(parent);
	space_end(parent);
	machine_use_mm(child);
	CHECK_EQ(user_byte(addr), 4);
	CHECK_EQ(user_put(addr, 5), FAULT_OK);
	space_end(child);
}

TEST(layout_and_program_are_the_parents)
{
	struct file *program = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *parent = space_new(), *child;

	CHECK_EQ(vm_make_stack(parent, STACK_TOP, 2 * PAGE_SIZE, RW), 0);
	parent->exe_file = file_get(program);
	parent->start_brk = 0x100000;
	parent->brk = 0x100000;
	CHECK_EQ(vm_brk(parent, 0x103000), 0x103000);
	parent->auxv[0] = 6;
	parent->arg_start = STACK_TOP - 64;
	child = mm_fork(parent);
	CHECK(child->exe_file == program);
	CHECK_EQ(host_file_refs(program), 3);
	CHECK_EQ(child->brk, 0x103000);
	CHECK_EQ(child->start_brk, 0x100000);
	CHECK_EQ(child->mmap_base, parent->mmap_base);
	CHECK_EQ(child->start_stack, STACK_TOP);
	CHECK_EQ(child->auxv[0], 6);
	CHECK_EQ(child->arg_start, STACK_TOP - 64);
	CHECK_EQ(child->total_vm, parent->total_vm);
	CHECK_EQ(child->stack_vm, 2);
	CHECK_EQ(child->data_vm, 3);
	mm_put(child);
	space_end(parent);
	CHECK_EQ(host_file_refs(program), 1);
	file_put(program);
}

/* A failed fork has shared pages for a moment: the harts must have forgotten their write bits. */
TEST(a_fork_that_fails_is_undone_and_flushed)
{
	struct mm *parent = space_new();
	unsigned long start = 1UL << 30;

	CHECK_EQ(vm_mmap(parent, NULL, start, 2 * PT_SPAN(1), RW, ANON | MAP_FIXED, 0), start);
	live_in(1, parent);
	CHECK_EQ(user_put(start, 1), FAULT_OK);
	CHECK_EQ(user_put(start + PT_SPAN(1), 1), FAULT_OK);
	CHECK_EQ(user_put(start, 1), FAULT_OK); /* in the TLB again */
	live_in(0, parent);
	/* mm, root, spare area, two tables; the table of the second page cannot be had. */
	current->fail_alloc = 6;
	counters_start();
	CHECK(mm_fork(parent) == NULL);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK_EQ(counted(VM_alloc_fail_injected), 1);
	CHECK_EQ(pte_at(parent, start) & PTE_W, 0);
	CHECK_EQ(atomic_read(&page_at(parent, start)->refcount), 1);
	machine_check();
	machine_run_on(1);
	CHECK_EQ(user_put(start, 2), FAULT_OK);
	CHECK_EQ(counted(VM_fault_cow_reuse), 1);
	space_end(parent);
}
