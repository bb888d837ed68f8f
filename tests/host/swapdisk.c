/*
 * swapdisk.c - a disk for swap on the host machine: an array, under drivers/block.c.
 *
 *	mm/swapio.c --> submit_bio() --> queue --> ends while somebody sleeps (schedule())
 *
 * Single pages of it, or all, can be made to fail. What is discarded is overwritten, so that nobody
 * can go on living on it.
 */
#include "tests/host/swapdisk.h"

#include <stdlib.h>
#include <string.h>

#include "drivers/block.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/page.h"
#include "mm/swap.h"
#include "tests/host/host.h"

#define MAX_DISKS 20

static struct swap_disk {
	struct block_device bdev;
	u8 *bytes;
} disks[MAX_DISKS];
static unsigned nr_disks;
static LIST_HEAD(queue);

unsigned long swapdisk_bad_read, swapdisk_bad_write, swapdisk_bad_discard;
unsigned swapdisk_requests;
void (*swapdisk_meanwhile)(void);

static void submit(struct bio *bio)
{
	swapdisk_requests++;
	list_add_tail(&bio->link, &queue);
}

static unsigned long bad_page(enum bio_op op)
{
	switch (op) {
	case BIO_READ:
		return swapdisk_bad_read;
	case BIO_DISCARD:
		return swapdisk_bad_discard;
	default:
		return swapdisk_bad_write;
	}
}

static bool fails(const struct bio *bio)
{
	unsigned long bad = bad_page(bio->op);
	unsigned long first = bio->sector / (PAGE_SIZE / SECTOR_SIZE);
	unsigned long nr = bio->nr_segs + bio->nr_sectors / (PAGE_SIZE / SECTOR_SIZE);

	return bad == SWAPDISK_ALL || (bad >= first && bad < first + nr && bad > 0);
}

static int transfer(const struct bio *bio)
{
	const struct swap_disk *disk = container_of(bio->bdev, struct swap_disk, bdev);
	u8 *at = disk->bytes + (bio->sector << SECTOR_SHIFT);

	if (fails(bio))
		return -EIO;
	memset(at, SWAPDISK_DISCARDED, (size_t)bio->nr_sectors << SECTOR_SHIFT);
	for (unsigned i = 0; i < bio->nr_segs; i++, at += PAGE_SIZE) {
		u8 *memory = page_address(bio->segs[i].page);

		if (bio->op == BIO_READ)
			memcpy(memory, at, PAGE_SIZE);
		else
			memcpy(at, memory, PAGE_SIZE);
	}
	return 0;
}

bool swapdisk_complete(void)
{
	void (*run)(void) = swapdisk_meanwhile;
	bool any = !list_empty(&queue);

	if (any && run) {
		swapdisk_meanwhile = NULL;
		run();
	}
	while (!list_empty(&queue)) {
		struct bio *bio = list_first_entry(&queue, struct bio, link);

		list_del(&bio->link);
		bio_complete(bio, transfer(bio));
	}
	return any;
}

struct block_device *swapdisk_new(unsigned long pages)
{
	const u32 info[] = { 1, pages - 1, 0 };
	struct swap_disk *disk = &disks[nr_disks];

	BUG_ON(nr_disks == MAX_DISKS);
	disk->bytes = calloc(pages, PAGE_SIZE);
	memcpy(disk->bytes + 1024, info, sizeof(info));
	memcpy(disk->bytes + PAGE_SIZE - 10, "SWAPSPACE2", 10);
	disk->bdev = (struct block_device){
		.nr_sectors = pages * (PAGE_SIZE / SECTOR_SIZE),
		.max_discard = SWAPDISK_MAX_DISCARD,
		.discard_align = PAGE_SIZE / SECTOR_SIZE,
		.submit = submit,
	};
	snprintf(disk->bdev.name, sizeof(disk->bdev.name), "swap%u", nr_disks++);
	BUG_ON(block_register(&disk->bdev) != 0);
	return &disk->bdev;
}

u8 *swapdisk_page(struct block_device *bdev, unsigned long page)
{
	return container_of(bdev, struct swap_disk, bdev)->bytes + page * PAGE_SIZE;
}
