/*
 * mpage.c - reading pages of a file from the blocks of a disk, many requests at a time.
 *
 *	pages      [   0   ][   1   ][   2   ]     locked, consecutive
 *	blocks     [ 7][ 8][ 9][10][ -][40]        - is a hole: zeroed at once
 *	bios       [ 7   8   9  10 ]   [40]        consecutive blocks share a request
 *
 *	struct batch  one for all of this: for each page, how many of its pieces are on their way.
 *	The last piece of a page ends its read; the last piece of all frees the batch.
 *
 * Invariants: pending = pieces under way + 1 while the submitter works on the page; page_end_read()
 * is called exactly once for each page.
 * Locks: spare_lock (interrupts off) for the list of spare batches: an interrupt handler frees
 * them, and may not call the slab.
 */
#include "fs/mpage.h"

#include "drivers/block.h"
#include "fs/internal.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MAX_PAGES  16
#define MAX_SPARES 8

struct page_io {
	struct page *page;
	atomic_t pending;
	bool failed;
};

struct batch {
	struct list_head link;
	atomic_t refs;	     /* bios under way + the submitter */
	u64 size;	     /* bytes of the file, as it was at the start */
	unsigned long first; /* index of io[0].page */
	struct page_io io[MAX_PAGES];
};

/* What the submitter has in hand. */
struct submission {
	struct batch *batch;
	struct block_device *bdev;
	unsigned blkbits;
	struct bio *bio; /* being filled, or NULL */
	u64 next_sector; /* that would continue it */
};

static struct kmem_cache *batch_cache;
static struct spinlock spare_lock = SPINLOCK_INIT;
static LIST_HEAD(spares);
static unsigned nr_spares;

void mpage_init(void)
{
	batch_cache = kmem_cache_create("read_batch", sizeof(struct batch), 0);
}

/* A spare batch if there are more than @keep, else NULL. */
static struct batch *take_spare(unsigned keep)
{
	struct batch *batch = NULL;
	unsigned long flags = spin_lock_irqsave(&spare_lock);

	if (nr_spares > keep) {
		batch = list_first_entry(&spares, struct batch, link);
		list_del(&batch->link);
		nr_spares--;
	}
	spin_unlock_irqrestore(&spare_lock, flags);
	return batch;
}

static struct batch *batch_alloc(void)
{
	struct batch *batch = take_spare(0), *surplus;

	while ((surplus = take_spare(MAX_SPARES)))
		kmem_cache_free(batch_cache, surplus);
	return batch ? batch : kmem_cache_alloc(batch_cache, GFP_KERNEL);
}

/* Interrupt context too. */
static void batch_put(struct batch *batch)
{
	unsigned long flags;

	if (!atomic_dec_and_test(&batch->refs))
		return;
	flags = spin_lock_irqsave(&spare_lock);
	list_add(&batch->link, &spares);
	nr_spares++;
	spin_unlock_irqrestore(&spare_lock, flags);
}

/* One piece of the page came, or the submitter is through with it. Interrupt context too. */
static void page_io_done(struct batch *batch, struct page_io *io)
{
	u64 pos = (u64)(batch->first + (io - batch->io)) << PAGE_SHIFT;

	if (!atomic_dec_and_test(&io->pending))
		return;
	/* Past the end of the file a page is zeros, whatever the disk holds there. */
	if (!io->failed && batch->size < pos + PAGE_SIZE) {
		unsigned keep = batch->size > pos ? batch->size - pos : 0;

		memset((char *)page_address(io->page) + keep, 0, PAGE_SIZE - keep);
	}
	page_end_read(io->page, !io->failed);
}

static struct page_io *find_io(struct batch *batch, const struct page *page)
{
	struct page_io *io = batch->io;

	while (io->page != page)
		io++;
	return io;
}

/* A request is back: interrupt context. */
static void read_done(struct bio *bio)
{
	struct batch *batch = bio->private;

	for (unsigned i = 0; i < bio->nr_segs; i++) {
		struct page_io *io = find_io(batch, bio->segs[i].page);

		if (bio->status)
			WRITE_ONCE(io->failed, true);
		page_io_done(batch, io);
	}
	bio_free(bio);
	batch_put(batch);
}

static void send_bio(struct submission *s)
{
	if (!s->bio)
		return;
	submit_bio(s->bio);
	s->bio = NULL;
}

/* An empty request that begins at @sector; NULL: no memory. */
static struct bio *start_bio(struct submission *s, u64 sector)
{
	s->bio = bio_alloc(s->bdev, BIO_READ, sector);
	if (!s->bio)
		return NULL;
	s->bio->end_io = read_done;
	s->bio->private = s->batch;
	atomic_inc(&s->batch->refs);
	return s->bio;
}

/* Adds disk block @phys, for the page of @io at @offset, to the request in hand or to a new one. */
static int add_block(struct submission *s, struct page_io *io, unsigned offset, u64 phys)
{
	u64 sector = phys << (s->blkbits - SECTOR_SHIFT);
	unsigned len = 1u << s->blkbits;
	struct bio_seg *last;

	if (s->bio && s->next_sector != sector)
		send_bio(s);
	if (s->bio) {
		last = &s->bio->segs[s->bio->nr_segs - 1];
		if (last->page == io->page && last->offset + last->len == offset) {
			last->len += len;
			s->next_sector = sector + (len >> SECTOR_SHIFT);
			return 0;
		}
		if (s->bio->nr_segs == BIO_MAX_SEGS)
			send_bio(s);
	}
	if (!s->bio && !start_bio(s, sector))
		return -ENOMEM;
	atomic_inc(&io->pending);
	bio_add_page(s->bio, io->page, offset, len);
	s->next_sector = sector + (len >> SECTOR_SHIFT);
	return 0;
}

/* Starts reading the page of @io, block by block. */
static void read_page(struct submission *s, struct address_space *as, struct page_io *io,
		      get_block_fn get_block)
{
	unsigned per_page = PAGE_SIZE >> s->blkbits, blksize = 1u << s->blkbits;
	u64 block = (u64)(s->batch->first + (io - s->batch->io)) * per_page;
	char *data = page_address(io->page);

	for (unsigned i = 0; i < per_page; i++, block++) {
		u64 phys = BLOCK_HOLE;
		int err;

		/* Blocks past the end are not read: page_io_done() makes them zeros. */
		if (block << s->blkbits >= s->batch->size)
			break;
		err = get_block(as, block, &phys);
		if (!err && phys == BLOCK_HOLE)
			memset(data + i * blksize, 0, blksize);
		else if (!err)
			err = add_block(s, io, i * blksize, phys);
		if (err) {
			WRITE_ONCE(io->failed, true);
			break;
		}
	}
	page_io_done(s->batch, io);
}

void mpage_read(struct address_space *as, struct page **pages, unsigned nr,
		struct block_device *bdev, unsigned blkbits, get_block_fn get_block)
{
	struct submission s = { .bdev = bdev, .blkbits = blkbits, .batch = batch_alloc() };

	BUG_ON(nr == 0 || nr > MAX_PAGES);
	if (!s.batch) {
		for (unsigned i = 0; i < nr; i++)
			page_end_read(pages[i], false);
		return;
	}
	atomic_set(&s.batch->refs, 1);
	s.batch->size = READ_ONCE(as->size);
	s.batch->first = pages[0]->index;
	for (unsigned i = 0; i < nr; i++) {
		s.batch->io[i] = (struct page_io){ .page = pages[i] };
		atomic_set(&s.batch->io[i].pending, 1);
	}
	for (unsigned i = 0; i < nr; i++)
		read_page(&s, as, &s.batch->io[i], get_block);
	send_bio(&s);
	batch_put(s.batch);
}
