/*
 * swaproom.c - how long a free slot is looked for in a large area (mm/swap_room.c).
 *
 *	area of 3 GiB   [ directory 0 ][ directory 1         ][ directory 2         ]
 *	                   ^cursor       full: not looked into   a slot is free in the last table
 */
#include <stdlib.h>

#include "mm/swap_internal.h"
#include "tests/host/test.h"

#define DIRS	  3
#define DIR_SLOTS (TABLES_PER_DIR * SLOTS_PER_TABLE)

static struct swap_area area;
static struct swap_table **dirs[DIRS];

/* The only area; nobody else uses it, and it names no disk. All its slots are taken. */
static void large_area(void)
{
	area.nr_slots = area.nr_good = DIRS * DIR_SLOTS;
	area.nr_busy = area.nr_slots;
	for (unsigned i = 0; i < DIRS; i++) {
		dirs[i] = area.dir[i] = calloc(TABLES_PER_DIR, sizeof(dirs[i][0]));
		for (unsigned j = 0; j < TABLES_PER_DIR; j++)
			dirs[i][j] = calloc(1, sizeof(struct swap_table));
	}
	for (unsigned long slot = 0; slot < area.nr_slots; slot++)
		slot_set_taken(&area, slot, true);
	CHECK_EQ(swap_check_room(&area), 0);
	swap_areas[0] = &area;
}

static void area_end(void)
{
	swap_areas[0] = NULL;
	for (unsigned i = 0; i < DIRS; i++) {
		for (unsigned j = 0; j < TABLES_PER_DIR; j++)
			free(dirs[i][j]);
		free(dirs[i]);
	}
}

/* How many of @nr slots were had, from @expected on. */
static unsigned take(unsigned nr, unsigned long expected)
{
	pte_t first;
	unsigned got;

	spin_lock(&swap_lock);
	got = slots_take(nr, &first);
	spin_unlock(&swap_lock);
	if (got > 0)
		CHECK_EQ(swap_entry_slot(first), expected);
	return got;
}

static void give(unsigned long slot, unsigned nr)
{
	while (nr-- > 0) {
		slot_set_taken(&area, slot + nr, false);
		area.nr_busy--;
	}
}

/* What it must not look into is not there. */
TEST(full_directories_and_tables_are_passed_over)
{
	unsigned long last = DIRS * DIR_SLOTS - 2;
	struct swap_table *hidden[TABLES_PER_DIR];

	large_area();
	CHECK_EQ(take(1, 0), 0);
	give(last, 2);
	area.cursor = 77;
	for (unsigned i = 0; i < TABLES_PER_DIR; i++) {
		hidden[i] = dirs[1][i];
		dirs[1][i] = NULL;
	}
	/* In the last directory full maps say that all is free: only the sums may be believed. */
	for (unsigned i = 0; i + 1 < TABLES_PER_DIR; i++)
		dirs[2][i]->taken[3] = 0;
	CHECK_EQ(take(32, last), 2);
	for (unsigned i = 0; i + 1 < TABLES_PER_DIR; i++)
		dirs[2][i]->taken[3] = ~0u;
	for (unsigned i = 0; i < TABLES_PER_DIR; i++)
		dirs[1][i] = hidden[i];
	CHECK_EQ(swap_check_room(&area), 0);
	area_end();
}

TEST(a_whole_cluster_is_found_behind_a_gigabyte_of_holes)
{
	large_area();
	for (unsigned long slot = 5; slot < DIR_SLOTS; slot += CLUSTER_SLOTS)
		give(slot, 1);
	give(2 * DIR_SLOTS + 320, CLUSTER_SLOTS);
	area.cursor = 0;
	CHECK_EQ(take(32, 2 * DIR_SLOTS + 320), 32);
	CHECK_EQ(take(32, 5), 1); /* there is none any more: round, to the first hole */
	CHECK_EQ(swap_check_room(&area), 0);
	area_end();
}

TEST(sums_that_are_wrong_are_found)
{
	large_area();
	area.dir_unfit[1].open--;
	CHECK_EQ(swap_check_room(&area), 1);
	area.dir_unfit[1].open++;
	dirs[2][7]->unfit.whole--;
	CHECK_EQ(swap_check_room(&area), 1);
	dirs[2][7]->unfit.whole++;
	area_end();
}
