/*
 * access.c - the kernel in an address space that may not be the current one (mm/access.c).
 *
 *	mm_copy_to(mm, uaddr, src, len):   page by page: fault in, find the frame, hold it, copy
 */
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/internal.h"
#include "tests/host/unit/space.h"

static struct mm *mm;
static unsigned long addr;

TEST(an_mm_that_runs_nowhere_can_be_filled_and_read)
{
	char in[3 * PAGE_SIZE], out[3 * PAGE_SIZE];

	mm = mm_alloc();
	addr = map_anon(mm, 4, RW);
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = i % 253;
	CHECK_EQ(mm_copy_to(mm, addr + 100, in, sizeof(in)), sizeof(in));
	CHECK_EQ(mm_copy_from(mm, out, addr + 100, sizeof(out)), sizeof(out));
	CHECK_EQ(memcmp(in, out, sizeof(in)), 0);
	CHECK_EQ(mm->rss_anon, 4);
	machine_use_mm(mm);
	CHECK_EQ(user_byte(addr + 100), in[0]);
	CHECK_EQ(user_byte(addr + 99), 0);
	space_end(mm);
}

TEST(a_copy_ends_at_the_first_page_that_cannot_be_had)
{
	char buf[3 * PAGE_SIZE] = { 1 };

	mm = mm_alloc();
	addr = map_anon(mm, 3, RW);
	CHECK_EQ(vm_munmap(mm, addr + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(mm_copy_to(mm, addr + 10, buf, sizeof(buf)), 2 * PAGE_SIZE - 10);
	CHECK_EQ(mm_copy_from(mm, buf, addr + 10, sizeof(buf)), 2 * PAGE_SIZE - 10);
	CHECK_EQ(mm_copy_from(mm, buf, 0, 1), 0);
	CHECK_EQ(mm_copy_to(mm, addr, buf, 0), 0);
	CHECK_EQ(vm_mprotect(mm, addr, PAGE_SIZE, RO), 0);
	CHECK_EQ(mm_copy_to(mm, addr, buf, 1), 0); /* the area's rights hold for the kernel too */
	mm_put(mm);
}

TEST(the_end_of_the_user_half_is_an_end)
{
	char buf[2 * PAGE_SIZE];

	mm = mm_alloc();
	CHECK_EQ(vm_mmap(mm, NULL, TASK_SIZE - PAGE_SIZE, PAGE_SIZE, RW, ANON | MAP_FIXED, 0),
		 TASK_SIZE - PAGE_SIZE);
	CHECK_EQ(mm_copy_from(mm, buf, TASK_SIZE - PAGE_SIZE, sizeof(buf)), PAGE_SIZE);
	CHECK_EQ(mm_copy_from(mm, buf, TASK_SIZE, 1), 0);
	CHECK_EQ(mm_copy_from(mm, buf, ~0UL, 1), 0);
	mm_put(mm);
}

TEST(a_write_does_not_reach_relatives)
{
	struct mm *child;
	char byte = 1;

	mm = space_new();
	addr = map_anon(mm, 1, RW);
	CHECK_EQ(user_put(addr, 7), FAULT_OK);
	child = mm_fork(mm);
	CHECK_EQ(mm_copy_to(child, addr, &byte, 1), 1);
	CHECK_EQ(user_byte(addr), 7);
	CHECK_EQ(mm_copy_from(child, &byte, addr, 1), 1);
	CHECK_EQ(byte, 1);
	mm_put(child);
	space_end(mm);
}

TEST(a_page_comes_with_a_reference_or_the_reason)
{
	enum fault_result res;
	struct page *page;

	mm = space_new();
	addr = map_anon(mm, 2, RW);
	page = get_user_page(mm, addr + 5, FAULT_WRITE, &res);
	CHECK_EQ(res, FAULT_OK);
	CHECK(page == page_at(mm, addr));
	CHECK_EQ(atomic_read(&page->refcount), 2);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(atomic_read(&page->refcount), 1); /* it outlives its mapping */
	page_put(page);
	CHECK(get_user_page(mm, addr, FAULT_READ, &res) == NULL);
	CHECK_EQ(res, FAULT_SEGV_MAPERR);
	page = get_user_page(mm, addr + PAGE_SIZE, FAULT_READ, &res);
	CHECK(page == zero_page);
	page_put(page);
	space_end(mm);
}

/* The page goes between the fault and the look at its PTE: once more. */
static void another_discards(bool locked)
{
	static unsigned turn;

	if (locked || ++turn > 12)
		return;
	machine_run_on(1);
	current->mm = mm;
	/* Each time there is a page, for a while. */
	if (page_at(mm, addr)) {
		CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
		CHECK_EQ(vm_mmap(mm, NULL, addr, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), addr);
	}
	current->mm = NULL;
}

TEST(a_page_that_went_meanwhile_is_faulted_in_again)
{
	enum fault_result res;
	struct page *page;

	mm = space_new();
	addr = map_anon(mm, 1, RW);
	machine_meanwhile = another_discards;
	page = get_user_page(mm, addr, FAULT_WRITE, &res);
	machine_meanwhile = NULL;
	CHECK_EQ(res, FAULT_OK);
	CHECK(page == page_at(mm, addr));
	page_put(page);
	space_end(mm);
}

/* ---- populate ---- */

TEST(populate_touches_by_the_strongest_right)
{
	static const struct {
		u32 prot;
		enum vmstat_event event;
	} row[] = {
		{ RW, VM_fault_demand_zero },
		{ PROT_WRITE, VM_fault_demand_zero },
		{ RO, VM_fault_zero_page },
		{ PROT_EXEC, VM_fault_zero_page },
	};

	mm = space_new();
	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		addr = map_anon(mm, 3, row[i].prot);
		counters_start();
		mm_populate(mm, addr, addr + 3 * PAGE_SIZE);
		CHECK_EQ(counted(row[i].event), 3);
		CHECK_EQ(counted(VM_pgfault), 3);
	}
	addr = map_anon(mm, 3, PROT_NONE);
	counters_start();
	mm_populate(mm, addr, addr + 3 * PAGE_SIZE);
	mm_populate(mm, 0, PAGE_SIZE); /* no area */
	CHECK_EQ(counted(VM_pgfault), 0);
	space_end(mm);
}

TEST(populate_stops_at_the_first_failure_and_when_killed)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	CHECK_EQ(vm_munmap(mm, addr + PAGE_SIZE, PAGE_SIZE), 0);
	mm_populate(mm, addr, addr + 4 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 1);
	current->killed = true;
	mm_populate(mm, addr + 2 * PAGE_SIZE, addr + 4 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 1);
	current->killed = false;
	mm_populate(mm, addr + 2 * PAGE_SIZE, addr + 4 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 3);
	space_end(mm);
}
