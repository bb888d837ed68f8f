/*
 * sharedtail.c - what is stored past the end of a file never comes to the disk, even while somebody
 * makes the file longer, or tries to.
 *
 *	hart 0   write() past the end ... its buffer's fault sleeps ............ EFAULT, or not
 *	hart 1                            stores past the end, write-back
 */
#include "tests/host/unit/space.h"

static struct file *file, *source;
static struct address_space *as;
static struct mm *mm;
static unsigned long map, buffer;
static bool buffer_fails;

/* A file of 100 bytes, mapped; and a buffer whose first touch sleeps for another disk. */
static void start(void)
{
	file = host_file(FILE_DISK, 100);
	as = host_file_mapping(file);
	source = host_file(FILE_DISK, PAGE_SIZE);
	mm = space_new();
	map = vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED, 0);
	buffer = vm_mmap(mm, source, 0, PAGE_SIZE, RO, MAP_PRIVATE, 0);
	CHECK_EQ(user_put(map, 1), FAULT_OK);
}

static void finish(void)
{
	CHECK_EQ(filemap_write_all(as), 0);
	for (unsigned i = as->size; i < PAGE_SIZE; i++)
		CHECK_EQ(host_file_disk(file, 0)[i], 0);
	machine_check();
	space_end(mm);
	file_put(source);
	file_put(file);
}

static bool was_there;

/* Another hart stores past the end, and the flusher comes by. */
static void store_and_write_back(bool locked)
{
	struct mm *same = mm;

	if (locked || was_there || !as->growing)
		return;
	was_there = true;
	machine_run_on(1);
	machine_use_mm(same);
	CHECK_EQ(user_put(map + 3000, 66), FAULT_OK);
	CHECK_EQ(filemap_write_all(as), 0);
	machine_use_mm(NULL);
	machine_run_on(0);
}

static ssize_t write_slowly(size_t len, u64 pos)
{
	struct page *page = read_mapping_page(as, pos / PAGE_SIZE); /* the buffer's alone fails */
	ssize_t got;

	page_put(page);
	disk_fail_reads = buffer_fails ? 2 : 0;
	machine_meanwhile = store_and_write_back;
	got = filemap_write(as, (void *)buffer, len, pos);
	machine_meanwhile = NULL;
	CHECK(was_there);
	return got;
}

TEST(a_write_to_a_later_page_that_fails)
{
	start();
	buffer_fails = true;
	CHECK_EQ(write_slowly(10, 2 * PAGE_SIZE), -EFAULT);
	CHECK_EQ(as->size, 100);
	finish();
}

TEST(a_write_to_the_last_page_that_fails)
{
	start();
	buffer_fails = true;
	CHECK_EQ(write_slowly(10, 200), -EFAULT);
	CHECK_EQ(as->size, 100);
	finish();
}

TEST(a_write_to_the_last_page)
{
	start();
	CHECK_EQ(write_slowly(10, 200), 10);
	CHECK_EQ(as->size, 210);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[200], file_pattern(host_file_nr(source), 0));
	finish();
}
