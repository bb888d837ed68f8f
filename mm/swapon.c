/*
 * swapon.c - a disk becomes a swap area: its header is read, and the tables of its slots are made.
 *
 *	page 0   1024: version, last page, number of bad pages   1536: bad pages   4086: SWAPSPACE2
 *
 *	version 1, all bad pages in the area, and the last page on the disk: else it is no header
 *
 * swapon(2) finds the disk and claims it for swap (fs/swap.c). Its opposite: mm/swapoff.c.
 *
 * Memory: two bytes for the count, four for the frame and two bits for each slot, in single frames:
 * 1 MiB for a disk of 640 MiB. Areas beyond MAX_SLOTS are used up to there.
 *
 * Invariant: an area is in swap_areas[] when it is complete, and until all of it has come back.
 * Locks: swap_mutex, for who makes or ends an area; swap_lock for the array.
 * Source: mkswap(8), swapon(2).
 */
#include "kernel/printk.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"
#include "mm/swap_internal.h"

struct mutex swap_mutex = {
	.lock = SPINLOCK_INIT,
	.waiters = LIST_HEAD_INIT(swap_mutex.waiters),
};

/* What is in a header's frame. */
#define HEADER_INFO  1024
#define HEADER_BAD   1536
#define HEADER_MAGIC (PAGE_SIZE - 10)
#define MAX_BAD	     ((HEADER_MAGIC - HEADER_BAD) / sizeof(u32))

struct swap_header {
	u32 version, last_page, nr_bad;
};

/* ---- tables ---- */

static void free_dir(struct swap_table **dir)
{
	for (unsigned i = 0; i < TABLES_PER_DIR && dir[i]; i++)
		page_put(virt_to_page(dir[i]));
	page_put(virt_to_page(dir));
}

void swap_area_free(struct swap_area *area)
{
	for (unsigned i = 0; i < MAX_DIRS && area->dir[i]; i++)
		free_dir(area->dir[i]);
	kfree(area);
}

static void *zeroed_frame(void)
{
	struct page *page = alloc_page(GFP_KERNEL | GFP_ZERO);

	return page ? page_address(page) : NULL;
}

static void mark_bad(struct swap_area *area, unsigned long slot)
{
	struct swap_table *table = area_table(area, slot);

	slot_set_taken(area, slot, true);
	table->bad[slot / CLUSTER_SLOTS % TABLE_CLUSTERS] |= 1u << slot % CLUSTER_SLOTS;
}

/* Tables for all slots, of which the header's and those past the end are bad. */
static int make_tables(struct swap_area *area)
{
	unsigned long nr = DIV_ROUND_UP(area->nr_slots, SLOTS_PER_TABLE);

	BUILD_BUG_ON(sizeof(struct swap_table) > PAGE_SIZE);
	for (unsigned long i = 0; i < nr; i++) {
		struct swap_table ***dir = &area->dir[i / TABLES_PER_DIR];

		if (!*dir)
			*dir = zeroed_frame();
		if (!*dir)
			return -ENOMEM;
		(*dir)[i % TABLES_PER_DIR] = zeroed_frame();
		if (!(*dir)[i % TABLES_PER_DIR])
			return -ENOMEM;
		(*dir)[i % TABLES_PER_DIR]->first = i * SLOTS_PER_TABLE;
	}
	mark_bad(area, 0);
	for (unsigned long slot = area->nr_slots; slot < nr * SLOTS_PER_TABLE; slot++)
		mark_bad(area, slot);
	area->nr_good = area->nr_slots - 1;
	return 0;
}

/* ---- the header ---- */

static __noinline int read_header(struct block_device *bdev, struct page *page)
{
	struct bio bio;

	memset(&bio, 0, sizeof(bio));
	bio.bdev = bdev;
	bio.op = BIO_READ;
	bio_add_page(&bio, page, 0, PAGE_SIZE);
	return submit_bio_wait(&bio);
}

/* 0 with the header's numbers in @header, or -EINVAL. */
static int check_header(const struct block_device *bdev, const u8 *bytes,
			struct swap_header *header)
{
	if (memcmp(bytes + HEADER_MAGIC, "SWAPSPACE2", 10) != 0)
		return -EINVAL;
	memcpy(header, bytes + HEADER_INFO, sizeof(*header));
	if (header->version != 1 || header->last_page == 0 || header->nr_bad > MAX_BAD ||
	    header->last_page >= bdev->nr_sectors / (PAGE_SIZE / SECTOR_SIZE))
		return -EINVAL;
	return 0;
}

/* The bad pages of @header, those of a part of the disk that is not used left out. 0 or -EINVAL. */
static int mark_bad_pages(struct swap_area *area, const u8 *bytes, const struct swap_header *header)
{
	for (unsigned i = 0; i < header->nr_bad; i++) {
		u32 slot;

		memcpy(&slot, bytes + HEADER_BAD + i * sizeof(slot), sizeof(slot));
		if (slot == 0 || slot > header->last_page)
			return -EINVAL;
		if (slot >= area->nr_slots)
			continue;
		if (slot_is_bad((struct slot){ area, area_table(area, slot), slot % SLOTS_PER_TABLE,
					       slot }))
			continue; /* told twice */
		mark_bad(area, slot);
		area->nr_good--;
	}
	return area->nr_good > 0 ? 0 : -EINVAL;
}

/* ---- on ---- */

/* A complete area for the header in @bytes, or ERR_PTR. */
static int make_area(struct swap_area *area, const u8 *bytes)
{
	struct swap_header header;
	int err = check_header(area->bdev, bytes, &header);

	if (err)
		return err;
	area->nr_slots = min((unsigned long)header.last_page + 1, (unsigned long)MAX_SLOTS);
	area->cursor = 1;
	INIT_LIST_HEAD(&area->freed);
	err = make_tables(area);
	if (err)
		return err;
	return mark_bad_pages(area, bytes, &header);
}

/* Below that of all others, and of what a wish may be. swap_lock held. */
static int last_prio(void)
{
	int prio = -1;

	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		if (swap_areas[i])
			prio = min(prio, swap_areas[i]->prio);
	}
	return prio - 1;
}

/* From now on it is used; -EPERM: there are too many. Without a wish it comes last. */
static int add_area(struct swap_area *area, int flags)
{
	int err = -EPERM;

	spin_lock(&swap_lock);
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		if (swap_areas[i])
			continue;
		area->nr = i;
		area->prio = flags & SWAP_FLAG_PREFER ? flags & SWAP_FLAG_PRIO_MASK : last_prio();
		swap_areas[i] = area;
		err = 0;
		break;
	}
	spin_unlock(&swap_lock);
	return err;
}

int swap_area_on(struct block_device *bdev, const char *name, int flags)
{
	struct swap_area *area = kzalloc(sizeof(*area), GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	int err = -ENOMEM;

	mutex_lock(&swap_mutex);
	if (!area || !page)
		goto out;
	area->bdev = bdev;
	strlcpy(area->name, name, sizeof(area->name));
	err = -EBUSY;
	if (swap_uses(bdev))
		goto out;
	err = -EROFS;
	if (bdev->read_only)
		goto out;
	err = -EINVAL;
	if (bdev->nr_sectors < PAGE_SIZE / SECTOR_SIZE)
		goto out;
	err = read_header(bdev, page);
	if (!err)
		err = make_area(area, page_address(page));
	if (!err)
		swap_discard_init(area, flags);
	if (!err)
		err = add_area(area, flags);
	if (!err)
		area = NULL;
out:
	mutex_unlock(&swap_mutex);
	if (page)
		page_put(page);
	if (area)
		swap_area_free(area);
	return err;
}
