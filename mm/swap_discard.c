/*
 * swap_discard.c - the disk is told which slots hold nothing: SWAP_FLAG_DISCARD. A disk that knows
 * has less to keep: flash less to copy, an image file on a host a hole.
 *
 *	slot freed     the last of its cluster: marked, and the table listed    spinlocks held
 *	                                                      |
 *	swap_discarder()  <-----------------------------------'                 a thread
 *	     1. the clusters of a table that are still free are taken: nobody gets a slot of them
 *	     2. bdev_discard(), a request for each run of slots; bad ones are left out
 *	     3. they are free again
 *
 *	cluster    free, marked -----> taken ------> free
 *	                  |     1.             3.
 *	                  '--> a slot is given out: in use; the mark means nothing by step 1
 *
 * Slots that are just being discarded count as free, but cannot be had. Who finds no other waits,
 * before he takes spinlocks: else memory would seem to be out while swap is empty.
 *
 * A discard is a hint. When one fails that is said, and the area has no more of them.
 *
 * Invariants: a table is on area->freed exactly while it has marked clusters. At most one table of
 * an area is being discarded, and then area->discarding is set and the area stays.
 * Locks: swap_lock; none while the disk is told.
 * Source: swapon(2), swapon(8).
 */
#include "kernel/printk.h"
#include "kernel/wait.h"
#include "lib/bitmap.h"
#include "mm/swap_internal.h"

static struct wait_queue discard_queue = WAIT_QUEUE_INIT(discard_queue); /* the thread */
static struct wait_queue discard_ended = WAIT_QUEUE_INIT(discard_ended);

/* Clusters of one table that are being discarded. */
struct discard {
	struct swap_area *area;
	struct swap_table *table;
	u16 clusters;
};

/* ---- marking ---- */

void swap_cluster_freed(struct swap_area *area, struct swap_table *table, unsigned cluster)
{
	if (table->taken[cluster] != table->bad[cluster])
		return;
	BUILD_BUG_ON(TABLE_CLUSTERS > 8 * sizeof(table->freed));
	if (list_empty(&area->freed))
		wake_up_all(&discard_queue);
	if (!table->freed)
		list_add_tail(&table->link, &area->freed);
	table->freed |= 1u << cluster;
}

/* ---- 1. taking ---- */

/* Marked clusters of the next table of @d->area that are still free; swap_lock held. */
static void take_clusters(struct discard *d)
{
	struct swap_table *table = list_first_entry(&d->area->freed, struct swap_table, link);

	list_del(&table->link);
	d->table = table;
	d->clusters = 0;
	for (unsigned i = 0; i < TABLE_CLUSTERS; i++) {
		if (!(table->freed >> i & 1) || table->taken[i] != table->bad[i])
			continue;
		d->clusters |= 1u << i;
		d->area->nr_discarding += hweight64(~table->bad[i]);
		cluster_set_taken(d->area, table->first / CLUSTER_SLOTS + i, ~0u);
	}
	table->freed = 0;
	d->area->discarding = d->clusters != 0;
}

static bool may_discard(const struct swap_area *area)
{
	return area && area->discards && !area->closing && !area->discarding &&
	       !list_empty(&area->freed);
}

static bool begin_discard(struct discard *d)
{
	d->clusters = 0;
	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS && !d->clusters; i++) {
		d->area = swap_areas[i];
		while (may_discard(d->area))
			take_clusters(d);
	}
	spin_unlock(&swap_lock);
	return d->clusters != 0;
}

/* ---- 2. telling ---- */

/* Discards slots [first, end) of @area, which nobody else may use. */
static int discard_slots(const struct swap_area *area, unsigned long first, unsigned long end)
{
	if (first == end)
		return 0;
	return bdev_discard(area->bdev, (u64)first * SLOT_SECTORS, (end - first) * SLOT_SECTORS);
}

/* The slots of @clusters of @table that are not bad, in runs. */
static int discard_clusters(const struct swap_area *area, const struct swap_table *table,
			    u16 clusters)
{
	unsigned start = 0; /* of the run that @at would go on */
	int err = 0;

	for (unsigned at = 0; at < SLOTS_PER_TABLE && !err; at++) {
		unsigned cluster = at / CLUSTER_SLOTS;
		u32 bad = clusters >> cluster & 1 ? READ_ONCE(table->bad[cluster]) : ~0u;

		if (!(bad >> at % CLUSTER_SLOTS & 1))
			continue;
		err = discard_slots(area, table->first + start, table->first + at);
		start = at + 1;
	}
	return err ?: discard_slots(area, table->first + start, table->first + SLOTS_PER_TABLE);
}

static void say_failed(const struct swap_area *area, int err)
{
	printk("swap: %s: a discard failed (error %d): there are no more of them\n", area->name,
	       -err);
}

/* ---- 3. giving back ---- */

static void end_discard(struct discard *d, bool failed)
{
	spin_lock(&swap_lock);
	for (unsigned i = 0; i < TABLE_CLUSTERS; i++) {
		if (d->clusters >> i & 1)
			cluster_set_taken(d->area, d->table->first / CLUSTER_SLOTS + i,
					  d->table->bad[i]);
	}
	d->area->nr_discarding = 0;
	if (failed)
		d->area->discards = false;
	WRITE_ONCE(d->area->discarding, false); /* the area may go from here on */
	wake_up_all(&discard_ended);
	spin_unlock(&swap_lock);
}

bool swap_discard_freed(void)
{
	struct discard d;
	int err;

	if (!begin_discard(&d))
		return false;
	err = discard_clusters(d.area, d.table, d.clusters);
	if (err)
		say_failed(d.area, err);
	end_discard(&d, err != 0);
	return true;
}

/* ---- the thread ---- */

static bool is_there_work(void)
{
	bool work = false;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++)
		work |= may_discard(swap_areas[i]);
	spin_unlock(&swap_lock);
	return work;
}

void swap_discarder(void *arg __maybe_unused)
{
	for (;;) {
		wait_event_state(&discard_queue, is_there_work(), TASK_IDLE);
		while (swap_discard_freed())
			;
	}
}

void swap_discard_go_on(void)
{
	wake_up_all(&discard_queue);
}

/* ---- who has to wait ---- */

/* True when there are free slots, and all of them are being discarded. */
static bool are_all_discarded(void)
{
	unsigned long nr_free = 0, nr_discarding = 0;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		if (!swap_areas[i] || swap_areas[i]->closing)
			continue;
		nr_free += area_nr_free(swap_areas[i]);
		nr_discarding += swap_areas[i]->nr_discarding;
	}
	spin_unlock(&swap_lock);
	return nr_free > 0 && nr_free == nr_discarding;
}

void swap_discard_wait(void)
{
	if (are_all_discarded())
		wait_event(&discard_ended, !are_all_discarded());
}

void swap_discard_end(struct swap_area *area)
{
	wait_event(&discard_ended, !READ_ONCE(area->discarding));
}

/* ---- swapon ---- */

static int discard_area(const struct swap_area *area)
{
	int err = 0;

	for (unsigned long n = 0; n < area->nr_slots && !err; n += SLOTS_PER_TABLE)
		err = discard_clusters(area, area_table(area, n), 0xffff);
	return err;
}

void swap_discard_init(struct swap_area *area, int flags)
{
	int err = 0;

	if (!(flags & SWAP_FLAG_DISCARD) || area->bdev->max_discard == 0)
		return;
	if ((flags & SWAP_FLAG_DISCARD_ONCE) || !(flags & SWAP_FLAG_DISCARD_PAGES))
		err = discard_area(area);
	if (err)
		say_failed(area, err);
	area->discards = !err && !(flags & SWAP_FLAG_DISCARD_ONCE);
}
