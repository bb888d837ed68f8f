/*
 * writeback.c - the page cache's way to the disk: which pages are dirty, and writing them.
 *
 *	          set_dirty()         start_write()            end_writeback()
 *	clean  -------------> dirty -------------> write-back ------------------> clean
 *	                        ^                      |
 *	                        +-- written to again --+   (dirty and write-back)
 *
 *	flag in page     tag in as->pages    what the tag is for
 *	PG_DIRTY         DIRTY               finding the dirty pages of a file
 *	-                TOWRITE             those that were dirty when a sync began: what is
 *	                                     dirtied meanwhile does not keep it from ending
 *	PG_WRITEBACK     WRITEBACK           finding the writes to wait for
 *
 * The flag PG_WRITEBACK is cleared by an interrupt, which may not take as->lock: its tag stays
 * behind until somebody waits for the range (filemap_wait_write), or the page goes.
 *
 * The contents of a page may change while it is written: they are copied in first, then the page is
 * marked dirty, and dirty was cleared before the write began, so what the disk missed is written
 * once more. Writes through a mapping tell nobody: so the PTEs of a clean page are read-only, and a
 * write-back makes them so before it clears dirty (mm/shared.c).
 *
 * Invariants: PG_DIRTY exactly where the tag DIRTY is; PG_WRITEBACK only where the tag WRITEBACK
 * is; a page in either state is in the tree (reclaim and truncation respect it); nr_dirty_pages
 * counts.
 * Locks: as->lock for tags and PG_DIRTY; a write begins with the page locked, so truncation and it
 * exclude each other. Several pages are locked in the order of their index.
 */
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/rmap.h"
#include "mm/vmstat.h"

#define BATCH 16 /* pages for one write_pages(); at most BIO_MAX_SEGS */

long nr_dirty_pages;
static long nr_writeback;

unsigned long filemap_nr_dirty(void)
{
	return READ_ONCE(nr_dirty_pages);
}

unsigned long filemap_nr_writeback(void)
{
	return READ_ONCE(nr_writeback);
}

/* ---- becoming dirty, and clean again without a write ---- */

void filemap_set_dirty(struct address_space *as, struct page *page)
{
	bool is_new = false;

	if (!as->ops->write_pages)
		return;
	smp_mb(); /* the new contents before the look at PG_DIRTY: pairs with begin_writeback() */
	if (page_flags(page) & PG_DIRTY)
		return;
	spin_lock(&as->lock);
	if (page->mapping == as && !(page_flags(page) & PG_DIRTY)) {
		page_set_flags(page, PG_DIRTY);
		radix_tree_tag_set(&as->pages, page->index, RADIX_TAG_DIRTY);
		atomic_add_long(&nr_dirty_pages, 1);
		is_new = true;
	}
	spin_unlock(&as->lock);
	if (is_new)
		mapping_dirtied(as);
}

/* as->lock held, the page is dirty. */
static void clear_dirty(struct address_space *as, struct page *page)
{
	page_clear_flags(page, PG_DIRTY);
	radix_tree_tag_clear(&as->pages, page->index, RADIX_TAG_DIRTY);
	atomic_add_long(&nr_dirty_pages, -1);
}

void filemap_cancel_dirty(struct address_space *as, struct page *page)
{
	BUG_ON(!(page_flags(page) & PG_LOCKED));
	wait_on_page_writeback(page);
	if (!(page_flags(page) & PG_DIRTY))
		return;
	spin_lock(&as->lock);
	if (page->mapping == as && (page_flags(page) & PG_DIRTY))
		clear_dirty(as, page);
	spin_unlock(&as->lock);
}

bool filemap_is_dirty(struct address_space *as)
{
	bool dirty;

	spin_lock(&as->lock); /* the top node may be freed at any time */
	dirty = radix_tree_tagged(&as->pages, RADIX_TAG_DIRTY);
	spin_unlock(&as->lock);
	return dirty;
}

/* ---- starting ---- */

/* What is dirty in [first, last] now is to be written. */
static void tag_for_writing(struct address_space *as, unsigned long first, unsigned long last)
{
	unsigned long indexes[BATCH];
	void *items[BATCH];
	unsigned nr;

	do {
		spin_lock(&as->lock);
		nr = radix_tree_gang_lookup_tag(&as->pages, items, indexes, first, BATCH,
						RADIX_TAG_DIRTY);
		for (unsigned i = 0; i < nr && indexes[i] <= last; i++)
			radix_tree_tag_set(&as->pages, indexes[i], RADIX_TAG_TOWRITE);
		spin_unlock(&as->lock);
		if (nr > 0)
			first = indexes[nr - 1] + 1;
		cond_resched();
	} while (nr == BATCH && first != 0 && first <= last);
}

/* The next pages of [*first, last] that are to be written, referenced; *first moves past them. */
static unsigned next_to_write(struct address_space *as, unsigned long *first, unsigned long last,
			      struct page **pages)
{
	unsigned long indexes[BATCH];
	unsigned nr, kept = 0;

	spin_lock(&as->lock);
	nr = radix_tree_gang_lookup_tag(&as->pages, (void **)pages, indexes, *first, BATCH,
					RADIX_TAG_TOWRITE);
	while (kept < nr && indexes[kept] <= last) {
		page_get(pages[kept]);
		*first = indexes[kept++] + 1;
	}
	spin_unlock(&as->lock);
	return kept;
}

/*
 * What a mapping wrote past the end of the file is not the file's. Only if nobody is just putting
 * something there that will be. as->lock held.
 */
static void zero_past_end(const struct address_space *as, struct page *page)
{
	u64 pos = (u64)page->index << PAGE_SHIFT, size;

	if (likely(!READ_ONCE(as->was_shared)) || smp_load_acquire(&as->growing))
		return;
	size = READ_ONCE(as->size);
	if (size > pos && size - pos < PAGE_SIZE)
		memset((char *)page_address(page) + (size - pos), 0, PAGE_SIZE - (size - pos));
}

/*
 * Makes locked @page, which is not being written, one that is. False: there is nothing to write any
 * more, and it is not locked.
 */
static bool begin_locked(struct address_space *as, struct page *page, unsigned long index)
{
	bool begun = false;

	/* Whoever writes through a mapping from now on makes it dirty again, after us. */
	if (page->mapping == as)
		unmap_page_writes(as, page);
	spin_lock(&as->lock);
	if (page->mapping == as && page->index == index) {
		radix_tree_tag_clear(&as->pages, index, RADIX_TAG_TOWRITE);
		begun = page_flags(page) & PG_DIRTY;
	}
	if (begun) {
		zero_past_end(as, page);
		clear_dirty(as, page);
		page_set_flags(page, PG_WRITEBACK);
		radix_tree_tag_set(&as->pages, index, RADIX_TAG_WRITEBACK);
		atomic_add_long(&nr_writeback, 1);
	}
	spin_unlock(&as->lock);
	if (!begun)
		unlock_page(page);
	smp_mb(); /* PG_DIRTY is clear before the device reads: pairs with filemap_set_dirty() */
	return begun;
}

/* The same for a page that is not locked. */
static bool begin_writeback(struct address_space *as, struct page *page, unsigned long index)
{
	lock_page(page);
	wait_on_page_writeback(page); /* two writes of one page could overtake each other */
	return begin_locked(as, page, index);
}

/* Hands the run to the file system; the pages are unlocked and our references go. */
static void submit_run(struct address_space *as, struct page **run, unsigned nr)
{
	bool before;

	if (nr == 0)
		return;
	before = memory_must_begin(); /* for requests, and to learn where the pages belong */
	as->ops->write_pages(as, run, nr);
	memory_must_end(before);
	count_vm_n(VM_pgwriteback, nr);
	for (unsigned i = 0; i < nr; i++) {
		unlock_page(run[i]);
		page_put(run[i]);
	}
}

/* Writes @nr pages of ascending index, in runs of consecutive ones; their references go. */
static void write_batch(struct address_space *as, struct page **pages, unsigned nr)
{
	unsigned start = 0,
		 end = 0; /* [start, end) is locked, consecutive, and not yet submitted */

	for (; end < nr; end++) {
		unsigned long index = READ_ONCE(pages[end]->index);

		if (end > start && index != pages[end - 1]->index + 1) {
			submit_run(as, pages + start, end - start);
			start = end;
		}
		if (!begin_writeback(as, pages[end], index)) {
			submit_run(as, pages + start, end - start);
			start = end + 1;
			page_put(pages[end]);
		}
	}
	submit_run(as, pages + start, end - start);
}

/*
 * The dirty pages right behind index @first, at most @max, locked and referenced, into @pages; how
 * many.
 */
static unsigned lock_next_dirty(struct address_space *as, unsigned long first, unsigned max,
				struct page **pages)
{
	unsigned long indexes[BATCH];
	struct page *found[BATCH];
	unsigned nr, kept = 0;

	spin_lock(&as->lock);
	nr = radix_tree_gang_lookup_tag(&as->pages, (void **)found, indexes, first + 1, max,
					RADIX_TAG_DIRTY);
	while (kept < nr && indexes[kept] == first + 1 + kept &&
	       !(page_flags(found[kept]) & PG_WRITEBACK) && trylock_page(found[kept])) {
		page_get(found[kept]);
		pages[kept] = found[kept];
		kept++;
	}
	spin_unlock(&as->lock);
	return kept;
}

unsigned filemap_write_around(struct page *page)
{
	struct address_space *as = page->mapping; /* stays while a page of it is locked */
	struct page *run[BATCH] = { page };
	unsigned nr = 1 + lock_next_dirty(as, page->index, BATCH - 1, run + 1);
	unsigned begun = 0;

	page_get(page);
	while (begun < nr && begin_locked(as, run[begun], page->index + begun))
		begun++;
	/* One that is not dirty any more is unlocked already; what is behind it waits. */
	for (unsigned i = begun; i < nr; i++) {
		if (i > begun)
			unlock_page(run[i]);
		page_put(run[i]);
	}
	submit_run(as, run, begun);
	return begun;
}

void filemap_start_write(struct address_space *as, unsigned long first, unsigned long last)
{
	struct page *pages[BATCH];
	unsigned nr;

	if (!as->ops->write_pages || !filemap_is_dirty(as))
		return;
	tag_for_writing(as, first, last);
	while ((nr = next_to_write(as, &first, last, pages)) > 0) {
		write_batch(as, pages, nr);
		cond_resched();
	}
}

/* ---- ending ---- */

void page_end_writeback(struct page *page, int err)
{
	struct address_space *as = page->mapping; /* stays while the page is being written */

	if (err)
		errseq_set(&as->wb_err, err);
	atomic_add_long(&nr_writeback, -1);
	page_wake_writeback(page);
}

/* The first pages of [*first, last] that may be being written, referenced; *first moves on. */
static unsigned next_to_wait(struct address_space *as, unsigned long *first, unsigned long last,
			     struct page **pages)
{
	unsigned long indexes[BATCH];
	unsigned nr, kept = 0;

	spin_lock(&as->lock);
	nr = radix_tree_gang_lookup_tag(&as->pages, (void **)pages, indexes, *first, BATCH,
					RADIX_TAG_WRITEBACK);
	for (unsigned i = 0; i < nr && indexes[i] <= last; i++) {
		*first = indexes[i] + 1;
		if (page_flags(pages[i]) & PG_WRITEBACK) {
			page_get(pages[i]);
			pages[kept++] = pages[i];
		} else {
			radix_tree_tag_clear(&as->pages, indexes[i], RADIX_TAG_WRITEBACK);
		}
	}
	if (nr == 0 || indexes[nr - 1] > last || (nr < BATCH && kept == 0))
		*first = last + 1;
	spin_unlock(&as->lock);
	return kept;
}

void filemap_wait_write(struct address_space *as, unsigned long first, unsigned long last)
{
	struct page *pages[BATCH];

	last = min(last, ~0UL - 1);
	while (first <= last) {
		unsigned nr = next_to_wait(as, &first, last, pages);

		for (unsigned i = 0; i < nr; i++) {
			wait_on_page_writeback(pages[i]);
			page_put(pages[i]);
		}
		cond_resched();
	}
}

void filemap_put_off(struct address_space *as, struct page *page)
{
	/* In this order: who does not see it counted finds it dirty. */
	filemap_set_dirty(as, page);
	__atomic_fetch_add(&as->nr_put_off, 1, __ATOMIC_RELEASE);
}

/*
 * Reclaim, which cannot wait for memory, may put pages off that this waits for: they are written
 * here, then. One round more is enough unless others go on doing that.
 */
#define WRITE_ROUNDS 16

int filemap_write_range(struct address_space *as, unsigned long first, unsigned long last)
{
	errseq_t since = errseq_now(&as->wb_err);

	for (unsigned round = 0; round < WRITE_ROUNDS; round++) {
		unsigned put_off = __atomic_load_n(&as->nr_put_off, __ATOMIC_ACQUIRE);

		filemap_start_write(as, first, last);
		filemap_wait_write(as, first, last);
		if (__atomic_load_n(&as->nr_put_off, __ATOMIC_ACQUIRE) == put_off)
			return errseq_since(&as->wb_err, since);
	}
	return -ENOMEM;
}

int filemap_write_all(struct address_space *as)
{
	return filemap_write_range(as, 0, ~0UL);
}

const char *writeback_fault(const struct page *page)
{
	const struct address_space *as = page->mapping;
	u32 flags = page_flags(page);

	if (!as)
		return flags & (PG_DIRTY | PG_WRITEBACK) ? "to be written, but of no file" : NULL;
	if (!(flags & PG_DIRTY) != !radix_tree_tag_get(&as->pages, page->index, RADIX_TAG_DIRTY))
		return "flag and tag disagree about dirty";
	if ((flags & PG_WRITEBACK) &&
	    !radix_tree_tag_get(&as->pages, page->index, RADIX_TAG_WRITEBACK))
		return "being written, but without the tag";
	if ((flags & PG_DIRTY) && !(flags & PG_UPTODATE))
		return "dirty, but not up to date";
	return NULL;
}

/* ---- not too many ---- */

unsigned long dirty_ratio = 20, dirty_background_ratio = 10;
long dirty_background, dirty_limit;

void writeback_set_limits(void)
{
	unsigned long background = nr_managed_pages() * READ_ONCE(dirty_background_ratio) / 100;
	unsigned long limit = nr_managed_pages() * READ_ONCE(dirty_ratio) / 100;

	WRITE_ONCE(dirty_limit, limit);
	WRITE_ONCE(dirty_background, background < limit ? background : limit / 2);
}

void throttle_writer(struct address_space *as)
{
	unsigned long limit = READ_ONCE(dirty_limit);

	flusher_wake();
	if (filemap_nr_dirty() + filemap_nr_writeback() < limit)
		return;
	filemap_start_write(as, 0, ~0UL);
	filemap_wait_write(as, 0, ~0UL);
	if (filemap_nr_dirty() + filemap_nr_writeback() >= limit)
		flusher_wait(); /* it is others who have so much: once through all of it */
}
