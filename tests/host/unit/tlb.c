/*
 * tlb.c - the order in which memory goes away (mm/tlb.h), as the other harts see it.
 *
 *	clear the PTEs | window | flush every hart that uses the mm | window | free the frames
 *	                 ^ others may still reach the old page: it must still be there
 *
 * The host machine itself complains when a frame or table is freed that a hart can still reach, and
 * when a stale translation is used: most tests only have to provoke it.
 */
#include "mm/tlb.h"

#include "kernel/task.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

static struct mm *mm;
static unsigned long addr;

/* All harts live in a new mm with one area of @pages pages, and have its first page in the TLB. */
static void all_harts_map(unsigned pages)
{
	mm = space_new();
	addr = map_anon(mm, pages, RW);
	for (unsigned hart = 4; hart-- > 0;) {
		live_in(hart, mm);
		CHECK_EQ(user_put(addr, 7), FAULT_OK);
	}
}

TEST(no_hart_reaches_what_was_unmapped)
{
	all_harts_map(2);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	for (unsigned hart = 0; hart < 4; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_byte(addr), -FAULT_SEGV_MAPERR);
	}
	space_end(mm);
}

static unsigned windows, late_reads;

/* In each window hart 1 looks through whatever its TLB still holds; touches no lock. */
static void hart_1_looks(bool locked __maybe_unused)
{
	phys_addr_t pa;

	windows++;
	if (mmu_access(1, addr, FAULT_READ, &pa) == MMU_OK) {
		CHECK_EQ(*(u8 *)phys_to_virt(pa), 7);
		late_reads++;
	}
}

TEST(until_the_flush_the_frame_is_there_and_after_it_nobody_comes)
{
	all_harts_map(2);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	machine_meanwhile = hart_1_looks;
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	machine_meanwhile = NULL;
	CHECK_EQ(windows, 3);
	CHECK_EQ(late_reads, 2); /* before the zap, before the flush; in the last window no more */
	space_end(mm);
}

TEST(more_pages_than_a_gather_holds_go_in_rounds)
{
	const unsigned pages = 2 * GATHER_MAX + 5;

	all_harts_map(pages);
	for (unsigned i = 0; i < pages; i++)
		CHECK_EQ(user_put(addr + i * PAGE_SIZE, 7), FAULT_OK);
	machine_meanwhile = hart_1_looks;
	CHECK_EQ(vm_munmap(mm, addr, pages * PAGE_SIZE), 0);
	machine_meanwhile = NULL;
	CHECK_EQ(windows, 1 + 3 * 2);
	CHECK_EQ(mm->rss_anon, 0);
	space_end(mm);
}

/* The walkers keep pointers to tables; a fence with an address does not reach those. */
TEST(tables_are_freed_after_everything_was_flushed)
{
	all_harts_map(1);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(mm->nr_ptes, 0);
	/* New tables in the frames of the old: nobody may walk by the old way. */
	CHECK_EQ(vm_mmap(mm, NULL, 1UL << 30, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), 1UL << 30);
	for (unsigned hart = 0; hart < 4; hart++) {
		machine_run_on(hart);
		CHECK_EQ(user_put(1UL << 30, 1), FAULT_OK);
		CHECK_EQ(user_byte(addr), -FAULT_SEGV_MAPERR);
	}
	space_end(mm);
}

TEST(the_zero_page_is_forgotten_too)
{
	mm = space_new();
	addr = map_anon(mm, 2, RO);
	for (unsigned hart = 2; hart-- > 0;) {
		live_in(hart, mm);
		CHECK_EQ(user_byte(addr), 0);
		CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	}
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	machine_run_on(1);
	CHECK_EQ(user_byte(addr), -FAULT_SEGV_MAPERR);
	space_end(mm);
}

TEST(a_gather_flushes_just_what_it_was_told)
{
	struct mmu_gather g;

	all_harts_map(4);
	gather_init(&g, mm);
	CHECK(g.start >= g.end);
	gather_note(&g, addr + 2 * PAGE_SIZE);
	CHECK_EQ(g.start, addr + 2 * PAGE_SIZE);
	CHECK_EQ(g.end, addr + 3 * PAGE_SIZE);
	gather_note(&g, addr + PAGE_SIZE);
	gather_note(&g, addr + 3 * PAGE_SIZE);
	CHECK_EQ(g.start, addr + PAGE_SIZE);
	CHECK_EQ(g.end, addr + 4 * PAGE_SIZE);
	CHECK(!g.tables);
	gather_finish(&g);
	CHECK(g.start >= g.end); /* ready for more */
	gather_finish(&g);
	space_end(mm);
}

/* ---- which harts ---- */

TEST(hart_mask_says_who_translates_through_the_tables)
{
	mm = space_new();
	CHECK_EQ(mm->hart_mask, BIT(0));
	live_in(2, mm);
	CHECK_EQ(mm->hart_mask, BIT(0) | BIT(2));
	CHECK(this_hart()->active_mm == mm);
	machine_use_mm(mm); /* already there */
	CHECK_EQ(mm->hart_mask, BIT(0) | BIT(2));
	machine_use_mm(NULL);
	CHECK_EQ(mm->hart_mask, BIT(0));
	CHECK(this_hart()->active_mm == NULL);
	space_end(mm);
}

TEST(from_one_space_to_another)
{
	struct mm *other = mm_alloc();
	unsigned long at;

	mm = space_new();
	addr = map_anon(mm, 1, RW);
	CHECK_EQ(vm_mmap(other, NULL, addr, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), addr);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	machine_use_mm(other);
	CHECK_EQ(mm->hart_mask, 0);
	CHECK_EQ(other->hart_mask, BIT(0));
	CHECK_EQ(user_byte(addr), 0);
	at = addr;
	machine_use_mm(mm);
	CHECK_EQ(user_byte(at), 1);
	space_end(mm);
	mm_put(other);
}

/* A hart that has left is not told; so it must forget when it comes back. */
TEST(who_was_away_sees_what_changed)
{
	all_harts_map(2);
	live_in(1, NULL);
	machine_run_on(0);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(vm_mmap(mm, NULL, addr, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), addr);
	CHECK_EQ(user_put(addr, 9), FAULT_OK);
	live_in(1, mm);
	CHECK_EQ(user_byte(addr), 9);
	space_end(mm);
}

TEST(an_mm_in_use_must_not_go)
{
	mm = space_new();
	CHECK_PANIC(mm_put(mm), "hart_mask");
	atomic_set(&mm->users, 1);
	space_end(mm);
}
