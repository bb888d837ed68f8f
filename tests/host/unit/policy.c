/*
 * policy.c - the three policies on four patterns of use, beside exact LRU.
 *
 *	the machine has ROOM pages left, a file of more is mapped, and used page by page
 *
 *	loop       0 1 2 ... n-1 0 1 2 ...       n a little more than there is room
 *	eighty     four of five uses are of a fifth of the pages
 *	random     all alike
 *	stack      a walk up and down: what was used last is used next
 */
#include <stdlib.h>

#include "mm/ghost.h"
#include "mm/policy.h"
#include "mm/reclaim.h"
#include "tests/host/unit/space.h"

#define RAM	1024
#define ROOM	200 /* pages left for the file, about */
#define MOST	600
#define NR_USES 12000

static unsigned short uses[NR_USES];
static u32 state;

static unsigned next_random(unsigned below)
{
	state = state * 1664525 + 1013904223;
	return (state >> 8) % below;
}

static unsigned make_loop(void)
{
	for (unsigned i = 0; i < NR_USES; i++)
		uses[i] = i % (ROOM + ROOM / 4);
	return ROOM + ROOM / 4;
}

static unsigned make_eighty(void)
{
	unsigned n = 500, hot = n / 5;

	for (unsigned i = 0; i < NR_USES; i++)
		uses[i] = next_random(5) ? next_random(hot) : hot + next_random(n - hot);
	return n;
}

static unsigned make_random(void)
{
	for (unsigned i = 0; i < NR_USES; i++)
		uses[i] = next_random(400);
	return 400;
}

static unsigned make_stack(void)
{
	unsigned at = 0;

	for (unsigned i = 0; i < NR_USES; i++) {
		unsigned step = next_random(12);

		uses[i] = at;
		at = next_random(2) ? min(at + step, MOST - 1U) : at - min(at, step);
	}
	return MOST;
}

/* Faults of exact least-recently-used with @room frames. */
static unsigned exact_lru(unsigned room)
{
	static long last[MOST];
	unsigned faults = 0, resident = 0;

	for (unsigned i = 0; i < MOST; i++)
		last[i] = -1;
	for (long t = 0; t < NR_USES; t++) {
		unsigned oldest = MOST;

		if (last[uses[t]] < 0) {
			faults++;
			if (resident++ >= room) {
				for (unsigned i = 0; i < MOST; i++) {
					if (last[i] >= 0 &&
					    (oldest == MOST || last[i] < last[oldest]))
						oldest = i;
				}
				last[oldest] = -1;
				resident--;
			}
		}
		last[uses[t]] = t;
	}
	return faults;
}

struct arena {
	struct mm *mm;
	struct file *file;
	unsigned long addr;
};

static struct arena arena_new(unsigned n)
{
	struct arena a;
	unsigned long fill;

	machine_boot(RAM, 1);
	a.mm = space_new();
	a.file = host_file(FILE_DISK, n * PAGE_SIZE);
	a.addr = map_file(a.mm, a.file, n, RO, 0);
	find_vma(a.mm, a.addr)->vm_flags |= VM_RAND; /* reads what is asked for, no more */
	fill = map_anon(a.mm, RAM, RW);
	while (nr_free_pages() > ROOM)
		CHECK_EQ(user_put((fill += PAGE_SIZE) - PAGE_SIZE, 1), FAULT_OK);
	return a;
}

static unsigned run(const char *policy, unsigned n)
{
	struct arena a = arena_new(n);

	CHECK_EQ(policy_choose(policy), 0);
	counters_start();
	for (unsigned i = 0; i < NR_USES; i++)
		CHECK_EQ(user_byte(a.addr + uses[i] * PAGE_SIZE),
			 pattern_of(a.file, uses[i] * PAGE_SIZE));
	CHECK_EQ(counted(VM_pgmajfault), counted(VM_cache_miss));
	CHECK(counted(VM_pgsteal_direct) > 0);
	machine_check();
	return counted(VM_pgmajfault);
}

BARE_TEST(a_part_of_a_loop_stays_with_two_lists)
{
	unsigned n = make_loop();

	CHECK_EQ(exact_lru(ROOM), NR_USES);
	CHECK(run("two-list", n) < NR_USES * 3 / 4);
}

BARE_TEST(a_loop_defeats_the_clock)
{
	CHECK_EQ(run("clock", make_loop()), NR_USES);
}

BARE_TEST(two_lists_are_near_lru_where_some_pages_are_hot)
{
	unsigned n = make_eighty();

	CHECK(run("two-list", n) * 100 <= exact_lru(ROOM) * 115);
}

BARE_TEST(the_clock_sees_what_is_hot)
{
	unsigned n = make_eighty(), faults = run("clock", n), lru = exact_lru(ROOM);

	CHECK(faults > lru && faults < lru * 14 / 10);
}

BARE_TEST(fifo_throws_out_what_is_hot)
{
	unsigned n = make_eighty();

	CHECK(run("fifo", n) > exact_lru(ROOM) * 15 / 10);
}

BARE_TEST(where_all_are_alike_nobody_is_better)
{
	unsigned n = make_random(), faults = run("two-list", n), lru = exact_lru(ROOM);

	CHECK(faults > lru * 9 / 10 && faults < lru * 115 / 100);
}

BARE_TEST(active_pages_that_are_left_behind_make_room)
{
	unsigned n = make_stack();

	CHECK(run("two-list", n) * 100 <= exact_lru(ROOM) * 160);
}

/* ---- the choice ---- */

TEST(the_choice_is_by_name)
{
	CHECK_STRING(policy_now()->name, "two-list");
	for (unsigned i = 0; policy_name(i); i++) {
		CHECK_EQ(policy_choose(policy_name(i)), 0);
		CHECK_STRING(policy_now()->name, policy_name(i));
	}
	CHECK_EQ(policy_choose("random"), -EINVAL);
	CHECK_EQ(policy_choose(""), -EINVAL);
	CHECK_STRING(policy_now()->name, "fifo");
}

TEST(what_has_no_use_for_active_pages_has_none)
{
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	struct page *page = read_mapping_page(host_file_mapping(file), 0), *last;

	CHECK(lru_isolate_page(page));
	CHECK(!lru_isolate_page(page)); /* it is on none now */
	page_set_flags(page, PG_ACTIVE);
	lru_putback(&page, 1);
	CHECK_EQ(lru_nr(LRU_ACTIVE_FILE), 1);
	machine_check();
	CHECK_EQ(policy_choose("clock"), 0);
	CHECK_EQ(lru_nr(LRU_ACTIVE_FILE), 0);
	CHECK_EQ(lru_nr(LRU_INACTIVE_FILE), 4);
	machine_check();
	/* It is the oldest of all now. */
	CHECK_EQ(lru_isolate(LRU_INACTIVE_FILE, 1, &last), 1);
	CHECK(last == page);
	CHECK_EQ(lru_nr_isolated(), 1);
	lru_putback(&last, 1);
	page_put(last);
	page_put(page);
	file_put(file);
}

TEST(a_ghost_tells_how_many_went_after_it)
{
	struct page one = { .type = PAGE_FILE, .mapping = &one, .index = 1 };
	struct page two = { .type = PAGE_FILE, .mapping = &one, .index = 2 };
	struct page other = { .type = PAGE_ANON, .mapping = &one, .index = 1000 };
	unsigned long distance;

	CHECK(!ghost_take(&one, &distance));
	ghost_add(&one);
	ghost_add(&two);
	ghost_add(&other); /* another kind: another clock */
	CHECK(ghost_take(&one, &distance));
	CHECK_EQ(distance, 1);
	CHECK(!ghost_take(&one, &distance)); /* no more */
	CHECK(ghost_take(&two, &distance));
	CHECK_EQ(distance, 0);
	/* The table is small: what went long ago is forgotten. */
	ghost_add(&one);
	for (two.index = 2; two.index < 100 * TEST_PAGES; two.index++)
		ghost_add(&two);
	CHECK(!ghost_take(&one, &distance));
}

TEST(too_many_active_pages_become_inactive)
{
	struct file *file = host_file(FILE_DISK, 200 * PAGE_SIZE);
	struct page *page;

	CHECK_EQ(policy_choose("two-list"), 0);
	for (unsigned i = 0; i < 200; i++) {
		page = read_mapping_page(host_file_mapping(file), i);
		CHECK(lru_isolate_page(page));
		page_set_flags(page, PG_ACTIVE);
		lru_putback(&page, 1);
		page_put(page);
	}
	CHECK_EQ(lru_nr(LRU_ACTIVE_FILE), 200);
	/* All were used, the oldest lose their place all the same. */
	shrink_memory(1, true);
	CHECK(lru_nr(LRU_ACTIVE_FILE) < 200);
	CHECK(lru_nr(LRU_ACTIVE_FILE) >= 100);
	machine_check();
	file_put(file);
}
