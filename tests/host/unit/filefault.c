/*
 * filefault.c - faults on files: the rows "PTE empty, file" of mm/fault.c, and fault-around.
 *
 *	file    [0][1][2]...[15][16]...       read in clusters of 16 pages
 *	area       [1][2]...                  mapped in windows of 16 pages of address space
 *
 *	first touch: major, waits for the disk, then starts over and maps what is cached around
 */
#include "lib/string.h"
#include "tests/host/unit/space.h"

TEST(the_first_touch_reads_the_disk_and_maps_the_neighbours)
{
	struct file *file = host_file(FILE_DISK, 8 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 8, RO, 0);

	counters_start();
	CHECK_EQ(user_byte(addr + 3 * PAGE_SIZE + 9), pattern_of(file, 3 * PAGE_SIZE + 9));
	CHECK_EQ(counted(VM_pgfault), 1);
	CHECK_EQ(counted(VM_pgmajfault), 1);
	CHECK_EQ(counted(VM_fault_io_retry), 1);
	CHECK_EQ(counted(VM_fault_file_read), 1);
	CHECK_EQ(counted(VM_fault_file_around), 7);
	CHECK_EQ(mm->rss_file, 8);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(user_byte(addr + i * PAGE_SIZE), pattern_of(file, i * PAGE_SIZE));
	/* The neighbours' "not there" was in the TLB at most: no more than spurious faults. */
	CHECK_EQ(counted(VM_fault_file_read), 1);
	space_end(mm);
	file_put(file);
}

TEST(a_second_space_finds_the_pages_in_the_cache)
{
	struct file *file = host_file(FILE_DISK, 2 * PAGE_SIZE);
	struct mm *first = space_new(), *second;
	unsigned long addr = map_file(first, file, 2, RO, 0), other;
	struct page *page;

	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	page = page_at(first, addr);
	second = space_new();
	other = map_file(second, file, 1, RO, 0);
	counters_start();
	CHECK_EQ(user_byte(other), pattern_of(file, 0));
	CHECK_ONE_FAULT(VM_fault_file_read);
	CHECK_EQ(counted(VM_pgmajfault), 0);
	CHECK(page_at(second, other) == page);
	CHECK_EQ(atomic_read(&page->mapcount), 2);
	CHECK_EQ(atomic_read(&page->refcount), 3); /* the cache's, too */
	space_end(second);
	CHECK_EQ(atomic_read(&page->mapcount), 1);
	space_end(first);
	file_put(file);
}

TEST(file_pages_are_mapped_read_only_whatever_the_area_grants)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RW, 0);

	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(pte_at(mm, addr) & (PTE_V | PTE_R | PTE_W | PTE_X), PTE_V | PTE_R);
	CHECK(page_at(mm, addr)->type == PAGE_FILE);
	space_end(mm);
	file_put(file);
}

/*
 *	area   pages 3 .. 22 of the address space's grid of 16
 *	       [   3 ...... 15 | 16 ... 22 ]      a window never leaves the grid, nor the area
 */
TEST(the_window_is_cut_to_the_grid_and_to_the_area)
{
	struct file *file = host_file(FILE_DISK, 64 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long grid = map_file(mm, file, 40, RO, 0), start = grid + 3 * PAGE_SIZE;

	/* The whole file is cached before. */
	for (unsigned i = 0; i < 64; i++)
		page_put(read_mapping_page(host_file_mapping(file), i));
	CHECK_EQ(vm_munmap(mm, grid, 3 * PAGE_SIZE), 0);
	CHECK_EQ(vm_munmap(mm, grid + 23 * PAGE_SIZE, 17 * PAGE_SIZE), 0);
	counters_start();
	CHECK_EQ(user_byte(start + PAGE_SIZE), pattern_of(file, 4 * PAGE_SIZE));
	CHECK_EQ(counted(VM_fault_file_around), 12); /* 3 and 5 .. 15 */
	CHECK(pte_at(mm, start) && pte_at(mm, grid + 15 * PAGE_SIZE));
	CHECK_EQ(pte_at(mm, grid + 16 * PAGE_SIZE), 0);
	CHECK_EQ(user_byte(grid + 17 * PAGE_SIZE), pattern_of(file, 17 * PAGE_SIZE));
	CHECK_EQ(counted(VM_fault_file_around), 12 + 6);
	CHECK_EQ(pte_at(mm, start - PAGE_SIZE), 0);
	CHECK_EQ(pte_at(mm, grid + 23 * PAGE_SIZE), 0);
	CHECK_EQ(mm->rss_file, 20);
	CHECK_EQ(counted(VM_pgmajfault), 0);
	space_end(mm);
	file_put(file);
}

TEST(only_neighbours_that_are_up_to_date_come_along)
{
	struct file *file = host_file(FILE_DISK, 32 * PAGE_SIZE);
	struct address_space *as = host_file_mapping(file);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 16, RO, 0);

	page_put(read_mapping_page(as, 0)); /* all 16 */
	drop_mapping_page(as, 5);
	CHECK_EQ(user_put(addr, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(mm->rss_file, 15);
	CHECK_EQ(pte_at(mm, addr + 5 * PAGE_SIZE), 0);
	space_end(mm);
	file_put(file);
}

/* A copy of page 2 is there already: it stays, and the file's page 2 does not come over it. */
TEST(a_neighbour_that_was_written_to_stays)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RW, 0);

	CHECK_EQ(user_put(addr + 2 * PAGE_SIZE, 0xaa), FAULT_OK);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), 0xaa);
	CHECK_EQ(mm->rss_file, 3);
	CHECK_EQ(mm->rss_anon, 1);
	space_end(mm);
	file_put(file);
}

TEST(a_private_write_copies_at_once)
{
	struct file *file = host_file(FILE_DISK, 2 * PAGE_SIZE);
	struct address_space *as = host_file_mapping(file);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 2, RW, 0);
	struct page *cached;

	page_put(read_mapping_page(as, 0));
	counters_start();
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_file_cow);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(user_byte(addr + 1), 0xaa);
	CHECK_EQ(page_at(mm, addr)->type, PAGE_ANON);
	CHECK(vma_lookup(mm, addr)->vm_anon);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK_EQ(mm->rss_file, 0);
	cached = find_get_page(as, 0);
	CHECK_EQ(*((u8 *)page_address(cached) + 1), pattern_of(file, 1));
	CHECK_EQ(atomic_read(&cached->mapcount), 0);
	CHECK_EQ(atomic_read(&cached->refcount), 2); /* the cache's and ours */
	page_put(cached);
	space_end(mm);
	file_put(file);
}

TEST(past_the_end_of_the_file_is_sigbus)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE + 100);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RW, 0);

	counters_start();
	CHECK_EQ(user_byte(addr + 2 * PAGE_SIZE), -FAULT_SIGBUS);
	CHECK_ONE_FAULT(VM_fault_sigbus);
	CHECK_EQ(user_put(addr + 2 * PAGE_SIZE, 1), FAULT_SIGBUS);
	/* The rest of the last page is zeros. */
	CHECK_EQ(user_byte(addr + PAGE_SIZE + 99), pattern_of(file, PAGE_SIZE + 99));
	CHECK_EQ(user_byte(addr + PAGE_SIZE + 100), 0);
	space_end(mm);
	file_put(file);
}

TEST(a_file_that_grew_is_there)
{
	struct file *file = host_file(FILE_DISK, 0);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 2, RO, 0);

	CHECK_EQ(user_byte(addr), -FAULT_SIGBUS);
	filemap_truncate(host_file_mapping(file), 1);
	CHECK_EQ(user_byte(addr), 0);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), -FAULT_SIGBUS);
	space_end(mm);
	file_put(file);
}

TEST(a_hole_of_a_tmpfs_file_becomes_a_page_of_zeros)
{
	struct file *file = host_file(FILE_TMPFS, 3 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 3, RO, 0);

	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	CHECK_EQ(shmem_nr_pages(), 1);
	CHECK_EQ(mm->rss_file, 1);
	space_end(mm);
	file_put(file);
}

TEST(a_disk_that_fails_is_sigbus_and_is_asked_again)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RO, 0);

	counters_start();
	disk_fail_reads = 2; /* the cluster, then the page alone */
	CHECK_EQ(user_byte(addr), -FAULT_SIGBUS);
	CHECK_EQ(counted(VM_fault_sigbus), 1);
	CHECK_EQ(disk_fail_reads, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(counted(VM_fault_io_retry), 2);
	CHECK_EQ(counted(VM_fault_file_read), 1);
	space_end(mm);
	file_put(file);
}

TEST(a_bad_sector_elsewhere_in_the_cluster_is_nobodys_failure)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RO, 0);

	disk_fail_reads = 1; /* the request for all four pages fails; alone the page can be read */
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(disk_fail_reads, 0);
	space_end(mm);
	file_put(file);
}

TEST(who_is_killed_while_he_waits_for_the_disk_stops_waiting)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RO, 0);

	live_in(1, mm);
	counters_start();
	current->killed = true;
	CHECK_EQ(user_byte(addr), -FAULT_KILLED);
	/* None of the refusals: the process is told nothing more. */
	CHECK_EQ(counted(VM_fault_sigbus) + counted(VM_fault_oom), 0);
	CHECK_EQ(mm->rss_file, 0);
	current->killed = false;
	CHECK(disk_complete());
	space_end(mm);
	file_put(file);
}

/* In the cache is not enough: its read has not ended, and the frame holds anything. */
TEST(a_page_that_is_still_being_read_is_waited_for)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RW, 0);

	current->killed = true; /* starts the read, and does not wait for it */
	CHECK_EQ(user_byte(addr), -FAULT_KILLED);
	current->killed = false;
	CHECK_EQ(user_put(addr + 1, 0xaa), FAULT_OK);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	space_end(mm);
	file_put(file);
}

TEST(code_from_a_file_is_fenced_before_it_runs)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 4, RX, 0), data = map_file(mm, file, 4, RO, 0);
	u64 insn, expected;

	for (unsigned i = 0; i < 8; i++)
		((u8 *)&expected)[i] = pattern_of(file, i);
	CHECK_EQ(user_byte(data), pattern_of(file, 0));
	CHECK(!(page_flags(page_at(mm, data)) & PG_ICACHE_CLEAN));
	CHECK_EQ(user_fetch(addr, &insn), FAULT_OK);
	CHECK_EQ(insn, expected);
	CHECK(page_flags(page_at(mm, addr)) & PG_ICACHE_CLEAN);
	/* Fault-around made the neighbours executable as well. */
	CHECK(page_flags(page_at(mm, addr + 3 * PAGE_SIZE)) & PG_ICACHE_CLEAN);
	space_end(mm);
	file_put(file);
}

TEST(a_private_copy_of_code_is_fenced_as_well)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RWX, 0);

	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK(page_flags(page_at(mm, addr)) & PG_ICACHE_CLEAN);
	space_end(mm);
	file_put(file);
}

/* The frame of a dropped page of code is read into again: other hart, other instructions. */
TEST(code_that_was_dropped_and_read_again_is_fenced_again)
{
	struct file *old = host_file(FILE_DISK, PAGE_SIZE), *new = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, old, 1, RX, 0), other = map_file(mm, new, 1, RX, 0);
	struct page *page;
	u64 insn, first;

	CHECK_EQ(user_byte(addr), pattern_of(old, 0));
	CHECK_EQ(user_fetch(addr, &first), FAULT_OK);
	page = page_at(mm, addr);
	filemap_truncate(host_file_mapping(old), 0);
	CHECK_EQ(user_fetch(other, &insn), FAULT_OK);
	CHECK(page_at(mm, other) == page); /* else nothing was tested */
	CHECK(insn != first);
	space_end(mm);
	file_put(old);
	file_put(new);
}

TEST(without_memory_a_file_fault_fails_and_leaves_nothing)
{
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_file(mm, file, 1, RW, 0);

	page_put(read_mapping_page(host_file_mapping(file), 0));
	for (int nth = 1; nth <= 2; nth++) { /* the tables of a page that is in the cache */
		current->fail_alloc = nth;
		CHECK_EQ(user_byte(addr), -FAULT_OOM);
		machine_check();
	}
	for (int nth = 1; nth <= 3; nth++) { /* the copy's page and its tables */
		vm_munmap(mm, addr, PAGE_SIZE);
		addr = map_file(mm, file, 1, RW, 0);
		current->fail_alloc = nth;
		CHECK_EQ(user_put(addr, 1), FAULT_OOM);
		CHECK_EQ(mm->rss_anon, 0);
		machine_check();
	}
	current->fail_alloc = 0;
	filemap_truncate(host_file_mapping(file), 0);
	filemap_truncate(host_file_mapping(file), PAGE_SIZE);
	current->fail_alloc = 1; /* the cache's page */
	CHECK_EQ(user_byte(addr), -FAULT_OOM);
	current->fail_alloc = 0;
	space_end(mm);
	file_put(file);
}
