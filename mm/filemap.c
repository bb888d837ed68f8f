/*
 * filemap.c - the page cache: one copy of each file page, for read(), write(), mmap and metadata.
 *
 *	address_space (one for each inode, and for each disk's blocks)
 *	  pages: radix tree   index 0 -> [page]   1 -> [page]   7 -> [page] ...
 *
 *	a page that is not there   alloc, lock, insert, ops->read_pages(), sleep until unlocked
 *	a page being read          PG_LOCKED, not PG_UPTODATE: everybody else sleeps for the lock
 *	a page that is there       PG_UPTODATE; from now on only looked up
 *
 *	Reading ahead: a miss brings others with it, as many as the pattern of what the open file
 *	was asked for before makes worth while (mm/readahead.c). Without an open file (metadata,
 *	writes): the whole aligned cluster of READ_CLUSTER pages around it. Pages that nobody asked
 *	for have PG_READAHEAD until somebody does, and are never a reason to reclaim.
 *
 * Invariants: page->mapping == as and page->index == its key exactly while it is in the tree; the
 * tree holds one reference; nr_pages counts. Where memory without a backing store lies in swap, the
 * tree has the swap entry instead.
 * Locks: as->lock for the tree; page lock while a page is filled or removed; no user memory is
 * touched with either. Inside as->lock only the LRU and allocator locks are taken.
 */
#include "mm/filemap.h"

#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/commit.h"
#include "mm/lru.h"
#include "mm/policy.h"
#include "mm/readahead.h"
#include "mm/rmap.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "mm/vmstat.h"
#include "mm/watermark.h"

#define READ_CLUSTER 16 /* pages; a power of two, at most BIO_MAX_SEGS */

static struct kmem_cache *radix_node_cache;
static long nr_cached, nr_buffers;

static void *radix_node_alloc(void)
{
	return kmem_cache_alloc(radix_node_cache, GFP_ATOMIC | GFP_ZERO);
}

static void radix_node_free(void *node)
{
	kmem_cache_free(radix_node_cache, node);
}

void filemap_init(void)
{
	radix_node_cache = kmem_cache_create("radix_node", RADIX_NODE_SIZE, 0);
	writeback_set_limits();
}

void mapping_init(struct address_space *as, struct inode *host, const struct address_space_ops *ops)
{
	as->host = host;
	as->ops = ops;
	as->nr_pages = as->nr_swapped = as->nr_committed = 0;
	as->size = 0;
	as->wb_err = 0;
	as->nr_put_off = 0;
	spin_lock_init(&as->lock);
	spin_lock_init(&as->mmap_lock);
	INIT_LIST_HEAD(&as->areas);
	INIT_LIST_HEAD(&as->swapped_link);
	as->nr_writable = 0;
	as->sealed = as->was_shared = as->growing = as->kept_in_memory = false;
	radix_tree_init(&as->pages, radix_node_alloc, radix_node_free);
}

unsigned long filemap_nr_pages(void)
{
	return READ_ONCE(nr_cached);
}

unsigned long filemap_nr_buffers(void)
{
	return READ_ONCE(nr_buffers);
}

/* ---- in and out of the tree ---- */

/* @n pages more (1), or less (-1), of @as are in memory; as->lock held. */
static void count_resident(struct address_space *as, long n)
{
	as->nr_pages += n;
	atomic_add_long(&nr_cached, n);
	if (!as->host)
		atomic_add_long(&nr_buffers, n);
}

/* @n pages more (1), or less (-1), in the tree of @as; as->lock held. */
static void count_cached(struct address_space *as, long n)
{
	count_resident(as, n);
	if (as->ops->no_backing)
		shmem_account(as, n);
}

/* The page of @index that is in memory, or NULL; as->lock held. */
static struct page *tree_page(const struct address_space *as, unsigned long index)
{
	void *item = radix_tree_lookup(&as->pages, index);

	return likely(!item_is_swapped(item)) ? item : NULL;
}

static int tree_insert(struct address_space *as, struct page *page, unsigned long index)
{
	int err;

	spin_lock(&as->lock);
	err = radix_tree_insert(&as->pages, index, page);
	if (!err) {
		page->type = PAGE_FILE;
		page->mapping = as;
		page->index = index;
		page_get(page);
		count_cached(as, 1);
		if (as->ops->no_backing)
			page_set_flags(page, PG_SHMEM);
		lru_add(page);
	}
	spin_unlock(&as->lock);
	return err;
}

#define INSERT_TRIES 4 /* each leaves this hart some nodes; other tasks of it may take them */

/*
 * Puts locked @page in. Under the lock the tree's nodes come from what is free at once. After that,
 * unless @gfp forbids it, a node is asked for that may reclaim, and is given back, to be found by
 * the next try. (Reclaiming pages would not do: a slab of nodes is several pages in a row.)
 */
static int add_to_cache(struct address_space *as, struct page *page, unsigned long index, gfp_t gfp)
{
	int err = tree_insert(as, page, index);

	for (int i = 0; i < INSERT_TRIES && err == -ENOMEM && !(gfp & GFP_ATOMIC); i++) {
		void *node = kmem_cache_alloc(radix_node_cache, GFP_KERNEL);

		if (!node)
			break;
		kmem_cache_free(radix_node_cache, node);
		err = tree_insert(as, page, index);
	}
	return err;
}

/* as->lock held. The tree's reference is now the caller's. */
static void tree_delete(struct address_space *as, struct page *page)
{
	struct page *found = radix_tree_delete(&as->pages, page->index);

	BUG_ON(found != page || (page_flags(page) & (PG_DIRTY | PG_WRITEBACK)));
	count_cached(as, -1);
	if (page_flags(page) & PG_READAHEAD)
		count_vm(VM_readahead_unused);
	WRITE_ONCE(page->mapping, NULL);
}

/* ---- swap entries in place of pages: mm/shmem_swap.c ---- */

void filemap_swap_page(struct address_space *as, struct page *page, pte_t entry)
{
	radix_tree_replace(&as->pages, page->index, swapped_item(entry));
	radix_tree_tag_set(&as->pages, page->index, RADIX_TAG_SWAPPED);
	count_resident(as, -1);
	as->nr_swapped++;
	WRITE_ONCE(page->mapping, NULL);
}

void filemap_unswap_page(struct address_space *as, struct page *page, unsigned long index)
{
	radix_tree_tag_clear(&as->pages, index, RADIX_TAG_SWAPPED);
	radix_tree_replace(&as->pages, index, page);
	page->type = PAGE_FILE;
	page->index = index;
	WRITE_ONCE(page->mapping, as);
	page_get(page);
	page_set_flags(page, PG_SHMEM);
	count_resident(as, 1);
	as->nr_swapped--;
}

void filemap_forget_swapped(struct address_space *as, unsigned long index)
{
	radix_tree_delete(&as->pages, index);
	as->nr_swapped--;
	shmem_account(as, -1);
}

/* ---- looking, and taking out ---- */

bool filemap_is_hole(struct address_space *as, unsigned long index)
{
	bool hole;

	spin_lock(&as->lock);
	hole = !radix_tree_lookup(&as->pages, index);
	spin_unlock(&as->lock);
	return hole;
}

void filemap_remove_page(struct address_space *as, struct page *page)
{
	bool removed = false;

	spin_lock(&as->lock);
	if (page->mapping == as) {
		tree_delete(as, page);
		removed = true;
	}
	spin_unlock(&as->lock);
	if (removed)
		page_put(page);
}

bool filemap_evict(struct page *page)
{
	struct address_space *as = page->mapping; /* stays while the page is locked */
	bool idle = false;

	if (!as)
		return false;
	spin_lock(&as->lock);
	/*
	 * Look-ups take references under as->lock: from 1, the tree's own, nobody else can come. Up
	 * to date or not: one that is not, and nobody reads in now, is left of a failed read.
	 */
	if (atomic_read(&page->mapcount) == 0 && atomic_read(&page->refcount) == 2 &&
	    !(page_flags(page) & (PG_DIRTY | PG_WRITEBACK))) {
		policy_goes(page);
		tree_delete(as, page);
		idle = true;
	}
	spin_unlock(&as->lock);
	if (idle)
		atomic_dec(&page->refcount); /* the tree's; the caller has one */
	return idle;
}

bool filemap_drop_idle(struct page *page)
{
	bool dropped;

	if (!trylock_page(page))
		return false;
	dropped = filemap_evict(page);
	unlock_page(page);
	return dropped;
}

struct page *find_get_page(struct address_space *as, unsigned long index)
{
	struct page *page;

	spin_lock(&as->lock);
	page = tree_page(as, index);
	if (page)
		page_get(page);
	spin_unlock(&as->lock);
	if (page && !(page_flags(page) & PG_REFERENCED))
		page_set_flags(page, PG_REFERENCED);
	return page;
}

/* @page, which may have PG_READAHEAD, is used. */
static void note_used(struct page *page)
{
	if (!(page_flags(page) & PG_READAHEAD))
		return;
	page_clear_flags(page, PG_READAHEAD);
	count_vm(VM_readahead_hit);
}

unsigned find_uptodate_pages(struct address_space *as, unsigned long first, unsigned nr,
			     struct page **pages)
{
	unsigned long indexes[READ_CLUSTER];
	unsigned found, kept = 0;
	u32 flags = 0;

	BUG_ON(nr > READ_CLUSTER);
	spin_lock(&as->lock);
	found = radix_tree_gang_lookup(&as->pages, (void **)pages, indexes, first, nr);
	for (unsigned i = 0; i < found && indexes[i] < first + nr; i++) {
		u32 its;

		if (item_is_swapped(pages[i]))
			continue;
		its = page_flags(pages[i]);
		if (!(its & PG_UPTODATE))
			continue;
		flags |= its;
		page_get(pages[i]);
		pages[kept++] = pages[i];
	}
	spin_unlock(&as->lock);
	if (unlikely(flags & PG_READAHEAD)) {
		for (unsigned i = 0; i < kept; i++)
			note_used(pages[i]);
	}
	return kept;
}

void filemap_note_cached(struct address_space *as, unsigned long first, unsigned long nr, u8 *vec)
{
	unsigned long indexes[READ_CLUSTER], next = first;
	void *items[READ_CLUSTER];
	unsigned found;

	do {
		spin_lock(&as->lock);
		found = radix_tree_gang_lookup(&as->pages, items, indexes, next, READ_CLUSTER);
		for (unsigned i = 0; i < found; i++) {
			const struct page *page = items[i];

			if (indexes[i] - first < nr && !item_is_swapped(page) &&
			    (page_flags(page) & PG_UPTODATE))
				vec[indexes[i] - first] = 1;
		}
		spin_unlock(&as->lock);
		if (found > 0)
			next = indexes[found - 1] + 1;
	} while (found == READ_CLUSTER && next - first < nr);
}

/* ---- reading in ---- */

void page_end_read(struct page *page, bool ok)
{
	page_set_flags(page, ok ? PG_UPTODATE : PG_ERROR);
	unlock_page(page);
}

/* A new locked page at @index with a reference, in the cache; NULL: no memory, or one is there. */
static struct page *new_locked_page(struct address_space *as, unsigned long index, gfp_t gfp,
				    int *err)
{
	struct page *page = alloc_page(gfp);

	*err = -ENOMEM;
	if (!page)
		return NULL;
	lock_new_page(page, as);
	*err = add_to_cache(as, page, index, gfp);
	if (*err == 0)
		return page;
	unlock_new_page(page);
	page_put(page);
	return NULL;
}

/* Hands the run of locked pages to the file system; our references go. */
static void start_read(struct address_space *as, struct page **pages, unsigned nr)
{
	if (nr == 0)
		return;
	for (unsigned i = 0; i < nr; i++)
		page_get(pages[i]); /* the I/O's: until page_end_read() the frame stays */
	as->ops->read_pages(as, pages, nr);
	for (unsigned i = 0; i < nr; i++) {
		lockdep_give_page(pages[i]); /* the lock is the I/O's now */
		page_put(pages[i]);
		page_put(pages[i]);
	}
}

static bool is_cached(struct address_space *as, unsigned long index)
{
	bool cached;

	spin_lock(&as->lock);
	cached = radix_tree_lookup(&as->pages, index);
	spin_unlock(&as->lock);
	return cached;
}

/*
 * Starts reading what of @range is not in the cache: @index whatever it takes, the others as far as
 * memory for @others (GFP_*) is there. 0 or -ENOMEM; where @others is GFP_ATOMIC that they could
 * not be read is nobody's failure.
 */
static int read_range(struct address_space *as, struct read_range range, unsigned long index,
		      gfp_t others)
{
	struct page *run[READ_CLUSTER];
	unsigned nr = 0;
	int ret = 0, err;

	for (unsigned long i = range.first; i < range.end; i++) {
		gfp_t gfp = i == index ? GFP_KERNEL : others;
		bool ahead = i >= range.ahead && i != index;
		struct page *page = NULL;

		if (nr == READ_CLUSTER) {
			start_read(as, run, nr);
			nr = 0;
		}
		if (is_cached(as, i))
			err = -EEXIST;
		else if ((gfp & GFP_ATOMIC) && memory_is_short())
			err = -ENOMEM;
		else
			page = new_locked_page(as, i, gfp, &err);
		if (page) {
			if (ahead)
				page_set_flags(page, PG_READAHEAD);
			run[nr++] = page;
			count_vm(ahead ? VM_readahead_pages : VM_cache_miss);
			continue;
		}
		if (err != -EEXIST && !(gfp & GFP_ATOMIC))
			ret = err;
		start_read(as, run, nr);
		nr = 0;
	}
	start_read(as, run, nr);
	return ret;
}

/* Who misses a page, and what is known of him. */
struct reader {
	struct readahead *ra; /* NULL: nothing */
	unsigned long want;   /* read(): pages, with the one that misses; 0: a fault */
	enum readahead_advice advice;
	bool unkillable;
};

static struct read_range what_to_read(struct address_space *as, unsigned long index,
				      const struct reader *reader)
{
	unsigned long nr = nr_pages_in_file(as), first = index & ~(READ_CLUSTER - 1UL);

	if (!reader->ra)
		return (struct read_range){ first, min(first + READ_CLUSTER, max(nr, index + 1)),
					    first };
	if (reader->want > 0)
		return readahead_read(reader->ra, index, reader->want, nr);
	return readahead_fault(reader->ra, index, reader->advice, nr);
}

/*
 * Starts reading @index and what goes with it for @reader, or only this page @alone. 0: @index is
 * in the cache (maybe being read); -ENOMEM; -ENOSPC when memory for files without backing store is
 * used up.
 */
static int read_missing(struct address_space *as, unsigned long index, const struct reader *reader,
			bool alone)
{
	struct read_range range = { index, index + 1, index + 1 };

	if (as->ops->no_backing) {
		int there = shmem_bring_back(as, index);

		if (there)
			return min(there, 0);
		if (!shmem_has_room(as))
			return -ENOSPC;
		alone = true; /* neighbours are holes: only what is asked for is made */
	}
	if (!alone)
		range = what_to_read(as, index, reader);
	return read_range(as, range, index, GFP_ATOMIC);
}

void filemap_read_ahead(struct address_space *as, unsigned long first, unsigned long nr)
{
	unsigned long size = nr_pages_in_file(as);
	unsigned long end = min(first + min(nr, nr_managed_pages() / 8), size), next;

	if (as->ops->no_backing) /* what is not there is a hole */
		return;
	for (; first < end && !current->killed; first = next) {
		next = min((first & ~(READ_CLUSTER - 1UL)) + READ_CLUSTER, end);
		if (read_range(as, (struct read_range){ first, next, first }, ~0UL, GFP_KERNEL))
			return;
		cond_resched();
	}
}

void filemap_use_ahead(struct address_space *as, struct readahead *ra, struct page *page)
{
	struct read_range range;

	note_used(page);
	if (!readahead_at_mark(ra, page->index))
		return;
	range = readahead_next(ra, nr_pages_in_file(as));
	if (range.first == range.end)
		return;
	count_vm(VM_readahead_async);
	read_range(as, range, ~0UL, GFP_ATOMIC);
}

/*
 * @page has been read, or could not be. Takes over the caller's reference unless it returns 0. A
 * page that failed together with others is no error before it was @tried alone, since one bad
 * sector fails a request for many pages: -EAGAIN.
 */
static int page_result(struct address_space *as, struct page *page, bool tried, bool killable)
{
	int err = 0;

	if (killable)
		err = wait_on_page_locked_killable(page);
	else
		wait_on_page_locked(page);

	if (!err && (page_flags(page) & PG_UPTODATE))
		return 0;
	if (!err && READ_ONCE(page->mapping) != as)
		err = -EAGAIN; /* truncated meanwhile */
	if (!err) {
		/* A failed page must not stay: the next access is to try the disk again. */
		lock_page(page);
		filemap_remove_page(as, page);
		unlock_page(page);
		err = !tried ? -EAGAIN : page_flags(page) & PG_NO_MEMORY ? -ENOMEM : -EIO;
	}
	page_put(page);
	return err;
}

static struct page *read_page(struct address_space *as, unsigned long index,
			      const struct reader *reader)
{
	bool alone = false, failed = false;
	struct page *page;
	u32 flags;
	int err;

	for (;;) {
		page = find_get_page(as, index);
		if (!page) {
			alone = failed;
			err = read_missing(as, index, reader, alone);
			if (err)
				return ERR_PTR(err);
			continue;
		}
		flags = page_flags(page);
		if (unlikely(flags & PG_READAHEAD))
			note_used(page);
		if (likely(flags & PG_UPTODATE)) {
			count_vm(VM_cache_hit);
			return page;
		}
		err = page_result(as, page, alone, !reader->unkillable);
		if (!err)
			return page;
		if (err != -EAGAIN)
			return ERR_PTR(err);
		failed = true;
	}
}

struct page *read_mapping_page(struct address_space *as, unsigned long index)
{
	return read_page(as, index, &(struct reader){});
}

struct page *read_mapping_page_unkillable(struct address_space *as, unsigned long index)
{
	return read_page(as, index, &(struct reader){ .unkillable = true });
}

struct page *read_file_page(struct address_space *as, struct readahead *ra, unsigned long index,
			    unsigned long want)
{
	return read_page(as, index, &(struct reader){ .ra = ra, .want = want });
}

struct page *read_fault_page(struct address_space *as, struct readahead *ra, unsigned long index,
			     enum readahead_advice advice)
{
	return read_page(as, index, &(struct reader){ .ra = ra, .advice = advice });
}

struct page *make_mapping_page(struct address_space *as, unsigned long index)
{
	struct page *page;
	int err;

	do {
		page = new_locked_page(as, index, GFP_KERNEL, &err);
		if (!page && err != -EEXIST)
			return ERR_PTR(err);
		if (page)
			break;
		page = find_get_page(as, index);
		if (!page)
			continue;
		lock_page(page); /* a read of it ends first */
		if (page->mapping == as)
			break;
		unlock_page(page);
		page_put(page);
		page = NULL;
	} while (!page);
	page_set_flags(page, PG_UPTODATE);
	unlock_page(page);
	return page;
}

void drop_mapping_page(struct address_space *as, unsigned long index)
{
	struct page *page = find_get_page(as, index);

	if (!page)
		return;
	lock_page(page);
	filemap_cancel_dirty(as, page);
	filemap_remove_page(as, page);
	unlock_page(page);
	page_put(page);
}

unsigned long filemap_drop_clean(struct address_space *as, unsigned long first, unsigned long last)
{
	unsigned long indexes[READ_CLUSTER], dropped = 0;
	void *items[READ_CLUSTER];
	unsigned nr;

	do {
		spin_lock(&as->lock);
		nr = radix_tree_gang_lookup(&as->pages, items, indexes, first, READ_CLUSTER);
		while (nr > 0 && indexes[nr - 1] > last)
			nr--;
		for (unsigned i = 0; i < nr; i++)
			page_get(items[i]);
		spin_unlock(&as->lock);
		for (unsigned i = 0; i < nr; i++) {
			dropped += filemap_drop_idle(items[i]);
			page_put(items[i]);
		}
		if (nr > 0)
			first = indexes[nr - 1] + 1;
		cond_resched();
	} while (nr > 0);
	return dropped;
}

void mapping_destroy(struct address_space *as)
{
	BUG_ON(!list_empty(&as->areas));
	filemap_remove_from(as, 0);
	BUG_ON(as->nr_pages != 0 || as->nr_swapped != 0);
	shmem_swap_done(as);
	shmem_uncommit(as);
}
