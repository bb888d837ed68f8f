/*
 * filemap.c - the page cache (mm/filemap.c): reading in, keeping, truncating.
 *
 *	not there --read--> locked, not up to date --end of I/O--> up to date
 *	                                           --failed-----> out again, -EIO
 *
 *	a miss reads the aligned cluster of 16 around it: [16 .. 31] for 20
 */
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;

static void disk_file(unsigned long pages)
{
	file = host_file(FILE_DISK, pages * PAGE_SIZE);
	as = host_file_mapping(file);
}

/* Brings page @index in; its first byte, or -errno. */
static int first_byte(unsigned long index)
{
	struct page *page = read_mapping_page(as, index);
	int byte;

	if (IS_ERR(page))
		return PTR_ERR(page);
	byte = *(u8 *)page_address(page);
	page_put(page);
	return byte;
}

static bool is_cached(unsigned long index)
{
	struct page *page = find_get_page(as, index);

	if (page)
		page_put(page);
	return page;
}

/* ---- reading in ---- */

TEST(a_miss_reads_the_cluster_around_it)
{
	disk_file(64);
	counters_start();
	CHECK_EQ(first_byte(20), pattern_of(file, 20 * PAGE_SIZE));
	CHECK_EQ(counted(VM_cache_miss), 1);
	CHECK_EQ(counted(VM_readahead_pages), 15);
	CHECK(is_cached(16) && is_cached(31) && !is_cached(15) && !is_cached(32));
	CHECK_EQ(as->nr_pages, 16);
	CHECK_EQ(filemap_nr_pages(), 16);
	CHECK_EQ(filemap_nr_buffers(), 16); /* no inode: a disk's own */
	CHECK_EQ(first_byte(31), pattern_of(file, 31 * PAGE_SIZE));
	CHECK_EQ(counted(VM_cache_hit), 1);
	CHECK_EQ(counted(VM_cache_miss), 1);
	file_put(file);
	CHECK_EQ(filemap_nr_pages(), 0);
}

TEST(a_cluster_ends_with_the_file)
{
	disk_file(5);
	CHECK_EQ(first_byte(0), pattern_of(file, 0));
	CHECK_EQ(as->nr_pages, 5);
	/* Whoever asks for more gets it, alone: metadata has no size. */
	CHECK_EQ(first_byte(8), 0);
	CHECK_EQ(as->nr_pages, 5 + 1 + 3); /* from the cluster's start on */
	file_put(file);
}

TEST(a_page_names_its_file_and_place)
{
	struct page *page;

	disk_file(3);
	page = read_mapping_page(as, 2);
	CHECK_EQ(page->type, PAGE_FILE);
	CHECK(page->mapping == as);
	CHECK_EQ(page->index, 2);
	CHECK_EQ(atomic_read(&page->refcount), 2); /* the tree's and ours */
	CHECK_EQ(page_flags(page) & (PG_LOCKED | PG_UPTODATE), PG_UPTODATE);
	page_put(page);
	file_put(file);
}

TEST(without_memory_for_neighbours_the_page_comes_alone)
{
	disk_file(64);
	current->fail_alloc = 1; /* page 16 */
	CHECK_EQ(first_byte(20), pattern_of(file, 20 * PAGE_SIZE));
	CHECK(!is_cached(16) && is_cached(17));
	current->fail_alloc = 1;
	CHECK_EQ(first_byte(32), -ENOMEM);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK_EQ(first_byte(32), pattern_of(file, 32 * PAGE_SIZE));
	file_put(file);
}

/* A node is needed under the lock, where nobody may reclaim: it is asked for once more outside. */
TEST(a_node_of_the_tree_that_could_not_be_had_is_asked_for_again)
{
	disk_file(1);
	current->fail_alloc = 2; /* the page is there, the node is not */
	CHECK_EQ(first_byte(0), pattern_of(file, 0));
	CHECK_EQ(current->fail_alloc, 0);
	file_put(file);
}

TEST(a_failed_read_is_told_and_tried_again_later)
{
	disk_file(4);
	disk_fail_reads = 2; /* the cluster, then the page alone */
	CHECK_EQ(first_byte(1), -EIO);
	CHECK(!is_cached(1));
	CHECK_EQ(first_byte(1), pattern_of(file, PAGE_SIZE));
	CHECK_EQ(first_byte(0), pattern_of(file, 0)); /* a victim of the same request */
	file_put(file);
}

TEST(who_was_killed_does_not_wait_unless_he_must)
{
	struct page *page;

	disk_file(1);
	current->killed = true;
	CHECK_EQ(first_byte(0), -EINTR);
	page = read_mapping_page_unkillable(as, 0);
	CHECK_EQ(*(u8 *)page_address(page), pattern_of(file, 0));
	page_put(page);
	current->killed = false;
	file_put(file);
}

ONCE_MEANWHILE(another_truncates)
{
	machine_run_on(1);
	filemap_truncate(as, 0);
	filemap_truncate(as, PAGE_SIZE);
}

TEST(a_page_that_was_truncated_while_it_was_read_is_read_anew)
{
	disk_file(1);
	machine_meanwhile = another_truncates;
	counters_start();
	CHECK(first_byte(0) >= 0);
	CHECK(another_truncates_happened);
	machine_meanwhile = NULL;
	CHECK_EQ(as->nr_pages, is_cached(0));
	file_put(file);
}

/* ---- pages by decree ---- */

TEST(a_page_can_be_made_without_reading)
{
	struct page *page, *again;

	disk_file(2);
	counters_start();
	page = make_mapping_page(as, 1);
	CHECK(page_flags(page) & PG_UPTODATE);
	CHECK_EQ(counted(VM_cache_miss), 0);
	again = make_mapping_page(as, 1); /* it is there already */
	CHECK(again == page);
	page_put(again);
	page_put(page);
	current->fail_alloc = 1;
	CHECK_EQ(PTR_ERR(make_mapping_page(as, 0)), -ENOMEM);
	file_put(file);
}

TEST(a_page_that_is_being_read_can_be_made_too)
{
	struct page *page;

	disk_file(1);
	current->killed = true;
	CHECK_EQ(first_byte(0), -EINTR); /* the read goes on */
	current->killed = false;
	page = make_mapping_page(as, 0);
	CHECK_EQ(page_flags(page) & (PG_UPTODATE | PG_LOCKED), PG_UPTODATE);
	page_put(page);
	file_put(file);
}

TEST(a_page_can_be_dropped_unwritten)
{
	struct page *page;

	disk_file(2);
	page = read_mapping_page(as, 0);
	filemap_set_dirty(as, page);
	drop_mapping_page(as, 0);
	drop_mapping_page(as, 5); /* there is none */
	CHECK(!is_cached(0) && is_cached(1));
	CHECK(page->mapping == NULL);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(atomic_read(&page->refcount), 1); /* ours */
	page_put(page);
	file_put(file);
}

TEST(looking_marks_a_page_as_used)
{
	struct page *page;

	disk_file(1);
	page = read_mapping_page(as, 0);
	page_clear_flags(page, PG_REFERENCED);
	page_put(page);
	CHECK(is_cached(0));
	CHECK(page_flags(page) & PG_REFERENCED);
	file_put(file);
}

TEST(many_are_looked_up_at_once)
{
	struct page *pages[16];
	unsigned n;

	disk_file(16);
	first_byte(0);
	drop_mapping_page(as, 3);
	page_clear_flags(find_get_page(as, 4), PG_UPTODATE);
	n = find_uptodate_pages(as, 2, 6, pages);
	CHECK_EQ(n, 4); /* 2 5 6 7 */
	CHECK_EQ(pages[0]->index, 2);
	CHECK_EQ(pages[1]->index, 5);
	CHECK_EQ(pages[3]->index, 7);
	for (unsigned i = 0; i < n; i++)
		page_put(pages[i]);
	pages[0] = find_get_page(as, 4);
	page_set_flags(pages[0], PG_UPTODATE);
	page_put(pages[0]);
	page_put(pages[0]);
	file_put(file);
}

/* ---- truncation ---- */

TEST(truncation_drops_what_lies_past_the_end_and_zeroes_the_tail)
{
	disk_file(4);
	first_byte(0);
	filemap_truncate(as, PAGE_SIZE + 100);
	CHECK_EQ(as->size, PAGE_SIZE + 100);
	CHECK_EQ(as->nr_pages, 2);
	/* Growing again shows zeros, and so does the disk after a write-back. */
	filemap_truncate(as, 3 * PAGE_SIZE);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 1)[99], pattern_of(file, PAGE_SIZE + 99));
	CHECK_EQ(host_file_disk(file, 1)[100], 0);
	CHECK_EQ(host_file_disk(file, 1)[4095], 0);
	file_put(file);
}

TEST(a_tail_that_is_not_cached_or_empty_is_left_alone)
{
	disk_file(4);
	filemap_truncate(as, PAGE_SIZE + 100);
	CHECK_EQ(as->nr_pages, 0);
	filemap_truncate(as, PAGE_SIZE);
	first_byte(0);
	filemap_truncate(as, PAGE_SIZE);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(as->nr_pages, 1);
	file_put(file);
}

TEST(growing_leaves_a_hole_and_drops_nothing)
{
	disk_file(2);
	first_byte(0);
	filemap_truncate(as, 100 * PAGE_SIZE);
	CHECK_EQ(as->size, 100 * PAGE_SIZE);
	CHECK_EQ(as->nr_pages, 2);
	file_put(file);
}

TEST(truncation_waits_for_the_disk_and_forgets_what_was_dirty)
{
	struct page *page;

	disk_file(40);
	for (unsigned i = 0; i < 40; i++) {
		page = read_mapping_page(as, i);
		filemap_set_dirty(as, page);
		page_put(page);
	}
	filemap_start_write(as, 5, 10);
	CHECK_EQ(filemap_nr_writeback(), 6);
	filemap_truncate(as, 0);
	CHECK_EQ(filemap_nr_writeback(), 0);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(as->nr_pages, 0);
	file_put(file);
}

TEST(clean_pages_can_be_dropped_the_others_stay)
{
	struct mm *mm = space_new();
	struct page *held, *dirty;

	disk_file(40);
	for (unsigned i = 0; i < 40; i++)
		CHECK(first_byte(i) >= 0);
	CHECK(user_byte(map_file(mm, file, 1, RO, 3)) >= 0);
	held = find_get_page(as, 4);
	dirty = find_get_page(as, 5);
	filemap_set_dirty(as, dirty);
	page_put(dirty);
	CHECK_EQ(filemap_drop_clean(as, 0, ~0UL), 37);
	CHECK(is_cached(3) && is_cached(4) && is_cached(5));
	CHECK_EQ(as->nr_pages, 3);
	page_put(held);
	space_end(mm);
	file_put(file);
}

static void destroy(void)
{
	mapping_destroy(as);
}

TEST(a_mapping_with_areas_must_not_go)
{
	struct mm *mm = space_new();

	disk_file(1);
	map_file(mm, file, 1, RO, 0);
	CHECK_PANIC(destroy(), "areas");
	space_end(mm);
	file_put(file);
}
