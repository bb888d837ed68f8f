/*
 * faultrace.c - somebody else is first: what each case of a fault looks at again under its lock.
 *
 *	hart 0   look up, prepare a page ... | window |  lock, look again: changed -> start over
 *	hart 1                               faults, unmaps, truncates ...
 *
 *	hart 0   drop mmap_lock, read ...    | sleep  |  start over from the area list
 */
#include "tests/host/unit/space.h"

static struct mm *mm;
static struct address_space *as;
static unsigned long addr;

ONCE_MEANWHILE(another_writes)
{
	live_in(1, mm);
	CHECK_EQ(user_put(addr, 0xbb), FAULT_OK);
}

ONCE_MEANWHILE(another_reads)
{
	live_in(1, mm);
	CHECK(user_byte(addr) >= 0);
}

ONCE_MEANWHILE(another_truncates)
{
	machine_run_on(1);
	filemap_truncate(as, 0);
}

ONCE_MEANWHILE(another_unmaps)
{
	live_in(1, mm);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
}

ONCE_MEANWHILE(another_protects)
{
	live_in(1, mm);
	CHECK_EQ(vm_mprotect(mm, addr, PAGE_SIZE, PROT_NONE), 0);
}

TEST(two_first_writes_make_one_page)
{
	mm = space_new();
	addr = map_anon(mm, 1, RW);
	counters_start();
	machine_meanwhile = another_writes;
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK(another_writes_happened);
	CHECK_EQ(user_byte(addr), 0xbb); /* hart 1's was not lost */
	CHECK_EQ(user_byte(addr + 1), 0xaa);
	CHECK_EQ(counted(VM_fault_demand_zero), 1);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK_EQ(mm->nr_ptes, 2);
	space_end(mm);
}

/* The second window is before the table of level 0 becomes known. */
static unsigned windows;

static void another_makes_the_table(bool locked)
{
	if (!locked && ++windows == 2)
		another_writes(false);
}

TEST(two_harts_make_one_table)
{
	mm = space_new();
	addr = map_anon(mm, 1, RW);
	counters_start();
	machine_meanwhile = another_makes_the_table;
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK(another_writes_happened);
	CHECK_EQ(user_byte(addr), 0xbb);
	CHECK_EQ(mm->nr_ptes, 2);
	CHECK_EQ(counted(VM_pgtable_alloc), 2);
	CHECK_EQ(counted(VM_fault_demand_zero), 1);
	space_end(mm);
}

TEST(a_first_read_meets_a_first_write)
{
	mm = space_new();
	addr = map_anon(mm, 1, RW);
	counters_start();
	machine_meanwhile = another_writes;
	CHECK_EQ(user_byte(addr), 0xbb);
	CHECK_EQ(counted(VM_fault_zero_page), 0);
	CHECK_EQ(counted(VM_fault_raced), 1);
	space_end(mm);
}

TEST(a_first_write_meets_a_first_read)
{
	mm = space_new();
	addr = map_anon(mm, 1, RW);
	counters_start();
	machine_meanwhile = another_reads;
	CHECK_EQ(user_put(addr, 0xaa), FAULT_OK);
	CHECK_EQ(user_byte(addr), 0xaa);
	/* Hart 1 had the zero page mapped; hart 0 replaced it, and hart 1 sees that. */
	CHECK_EQ(counted(VM_fault_zero_page), 1);
	CHECK_EQ(counted(VM_fault_demand_zero), 1);
	CHECK_EQ(counted(VM_fault_raced), 1);
	machine_meanwhile = NULL;
	machine_run_on(1);
	CHECK_EQ(user_byte(addr), 0xaa);
	CHECK_EQ(mm->rss_anon, 1);
	space_end(mm);
}

TEST(two_first_reads_of_a_file_map_it_once)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 4, RO, 0);
	page_put(read_mapping_page(host_file_mapping(file), 0));
	counters_start();
	machine_meanwhile = another_reads;
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(counted(VM_fault_file_read), 1);
	CHECK_EQ(counted(VM_fault_file_around), 3);
	CHECK_EQ(mm->rss_file, 4);
	space_end(mm);
	file_put(file);
}

TEST(two_first_writes_to_a_private_file_page_copy_once)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 1, RW, 0);
	page_put(read_mapping_page(host_file_mapping(file), 0));
	counters_start();
	machine_meanwhile = another_writes;
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK_EQ(user_byte(addr), 0xbb);
	CHECK_EQ(counted(VM_fault_file_cow), 1);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(mm->rss_anon, 1);
	space_end(mm);
	file_put(file);
}

/* The page left the file after the look-up: a mapping of it would outlive the truncation. */
TEST(a_page_that_left_its_file_is_not_mapped)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);

	mm = space_new();
	as = host_file_mapping(file);
	addr = map_file(mm, file, 4, RO, 0);
	page_put(read_mapping_page(as, 0));
	counters_start();
	machine_meanwhile = another_truncates;
	CHECK_EQ(user_byte(addr), -FAULT_SIGBUS);
	CHECK(another_truncates_happened);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(mm->rss_file, 0);
	space_end(mm);
	file_put(file);
}

TEST(nor_copied_for_a_private_write)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	as = host_file_mapping(file);
	addr = map_file(mm, file, 1, RW, 0);
	page_put(read_mapping_page(as, 0));
	counters_start();
	machine_meanwhile = another_truncates;
	CHECK_EQ(user_put(addr, 1), FAULT_SIGBUS);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(mm->rss_anon, 0);
	space_end(mm);
	file_put(file);
}

/* Between two tries nothing is held: the second may find quite another area. */
static void another_replaces(bool locked)
{
	static unsigned turn;

	if (locked || turn > 3 || rwsem_held(&mm->mmap_lock) != (turn < 3))
		return;
	live_in(1, mm);
	turn++;
	if (turn == 3) /* two windows were the tables' */
		filemap_truncate(as, 0);
	else if (turn == 4)
		CHECK_EQ(vm_mmap(mm, NULL, addr, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), addr);
}

TEST(the_second_try_forgets_the_first)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	as = host_file_mapping(file);
	addr = map_file(mm, file, 1, RW, 0);
	page_put(read_mapping_page(as, 0));
	counters_start();
	machine_meanwhile = another_replaces;
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(counted(VM_fault_raced), 1);
	CHECK_EQ(counted(VM_fault_demand_zero), 1);
	CHECK_EQ(user_byte(addr + 1), 0);
	space_end(mm);
	file_put(file);
}

/* ---- while the fault sleeps for the disk it holds nothing: the world may be another after ---- */

static void sleeping_fault(void (*meanwhile)(bool), enum fault_result expected)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);

	mm = space_new();
	as = host_file_mapping(file);
	addr = map_file(mm, file, 4, RO, 0);
	counters_start();
	machine_meanwhile = meanwhile;
	CHECK_EQ(user_byte(addr), -(int)expected);
	machine_meanwhile = NULL;
	CHECK_EQ(counted(VM_fault_io_retry), 1);
	CHECK_EQ(mm->rss_file, 0);
	CHECK_EQ(host_file_refs(file), 1 + mm->nr_areas);
	space_end(mm);
	file_put(file);
}

TEST(truncated_while_it_was_read)
{
	sleeping_fault(another_truncates, FAULT_SIGBUS);
	CHECK(another_truncates_happened);
}

TEST(unmapped_while_it_was_read)
{
	sleeping_fault(another_unmaps, FAULT_SEGV_MAPERR);
	CHECK(another_unmaps_happened);
}

TEST(protected_while_it_was_read)
{
	sleeping_fault(another_protects, FAULT_SEGV_ACCERR);
	CHECK(another_protects_happened);
}

/* The area's file is closed for good while the fault reads it: the fault has its own reference. */
static struct file *closed_file;

ONCE_MEANWHILE(another_closes)
{
	live_in(1, mm);
	CHECK_EQ(vm_munmap(mm, addr, PAGE_SIZE), 0);
	CHECK_EQ(host_file_refs(closed_file), 1);
}

TEST(unmapped_and_closed_while_it_was_read)
{
	closed_file = host_file(FILE_DISK, PAGE_SIZE);
	mm = space_new();
	addr = map_file(mm, closed_file, 1, RO, 0);
	file_put(closed_file);
	machine_meanwhile = another_closes;
	CHECK_EQ(user_byte(addr), -FAULT_SEGV_MAPERR);
	CHECK(another_closes_happened);
	space_end(mm);
}

TEST(two_harts_wait_for_one_page_and_both_get_it)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);

	mm = space_new();
	addr = map_file(mm, file, 1, RO, 0);
	counters_start();
	machine_meanwhile = another_reads;
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK(another_reads_happened);
	CHECK_EQ(mm->rss_file, 1);
	CHECK_EQ(counted(VM_cache_miss), 1);
	machine_run_on(1);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	space_end(mm);
	file_put(file);
}
