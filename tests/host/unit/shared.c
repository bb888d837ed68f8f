/*
 * shared.c - shared mappings: one frame for all, noticed writes, write-back and its flushes.
 */
#include "tests/host/test.h"

#include "fs/mapping.h"
#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/rmap.h"

#define RW (PROT_READ | PROT_WRITE)

static struct file *file;
static struct address_space *as;
static struct mm *mm;

static void start(enum file_kind kind, u64 bytes)
{
	file = host_file(kind, bytes);
	as = host_file_mapping(file);
	mm = mm_alloc();
	machine_use_mm(mm);
}

static void finish(void)
{
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	file_put(file);
}

static unsigned long map(unsigned long pages, u32 prot)
{
	long addr = vm_mmap(mm, file, 0, pages * PAGE_SIZE, prot, MAP_SHARED, 0);

	CHECK(addr > 0);
	return addr;
}

/* Byte @addr, as a program reads it. */
static u8 peek(unsigned long addr)
{
	u8 byte;

	CHECK_EQ(user_read(addr, &byte, 1), FAULT_OK);
	return byte;
}

static void poke(unsigned long addr, u8 byte)
{
	CHECK_EQ(user_write(addr, &byte, 1), FAULT_OK);
}

/* Pages of the file that are dirty. */
static unsigned long nr_dirty(void)
{
	return filemap_nr_dirty();
}

TEST(two_mappings_and_read_see_each_other)
{
	unsigned long a, b;
	u8 byte;

	start(FILE_DISK, 2 * PAGE_SIZE);
	a = map(2, RW);
	b = map(2, RW);
	CHECK_EQ(peek(b + 5), file_pattern(host_file_nr(file), 5));
	poke(a + 5, 200);
	CHECK_EQ(peek(b + 5), 200);
	poke(b + 6, 201);
	CHECK_EQ(peek(a + 6), 201);
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), &byte, 1, 6), 1);
	CHECK_EQ(byte, 201);
	CHECK_EQ(filemap_write_kernel(as, "x", 1, 7), 1);
	CHECK_EQ(peek(a + 7), 'x');
	finish();
}

TEST(only_written_pages_are_dirty_and_go_to_the_disk)
{
	unsigned long a;

	start(FILE_DISK, 4 * PAGE_SIZE);
	a = map(4, RW);
	for (int i = 0; i < 4; i++)
		peek(a + i * PAGE_SIZE);
	CHECK_EQ(nr_dirty(), 0);
	poke(a + 2 * PAGE_SIZE, 77);
	CHECK_EQ(nr_dirty(), 1);
	poke(a + 2 * PAGE_SIZE + 9, 78);
	CHECK_EQ(nr_dirty(), 1);
	CHECK_EQ(vm_msync(mm, a, 4 * PAGE_SIZE, 4), 0);
	CHECK_EQ(nr_dirty(), 0);
	CHECK_EQ(host_file_disk(file, 2)[0], 77);
	CHECK_EQ(host_file_disk(file, 2)[9], 78);
	finish();
}

TEST(a_write_after_write_back_is_noticed_again)
{
	unsigned long a;

	start(FILE_DISK, PAGE_SIZE);
	a = map(1, RW);
	for (int i = 1; i < 5; i++) {
		poke(a, i);
		CHECK_EQ(nr_dirty(), 1);
		CHECK_EQ(filemap_write_all(as), 0);
		CHECK_EQ(nr_dirty(), 0);
		CHECK_EQ(host_file_disk(file, 0)[0], i);
	}
	finish();
}

TEST(write_back_takes_the_right_from_every_hart)
{
	unsigned long a, b;
	struct mm *other;

	start(FILE_DISK, PAGE_SIZE);
	a = map(1, RW);
	other = mm_alloc();
	b = vm_mmap(other, file, 0, PAGE_SIZE, RW, MAP_SHARED, 0);
	poke(a, 1);
	machine_run_on(1);
	machine_use_mm(other);
	poke(b, 2);
	machine_run_on(0);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 2);
	/* Hart 1 may have kept its translation only if it was not told. */
	machine_run_on(1);
	poke(b, 3);
	CHECK_EQ(nr_dirty(), 1);
	machine_use_mm(NULL);
	machine_run_on(0);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 3);
	mm_put(other);
	finish();
}

static unsigned long racing_addr;
static u8 racing_byte;

/* Another hart of the same mm goes on writing wherever the kernel gives way. */
static void write_meanwhile(bool locked)
{
	struct mm *same = mm;

	if (locked)
		return;
	machine_run_on(1);
	machine_use_mm(same);
	racing_byte++;
	user_write(racing_addr, &racing_byte, 1);
	machine_use_mm(NULL);
	machine_run_on(0);
}

TEST(what_is_written_during_a_write_back_is_written_after_it)
{
	start(FILE_DISK, PAGE_SIZE);
	racing_addr = map(1, RW);
	poke(racing_addr, 1);
	machine_meanwhile = write_meanwhile;
	for (int i = 0; i < 10; i++)
		filemap_write_all(as);
	machine_meanwhile = NULL;
	CHECK(racing_byte > 0);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], peek(racing_addr));
	finish();
}

TEST(past_the_end_is_sigbus_and_after_a_truncation_too)
{
	unsigned long a;
	u8 byte = 1;

	start(FILE_DISK, 2 * PAGE_SIZE);
	a = map(4, RW);
	CHECK_EQ(user_write(a + 2 * PAGE_SIZE, &byte, 1), FAULT_SIGBUS);
	poke(a + PAGE_SIZE, 9);
	filemap_truncate(as, 100);
	CHECK_EQ(user_write(a + PAGE_SIZE, &byte, 1), FAULT_SIGBUS);
	CHECK_EQ(user_read(a + PAGE_SIZE, &byte, 1), FAULT_SIGBUS);
	poke(a + 99, 9);
	filemap_truncate(as, 2 * PAGE_SIZE);
	poke(a + PAGE_SIZE, 9);
	finish();
}

TEST(bytes_past_the_end_never_become_the_files)
{
	unsigned long a;

	start(FILE_DISK, 100);
	a = map(1, RW);
	poke(a + 50, 5);
	poke(a + 150, 6);
	CHECK_EQ(peek(a + 150), 6);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[50], 5);
	CHECK_EQ(host_file_disk(file, 0)[150], 0);
	poke(a + 151, 7);
	filemap_truncate(as, 1000);
	CHECK_EQ(peek(a + 151), 0);
	poke(a + 1001, 8);
	CHECK_EQ(filemap_write_kernel(as, "x", 1, 1100), 1);
	CHECK_EQ(peek(a + 1001), 0);
	CHECK_EQ(peek(a + 1100), 'x');
	finish();
}

TEST(fork_shares_the_page_and_copies_nothing)
{
	struct mm *child;
	unsigned long a;

	start(FILE_TMPFS, PAGE_SIZE);
	a = vm_mmap(mm, NULL, 0, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, 0);
	poke(a, 1);
	child = mm_fork(mm);
	machine_use_mm(child);
	CHECK_EQ(peek(a), 1);
	poke(a, 2);
	poke(a + PAGE_SIZE, 3);
	machine_use_mm(mm);
	CHECK_EQ(peek(a), 2);
	CHECK_EQ(peek(a + PAGE_SIZE), 3);
	poke(a, 4);
	machine_use_mm(child);
	CHECK_EQ(peek(a), 4);
	machine_check();
	machine_use_mm(mm);
	mm_put(child);
	finish();
}

TEST(private_beside_shared)
{
	unsigned long s, p;

	start(FILE_DISK, PAGE_SIZE);
	s = map(1, RW);
	p = vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_PRIVATE, 0);
	peek(p);
	poke(s, 100);
	CHECK_EQ(peek(p), 100);
	poke(p, 101);
	CHECK_EQ(peek(s), 100);
	poke(s, 102);
	CHECK_EQ(peek(p), 101);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 102);
	finish();
}

TEST(a_descriptor_for_reading_gives_no_right_to_write)
{
	unsigned long a;
	u8 byte = 1;

	start(FILE_DISK, PAGE_SIZE);
	host_file_mode(file, true, false, true);
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED, 0), -EACCES);
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0), -EACCES);
	a = map(1, PROT_READ);
	CHECK_EQ(user_write(a, &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RW), -EACCES);
	CHECK_EQ(user_write(a, &byte, 1), FAULT_SEGV_ACCERR);
	host_file_mode(file, false, true, true);
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0), -EACCES);
	finish();
}

TEST(mprotect_takes_and_gives_the_right)
{
	unsigned long a;
	u8 byte = 1;

	start(FILE_DISK, PAGE_SIZE);
	a = map(1, PROT_READ);
	peek(a);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RW), 0);
	CHECK_EQ(nr_dirty(), 0);
	poke(a, 5);
	CHECK_EQ(nr_dirty(), 1);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RW | PROT_EXEC), 0);
	poke(a, 6);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, PROT_READ), 0);
	CHECK_EQ(user_write(a, &byte, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RW), 0);
	CHECK_EQ(nr_dirty(), 0);
	poke(a, 7);
	CHECK_EQ(nr_dirty(), 1);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 7);
	finish();
}

TEST(flags_and_their_errors)
{
	start(FILE_DISK, PAGE_SIZE);
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, 0),
		 -EOPNOTSUPP);
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, RW, 0, 0), -EINVAL);
	CHECK_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, 0),
		 -EINVAL);
	CHECK(vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED_VALIDATE, 0) > 0);
	CHECK_EQ(vm_mmap(mm, NULL, 0, 0, RW, MAP_SHARED | MAP_ANONYMOUS, 0), -EINVAL);
	finish();
}

TEST(no_file_pages_writable_mapping_can_be_sealed_off)
{
	unsigned long a;

	start(FILE_TMPFS, PAGE_SIZE);
	a = map(1, RW);
	CHECK(!mapping_seal(as, true));
	CHECK_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
	a = map(2, PROT_READ); /* may become writable */
	CHECK_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
	CHECK(!mapping_seal(as, true));
	CHECK_EQ(vm_munmap(mm, a + PAGE_SIZE, PAGE_SIZE), 0);
	CHECK(mapping_seal(as, true));
	CHECK_EQ(vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED, 0), -EPERM);
	a = map(1, PROT_READ);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RW), -EACCES);
	finish();
}

TEST(a_failed_write_is_told_by_msync)
{
	unsigned long a;

	start(FILE_DISK, PAGE_SIZE);
	a = map(1, RW);
	poke(a, 1);
	disk_fail_writes = 1;
	CHECK_EQ(vm_msync(mm, a, PAGE_SIZE, 4), -EIO);
	poke(a, 2);
	CHECK_EQ(vm_msync(mm, a, PAGE_SIZE, 4), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 2);
	finish();
}

TEST(every_allocation_of_a_first_write_may_fail)
{
	unsigned long a;
	u8 byte = 3;

	start(FILE_DISK, PAGE_SIZE);
	for (unsigned long n = 1;; n++) {
		enum fault_result res;

		a = map(1, RW);
		current->fail_alloc = n;
		res = user_write(a, &byte, 1);
		if (current->fail_alloc != 0) {
			current->fail_alloc = 0;
			CHECK_EQ(res, FAULT_OK);
			CHECK(n > 2);
			break;
		}
		CHECK(res == FAULT_OOM || res == FAULT_OK);
		machine_check();
		CHECK_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
		CHECK_EQ(filemap_write_all(as), 0);
		filemap_drop_clean(as, 0, ~0UL);
	}
	finish();
}
