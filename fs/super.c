/*
 * super.c - the life of a super block: made, filled, written to or not, taken down.
 *
 *	sb_new() -> type->fill_super() -> mounted (fs/mount.c) -> sb_kill()
 *
 *	sb_kill: root dentry -> its inode -> unused inodes -> wait for those in hand -> put_super()
 *
 * s_writers counts who may change the file system: files that are open for writing, and edits under
 * way. A writer counts itself and then looks at SB_RDONLY; sb_remount() sets SB_RDONLY and then
 * looks at the count: one of the two sees the other.
 *
 * Locks: s_flags are changed under mount_mutex only, but for SB_DYING.
 */
#include "drivers/block.h"
#include "fs/internal.h"
#include "mm/slab.h"

static unsigned last_anon_minor;

struct super_block *sb_new(const struct fs_type *type, struct block_device *bdev)
{
	struct super_block *sb = kzalloc(sizeof(*sb), GFP_KERNEL);

	if (!sb)
		return NULL;
	sb->s_type = type;
	sb->s_bdev = bdev;
	sb->s_maxbytes = INT64_MAX;
	mutex_init(&sb->s_sync_lock);
	INIT_LIST_HEAD(&sb->s_dirty_attr);
	INIT_LIST_HEAD(&sb->s_dirty_pages);
	sb->s_dev = bdev ? bdev->dev :
			   MKDEV(0, __atomic_add_fetch(&last_anon_minor, 1, __ATOMIC_RELAXED));
	return sb;
}

int sb_make_root(struct super_block *sb, struct inode *inode)
{
	sb->s_root_ino = inode->i_ino;
	sb->s_root = d_alloc_root(sb, inode);
	if (sb->s_root)
		return 0;
	inode_put(inode);
	return -ENOMEM;
}

void sb_kill(struct super_block *sb)
{
	dput(sb->s_root);
	inode_drain(sb);
	if (sb->s_op && sb->s_op->put_super)
		sb->s_op->put_super(sb);
	kfree(sb);
}

/* ---- read-only or not ---- */

int sb_want_write(struct super_block *sb)
{
	atomic_inc(&sb->s_writers);
	smp_mb();
	if (likely(!(READ_ONCE(sb->s_flags) & SB_RDONLY)))
		return 0;
	atomic_dec(&sb->s_writers);
	return -EROFS;
}

void sb_done_write(struct super_block *sb)
{
	atomic_dec(&sb->s_writers);
}

/* Nobody changes @sb from now on: 0 or -EBUSY. Undone by clearing SB_RDONLY. */
static int stop_writers(struct super_block *sb)
{
	WRITE_ONCE(sb->s_flags, sb->s_flags | SB_RDONLY);
	smp_mb();
	if (atomic_read(&sb->s_writers) == 0 && !inode_any_removed(sb))
		return 0;
	WRITE_ONCE(sb->s_flags, sb->s_flags & ~SB_RDONLY);
	return -EBUSY;
}

int sb_remount(struct super_block *sb, unsigned flags)
{
	bool was_ro = sb->s_flags & SB_RDONLY, ro = flags & SB_RDONLY;
	int err = 0;

	if (ro && !was_ro) {
		err = stop_writers(sb);
		if (err)
			return err;
		err = sync_filesystem(sb);
	}
	if (!err && sb->s_op && sb->s_op->remount)
		err = sb->s_op->remount(sb, flags);
	else if (!err && sb->s_bdev && !ro && was_ro)
		err = -EROFS;
	if (!err)
		WRITE_ONCE(sb->s_flags, (sb->s_flags & ~SB_MNT_MASK) | flags);
	else if (!was_ro)
		WRITE_ONCE(sb->s_flags, sb->s_flags & ~SB_RDONLY);
	return err;
}
