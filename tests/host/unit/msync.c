/*
 * msync.c - msync(2): which pages go to the disk, and each errno.
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"

#define MS_ASYNC      1
#define MS_INVALIDATE 2
#define MS_SYNC	      4

static struct file *file, *other;
static struct mm *mm;

static void map(struct file *of, unsigned first, unsigned last, u32 flags)
{
	CHECK_EQ(vm_mmap(mm, of, at(first), pages(last - first + 1), RW, flags | MAP_FIXED,
			 pages(first)),
		 at(first));
}

static void poke(unsigned column, u8 byte)
{
	CHECK_EQ(user_write(at(column), &byte, 1), FAULT_OK);
}

/* Columns 0 to 7 are the pages of a file, and the first byte of each has been written to. */
static void start(void)
{
	file = host_file(FILE_DISK, pages(8));
	other = host_file(FILE_DISK, pages(16));
	mm = mm_alloc();
	machine_use_mm(mm);
	map(file, 0, 7, MAP_SHARED);
	for (unsigned i = 0; i < 8; i++)
		poke(i, 100 + i);
	CHECK_EQ(filemap_nr_dirty(), 8);
}

static void finish(void)
{
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	CHECK_EQ(host_file_refs(file), 1);
	CHECK_EQ(host_file_refs(other), 1);
	file_put(file);
	file_put(other);
}

static long sync_range(unsigned long addr, unsigned long len, int flags)
{
	return user_syscall(sys_msync, addr, len, flags, 0, 0, 0);
}

/* Which of the eight pages are on the disk, a bit for each. */
static unsigned written(void)
{
	unsigned mask = 0;

	for (unsigned i = 0; i < 8; i++)
		mask |= (host_file_disk(file, i)[0] == 100 + i) << i;
	CHECK_EQ(filemap_nr_dirty(), 8 - __builtin_popcount(mask));
	return mask;
}

TEST(only_the_pages_of_the_range_are_written)
{
	start();
	CHECK_EQ(sync_range(at(2), pages(3), MS_SYNC), 0);
	CHECK_EQ(written(), 0x1c);
	CHECK_EQ(sync_range(at(6), 1, MS_SYNC | MS_INVALIDATE), 0);
	CHECK_EQ(written(), 0x5c);
	CHECK_EQ(sync_range(at(0), 0, MS_SYNC), 0);
	CHECK_EQ(written(), 0x5c);
	finish();
}

TEST(only_MS_SYNC_writes)
{
	start();
	CHECK_EQ(sync_range(at(0), pages(8), MS_ASYNC), 0);
	CHECK_EQ(sync_range(at(0), pages(8), MS_INVALIDATE), 0);
	CHECK_EQ(sync_range(at(0), pages(8), MS_ASYNC | MS_INVALIDATE), 0);
	CHECK_EQ(sync_range(at(0), pages(8), 0), 0);
	CHECK_EQ(written(), 0);
	finish();
}

TEST(wrong_arguments_write_nothing)
{
	start();
	CHECK_EQ(sync_range(at(0), pages(8), MS_ASYNC | MS_SYNC), -EINVAL);
	CHECK_EQ(sync_range(at(0), pages(8), MS_SYNC | 8), -EINVAL);
	CHECK_EQ(sync_range(at(0) + 1, pages(1), MS_SYNC), -EINVAL);
	CHECK_EQ(sync_range(at(0), ~0UL, MS_SYNC), -ENOMEM);	  /* cannot be rounded up */
	CHECK_EQ(sync_range(at(0), -pages(2), MS_SYNC), -ENOMEM); /* ends below its start */
	CHECK_EQ(written(), 0);
	finish();
}

TEST(with_holes_the_rest_is_written_and_then_ENOMEM)
{
	start();
	CHECK_EQ(vm_munmap(mm, at(1), pages(1)), 0);
	CHECK_EQ(vm_munmap(mm, at(6), pages(2)), 0);
	CHECK_EQ(sync_range(at(0), pages(4), MS_SYNC), -ENOMEM);
	CHECK_EQ(written(), 0x0d);
	CHECK_EQ(sync_range(at(1), pages(4), MS_SYNC), -ENOMEM); /* begins in one */
	CHECK_EQ(written(), 0x1d);
	CHECK_EQ(sync_range(at(5), pages(3), MS_SYNC), -ENOMEM); /* ends in one */
	CHECK_EQ(written(), 0x3d);
	CHECK_EQ(sync_range(at(6), pages(1), MS_SYNC), -ENOMEM);
	CHECK_EQ(sync_range(at(0), pages(2), MS_ASYNC), -ENOMEM);
	CHECK_EQ(written(), 0x3d);
	finish();
}

TEST(private_memory_has_no_file_to_go_to)
{
	start();
	map(file, 1, 1, MAP_PRIVATE);
	CHECK_EQ(map_anon(mm, at(2), 1, RW, MAP_FIXED), at(2));
	poke(1, 50);
	poke(2, 51);
	CHECK_EQ(sync_range(at(1), pages(2), MS_SYNC), 0);
	CHECK_EQ(written(), 0);
	CHECK_EQ(sync_range(at(0), pages(4), MS_SYNC), 0);
	CHECK_EQ(written(), 0x09);
	finish();
}

TEST(each_file_of_the_range_is_written)
{
	start();
	map(other, 8, 9, MAP_SHARED);
	poke(8, 7);
	poke(9, 8);
	CHECK_EQ(sync_range(at(7), pages(2), MS_SYNC), 0);
	CHECK_EQ(host_file_disk(file, 7)[0], 107);
	CHECK_EQ(host_file_disk(other, 8)[0], 7);
	CHECK(host_file_disk(other, 9)[0] != 8);
	CHECK_EQ(filemap_nr_dirty(), 8);
	finish();
}

TEST(a_failed_write_ends_it_and_is_more_than_a_hole)
{
	start();
	CHECK_EQ(vm_munmap(mm, at(0), pages(1)), 0);
	CHECK_EQ(vm_munmap(mm, at(2), pages(1)), 0);
	disk_fail_writes = 1;
	CHECK_EQ(sync_range(at(0), pages(8), MS_SYNC), -EIO);
	for (unsigned i = 0; i < 8; i++)
		CHECK(host_file_disk(file, i)[0] != 100 + i);
	finish();
}

static bool unmapped;

static void unmap_next(bool locked)
{
	if (locked || unmapped)
		return;
	unmapped = true;
	CHECK_EQ(vm_munmap(mm, at(0), pages(3)), 0);
	CHECK_EQ(vm_munmap(mm, at(4), pages(1)), 0);
}

/* No lock of the list is held while the disk writes. */
TEST(the_list_may_change_during_the_write)
{
	start();
	CHECK_EQ(vm_mprotect(mm, at(2), pages(1), PROT_READ), 0); /* a border */
	machine_meanwhile = unmap_next;
	CHECK_EQ(sync_range(at(0), pages(6), MS_SYNC), -ENOMEM);
	machine_meanwhile = NULL;
	CHECK(unmapped);
	CHECK_EQ(written(), 0x2b);
	finish();
}
