/*
 * clear_refs.c - what was used is forgotten, and what is used afterwards is seen: mm/clear_refs.c,
 * on harts that set A themselves, and on those that trap (Svade).
 */
#include "tests/host/unit/space.h"

#include "mm/walk.h"

/* Pages of the area at @addr that were used since the last look. */
static unsigned long referenced(struct mm *mm, unsigned long addr)
{
	struct area_usage usage = {};

	vma_add_usage(vma_lookup(mm, addr), &usage);
	return usage.referenced;
}

static void used_again(bool svade)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 4, RW);

	mmu_options.svade = svade;
	for (int i = 0; i < 4; i++)
		user_put(addr + i * PAGE_SIZE, 'a' + i);
	CHECK_EQ(referenced(mm, addr), 4);
	mm_clear_refs(mm, REFS_ALL);
	CHECK_EQ(referenced(mm, addr), 0);
	CHECK(pte_at(mm, addr) & PTE_D);
	counters_start();
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 'b');
	CHECK_EQ(user_put(addr + 3 * PAGE_SIZE, 'x'), FAULT_OK);
	CHECK_EQ(counted(VM_fault_access_bits), svade ? 2 : 0);
	CHECK_EQ(counted(VM_pgfault), svade ? 2 : 0);
	CHECK_EQ(referenced(mm, addr), 2);
	CHECK_EQ(user_byte(addr), 'a');
	CHECK_EQ(referenced(mm, addr), 3);
	space_end(mm);
}

TEST(what_is_used_again_is_seen)
{
	used_again(false);
}

TEST(and_where_a_trap_sets_the_bit)
{
	used_again(true);
}

/* Else a page that a hart uses all the time looks idle for as long as it remembers where it is. */
TEST(every_hart_forgets_the_translation)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	user_put(addr, 7);
	for (unsigned hart = 0; hart < 2; hart++) {
		live_in(hart, mm);
		CHECK_EQ(user_byte(addr), 7);
	}
	for (unsigned hart = 0; hart < 2; hart++) {
		machine_run_on(1 - hart);
		mm_clear_refs(mm, REFS_ALL);
		CHECK_EQ(referenced(mm, addr), 0);
		machine_run_on(hart);
		CHECK_EQ(user_byte(addr), 7);
		CHECK_EQ(referenced(mm, addr), 1);
	}
	space_end(mm);
}

TEST(only_areas_of_the_kind_that_is_meant)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long anon = map_anon(mm, 2, RW), mapped = map_file(mm, file, 4, RW, 0);

	user_put(anon, 1);
	user_put(mapped, 1); /* a page of one's own, but in an area of a file */
	CHECK(user_byte(mapped + PAGE_SIZE) >= 0);
	mm_clear_refs(mm, REFS_FILE);
	CHECK_EQ(referenced(mm, anon), 1);
	CHECK_EQ(referenced(mm, mapped), 0);
	CHECK(user_byte(mapped + PAGE_SIZE) >= 0);
	mm_clear_refs(mm, REFS_ANON);
	CHECK_EQ(referenced(mm, anon), 0);
	CHECK_EQ(referenced(mm, mapped), 1);
	mm_clear_refs(mm, REFS_ALL);
	CHECK_EQ(referenced(mm, mapped), 0);
	space_end(mm);
	file_put(file);
}

/* read() leaves no A, but marks the page. */
TEST(the_mark_of_the_page_goes_too)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RO, 0);

	CHECK(user_byte(addr) >= 0);
	page_set_flags(page_at(mm, addr), PG_REFERENCED);
	mm_clear_refs(mm, REFS_ALL);
	CHECK(!(page_flags(page_at(mm, addr)) & PG_REFERENCED));
	CHECK_EQ(referenced(mm, addr), 0);
	page_set_flags(page_at(mm, addr), PG_REFERENCED);
	CHECK_EQ(referenced(mm, addr), 1);
	space_end(mm);
	file_put(file);
}

TEST(nobody_uses_the_zero_page)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 2, RW), pte;

	CHECK_EQ(user_byte(addr), 0);
	pte = pte_at(mm, addr);
	CHECK_EQ(referenced(mm, addr), 0);
	mm_clear_refs(mm, REFS_ALL);
	CHECK_EQ(pte_at(mm, addr), pte);
	space_end(mm);
}

TEST(hidden_pages_are_forgotten_as_well)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	user_put(addr, 5);
	CHECK_EQ(vm_mprotect(mm, addr, PAGE_SIZE, PROT_NONE), 0);
	mm_clear_refs(mm, REFS_ALL);
	CHECK_EQ(referenced(mm, addr), 0);
	CHECK_EQ(user_byte(addr), -FAULT_SEGV_ACCERR);
	CHECK_EQ(vm_mprotect(mm, addr, PAGE_SIZE, RW), 0);
	CHECK_EQ(user_byte(addr), 5);
	CHECK_EQ(referenced(mm, addr), 1);
	space_end(mm);
}

TEST(the_peak_begins_anew)
{
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 4, RW);

	for (int i = 0; i < 4; i++)
		user_put(addr + i * PAGE_SIZE, 1);
	CHECK_EQ(vm_munmap(mm, addr, 3 * PAGE_SIZE), 0);
	CHECK_EQ(mm->hiwater_rss, 4);
	mm_reset_peak(mm);
	CHECK_EQ(mm->hiwater_rss, 1);
	space_end(mm);
}
