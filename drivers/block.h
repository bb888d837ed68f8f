/*
 * block.h - disks: asynchronous requests on pages of memory.
 *
 *	bio: device, sector, direction, up to BIO_MAX_SEGS pieces of pages --> submit_bio()
 *	... many in flight ...                     <-- end_io(bio) in interrupt context
 *
 * A discard has sectors and no pages: what they hold is wanted no more, and may read as anything.
 */
#ifndef RAVEL_DRIVERS_BLOCK_H
#define RAVEL_DRIVERS_BLOCK_H

#include "lib/list.h"
#include "lib/types.h"

#define SECTOR_SHIFT 9
#define SECTOR_SIZE  512
#define BIO_MAX_SEGS 32

struct page;
struct block_device;

enum bio_op { BIO_READ, BIO_WRITE, BIO_FLUSH, BIO_DISCARD };

struct bio_seg {
	struct page *page;
	u32 offset, len; /* bytes in the page; multiples of SECTOR_SIZE */
};

struct bio {
	struct block_device *bdev;
	enum bio_op op;
	u64 sector;
	unsigned nr_segs;
	u32 nr_sectors; /* of a BIO_DISCARD, up to bdev->max_discard; nr_segs is 0 */
	struct bio_seg segs[BIO_MAX_SEGS];
	int status;			 /* 0 or -errno, valid in end_io */
	void (*end_io)(struct bio *bio); /* interrupt context; owns the bio again */
	void *private;
	struct list_head link; /* the driver's queue */
};

struct block_device {
	char name[16]; /* "vda" */
	dev_t dev;
	u64 nr_sectors;
	bool read_only;
	u32 max_discard;   /* sectors of one discard; 0: the disk takes none */
	u32 discard_align; /* where a long discard is best divided, in sectors; 0: anywhere */
	void (*submit)(struct bio *bio);
	void *driver_data;
	struct list_head link;
	unsigned long nr_reads, nr_writes, sectors_read, sectors_written; /* statistics */
	unsigned in_flight, max_in_flight;
	/*
	 * Writes that ended, and how many of them the last flush found: what came since is at risk.
	 */
	unsigned long writes_done, writes_flushed;
	unsigned long nr_flushes;
	unsigned long nr_discards, sectors_discarded;
};

/* From the slab; NULL when there is no memory. */
struct bio *bio_alloc(struct block_device *bdev, enum bio_op op, u64 sector);
void bio_free(struct bio *bio);
/* The debug kernel, at its end: gives back those that wait for their next use. */
void bio_drop_spares(void);
/* False when the bio is full. */
bool bio_add_page(struct bio *bio, struct page *page, u32 offset, u32 len);

/* Queues @bio; out-of-range sectors end it with -EIO. Never sleeps, never fails: status tells. */
void submit_bio(struct bio *bio);
/* Submits and sleeps until done; returns status. */
int submit_bio_wait(struct bio *bio);

/* Writes that ended before this call are on the medium after it. 0 or -errno. Sleeps. */
int block_flush(struct block_device *bdev);

/*
 * @nr sectors from @sector on are wanted no more: in as many requests as the disk's maximum asks
 * for, one after the other. 0; -EOPNOTSUPP: the disk takes no discards; -EROFS; -EIO, also out of
 * range. On an error some may be gone. Sleeps; allocates nothing.
 */
int bdev_discard(struct block_device *bdev, u64 sector, u64 nr);

/* The driver's side of submit_bio(): @bio is done with @status (0 or -errno). No lock held. */
void bio_complete(struct bio *bio, int status);

/* Makes @bdev (name, nr_sectors, submit set; never freed) known; -EEXIST when the name is taken. */
int block_register(struct block_device *bdev);
struct block_device *block_find(const char *name);
/* The device after @prev, or the first for NULL; NULL past the last. */
struct block_device *block_next(const struct block_device *prev);
void block_init(void); /* boot, after slab_init() */

#endif
