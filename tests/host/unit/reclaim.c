/*
 * reclaim.c - memory back from the page cache (mm/reclaim.c): who goes, and who stays.
 *
 *	lru   oldest [0][1][2][3] newest
 *	             |   |   |   +-- referenced: once more around
 *	             |   |   +------ mapped, locked, dirty, being written or held: stays
 *	             |   +---------- of tmpfs: not even on the list
 *	             +-------------- idle and clean: dropped
 */
#include "lib/err.h"
#include "tests/host/unit/space.h"

static struct file *file;
static struct address_space *as;
static struct page *page[8];

/* A file of eight cached pages, not used since reclaim last looked. */
static void cached_file(void)
{
	file = host_file(FILE_DISK, 8 * PAGE_SIZE);
	as = host_file_mapping(file);
	for (unsigned i = 0; i < 8; i++) {
		page[i] = read_mapping_page(as, i);
		page_clear_flags(page[i], PG_REFERENCED);
		page_put(page[i]);
	}
	page_clear_flags(page[0], PG_REFERENCED);
	counters_start();
}

TEST(the_oldest_go_first_and_no_more_than_asked_for)
{
	unsigned long free;

	cached_file();
	free = nr_free_pages();
	CHECK_EQ(shrink_page_cache(3), 3);
	CHECK_EQ(as->nr_pages, 5);
	CHECK_EQ(nr_free_pages(), free + 3);
	CHECK_EQ(counted(VM_cache_reclaimed), 3);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(page[i]->type, PAGE_FREE);
	CHECK_EQ(shrink_page_cache(100), 5);
	CHECK_EQ(shrink_page_cache(100), 0); /* the list is empty */
	CHECK_EQ(as->nr_pages, 0);
	file_put(file);
}

TEST(what_was_used_since_gets_a_second_chance)
{
	cached_file();
	page_put(find_get_page(as, 0));
	page_put(find_get_page(as, 1));
	CHECK_EQ(shrink_page_cache(6), 6);
	CHECK(page[0]->mapping == as && page[1]->mapping == as);
	CHECK(!(page_flags(page[0]) & PG_REFERENCED));
	CHECK_EQ(shrink_page_cache(6), 2); /* they were not used again */
	file_put(file);
}

TEST(when_all_were_used_the_second_round_takes_them)
{
	cached_file();
	for (unsigned i = 0; i < 8; i++)
		page_put(find_get_page(as, i));
	CHECK_EQ(shrink_page_cache(100), 8);
	file_put(file);
}

TEST(what_is_in_use_stays)
{
	struct mm *mm = space_new();
	unsigned long addr;

	cached_file();
	addr = map_file(mm, file, 1, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	page_get(page[1]); /* somebody reads it */
	machine_run_on(1);
	lock_page(page[2]); /* an I/O, or who checks the owner */
	machine_run_on(0);
	filemap_set_dirty(as, page[3]); /* not on the disk */
	filemap_set_dirty(as, page[4]); /* on its way there */
	filemap_start_write(as, 4, 4);
	page_clear_flags(page[5], PG_UPTODATE); /* its read failed: of no use to anybody */
	CHECK_EQ(shrink_page_cache(100), 3);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(page[i]->mapping == as, i < 5);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	machine_run_on(1);
	unlock_page(page[2]);
	machine_run_on(0);
	page_put(page[1]);
	space_end(mm);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(shrink_page_cache(100), 5);
	file_put(file);
}

TEST(what_was_dropped_is_read_again)
{
	cached_file();
	shrink_page_cache(100);
	page[0] = read_mapping_page(as, 0);
	CHECK_EQ(*(u8 *)page_address(page[0]), pattern_of(file, 0));
	CHECK_EQ(counted(VM_cache_miss), 1);
	page_put(page[0]);
	file_put(file);
}

TEST(tmpfs_pages_have_nowhere_to_go)
{
	struct file *tmp = host_file(FILE_TMPFS, PAGE_SIZE);

	page_put(read_mapping_page(host_file_mapping(tmp), 0));
	CHECK_EQ(shrink_page_cache(100), 0);
	CHECK_EQ(shmem_nr_pages(), 1);
	file_put(tmp);
	CHECK_EQ(shmem_nr_pages(), 0);
}

BARE_TEST(nobody_reclaims_under_a_spinlock)
{
	static struct spinlock lock;

	machine_boot(TEST_PAGES, 1);
	spin_lock(&lock);
	CHECK_PANIC(shrink_page_cache(1), "spin_depth");
}
