/*
 * mpage.h - reading and writing pages of a file in the blocks of a disk.
 */
#ifndef RAVEL_FS_MPAGE_H
#define RAVEL_FS_MPAGE_H

#include "mm/filemap.h"

struct block_device;

#define BLOCK_HOLE (~0ULL)

/*
 * Where block @block of the file lies on the disk: *phys, in blocks, or BLOCK_HOLE. 0 or
 * -errno. May sleep.
 */
typedef int (*get_block_fn)(struct address_space *as, u64 block, u64 *phys);

/* How the pages of a mapping lie on a disk. */
struct mpage_layout {
	struct block_device *bdev;
	unsigned blkbits;  /* blocks of 1 << blkbits bytes: 512 to PAGE_SIZE */
	unsigned per_page; /* blocks in a page, one after the other from its start */
	get_block_fn get_block;
};

/*
 * An address_space's read_pages: reads @nr locked pages of consecutive index. Returns when the
 * requests are under way.
 */
void mpage_read(struct address_space *as, struct page **pages, unsigned nr,
		const struct mpage_layout *layout);
/*
 * An address_space's write_pages: likewise. Holes stay holes. A page for which there is no memory
 * is dirty again, and -ENOMEM its error.
 */
void mpage_write(struct address_space *as, struct page **pages, unsigned nr,
		 const struct mpage_layout *layout);

/* The debug kernel, at its end: gives back the memory that waits for its next use. */
void mpage_drop_spares(void);

#endif
