/*
 * mpage.c - reading and writing pages of a file in the blocks of a disk, many requests at a time.
 *
 *	pages      [   0   ][   1   ][   2   ]     locked, consecutive
 *	blocks     [ 7][ 8][ 9][10][ -][40]        - is a hole: read as zeros at once, not written
 *	bios       [ 7   8   9  10 ]   [40]        consecutive blocks share a request
 *
 *	struct batch  one for all of this: for each page, how many of its pieces are on their way.
 *	The last piece of a page ends its read (or write); the last piece of all frees the batch.
 *
 * Invariants: pending = pieces under way + 1 while the submitter works on the page; page_end_read()
 * or page_end_writeback() is called exactly once for each page.
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
	int err; /* of the last piece that failed */
};

struct batch {
	struct list_head link;
	enum bio_op op;
	atomic_t refs;	     /* bios under way + the submitter */
	u64 size;	     /* bytes of the file, as it was at the start */
	unsigned long first; /* index of io[0].page */
	struct page_io io[MAX_PAGES];
};

/* What the submitter has in hand. */
struct submission {
	struct batch *batch;
	struct address_space *as;
	const struct mpage_layout *layout;
	struct bio *bio; /* being filled, or NULL */
	u64 next_sector; /* that would continue it */
};

static struct kmem_cache *batch_cache;
static struct spinlock spare_lock = SPINLOCK_INIT;
static LIST_HEAD(spares);
static unsigned nr_spares;

void mpage_init(void)
{
	batch_cache = kmem_cache_create("mpage_batch", sizeof(struct batch), 0);
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

void mpage_drop_spares(void)
{
	struct batch *batch;

	while ((batch = take_spare(0)))
		kmem_cache_free(batch_cache, batch);
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

/* Past the end of the file a page is zeros, whatever the disk holds there. */
static void zero_past_end(struct batch *batch, struct page_io *io)
{
	u64 pos = (u64)(batch->first + (io - batch->io)) << PAGE_SHIFT;
	unsigned keep = batch->size > pos ? batch->size - pos : 0;

	if (batch->size < pos + PAGE_SIZE)
		memset((char *)page_address(io->page) + keep, 0, PAGE_SIZE - keep);
}

/* The page is read or written, or could not be. */
static void end_page(struct page *page, enum bio_op op, int err)
{
	if (op == BIO_WRITE) {
		page_end_writeback(page, err);
		return;
	}
	if (err == -ENOMEM)
		page_set_flags(page, PG_NO_MEMORY);
	page_end_read(page, !err);
}

/* One piece of the page is done, or the submitter is through with it. Interrupt context too. */
static void page_io_done(struct batch *batch, struct page_io *io)
{
	if (!atomic_dec_and_test(&io->pending))
		return;
	if (batch->op == BIO_READ && !io->err)
		zero_past_end(batch, io);
	end_page(io->page, batch->op, io->err);
}

static struct page_io *find_io(struct batch *batch, const struct page *page)
{
	struct page_io *io = batch->io;

	while (io->page != page)
		io++;
	return io;
}

/* A request is back: interrupt context. */
static void io_done(struct bio *bio)
{
	struct batch *batch = bio->private;

	for (unsigned i = 0; i < bio->nr_segs; i++) {
		struct page_io *io = find_io(batch, bio->segs[i].page);

		if (bio->status)
			WRITE_ONCE(io->err, bio->status);
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
	s->bio = bio_alloc(s->layout->bdev, s->batch->op, sector);
	if (!s->bio)
		return NULL;
	s->bio->end_io = io_done;
	s->bio->private = s->batch;
	atomic_inc(&s->batch->refs);
	return s->bio;
}

/* Adds disk block @phys, for the page of @io at @offset, to the request in hand or to a new one. */
static int add_block(struct submission *s, struct page_io *io, unsigned offset, u64 phys)
{
	u64 sector = phys << (s->layout->blkbits - SECTOR_SHIFT);
	unsigned len = 1u << s->layout->blkbits;
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

/* The first block of the file that lies in the page of @io. */
static u64 first_block(const struct submission *s, const struct page_io *io)
{
	return (u64)(s->batch->first + (io - s->batch->io)) * s->layout->per_page;
}

/* Starts reading the page of @io, block by block. */
static int read_page(struct submission *s, struct page_io *io)
{
	unsigned blkbits = s->layout->blkbits, nr_mapped = 0;
	char *data = page_address(io->page);

	for (unsigned i = 0; i < s->layout->per_page; i++) {
		u64 block = first_block(s, io) + i, phys = BLOCK_HOLE;
		int err;

		/* Blocks past the end are not read: page_io_done() makes them zeros. */
		if (block << blkbits >= s->batch->size)
			return 0;
		err = s->layout->get_block(s->as, block, &phys);
		if (!err && phys == BLOCK_HOLE)
			memset(data + ((unsigned long)i << blkbits), 0, 1u << blkbits);
		else if (!err)
			err = add_block(s, io, i << blkbits, phys);
		if (err)
			return err;
		nr_mapped += phys != BLOCK_HOLE;
	}
	if (nr_mapped == s->layout->per_page)
		page_set_flags(io->page, PG_MAPPED);
	return 0;
}

/*
 * Starts writing the page of @io: the blocks that have a place. Those past the end are being given
 * back: a write that is late would hit what they are used for next.
 */
static int write_page(struct submission *s, struct page_io *io)
{
	for (unsigned i = 0; i < s->layout->per_page; i++) {
		u64 block = first_block(s, io) + i, phys = BLOCK_HOLE;
		int err;

		if (block << s->layout->blkbits >= s->batch->size)
			return 0;
		err = s->layout->get_block(s->as, block, &phys);
		if (!err && phys != BLOCK_HOLE)
			err = add_block(s, io, i << s->layout->blkbits, phys);
		if (err)
			return err;
	}
	return 0;
}

/* A batch for @pages, each with one piece pending: the submitter's. NULL: no memory. */
static struct batch *start_batch(struct address_space *as, enum bio_op op, struct page **pages,
				 unsigned nr)
{
	struct batch *batch = batch_alloc();

	BUG_ON(nr == 0 || nr > MAX_PAGES);
	if (!batch)
		return NULL;
	atomic_set(&batch->refs, 1);
	batch->op = op;
	batch->size = READ_ONCE(as->size);
	batch->first = pages[0]->index;
	for (unsigned i = 0; i < nr; i++) {
		batch->io[i] = (struct page_io){ .page = pages[i] };
		atomic_set(&batch->io[i].pending, 1);
	}
	return batch;
}

/* What mpage_read() and mpage_write() do, page by page. */
static void submit_pages(struct address_space *as, struct page **pages, unsigned nr,
			 const struct mpage_layout *layout, enum bio_op op)
{
	struct batch *batch = start_batch(as, op, pages, nr);
	struct submission s = { .as = as, .layout = layout, .batch = batch };

	for (unsigned i = 0; i < nr; i++) {
		int err = -ENOMEM;

		if (batch)
			err = op == BIO_WRITE ? write_page(&s, &batch->io[i]) :
						read_page(&s, &batch->io[i]);
		if (err == -ENOMEM && op == BIO_WRITE) {
			filemap_put_off(as, pages[i]); /* a later try may have memory */
			err = 0;
		}
		if (!batch) {
			end_page(pages[i], op, err);
			continue;
		}
		if (err)
			WRITE_ONCE(batch->io[i].err, err);
		page_io_done(batch, &batch->io[i]);
	}
	send_bio(&s);
	if (batch)
		batch_put(batch);
}

void mpage_read(struct address_space *as, struct page **pages, unsigned nr,
		const struct mpage_layout *layout)
{
	submit_pages(as, pages, nr, layout, BIO_READ);
}

void mpage_write(struct address_space *as, struct page **pages, unsigned nr,
		 const struct mpage_layout *layout)
{
	submit_pages(as, pages, nr, layout, BIO_WRITE);
}
