/*
 * mpage.h - reading pages of a file from the blocks of a disk.
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

/*
 * An address_space's read_pages: reads @nr locked pages of consecutive index from @bdev, in blocks
 * of 1 << @blkbits bytes (512 to PAGE_SIZE). Returns when the requests are under way.
 */
void mpage_read(struct address_space *as, struct page **pages, unsigned nr,
		struct block_device *bdev, unsigned blkbits, get_block_fn get_block);

#endif
