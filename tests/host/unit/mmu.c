/*
 * mmu.c - the simulated MMU itself (tests/host/mmu.c): it must complain, or it tests nothing.
 *
 *	here the test plays a kernel that forgets its fences: it edits PTEs by hand
 *
 *	PTE  a -> b, no sfence   the next use of a panics, and so does mmu_check()
 *	frame freed, no sfence   the free panics
 */
#include "arch/riscv/mmu.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

static struct mm *mm;
static unsigned long addr;
static phys_addr_t pa;
static u64 insn;

/* Hart 0 has a writable translation of addr, whose page holds 7. */
static pte_t *map_one(void)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	CHECK_EQ(user_put(addr, 7), FAULT_OK);
	return pte_find(mm, addr);
}

/* ---- stale translations ---- */

TEST(an_entry_that_went_may_not_be_used)
{
	pte_t *ptep = map_one(), old = pte_take(ptep);

	CHECK_PANIC(user_byte(addr), "use of 0x3fffffb000, which is not mapped any more");
	CHECK_PANIC(mmu_check(), "a translation is left");
	local_flush_tlb_page(addr);
	mmu_check();
	pte_set(ptep, old);
	space_end(mm);
}

TEST(nor_one_of_another_frame)
{
	pte_t *ptep = map_one(), old = pte_read(ptep);

	pte_set(ptep, pte_make(page_to_pfn(zero_page), old.val & 0x3ff));
	CHECK_PANIC(user_byte(addr), "is another frame now");
	pte_set(ptep, old);
	CHECK_EQ(user_byte(addr), 7);
	space_end(mm);
}

TEST(nor_one_with_rights_that_are_gone)
{
	pte_t *ptep = map_one();

	pte_clear_bits(ptep, PTE_W);
	CHECK_PANIC(user_byte(addr), "may not be used so any more");
	pte_set_bits(ptep, PTE_W);
	pte_clear_bits(ptep, PTE_D);
	CHECK_PANIC(user_byte(addr), "would be written to without D");
	pte_set_bits(ptep, PTE_D);
	space_end(mm);
}

TEST(nor_a_table_that_went)
{
	pte_t *ptep = map_one(),
	      *slot = phys_to_virt(PFN_PHYS(pte_pfn(mm->pgd[pt_index(addr, 2)])));
	static unsigned long other;
	pte_t old;

	other = addr + PAGE_SIZE;
	CHECK_EQ(user_put(other, 8), FAULT_OK);
	CHECK(ptep + 1 == pte_find(mm, other));
	local_flush_tlb_page(other); /* the leaf; the walker keeps the table */
	slot += pt_index(addr, 1);
	old = pte_take(slot);
	CHECK_PANIC(user_byte(other), "is not mapped any more");
	pte_set(slot, old);
	CHECK_EQ(user_byte(other), 8);
	space_end(mm);
}

TEST(reserved_bits_are_zero)
{
	pte_t *ptep = map_one(), old = pte_read(ptep);

	local_flush_tlb_page(addr);
	pte_set(ptep, (pte_t){ old.val | 1UL << 61 });
	CHECK_PANIC(user_byte(addr), "reserved bits");
	pte_set(ptep, old);
	space_end(mm);
}

TEST(one_that_grants_less_does_no_harm)
{
	pte_t *ptep = map_one();

	pte_clear_bits(ptep, PTE_W);
	local_flush_tlb_page(addr);
	CHECK_EQ(user_byte(addr), 7);
	pte_set_bits(ptep, PTE_W);
	mmu_check();
	/* It says no until it is fenced, though the tables say yes. */
	CHECK_EQ(mmu_access(0, addr, FAULT_WRITE, &pa), MMU_FAULT);
	local_flush_tlb_page(addr);
	CHECK_EQ(mmu_access(0, addr, FAULT_WRITE, &pa), MMU_OK);
	space_end(mm);
}

TEST(in_the_middle_of_an_edit_stale_is_allowed)
{
	pte_t *ptep = map_one(), old = pte_take(ptep);

	mmu_busy++;
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_OK);
	mmu_busy--;
	pte_set(ptep, old);
	space_end(mm);
}

/* ---- frames that are freed ---- */

BARE_TEST(a_frame_may_not_be_freed_under_a_translation)
{
	machine_boot(TEST_PAGES, 2);
	map_one();
	CHECK_PANIC(mmu_frames_freed(page_to_pfn(page_at(mm, addr)), 1), "still leads there");
	mmu_frames_freed(page_to_pfn(zero_page), 1);
	CHECK_PANIC(page_put(page_at(mm, addr)), "mapped page");
}

BARE_TEST(nor_a_table_that_a_walker_keeps)
{
	static pte_t *ptep;

	machine_boot(TEST_PAGES, 2);
	ptep = map_one();
	CHECK_PANIC(mmu_frames_freed(page_to_pfn(virt_to_page(ptep)), 1), "table");
	CHECK_PANIC(page_put(virt_to_page(ptep)), "still kept");
	local_flush_tlb_page(addr); /* an address: leaves only */
	CHECK_PANIC(mmu_frames_freed(page_to_pfn(virt_to_page(ptep)), 1), "still kept");
	local_flush_tlb_all();
	mmu_frames_freed(page_to_pfn(virt_to_page(ptep)), 1);
}

BARE_TEST(nor_a_root_that_satp_names)
{
	machine_boot(TEST_PAGES, 2);
	map_one();
	local_flush_tlb_all();
	CHECK_PANIC(pgd_free(mm->pgd), "its root table is freed");
}

/* ---- what a fence forgets ---- */

TEST(an_empty_entry_is_kept_until_it_is_fenced)
{
	map_one();
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_FAULT);
	pte_set(pte_find(mm, addr + PAGE_SIZE),
		pte_make(page_to_pfn(zero_page), PTE_V | PTE_U | PTE_R | PTE_A | PTE_SPECIAL));
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_FAULT);
	local_flush_tlb_page(addr); /* another address */
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_FAULT);
	local_flush_tlb_page(addr + PAGE_SIZE + 8);
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_OK);
	space_end(mm);
}

TEST(a_missing_table_is_kept_until_an_sfence_without_address)
{
	unsigned long far = 1UL << 30;
	pte_t *ptep;

	map_one();
	CHECK_EQ(vm_mmap(mm, NULL, far, PAGE_SIZE, RO, ANON | MAP_FIXED, 0), far);
	CHECK_EQ(mmu_access(0, far, FAULT_READ, &pa), MMU_FAULT);
	ptep = pte_alloc(mm, far);
	pte_set(ptep,
		pte_make(page_to_pfn(zero_page), PTE_V | PTE_U | PTE_R | PTE_A | PTE_SPECIAL));
	local_flush_tlb_page(far);
	mmu_sfence_range(0, far, far + PAGE_SIZE);
	CHECK_EQ(mmu_access(0, far, FAULT_READ, &pa), MMU_FAULT);
	local_flush_tlb_all();
	CHECK_EQ(mmu_access(0, far, FAULT_READ, &pa), MMU_OK);
	space_end(mm);
}

TEST(unless_the_hardware_does_not_keep_those)
{
	mmu_options.keeps_invalid = false;
	map_one();
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_FAULT);
	pte_set(pte_find(mm, addr + PAGE_SIZE),
		pte_make(page_to_pfn(zero_page), PTE_V | PTE_U | PTE_R | PTE_A | PTE_SPECIAL));
	CHECK_EQ(mmu_access(0, addr + PAGE_SIZE, FAULT_READ, &pa), MMU_OK);
	space_end(mm);
}

/* Each operand narrows what is forgotten: by address, by address space, and never global ones. */
TEST(an_sfence_forgets_what_its_operands_name)
{
	unsigned long other;
	unsigned asid = 5, mine = 0;
	pte_t *ptep = map_one(), old;

	other = addr + PAGE_SIZE;
	CHECK_EQ(user_put(other, 1), FAULT_OK);
	old = pte_take(ptep);
	mmu_sfence(0, &other, NULL);
	CHECK_PANIC(mmu_check(), "left");
	mmu_sfence(0, &addr, &asid);
	CHECK_PANIC(mmu_check(), "left");
	mmu_sfence(0, NULL, &asid);
	CHECK_PANIC(mmu_check(), "left");
	mmu_sfence(1, NULL, NULL); /* another hart */
	CHECK_PANIC(mmu_check(), "left");
	mmu_sfence(0, &addr, &mine);
	mmu_check();
	pte_set(ptep, old);
	space_end(mm);
}

TEST(a_global_entry_outlives_an_sfence_of_one_space)
{
	unsigned mine = 0;
	pte_t *ptep = map_one(), old;

	pte_set_bits(ptep, PTE_G);
	local_flush_tlb_all();
	CHECK_EQ(user_byte(addr), 7);
	old = pte_take(ptep);
	mmu_sfence(0, NULL, &mine);
	CHECK_PANIC(mmu_check(), "left");
	local_flush_tlb_all();
	mmu_check();
	pte_set(ptep, old);
	pte_clear_bits(ptep, PTE_G);
	space_end(mm);
}

TEST(asids_keep_spaces_apart)
{
	map_one();
	mmu_set_satp(0, virt_to_phys(mm->pgd), 3);
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_OK); /* walked anew */
	mmu_set_satp(0, virt_to_phys(mm->pgd), 0);
	CHECK_EQ(user_byte(addr), 7);
	local_flush_tlb_all();
	space_end(mm);
}

TEST(a_range_is_flushed_page_by_page)
{
	map_one();
	for (unsigned i = 1; i < 4; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 1), FAULT_OK);
	for (unsigned i = 0; i < 4; i++)
		pte_clear_bits(pte_find(mm, addr + i * PAGE_SIZE), PTE_W);
	mmu_sfence_range(0, addr, addr + 3 * PAGE_SIZE);
	CHECK_PANIC(mmu_check(), "left");
	mmu_sfence_range(0, addr + 3 * PAGE_SIZE, addr + 4 * PAGE_SIZE);
	mmu_check();
	space_end(mm);
}

TEST(kept_tables_are_walked_until_an_sfence_without_address)
{
	pte_t *ptep = map_one(), *slot, old;

	local_flush_tlb_page(addr);
	slot = &((pte_t *)phys_to_virt(
		PFN_PHYS(pte_pfn(mm->pgd[pt_index(addr, 2)]))))[pt_index(addr, 1)];
	old = pte_take(slot);
	/* The walk begins at the lowest table that was kept, and finds the leaf. */
	mmu_busy++;
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_OK);
	mmu_busy--;
	mmu_options.keeps_tables = false;
	local_flush_tlb_all();
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_FAULT);
	pte_set(slot, old);
	CHECK(pte_present(pte_read(ptep)));
	local_flush_tlb_all();
	space_end(mm);
}

/* ---- the walk ---- */

TEST(a_and_d_by_hardware_or_by_trap)
{
	pte_t *ptep = map_one();

	pte_clear_bits(ptep, PTE_A | PTE_D);
	local_flush_tlb_page(addr);
	mmu_options.svade = true;
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_FAULT);
	/* It may keep the entry without A, and trap until it is fenced. */
	pte_set_bits(ptep, PTE_A);
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_FAULT);
	local_flush_tlb_page(addr);
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_OK);
	pte_clear_bits(ptep, PTE_A);
	local_flush_tlb_page(addr);
	mmu_options.svade = false;
	CHECK_EQ(mmu_access(0, addr, FAULT_READ, &pa), MMU_OK);
	CHECK_EQ(pte_read(ptep).val & (PTE_A | PTE_D), PTE_A);
	mmu_options.svade = true;
	CHECK_EQ(mmu_access(0, addr, FAULT_WRITE, &pa), MMU_FAULT);
	mmu_options.svade = false;
	CHECK_EQ(mmu_access(0, addr, FAULT_WRITE, &pa), MMU_OK);
	CHECK_EQ(pte_read(ptep).val & (PTE_A | PTE_D), PTE_A | PTE_D);
	space_end(mm);
}

TEST(reserved_encodings_are_reported)
{
	pte_t *ptep = map_one(), old = pte_read(ptep), *root;

	local_flush_tlb_page(addr);
	pte_clear_bits(ptep, PTE_R);
	CHECK_PANIC(user_byte(addr), "W without R");
	pte_set(ptep, pte_make(1, PTE_V | PTE_R | PTE_U | PTE_A));
	CHECK_PANIC(user_byte(addr), "names no frame");
	pte_set(ptep, old);
	local_flush_tlb_all();
	root = &mm->pgd[pt_index(addr, 2)];
	pte_set_bits(root, PTE_A);
	CHECK_PANIC(user_byte(addr), "reserved bits in the pointer");
	pte_clear_bits(root, PTE_A);
	pte_set_bits(root, PTE_R);
	CHECK_PANIC(user_byte(addr), "a leaf at level 2");
	pte_clear_bits(root, PTE_R);
	CHECK_EQ(user_byte(addr), 7);
	space_end(mm);
}

TEST(the_upper_half_is_not_the_users)
{
	map_one();
	CHECK_EQ(mmu_access(0, PAGE_OFFSET, FAULT_READ, &pa), MMU_FAULT);
	CHECK_EQ(mmu_access(0, 1UL << 38, FAULT_READ, &pa), MMU_FAULT);
	CHECK_EQ(mmu_access(0, 1UL << 39 | addr, FAULT_READ, &pa), MMU_FAULT);
	CHECK_EQ(mmu_access(1, addr, FAULT_READ, &pa), MMU_FAULT); /* no satp */
	space_end(mm);
}

/* ---- instructions, and endless faults ---- */

TEST(instructions_are_kept_until_fence_i)
{
	mm = space_new();
	addr = map_anon(mm, 1, RWX);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(user_put(addr, 2), FAULT_OK);
	CHECK_PANIC(user_fetch(addr, &insn), "instructions that were there before");
	mmu_fence_i(1); /* another hart */
	CHECK_PANIC(user_fetch(addr, &insn), "instructions that were there before");
	mmu_fence_i(0);
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, 2);
	space_end(mm);
}

/* A handler that serves a fault but does not fence: the program never gets on. */
static void nothing_is_there(bool locked)
{
	if (!locked)
		(void)mmu_access(1, addr, FAULT_READ, &pa);
}

TEST(a_fault_without_an_end_is_reported)
{
	pte_t *ptep = map_one();

	/* D misses, and the handler sets it: by hand it is taken away each time. */
	mmu_options.svade = true;
	pte_clear_bits(ptep, PTE_R | PTE_W | PTE_U);
	local_flush_tlb_page(addr);
	machine_meanwhile = nothing_is_there;
	CHECK_PANIC(user_byte(addr), "faults for ever");
	machine_meanwhile = NULL;
	machine_run_on(0);
	mmu_busy = 0;
	pte_set_bits(ptep, PTE_R | PTE_W | PTE_U);
	space_end(mm);
}
