/*
 * bdev.c - a disk as a file: /dev/vda and its page cache.
 *
 *	block_device <-- bdev_inode (one for each disk, for ever) --> address_space: page n = bytes
 *	                                                              [n * 4096, n * 4096 + 4096)
 *
 * Writes go to the pages; and to the disk when a writer closes it or asks (fsync, O_SYNC), with the
 * flusher, or when much is dirty. A disk that is mounted or swapped to is claimed: its owner has
 * mappings or requests of his own, so nobody may write here. Whoever opens the disk drops what was
 * cached here before: he sees what the owner wrote since.
 *
 *	use   0 --open for writing--> 1, 2, ...      0 --bdev_claim()--> CLAIMED
 *	        <-------close--------                  <-bdev_release()-
 *
 * Invariants: no page is dirty while the disk is claimed.
 * Locks: bdevs_lock guards the list, which only grows, and use. bp->lock, where a file has its
 * inode's, is one writer's; outside mmap_lock.
 */
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "fs/internal.h"
#include "fs/mpage.h"
#include "lib/string.h"
#include "mm/debug.h"
#include "mm/slab.h"

#define CLAIMED (-1)

struct bdev_pages {
	struct block_device *bdev;
	struct address_space as;
	struct mutex lock; /* who writes */
	int use;	   /* so many have it open for writing, or CLAIMED */
	struct list_head link;
};

static struct spinlock bdevs_lock = SPINLOCK_INIT;
static LIST_HEAD(bdevs);

static int sector_of(struct address_space *as __maybe_unused, u64 block, u64 *phys)
{
	*phys = block;
	return 0;
}

static struct bdev_pages *pages_of(struct address_space *as)
{
	return container_of(as, struct bdev_pages, as);
}

static struct mpage_layout layout_of(struct address_space *as)
{
	return (struct mpage_layout){
		.bdev = pages_of(as)->bdev,
		.blkbits = SECTOR_SHIFT,
		.per_page = PAGE_SIZE / SECTOR_SIZE,
		.get_block = sector_of,
	};
}

static void bdev_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = layout_of(as);

	mpage_read(as, pages, nr, &layout);
}

static void bdev_write_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = layout_of(as);

	mpage_write(as, pages, nr, &layout);
}

static const struct address_space_ops bdev_aops = {
	.read_pages = bdev_read_pages,
	.write_pages = bdev_write_pages,
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

static struct bdev_pages *new_pages(struct block_device *bdev)
{
	struct bdev_pages *bp = kzalloc(sizeof(*bp), GFP_KERNEL);

	if (!bp)
		return NULL;
	bp->bdev = bdev;
	mutex_init(&bp->lock);
	mapping_init(&bp->as, NULL, &bdev_aops);
	bp->as.size = bdev->nr_sectors << SECTOR_SHIFT;
	return bp;
}

struct address_space *bdev_mapping(struct block_device *bdev)
{
	struct bdev_pages *bp, *spare;

	spin_lock(&bdevs_lock);
	bp = find_pages(bdev);
	spin_unlock(&bdevs_lock);
	if (bp)
		return &bp->as;
	spare = new_pages(bdev);
	if (!spare)
		return NULL;
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

/* ---- whose it is ---- */

/* Another writer (@claim: the owner) of the disk; 0 or -EBUSY. */
static int begin_use(struct bdev_pages *bp, bool claim)
{
	int err = 0;

	spin_lock(&bdevs_lock);
	if (bp->use == CLAIMED || (claim && bp->use > 0))
		err = -EBUSY;
	else
		bp->use = claim ? CLAIMED : bp->use + 1;
	spin_unlock(&bdevs_lock);
	return err;
}

static void end_use(struct bdev_pages *bp)
{
	spin_lock(&bdevs_lock);
	bp->use = bp->use == CLAIMED ? 0 : bp->use - 1;
	spin_unlock(&bdevs_lock);
}

/* What was written to the disk's file is on the disk; 0, or -errno when one of these failed. */
static int sync_pages(struct bdev_pages *bp)
{
	int err = filemap_write_all(&bp->as);
	int flushed = block_flush(bp->bdev);

	return err ? err : flushed;
}

int bdev_claim(struct block_device *bdev)
{
	struct address_space *as = bdev_mapping(bdev);
	int err;

	if (!as)
		return -ENOMEM;
	err = begin_use(pages_of(as), true);
	if (err)
		return err;
	/* The last writer's close has done this, unless it had no memory. */
	err = filemap_write_all(as);
	if (!err && filemap_is_dirty(as))
		err = -ENOMEM;
	if (err)
		end_use(pages_of(as));
	return err;
}

void bdev_release(struct block_device *bdev)
{
	end_use(pages_of(bdev_mapping(bdev)));
}

void bdev_sync_all(void)
{
	for (struct block_device *bdev = block_next(NULL); bdev; bdev = block_next(bdev)) {
		struct bdev_pages *bp;
		bool written;

		spin_lock(&bdevs_lock);
		bp = find_pages(bdev);
		written = bp && bp->use != CLAIMED;
		spin_unlock(&bdevs_lock);
		if (written)
			sync_pages(bp);
	}
}

/* ---- /dev/vda ---- */

static int bdev_open(struct inode *inode, struct file *file)
{
	struct block_device *bdev = bdev_find(inode->i_rdev);
	int err = 0;

	if (!bdev)
		return -ENXIO;
	if ((file->f_mode & FMODE_WRITE) && bdev->read_only)
		return -EROFS;
	file->f_mapping = bdev_mapping(bdev);
	file->private_data = bdev;
	if (!file->f_mapping)
		return -ENOMEM;
	if (file->f_mode & FMODE_WRITE)
		err = begin_use(pages_of(file->f_mapping), false);
	if (err)
		return err;
	file->f_wb_err = errseq_sample(&file->f_mapping->wb_err);
	filemap_drop_clean(file->f_mapping, 0, ~0UL);
	return 0;
}

/* Each writer's close has all on the disk: what fails here, only fsync() could tell him. */
static void bdev_close(struct file *file)
{
	struct bdev_pages *bp = pages_of(file->f_mapping);

	if (!(file->f_mode & FMODE_WRITE))
		return;
	sync_pages(bp);
	end_use(bp);
}

int bdev_fsync(struct file *file)
{
	return sync_pages(pages_of(file->f_mapping));
}

/* @write: filemap_write() or its twin for kernel memory. Behind the last byte there is no room. */
static ssize_t locked_write(struct file *file, const void *buf, size_t len, u64 *pos,
			    filemap_write_fn write)
{
	struct bdev_pages *bp = pages_of(file->f_mapping);
	u64 size = bp->as.size;
	ssize_t n = -ENOSPC;

	if (len == 0)
		return 0;
	mutex_lock(&bp->lock);
	if (READ_ONCE(file->f_flags) & O_APPEND)
		*pos = size;
	if (*pos < size)
		n = write(&bp->as, buf, min((u64)len, size - *pos), *pos);
	if (n > 0)
		*pos += n;
	mutex_unlock(&bp->lock);
	return n;
}

static ssize_t bdev_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	return sync_written(file, locked_write(file, ubuf, len, pos, filemap_write));
}

static ssize_t bdev_write_kernel(struct file *file, const void *buf, size_t len, u64 *pos)
{
	return sync_written(file, locked_write(file, buf, len, pos, filemap_write_kernel));
}

static long bdev_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	if (cmd != BLKGETSIZE64)
		return -ENOTTY;
	return put_user((u64)file->f_mapping->size, (u64 *)arg);
}

const struct file_operations bdev_fops = {
	.open = bdev_open,
	.release = bdev_close,
	.read = generic_file_read,
	.write = bdev_write,
	.write_kernel = bdev_write_kernel,
	.ioctl = bdev_ioctl,
};
