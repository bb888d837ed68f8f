/*
 * populate.c - MAP_POPULATE's work (mm/populate.c): pages are touched before the program does.
 *
 *	by the strongest right of the area:   w -> write    r -> read    x -> fetch    none -> not
 *	a shared area that may be written is read: nothing is to become dirty
 */
#include "kernel/task.h"
#include "mm/internal.h"
#include "tests/host/unit/space.h"

static struct mm *mm;
static unsigned long addr;

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

TEST(pages_that_are_there_cost_no_fault)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	CHECK_EQ(user_put(addr + PAGE_SIZE, 7), FAULT_OK);
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), 0); /* the zero page: not writable */
	counters_start();
	mm_populate(mm, addr, addr + 4 * PAGE_SIZE);
	CHECK_EQ(counted(VM_pgfault), 3);
	CHECK_EQ(mm->rss_anon, 4);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 7);
	counters_start();
	mm_populate(mm, addr, addr + 4 * PAGE_SIZE);
	CHECK_EQ(counted(VM_pgfault), 0);
	space_end(mm);
}

/* A shared page is only read: writing to it would make it dirty. */
TEST(shared_pages_stay_clean)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);

	mm = space_new();
	addr = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_POPULATE, 0);
	CHECK_EQ(mm->rss_file, 4);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(mm_populate_for(mm, addr, addr + PAGE_SIZE, FAULT_WRITE), 0);
	CHECK_EQ(filemap_nr_dirty(), 1);
	space_end(mm);
	file_put(file);
}

TEST(a_failure_ends_an_area_and_not_the_rest)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_anon(mm, 8, RW);
	CHECK_EQ(vm_munmap(mm, addr + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(vm_mmap(mm, file, addr + 3 * PAGE_SIZE, 3 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED,
			 0),
		 addr + 3 * PAGE_SIZE);
	CHECK_EQ(vm_mprotect(mm, addr + 6 * PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	/* x . x f - - n x */
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + 8 * PAGE_SIZE), -EFAULT);
	CHECK_EQ(mm->rss_anon, 3);
	mm_populate(mm, addr, addr + 8 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 4);
	CHECK_EQ(mm_populate_or_fail(mm, addr + 6 * PAGE_SIZE, addr + 8 * PAGE_SIZE), -EFAULT);
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + 4 * PAGE_SIZE), 0);
	space_end(mm);
	file_put(file);
}

TEST(no_memory_is_told)
{
	mm = space_new();
	addr = map_anon(mm, 2, RW);
	current->fail_alloc = 2; /* a table, a table */
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + 2 * PAGE_SIZE), -ENOMEM);
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + 2 * PAGE_SIZE), 0);
	space_end(mm);
}

TEST(who_is_killed_goes_no_further)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	current->killed = true;
	mm_populate(mm, addr, addr + 4 * PAGE_SIZE);
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + 4 * PAGE_SIZE), -EINTR);
	CHECK_EQ(mm_populate_for(mm, addr, addr + 4 * PAGE_SIZE, FAULT_READ), -EINTR);
	CHECK_EQ(mm->rss_anon, 0);
	current->killed = false;
	mm_populate(mm, addr, addr + 4 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 4);
	space_end(mm);
}

static unsigned nr_downs;

/* The third time that mmap_lock is taken the fault does it, after the look at current->killed. */
static void kill_third(void)
{
	if (++nr_downs == 3)
		current->killed = true;
	else
		machine_down = kill_third;
}

TEST(a_fatal_signal_ends_the_wait_for_the_disk)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 1, RO, 0);
	machine_down = kill_third;
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + PAGE_SIZE), -EINTR);
	CHECK_EQ(mm->rss_file, 0);
	current->killed = false;
	CHECK(disk_complete());
	CHECK_EQ(mm_populate_or_fail(mm, addr, addr + PAGE_SIZE), 0);
	space_end(mm);
	file_put(file);
}

/* The search ends at the end of the range, though the area goes on behind it. */
TEST(a_range_that_ends_inside_an_area)
{
	mm = space_new();
	addr = map_anon(mm, 4, RW);
	mm_populate(mm, addr, addr + 2 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 2);
	mm_populate(mm, addr, addr);
	CHECK_EQ(mm->rss_anon, 2);
	space_end(mm);
}

TEST(of_a_shared_file_makes_nothing_dirty)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long a;

	a = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_POPULATE, 0);
	for (unsigned i = 0; i < 4; i++)
		CHECK(page_at(mm, a + i * PAGE_SIZE));
	CHECK_EQ(filemap_nr_dirty(), 0);
	a = vm_mmap(mm, file, 0, 4 * PAGE_SIZE, PROT_WRITE, MAP_SHARED | MAP_POPULATE, 0);
	CHECK(page_at(mm, a));
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_EQ(filemap_nr_dirty(), 1);
	space_end(mm);
	file_put(file);
}
