/*
 * commit.c - ext2: bringing the metadata to the disk in an order that a crash may cut anywhere.
 *
 *	stage       what is written, in any order                           then
 *	1 deaths    inodes without a name, as deleted: inode tables         flush
 *	2 names     blocks of directories (and of links)                    flush
 *	3 births    directories that got blocks; new directories, level     flush
 *	            by level; then all other inodes, counts, bitmaps,
 *	            pointer blocks, super block
 *	4           what was freed before the commit may be used again
 *
 * A stage that has nothing to write costs no flush. The order is that of `e2fsck -p`, which is to
 * repair whatever a crash leaves: it clears an entry that names a deleted or unused inode without
 * asking, makes bitmaps, counts and link counts new, but stops at an inode that no entry names.
 * So an inode dies before its entry goes, and is born after its entry came. Besides:
 *
 *  - What is pointed to is on the medium before the pointer, where garbage would be taken for
 *    structure: pointer blocks and blocks of directories (map.c, diredit.c).
 *  - What was freed is not used again before all that pointed to it is forgotten on the medium: no
 *    block or inode has two owners. Whoever runs out of space commits first.
 *  - A file that loses one name and keeps another loses it on the disk after it got the other
 *    there: ext2_keep_name() commits between the two. So what was once synced is found under its
 *    old name or its new one.
 *
 * Not covered, for want of a journal: a directory that moves to another directory changes two
 * entries and its ".." together; and when a rename replaces a file, a crash between stages 1 and 2
 * can take the replaced name away: the new file then still has its old name.
 *
 * Every change is numbered by the commit that will have it: commit_seq. A commit takes the number,
 * raises it, and only then looks at what there is, so that everything with its number is in it. A
 * new inode whose name has a later number waits for the next commit.
 *
 * Invariants: inode tables change only here and when an inode dies; freed[1 - freed_now] is empty
 * but during a commit; committed_seq < commit_seq.
 * Locks: commit_mutex, inside inode locks, outside page locks; removal_sem inside it for stages 1
 * and 2 (directories lose no entry meanwhile); sbi->lock for the numbers.
 */
#include "drivers/block.h"
#include "fs/ext2/ext2.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/buddy.h"

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

static int mark_super(struct super_block *sb, bool clean)
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
		if (es->s_rev_level > 0) /* a file may become that large */
			es->s_feature_ro_compat |= EXT2_RO_COMPAT_LARGEFILE;
	}
	ext2_meta_dirty(sb, page);
	page_put(page);
	/* Nothing else: what somebody changes while the machine goes off has had its chance. */
	err = filemap_write_range(&sbi->meta, sbi->first_data_block, sbi->first_data_block);
	return err ? err : block_flush(sb->s_bdev);
}

int ext2_mark_super(struct super_block *sb, bool clean)
{
	bool before = memory_must_begin();
	int err = mark_super(sb, clean);

	memory_must_end(before);
	return err;
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

/* Inodes that are in a commit: with references, in the order in which they were first changed. */
static void collect(struct super_block *sb, struct list_head *batch)
{
	struct inode *inode;
	LIST_HEAD(todo);

	sb_take_dirty(sb, &todo);
	while ((inode = next_dirty(&todo)))
		list_add_tail(&EXT2_I(inode)->commit_link, batch);
}

/* Keeps the first error. */
static void note(int *first, int err)
{
	if (err && !*first)
		*first = err;
}

/* What of sbi->meta is dirty, and all that was written before, is on the medium afterwards. */
static int write_meta(struct super_block *sb)
{
	int err = filemap_write_all(&EXT2_SB(sb)->meta), flushed = block_flush(sb->s_bdev);

	return err ? err : flushed;
}

/* Stage 1. */
static int write_deaths(struct super_block *sb, struct list_head *batch)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	struct ext2_inode *ei;
	int ret = 0;

	list_for_each_entry(ei, batch, commit_link) {
		if (ei->vfs.i_nlink > 0 || ei->is_new)
			continue;
		note(&ret, ext2_write_death(&ei->vfs));
	}
	if (!__atomic_exchange_n(&sbi->has_deaths, 0, __ATOMIC_ACQ_REL))
		return ret;
	note(&ret, write_meta(sb));
	return ret;
}

/* Stage 2. */
static int write_names(struct super_block *sb, struct list_head *batch)
{
	struct ext2_inode *ei;
	int ret = 0;

	list_for_each_entry(ei, batch, commit_link) {
		if (!S_ISREG(ei->vfs.i_mode))
			filemap_start_write(&ei->vfs.i_data, 0, ~0UL);
	}
	list_for_each_entry(ei, batch, commit_link) {
		int err = S_ISREG(ei->vfs.i_mode) ? 0 : filemap_write_all(&ei->vfs.i_data);

		if (err) /* what had no memory is still dirty: it is in the next commit */
			inode_mark_dirty(&ei->vfs, I_DIRTY_ATTR);
		note(&ret, err);
	}
	note(&ret, block_flush(sb->s_bdev));
	return ret;
}

/* Is @ei to be written by commit @seq? A new one only if the disk has its name by now. */
static bool is_due(const struct ext2_inode *ei, u64 seq)
{
	return !ei->is_new || (ei->vfs.i_nlink > 0 && READ_ONCE(ei->name_seq) <= seq);
}

/*
 * Is @ei a directory that stage 3 writes at @level? 0: one that the disk has, and that got blocks;
 * what is in them would be without a name if it came before the directory's new map and size.
 */
static bool is_at_level(const struct ext2_inode *ei, unsigned level, u64 seq)
{
	if (!S_ISDIR(ei->vfs.i_mode))
		return false;
	if (level == 0)
		return !ei->is_new && READ_ONCE(ei->dir_grew);
	return ei->is_new && ei->level == level && is_due(ei, seq);
}

/* The new and grown directories of stage 3: each is there before what is in it. */
static int write_directories(struct super_block *sb, struct list_head *batch, u64 seq)
{
	struct ext2_inode *ei;
	int ret = 0;

	for (unsigned level = 0; level <= EXT2_MAX_LEVEL; level++) {
		unsigned found = 0;

		list_for_each_entry(ei, batch, commit_link) {
			if (!is_at_level(ei, level, seq))
				continue;
			WRITE_ONCE(ei->dir_grew, false);
			note(&ret, ext2_write_inode(&ei->vfs));
			found++;
		}
		if (found)
			note(&ret, write_meta(sb));
		else if (level > 0) /* nor is there any below */
			break;
	}
	return ret;
}

/* Did stage 2 have no memory for all pages of @ei? They are only found by way of a dirty inode. */
static bool names_left(struct ext2_inode *ei)
{
	return !S_ISREG(ei->vfs.i_mode) && filemap_is_dirty(&ei->vfs.i_data);
}

/* Stage 3, and the end of @batch. */
static int write_births(struct super_block *sb, struct list_head *batch, u64 seq)
{
	struct ext2_inode *ei, *next;
	int ret = write_directories(sb, batch, seq), err;

	list_for_each_entry_safe(ei, next, batch, commit_link) {
		err = 0;
		if (is_due(ei, seq))
			err = ext2_write_inode(&ei->vfs);
		if (err == -ENOMEM || !is_due(ei, seq) || names_left(ei)) /* later, then */
			inode_mark_dirty(&ei->vfs, I_DIRTY_ATTR);
		note(&ret, err);
	}
	note(&ret, write_counts(sb));
	note(&ret, write_meta(sb));
	return ret;
}

static void put_batch(struct list_head *batch)
{
	while (!list_empty(batch)) {
		struct ext2_inode *ei = list_first_entry(batch, struct ext2_inode, commit_link);

		list_del_init(&ei->commit_link);
		inode_put(&ei->vfs);
	}
}

/* commit_mutex held. */
static int do_commit(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	LIST_HEAD(batch);
	int err = 0;
	u64 seq;

	down_write(&sbi->removal_sem);
	seq = begin(sbi);
	collect(sb, &batch);
	note(&err, write_deaths(sb, &batch));
	note(&err, write_names(sb, &batch));
	up_write(&sbi->removal_sem);
	/* Also when something failed: what can be written is better written. */
	note(&err, write_births(sb, &batch, seq));
	if (err) {
		printk("ext2 (%s): a commit failed (error %d)\n", sb->s_bdev->name, -err);
		keep_freed(sbi);
		if (err != -ENOMEM) /* then all is still there to be written */
			sbi->had_errors = sbi->lost_writes = true;
		errseq_set(&sb->s_wb_err, err);
	} else if (sbi->lost_writes) {
		/* Who had what was freed may not be forgotten on the disk, and never will be. */
		keep_freed(sbi);
		WRITE_ONCE(sbi->committed_seq, seq);
	} else {
		release_freed(sbi, seq);
	}
	put_batch(&batch);
	return err;
}

int ext2_commit(struct super_block *sb)
{
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	bool before = memory_must_begin();
	int err;

	mutex_lock(&sbi->commit_mutex);
	err = READ_ONCE(sbi->writing) ? do_commit(sb) : 0;
	mutex_unlock(&sbi->commit_mutex);
	memory_must_end(before);
	return err;
}

/* Has @inode a name, and the disk has no inode for it? So it was not due yet. */
static bool awaits_birth(struct inode *inode)
{
	const struct ext2_inode *ei = EXT2_I(inode);

	return READ_ONCE(ei->is_new) && inode->i_nlink > 0 && READ_ONCE(ei->name_seq) != ~0UL &&
	       READ_ONCE(EXT2_SB(inode->i_sb)->writing);
}

int ext2_sync_inode(struct inode *inode, bool datasync)
{
	struct super_block *sb = inode->i_sb;
	struct ext2_sb_info *sbi = EXT2_SB(sb);
	int err = 0;

	if (datasync && !(READ_ONCE(inode->i_state) & I_DIRTY_ATTR)) {
		/* The commit that cleared I_DIRTY_ATTR may still be writing. */
		mutex_lock(&sbi->commit_mutex);
		err = block_flush(sb->s_bdev);
		mutex_unlock(&sbi->commit_mutex);
	} else {
		err = ext2_commit(sb);
	}
	while (!err && awaits_birth(inode)) /* it was renamed while that commit was under way */
		err = ext2_commit(sb);
	return err;
}

/* ---- names ---- */

void ext2_named(struct inode *inode, struct inode *dir)
{
	struct ext2_inode *ei = EXT2_I(inode);
	const struct ext2_inode *parent = EXT2_I(dir);

	ei->level = parent->is_new ? parent->level + 1 : 1;
	WRITE_ONCE(ei->name_seq, READ_ONCE(EXT2_SB(inode->i_sb)->commit_seq));
}

int ext2_keep_name(struct inode *inode)
{
	const struct ext2_inode *ei = EXT2_I(inode);
	const struct ext2_sb_info *sbi = EXT2_SB(inode->i_sb);

	/*
	 * Either the disk has the newest name, or no commit, not even one that is under way, has
	 * the inode: then no name of it can be lost.
	 */
	if (ei->name_seq <= READ_ONCE(sbi->committed_seq) ||
	    ei->born_seq >= READ_ONCE(sbi->commit_seq))
		return 0;
	return ext2_commit(inode->i_sb);
}

void ext2_begin_removal(struct super_block *sb)
{
	down_read(&EXT2_SB(sb)->removal_sem);
}

void ext2_end_removal(struct super_block *sb)
{
	up_read(&EXT2_SB(sb)->removal_sem);
}
