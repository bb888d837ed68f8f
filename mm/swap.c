/*
 * swap.c - the slots of swap areas: who has which. Where the next pages go: swap_room.c.
 *
 *	disk     | header | slot 1 | slot 2 | ...                      a page each
 *	                      |
 *	area     dir[] -> array of tables -> table: count[] frame[] and two maps, for 512 slots
 *
 *	PTE  [swap entry]---.
 *	PTE  [swap entry]----+--> slot: count 2, frame ---> struct page (PG_SWAPCACHE, page->swap)
 *
 *	count   frame
 *	0       -        free, unless it is bad
 *	n       -        only on the disk
 *	n       page     in memory too; the disk has the same unless the page is PG_DIRTY
 *	0       page     mapped by PTEs again, and its copy on the disk is still good
 *
 * Everything is made at swapon, in single frames: giving a slot to a page allocates nothing.
 *
 * Invariants: a slot is taken exactly if it has a count or a page, is bad, or is being discarded
 * (swap_check()). An area stays as long as one of its slots has either of the first two, so who
 * holds an entry may look at it.
 * Locks: swap_lock, for all of it.
 */
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "mm/swap_internal.h"

struct spinlock swap_lock = SPINLOCK_INIT;
struct swap_area *swap_areas[MAX_SWAP_AREAS];

/* ---- looking a slot up ---- */

static bool entry_in_area(pte_t entry, const struct swap_area *area)
{
	return area && swap_entry_slot(entry) > 0 && swap_entry_slot(entry) < area->nr_slots;
}

bool slot_look(pte_t entry, struct slot *s)
{
	struct swap_area *area = swap_areas[swap_entry_area(entry)];
	unsigned long slot = swap_entry_slot(entry);

	if (unlikely(!entry_in_area(entry, area)))
		return false;
	*s = (struct slot){ area, area_table(area, slot), slot % SLOTS_PER_TABLE, slot };
	return true;
}

struct slot slot_find(pte_t entry)
{
	struct slot s;

	if (unlikely(!slot_look(entry, &s)))
		panic("BUG: swap entry 0x%lx names no slot", entry.val);
	return s;
}

static bool is_busy(struct slot s)
{
	return s.table->count[s.at] > 0 || s.table->frame[s.at] > 0;
}

unsigned swap_count(pte_t entry)
{
	unsigned count = 0;
	struct slot s;

	spin_lock(&swap_lock);
	if (slot_look(entry, &s))
		count = s.table->count[s.at];
	spin_unlock(&swap_lock);
	return count;
}

bool swap_wants_write(pte_t entry)
{
	struct slot s;
	bool wants;

	spin_lock(&swap_lock);
	wants = slot_look(entry, &s) && s.table->count[s.at] > 0 && !slot_is_bad(s);
	spin_unlock(&swap_lock);
	return wants;
}

/* ---- counts ---- */

void swap_dup(pte_t entry)
{
	struct slot s;

	spin_lock(&swap_lock);
	s = slot_find(entry);
	BUG_ON(!is_busy(s));
	s.table->count[s.at]++;
	BUG_ON(s.table->count[s.at] == 0); /* more than PID_MAX address spaces */
	spin_unlock(&swap_lock);
}

void slot_check_free(struct slot s)
{
	if (is_busy(s))
		return;
	s.area->nr_busy--;
	if (slot_is_bad(s))
		s.area->nr_busy_bad--;
	else
		slot_set_taken(s.area, s.nr, false);
	if (s.area->discards)
		swap_cluster_freed(s.area, s.table, s.at / CLUSTER_SLOTS);
}

void swap_put(pte_t entry)
{
	struct page *unwanted = NULL;
	struct slot s;

	spin_lock(&swap_lock);
	s = slot_find(entry);
	BUG_ON(s.table->count[s.at] == 0);
	if (--s.table->count[s.at] == 0) {
		unwanted = slot_page(s);
		slot_check_free(s);
		/* Where PTEs map the page the slot stays: it needs no second write. */
		if (unwanted && atomic_read(&unwanted->mapcount) > 0)
			unwanted = NULL;
		if (unwanted)
			page_get(unwanted);
	}
	spin_unlock(&swap_lock);
	if (!unwanted)
		return;
	swap_cache_unwanted(unwanted);
	page_put(unwanted);
}

void swap_slot_failed(pte_t entry)
{
	struct slot s;

	spin_lock(&swap_lock);
	s = slot_find(entry);
	if (!slot_is_bad(s)) {
		s.table->bad[s.at / CLUSTER_SLOTS] |= 1u << s.at % CLUSTER_SLOTS;
		s.area->nr_good--;
		s.area->nr_busy_bad++; /* a page that is being written has it */
	}
	spin_unlock(&swap_lock);
}

/* ---- sums ---- */

static unsigned long sum_areas(bool free_only)
{
	unsigned long sum = 0;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		const struct swap_area *area = swap_areas[i];

		if (area && !area->closing)
			sum += free_only ? area_nr_free(area) : area->nr_good;
	}
	spin_unlock(&swap_lock);
	return sum;
}

unsigned long swap_nr_slots(void)
{
	return sum_areas(false);
}

unsigned long swap_nr_free(void)
{
	return sum_areas(true);
}

bool swap_has_room(void)
{
	return swap_nr_free() > 0;
}

bool swap_is_closing(pte_t entry)
{
	return READ_ONCE(swap_areas[swap_entry_area(entry)]->closing);
}

bool swap_is_tight(void)
{
	return swap_nr_free() * 2 < swap_nr_slots();
}

bool swap_get_info(unsigned i, struct swap_info *info)
{
	const struct swap_area *area;

	if (i >= MAX_SWAP_AREAS)
		return false;
	spin_lock(&swap_lock);
	area = swap_areas[i];
	if (area) {
		*info = (struct swap_info){
			.slots = area->nr_good,
			.used = area->nr_busy - area->nr_busy_bad,
			.prio = area->prio,
		};
		__builtin_memcpy(info->name, area->name, sizeof(info->name));
	}
	spin_unlock(&swap_lock);
	return area;
}

unsigned long swap_nr_stuck(void)
{
	unsigned long nr = 0;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++)
		nr += swap_areas[i] ? swap_areas[i]->nr_busy_bad : 0;
	spin_unlock(&swap_lock);
	return nr;
}

bool swap_uses(const struct block_device *bdev)
{
	bool uses = false;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++)
		uses |= swap_areas[i] && swap_areas[i]->bdev == bdev;
	spin_unlock(&swap_lock);
	return uses;
}

/* ---- checking ---- */

bool swap_recount(pte_t entry, int by)
{
	struct slot s;

	if (!slot_look(entry, &s) || (by < 0 && s.table->count[s.at] == 0))
		return false;
	s.table->count[s.at] += by;
	return true;
}

/* What is wrong with a slot whose count the checker has taken off, or NULL. */
static const char *slot_fault(struct slot s, pte_t entry)
{
	const struct page *page = slot_page(s);

	if (s.table->count[s.at] > 0)
		return "has a count that no PTE accounts for";
	if (!page)
		return NULL;
	if (!(page_flags(page) & PG_SWAPCACHE) || page->swap.val != entry.val)
		return "has a page that is not cached for it";
	if (atomic_read(&page->refcount) <= atomic_read(&page->mapcount))
		return "has a page without a reference";
	return NULL;
}

/* True when slots are taken that nobody has, or somebody has one that is not taken. */
static bool check_taken(const struct swap_area *area)
{
	unsigned long taken = 0, busy = area->nr_busy - area->nr_busy_bad + area->nr_discarding;

	for (unsigned long n = 0; n < area->nr_slots; n += CLUSTER_SLOTS) {
		const struct swap_table *table = area_table(area, n);
		unsigned cluster = n / CLUSTER_SLOTS % TABLE_CLUSTERS;

		taken += hweight64(table->taken[cluster] & ~table->bad[cluster]);
	}
	if (taken == busy)
		return false;
	printk("mm_check: %lu swap slots of area %u are taken, %lu are in use\n", taken, area->nr,
	       busy);
	return true;
}

static int check_area(struct swap_area *area, unsigned long *cached)
{
	int faults = check_taken(area);

	for (unsigned long n = 1; n < area->nr_slots; n++) {
		pte_t entry = swap_entry(area->nr, n);
		struct slot s = slot_find(entry);
		const char *fault = slot_fault(s, entry);

		*cached += slot_page(s) != NULL;
		if (!fault)
			continue;
		printk("mm_check: swap slot %lu of area %u %s\n", n, area->nr, fault);
		faults++;
	}
	return faults;
}

int swap_check(void)
{
	unsigned long cached = 0;
	int faults = 0;

	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		if (!swap_areas[i])
			continue;
		faults += check_area(swap_areas[i], &cached);
		faults += swap_check_room(swap_areas[i]);
	}
	if (cached != nr_swap_cached) {
		printk("mm_check: %lu pages in the swap cache, %lu are counted\n", cached,
		       nr_swap_cached);
		faults++;
	}
	return faults;
}
