/*
 * balloc.c - ext2: which blocks are free.
 *
 *	group:    0              1              2        each with a bitmap of its blocks
 *	bitmap:   [11111101...]  [...]          [...]    on the disk: 1 in use
 *	freed[]:  [00010000...................]    in memory: freed, the disk does not know yet
 *
 *	Taken: 0 in both. The search begins at the goal, goes to the end of its group, then through
 *	the other groups.
 *
 * A block that is freed may still be pointed to by what the disk says. It is not given out again
 * before a commit has written the metadata that forgets it (commit.c): after a crash no block has
 * two owners, which is what e2fsck -p would not mend.
 *
 * Invariants: sbi->free_blocks is the sum over the groups and counts freed blocks as free, as the
 * bitmaps do; a block of metadata at a fixed place is never freed.
 * Locks: sbi->lock for bits and counts; bitmaps are read in before it is taken.
 */
#include "fs/ext2/ext2.h"
#include "lib/bitmap.h"
#include "mm/buddy.h"

static u32 group_of(const struct ext2_sb_info *sbi, u32 block)
{
	return (block - sbi->first_data_block) / sbi->blocks_per_group;
}

static u32 first_of_group(const struct ext2_sb_info *sbi, u32 group)
{
	return sbi->first_data_block + group * sbi->blocks_per_group;
}

/* Blocks in @group: the last one may be short. */
static u32 group_size(const struct ext2_sb_info *sbi, u32 group)
{
	return min(sbi->blocks_per_group, sbi->blocks_count - first_of_group(sbi, group));
}

/* True when @block lies in its group's bitmaps, inode table, or before the first of them. */
static bool is_fixed(const struct ext2_sb_info *sbi, u32 block)
{
	const struct ext2_group *group = &sbi->groups[group_of(sbi, block)];
	u32 table = DIV_ROUND_UP((u64)sbi->inodes_per_group * sbi->inode_size, 1u << sbi->blkbits);

	return block == group->block_bitmap || block == group->inode_bitmap ||
	       block - group->inode_table < table ||
	       block - sbi->first_data_block <= sbi->desc_blocks;
}

/* The first block of group bits [from, to) that is free and not freed lately; @to: none. */
static u32 find_free(const struct ext2_sb_info *sbi, const unsigned long *bits, u32 group, u32 from,
		     u32 to)
{
	u32 base = group * sbi->blocks_per_group;

	for (u32 bit = from; (bit = find_next_zero_bit(bits, to, bit)) < to; bit++) {
		if (!test_bit(base + bit, sbi->freed[0].blocks) &&
		    !test_bit(base + bit, sbi->freed[1].blocks))
			return bit;
	}
	return to;
}

/* Takes the first free block of @group from @from on; 0: none, or -EIO. */
static int take_in_group(struct super_block *sb, u32 group, u32 from, u32 *block)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	u32 size = group_size(sbi, group), bit;
	struct page *page;
	unsigned long *bits;

	*block = 0;
	if (READ_ONCE(sbi->groups[group].free_blocks) == 0)
		return 0;
	page = ext2_meta_read(sb, sbi->groups[group].block_bitmap);
	if (IS_ERR(page))
		return PTR_ERR(page);
	bits = page_address(page);
	spin_lock(&sbi->lock);
	bit = find_free(sbi, bits, group, from, size);
	if (bit < size) {
		set_bit(bit, bits);
		/* A damaged count must not wrap. */
		sbi->groups[group].free_blocks -= sbi->groups[group].free_blocks > 0;
		sbi->free_blocks -= sbi->free_blocks > 0;
		*block = first_of_group(sbi, group) + bit;
	}
	spin_unlock(&sbi->lock);
	if (*block) {
		ext2_meta_dirty(sb, page);
		if (is_fixed(sbi, *block)) {
			/* The bitmap lies: the block stays marked, and the search goes on. */
			ext2_error(sb, "block %u of the metadata was marked free", *block);
			*block = 0;
		}
	}
	page_put(page);
	return 0;
}

int ext2_new_block(struct inode *inode, u32 goal, u32 *block)
{
	struct super_block *sb = inode->i_sb;
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	u32 start, from = 0;
	int ret = -ENOSPC;

	if (!ext2_block_valid(sbi, goal))
		goal = first_of_group(sbi, (inode->i_ino - 1) / sbi->inodes_per_group);
	start = group_of(sbi, goal);
	from = goal - first_of_group(sbi, start);
	/* One more than there are: what lies before the goal in its own group comes last. */
	for (u32 i = 0; i <= sbi->nr_groups; i++) {
		u32 group = (start + i) % sbi->nr_groups;
		int err = take_in_group(sb, group, from, block);

		if (*block)
			return 0;
		if (err && err != -EIO)
			return err;
		if (err)
			ret = -EIO; /* an unreadable bitmap: the others may do */
		from = 0;
	}
	return ret == -ENOSPC ? -EAGAIN : ret;
}

/* Clears the bits of blocks [block, block + count) of @group that are set; tells of the others. */
static void free_in_group(struct super_block *sb, u32 group, u32 block, u32 count)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct page *page = ext2_meta_read(sb, sbi->groups[group].block_bitmap);
	u32 first = block - first_of_group(sbi, group), nr_bad = 0;
	unsigned long *bits;

	if (IS_ERR(page)) {
		ext2_error(sb, "group %u: blocks are lost: the bitmap cannot be read", group);
		return;
	}
	bits = page_address(page);
	spin_lock(&sbi->lock);
	for (u32 i = 0; i < count; i++) {
		if (!test_bit(first + i, bits) || is_fixed(sbi, block + i)) {
			nr_bad++;
			continue;
		}
		clear_bit(first + i, bits);
		set_bit(group * sbi->blocks_per_group + first + i,
			sbi->freed[sbi->freed_now].blocks);
		sbi->groups[group].free_blocks++;
		sbi->free_blocks++;
	}
	spin_unlock(&sbi->lock);
	ext2_meta_dirty(sb, page);
	page_put(page);
	if (nr_bad)
		ext2_error(sb, "%u of %u blocks from %u on are free already, or fixed", nr_bad,
			   count, block);
}

void ext2_free_blocks(struct super_block *sb, u32 block, u32 count)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	bool before = memory_must_begin();

	while (count > 0) {
		u32 group, n;

		if (!ext2_block_valid(sbi, block)) {
			ext2_error(sb, "bad block %u is not freed", block);
			break;
		}
		group = group_of(sbi, block);
		n = min(count, first_of_group(sbi, group) + group_size(sbi, group) - block);
		free_in_group(sb, group, block, n);
		block += n;
		count -= n;
	}
	memory_must_end(before);
}
