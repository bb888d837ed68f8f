/*
 * super.c - ext2: reading and believing (or not) the super block and the group table; mounting.
 *
 * They may be damaged or made by an enemy: all that later code divides by, shifts by or multiplies,
 * and where each group has its bitmaps and its inodes, is checked here once, so that it cannot
 * overflow or run off the disk there.
 *
 * While a file system is mounted for writing its super block says "not clean": e2fsck then looks at
 * all of it. Unmounted, or when the machine is switched off properly, it is clean again.
 *
 * Locks: none; what is checked here does not change while it is mounted.
 */
#include <stdarg.h>

#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define MAX_BLOCK_LOG 2	  /* 1 KiB << 2: blocks of up to a page */
#define MAX_REPORTS   20  /* lines about one file system */
#define MIN_PER_GROUP 256 /* blocks, as mke2fs has it */

static struct kmem_cache *ext2_inode_cache;

int ext2_error(struct super_block *sb, const char *fmt, ...)
{
	unsigned n = __atomic_add_fetch(&EXT2_SB(sb)->nr_errors, 1, __ATOMIC_RELAXED);
	char text[128];
	va_list ap;

	EXT2_SB(sb)->had_errors = true;
	if (n > MAX_REPORTS)
		return -EIO;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	printk("ext2 (%s): %s%s\n", sb->s_bdev->name, text,
	       n == MAX_REPORTS ? "; no more is reported" : "");
	return -EIO;
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
	if (es->s_feature_ro_compat & ~(EXT2_RO_COMPAT_SPARSE | EXT2_RO_COMPAT_LARGEFILE))
		sbi->read_only = true; /* such features do not matter to who only reads */
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
	sbi->reserved_blocks = min(es->s_r_blocks_count, sbi->blocks_count);
	if (sbi->first_data_block != (sbi->blkbits == 10 ? 1 : 0) ||
	    sbi->blocks_count <= sbi->first_data_block + 1)
		return refuse(sb, "bad block counts");
	if (sbi->blocks_per_group < MIN_PER_GROUP || sbi->blocks_per_group > bits_per_block ||
	    sbi->inodes_per_group == 0 || sbi->inodes_per_group > bits_per_block)
		return refuse(sb, "bad group sizes");
	if ((u64)sbi->blocks_count << sbi->blkbits > sb->s_bdev->nr_sectors << SECTOR_SHIFT)
		return refuse(sb, "larger than its disk");
	sbi->nr_groups =
		DIV_ROUND_UP((u64)sbi->blocks_count - sbi->first_data_block, sbi->blocks_per_group);
	sbi->desc_blocks = DIV_ROUND_UP((u64)sbi->nr_groups * sizeof(struct ext2_group_desc),
					1u << sbi->blkbits);
	/* All groups are full of inodes: a number that a bitmap gives is one of inodes_count. */
	if (sbi->inodes_count < sbi->first_ino || sbi->first_ino < EXT2_GOOD_OLD_FIRST_INO ||
	    sbi->inodes_count != (u64)sbi->nr_groups * sbi->inodes_per_group)
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

/* The super block and all that can be told from it alone. */
static int read_super(struct super_block *sb, struct ext2_sb_info *sbi)
{
	struct page *page = read_mapping_page(bdev_mapping(sb->s_bdev), 0);
	const struct ext2_super *es;
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	es = (void *)((char *)page_address(page) + EXT2_SUPER_OFFSET);
	err = check_format(sb, es, sbi);
	if (!err)
		err = check_counts(sb, es, sbi);
	sbi->was_valid = es->s_state & EXT2_VALID_FS;
	sbi->had_errors = es->s_state & EXT2_ERROR_FS;
	if (es->s_rev_level == 0) /* has no flag for larger files */
		sb->s_maxbytes = INT32_MAX;
	page_put(page);
	return err;
}

/* ---- the group table ---- */

/* Where @desc says that its group has its metadata: is that on the disk? */
static bool group_is_sound(const struct ext2_sb_info *sbi, const struct ext2_group_desc *desc)
{
	u64 table = DIV_ROUND_UP((u64)sbi->inodes_per_group * sbi->inode_size, 1u << sbi->blkbits);

	return ext2_block_valid(sbi, desc->bg_block_bitmap) &&
	       ext2_block_valid(sbi, desc->bg_inode_bitmap) &&
	       ext2_block_valid(sbi, desc->bg_inode_table) &&
	       ext2_block_valid(sbi, desc->bg_inode_table + table - 1);
}

/* Takes over descriptor number @group; its counts are believed as far as they are possible. */
static int read_group(struct super_block *sb, struct ext2_sb_info *sbi, u32 group,
		      const struct ext2_group_desc *desc)
{
	if (!group_is_sound(sbi, desc))
		return refuse(sb, "a group has its metadata off the disk");
	sbi->groups[group] = (struct ext2_group){
		.block_bitmap = desc->bg_block_bitmap,
		.inode_bitmap = desc->bg_inode_bitmap,
		.inode_table = desc->bg_inode_table,
		.free_blocks = min((u32)desc->bg_free_blocks_count, sbi->blocks_per_group),
		.free_inodes = min((u32)desc->bg_free_inodes_count, sbi->inodes_per_group),
		.used_dirs = desc->bg_used_dirs_count,
	};
	sbi->free_blocks += sbi->groups[group].free_blocks;
	sbi->free_inodes += sbi->groups[group].free_inodes;
	return 0;
}

static int read_groups(struct super_block *sb, struct ext2_sb_info *sbi)
{
	unsigned per_block = (1u << sbi->blkbits) / sizeof(struct ext2_group_desc);
	int err = 0;

	for (u32 i = 0; i < sbi->nr_groups && !err; i++) {
		u32 block = sbi->first_data_block + 1 + i / per_block;
		struct page *page;

		if (!ext2_block_valid(sbi, block))
			return refuse(sb, "the group table runs off the disk");
		page = ext2_meta_read(sb, block);
		if (IS_ERR(page))
			return PTR_ERR(page);
		err = read_group(sb, sbi, i,
				 (struct ext2_group_desc *)page_address(page) + i % per_block);
		page_put(page);
	}
	return err;
}

/* What the checked counts ask for; sbi_free() undoes it. */
static int alloc_tables(struct ext2_sb_info *sbi)
{
	sbi->groups = kzalloc((size_t)sbi->nr_groups * sizeof(*sbi->groups), GFP_KERNEL);
	if (!sbi->groups)
		return -ENOMEM;
	for (unsigned i = 0; i < ARRAY_SIZE(sbi->freed); i++) {
		sbi->freed[i].blocks =
			kzalloc(BITS_TO_LONGS(sbi->blocks_count) * sizeof(long), GFP_KERNEL);
		sbi->freed[i].inodes =
			kzalloc(BITS_TO_LONGS(sbi->inodes_count) * sizeof(long), GFP_KERNEL);
		if (!sbi->freed[i].blocks || !sbi->freed[i].inodes)
			return -ENOMEM;
	}
	return 0;
}

static void sbi_free(struct ext2_sb_info *sbi)
{
	if (sbi->meta.ops)
		mapping_destroy(&sbi->meta);
	for (unsigned i = 0; i < ARRAY_SIZE(sbi->freed); i++) {
		kfree(sbi->freed[i].blocks);
		kfree(sbi->freed[i].inodes);
	}
	kfree(sbi->groups);
	kfree(sbi);
}

/* ---- operations ---- */

static struct inode *ext2_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct ext2_inode *ei = kmem_cache_alloc(ext2_inode_cache, GFP_KERNEL | GFP_ZERO);

	if (!ei)
		return NULL;
	mutex_init(&ei->map_lock);
	return &ei->vfs;
}

static void ext2_free_inode(struct inode *inode)
{
	kmem_cache_free(ext2_inode_cache, EXT2_I(inode));
}

static int ext2_statfs(struct super_block *sb, struct statfs_abi *st)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	u64 free_blocks = READ_ONCE(sbi->free_blocks);

	st->f_blocks = sbi->blocks_count;
	st->f_bfree = free_blocks;
	st->f_bavail = free_blocks > sbi->reserved_blocks ? free_blocks - sbi->reserved_blocks : 0;
	st->f_files = sbi->inodes_count;
	st->f_ffree = READ_ONCE(sbi->free_inodes);
	return 0;
}

/* What the disk says of itself from now on holds until stop_writing(). */
static int start_writing(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	int err;

	if (sb->s_bdev->read_only || sbi->read_only)
		return -EROFS;
	if (sbi->writing)
		return 0;
	if (!sbi->was_valid)
		printk("ext2 (%s): was not unmounted cleanly: e2fsck should look at it\n",
		       sb->s_bdev->name);
	err = ext2_mark_super(sb, false);
	if (!err)
		WRITE_ONCE(sbi->writing, true);
	return err;
}

/* Nobody changes anything any more: the disk has everything, and is in order. */
static int stop_writing(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	int err, more;

	if (!sbi->writing)
		return 0;
	err = ext2_commit(sb);
	WRITE_ONCE(sbi->writing, false);
	more = ext2_mark_super(sb, !err);
	return err ? err : more;
}

/* Everything is written; nothing of it is in use any more. */
static void ext2_put_super(struct super_block *sb)
{
	stop_writing(sb);
	sbi_free(EXT2_SB(sb));
	sb->s_fs_info = NULL;
}

/* Between read-only and writable. */
static int ext2_remount(struct super_block *sb, unsigned flags)
{
	return flags & SB_RDONLY ? stop_writing(sb) : start_writing(sb);
}

static const struct super_operations ext2_sops = {
	.alloc_inode = ext2_alloc_inode,
	.free_inode = ext2_free_inode,
	.evict_inode = ext2_evict_inode,
	.sync_fs = ext2_commit,
	.sync_inode = ext2_sync_inode,
	.statfs = ext2_statfs,
	.put_super = ext2_put_super,
	.remount = ext2_remount,
};

/* Reads and checks everything that is kept while mounted. sbi_free() undoes it in any case. */
static int load_super(struct super_block *sb, struct ext2_sb_info *sbi)
{
	int err = read_super(sb, sbi);

	if (!err)
		err = alloc_tables(sbi);
	if (err)
		return err;
	sbi->sb = sb;
	spin_lock_init(&sbi->lock);
	mutex_init(&sbi->commit_mutex);
	rwsem_init(&sbi->removal_sem);
	sbi->commit_seq = 1;
	ext2_meta_init(sbi, sbi->blocks_count);
	sb->s_op = &ext2_sops;
	sb->s_blocksize = 1u << sbi->blkbits;
	sb->s_magic = EXT2_MAGIC;
	sb->s_maxbytes = min(sb->s_maxbytes, max_file_size(sbi->blkbits));
	return read_groups(sb, sbi);
}

static int make_root(struct super_block *sb)
{
	struct inode *root = ext2_iget(sb, EXT2_ROOT_INO);

	if (IS_ERR(root))
		return PTR_ERR(root);
	if (!S_ISDIR(root->i_mode)) {
		inode_put(root);
		return ext2_error(sb, "the root is no directory");
	}
	return sb_make_root(sb, root);
}

static int ext2_fill_super(struct super_block *sb)
{
	struct ext2_sb_info *sbi;
	int err;

	if (!bdev_mapping(sb->s_bdev))
		return -ENOMEM;
	filemap_drop_clean(bdev_mapping(sb->s_bdev), 0, ~0UL); /* maybe older than the last mount */
	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	sb->s_fs_info = sbi; /* for stop_writing() too, whatever of it is loaded */
	err = load_super(sb, sbi);
	if (!err && !(sb->s_flags & SB_RDONLY)) {
		err = start_writing(sb);
		if (err == -EROFS) { /* a disk that can only be read is better than none */
			sb->s_flags |= SB_RDONLY;
			err = 0;
		}
	}
	if (!err)
		err = make_root(sb);
	if (!err)
		return 0;
	/* Inodes that were read name this super block: they go before it does. */
	stop_writing(sb);
	inode_drain(sb);
	sbi_free(sbi);
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
