/*
 * early.c - memory before there is an allocator (mm/early.c): two short sorted tables of ranges.
 *
 *	RAM is cut to whole pages inwards, what is reserved outwards:
 *
 *	bytes      ..[1.......)..           ram  [2   )        reserved  [1     )
 *	pages      |1  |2  |3  |4           only whole pages   all it touches
 */
#include "mm/early.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

#include <sys/mman.h>

/* The reserved ranges in pages: "1-2 5-7". */
static const char *text_of(const struct early_ranges *t)
{
	static char text[256];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < t->nr; i++)
		len += snprintf(text + len, sizeof(text) - len, "%s%lu-%lu", i ? " " : "",
				PFN_DOWN(t->range[i].start), PFN_DOWN(t->range[i].end));
	return text;
}

static const char *reserve(unsigned long first, unsigned long end)
{
	CHECK_EQ(early_reserve(first * PAGE_SIZE, (end - first) * PAGE_SIZE), 0);
	return text_of(&early_reserved);
}

BARE_TEST(ranges_are_sorted_and_melted)
{
	CHECK_STRING(reserve(10, 12), "10-12");
	CHECK_STRING(reserve(20, 22), "10-12 20-22");
	CHECK_STRING(reserve(2, 4), "2-4 10-12 20-22");
	CHECK_STRING(reserve(15, 16), "2-4 10-12 15-16 20-22");
	CHECK_STRING(reserve(4, 5), "2-5 10-12 15-16 20-22");  /* touches from above */
	CHECK_STRING(reserve(9, 10), "2-5 9-12 15-16 20-22");  /* from below */
	CHECK_STRING(reserve(10, 11), "2-5 9-12 15-16 20-22"); /* inside */
	CHECK_STRING(reserve(11, 13), "2-5 9-13 15-16 20-22"); /* over the end */
	CHECK_STRING(reserve(12, 21), "2-5 9-22");	       /* over three */
	CHECK_STRING(reserve(0, 30), "0-30");		       /* over all */
}

BARE_TEST(what_is_reserved_takes_every_page_it_touches)
{
	CHECK_EQ(early_reserve(PAGE_SIZE + 1, PAGE_SIZE), 0);
	CHECK_STRING(text_of(&early_reserved), "1-3");
	CHECK_EQ(early_reserve(5 * PAGE_SIZE, 1), 0);
	CHECK_STRING(text_of(&early_reserved), "1-3 5-6");
}

BARE_TEST(of_ram_only_whole_pages_count)
{
	CHECK_EQ(early_add_ram(PAGE_SIZE + 1, 2 * PAGE_SIZE), 0);
	CHECK_STRING(text_of(&early_ram), "2-3");
	CHECK_EQ(early_add_ram(5 * PAGE_SIZE + 1, PAGE_SIZE), 0); /* no whole page */
	CHECK_STRING(text_of(&early_ram), "2-3");
}

BARE_TEST(ranges_that_overflow_or_are_empty_are_ignored)
{
	CHECK_EQ(early_add_ram(~0UL - PAGE_SIZE, 3 * PAGE_SIZE), 0);
	CHECK_EQ(early_add_ram(~0UL - 100, 3 * PAGE_SIZE), 0); /* its start rounds up to 0 */
	CHECK_EQ(early_add_ram(PAGE_SIZE, 0), 0);
	CHECK_EQ(early_reserve(~0UL - PAGE_SIZE, 3 * PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(PAGE_SIZE, 0), 0);
	CHECK_EQ(early_reserve(~0UL - 100, 50), 0); /* its end cannot be rounded up */
	CHECK_STRING(text_of(&early_ram), "");
	CHECK_STRING(text_of(&early_reserved), "");
}

BARE_TEST(a_table_has_an_end)
{
	for (unsigned i = 0; i < EARLY_MAX_RANGES; i++)
		CHECK_EQ(early_reserve(2 * i * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(1000 * PAGE_SIZE, PAGE_SIZE), -ENOSPC);
	CHECK_EQ(early_reserve(PAGE_SIZE, PAGE_SIZE), 0); /* melts two */
	CHECK_EQ(early_reserved.nr, EARLY_MAX_RANGES - 1);
}

BARE_TEST(is_any_byte_of_it_ram)
{
	CHECK_EQ(early_add_ram(10 * PAGE_SIZE, 5 * PAGE_SIZE), 0);
	CHECK_EQ(early_add_ram(20 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK(early_is_ram(10 * PAGE_SIZE, 10 * PAGE_SIZE + 1));
	CHECK(early_is_ram(0, 10 * PAGE_SIZE + 1));
	CHECK(early_is_ram(20 * PAGE_SIZE, 30 * PAGE_SIZE));
	CHECK(!early_is_ram(0, 10 * PAGE_SIZE));
	CHECK(!early_is_ram(15 * PAGE_SIZE, 20 * PAGE_SIZE));
	CHECK(!early_is_ram(21 * PAGE_SIZE, 22 * PAGE_SIZE));
}

/* 16 pages of RAM, of which pages 1 and 6 are taken. */
#define AT(page) (HOST_RAM_BASE + (page)*PAGE_SIZE)

static void some_ram(void)
{
	void *at = phys_to_virt(HOST_RAM_BASE);

	CHECK(mmap(at, 16 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	memset(at, 0xee, 16 * PAGE_SIZE);
	CHECK_EQ(early_add_ram(HOST_RAM_BASE, 8 * PAGE_SIZE), 0);
	CHECK_EQ(early_add_ram(AT(10), 6 * PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(AT(1), PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(AT(6), PAGE_SIZE), 0);
}

BARE_TEST(memory_is_given_from_the_lowest_hole_that_fits)
{
	u8 *mem;

	some_ram();
	CHECK_EQ(early_alloc(3 * PAGE_SIZE, PAGE_SIZE), AT(2));
	CHECK_EQ(early_alloc(100, PAGE_SIZE), AT(0)); /* whole pages */
	CHECK_EQ(early_alloc(1, PAGE_SIZE), AT(5));
	CHECK_EQ(early_alloc(2 * PAGE_SIZE, 4 * PAGE_SIZE), AT(12)); /* aligned */
	CHECK_EQ(early_alloc(2 * PAGE_SIZE, PAGE_SIZE), AT(10));
	mem = phys_to_virt(AT(2));
	for (unsigned i = 0; i < 3 * PAGE_SIZE; i++)
		CHECK_EQ(mem[i], 0);
	CHECK_EQ(((u8 *)phys_to_virt(AT(0)))[PAGE_SIZE - 1], 0);
	CHECK_EQ(((u8 *)phys_to_virt(AT(7)))[0], 0xee);
	CHECK_PANIC(early_alloc(3 * PAGE_SIZE, PAGE_SIZE), "no 12288 bytes free");
}

BARE_TEST(when_nothing_can_be_noted_any_more_it_panics)
{
	some_ram();
	CHECK_EQ(early_reserve(AT(0), PAGE_SIZE), 0);
	for (unsigned i = early_reserved.nr; i < EARLY_MAX_RANGES; i++)
		CHECK_EQ(early_reserve(2 * i * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_PANIC(early_alloc(PAGE_SIZE, 4 * PAGE_SIZE), "more than 64 reserved ranges");
}

/* RAM in two banks with reservations at the borders: every free page reaches the buddy, once. */
BARE_TEST(all_that_is_free_becomes_the_buddys)
{
	void *at = phys_to_virt(HOST_RAM_BASE);

	CHECK(mmap(at, 256 * PAGE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	nr_harts = 1;
	machine_run_on(0);
	host_tasks[0].hart = &harts[0];
	CHECK_EQ(early_add_ram(HOST_RAM_BASE, 64 * PAGE_SIZE), 0);
	CHECK_EQ(early_add_ram(AT(128), 128 * PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(HOST_RAM_BASE, 3 * PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(AT(50), 8 * PAGE_SIZE), 0);
	CHECK_EQ(early_reserve(AT(100), 60 * PAGE_SIZE), 0); /* from the gap into the second */
	CHECK_EQ(early_reserve(AT(250), 5 * PAGE_SIZE), 0);  /* all but the last page */
	CHECK_EQ(early_reserve(AT(1000), PAGE_SIZE), 0);     /* no RAM at all */
	page_init();
	/* mem_map for 256 frames: 4 pages. */
	CHECK_EQ(nr_managed_pages(), (64 - 3 - 4 - 8) + (250 - 160) + 1);
	CHECK_EQ(nr_free_pages(), nr_managed_pages());
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(2)))->type, PAGE_RESERVED);
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(63)))->type, PAGE_FREE);
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(64)))->type, PAGE_RESERVED);
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(100)))->type, PAGE_RESERVED);
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(160)))->type, PAGE_FREE);
	CHECK_EQ(pfn_to_page(PFN_DOWN(AT(250)))->type, PAGE_RESERVED);
	CHECK_EQ(buddy_check(), 0);
}
