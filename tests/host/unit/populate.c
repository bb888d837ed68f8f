/*
 * populate.c - MAP_POPULATE's work (mm/access.c): every page is touched before the program does.
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
