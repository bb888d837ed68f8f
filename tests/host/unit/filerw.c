/*
 * filerw.c - read() and write() through the page cache (mm/filerw.c).
 *
 *	write   [page 0 ....xx][xx page 1 ...]     the page is read in, gets its place on the disk,
 *	                                           takes the bytes, the size grows, it is dirty
 *
 *	a user's buffer may be bad from some byte on: what was copied counts, the rest is undone
 */
#include "fs/mapping.h"
#include "lib/err.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;
static struct mm *mm;
static unsigned long buf; /* 4 pages of user memory; what follows is not mapped */

static void open_file(enum file_kind kind, u64 bytes)
{
	file = host_file(kind, bytes);
	as = host_file_mapping(file);
	mm = space_new();
	buf = map_anon(mm, 5, RW);
	CHECK_EQ(vm_munmap(mm, buf + 4 * PAGE_SIZE, PAGE_SIZE), 0);
}

static void close_file(void)
{
	space_end(mm);
	file_put(file);
}

static ssize_t read_at(u64 pos, unsigned long at, size_t len)
{
	return filemap_read(as, file_readahead(file), (void *)at, len, pos);
}

static ssize_t write_at(u64 pos, unsigned long at, size_t len)
{
	return filemap_write(as, (void *)at, len, pos);
}

/* Byte @pos as the cache has it, by the kernel's own way. */
static int byte_of(u64 pos)
{
	u8 byte;
	ssize_t n = filemap_read_kernel(as, file_readahead(file), &byte, 1, pos);

	return n == 1 ? byte : n < 0 ? (int)n : -1000;
}

/* ---- reading ---- */

TEST(a_read_crosses_pages_and_ends_with_the_file)
{
	open_file(FILE_DISK, 2 * PAGE_SIZE + 10);
	CHECK_EQ(read_at(PAGE_SIZE - 3, buf, 10), 10);
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQ(user_byte(buf + i), pattern_of(file, PAGE_SIZE - 3 + i));
	CHECK_EQ(read_at(2 * PAGE_SIZE, buf, 100), 10);
	CHECK_EQ(read_at(2 * PAGE_SIZE + 10, buf, 100), 0);
	CHECK_EQ(read_at(1UL << 50, buf, 100), 0);
	CHECK_EQ(read_at(0, buf, 0), 0);
	close_file();
}

TEST(a_bad_buffer_is_efault_or_a_short_count)
{
	open_file(FILE_DISK, 4 * PAGE_SIZE);
	CHECK_EQ(read_at(0, 0, 10), -EFAULT);
	CHECK_EQ(read_at(0, buf + 4 * PAGE_SIZE - 5, 10), 5);
	CHECK_EQ(read_at(0, buf + 4 * PAGE_SIZE, 10), -EFAULT);
	CHECK_EQ(read_at(0, PAGE_OFFSET, 10), -EFAULT);
	CHECK_EQ(write_at(0, 0, 10), -EFAULT);
	CHECK_EQ(write_at(0, buf + 4 * PAGE_SIZE - 5, 10), 5);
	close_file();
}

TEST(a_disk_that_fails_is_eio_or_a_short_count)
{
	open_file(FILE_DISK, 32 * PAGE_SIZE);
	CHECK_EQ(read_at(15 * PAGE_SIZE, buf, PAGE_SIZE), PAGE_SIZE);
	disk_fail_reads = 2;
	CHECK_EQ(read_at(16 * PAGE_SIZE, buf, 10), -EIO);
	disk_fail_reads = 2;
	CHECK_EQ(read_at(16 * PAGE_SIZE - 10, buf, 20), 10);
	disk_fail_reads = 2;
	CHECK_EQ(byte_of(16 * PAGE_SIZE), -EIO);
	disk_fail_reads = 2;
	CHECK_EQ(write_at(8 * PAGE_SIZE, buf, 10), -EIO);
	CHECK_EQ(filemap_nr_dirty(), 0);
	close_file();
}

/* The program reads a file into a mapping of that very page: the fault finds no lock taken. */
TEST(the_buffer_may_be_the_file_itself)
{
	unsigned long self;

	open_file(FILE_DISK, 2 * PAGE_SIZE);
	self = map_file(mm, file, 2, RW, 0);
	CHECK_EQ(read_at(PAGE_SIZE, self, 100), 100);
	CHECK_EQ(user_byte(self), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(write_at(10, self + PAGE_SIZE, 100), 100);
	CHECK_EQ(byte_of(10), pattern_of(file, PAGE_SIZE));
	close_file();
}

TEST(a_hole_of_tmpfs_reads_as_zeros_without_a_page)
{
	open_file(FILE_TMPFS, 3 * PAGE_SIZE);
	CHECK_EQ(user_put(buf, 1), FAULT_OK);
	CHECK_EQ(read_at(0, buf, 2 * PAGE_SIZE), 2 * PAGE_SIZE);
	CHECK_EQ(user_byte(buf), 0);
	CHECK_EQ(as->nr_pages, 0);
	CHECK_EQ(read_at(0, buf + 4 * PAGE_SIZE - 1, 10), 1);
	close_file();
}

/* ---- writing ---- */

TEST(a_write_keeps_the_rest_of_the_page)
{
	open_file(FILE_DISK, 2 * PAGE_SIZE);
	CHECK_EQ(user_write(buf, "hello", 5), FAULT_OK);
	CHECK_EQ(write_at(PAGE_SIZE - 2, buf, 5), 5);
	CHECK_EQ(byte_of(PAGE_SIZE - 3), pattern_of(file, PAGE_SIZE - 3));
	CHECK_EQ(byte_of(PAGE_SIZE - 2), 'h');
	CHECK_EQ(byte_of(PAGE_SIZE + 2), 'o');
	CHECK_EQ(byte_of(PAGE_SIZE + 3), pattern_of(file, PAGE_SIZE + 3));
	CHECK_EQ(as->size, 2 * PAGE_SIZE);
	CHECK_EQ(filemap_nr_dirty(), 2);
	close_file();
}

TEST(the_size_grows_with_what_was_written)
{
	open_file(FILE_DISK, 100);
	CHECK_EQ(write_at(90, buf, 20), 20);
	CHECK_EQ(as->size, 110);
	CHECK_EQ(write_at(3 * PAGE_SIZE, buf, 1), 1); /* a hole before it */
	CHECK_EQ(as->size, 3 * PAGE_SIZE + 1);
	CHECK_EQ(byte_of(2 * PAGE_SIZE), 0);
	CHECK_EQ(write_at(0, buf, 0), 0);
	CHECK_EQ(as->size, 3 * PAGE_SIZE + 1);
	close_file();
}

TEST(code_that_was_written_is_fenced_before_it_runs)
{
	unsigned long text;
	u64 insn;

	open_file(FILE_DISK, PAGE_SIZE);
	text = map_file(mm, file, 1, RX, 0);
	CHECK_EQ(user_fetch(text, &insn), FAULT_OK);
	CHECK(page_flags(page_at(mm, text)) & PG_ICACHE_CLEAN);
	CHECK_EQ(write_at(0, buf, 8), 8);
	CHECK(!(page_flags(page_at(mm, text)) & PG_ICACHE_CLEAN));
	close_file();
}

TEST(the_kernel_writes_and_reads_without_a_user)
{
	char text[3 * PAGE_SIZE], back[3 * PAGE_SIZE];

	open_file(FILE_TMPFS, 0);
	memset(text, 'k', sizeof(text));
	CHECK_EQ(filemap_write_kernel(as, text, sizeof(text), 100), sizeof(text));
	CHECK_EQ(as->size, 100 + sizeof(text));
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), back, sizeof(back), 100),
		 sizeof(back));
	CHECK_EQ(memcmp(text, back, sizeof(text)), 0);
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), back, sizeof(back), 200),
		 sizeof(back) - 100);
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), back, 1, as->size), 0);
	CHECK_EQ(byte_of(0), 0);
	close_file();
}

/* ---- places on the disk: a file system that gives them one by one ---- */

static struct address_space_ops fs_ops;
static int places_left, failures;
static unsigned last_from, last_to;
static bool whole_page;

static int fs_map_page(struct address_space *mapping __maybe_unused, struct page *page,
		       unsigned from, unsigned to)
{
	if (places_left-- == 0)
		return -ENOSPC;
	last_from = from;
	last_to = to;
	if (whole_page)
		page_set_flags(page, PG_MAPPED);
	return 0;
}

static void fs_write_failed(struct address_space *mapping __maybe_unused)
{
	failures++;
}

static void open_fs_file(u64 bytes, int places)
{
	open_file(FILE_DISK, bytes);
	fs_ops = *as->ops;
	fs_ops.map_page = fs_map_page;
	fs_ops.write_failed = fs_write_failed;
	as->ops = &fs_ops;
	places_left = places;
}

TEST(each_page_gets_its_place_before_it_takes_bytes)
{
	open_fs_file(4 * PAGE_SIZE, 2);
	CHECK_EQ(write_at(PAGE_SIZE + 10, buf, 20), 20);
	CHECK_EQ(last_from, 10);
	CHECK_EQ(last_to, 30);
	whole_page = true;
	CHECK_EQ(write_at(2 * PAGE_SIZE, buf, 1), 1);
	CHECK_EQ(write_at(2 * PAGE_SIZE + 5, buf, 1), 1); /* it has its place: not asked again */
	CHECK_EQ(places_left, 0);
	close_file();
}

TEST(a_full_disk_is_enospc_or_a_short_count)
{
	open_fs_file(4 * PAGE_SIZE, 1);
	CHECK_EQ(write_at(PAGE_SIZE - 10, buf, 30), 10);
	places_left = 0;
	CHECK_EQ(write_at(0, buf, 10), -ENOSPC);
	CHECK_EQ(byte_of(0), pattern_of(file, 0));
	/* A block may have been made all the same: what it holds is written. */
	CHECK_EQ(filemap_nr_dirty(), 2);
	close_file();
}

/* [pos, pos + n) could be copied in part: what was to lie past the end is zeros again. */
TEST(what_a_bad_buffer_left_past_the_end_is_undone)
{
	u8 *bytes;
	struct page *page;

	open_fs_file(100, 9);
	whole_page = true;
	CHECK_EQ(user_write(buf + 4 * PAGE_SIZE - 4, "abcd", 4), FAULT_OK);
	CHECK_EQ(write_at(98, buf + 4 * PAGE_SIZE - 4, 50), 4);
	CHECK_EQ(as->size, 102);
	CHECK_EQ(failures, 1);
	page = find_get_page(as, 0);
	bytes = page_address(page);
	CHECK_EQ(bytes[97], pattern_of(file, 97));
	CHECK_EQ(bytes[98], 'a');
	CHECK_EQ(bytes[101], 'd');
	for (unsigned i = 102; i < PAGE_SIZE; i++)
		CHECK_EQ(bytes[i], 0);
	CHECK(!(page_flags(page) & PG_MAPPED)); /* its blocks past the end may go again */
	page_put(page);
	CHECK_EQ(write_at(102, 0, 50), -EFAULT);
	CHECK_EQ(as->size, 102); /* nothing came: it does not grow */
	close_file();
}

/* Inside the file a failed copy must not make zeros of what was there. */
TEST(what_lies_inside_the_file_stays)
{
	open_file(FILE_DISK, PAGE_SIZE);
	CHECK_EQ(write_at(0, buf + 4 * PAGE_SIZE - 4, 50), 4);
	CHECK_EQ(byte_of(3), 0);
	CHECK_EQ(byte_of(4), pattern_of(file, 4));
	CHECK_EQ(as->size, PAGE_SIZE);
	close_file();
}

/* ---- fallocate ---- */

TEST(places_can_be_had_in_advance)
{
	open_fs_file(100, 3);
	CHECK_EQ(filemap_allocate(as, 50, 2 * PAGE_SIZE), 0);
	CHECK_EQ(places_left, 0);
	CHECK_EQ(as->size, 2 * PAGE_SIZE + 50);
	CHECK_EQ(byte_of(99), pattern_of(file, 99));
	CHECK_EQ(byte_of(100), 0);
	CHECK_EQ(filemap_nr_dirty(), 3);
	/* What was done before a failure stays. */
	places_left = 1;
	CHECK_EQ(filemap_allocate(as, 3 * PAGE_SIZE, 2 * PAGE_SIZE), -ENOSPC);
	CHECK_EQ(as->size, 4 * PAGE_SIZE);
	disk_fail_reads = 9;
	CHECK_EQ(filemap_allocate(as, 30 * PAGE_SIZE, 1), -EIO);
	disk_fail_reads = 0;
	CHECK_EQ(filemap_allocate(as, 0, 0), 0);
	close_file();
}

TEST(where_the_whole_page_has_its_place_nobody_is_asked)
{
	open_fs_file(PAGE_SIZE, 1);
	whole_page = true;
	CHECK_EQ(filemap_allocate(as, 0, 10), 0);
	CHECK_EQ(filemap_allocate(as, 0, PAGE_SIZE), 0);
	CHECK_EQ(places_left, 0);
	close_file();
}

TEST(writers_of_too_much_write_some_themselves)
{
	open_file(FILE_DISK, 0);
	dirty_background = 4;
	dirty_limit = 8;
	counters_start();
	for (unsigned i = 0; i < 40; i++) {
		CHECK_EQ(write_at(i * PAGE_SIZE, buf, PAGE_SIZE), PAGE_SIZE);
		CHECK(filemap_nr_dirty() + filemap_nr_writeback() <= 8);
	}
	CHECK(counted(VM_pgwriteback) >= 32);
	close_file();
}
