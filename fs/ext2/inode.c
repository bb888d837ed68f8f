/*
 * inode.c - ext2: reading inodes, and from a file's block to the disk's.
 *
 *	file block    0..11   12 .. 12+n-1    n*n more         n*n*n more       n = blocksize / 4
 *	i_block       [0..11] [12]->(n)       [13]->(n)->(n)   [14]->(n)->(n)->(n)
 *	              direct  indirect        double           triple
 *
 * A block number 0 is a hole, anywhere on the way. Every other is checked against the disk's size.
 *
 * Locks: none; the disk is not written. Waiting for a pointer block to be read is done with the
 * page of the file locked, never the other way round: pointer blocks are pages of the disk's own
 * mapping.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "fs/mpage.h"
#include "lib/string.h"

/* ---- the block map ---- */

/*
 * The way to file block @block: offsets[0] in i_block, then one in each pointer block. Returns how
 * many steps, 0 when no such block can exist.
 */
static unsigned block_path(unsigned blkbits, u64 block, u32 offsets[4])
{
	unsigned ptr_bits = blkbits - 2;
	u64 span = 1ULL << ptr_bits;

	if (block < EXT2_NR_DIRECT) {
		offsets[0] = block;
		return 1;
	}
	block -= EXT2_NR_DIRECT;
	for (unsigned depth = 1; depth <= 3; depth++, span <<= ptr_bits) {
		if (block >= span) {
			block -= span;
			continue;
		}
		offsets[0] = EXT2_NR_DIRECT + depth - 1;
		for (unsigned i = 1; i <= depth; i++)
			offsets[i] = block >> (depth - i) * ptr_bits & ((1u << ptr_bits) - 1);
		return depth + 1;
	}
	return 0;
}

static int ext2_get_block(struct address_space *as, u64 block, u64 *phys)
{
	struct inode *inode = as->host;
	const struct ext2_sb_info *sbi = EXT2_SB(inode->i_sb);
	u32 offsets[4], nr;
	unsigned depth = block_path(sbi->blkbits, block, offsets);

	if (depth == 0)
		return ext2_error(inode->i_sb, "inode %lu: no block %lu can exist", inode->i_ino,
				  block);
	nr = EXT2_I(inode)->i_block[offsets[0]];
	for (unsigned i = 1; i <= depth; i++) {
		struct page *page;
		void *p;

		if (nr == 0) {
			*phys = BLOCK_HOLE;
			return 0;
		}
		if (!ext2_block_valid(sbi, nr))
			return ext2_error(inode->i_sb, "inode %lu: bad block number %u",
					  inode->i_ino, nr);
		if (i == depth)
			break;
		page = ext2_read_meta(inode->i_sb, nr, offsets[i] * sizeof(u32), &p);
		if (IS_ERR(page))
			return PTR_ERR(page);
		nr = *(u32 *)p;
		page_put(page);
	}
	*phys = nr;
	return 0;
}

static void ext2_read_pages(struct address_space *as, struct page **pages, unsigned nr)
{
	const struct super_block *sb = as->host->i_sb;

	mpage_read(as, pages, nr, sb->s_bdev, EXT2_SB(sb)->blkbits, ext2_get_block);
}

const struct address_space_ops ext2_aops = {
	.read_pages = ext2_read_pages,
};

const struct file_operations ext2_file_fops = {
	.read = generic_file_read,
};

/* ---- inodes ---- */

/* The disk's inode @ino: its page with a reference, or ERR_PTR. */
static struct page *find_disk_inode(struct super_block *sb, u32 ino, struct ext2_disk_inode **raw)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	u32 group = (ino - 1) / sbi->inodes_per_group, table;
	u64 offset = (u64)((ino - 1) % sbi->inodes_per_group) * sbi->inode_size;
	u64 desc = (u64)group * sizeof(struct ext2_group_desc);
	u64 desc_block = sbi->first_data_block + 1 + (desc >> sbi->blkbits);
	struct page *page;
	void *p;

	if (!ext2_block_valid(sbi, desc_block))
		return ERR_PTR(ext2_error(sb, "group table runs off the disk"));
	page = ext2_read_meta(sb, desc_block, desc & ((1u << sbi->blkbits) - 1), &p);
	if (IS_ERR(page))
		return page;
	table = ((struct ext2_group_desc *)p)->bg_inode_table;
	page_put(page);
	if (!ext2_block_valid(sbi, table) ||
	    !ext2_block_valid(sbi, table + (offset >> sbi->blkbits)))
		return ERR_PTR(ext2_error(sb, "group %u: bad inode table %u", group, table));
	page = ext2_read_meta(sb, table + (offset >> sbi->blkbits),
			      offset & ((1u << sbi->blkbits) - 1), &p);
	*raw = p;
	return page;
}

static void set_device(struct inode *inode, const u32 i_block[])
{
	/* The old encoding has 8 bits for each half, the new one is that of user programs. */
	if (i_block[0])
		inode->i_rdev = MKDEV(i_block[0] >> 8 & 0xff, i_block[0] & 0xff);
	else
		inode->i_rdev = i_block[1];
}

/* Operations by type; -EIO for a type that does not exist. */
static int set_operations(struct inode *inode)
{
	inode->i_data.ops = &ext2_aops;
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		inode->i_fop = &ext2_file_fops;
		return 0;
	case S_IFDIR:
		inode->i_op = &ext2_dir_iops;
		inode->i_fop = &ext2_dir_fops;
		return 0;
	case S_IFLNK:
		inode->i_op = &ext2_symlink_iops;
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		set_device(inode, EXT2_I(inode)->i_block);
		return 0;
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	}
	return ext2_error(inode->i_sb, "inode %lu: bad mode 0%o", inode->i_ino, inode->i_mode);
}

/* Takes over what @raw says, as far as it can be believed. */
static int fill_inode(struct inode *inode, const struct ext2_disk_inode *raw)
{
	u64 size = raw->i_size;

	if (raw->i_links_count == 0)
		return ext2_error(inode->i_sb, "inode %lu is named but not in use", inode->i_ino);
	inode->i_mode = raw->i_mode;
	inode->i_nlink = raw->i_links_count;
	inode->i_uid = raw->i_uid | (u32)raw->l_uid_high << 16;
	inode->i_gid = raw->i_gid | (u32)raw->l_gid_high << 16;
	inode->i_blocks = raw->i_blocks;
	inode->i_atime = (struct timespec64){ .tv_sec = (s32)raw->i_atime };
	inode->i_mtime = (struct timespec64){ .tv_sec = (s32)raw->i_mtime };
	inode->i_ctime = (struct timespec64){ .tv_sec = (s32)raw->i_ctime };
	memcpy(EXT2_I(inode)->i_block, raw->i_block, sizeof(raw->i_block));
	if (S_ISREG(inode->i_mode))
		size |= (u64)raw->i_size_high << 32;
	/* Directories have no holes: one larger than its disk would take ages to read through. */
	if (size > inode->i_sb->s_maxbytes ||
	    (S_ISDIR(inode->i_mode) &&
	     size > (u64)EXT2_SB(inode->i_sb)->blocks_count * inode->i_sb->s_blocksize))
		return ext2_error(inode->i_sb, "inode %lu: bad size %lu", inode->i_ino, size);
	inode->i_data.size = size;
	return set_operations(inode);
}

struct inode *ext2_iget(struct super_block *sb, u32 ino)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_disk_inode *raw = NULL;
	struct inode *inode;
	struct page *page;
	int err;

	if ((ino < sbi->first_ino && ino != EXT2_ROOT_INO) || ino > sbi->inodes_count)
		return ERR_PTR(ext2_error(sb, "bad inode number %u", ino));
	inode = inode_find_or_new(sb, ino);
	if (IS_ERR(inode) || !(inode->i_state & I_NEW))
		return inode;
	page = find_disk_inode(sb, ino, &raw);
	err = IS_ERR(page) ? PTR_ERR(page) : fill_inode(inode, raw);
	if (!IS_ERR(page))
		page_put(page);
	if (err) {
		inode_failed(inode);
		return ERR_PTR(err);
	}
	inode_ready(inode);
	return inode;
}
