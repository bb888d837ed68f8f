/*
 * swap_room.c - where in swap the next pages go.
 *
 *	clusters of 32:  [used][part][free][free]     a batch of pages goes on where the last one
 *	                         ^cursor              ended if it fits there; else into the next
 *	                                              free cluster; else wherever a slot is free
 *
 *	directory                       unfit: clusters that are of no use, of those below
 *	   [table][table][table]        unfit: likewise, of 16
 *	    16 clusters                 a word each: the slots that are taken
 *
 * Areas of a higher priority are filled first; those of the same take turns. A freed slot is only
 * forgotten; the disk may be told of whole free clusters (mm/swap_discard.c).
 *
 * A search passes over whole directories (1 GiB) and tables (2 MiB) by their sums: at most 64 steps
 * for the first, some 512 each for the second in the two where it begins and ends and the last one,
 * which may be short, and 16 for each of their tables. So swap_lock is held for no longer however
 * large the area is, and however full.
 *
 * Invariant: the sums are those of the maps (swap_check()).
 * Locks: swap_lock, from the caller.
 */
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/swap_internal.h"

#define DIR_CLUSTERS (TABLES_PER_DIR * TABLE_CLUSTERS)

static unsigned long last_turn;

/* ---- the maps, and sums over them ---- */

/* A cluster's slots taken were @before, and are @now. */
static void count_change(struct unfit *unfit, u32 before, u32 now)
{
	unfit->whole += (now != 0) - (before != 0);
	unfit->open += (now == ~0u) - (before == ~0u);
}

static u32 taken_of(const struct swap_area *area, unsigned long cluster)
{
	return area_table(area, cluster * CLUSTER_SLOTS)->taken[cluster % TABLE_CLUSTERS];
}

void cluster_set_taken(struct swap_area *area, unsigned long cluster, u32 taken)
{
	struct swap_table *table = area_table(area, cluster * CLUSTER_SLOTS);
	u32 *map = &table->taken[cluster % TABLE_CLUSTERS];

	count_change(&table->unfit, *map, taken);
	count_change(&area->dir_unfit[cluster / DIR_CLUSTERS], *map, taken);
	*map = taken;
}

void slot_set_taken(struct swap_area *area, unsigned long slot, bool taken)
{
	u32 map = taken_of(area, slot / CLUSTER_SLOTS), bit = 1u << slot % CLUSTER_SLOTS;

	cluster_set_taken(area, slot / CLUSTER_SLOTS, taken ? map | bit : map & ~bit);
}

static bool is_taken(const struct swap_area *area, unsigned long slot)
{
	return taken_of(area, slot / CLUSTER_SLOTS) >> slot % CLUSTER_SLOTS & 1;
}

/* How many slots from @slot on are free, up to @nr. */
static unsigned run_at(const struct swap_area *area, unsigned long slot, unsigned nr)
{
	unsigned len = 0;

	while (len < nr && slot + len < area->nr_slots && !is_taken(area, slot + len))
		len++;
	return len;
}

static bool is_fit(u32 taken, bool whole)
{
	return whole ? taken == 0 : taken != ~0u;
}

static u32 nr_unfit(const struct unfit *unfit, bool whole)
{
	return whole ? unfit->whole : unfit->open;
}

/* The first of the clusters [@from, @to) that is @whole, or else has a free slot; @to: none. */
static unsigned long find_cluster(const struct swap_area *area, unsigned long from,
				  unsigned long to, bool whole)
{
	while (from < to) {
		const struct unfit *dir = &area->dir_unfit[from / DIR_CLUSTERS];

		if (nr_unfit(dir, whole) == DIR_CLUSTERS)
			from = ALIGN_DOWN(from, DIR_CLUSTERS) + DIR_CLUSTERS;
		else if (nr_unfit(&area_table(area, from * CLUSTER_SLOTS)->unfit, whole) ==
			 TABLE_CLUSTERS)
			from = ALIGN_DOWN(from, TABLE_CLUSTERS) + TABLE_CLUSTERS;
		else if (is_fit(taken_of(area, from), whole))
			return from;
		else
			from++;
	}
	return to;
}

/*
 * The first cluster, from the cursor's on and round, that is @whole, or else has a free slot: its
 * first free slot; 0: there is none. (Slot 0 is the header's.)
 */
static unsigned long next_cluster(const struct swap_area *area, bool whole)
{
	unsigned long nr = DIV_ROUND_UP(area->nr_slots, CLUSTER_SLOTS);
	unsigned long start = area->cursor / CLUSTER_SLOTS % nr;
	unsigned long cluster = find_cluster(area, start, nr, whole), slot;

	if (cluster >= nr)
		cluster = find_cluster(area, 0, start, whole);
	if (!is_fit(taken_of(area, cluster), whole))
		return 0;
	for (slot = cluster * CLUSTER_SLOTS; is_taken(area, slot);)
		slot++;
	return slot;
}

/* The slot where a batch of @nr goes, and in *@len how many of it; the area has a free slot. */
static unsigned long find_run(const struct swap_area *area, unsigned nr, unsigned *len)
{
	unsigned long slot = area->cursor;

	*len = run_at(area, slot, nr);
	if (*len == nr)
		return slot;
	slot = next_cluster(area, true);
	if (slot == 0)
		slot = next_cluster(area, false);
	*len = run_at(area, slot, nr);
	return slot;
}

static struct swap_area *pick_area(void)
{
	struct swap_area *best = NULL;

	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		struct swap_area *area = swap_areas[i];

		if (!area || area->closing || area_nr_free(area) == area->nr_discarding)
			continue;
		if (!best || area->prio > best->prio ||
		    (area->prio == best->prio && area->turn < best->turn))
			best = area;
	}
	return best;
}

unsigned slots_take(unsigned nr, pte_t *first)
{
	struct swap_area *area = pick_area();
	unsigned long slot;
	unsigned len;

	if (!area)
		return 0;
	slot = find_run(area, nr, &len);
	BUG_ON(len == 0);
	for (unsigned long n = slot; n < slot + len; n++)
		slot_set_taken(area, n, true);
	area->nr_busy += len;
	area->cursor = slot + len;
	area->turn = ++last_turn;
	*first = swap_entry(area->nr, slot);
	return len;
}

/* ---- checking ---- */

int swap_check_room(const struct swap_area *area)
{
	unsigned long nr_tables = DIV_ROUND_UP(area->nr_slots, SLOTS_PER_TABLE);
	struct unfit sum = { 0 }, dirs = { 0 };
	int faults = 0;

	for (unsigned long n = 0; n < nr_tables; n++) {
		const struct swap_table *table = area_table(area, n * SLOTS_PER_TABLE);
		struct unfit found = { 0 };

		for (unsigned i = 0; i < TABLE_CLUSTERS; i++)
			count_change(&found, 0, table->taken[i]);
		faults += found.whole != table->unfit.whole || found.open != table->unfit.open;
		sum.whole += found.whole;
		sum.open += found.open;
	}
	for (unsigned i = 0; i < MAX_DIRS; i++) {
		dirs.whole += area->dir_unfit[i].whole;
		dirs.open += area->dir_unfit[i].open;
	}
	faults += dirs.whole != sum.whole || dirs.open != sum.open;
	if (faults)
		printk("mm_check: swap area %u: sums over its map are wrong\n", area->nr);
	return faults;
}
