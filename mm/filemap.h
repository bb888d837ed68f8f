/*
 * filemap.h - the page cache: a file's pages by index, shared by read() and mmap.
 */
#ifndef RAVEL_MM_FILEMAP_H
#define RAVEL_MM_FILEMAP_H

#include "lib/errseq.h"
#include "lib/radix_tree.h"
#include "mm/page.h"
#include "mm/readahead.h"

struct file;
struct inode;
struct address_space;

struct address_space_ops {
	/*
	 * Starts reading @nr locked pages of consecutive index, each not up to date, each in the
	 * cache. Every page must get page_end_read() exactly once, now or from an interrupt, also
	 * on errors. Bytes past the end of the file must be zeroed.
	 */
	void (*read_pages)(struct address_space *as, struct page **pages, unsigned nr);
	/*
	 * Bytes [from, to) of up-to-date @page are about to be written: makes sure that they have a
	 * place on the disk. 0 or -errno (-ENOSPC). NULL: nothing to do. May set PG_MAPPED when the
	 * whole page has its place: then this is not called again. The page is referenced, not
	 * locked; the inode is locked.
	 */
	int (*map_page)(struct address_space *as, struct page *page, unsigned from, unsigned to);
	/*
	 * The same for a write through a mapping: bytes [0, @to) of @page, which is locked and up
	 * to date and lies in the file that far; the inode may be unlocked. -EAGAIN: make_room()
	 * may help, which is not called with a page locked. NULL: nothing to do.
	 */
	int (*map_locked_page)(struct address_space *as, struct page *page, unsigned to);
	/* Frees what room on the disk can be freed, maybe none. 0 or -errno. */
	int (*make_room)(struct address_space *as);
	/* What map_page made past the end of the file is not needed after all. May be NULL. */
	void (*write_failed)(struct address_space *as);
	/*
	 * Starts writing @nr locked pages of consecutive index, PG_WRITEBACK set. Every page must
	 * get page_end_writeback() exactly once, now or from an interrupt. NULL: never dirty.
	 */
	void (*write_pages)(struct address_space *as, struct page **pages, unsigned nr);
	/*
	 * lseek(2)'s SEEK_DATA (@data) and SEEK_HOLE from @pos on, which is inside the file: the
	 * next position that is so, the size if there is none; or -errno.
	 */
	s64 (*seek)(struct address_space *as, u64 pos, bool data);
	/* The pages have no copy elsewhere (tmpfs); they may go to swap: mm/shmem_swap.c. */
	bool no_backing;
};

struct address_space {
	struct inode *host;
	const struct address_space_ops *ops;
	struct spinlock lock; /* guards pages, nr_pages and growing */
	struct radix_tree_root pages;
	unsigned long nr_pages;	    /* in memory */
	unsigned long nr_swapped;   /* of memory without a disk: swap entries in the tree */
	unsigned long nr_committed; /* pages promised at once: shared memory, mm/commit.c */
	u64 size; /* bytes: THE size of the file. READ_ONCE; writers hold the inode's lock */
	struct spinlock mmap_lock; /* i_mmap lock: guards areas */
	struct list_head areas;	   /* every vm_area that maps this file, by vm_mapping_link */
	unsigned nr_writable; /* of them, shared with VM_MAYWRITE; and who is about to be one */
	bool sealed;	      /* no such area may come any more (memfd_create(2)) */
	bool was_shared;      /* one did come: bytes past the end of the file may be anything */
	bool kept_in_memory;  /* never goes to swap (SHM_LOCK) */
	bool growing;	      /* somebody puts bytes past the end, to make the size reach them */
	errseq_t wb_err;      /* the last failed write */
	unsigned nr_put_off;  /* pages whose write waits for memory, counted on and on: atomic */
	struct list_head swapped_link; /* among those that had nr_swapped: mm/shmem_swap.c */
};

/* Pages that the file of @as has, the last one perhaps in part. */
static inline unsigned long nr_pages_in_file(const struct address_space *as)
{
	return DIV_ROUND_UP(READ_ONCE(as->size), PAGE_SIZE);
}

/* False when page @index of @as begins past the end of the file. */
static inline bool index_is_in_file(const struct address_space *as, unsigned long index)
{
	return index < nr_pages_in_file(as);
}

void mapping_init(struct address_space *as, struct inode *host,
		  const struct address_space_ops *ops);
/* Drops every page; the mapping must have no user left. */
void mapping_destroy(struct address_space *as);

/*
 * The up-to-date page @index with a reference; reads it (and some after it) if absent. May sleep.
 * ERR_PTR: -EIO, -ENOMEM, -EINTR (fatal signal). For metadata too: directories, block device.
 */
struct page *read_mapping_page(struct address_space *as, unsigned long index);
/* The same for read(2) of @want pages from @index on, by one whose habits @ra tells. */
struct page *read_file_page(struct address_space *as, struct readahead *ra, unsigned long index,
			    unsigned long want);
/* The same for a fault in an area with this advice. */
struct page *read_fault_page(struct address_space *as, struct readahead *ra, unsigned long index,
			     enum readahead_advice advice);
/*
 * @page, referenced and with PG_READAHEAD, is used by one whose habits @ra tells: starts reading
 * what comes next when it is time. May sleep.
 */
void filemap_use_ahead(struct address_space *as, struct readahead *ra, struct page *page);
/*
 * Starts reading the pages of [first, first + nr) that are not in the cache and waits for none of
 * them; ends early where memory is short, and after a part of memory. May sleep.
 */
void filemap_read_ahead(struct address_space *as, unsigned long first, unsigned long nr);
/* The same for what must be done also by a task that was killed: it gives up what it had. */
struct page *read_mapping_page_unkillable(struct address_space *as, unsigned long index);
/*
 * Page @index with a reference, up to date by decree and not read: the caller fills it, and nobody
 * else looks for it yet. ERR_PTR(-ENOMEM).
 */
struct page *make_mapping_page(struct address_space *as, unsigned long index);
/* Page @index, which no process maps, leaves the cache without being written. May sleep. */
void drop_mapping_page(struct address_space *as, unsigned long index);
/* The page if it is in the cache, with a reference, whatever its state; else NULL. */
struct page *find_get_page(struct address_space *as, unsigned long index);
/* True if page @index, of memory without a backing store, was never made. */
bool filemap_is_hole(struct address_space *as, unsigned long index);
/*
 * The up-to-date pages of [first, first + nr) that are in the cache, each with a reference, in
 * order, into @pages; returns how many. Starts no I/O.
 */
unsigned find_uptodate_pages(struct address_space *as, unsigned long first, unsigned nr,
			     struct page **pages);
/* Sets vec[i] to 1 where page first + i, of @nr, is in the cache and up to date. Starts no I/O. */
void filemap_note_cached(struct address_space *as, unsigned long first, unsigned long nr, u8 *vec);
/* A page ends its read: up to date or in error, unlocked. Interrupt context too. */
void page_end_read(struct page *page, bool ok);

/*
 * read(2)'s work on [pos, pos + len), for one whose habits @ra tells: bytes copied to user memory,
 * or -errno when none were.
 */
ssize_t filemap_read(struct address_space *as, struct readahead *ra, void *ubuf, size_t len,
		     u64 pos);
/*
 * The page of position @pos for a read of @len bytes from there on, with a reference, up to date.
 * ERR_PTR(-errno).
 */
struct page *filemap_get_page(struct address_space *as, struct readahead *ra, u64 pos, size_t len);
/*
 * write(2)'s work: into the page cache, which writes back later. Extends as->size. The caller holds
 * the inode's lock. Bytes written, or -errno when none were (-ENOSPC, -EFAULT, -ENOMEM, -EIO). May
 * sleep for the disk when much is dirty.
 */
ssize_t filemap_write(struct address_space *as, const void *ubuf, size_t len, u64 pos);
ssize_t filemap_write_kernel(struct address_space *as, const void *buf, size_t len, u64 pos);
/*
 * Bytes [pos, pos + len) have their place on the disk afterwards, holes among them as zeros; the
 * size grows with them. 0 or -errno; what was done before a failure stays. The inode is locked.
 */
int filemap_allocate(struct address_space *as, u64 pos, u64 len);
/* As filemap_read, but from/to the kernel's own memory. */
ssize_t filemap_read_kernel(struct address_space *as, struct readahead *ra, void *buf, size_t len,
			    u64 pos);

/*
 * Sets a new size (inode's lock held): drops cached pages past it, unmaps them everywhere, zeroes
 * the tail of the last page. Growing leaves a hole.
 */
void filemap_truncate(struct address_space *as, u64 size);

/*
 * Around whatever makes the file larger (@old_size: what it was; inode's lock held): the rest of
 * the last page is zeros then, whatever mappings wrote there, and who writes through one asks for a
 * place for it again.
 */
void filemap_begin_grow(struct address_space *as);
void filemap_end_grow(struct address_space *as, u64 old_size);
/* Grows the file to @size by a hole. */
void filemap_grow(struct address_space *as, u64 size);

/*
 * No shared area of @as that can be written comes any more. @all: and there is none; false if there
 * is, or is about to be, and nothing has changed.
 */
bool mapping_seal(struct address_space *as, bool all);

/*
 * Bytes [from, to) of a file without backing store are a hole: zeros, and the pages in between are
 * given back; who maps them finds new ones, private copies stay. 0, or -errno with nothing changed:
 * what is partly kept could not be had back from swap. Inode's lock held.
 */
int filemap_punch(struct address_space *as, u64 from, u64 to);
/* Every page from index @first on leaves the cache, unwritten; nobody maps or wants them. */
void filemap_remove_from(struct address_space *as, unsigned long first);
/* Takes locked @page out of the cache if it is still there; who has a reference keeps the frame. */
void filemap_remove_page(struct address_space *as, struct page *page);

/*
 * Drops the pages of [first, last] that are clean, not mapped and not in use, of a mapping with a
 * backing store; returns how many. May sleep.
 */
unsigned long filemap_drop_clean(struct address_space *as, unsigned long first, unsigned long last);

/* The operations of a mapping that has no backing store: missing pages are holes, read as zeros. */
extern const struct address_space_ops shmem_aops;

/*
 * Reclaim's: takes locked @page out of the cache, which is to be clean, not mapped, and of interest
 * to nobody but the caller, who has a reference; false: it is not so.
 */
bool filemap_evict(struct page *page);
/* The same for a page that is not locked; false, too, when somebody has it locked. */
bool filemap_drop_idle(struct page *page);
unsigned long filemap_nr_pages(void);	/* in the cache, all files */
unsigned long filemap_nr_buffers(void); /* of them, blocks of disks that are no file's */
unsigned long shmem_nr_pages(void);
void filemap_init(void);

/* ---- mm/writeback.c: dirty pages ---- */

/*
 * @page, referenced, differs from the disk now: it is written sooner or later, and stays until
 * then. Any task context; no spinlock held.
 */
void filemap_set_dirty(struct address_space *as, struct page *page);
/*
 * Writes the pages of [first, last] (indexes) that are dirty now; returns when all is under way.
 * Errors: as->wb_err. No page lock may be held.
 */
void filemap_start_write(struct address_space *as, unsigned long first, unsigned long last);
/* Sleeps until no page of [first, last] is being written. Errors: as->wb_err. */
void filemap_wait_write(struct address_space *as, unsigned long first, unsigned long last);
/*
 * Both. Returns 0, or -errno when a write of @as failed meanwhile; -ENOMEM, which no later call is
 * told, when pages are dirty still because others put their writes off, again and again.
 */
int filemap_write_range(struct address_space *as, unsigned long first, unsigned long last);
/* The same for all pages. */
int filemap_write_all(struct address_space *as);
/* @page, being written, cannot be for want of memory: it is dirty again. No spinlock held. */
void filemap_put_off(struct address_space *as, struct page *page);
/* A page ends its write; @err 0 or -errno. Interrupt context too. */
void page_end_writeback(struct page *page, int err);
/*
 * Starts writing dirty @page, which is locked and referenced, and dirty pages right behind it that
 * are not locked by others; how many. @page is unlocked afterwards.
 */
unsigned filemap_write_around(struct page *page);
/* @page, locked, is not to be written any more. Waits for a write under way. */
void filemap_cancel_dirty(struct address_space *as, struct page *page);
/* For the checker, with the machine stopped: what is wrong with a cache page's flags, or NULL. */
const char *writeback_fault(const struct page *page);
/* True when some page is dirty. */
bool filemap_is_dirty(struct address_space *as);
/* Pages that are dirty, and pages that are being written: all files. */
unsigned long filemap_nr_dirty(void);
unsigned long filemap_nr_writeback(void);
/* The slow path of balance_dirty_pages(); its counter, and the number that is too much. */
void throttle_writer(struct address_space *as);
extern long nr_dirty_pages, dirty_background, dirty_limit;

static inline bool too_much_is_dirty(void)
{
	return unlikely(READ_ONCE(nr_dirty_pages) > dirty_background);
}

/*
 * A writer of @as has dirtied pages: when too much is dirty, wakes the flusher, and past a higher
 * limit writes some itself and waits. No lock but the inode's may be held.
 */
static inline void balance_dirty_pages(struct address_space *as)
{
	if (too_much_is_dirty())
		throttle_writer(as);
}

/* Percent of memory that may be dirty before writers wait, and before the flusher starts. */
extern unsigned long dirty_ratio, dirty_background_ratio;
void writeback_set_limits(void); /* one of them has changed; boot */

/* ---- mm/reclaim.c ---- */

/* Drops clean, unmapped, unused cache pages, about @nr; returns how many. No spinlock is held. */
unsigned long shrink_page_cache(unsigned long nr);
extern unsigned long swappiness; /* 0..200: how readily programs' memory goes instead */

#endif
