/*
 * meta.c - ext2: blocks of metadata in memory.
 *
 *	sbi->meta   page n holds disk block n, at the start of the page
 *	            super block, group table, bitmaps, inode tables, pointer blocks
 *
 * One block is one page, also where blocks are smaller: a page is dirty or being written as a
 * whole, and what lies beside a pointer block on the disk may be somebody's data. Directories are
 * files: their blocks are pages of theirs.
 *
 * A block that stops being metadata leaves this cache before it can be anything else, so that no
 * late write of ours hits what lies there then. Neighbours that reading ahead brought in may be
 * data that grows old; a block that becomes metadata is made here, not read.
 *
 * Locks: as those of the page cache. A page lock here is inside a page lock of a file.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "fs/mpage.h"
#include "lib/string.h"

static int same_block(struct address_space *as __maybe_unused, u64 block, u64 *phys)
{
	*phys = block;
	return 0;
}

static struct mpage_layout meta_layout(struct address_space *as)
{
	const struct ext2_sb_info *sbi = container_of(as, struct ext2_sb_info, meta);

	return (struct mpage_layout){
		.bdev = sbi->sb->s_bdev,
		.blkbits = sbi->blkbits,
		.per_page = 1,
		.get_block = same_block,
	};
}

static void meta_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = meta_layout(as);

	mpage_read(as, pages, nr, &layout);
}

static void meta_write_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	struct mpage_layout layout = meta_layout(as);

	mpage_write(as, pages, nr, &layout);
}

static const struct address_space_ops meta_aops = {
	.read_pages = meta_read_pages,
	.write_pages = meta_write_pages,
};

void ext2_meta_init(struct ext2_sb_info *sbi, u64 nr_blocks)
{
	mapping_init(&sbi->meta, NULL, &meta_aops);
	sbi->meta.size = nr_blocks << PAGE_SHIFT;
}

struct page *ext2_meta_read(struct super_block *sb, u32 block)
{
	return read_mapping_page_unkillable(&EXT2_SB(sb)->meta, block);
}

struct page *ext2_meta_new(struct super_block *sb, u32 block)
{
	struct page *page = make_mapping_page(&EXT2_SB(sb)->meta, block);

	if (!IS_ERR(page))
		memset(page_address(page), 0, sb->s_blocksize);
	return page;
}

void ext2_meta_dirty(struct super_block *sb, struct page *page)
{
	filemap_set_dirty(&EXT2_SB(sb)->meta, page);
}

void ext2_meta_forget(struct super_block *sb, u32 block)
{
	drop_mapping_page(&EXT2_SB(sb)->meta, block);
}

int ext2_write_now(struct super_block *sb, struct page *page, unsigned offset, u32 block)
{
	unsigned to_sector = EXT2_SB(sb)->blkbits - SECTOR_SHIFT;
	struct bio *bio = bio_alloc(sb->s_bdev, BIO_WRITE, (u64)block << to_sector);
	int err;

	if (!bio)
		return -ENOMEM;
	bio_add_page(bio, page, offset, sb->s_blocksize);
	err = submit_bio_wait(bio);
	bio_free(bio);
	return err ? err : block_flush(sb->s_bdev);
}
