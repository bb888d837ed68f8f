/*
 * filemap.h - the page cache: a file's pages by index, shared by read() and mmap.
 */
#ifndef RAVEL_MM_FILEMAP_H
#define RAVEL_MM_FILEMAP_H

#include "lib/radix_tree.h"
#include "mm/page.h"

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
	/* The pages have no copy elsewhere: reclaim leaves them alone (tmpfs). */
	bool no_backing;
};

struct address_space {
	struct inode *host;
	const struct address_space_ops *ops;
	struct spinlock lock; /* guards pages and nr_pages */
	struct radix_tree_root pages;
	unsigned long nr_pages;
	u64 size; /* bytes: THE size of the file. READ_ONCE; writers hold the inode's lock */
	struct spinlock mmap_lock; /* i_mmap lock: guards areas */
	struct list_head areas;	   /* every vm_area that maps this file, by vm_mapping_link */
};

void mapping_init(struct address_space *as, struct inode *host,
		  const struct address_space_ops *ops);
/* Drops every page; the mapping must have no user left. */
void mapping_destroy(struct address_space *as);

/*
 * The up-to-date page @index with a reference; reads it (and some after it) if absent. May sleep.
 * ERR_PTR: -EIO, -ENOMEM, -EINTR (fatal signal). For metadata too: directories, block device.
 */
struct page *read_mapping_page(struct address_space *as, unsigned long index);
/* The page if it is in the cache, with a reference, whatever its state; else NULL. */
struct page *find_get_page(struct address_space *as, unsigned long index);
/*
 * The up-to-date pages of [first, first + nr) that are in the cache, each with a reference, in
 * order, into @pages; returns how many. Starts no I/O.
 */
unsigned find_uptodate_pages(struct address_space *as, unsigned long first, unsigned nr,
			     struct page **pages);
/* A page ends its read: up to date or in error, unlocked. Interrupt context too. */
void page_end_read(struct page *page, bool ok);

/* read(2)'s work on [pos, pos + len): bytes copied to user memory, or -errno when none were. */
ssize_t filemap_read(struct address_space *as, void *ubuf, size_t len, u64 pos);
/*
 * write(2)'s work for mappings whose pages live only in the cache (tmpfs). Extends as->size. The
 * caller holds the inode's lock. Bytes written, or -errno when none were (-ENOSPC, -EFAULT,
 * -ENOMEM).
 */
ssize_t filemap_write(struct address_space *as, const void *ubuf, size_t len, u64 pos);
/* As filemap_read, but from/to the kernel's own memory. */
ssize_t filemap_read_kernel(struct address_space *as, void *buf, size_t len, u64 pos);

/*
 * Sets a new size (inode's lock held): drops cached pages past it, unmaps them everywhere, zeroes
 * the tail of the last page. Growing leaves a hole.
 */
void filemap_truncate(struct address_space *as, u64 size);

/* The operations of a mapping that has no backing store: missing pages are holes, read as zeros. */
extern const struct address_space_ops shmem_aops;

/* Reclaim's: takes an idle, clean page out of the cache, if it is still @as's; false: in use. */
bool filemap_drop_idle(struct page *page);
unsigned long filemap_nr_pages(void); /* in the cache, all files */
unsigned long shmem_nr_pages(void);
void filemap_init(void);

/* ---- mm/reclaim.c ---- */

/* Drops clean, unmapped, unused cache pages, about @nr; returns how many. No lock may be held. */
unsigned long shrink_page_cache(unsigned long nr);
/* A page enters or leaves the list of pages that may be dropped. */
void lru_add(struct page *page);
void lru_del(struct page *page);

#endif
