/*
 * bdev.c - a disk as a file: /dev/vda and its page cache.
 *
 *	block_device <-- bdev_inode (one for each disk, for ever) --> address_space: page n = bytes
 *	                                                              [n * 4096, n * 4096 + 4096)
 *
 * It is read only: what a file system on the disk writes goes by its own mappings, and whoever
 * opens the disk drops what was cached here before, so that he sees what was written since.
 *
 * Locks: bdevs_lock guards the list, which only grows.
 */
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "fs/internal.h"
#include "fs/mpage.h"
#include "lib/string.h"
#include "mm/debug.h"
#include "mm/slab.h"

struct bdev_pages {
	struct block_device *bdev;
	struct address_space as;
	struct list_head link;
};

static struct spinlock bdevs_lock = SPINLOCK_INIT;
static LIST_HEAD(bdevs);

static int sector_of(struct address_space *as __maybe_unused, u64 block, u64 *phys)
{
	*phys = block;
	return 0;
}

static void bdev_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct bdev_pages *bp = container_of(as, struct bdev_pages, as);

	struct mpage_layout layout = {
		.bdev = bp->bdev,
		.blkbits = SECTOR_SHIFT,
		.per_page = PAGE_SIZE / SECTOR_SIZE,
		.get_block = sector_of,
	};

	mpage_read(as, pages, nr, &layout);
}

static const struct address_space_ops bdev_aops = {
	.read_pages = bdev_read_pages,
};

static struct bdev_pages *find_pages(const struct block_device *bdev)
{
	struct bdev_pages *bp;

	list_for_each_entry(bp, &bdevs, link) {
		if (bp->bdev == bdev)
			return bp;
	}
	return NULL;
}

struct address_space *bdev_mapping(struct block_device *bdev)
{
	struct bdev_pages *bp, *spare;

	spin_lock(&bdevs_lock);
	bp = find_pages(bdev);
	spin_unlock(&bdevs_lock);
	if (bp)
		return &bp->as;
	spare = kzalloc(sizeof(*spare), GFP_KERNEL);
	if (!spare)
		return NULL;
	spare->bdev = bdev;
	mapping_init(&spare->as, NULL, &bdev_aops);
	spare->as.size = bdev->nr_sectors << SECTOR_SHIFT;
	spin_lock(&bdevs_lock);
	bp = find_pages(bdev);
	if (!bp) {
		list_add(&spare->link, &bdevs);
		debug_object_kept(spare); /* as long as the disk, which is never taken out */
		swap(bp, spare);
	}
	spin_unlock(&bdevs_lock);
	kfree(spare);
	return &bp->as;
}

struct block_device *bdev_find(dev_t dev)
{
	struct block_device *bdev = NULL;

	while ((bdev = block_next(bdev))) {
		if (bdev->dev == dev)
			break;
	}
	return bdev;
}

/* ---- /dev/vda: to be looked at, not written past the file system ---- */

static int bdev_open(struct inode *inode, struct file *file)
{
	struct block_device *bdev = bdev_find(inode->i_rdev);

	if (!bdev)
		return -ENXIO;
	if (file->f_mode & FMODE_WRITE)
		return -EROFS;
	file->f_mapping = bdev_mapping(bdev);
	file->private_data = bdev;
	if (!file->f_mapping)
		return -ENOMEM;
	filemap_drop_clean(file->f_mapping);
	return 0;
}

static long bdev_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	if (cmd != BLKGETSIZE64)
		return -ENOTTY;
	return put_user((u64)file->f_mapping->size, (u64 *)arg);
}

const struct file_operations bdev_fops = {
	.open = bdev_open,
	.read = generic_file_read,
	.ioctl = bdev_ioctl,
};
