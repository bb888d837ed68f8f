/*
 * commit.c - ext2: bringing the metadata to the disk in an order that a crash may cut anywhere.
 *
 *	            memory                                        disk
 *	inodes      --1-->  inode tables  --+
 *	directories -------------------- 1 -|------------------->  (pages of the directories)
 *	counts      --2-->  group table,    +--3-->  all dirty pages of sbi->meta, in any order
 *	                    super block     |
 *	bitmaps, pointer blocks ------------+
 *	                                        4. flush the disk's cache
 *	freed[closing]  --5-->  free to be used again
 *
 * A crash anywhere leaves what `e2fsck -p` repairs without asking, because of three rules:
 *
 *  1. What is pointed to is on the medium before the pointer, where garbage would be taken for
 *     structure: pointer blocks and blocks of directories (map.c). An entry that names an inode
 *     which is not written yet is found to be unused, and cleared.
 *  2. What was freed is not used again before all that pointed to it is forgotten on the medium:
 *     no block or inode has two owners. That is step 5; whoever runs out of space commits first.
 *  3. A file that loses one name and keeps another loses it on the disk after it got the other
 *     there: ext2_keep_name() commits between the two. So what was once synced is found under its
 *     old name or its new one.
 *
 * Bitmaps and counts may be wrong after a crash: e2fsck makes them new from the inodes.
 *
 * Every change is numbered by the commit that will have it: commit_seq. A commit takes the number,
 * raises it, and only then looks at what there is, so that everything with its number is in it.
 *
 * Invariants: inode tables change only here and when an inode dies; freed[1 - freed_now] is empty
 * but during a commit; committed_seq < commit_seq.
 * Locks: commit_mutex, inside inode locks, outside page locks; sbi->lock for the numbers.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "lib/bitmap.h"
#include "lib/string.h"

/* ---- what the disk counts ---- */

/* Copies the counts of @group into its descriptor. */
static int write_group(struct super_block *sb, u32 group)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	unsigned per_block = sb->s_blocksize / sizeof(struct ext2_group_desc);
	struct page *page = ext2_meta_read(sb, sbi->first_data_block + 1 + group / per_block);
	struct ext2_group_desc *desc;
	bool changed;

	if (IS_ERR(page))
		return PTR_ERR(page);
	desc = (struct ext2_group_desc *)page_address(page) + group % per_block;
	spin_lock(&sbi->lock);
	changed = desc->bg_free_blocks_count != sbi->groups[group].free_blocks ||
		  desc->bg_free_inodes_count != sbi->groups[group].free_inodes ||
		  desc->bg_used_dirs_count != sbi->groups[group].used_dirs;
	desc->bg_free_blocks_count = sbi->groups[group].free_blocks;
	desc->bg_free_inodes_count = sbi->groups[group].free_inodes;
	desc->bg_used_dirs_count = sbi->groups[group].used_dirs;
	spin_unlock(&sbi->lock);
	if (changed)
		ext2_meta_dirty(sb, page);
	page_put(page);
	return 0;
}

/* The super block in memory: its page with a reference, or ERR_PTR. */
static struct page *read_super_page(struct super_block *sb, struct ext2_super **es)
{
	const struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct page *page = ext2_meta_read(sb, sbi->first_data_block);

	if (!IS_ERR(page))
		*es = (void *)((char *)page_address(page) +
			       (EXT2_SUPER_OFFSET & (sb->s_blocksize - 1)));
	return page;
}

static int write_counts(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_super *es;
	struct page *page;
	bool changed;
	int err = 0;

	for (u32 i = 0; i < sbi->nr_groups && !err; i++)
		err = write_group(sb, i);
	if (err)
		return err;
	page = read_super_page(sb, &es);
	if (IS_ERR(page))
		return PTR_ERR(page);
	spin_lock(&sbi->lock);
	changed = es->s_free_blocks_count != sbi->free_blocks ||
		  es->s_free_inodes_count != sbi->free_inodes;
	es->s_free_blocks_count = sbi->free_blocks;
	es->s_free_inodes_count = sbi->free_inodes;
	spin_unlock(&sbi->lock);
	if (changed) {
		es->s_wtime = fs_now().tv_sec;
		ext2_meta_dirty(sb, page);
	}
	page_put(page);
	return 0;
}

int ext2_mark_super(struct super_block *sb, bool clean)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_super *es;
	struct page *page = read_super_page(sb, &es);
	int err;

	if (IS_ERR(page))
		return PTR_ERR(page);
	es->s_state &= ~EXT2_VALID_FS;
	if (sbi->had_errors)
		es->s_state |= EXT2_ERROR_FS;
	if (clean && sbi->was_valid && !sbi->had_errors)
		es->s_state |= EXT2_VALID_FS;
	es->s_wtime = fs_now().tv_sec;
	if (!clean) {
		es->s_mtime = es->s_wtime;
		es->s_mnt_count++;
	}
	ext2_meta_dirty(sb, page);
	page_put(page);
	err = filemap_write_all(&sbi->meta);
	return err ? err : block_flush(sb->s_bdev);
}

/* ---- the commit ---- */

static size_t blocks_bytes(const struct ext2_sb_info *sbi)
{
	return BITS_TO_LONGS(sbi->blocks_count) * sizeof(long);
}

static size_t inodes_bytes(const struct ext2_sb_info *sbi)
{
	return BITS_TO_LONGS(sbi->inodes_count) * sizeof(long);
}

/* Changes from now on belong to the next commit. Returns this one's number. */
static u64 begin(struct ext2_sb_info *sbi)
{
	u64 seq;

	spin_lock(&sbi->lock);
	seq = sbi->commit_seq;
	WRITE_ONCE(sbi->commit_seq, seq + 1);
	sbi->freed_now = 1 - sbi->freed_now;
	spin_unlock(&sbi->lock);
	smp_mb(); /* the number before what it stands for is looked at */
	return seq;
}

/* All that was freed before this commit began is forgotten on the disk: it may be used again. */
static void release_freed(struct ext2_sb_info *sbi, u64 seq)
{
	struct ext2_freed *closing = &sbi->freed[1 - sbi->freed_now];

	spin_lock(&sbi->lock);
	memset(closing->blocks, 0, blocks_bytes(sbi));
	memset(closing->inodes, 0, inodes_bytes(sbi));
	WRITE_ONCE(sbi->committed_seq, seq);
	spin_unlock(&sbi->lock);
}

/* The commit failed: what was freed waits for the next. */
static void keep_freed(struct ext2_sb_info *sbi)
{
	struct ext2_freed *closing = &sbi->freed[1 - sbi->freed_now];
	struct ext2_freed *now = &sbi->freed[sbi->freed_now];

	spin_lock(&sbi->lock);
	for (size_t i = 0; i < BITS_TO_LONGS(sbi->blocks_count); i++)
		now->blocks[i] |= closing->blocks[i];
	for (size_t i = 0; i < BITS_TO_LONGS(sbi->inodes_count); i++)
		now->inodes[i] |= closing->inodes[i];
	memset(closing->blocks, 0, blocks_bytes(sbi));
	memset(closing->inodes, 0, inodes_bytes(sbi));
	spin_unlock(&sbi->lock);
}

/* commit_mutex held. */
static int do_commit(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	u64 seq = begin(sbi);
	int err, more;

	err = sb_write_inodes(sb);
	more = write_counts(sb);
	err = err ? err : more;
	/* Also when something failed: what can be written is better written. */
	more = filemap_write_all(&sbi->meta);
	err = err ? err : more;
	more = block_flush(sb->s_bdev);
	err = err ? err : more;
	if (err) {
		keep_freed(sbi);
		errseq_set(&sb->s_wb_err, err);
		return err;
	}
	release_freed(sbi, seq);
	return 0;
}

int ext2_commit(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	int err;

	mutex_lock(&sbi->commit_mutex);
	err = do_commit(sb);
	mutex_unlock(&sbi->commit_mutex);
	return err;
}

int ext2_sync_inode(struct inode *inode, bool datasync)
{
	struct super_block *sb = inode->i_sb;
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	int err;

	if (!datasync || (READ_ONCE(inode->i_state) & I_DIRTY_ATTR))
		return ext2_commit(sb);
	/* The commit that cleared I_DIRTY_ATTR may still be writing. */
	mutex_lock(&sbi->commit_mutex);
	err = block_flush(sb->s_bdev);
	mutex_unlock(&sbi->commit_mutex);
	return err;
}

/* ---- names ---- */

void ext2_named(struct inode *inode)
{
	WRITE_ONCE(EXT2_I(inode)->name_seq, READ_ONCE(EXT2_SB(inode->i_sb)->commit_seq));
}

int ext2_keep_name(struct inode *inode)
{
	const struct ext2_inode *ei = EXT2_I(inode);
	u64 committed = READ_ONCE(EXT2_SB(inode->i_sb)->committed_seq);

	/* Either the disk has no name of it that could be lost, or it has the newest. */
	if (ei->born_seq > committed || ei->name_seq <= committed)
		return 0;
	return ext2_commit(inode->i_sb);
}
