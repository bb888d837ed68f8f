/*
 * fault.c - the table at the head of mm/fault.c, row by row, for memory without a file.
 *
 *	user_write(addr) --> MMU: no translation --> handle_mm_fault() --> a row --> a counter
 *	                     MMU again: and now there must be one that allows it
 *
 * Rows of files: filefault.c. Of a write to what is there: cow.c. Races: faultrace.c.
 */
#include "arch/riscv/mmu.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

static const bool off_and_on[] = { false, true };

TEST(no_area_is_a_segmentation_fault)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	counters_start();
	CHECK_EQ(user_byte(addr - 1), -FAULT_SEGV_MAPERR);
	CHECK_ONE_FAULT(VM_fault_sigsegv_maperr);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), -FAULT_SEGV_MAPERR);
	CHECK_EQ(user_byte(0), -FAULT_SEGV_MAPERR);
	CHECK_EQ(mm->nr_ptes, 0);
	space_end(mm);
}

TEST(an_area_refuses_what_its_protection_does_not_grant)
{
	struct mm *mm = space_new();
	unsigned long none = map_anon(mm, 1, PROT_NONE), ro = map_anon(mm, 1, RO);
	unsigned long rw = map_anon(mm, 1, RW), x = map_anon(mm, 1, PROT_EXEC);
	u64 insn;

	counters_start();
	CHECK_EQ(user_byte(none), -FAULT_SEGV_ACCERR);
	CHECK_ONE_FAULT(VM_fault_sigsegv_accerr);
	CHECK_EQ(user_put(none, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_put(ro, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_fetch(rw, &insn), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_byte(x), -FAULT_SEGV_ACCERR);
	CHECK_EQ(user_put(x, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(counted(VM_fault_sigsegv_accerr), 6);
	CHECK_EQ(mm->rss_anon, 0);
	space_end(mm);
}

TEST(what_may_be_written_may_be_read)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, PROT_WRITE);

	CHECK_EQ(user_byte(addr), 0);
	CHECK_EQ(user_put(addr, 7), FAULT_OK);
	CHECK_EQ(user_byte(addr), 7);
	space_end(mm);
}

TEST(a_fault_below_the_stack_lets_it_grow)
{
	struct mm *mm = space_new();

	CHECK_EQ(vm_make_stack(mm, STACK_TOP, 4 * PAGE_SIZE, RW), 0);
	counters_start();
	CHECK_EQ(user_put(STACK_TOP - 6 * PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(counted(VM_fault_stack_grow), 1);
	CHECK_EQ(counted(VM_fault_demand_zero), 1);
	CHECK_EQ(counted(VM_fault_sigsegv_maperr), 0);
	CHECK_EQ(counted(VM_pgfault), 1);
	CHECK_EQ(vma_pages(mm->mmap), 6);
	space_end(mm);
}

TEST(reading_untouched_memory_maps_the_one_zero_page)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW);

	counters_start();
	CHECK_EQ(user_byte(addr), 0);
	CHECK_ONE_FAULT(VM_fault_zero_page);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	CHECK(page_at(mm, addr) == zero_page && page_at(mm, addr + PAGE_SIZE) == zero_page);
	CHECK_EQ(pte_at(mm, addr) & (PTE_SPECIAL | PTE_W), PTE_SPECIAL);
	/* Nobody counts it: not the page, not the process. */
	CHECK_EQ(atomic_read(&zero_page->mapcount), 0);
	CHECK_EQ(mm_rss(mm), 0);
	space_end(mm);
}

TEST(writing_untouched_memory_makes_a_zeroed_page)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW);
	struct page *page = alloc_page(GFP_KERNEL);

	/* The next page to be given out was full of something. */
	memset(page_address(page), 0xee, PAGE_SIZE);
	page_put(page);
	counters_start();
	CHECK_EQ(user_put(addr + 5, 1), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_demand_zero);
	CHECK_EQ(user_byte(addr + 4), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE - 1), 0);
	page = page_at(mm, addr);
	CHECK_EQ(page->type, PAGE_ANON);
	CHECK_EQ(page->index, addr >> PAGE_SHIFT);
	CHECK_EQ(atomic_read(&page->refcount), 1);
	CHECK_EQ(atomic_read(&page->mapcount), 1);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK(mm->mmap->vm_anon);
	/* A and D from the start: hardware without automatic update does not fault again. */
	CHECK_EQ(pte_at(mm, addr) & (PTE_A | PTE_D | PTE_W), PTE_A | PTE_D | PTE_W);
	space_end(mm);
}

TEST(tables_come_with_the_first_page_of_their_span)
{
	struct mm *mm = space_new();
	unsigned long addr = 1UL << 30;

	CHECK_EQ(vm_mmap(mm, NULL, addr, PT_SPAN(1) * 2, RW, ANON | MAP_FIXED, 0), addr);
	CHECK_EQ(mm->nr_ptes, 0);
	counters_start();
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(mm->nr_ptes, 2); /* of levels 1 and 0 */
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(user_put(addr + PT_SPAN(1), 1), FAULT_OK);
	CHECK_EQ(mm->nr_ptes, 3);
	CHECK_EQ(counted(VM_pgtable_alloc), 3);
	space_end(mm);
}

/*
 * Nothing in the kernel takes A or D away yet; reclaim by use will. By hand: the hardware sets them
 * again by itself, or (Svade) the handler does, in one fault.
 */
TEST(a_missing_a_or_d_bit_is_set)
{
	for (unsigned i = 0; i < ARRAY_SIZE(off_and_on); i++) {
		struct mm *mm = space_new();
		unsigned long addr = map_anon(mm, 1, RW);

		mmu_options.svade = off_and_on[i];
		CHECK_EQ(user_put(addr, 1), FAULT_OK);
		pte_clear_bits(pte_find(mm, addr), PTE_A | PTE_D);
		local_flush_tlb_page(addr);
		counters_start();
		CHECK_EQ(user_byte(addr), 1);
		CHECK_EQ(pte_at(mm, addr) & (PTE_A | PTE_D), PTE_A);
		CHECK_EQ(counted(VM_fault_access_bits), off_and_on[i]);
		CHECK_EQ(user_put(addr, 2), FAULT_OK);
		CHECK_EQ(pte_at(mm, addr) & (PTE_A | PTE_D), PTE_A | PTE_D);
		CHECK_EQ(counted(VM_fault_access_bits), 2 * off_and_on[i]);
		CHECK_EQ(counted(VM_pgfault), 2 * off_and_on[i]);
		space_end(mm);
	}
}

TEST(pages_come_with_a_and_d_so_svade_costs_nothing)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW);

	mmu_options.svade = true;
	counters_start();
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(counted(VM_pgfault), 2);
	CHECK_EQ(counted(VM_fault_access_bits), 0);
	space_end(mm);
}

/*
 * Hart 1 has cached that nothing is there. Hart 0's fault does not tell it: a wrong "no" is cheap,
 * it costs hart 1 a fault that finds all done. (A wrong "yes" would be a hole: see tlb.c.)
 */
TEST(a_stale_no_costs_a_spurious_fault)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW);
	phys_addr_t pa;

	live_in(1, mm);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK); /* the tables are there */
	CHECK_EQ(mmu_access(1, addr, FAULT_READ, &pa), MMU_FAULT);
	live_in(0, mm);
	CHECK_EQ(user_put(addr, 5), FAULT_OK);
	machine_run_on(1);
	counters_start();
	CHECK_EQ(user_byte(addr), 5);
	CHECK_ONE_FAULT(VM_fault_spurious);
	CHECK_EQ(user_byte(addr), 5);
	CHECK_EQ(counted(VM_pgfault), 1);
	space_end(mm);
}

TEST(a_stale_no_above_the_leaf_costs_one_too)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);
	phys_addr_t pa;

	live_in(1, mm);
	CHECK_EQ(mmu_access(1, addr, FAULT_READ, &pa), MMU_FAULT); /* not even a table */
	live_in(0, mm);
	CHECK_EQ(user_put(addr, 5), FAULT_OK);
	machine_run_on(1);
	counters_start();
	CHECK_EQ(user_byte(addr), 5);
	CHECK_ONE_FAULT(VM_fault_spurious);
	space_end(mm);
}

TEST(each_fault_is_minor_or_major_for_its_task)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long anon = map_anon(mm, 1, RW), text = map_file(mm, file, 1, RO, 0);
	unsigned long min_flt = current->min_flt, maj_flt = current->maj_flt;

	counters_start();
	CHECK_EQ(user_put(anon, 1), FAULT_OK);
	CHECK_EQ(current->min_flt - min_flt, 1);
	CHECK_EQ(user_byte(text), pattern_of(file, 0));
	CHECK_EQ(current->min_flt - min_flt, 1);
	CHECK_EQ(current->maj_flt - maj_flt, 1);
	CHECK_EQ(counted(VM_pgmajfault), 1);
	CHECK_EQ(counted(VM_pgfault), 2);
	space_end(mm);
	file_put(file);
}

TEST(fresh_pages_in_executable_areas_are_fenced_once)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 3, RWX), data = map_anon(mm, 1, RW);
	u64 insn = 1;

	counters_start();
	CHECK_EQ(user_put(addr, 0x13), FAULT_OK);
	CHECK(page_flags(page_at(mm, addr)) & PG_ICACHE_CLEAN);
	CHECK_EQ(user_put(data, 1), FAULT_OK);
	CHECK(!(page_flags(page_at(mm, data)) & PG_ICACHE_CLEAN));
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, 0x13);
	/* The zero page may be executed as well, and was zeros before any hart looked. */
	CHECK_EQ(user_fetch(addr + PAGE_SIZE, &insn), FAULT_OK);
	CHECK_EQ(insn, 0);
	CHECK_EQ(user_fetch(addr + 2 * PAGE_SIZE, &insn), FAULT_OK);
	CHECK(page_flags(zero_page) & PG_ICACHE_CLEAN);
	space_end(mm);
}

/* A frame held code, was freed, and comes back as other code: old instructions must not run. */
TEST(a_frame_that_comes_back_as_code_is_fenced)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RWX);
	struct page *page;
	u64 insn;

	live_in(1, mm);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK); /* the tables stay */
	CHECK_EQ(user_put(addr, 0x13), FAULT_OK);
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	page = page_at(mm, addr);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(vm_mmap(mm, NULL, addr, PAGE_SIZE, RWX, ANON | MAP_FIXED, 0), addr);
	CHECK_EQ(user_put(addr, 0x6f), FAULT_OK);
	CHECK(page_at(mm, addr) == page); /* else nothing was tested */
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, 0x6f);
	space_end(mm);
}

TEST(without_memory_a_fault_fails_and_leaves_nothing)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	/* The page, then the two tables. */
	for (int nth = 1; nth <= 3; nth++) {
		counters_start();
		current->fail_alloc = nth;
		CHECK_EQ(user_put(addr, 1), FAULT_OOM);
		CHECK_ONE_FAULT(VM_fault_oom);
		CHECK_EQ(mm->rss_anon, 0);
		machine_check();
	}
	current->fail_alloc = 4;
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	current->fail_alloc = 0;
	space_end(mm);
}
