/*
 * virtio_blk.c - disks: bios become chains of descriptors, many at a time.
 *
 *	submit --> pending --> virtqueue: | header | page ... page | status byte |  --> interrupt
 *	           (queue full: waits here until one completes)                         end_io
 *
 * Header and status byte of a request live in requests[], not on a stack, for the device reads and
 * writes them whenever it likes. A discard has its range there, in the place of the pages. Discards
 * are only sent to a device that has the feature, and numbers that make sense with it.
 *
 * Invariants: a bio is in one place: pending, under way (its request is not on the free list), or
 * given back. `dead` is set once the device broke the rules: it has been reset, touches memory no
 * more, and every bio, old or new, ends with -EIO.
 * Locks: disk->lock, taken by the interrupt handler too (irqsave); never held while end_io runs.
 * Source: OASIS virtio 1.1, section 5.2 "Block Device".
 */
#include "drivers/block.h"
#include "drivers/virtio_mmio.h"
#include "kernel/lock.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/vsnprintf.h"
#include "mm/page.h"
#include "mm/slab.h"

#define BLK_F_SEG_MAX 2
#define BLK_F_RO      5
#define BLK_F_FLUSH   9
#define BLK_F_DISCARD 13

#define CONFIG_CAPACITY	       0 /* sectors */
#define CONFIG_SEG_MAX	       12
#define CONFIG_MAX_DISCARD     36 /* sectors */
#define CONFIG_MAX_DISCARD_SEG 40
#define CONFIG_DISCARD_ALIGN   44 /* sectors */

#define BLK_T_IN      0
#define BLK_T_OUT     1
#define BLK_T_FLUSH   4
#define BLK_T_DISCARD 11

#define BLK_S_OK     0
#define BLK_S_UNSUPP 2
/* No device writes this: a request whose status it still is was never answered. */
#define BLK_S_NONE 0xff

#define MAX_PIECES   (BIO_MAX_SEGS + 2)
#define NR_REQUESTS  (VIRTIO_QUEUE_MAX / 2) /* a request has two pieces or more */
#define DEV_MAJOR    253
#define DEV_PER_DISK 8 /* minor numbers, of 256 */
#define MAX_DISKS    26

struct blk_request {
	struct {
		u32 type, reserved;
		u64 sector;
	} header;
	struct {
		u64 sector;
		u32 nr_sectors, flags;
	} range; /* of a discard */
	u8 status;
	struct bio *bio;
	struct list_head link; /* in free_requests */
};

struct virtio_disk {
	struct block_device bdev;
	struct virtio_device *vdev;
	struct spinlock lock;
	bool dead;
	struct list_head pending; /* bios, oldest first */
	struct list_head free_requests;
	struct virtqueue vq;
	struct blk_request requests[NR_REQUESTS];
};

static unsigned nr_disks;

static u32 request_type(enum bio_op op)
{
	switch (op) {
	case BIO_WRITE:
		return BLK_T_OUT;
	case BIO_FLUSH:
		return BLK_T_FLUSH;
	case BIO_DISCARD:
		return BLK_T_DISCARD;
	default:
		return BLK_T_IN;
	}
}

/* What lies between header and status byte: the pages of @bio, or its range. How many pieces. */
static unsigned fill_pieces(struct vq_piece *pieces, struct blk_request *req, const struct bio *bio)
{
	if (bio->op == BIO_DISCARD) {
		req->range.sector = bio->sector;
		req->range.nr_sectors = bio->nr_sectors;
		req->range.flags = 0;
		pieces[0] = (struct vq_piece){ &req->range, sizeof(req->range), false };
		return 1;
	}
	for (unsigned i = 0; i < bio->nr_segs; i++) {
		const struct bio_seg *seg = &bio->segs[i];

		pieces[i] = (struct vq_piece){ (u8 *)page_address(seg->page) + seg->offset,
					       seg->len, bio->op == BIO_READ };
	}
	return bio->nr_segs;
}

/* Gives @bio to the device; false when the queue is full. Lock held. */
static bool start_bio(struct virtio_disk *disk, struct bio *bio)
{
	struct blk_request *req;
	struct vq_piece pieces[MAX_PIECES];
	unsigned n = 0;

	req = list_first_entry_or_null(&disk->free_requests, struct blk_request, link);
	if (!req)
		return false;
	req->header.type = request_type(bio->op);
	req->header.reserved = 0;
	req->header.sector = bio->op == BIO_READ || bio->op == BIO_WRITE ? bio->sector : 0;
	req->status = BLK_S_NONE;
	req->bio = bio;
	pieces[n++] = (struct vq_piece){ &req->header, sizeof(req->header), false };
	n += fill_pieces(&pieces[n], req, bio);
	pieces[n++] = (struct vq_piece){ &req->status, sizeof(req->status), true };
	if (!virtqueue_add(&disk->vq, pieces, n, req))
		return false;
	list_del(&req->link);
	return true;
}

/* Starts as many pending bios as fit, in order. Lock held. */
static void start_pending(struct virtio_disk *disk)
{
	bool started = false;

	while (!list_empty(&disk->pending)) {
		struct bio *bio = list_first_entry(&disk->pending, struct bio, link);

		if (!start_bio(disk, bio))
			break;
		list_del(&bio->link);
		started = true;
	}
	if (started)
		virtqueue_kick(&disk->vq);
}

static void disk_submit(struct bio *bio)
{
	struct virtio_disk *disk = bio->bdev->driver_data;
	unsigned long flags;
	bool dead;

	/* Without the feature a finished write is on the medium: there is nothing to flush. */
	if (bio->op == BIO_FLUSH && !virtio_has(disk->vdev, BLK_F_FLUSH)) {
		bio_complete(bio, 0);
		return;
	}
	flags = spin_lock_irqsave(&disk->lock);
	dead = disk->dead;
	if (!dead) {
		list_add_tail(&bio->link, &disk->pending);
		start_pending(disk);
	}
	spin_unlock_irqrestore(&disk->lock, flags);
	if (dead)
		bio_complete(bio, -EIO);
}

static int status_errno(u8 status)
{
	switch (status) {
	case BLK_S_OK:
		return 0;
	case BLK_S_UNSUPP:
		return -EOPNOTSUPP;
	default:
		return -EIO;
	}
}

/* The device is done with @req: its bio goes to @done with its status. Lock held. */
static void finish_request(struct virtio_disk *disk, struct blk_request *req,
			   struct list_head *done)
{
	struct bio *bio = req->bio;

	bio->status = status_errno(READ_ONCE(req->status));
	req->bio = NULL;
	list_add(&req->link, &disk->free_requests);
	list_add_tail(&bio->link, done);
}

/* The device cannot be trusted any more: stops it, and fails all that it had. Lock held. */
static void kill_disk(struct virtio_disk *disk, struct list_head *done)
{
	struct blk_request *req;
	struct bio *bio;

	disk->dead = true;
	/* Only a device that has stopped writes no more into pages that are about to be reused. */
	if (!virtio_reset(disk->vdev))
		panic("%s: the disk broke the virtio rules and does not reset", disk->bdev.name);
	while ((req = virtqueue_take_back(&disk->vq))) {
		req->status = BLK_S_NONE;
		finish_request(disk, req, done);
	}
	list_for_each_entry(bio, &disk->pending, link)
		bio->status = -EIO;
	list_splice_tail_init(&disk->pending, done);
}

/* Takes all finished requests off the queue; true: the device broke the rules. Lock held. */
static bool drain_used(struct virtio_disk *disk, struct list_head *done)
{
	struct blk_request *req;

	while ((req = virtqueue_get(&disk->vq))) {
		if (IS_ERR(req))
			return true;
		finish_request(disk, req, done);
	}
	return false;
}

static void disk_interrupt(void *arg)
{
	struct virtio_disk *disk = arg;
	struct bio *bio, *next;
	LIST_HEAD(done);
	unsigned long flags = spin_lock_irqsave(&disk->lock);
	bool broken = false;

	/* Acknowledged first: what finishes after the look at the queue interrupts again. */
	if (!disk->dead) {
		broken = !virtio_ack_irq(disk->vdev);
		broken |= drain_used(disk, &done);
		if (broken)
			kill_disk(disk, &done);
		else
			start_pending(disk);
	}
	spin_unlock_irqrestore(&disk->lock, flags);
	if (broken)
		warn("%s: the disk broke the virtio rules; it was reset and is not used any more",
		     disk->bdev.name);
	list_for_each_entry_safe(bio, next, &done, link)
		bio_complete(bio, bio->status);
}

static void init_disk(struct virtio_disk *disk, struct virtio_device *vdev)
{
	disk->vdev = vdev;
	spin_lock_init(&disk->lock);
	INIT_LIST_HEAD(&disk->pending);
	INIT_LIST_HEAD(&disk->free_requests);
	for (unsigned i = 0; i < NR_REQUESTS; i++)
		list_add_tail(&disk->requests[i].link, &disk->free_requests);
	disk->bdev.submit = disk_submit;
	disk->bdev.driver_data = disk;
}

/* Whether every bio fits into the queue and into what the device takes; says so if not. */
static int check_limits(struct virtio_disk *disk, unsigned slot)
{
	u32 seg_max = BIO_MAX_SEGS;

	if (virtio_has(disk->vdev, BLK_F_SEG_MAX))
		seg_max = virtio_config32(disk->vdev, CONFIG_SEG_MAX);
	if (seg_max >= BIO_MAX_SEGS && disk->vq.size >= MAX_PIECES)
		return 0;
	printk("virtio: slot %u: the disk takes %u segments in a queue of %u; at least %u and %u "
	       "are needed\n",
	       slot, seg_max, disk->vq.size, BIO_MAX_SEGS, MAX_PIECES);
	return -EINVAL;
}

/* What the device says of discards; numbers that make no sense count as none at all. */
static void read_discard_limits(struct virtio_disk *disk)
{
	struct block_device *bdev = &disk->bdev;
	u32 max, align;

	if (!virtio_has(disk->vdev, BLK_F_DISCARD) ||
	    virtio_config32(disk->vdev, CONFIG_MAX_DISCARD_SEG) == 0)
		return;
	max = virtio_config32(disk->vdev, CONFIG_MAX_DISCARD);
	align = virtio_config32(disk->vdev, CONFIG_DISCARD_ALIGN);
	bdev->max_discard = max;
	bdev->discard_align = align <= max ? align : 0;
}

int virtio_blk_probe(struct virtio_device *vdev)
{
	struct virtio_disk *disk;
	int err;

	if (nr_disks == MAX_DISKS)
		return -ENOSPC;
	disk = kzalloc(sizeof(*disk), GFP_KERNEL);
	if (!disk)
		return -ENOMEM;
	init_disk(disk, vdev);
	err = virtio_negotiate(vdev, 1UL << BLK_F_SEG_MAX | 1UL << BLK_F_RO | 1UL << BLK_F_FLUSH |
					     1UL << BLK_F_DISCARD);
	if (err)
		goto free;
	err = virtqueue_init(&disk->vq, vdev, 0);
	if (err)
		goto free;
	err = check_limits(disk, vdev->slot);
	if (err)
		goto free_ring;
	disk->bdev.nr_sectors = virtio_config64(vdev, CONFIG_CAPACITY);
	disk->bdev.read_only = virtio_has(vdev, BLK_F_RO);
	read_discard_limits(disk);
	snprintf(disk->bdev.name, sizeof(disk->bdev.name), "vd%c", 'a' + (int)nr_disks);
	disk->bdev.dev = DEV_MAJOR << 8 | nr_disks * DEV_PER_DISK;
	err = virtio_start(vdev, disk_interrupt, disk);
	if (err)
		goto free_ring;
	err = block_register(&disk->bdev);
	BUG_ON(err); /* only a name that is taken: names count up */
	nr_disks++;
	pr_info("%s: %lu MiB%s, queue of %u\n", disk->bdev.name, disk->bdev.nr_sectors >> 11,
		disk->bdev.read_only ? ", read-only" : "", disk->vq.size);
	return 0;
free_ring:
	/* A device that does not stop may write into the ring for ever: then it is lost. */
	if (virtio_reset(vdev))
		virtqueue_destroy(&disk->vq);
free:
	kfree(disk);
	return err;
}
