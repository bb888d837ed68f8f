/*
 * mount.c - the file systems that are mounted, and where.
 *
 *	root_sb (ext2 on vda) --- /dev:  dentry->d_mounted --> super_block (devfs)
 *	                      \-- /proc, /tmp likewise         s_mountpoint --> the dentry
 *
 * A mounted file system stays for ever, and hides its mount point's dentry, which is held.
 *
 * Invariant: each super block is mounted exactly once; mounts only grow.
 * Locks: mount_lock guards the list of types and of super blocks. d_mounted is set once.
 */
#include "drivers/block.h"
#include "fs/internal.h"
#include "fs/proc/proc.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/slab.h"

struct super_block *root_sb;

static struct spinlock mount_lock = SPINLOCK_INIT;
static struct fs_type *fs_types;
static LIST_HEAD(super_blocks);
static unsigned last_anon_minor;

void fs_register(struct fs_type *type)
{
	spin_lock(&mount_lock);
	type->next = fs_types;
	fs_types = type;
	spin_unlock(&mount_lock);
}

static struct fs_type *find_type(const char *name)
{
	struct fs_type *type;

	spin_lock(&mount_lock);
	for (type = fs_types; type && strcmp(type->name, name); type = type->next)
		;
	spin_unlock(&mount_lock);
	return type;
}

int sb_make_root(struct super_block *sb, struct inode *inode)
{
	sb->s_root = d_alloc_root(sb, inode);
	if (sb->s_root)
		return 0;
	inode_put(inode);
	return -ENOMEM;
}

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
	spin_lock(&mount_lock);
	if (!bdev)
		last_anon_minor++;
	sb->s_dev = bdev ? bdev->dev : MKDEV(0, last_anon_minor);
	spin_unlock(&mount_lock);
	return sb;
}

/* Makes filled @sb visible at @where (reference taken over), or as the root of all for NULL. */
static int attach(struct super_block *sb, struct dentry *where)
{
	int err = 0;

	spin_lock(&mount_lock);
	if (where ? where->d_mounted != NULL || d_is_root(where) : root_sb != NULL)
		err = -EBUSY;
	if (!err) {
		sb->s_mountpoint = where;
		list_add_tail(&sb->link, &super_blocks);
		if (where)
			smp_store_release(&where->d_mounted, sb);
		else
			root_sb = sb;
	}
	spin_unlock(&mount_lock);
	return err;
}

int vfs_mount(const char *type_name, struct block_device *bdev, const char *where)
{
	struct fs_type *type = find_type(type_name);
	struct dentry *at = NULL;
	struct super_block *sb;
	int err;

	if (!type)
		return -ENODEV;
	if (where) {
		at = path_lookup(AT_FDCWD, where, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
		if (IS_ERR(at))
			return PTR_ERR(at);
	}
	err = -ENOMEM;
	sb = sb_new(type, bdev);
	if (!sb)
		goto out;
	err = type->fill_super(sb);
	if (err) {
		kfree(sb);
		goto out;
	}
	/*
	 * A super block that was filled cannot be emptied: callers mount at boot, on free places.
	 */
	err = attach(sb, at);
	if (!err)
		return 0;
	warn("mount: %s is in use", where ? where : "/");
out:
	dput(at);
	return err;
}

struct super_block *sb_next(const struct super_block *prev)
{
	struct super_block *sb = NULL;
	struct list_head *next;

	spin_lock(&mount_lock);
	next = prev ? prev->link.next : super_blocks.next;
	if (next != &super_blocks)
		sb = list_entry(next, struct super_block, link);
	spin_unlock(&mount_lock);
	return sb;
}

void vfs_shutdown(void)
{
	struct super_block *sb = NULL;

	while ((sb = sb_next(sb))) {
		if ((sb->s_flags & SB_RDONLY) || !sb->s_op || !sb->s_op->remount)
			continue;
		if (sb->s_op->remount(sb, sb->s_flags | SB_RDONLY) == 0)
			sb->s_flags |= SB_RDONLY;
	}
}

void vfs_init(void)
{
	file_init();
	inode_init();
	dcache_init();
	mpage_init();
	ext2_init();
	tmpfs_init();
	devfs_init();
	mem_dev_init();
	pipe_init();
	proc_init();
}

static void mount_or_tell(const char *type, const char *where)
{
	int err = vfs_mount(type, NULL, where);

	if (err)
		printk("vfs: no %s on %s (error %d)\n", type, where, -err);
}

int vfs_mount_root(void)
{
	struct block_device *bdev = block_find("vda");
	int err;

	if (!bdev) {
		printk("vfs: there is no disk vda\n");
		return -ENXIO;
	}
	err = vfs_mount("ext2", bdev, NULL);
	if (err) {
		printk("vfs: cannot mount vda as ext2 (error %d)\n", -err);
		return err;
	}
	mount_or_tell("devfs", "/dev");
	mount_or_tell("proc", "/proc");
	mount_or_tell("tmpfs", "/tmp");
	if (!current->fs)
		current->fs = fs_context_alloc();
	return current->fs ? 0 : -ENOMEM;
}
