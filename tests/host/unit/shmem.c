/*
 * shmem.c - files that live in the page cache only (mm/shmem.c): tmpfs.
 *
 *	size  |. . . . . . . .|       .  a hole: reads as zeros, has no page
 *	pages  0   2 3                0  data
 *	seek   DATA from 1 -> 2       HOLE from 2 -> 4
 */
#include "fs/mapping.h"
#include "lib/err.h"
#include "lib/string.h"
#include "mm/shmem.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;

static void tmpfs_file(unsigned long pages)
{
	file = host_file(FILE_TMPFS, pages * PAGE_SIZE);
	as = host_file_mapping(file);
}

static int make(unsigned long index)
{
	struct page *page = read_mapping_page(as, index);

	if (IS_ERR(page))
		return PTR_ERR(page);
	page_put(page);
	return 0;
}

TEST(a_hole_becomes_a_page_of_zeros_and_nothing_else_does)
{
	struct page *page = alloc_page(GFP_KERNEL);

	/* The next page to be given out was full of something. */
	memset(page_address(page), 0xee, PAGE_SIZE);
	page_put(page);
	tmpfs_file(8);
	page = read_mapping_page(as, 3);
	for (unsigned i = 0; i < PAGE_SIZE; i++)
		CHECK_EQ(((u8 *)page_address(page))[i], 0);
	page_put(page);
	CHECK_EQ(as->nr_pages, 1); /* no cluster: the neighbours are holes */
	CHECK_EQ(shmem_nr_pages(), 1);
	file_put(file);
	CHECK_EQ(shmem_nr_pages(), 0);
}

TEST(what_was_written_stays_until_it_is_truncated)
{
	char text[8] = "";

	tmpfs_file(0);
	CHECK_EQ(filemap_write_kernel(as, "tmpfs", 6, 2 * PAGE_SIZE), 6);
	CHECK_EQ(shrink_page_cache(100), 0);
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), text, 6, 2 * PAGE_SIZE), 6);
	CHECK_STRING(text, "tmpfs");
	filemap_truncate(as, 2 * PAGE_SIZE + 2);
	filemap_truncate(as, 3 * PAGE_SIZE);
	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), text, 6, 2 * PAGE_SIZE), 6);
	CHECK_STRING(text, "tm");
	filemap_truncate(as, 0);
	CHECK_EQ(shmem_nr_pages(), 0);
	file_put(file);
}

TEST(data_and_holes_can_be_sought)
{
	tmpfs_file(8);
	CHECK_EQ(make(0) + make(2) + make(3), 0);
	CHECK_EQ(as->ops->seek(as, 0, true), 0);
	CHECK_EQ(as->ops->seek(as, 100, true), 100); /* in the middle of data */
	CHECK_EQ(as->ops->seek(as, PAGE_SIZE + 5, true), 2 * PAGE_SIZE);
	CHECK_EQ(as->ops->seek(as, 4 * PAGE_SIZE, true), 8 * PAGE_SIZE); /* none: the size */
	CHECK_EQ(as->ops->seek(as, 0, false), PAGE_SIZE);
	CHECK_EQ(as->ops->seek(as, PAGE_SIZE + 5, false), PAGE_SIZE + 5);
	CHECK_EQ(as->ops->seek(as, 2 * PAGE_SIZE + 5, false), 4 * PAGE_SIZE);
	CHECK_EQ(make(7), 0);
	CHECK_EQ(as->ops->seek(as, 7 * PAGE_SIZE + 5, false), 8 * PAGE_SIZE); /* the end is one */
	file_put(file);
}

BARE_TEST(half_of_the_memory_is_the_most)
{
	unsigned long n = 0;

	machine_boot(512, 1);
	tmpfs_file(512);
	CHECK_EQ(shmem_max_pages(), nr_managed_pages() / 2);
	while (make(n) == 0)
		n++;
	CHECK_EQ(n, shmem_max_pages());
	CHECK_EQ(make(n), -ENOSPC);
	CHECK_EQ(make(0), 0); /* what is there stays in reach */
	filemap_truncate(as, PAGE_SIZE);
	CHECK_EQ(make(n), 0);
	file_put(file);
	machine_check_rest();
}
