/*
 * block.c - what is common to all disks: bios, range checks, statistics, the list of disks.
 *
 *	bio_alloc() <-- spare_bios <-- bio_free()    (an interrupt handler may free, so spares are
 *	     ^              |                         kept here: the slab is not for interrupts)
 *	     |              v  more than MAX_SPARE_BIOS
 *	   slab  <----------+
 *
 * Invariants: a submitted bio gets end_io exactly once, and nobody here touches it afterwards.
 * Locks: spare_lock (innermost, interrupts off); disks_lock guards the list of disks, which only
 * grows. A driver's own lock is never held while end_io runs.
 */
#include "drivers/block.h"

#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"

#define MAX_SPARE_BIOS 32

static struct kmem_cache *bio_cache;

static struct spinlock spare_lock = SPINLOCK_INIT;
static LIST_HEAD(spare_bios);
static unsigned nr_spare;

static struct spinlock disks_lock = SPINLOCK_INIT;
static LIST_HEAD(disks);

/* All who wait in submit_bio_wait(): it outlives them, so that a late wake-up does no harm. */
static struct wait_queue bio_waiters = WAIT_QUEUE_INIT(bio_waiters);

void block_init(void)
{
	bio_cache = kmem_cache_create("bio", sizeof(struct bio), 0);
}

/* A spare bio if there are more than @keep of them, else NULL. */
static struct bio *take_spare(unsigned keep)
{
	struct bio *bio = NULL;
	unsigned long flags = spin_lock_irqsave(&spare_lock);

	if (nr_spare > keep) {
		bio = list_first_entry(&spare_bios, struct bio, link);
		list_del(&bio->link);
		nr_spare--;
	}
	spin_unlock_irqrestore(&spare_lock, flags);
	return bio;
}

struct bio *bio_alloc(struct block_device *bdev, enum bio_op op, u64 sector)
{
	struct bio *bio = take_spare(0), *surplus;

	if (!bio)
		bio = kmem_cache_alloc(bio_cache, GFP_KERNEL);
	if (!bio)
		return NULL;
	while ((surplus = take_spare(MAX_SPARE_BIOS)))
		kmem_cache_free(bio_cache, surplus);
	memset(bio, 0, sizeof(*bio));
	bio->bdev = bdev;
	bio->op = op;
	bio->sector = sector;
	return bio;
}

void bio_free(struct bio *bio)
{
	unsigned long flags = spin_lock_irqsave(&spare_lock);

	list_add(&bio->link, &spare_bios);
	nr_spare++;
	spin_unlock_irqrestore(&spare_lock, flags);
}

void bio_drop_spares(void)
{
	struct bio *bio;

	while ((bio = take_spare(0)))
		kmem_cache_free(bio_cache, bio);
}

bool bio_add_page(struct bio *bio, struct page *page, u32 offset, u32 len)
{
	if (bio->nr_segs == BIO_MAX_SEGS)
		return false;
	bio->segs[bio->nr_segs++] = (struct bio_seg){ page, offset, len };
	return true;
}

static int range_check(const struct bio *bio, u64 sectors)
{
	u64 end = bio->bdev->nr_sectors;

	return bio->sector <= end && sectors <= end - bio->sector ? 0 : -EIO;
}

static int discard_check(const struct bio *bio, u64 *sectors)
{
	if (bio->bdev->max_discard == 0)
		return -EOPNOTSUPP;
	if (bio->nr_segs > 0 || bio->nr_sectors == 0 || bio->nr_sectors > bio->bdev->max_discard)
		return -EINVAL;
	*sectors = bio->nr_sectors;
	return range_check(bio, *sectors);
}

/* 0 when the disk can be asked for @bio, else -errno; *sectors: its length. */
static int bio_check(const struct bio *bio, u64 *sectors)
{
	const struct block_device *bdev = bio->bdev;
	u64 bytes = 0;

	*sectors = 0;
	if (bio->op == BIO_FLUSH)
		return bio->nr_segs ? -EINVAL : 0;
	if (bio->op != BIO_READ && bdev->read_only)
		return -EROFS;
	if (bio->op == BIO_DISCARD)
		return discard_check(bio, sectors);
	if (bio->nr_segs == 0 || bio->nr_segs > BIO_MAX_SEGS)
		return -EINVAL;
	for (unsigned i = 0; i < bio->nr_segs; i++) {
		const struct bio_seg *seg = &bio->segs[i];

		if (seg->len == 0 || (seg->len | seg->offset) % SECTOR_SIZE ||
		    seg->offset > PAGE_SIZE || seg->len > PAGE_SIZE - seg->offset)
			return -EINVAL;
		bytes += seg->len;
	}
	*sectors = bytes >> SECTOR_SHIFT;
	return range_check(bio, *sectors);
}

static void add_relaxed(unsigned long *counter, u64 n)
{
	__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* One request more is under way: raises the peak if this is it. */
static void count_start(struct block_device *bdev)
{
	unsigned now = __atomic_add_fetch(&bdev->in_flight, 1, __ATOMIC_RELAXED);
	unsigned peak = READ_ONCE(bdev->max_in_flight);

	while (now > peak && !__atomic_compare_exchange_n(&bdev->max_in_flight, &peak, now, true,
							  __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void submit_bio(struct bio *bio)
{
	struct block_device *bdev = bio->bdev;
	u64 sectors;
	int err = bio_check(bio, &sectors);

	count_start(bdev);
	if (err) {
		bio_complete(bio, err);
		return;
	}
	if (bio->op == BIO_READ) {
		add_relaxed(&bdev->nr_reads, 1);
		add_relaxed(&bdev->sectors_read, sectors);
	} else if (bio->op == BIO_WRITE) {
		add_relaxed(&bdev->nr_writes, 1);
		add_relaxed(&bdev->sectors_written, sectors);
	} else if (bio->op == BIO_DISCARD) {
		add_relaxed(&bdev->nr_discards, 1);
		add_relaxed(&bdev->sectors_discarded, sectors);
	} else {
		add_relaxed(&bdev->nr_flushes, 1);
	}
	bdev->submit(bio);
}

void bio_complete(struct bio *bio, int status)
{
	__atomic_fetch_sub(&bio->bdev->in_flight, 1, __ATOMIC_RELAXED);
	if (bio->op == BIO_WRITE)
		__atomic_fetch_add(&bio->bdev->writes_done, 1, __ATOMIC_RELEASE);
	bio->status = status;
	bio->end_io(bio);
}

/* end_io of submit_bio_wait(): once *done is set the waiter may be gone, and the bio with it. */
static void wake_bio_waiter(struct bio *bio)
{
	bool *done = bio->private;

	smp_store_release(done, true);
	wake_up_all(&bio_waiters);
}

int submit_bio_wait(struct bio *bio)
{
	bool done = false;

	bio->private = &done;
	bio->end_io = wake_bio_waiter;
	submit_bio(bio);
	wait_event(&bio_waiters, smp_load_acquire(&done));
	return bio->status;
}

/* How many of @nr sectors from @sector on go with the next request. */
static u32 discard_length(const struct block_device *bdev, u64 sector, u64 nr)
{
	u32 max = bdev->max_discard, beyond;

	if (nr <= max || bdev->discard_align == 0)
		return min(nr, (u64)max);
	beyond = (sector + max) % bdev->discard_align;
	return beyond < max ? max - beyond : max;
}

int bdev_discard(struct block_device *bdev, u64 sector, u64 nr)
{
	int err = bdev->max_discard == 0 ? -EOPNOTSUPP : 0;

	while (!err && nr > 0) {
		struct bio bio = { .bdev = bdev, .op = BIO_DISCARD, .sector = sector };

		bio.nr_sectors = discard_length(bdev, sector, nr);
		err = submit_bio_wait(&bio);
		sector += bio.nr_sectors;
		nr -= bio.nr_sectors;
	}
	return err;
}

int block_flush(struct block_device *bdev)
{
	unsigned long done = smp_load_acquire(&bdev->writes_done);
	struct bio *bio;
	bool before;
	int err;

	if (READ_ONCE(bdev->writes_flushed) == done)
		return 0;
	before = memory_must_begin();
	bio = bio_alloc(bdev, BIO_FLUSH, 0);
	memory_must_end(before);
	if (!bio)
		return -ENOMEM;
	err = submit_bio_wait(bio);
	bio_free(bio);
	/*
	 * Of two flushes at once the later one may have found more: going back only costs a flush.
	 */
	if (!err)
		WRITE_ONCE(bdev->writes_flushed, done);
	return err;
}

static struct block_device *find_locked(const char *name)
{
	struct block_device *bdev;

	list_for_each_entry(bdev, &disks, link) {
		if (!strcmp(bdev->name, name))
			return bdev;
	}
	return NULL;
}

int block_register(struct block_device *bdev)
{
	int err = 0;

	spin_lock(&disks_lock);
	if (find_locked(bdev->name))
		err = -EEXIST;
	else
		list_add_tail(&bdev->link, &disks);
	spin_unlock(&disks_lock);
	return err;
}

struct block_device *block_find(const char *name)
{
	struct block_device *bdev;

	spin_lock(&disks_lock);
	bdev = find_locked(name);
	spin_unlock(&disks_lock);
	return bdev;
}

struct block_device *block_next(const struct block_device *prev)
{
	struct list_head *next;

	spin_lock(&disks_lock);
	next = prev ? prev->link.next : disks.next;
	spin_unlock(&disks_lock);
	return next == &disks ? NULL : list_entry(next, struct block_device, link);
}
