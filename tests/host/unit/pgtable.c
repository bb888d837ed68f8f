/*
 * pgtable.c - a process' page table (mm/pgtable.c): made on demand, freed with its last area.
 *
 *	root      1 GiB each      level 1   2 MiB each      level 0   4 KiB each
 *	[....x....] ------------> [..x..x..] ------------>  [leaves]
 */
#include "arch/riscv/mmu.h"
#include "tests/host/unit/space.h"

#define MIB 0x100000UL
#define GIB 0x40000000UL

static struct mm *mm;

static void put(unsigned long addr, unsigned pages)
{
	CHECK_EQ(vm_mmap(mm, NULL, addr, pages * PAGE_SIZE, RW, ANON | MAP_FIXED, 0), addr);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	if (pages > 1)
		CHECK_EQ(user_put(addr + (pages - 1) * PAGE_SIZE, 1), FAULT_OK);
}

TEST(protections_as_bits)
{
	CHECK_EQ(prot_to_pte(PROT_NONE), PTE_PROTNONE);
	CHECK_EQ(prot_to_pte(PROT_READ), PTE_V | PTE_U | PTE_R);
	CHECK_EQ(prot_to_pte(PROT_WRITE), PTE_V | PTE_U | PTE_R | PTE_W); /* W alone is reserved */
	CHECK_EQ(prot_to_pte(RW), PTE_V | PTE_U | PTE_R | PTE_W);
	CHECK_EQ(prot_to_pte(PROT_EXEC), PTE_V | PTE_U | PTE_X);
	CHECK_EQ(prot_to_pte(RX), PTE_V | PTE_U | PTE_R | PTE_X);
	CHECK_EQ(prot_to_pte(PROT_WRITE | PROT_EXEC), PTE_V | PTE_U | PTE_LEAF);
	CHECK_EQ(prot_to_pte(RWX), PTE_V | PTE_U | PTE_LEAF);
}

TEST(what_is_not_there_is_not_found)
{
	mm = space_new();
	CHECK(pte_find(mm, GIB) == NULL);
	put(GIB, 1);
	CHECK(pte_find(mm, GIB) != NULL);
	CHECK(pte_find(mm, GIB + 2 * MIB) == NULL); /* the level 1 table is there, no level 0 */
	CHECK(pte_find(mm, 2 * GIB) == NULL);
	CHECK(pte_find(mm, GIB + PAGE_SIZE) == pte_find(mm, GIB) + 1);
	space_end(mm);
}

TEST(tables_are_pages_of_their_mm)
{
	struct page *table;

	mm = space_new();
	put(GIB, 1);
	table = virt_to_page(pte_find(mm, GIB));
	CHECK_EQ(table->type, PAGE_TABLE);
	CHECK(table->mapping == mm);
	CHECK(pte_lockptr(pte_find(mm, GIB)) == &table->ptl);
	CHECK(pte_alloc(mm, GIB) == pte_find(mm, GIB));
	CHECK_EQ(mm->nr_ptes, 2);
	space_end(mm);
}

TEST(each_root_has_the_kernels_half)
{
	for (unsigned i = 0; i < PT_ENTRIES; i++)
		kernel_root[i].val = i;
	mm = mm_alloc();
	for (unsigned i = 0; i < PT_ENTRIES; i++)
		CHECK_EQ(mm->pgd[i].val, i < KERNEL_ROOT_IX ? 0 : i);
	mm_put(mm);
}

/* ---- which tables go ---- */

TEST(the_last_area_takes_its_tables_along)
{
	mm = space_new();
	put(GIB, 1);
	put(GIB + 2 * MIB, 1);
	CHECK_EQ(mm->nr_ptes, 3);
	counters_start();
	CHECK_EQ(vm_munmap(mm, GIB, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(counted(VM_pgtable_free), 1);
	CHECK_EQ(vm_munmap(mm, GIB + 2 * MIB, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	space_end(mm);
}

/* A neighbour that shares the span keeps the table: on either side. */
TEST(a_neighbour_in_the_span_keeps_the_table)
{
	mm = space_new();
	put(GIB, 1);
	put(GIB + 8 * PAGE_SIZE, 1);
	put(GIB + 16 * PAGE_SIZE, 1);
	CHECK_EQ(vm_munmap(mm, GIB, PAGE_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, GIB + 16 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(user_byte(GIB + 8 * PAGE_SIZE), 1);
	CHECK_EQ(vm_munmap(mm, GIB + 8 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	space_end(mm);
}

/*
 *	level 0   |   2 MiB   |   2 MiB   |   2 MiB   |
 *	area         [........................]
 *	hole            [..............]           only the table in the middle goes
 */
TEST(a_hole_frees_the_tables_that_lie_wholly_in_it)
{
	mm = space_new();
	put(GIB + MIB, 1024);
	CHECK_EQ(user_put(GIB + 3 * MIB, 1), FAULT_OK);
	CHECK_EQ(mm->nr_ptes, 4);
	CHECK_EQ(vm_munmap(mm, GIB + MIB + PAGE_SIZE, 1022 * PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 3);
	CHECK(pte_find(mm, GIB + 3 * MIB) == NULL);
	CHECK_EQ(user_byte(GIB + MIB), 1);
	CHECK_EQ(user_byte(GIB + MIB + 1023 * PAGE_SIZE), 1);
	space_end(mm);
}

TEST(a_level_1_table_stays_for_a_neighbour_too)
{
	mm = space_new();
	put(GIB, 1);
	put(GIB + 512 * MIB, 1);
	put(2 * GIB, 1);
	CHECK_EQ(mm->nr_ptes, 5);
	CHECK_EQ(vm_munmap(mm, GIB, 512 * MIB), 0);
	CHECK_EQ(mm->nr_ptes, 4);
	CHECK_EQ(vm_munmap(mm, GIB + 512 * MIB, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(user_byte(2 * GIB), 1);
	space_end(mm);
}

TEST(the_top_of_the_user_half_goes_too)
{
	mm = space_new();
	put(TASK_SIZE - PAGE_SIZE, 1);
	put(TASK_SIZE - GIB, 1);
	CHECK_EQ(vm_munmap(mm, TASK_SIZE - PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, TASK_SIZE - GIB, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	space_end(mm);
}

TEST(tables_without_pages_go_as_well)
{
	mm = space_new();
	CHECK_EQ(vm_mmap(mm, NULL, GIB, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), GIB);
	current->fail_alloc = 3; /* page, level 1, and the level 0 table is not to be had */
	CHECK_EQ(user_put(GIB, 1), FAULT_OOM);
	CHECK_EQ(mm->nr_ptes, 1);
	machine_check();
	CHECK_EQ(vm_munmap(mm, GIB, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	space_end(mm);
}

TEST(a_span_ends_where_the_range_does)
{
	CHECK_EQ(pt_addr_end(0, 100 * MIB, 1), 2 * MIB);
	CHECK_EQ(pt_addr_end(3 * MIB, 100 * MIB, 1), 4 * MIB);
	CHECK_EQ(pt_addr_end(3 * MIB, 3 * MIB + PAGE_SIZE, 1), 3 * MIB + PAGE_SIZE);
	CHECK_EQ(pt_addr_end(3 * MIB, 9 * GIB, 2), GIB);
}
