/*
 * sharedrace.c - an edit takes a writable PTE of a shared page away, and the flusher comes before
 * the other harts were told: what they store until then must come to the disk.
 *
 *	hart 0   PTE cleared, or W taken ......................... flush
 *	hart 2                           write-back: page clean
 *	hart 1                                       store (its TLB grants it still)
 */
#include "mm/rmap.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;
static struct mm *mm;
static unsigned long map;

static void start(void)
{
	file = host_file(FILE_DISK, 2 * PAGE_SIZE);
	as = host_file_mapping(file);
	mm = space_new();
	map = vm_mmap(mm, file, 0, 2 * PAGE_SIZE, RW, MAP_SHARED, 0);
	live_in(1, mm);
	CHECK_EQ(user_put(map, 1), FAULT_OK);
	machine_run_on(0);
}

static bool was_there, stored;
static unsigned windows; /* that go by before they come */

static void write_back_and_store(bool locked)
{
	u8 byte = 99;

	if (windows > 0) {
		windows--;
		return;
	}
	was_there = true;
	machine_run_on(2);
	if (!locked)
		CHECK_EQ(filemap_write_all(as), 0);
	machine_run_on(1);
	current->pagefault_disabled = 1;
	stored |= user_write(map + 5, &byte, 1) == FAULT_OK;
	current->pagefault_disabled = 0;
	machine_run_on(0);
}

/* If it could store, that is on the disk in the end. */
static void finish(void)
{
	machine_meanwhile = NULL;
	CHECK(was_there);
	CHECK_EQ(filemap_write_all(as), 0);
	if (stored)
		CHECK_EQ(host_file_disk(file, 0)[5], 99);
	space_end(mm);
	file_put(file);
}

TEST(munmap)
{
	start();
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_munmap(mm, map, PAGE_SIZE), 0);
	finish();
}

TEST(munmap_whose_ptes_are_gone)
{
	start();
	windows = 1;
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_munmap(mm, map, PAGE_SIZE), 0);
	finish();
}

TEST(mprotect)
{
	start();
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_mprotect(mm, map, PAGE_SIZE, RO), 0);
	finish();
}

TEST(munmap_of_its_table_too)
{
	start();
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_munmap(mm, map, 2 * PAGE_SIZE), 0);
	finish();
}

TEST(munmap_of_its_table_too_whose_ptes_are_gone)
{
	start();
	windows = 1;
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_munmap(mm, map, 2 * PAGE_SIZE), 0);
	finish();
}

TEST(an_area_put_over_it)
{
	start();
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_mmap(mm, NULL, map, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), map);
	finish();
}

TEST(an_area_put_over_it_whose_ptes_are_gone)
{
	start();
	windows = 1;
	machine_meanwhile = write_back_and_store;
	CHECK_EQ(vm_mmap(mm, NULL, map, PAGE_SIZE, RW, ANON | MAP_FIXED, 0), map);
	finish();
}
