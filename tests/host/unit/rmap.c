/*
 * rmap.c - from a file's pages to all who map them (mm/rmap.c): truncation takes them away.
 *
 *	file        [0][1][2][3][4][5]...
 *	mm 1        [0  1  2  3]            truncated to 2 pages:  [0  1] stay, 2 and 3 are SIGBUS
 *	mm 1 again        [2  3  4]                                all gone
 *	mm 2           [1  2]                                      [1] stays
 */
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;

static void disk_file(unsigned long pages)
{
	file = host_file(FILE_DISK, pages * PAGE_SIZE);
	as = host_file_mapping(file);
}

static void read_all(unsigned long addr, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		CHECK(user_byte(addr + i * PAGE_SIZE) >= 0);
}

TEST(every_space_and_every_area_loses_what_was_cut_off)
{
	struct mm *first = space_new(), *second = mm_alloc();
	unsigned long low, high, other;

	disk_file(8);
	low = map_file(first, file, 4, RO, 0);
	high = map_file(first, file, 3, RO, 2);
	other = map_file(second, file, 2, RO, 1);
	read_all(low, 4);
	read_all(high, 3);
	live_in(1, second);
	read_all(other, 2);
	CHECK_EQ(first->rss_file, 7);
	machine_run_on(0);
	filemap_truncate(as, 2 * PAGE_SIZE);
	CHECK_EQ(first->rss_file, 2);
	CHECK_EQ(second->rss_file, 1);
	CHECK(pte_at(first, low) && pte_at(first, low + PAGE_SIZE) && pte_at(second, other));
	CHECK_EQ(user_byte(low + PAGE_SIZE), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(user_byte(low + 2 * PAGE_SIZE), -FAULT_SIGBUS);
	CHECK_EQ(user_byte(high), -FAULT_SIGBUS);
	machine_run_on(1);
	CHECK_EQ(user_byte(other), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(user_byte(other + PAGE_SIZE), -FAULT_SIGBUS); /* its TLB was told */
	space_end(second);
	space_end(first);
	file_put(file);
}

TEST(private_copies_past_the_end_go_too)
{
	struct mm *mm = space_new();
	unsigned long addr;

	disk_file(4);
	addr = map_file(mm, file, 4, RW, 0);
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(user_put(addr + 3 * PAGE_SIZE, 1), FAULT_OK);
	filemap_truncate(as, 2 * PAGE_SIZE);
	CHECK_EQ(mm->rss_anon, 1);
	CHECK_EQ(user_byte(addr), 1);
	CHECK_EQ(user_byte(addr + 3 * PAGE_SIZE), -FAULT_SIGBUS);
	space_end(mm);
	file_put(file);
}

/* Areas that were split, shrunk or moved say so under the mapping's lock. */
TEST(pieces_of_an_area_are_found)
{
	struct mm *mm = space_new();
	unsigned long addr;

	disk_file(16);
	addr = map_file(mm, file, 8, RO, 4);
	CHECK_EQ(vm_munmap(mm, addr + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(vm_mprotect(mm, addr + 5 * PAGE_SIZE, PAGE_SIZE, RX), 0);
	for (unsigned i = 0; i < 8; i++) {
		if (i != 2)
			CHECK_EQ(user_byte(addr + i * PAGE_SIZE),
				 pattern_of(file, (4 + i) * PAGE_SIZE));
	}
	filemap_truncate(as, 9 * PAGE_SIZE); /* pages 4 .. 8 stay */
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(pte_at(mm, addr + i * PAGE_SIZE) != 0, i != 2 && i < 5);
	filemap_truncate(as, 0);
	CHECK_EQ(mm->rss_file, 0);
	space_end(mm);
	file_put(file);
}

TEST(a_child_of_fork_is_found)
{
	struct mm *parent = space_new(), *child;
	unsigned long addr;

	disk_file(2);
	addr = map_file(parent, file, 2, RO, 0);
	child = mm_fork(parent);
	live_in(1, child);
	read_all(addr, 2);
	machine_run_on(0);
	filemap_truncate(as, PAGE_SIZE);
	CHECK_EQ(child->rss_file, 1);
	machine_run_on(1);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), -FAULT_SIGBUS);
	space_end(child);
	space_end(parent);
	file_put(file);
}

TEST(who_maps_the_file_is_on_its_list)
{
	struct mm *mm = space_new();
	unsigned long addr;

	disk_file(4);
	CHECK(list_empty(&as->areas));
	addr = map_file(mm, file, 4, RO, 0);
	CHECK(list_first_entry(&as->areas, struct vm_area, vm_mapping_link) ==
	      vma_lookup(mm, addr));
	CHECK_EQ(vm_munmap(mm, addr, 4 * PAGE_SIZE), 0);
	CHECK(list_empty(&as->areas));
	space_end(mm);
	file_put(file);
}
