/*
 * readahead.c - how far ahead a file is read (mm/readahead.c): the windows that patterns of access
 * lead to, and what the page cache makes of them.
 *
 * A scripted reader uses pages of a file whose cache is an array here; what was read is told as
 * "first+pages" for each range, in order: "0+4 4+8" is a window of 4 pages, then one of 8.
 */
#include <stdio.h>

#include "fs/mapping.h"
#include "kernel/task.h"
#include "lib/err.h"
#include "lib/string.h"
#include "mm/readahead.h"
#include "tests/host/unit/space.h"

/* ---- the arithmetic ---- */

#define NR_PAGES 2000

static struct readahead ra;
static enum { ABSENT, ASKED, AHEAD } cache[NR_PAGES];
static unsigned long nr_pages, misses, pages_read;
static char ranges[4096];

static void new_file(unsigned long pages)
{
	memset(cache, 0, sizeof(cache));
	readahead_init(&ra);
	nr_pages = pages;
	misses = pages_read = 0;
	ranges[0] = '\0';
}

static void fetch(struct read_range r, unsigned long asked)
{
	size_t used = strlen(ranges);

	CHECK(r.end <= max(nr_pages, asked + 1));
	snprintf(ranges + used, sizeof(ranges) - used, "%s%lu+%lu", used ? " " : "", r.first,
		 r.end - r.first);
	for (unsigned long i = r.first; i < r.end; i++) {
		if (cache[i] == ABSENT)
			cache[i] = i >= r.ahead && i != asked ? AHEAD : ASKED;
	}
	pages_read += r.end - r.first;
}

/* Page @index is used: as filemap.c does it. */
static void use(unsigned long index)
{
	struct read_range r;

	if (cache[index] != AHEAD)
		return;
	cache[index] = ASKED;
	if (!readahead_at_mark(&ra, index))
		return;
	r = readahead_next(&ra, nr_pages);
	if (r.first < r.end)
		fetch(r, NR_PAGES);
}

static void read_pages(unsigned long index, unsigned long n)
{
	for (unsigned long end = min(index + n, nr_pages); index < end; index++) {
		use(index);
		if (cache[index] == ABSENT) {
			misses++;
			fetch(readahead_read(&ra, index, end - index, nr_pages), index);
		}
		CHECK(cache[index] == ASKED);
		ra.prev = index;
	}
}

/* Page @index is touched in a mapping, which then has what is cached of the 16 around it. */
static void touch_page(unsigned long index, enum readahead_advice advice)
{
	use(index);
	if (cache[index] == ABSENT) {
		misses++;
		fetch(readahead_fault(&ra, index, advice, nr_pages), index);
	}
	CHECK(cache[index] == ASKED);
	for (unsigned long i = index & ~15UL; i < (index | 15) + 1 && i < nr_pages; i++) {
		if (cache[i] == AHEAD)
			cache[i] = ASKED;
	}
}

static void read_all(unsigned long chunk)
{
	for (unsigned long i = 0; i < nr_pages; i += chunk)
		read_pages(i, chunk);
}

TEST(a_stream_of_single_pages_doubles_its_window_and_waits_once)
{
	new_file(150);
	read_all(1);
	CHECK_STRING(ranges, "0+4 4+8 12+16 28+32 60+32 92+32 124+26");
	CHECK_EQ(misses, 1);
	CHECK_EQ(pages_read, 150);
}

TEST(a_stream_of_many_pages_begins_with_twice_as_many)
{
	new_file(150);
	read_all(4);
	CHECK_STRING(ranges, "0+8 8+16 24+32 56+32 88+32 120+30");
	CHECK_EQ(misses, 1);
	new_file(150);
	read_all(16);
	CHECK_STRING(ranges, "0+32 32+32 64+32 96+32 128+22");
	CHECK_EQ(misses, 1);
	new_file(150);
	read_all(64);
	CHECK_STRING(ranges, "0+32 32+32 64+32 96+32 128+22");
	CHECK_EQ(misses, 1);
}

TEST(a_stream_may_begin_anywhere_with_the_second_read)
{
	new_file(1000);
	read_pages(500, 1);
	CHECK_STRING(ranges, "500+1");
	read_pages(501, 1);
	read_pages(502, 1);
	CHECK_STRING(ranges, "500+1 501+4 505+8");
	new_file(1000);
	read_pages(100, 16);
	read_pages(116, 16);
	CHECK_STRING(ranges, "100+16 116+32");
}

TEST(reads_in_no_order_get_what_they_ask_for)
{
	static const unsigned long places[] = { 900, 17, 400, 18 + 2, 1200, 5, 899, 300 };

	new_file(NR_PAGES);
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		read_pages(places[i], 1);
	CHECK_EQ(pages_read, ARRAY_SIZE(places));
	read_pages(1500, 20);
	CHECK_EQ(pages_read, ARRAY_SIZE(places) + 20);
	for (unsigned long i = 1000; i > 950; i--) /* backwards */
		read_pages(i, 1);
	for (unsigned long i = 1600; i < 1900; i += 3) /* every third */
		read_pages(i, 1);
	CHECK_EQ(pages_read, ARRAY_SIZE(places) + 20 + 50 + 100);
}

TEST(a_stream_goes_on_behind_pages_that_were_cached)
{
	new_file(100);
	for (unsigned long i = 0; i < 20; i++)
		cache[i] = ASKED;
	read_all(1);
	CHECK_STRING(ranges, "20+4 24+8 32+16 48+32 80+20");
	CHECK_EQ(misses, 1);
}

TEST(a_window_whose_pages_go_unused_halves)
{
	new_file(NR_PAGES);
	for (unsigned long i = 0; i < 100; i++)
		read_pages(i, 1);
	CHECK_EQ(ra.start, 124);
	CHECK_EQ(ra.size, 32);
	for (unsigned long i = 100; i < NR_PAGES; i++)
		cache[i] = ABSENT;
	read_pages(100, 1); /* of the window before: a stream still */
	CHECK_EQ(ra.start, 100);
	CHECK_EQ(ra.size, 4);
	new_file(NR_PAGES);
	read_pages(0, 16);
	for (unsigned long i = 16; i < 32; i++)
		cache[i] = ABSENT;
	read_pages(16, 1);
	CHECK_STRING(ranges, "0+32 16+16");
	cache[17] = ABSENT;
	read_pages(17, 1);
	cache[18] = ABSENT;
	read_pages(18, 1);
	cache[19] = ABSENT;
	read_pages(19, 1);
	CHECK_STRING(ranges, "0+32 16+16 17+8 18+4 19+4");
}

TEST(the_end_of_the_file)
{
	new_file(1);
	read_all(1);
	CHECK_STRING(ranges, "0+1");
	new_file(4);
	read_all(1);
	CHECK_STRING(ranges, "0+4");
	new_file(5);
	read_all(1);
	CHECK_STRING(ranges, "0+4 4+1");
	new_file(0); /* truncated since the look at the size */
	CHECK_EQ(readahead_read(&ra, 7, 9, 0).end, 8);
	CHECK_EQ(readahead_fault(&ra, 100, READAHEAD_NORMAL, 0).first, 96);
	CHECK_EQ(readahead_fault(&ra, 101, READAHEAD_NORMAL, 0).end, 102);
}

TEST(advice_about_reads)
{
	new_file(100);
	ra.advice = READAHEAD_RANDOM;
	for (unsigned long i = 0; i < 10; i++)
		read_pages(i, 1);
	CHECK_EQ(pages_read, 10);
	read_pages(20, 8);
	CHECK_EQ(pages_read, 18);
	new_file(200);
	ra.advice = READAHEAD_SEQUENTIAL;
	read_pages(50, 1);
	read_pages(51, 1);
	CHECK_STRING(ranges, "50+32 82+32");
}

TEST(the_limit_can_be_set)
{
	unsigned long before = readahead_pages;

	readahead_pages = 0;
	new_file(50);
	read_all(1);
	CHECK_EQ(misses, 50);
	CHECK_EQ(pages_read, 50);
	new_file(50);
	touch_page(20, READAHEAD_NORMAL);
	CHECK_STRING(ranges, "20+1");
	new_file(100);
	readahead_pages = 8;
	read_all(1);
	CHECK_STRING(ranges, "0+4 4+8 12+8 20+8 28+8 36+8 44+8 52+8 60+8 68+8 76+8 84+8 92+8");
	readahead_pages = before;
}

/* ---- faults ---- */

TEST(faults_in_order_double_the_window_from_a_cluster_on)
{
	new_file(150);
	for (unsigned long i = 0; i < 150; i += 16)
		touch_page(i, READAHEAD_NORMAL);
	CHECK_STRING(ranges, "0+16 16+32 48+32 80+32 112+32 144+6");
	CHECK_EQ(misses, 2);
	new_file(150); /* copies: each page faults */
	for (unsigned long i = 0; i < 150; i++)
		touch_page(i, READAHEAD_NORMAL);
	CHECK_EQ(misses, 2);
	CHECK_EQ(pages_read, 150);
}

TEST(faults_here_and_there_bring_the_cluster_until_it_does_not_pay)
{
	new_file(NR_PAGES);
	touch_page(37, READAHEAD_NORMAL);
	CHECK_STRING(ranges, "32+16");
	for (unsigned long i = 5; pages_read < 16 * 16; i += 5)
		touch_page(i * 16, READAHEAD_NORMAL);
	touch_page(1900, READAHEAD_NORMAL);
	CHECK_EQ(pages_read, 16 * 16 + 1);
	touch_page(300, READAHEAD_NORMAL);
	CHECK_EQ(pages_read, 16 * 16 + 2);
	touch_page(311, READAHEAD_NORMAL); /* near to that: whoever jumps about has settled */
	CHECK_EQ(pages_read, 16 * 16 + 2 + 16);
}

TEST(advice_about_faults)
{
	new_file(NR_PAGES);
	touch_page(500, READAHEAD_RANDOM);
	CHECK_STRING(ranges, "500+1");
	touch_page(600, READAHEAD_SEQUENTIAL);
	CHECK_STRING(ranges, "500+1 600+32");
	ra.advice = READAHEAD_RANDOM; /* the file's, where the area has none */
	touch_page(700, READAHEAD_NORMAL);
	CHECK_STRING(ranges, "500+1 600+32 700+1");
	touch_page(800, READAHEAD_SEQUENTIAL);
	CHECK_STRING(ranges, "500+1 600+32 700+1 800+32");
}

/* Two who use an open file at once leave anything there. */
TEST(whatever_the_state_is_a_range_is_sound)
{
	static const unsigned long odd[] = { 0, 1, 31, 32, 33, 999, 1000, 1001, ~0UL, ~0UL - 31 };
	unsigned n = ARRAY_SIZE(odd);

	nr_pages = 1000;
	for (unsigned i = 0; i < n * n * n * n; i++) {
		unsigned long index = odd[i % n] % 1000;
		struct readahead any = {
			odd[i / n % n], odd[i / n / n % n], odd[i / n / n / n], odd[i % n], 0,
			i % 256
		};
		struct readahead copy = any, other = any;
		struct read_range r = readahead_read(&any, index, 5, 1000);

		CHECK(r.first <= index && index < r.end && r.end <= 1000 && r.end - r.first <= 32);
		CHECK(r.ahead > index && r.ahead <= r.end);
		r = readahead_fault(&copy, index, READAHEAD_NORMAL, 1000);
		CHECK(r.first <= index && index < r.end && r.end <= 1000 && r.end - r.first <= 32);
		r = readahead_next(&other, 1000);
		CHECK(r.first == r.end || (r.end <= 1000 && r.end - r.first <= 32));
	}
}

/* ---- what the page cache makes of it ---- */

static struct file *file;
static struct address_space *as;

static void disk_file(unsigned long pages)
{
	file = host_file(FILE_DISK, pages * PAGE_SIZE);
	as = host_file_mapping(file);
	counters_start();
}

static void read_byte(unsigned long index)
{
	u8 byte;

	CHECK_EQ(filemap_read_kernel(as, file_readahead(file), &byte, 1, index * PAGE_SIZE), 1);
	CHECK_EQ(byte, pattern_of(file, index * PAGE_SIZE));
}

static bool is_cached(unsigned long index)
{
	struct page *page = find_get_page(as, index);

	if (page)
		page_put(page);
	return page;
}

TEST(what_nobody_asked_for_is_counted_and_used_up)
{
	disk_file(100);
	read_byte(0);
	CHECK_EQ(counted(VM_cache_miss), 1);
	CHECK_EQ(counted(VM_readahead_pages), 3);
	CHECK_EQ(counted(VM_readahead_async), 0);
	read_byte(1);
	CHECK_EQ(counted(VM_readahead_pages), 3 + 8);
	CHECK_EQ(counted(VM_readahead_hit), 1);
	CHECK_EQ(counted(VM_readahead_async), 1);
	CHECK(is_cached(11) && !is_cached(12));
	read_byte(1);
	CHECK_EQ(counted(VM_readahead_hit), 1);
	for (unsigned long i = 2; i < 100; i++)
		read_byte(i);
	CHECK_EQ(counted(VM_cache_miss), 1);
	CHECK_EQ(counted(VM_readahead_pages), 99);
	CHECK_EQ(counted(VM_readahead_hit), 99);
	CHECK_EQ(counted(VM_readahead_unused), 0);
	file_put(file);
}

TEST(what_goes_unused_is_counted_too)
{
	disk_file(100);
	read_byte(0);
	CHECK_EQ(filemap_drop_clean(as, 2, 2), 1);
	CHECK_EQ(counted(VM_readahead_unused), 1);
	CHECK(!is_cached(2) && is_cached(3));
	file_put(file);
	CHECK_EQ(counted(VM_readahead_unused), 3);
}

TEST(a_mapping_uses_what_it_maps)
{
	struct mm *mm = space_new();
	unsigned long addr;

	disk_file(64);
	addr = map_file(mm, file, 64, RO, 0);
	CHECK_EQ(user_byte(addr), pattern_of(file, 0));
	CHECK_EQ(counted(VM_readahead_pages), 15);
	CHECK_EQ(counted(VM_readahead_hit), 15);
	CHECK_EQ(user_byte(addr + 16 * PAGE_SIZE), pattern_of(file, 16 * PAGE_SIZE));
	CHECK_EQ(counted(VM_readahead_pages), 15 + 31);
	CHECK_EQ(counted(VM_readahead_hit), 15 + 15);
	CHECK_EQ(counted(VM_pgmajfault), 2);
	/* The mark: the rest of the file is on its way. */
	CHECK_EQ(user_byte(addr + 32 * PAGE_SIZE), pattern_of(file, 32 * PAGE_SIZE));
	CHECK_EQ(counted(VM_readahead_async), 1);
	CHECK(is_cached(63));
	CHECK_EQ(user_byte(addr + 48 * PAGE_SIZE), pattern_of(file, 48 * PAGE_SIZE));
	CHECK_EQ(counted(VM_cache_miss), 2);
	space_end(mm);
	file_put(file);
}

TEST(without_memory_only_what_is_asked_for_comes)
{
	disk_file(100);
	read_byte(0); /* a node of the tree is there now */
	filemap_drop_clean(as, 1, ~0UL);
	for (unsigned i = 1; i < 8; i++) {
		current->fail_alloc = 2; /* the page itself is the first */
		read_byte(i);
		CHECK_EQ(current->fail_alloc, 0);
		CHECK(is_cached(i) && !is_cached(i + 1));
		filemap_drop_clean(as, i + 1, ~0UL);
		CHECK_EQ(as->nr_pages, i + 1);
	}
	current->fail_alloc = 0;
	file_put(file);
}

TEST(a_read_that_fails_ahead_is_nobodys_error)
{
	disk_file(100);
	disk_fail_reads = 1;
	read_byte(0); /* the window fails, then the page alone does not */
	CHECK_EQ(disk_fail_reads, 0);
	for (unsigned long i = 1; i < 100; i++)
		read_byte(i);
	file_put(file);
}

TEST(a_page_of_a_reader)
{
	struct page *page;

	disk_file(10);
	page = filemap_get_page(as, file_readahead(file), 3 * PAGE_SIZE + 7, 2 * PAGE_SIZE);
	CHECK_EQ(page->index, 3);
	CHECK_EQ(as->nr_pages, 3);
	page_put(page);
	disk_fail_reads = 2;
	CHECK_EQ(PTR_ERR(filemap_get_page(as, file_readahead(file), 7 * PAGE_SIZE, 1)), -EIO);
	disk_fail_reads = 0;
	file_put(file);
}
