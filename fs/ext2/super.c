/*
 * super.c - ext2: reading and believing (or not) the super block.
 *
 * A super block may be damaged or made by an enemy: all that later code divides by, shifts by or
 * multiplies is checked here once, so that it cannot overflow or run off the disk there.
 *
 * Locks: none; a mounted super block does not change.
 */
#include <stdarg.h>

#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define MAX_BLOCK_LOG 2	 /* 1 KiB << 2: blocks of up to a page */
#define MAX_REPORTS   20 /* lines about one file system */

static struct kmem_cache *ext2_inode_cache;

int ext2_error(struct super_block *sb, const char *fmt, ...)
{
	unsigned n = __atomic_add_fetch(&EXT2_SB(sb)->nr_errors, 1, __ATOMIC_RELAXED);
	char text[128];
	va_list ap;

	if (n > MAX_REPORTS)
		return -EIO;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk("ext2 (%s): %s%s\n", sb->s_bdev->name, text,
	       n == MAX_REPORTS ? "; no more is reported" : "");
	return -EIO;
}

struct page *ext2_read_meta(struct super_block *sb, u32 block, unsigned offset, void **p)
{
	u64 pos = ((u64)block << EXT2_SB(sb)->blkbits) + offset;
	struct page *page = read_mapping_page(EXT2_SB(sb)->disk, pos >> PAGE_SHIFT);

	if (!IS_ERR(page))
		*p = (char *)page_address(page) + offset_in_page(pos);
	return page;
}

/* ---- the super block ---- */

static int refuse(struct super_block *sb, const char *why)
{
	printk("ext2 (%s): %s\n", sb->s_bdev->name, why);
	return -EINVAL;
}

/* Block size, revision and features: *sbi gets what depends on them. */
static int check_format(struct super_block *sb, const struct ext2_super *es,
			struct ext2_sb_info *sbi)
{
	if (es->s_magic != EXT2_MAGIC)
		return refuse(sb, "no ext2 file system");
	if (es->s_log_block_size > MAX_BLOCK_LOG)
		return refuse(sb, "blocks larger than a page");
	if (es->s_rev_level > 1)
		return refuse(sb, "unknown revision");
	sbi->blkbits = 10 + es->s_log_block_size;
	sbi->inode_size = EXT2_GOOD_OLD_INODE_SIZE;
	sbi->first_ino = EXT2_GOOD_OLD_FIRST_INO;
	if (es->s_rev_level == 0)
		return 0;
	sbi->inode_size = es->s_inode_size;
	sbi->first_ino = es->s_first_ino;
	sbi->filetype = es->s_feature_incompat & EXT2_INCOMPAT_FILETYPE;
	if (es->s_feature_incompat & ~EXT2_INCOMPAT_FILETYPE)
		return refuse(sb, "has features that this kernel does not know");
	/* Unknown ro_compat features do not matter to who only reads. */
	if (sbi->inode_size < EXT2_GOOD_OLD_INODE_SIZE || sbi->inode_size > 1u << sbi->blkbits ||
	    !is_pow2(sbi->inode_size))
		return refuse(sb, "bad inode size");
	return 0;
}

/* The counts: every block and every inode must have its place. */
static int check_counts(struct super_block *sb, const struct ext2_super *es,
			struct ext2_sb_info *sbi)
{
	u32 bits_per_block = 8u << sbi->blkbits;

	sbi->blocks_count = es->s_blocks_count;
	sbi->inodes_count = es->s_inodes_count;
	sbi->first_data_block = es->s_first_data_block;
	sbi->blocks_per_group = es->s_blocks_per_group;
	sbi->inodes_per_group = es->s_inodes_per_group;
	sbi->free_blocks = min(es->s_free_blocks_count, sbi->blocks_count);
	sbi->free_inodes = min(es->s_free_inodes_count, sbi->inodes_count);
	if (sbi->first_data_block != (sbi->blkbits == 10 ? 1 : 0) ||
	    sbi->blocks_count <= sbi->first_data_block + 1)
		return refuse(sb, "bad block counts");
	if (sbi->blocks_per_group == 0 || sbi->blocks_per_group > bits_per_block ||
	    sbi->inodes_per_group == 0 || sbi->inodes_per_group > bits_per_block)
		return refuse(sb, "bad group sizes");
	if ((u64)sbi->blocks_count << sbi->blkbits > sb->s_bdev->nr_sectors << SECTOR_SHIFT)
		return refuse(sb, "larger than its disk");
	sbi->nr_groups =
		DIV_ROUND_UP((u64)sbi->blocks_count - sbi->first_data_block, sbi->blocks_per_group);
	if (sbi->inodes_count < sbi->first_ino || sbi->first_ino < EXT2_GOOD_OLD_FIRST_INO ||
	    sbi->inodes_count > (u64)sbi->nr_groups * sbi->inodes_per_group)
		return refuse(sb, "bad inode counts");
	return 0;
}

/* The largest file that the block map can hold, in bytes. */
static u64 max_file_size(unsigned blkbits)
{
	u64 per_block = 1ULL << (blkbits - 2);

	return (EXT2_NR_DIRECT + per_block + per_block * per_block +
		per_block * per_block * per_block)
	       << blkbits;
}

static int read_super(struct super_block *sb, struct ext2_sb_info *sbi)
{
	struct page *page = read_mapping_page(sbi->disk, EXT2_SUPER_OFFSET >> PAGE_SHIFT);
	const struct ext2_super *es;
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	es = (void *)((char *)page_address(page) + offset_in_page(EXT2_SUPER_OFFSET));
	err = check_format(sb, es, sbi);
	if (!err)
		err = check_counts(sb, es, sbi);
	page_put(page);
	return err;
}

/* ---- operations ---- */

static struct inode *ext2_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct ext2_inode *ei = kmem_cache_alloc(ext2_inode_cache, GFP_KERNEL | GFP_ZERO);

	return ei ? &ei->vfs : NULL;
}

static void ext2_free_inode(struct inode *inode)
{
	kmem_cache_free(ext2_inode_cache, EXT2_I(inode));
}

static int ext2_statfs(struct super_block *sb, struct statfs_abi *st)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);

	st->f_blocks = sbi->blocks_count;
	st->f_bfree = st->f_bavail = sbi->free_blocks;
	st->f_files = sbi->inodes_count;
	st->f_ffree = sbi->free_inodes;
	return 0;
}

static void ext2_put_super(struct super_block *sb)
{
	kfree(sb->s_fs_info);
}

static const struct super_operations ext2_sops = {
	.put_super = ext2_put_super,
	.alloc_inode = ext2_alloc_inode,
	.free_inode = ext2_free_inode,
	.statfs = ext2_statfs,
};

static int ext2_fill_super(struct super_block *sb)
{
	struct ext2_sb_info *sbi;
	struct inode *root;
	int err;

	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	err = -ENOMEM;
	sbi->disk = bdev_mapping(sb->s_bdev);
	if (!sbi->disk)
		goto out;
	err = read_super(sb, sbi);
	if (err)
		goto out;
	sb->s_fs_info = sbi;
	sb->s_op = &ext2_sops;
	sb->s_flags |= SB_RDONLY;
	sb->s_blocksize = 1u << sbi->blkbits;
	sb->s_magic = EXT2_MAGIC;
	sb->s_maxbytes = max_file_size(sbi->blkbits);
	root = ext2_iget(sb, EXT2_ROOT_INO);
	err = IS_ERR(root) ? PTR_ERR(root) : 0;
	if (!err && !S_ISDIR(root->i_mode)) {
		inode_put(root);
		err = ext2_error(sb, "the root is no directory");
	}
	if (!err)
		err = sb_make_root(sb, root);
	if (!err)
		return 0;
	/* Inodes that were read name this super block: they go before it does. */
	inode_drain(sb);
out:
	kfree(sbi);
	return err;
}

static struct fs_type ext2_type = {
	.name = "ext2",
	.fill_super = ext2_fill_super,
	.needs_disk = true,
};

void ext2_init(void)
{
	ext2_inode_cache = kmem_cache_create("ext2_inode", sizeof(struct ext2_inode), 0);
	fs_register(&ext2_type);
}
