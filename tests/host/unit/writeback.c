/*
 * writeback.c - dirty pages on their way to the disk (mm/writeback.c).
 *
 *	clean --set_dirty--> dirty --start_write--> write-back --end--> clean
 *	                       ^                        |
 *	                       +--- written again ------+    dirty and write-back at once
 */
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

#define EITHER (PG_DIRTY | PG_WRITEBACK)

static struct file *file;
static struct address_space *as;

/* A disk that notes the runs that it was handed: "0-3 7". */
static struct address_space_ops noting_ops;
static char runs[256];
static void (*disk_write)(struct address_space *as, struct page **pages, unsigned nr);

static void note_run(struct address_space *mapping, struct page **pages, unsigned nr)
{
	size_t len = strlen(runs);

	for (unsigned i = 0; i < nr; i++) {
		CHECK_EQ(page_flags(pages[i]) & (PG_LOCKED | EITHER), PG_LOCKED | PG_WRITEBACK);
		CHECK_EQ(pages[i]->index, pages[0]->index + i);
	}
	snprintf(runs + len, sizeof(runs) - len, nr > 1 ? "%s%lu-%lu" : "%s%lu", len ? " " : "",
		 pages[0]->index, pages[nr - 1]->index);
	disk_write(mapping, pages, nr);
}

static void open_file(unsigned long pages)
{
	file = host_file(FILE_DISK, pages * PAGE_SIZE);
	as = host_file_mapping(file);
	noting_ops = *as->ops;
	disk_write = noting_ops.write_pages;
	noting_ops.write_pages = note_run;
	as->ops = &noting_ops;
	runs[0] = '\0';
}

/* Page @index gets the byte @byte, and is dirty. */
static struct page *dirty(unsigned long index, u8 byte)
{
	struct page *page = read_mapping_page(as, index);

	*(u8 *)page_address(page) = byte;
	filemap_set_dirty(as, page);
	page_put(page);
	return page;
}

static bool tagged(unsigned long index, enum radix_tag tag)
{
	return radix_tree_tag_get(&as->pages, index, tag);
}

TEST(a_dirty_page_comes_to_the_disk)
{
	struct page *page;

	open_file(4);
	page = dirty(2, 0xaa);
	CHECK_EQ(page_flags(page) & EITHER, PG_DIRTY);
	CHECK(tagged(2, RADIX_TAG_DIRTY) && filemap_is_dirty(as));
	CHECK_EQ(filemap_nr_dirty(), 1);
	dirty(2, 0xbb); /* no more than dirty */
	CHECK_EQ(filemap_nr_dirty(), 1);

	filemap_start_write(as, 0, ~0UL);
	CHECK_EQ(page_flags(page) & (EITHER | PG_LOCKED), PG_WRITEBACK);
	CHECK(!tagged(2, RADIX_TAG_DIRTY) && !tagged(2, RADIX_TAG_TOWRITE));
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK_EQ(filemap_nr_writeback(), 1);
	CHECK(host_file_disk(file, 2)[0] != 0xbb);

	filemap_wait_write(as, 0, ~0UL);
	CHECK_EQ(page_flags(page) & EITHER, 0);
	CHECK_EQ(host_file_disk(file, 2)[0], 0xbb);
	CHECK_EQ(filemap_nr_writeback(), 0);
	CHECK_STRING(runs, "2");
	file_put(file);
}

/* The interrupt that ends a write cannot take the lock: the tag stays until somebody waits. */
TEST(the_tag_of_a_write_goes_when_somebody_waits)
{
	open_file(4);
	dirty(1, 1);
	filemap_start_write(as, 0, ~0UL);
	CHECK(disk_complete());
	CHECK(tagged(1, RADIX_TAG_WRITEBACK));
	machine_check();
	filemap_wait_write(as, 0, ~0UL);
	CHECK(!tagged(1, RADIX_TAG_WRITEBACK));
	file_put(file);
}

TEST(a_page_written_to_while_it_is_written_is_written_again)
{
	struct page *page;

	open_file(1);
	dirty(0, 1);
	filemap_start_write(as, 0, ~0UL);
	page = dirty(0, 2);
	CHECK_EQ(page_flags(page) & EITHER, EITHER);
	CHECK_EQ(filemap_write_all(as), 0); /* waits for the first, then writes the second */
	CHECK_EQ(host_file_disk(file, 0)[0], 2);
	CHECK_STRING(runs, "0 0");
	CHECK_EQ(page_flags(page) & EITHER, 0);
	file_put(file);
}

TEST(neighbours_go_in_one_request)
{
	open_file(64);
	for (unsigned i = 0; i < 4; i++)
		dirty(i, 1);
	dirty(6, 1);
	for (unsigned i = 30; i < 64; i++)
		dirty(i, 1);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_STRING(runs, "0-3 6 30-40 41-56 57-63"); /* at most 16 at a time */
	file_put(file);
}

TEST(only_what_was_asked_for_is_written)
{
	open_file(16);
	for (unsigned i = 0; i < 16; i++)
		dirty(i, 1);
	filemap_start_write(as, 3, 5);
	CHECK_STRING(runs, "3-5");
	filemap_wait_write(as, 0, 2); /* none of these: does not wait */
	CHECK_EQ(filemap_nr_writeback(), 3);
	filemap_wait_write(as, 5, 5);
	CHECK_EQ(filemap_nr_writeback(), 0);
	CHECK_EQ(filemap_nr_dirty(), 13);
	filemap_start_write(as, 15, 15);
	filemap_wait_write(as, 15, 15);
	CHECK_STRING(runs, "3-5 15");
	file_put(file);
}

TEST(a_clean_file_is_not_looked_through)
{
	open_file(4);
	page_put(read_mapping_page(as, 0));
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_STRING(runs, "");
	CHECK(!filemap_is_dirty(as));
	file_put(file);
}

/* Dirtied behind it while a sync goes on: that is for the next one, or a sync might never end. */
static void another_writes_on(bool locked)
{
	static unsigned long index = 20;

	if (!locked && index < 30) {
		machine_run_on(1);
		dirty(index++, 1);
	}
}

TEST(a_sync_ends_though_others_go_on_writing)
{
	open_file(40);
	for (unsigned i = 0; i < 40; i++)
		page_put(read_mapping_page(as, i));
	dirty(0, 1);
	dirty(2, 1);
	machine_meanwhile = another_writes_on;
	filemap_start_write(as, 0, ~0UL);
	machine_meanwhile = NULL;
	CHECK_STRING(runs, "0 2");
	CHECK(filemap_nr_dirty() > 0);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(filemap_nr_dirty(), 0);
	file_put(file);
}

ONCE_MEANWHILE(another_truncates)
{
	machine_run_on(1);
	filemap_truncate(as, PAGE_SIZE);
}

/* Between the look-up and the page lock the page may become clean: nothing is to be written. */
static struct page *locked_page;

static void owner_truncates(bool locked)
{
	static unsigned turn;

	if (locked || ++turn != 2)
		return;
	machine_run_on(1);
	filemap_cancel_dirty(as, locked_page);
	unlock_page(locked_page);
}

TEST(what_is_not_dirty_any_more_is_not_written)
{
	open_file(4);
	dirty(0, 1);
	locked_page = dirty(1, 1);
	dirty(2, 1);
	machine_run_on(1);
	lock_page(locked_page);
	machine_run_on(0);
	machine_meanwhile = owner_truncates;
	filemap_start_write(as, 0, ~0UL);
	machine_meanwhile = NULL;
	CHECK_STRING(runs, "0 2");
	CHECK_EQ(filemap_nr_dirty(), 0);
	filemap_wait_write(as, 0, ~0UL);
	file_put(file);
}

TEST(a_truncation_while_it_is_written)
{
	open_file(40);
	for (unsigned i = 0; i < 40; i++)
		dirty(i, 1);
	machine_meanwhile = another_truncates;
	filemap_start_write(as, 0, ~0UL);
	filemap_wait_write(as, 0, ~0UL);
	machine_meanwhile = NULL;
	CHECK(another_truncates_happened);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(filemap_nr_dirty() + filemap_nr_writeback(), 0);
	CHECK(as->nr_pages <= 1);
	file_put(file);
}

/* ---- errors ---- */

TEST(a_failed_write_is_told_once_to_each_who_watches)
{
	errseq_t early, late;

	open_file(4);
	early = errseq_sample(&as->wb_err);
	dirty(0, 1);
	disk_fail_writes = 1;
	CHECK_EQ(filemap_write_all(as), -EIO);
	CHECK_EQ(filemap_write_all(as), 0); /* nothing new */
	CHECK_EQ(errseq_check(&as->wb_err, &early), -EIO);
	CHECK_EQ(errseq_check(&as->wb_err, &early), 0);
	late = errseq_sample(&as->wb_err);
	CHECK_EQ(errseq_check(&as->wb_err, &late), 0);
	file_put(file);
}

/* ---- no write at all ---- */

TEST(a_cancelled_page_is_not_written)
{
	struct page *page;

	open_file(4);
	page = dirty(1, 1);
	lock_page(page);
	filemap_cancel_dirty(as, page);
	filemap_cancel_dirty(as, page); /* it is clean already */
	unlock_page(page);
	CHECK_EQ(filemap_nr_dirty(), 0);
	CHECK(!filemap_is_dirty(as));
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_STRING(runs, "");
	CHECK_PANIC(filemap_cancel_dirty(as, find_get_page(as, 1)), "PG_LOCKED");
	page_put(page);
	file_put(file);
}

TEST(a_page_that_left_its_file_does_not_become_dirty)
{
	struct page *page;

	open_file(1);
	page = read_mapping_page(as, 0);
	filemap_truncate(as, 0);
	filemap_set_dirty(as, page);
	CHECK_EQ(filemap_nr_dirty(), 0);
	page_put(page);
	file_put(file);
}

TEST(tmpfs_is_never_dirty)
{
	struct file *tmp = host_file(FILE_TMPFS, PAGE_SIZE);
	struct page *page = read_mapping_page(host_file_mapping(tmp), 0);

	filemap_set_dirty(host_file_mapping(tmp), page);
	CHECK(!(page_flags(page) & PG_DIRTY));
	CHECK_EQ(filemap_write_all(host_file_mapping(tmp)), 0);
	page_put(page);
	file_put(tmp);
}

/* ---- too much ---- */

TEST(who_writes_too_much_waits)
{
	CHECK_EQ(dirty_background, nr_managed_pages() / 10);
	dirty_background = 3;
	dirty_limit = 6;
	open_file(16);
	for (unsigned i = 0; i < 4; i++)
		dirty(i, 1);
	balance_dirty_pages(as); /* above the first limit: only the flusher is woken */
	CHECK_STRING(runs, "");
	for (unsigned i = 4; i < 6; i++)
		dirty(i, 1);
	balance_dirty_pages(as);
	CHECK_STRING(runs, "0-5");
	CHECK_EQ(filemap_nr_dirty() + filemap_nr_writeback(), 0);
	file_put(file);
}

TEST(also_for_the_others)
{
	struct file *other;

	dirty_background = 3;
	dirty_limit = 6;
	open_file(16);
	other = file;
	for (unsigned i = 0; i < 8; i++)
		dirty(i, 1);
	file = host_file(FILE_DISK, PAGE_SIZE);
	as = host_file_mapping(file);
	dirty(0, 1);
	balance_dirty_pages(as); /* ours is one page: the flusher must go through all */
	CHECK_EQ(filemap_nr_dirty(), 0);
	file_put(other);
	file_put(file);
}

static unsigned nr_put_off; /* runs that find no memory, from now on */

static void put_off_run(struct address_space *mapping, struct page **pages, unsigned nr)
{
	if (nr_put_off == 0) {
		note_run(mapping, pages, nr);
		return;
	}
	nr_put_off--;
	for (unsigned i = 0; i < nr; i++) {
		filemap_put_off(mapping, pages[i]);
		page_end_writeback(pages[i], 0);
	}
}

TEST(what_was_put_off_is_written_by_who_waits_for_it)
{
	open_file(8);
	noting_ops.write_pages = put_off_run;
	dirty(1, 1);
	nr_put_off = 1;
	filemap_start_write(as, 0, ~0UL); /* a stranger's try */
	filemap_wait_write(as, 0, ~0UL);
	CHECK(filemap_is_dirty(as));
	CHECK_EQ(filemap_write_all(as), 0); /* no error of the past */
	CHECK_STRING(runs, "1");
	dirty(2, 2);
	dirty(5, 5);
	nr_put_off = 2;
	CHECK_EQ(filemap_write_range(as, 0, 3), 0);
	CHECK_STRING(runs, "1 2");
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_STRING(runs, "1 2 5");
	CHECK_EQ(host_file_disk(file, 2)[0], 2);
	CHECK_EQ(host_file_disk(file, 5)[0], 5);
	file_put(file);
}

TEST(what_is_put_off_again_and_again_is_said_once)
{
	open_file(2);
	noting_ops.write_pages = put_off_run;
	dirty(0, 7);
	nr_put_off = 1000;
	CHECK_EQ(filemap_write_all(as), -ENOMEM);
	CHECK(filemap_is_dirty(as) && nr_put_off > 0);
	machine_check();
	nr_put_off = 0;
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(host_file_disk(file, 0)[0], 7);
	file_put(file);
}
