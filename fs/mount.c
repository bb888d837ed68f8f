/*
 * mount.c - the file systems that are mounted, and where.
 *
 *	root_sb (ext2 on vda) --- /dev:  dentry->d_mounted --> super_block (devfs)   /dev/shm in it
 *	                      \-- /proc, /tmp likewise         s_mountpoint --> the dentry
 *
 *	mount:   walk -> fill_super() -> d_mount()          a step that fails undoes those before it
 *	umount:  walk -> d_unmount() -> sync -> sb_kill()   (fs/super.c)
 *
 * Invariants: each super block is mounted exactly once, a disk by at most one super block; a mount
 * point is held by what is mounted there, so a file system below which another is mounted is busy.
 * How a walk and an unmount meet: fs/dcache.c.
 * Locks: mount_mutex (a mutex, outside all of fs/) around every mount, unmount and remount, and
 * whoever goes through the list; types_lock guards the list of types. Whoever may not wait for
 * mount_mutex (the flusher, which writers with locked files wait for) goes by sb_get_next():
 * list_lock for the list and s_pins, and unmounting waits for the pins.
 */
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "fs/internal.h"
#include "fs/proc/proc.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "kernel/vdso.h"
#include "lib/string.h"
#include "mm/slab.h"

struct super_block *root_sb;

static struct mutex mount_mutex = {
	.lock = SPINLOCK_INIT,
	.waiters = LIST_HEAD_INIT(mount_mutex.waiters),
};
static LIST_HEAD(super_blocks); /* changes under mount_mutex and list_lock */
static struct spinlock list_lock = SPINLOCK_INIT;
static struct wait_queue unpinned = WAIT_QUEUE_INIT(unpinned);
static struct spinlock types_lock = SPINLOCK_INIT;
static struct fs_type *fs_types;
static unsigned last_id; /* mount_mutex */

/* ---- types ---- */

void fs_register(struct fs_type *type)
{
	spin_lock(&types_lock);
	type->next = fs_types;
	smp_store_release(&fs_types, type);
	spin_unlock(&types_lock);
}

const struct fs_type *fs_type_next(const struct fs_type *prev)
{
	return prev ? prev->next : smp_load_acquire(&fs_types);
}

static const struct fs_type *find_type(const char *name)
{
	const struct fs_type *type = NULL;

	while ((type = fs_type_next(type))) {
		if (strcmp(type->name, name) == 0)
			break;
	}
	return type;
}

/* ---- the list ---- */

void mounts_lock(void)
{
	mutex_lock(&mount_mutex);
}

void mounts_unlock(void)
{
	mutex_unlock(&mount_mutex);
}

struct super_block *sb_next(const struct super_block *prev)
{
	struct list_head *next = prev ? prev->link.next : super_blocks.next;

	return next == &super_blocks ? NULL : list_entry(next, struct super_block, link);
}

struct super_block *sb_get_next(struct super_block *prev)
{
	struct super_block *sb;

	spin_lock(&list_lock);
	sb = sb_next(prev);
	if (sb == prev) /* it was unmounted meanwhile: nobody knows what came after it */
		sb = NULL;
	if (sb)
		sb->s_pins++;
	if (prev && --prev->s_pins == 0)
		wake_up_all(&unpinned);
	spin_unlock(&list_lock);
	return sb;
}

static bool is_pinned(const struct super_block *sb)
{
	bool pinned;

	spin_lock(&list_lock);
	pinned = sb->s_pins > 0;
	spin_unlock(&list_lock);
	return pinned;
}

/* Takes @sb off the list; returns when nobody has it from there any more. */
static void unlist(struct super_block *sb)
{
	spin_lock(&list_lock);
	list_del_init(&sb->link);
	spin_unlock(&list_lock);
	wait_event(&unpinned, !is_pinned(sb));
}

/* ---- mounting ---- */

/* Makes filled @sb visible at @where, or as the root of all for NULL. 0, -EBUSY, -ENOENT. */
static int attach(struct super_block *sb, struct dentry *where)
{
	int err = 0;

	if (!where) {
		if (root_sb)
			return -EBUSY;
		root_sb = sb;
	} else {
		mutex_lock(&where->d_inode->lock);
		err = where->d_inode->i_nlink == 0 ? -ENOENT : d_mount(where, sb);
		mutex_unlock(&where->d_inode->lock);
	}
	if (!err) {
		sb->s_id = ++last_id;
		spin_lock(&list_lock);
		list_add_tail(&sb->link, &super_blocks);
		spin_unlock(&list_lock);
	}
	return err;
}

/*
 * A new file system on @bdev (NULL: without a disk), which is claimed, at @where with a reference,
 * taken over on success. mount_mutex held. 0 or -errno, and then there is none.
 */
static int fill_and_attach(const struct fs_type *type, struct block_device *bdev,
			   struct dentry *where, unsigned flags)
{
	struct super_block *sb;
	int err;

	sb = sb_new(type, bdev);
	if (!sb)
		return -ENOMEM;
	sb->s_flags = flags;
	err = type->fill_super(sb);
	if (err) {
		kfree(sb);
		return err;
	}
	err = attach(sb, where);
	if (err)
		sb_kill(sb);
	return err;
}

/* As vfs_mount(), at @where with a reference, taken over on success. mount_mutex held. */
static int mount_at(const struct fs_type *type, struct block_device *bdev, struct dentry *where,
		    unsigned flags)
{
	int err;

	if (!type->needs_disk)
		bdev = NULL;
	else if (!bdev)
		return -ENOTBLK;
	if (where && d_is_root(where))
		return -EBUSY;
	err = bdev ? bdev_claim(bdev) : 0;
	if (err)
		return err;
	err = fill_and_attach(type, bdev, where, flags);
	if (err && bdev)
		bdev_release(bdev);
	return err;
}

int vfs_mount(const char *type_name, struct block_device *bdev, const char *path, unsigned flags)
{
	const struct fs_type *type = find_type(type_name);
	struct dentry *where = NULL;
	int err;

	if (!type)
		return -ENODEV;
	if (path) {
		where = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
		if (IS_ERR(where))
			return PTR_ERR(where);
	}
	mounts_lock();
	err = mount_at(type, bdev, where, flags);
	mounts_unlock();
	if (err)
		dput(where);
	return err;
}

/* ---- unmounting and remounting ---- */

#define UNMOUNT_TRIES 8 /* against others who fill the caches meanwhile */

/*
 * Unmounts the file system whose root @root is, the caller's reference; mount_mutex held. 0 or
 * -EBUSY.
 */
static int unmount_root(struct dentry *root)
{
	struct super_block *sb = root->d_sb;
	struct block_device *bdev = sb->s_bdev;
	struct dentry *where = sb->s_mountpoint;
	bool idle = false;

	for (unsigned i = 0; i < UNMOUNT_TRIES && !idle; i++) {
		while (d_forget_sb(sb) > 0) /* the leaves; their parents are leaves now */
			cond_resched();
		idle = d_unmount(sb);
	}
	if (!idle)
		return -EBUSY;
	unlist(sb);
	dput(root);
	sync_filesystem(sb);
	sb_kill(sb);
	if (bdev)
		bdev_release(bdev);
	dput(where);
	return 0;
}

/* The root of a mounted file system, which the user's path names; or ERR_PTR(-EINVAL). */
static struct dentry *find_root(const char *upath, unsigned lookup)
{
	char *path = path_from_user(upath);
	struct dentry *root;

	if (IS_ERR(path))
		return (void *)path;
	root = path_lookup(AT_FDCWD, path, lookup);
	path_free(path);
	if (IS_ERR(root) || root == root->d_sb->s_root)
		return root;
	dput(root);
	return ERR_PTR(-EINVAL);
}

SYSCALL_DEFINE2(umount2, const char *, upath, unsigned, flags)
{
	struct dentry *root;
	int err;

	if (!is_privileged())
		return -EPERM;
	if (flags & ~UMOUNT_NOFOLLOW)
		return -EINVAL;
	root = find_root(upath, flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
	if (IS_ERR(root))
		return PTR_ERR(root);
	mounts_lock();
	err = root->d_sb == root_sb ? -EBUSY : unmount_root(root);
	mounts_unlock();
	if (err)
		dput(root);
	return err;
}

static int remount(const char *upath, unsigned flags)
{
	struct dentry *root = find_root(upath, LOOKUP_FOLLOW);
	int err;

	if (IS_ERR(root))
		return PTR_ERR(root);
	mounts_lock();
	err = sb_remount(root->d_sb, flags);
	mounts_unlock();
	dput(root);
	return err;
}

/*
 * Flags that may be ignored: those about access times, which Ravel sets when it likes (mount(2)
 * leaves that to the kernel), and MS_SILENT.
 */
#define MS_IGNORED                                                                                 \
	(MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME | MS_LAZYTIME | MS_SILENT)

/* The disk that the user's path names, NULL for a type that wants none, or ERR_PTR. */
static struct block_device *find_disk(const struct fs_type *type, const char *usource)
{
	struct block_device *bdev = ERR_PTR(-ENOTBLK);
	struct dentry *dentry;
	char *path;

	if (!type->needs_disk)
		return NULL;
	path = usource ? path_from_user(usource) : ERR_PTR(-EINVAL);
	if (IS_ERR(path))
		return (void *)path;
	dentry = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW);
	path_free(path);
	if (IS_ERR(dentry))
		return (void *)dentry;
	if (S_ISBLK(dentry->d_inode->i_mode)) {
		bdev = bdev_find(dentry->d_inode->i_rdev);
		if (dentry->d_sb->s_flags & SB_NODEV)
			bdev = ERR_PTR(-EACCES);
	}
	dput(dentry);
	return bdev ? bdev : ERR_PTR(-ENXIO);
}

static int mount_new(const char *usource, const char *utype, const char *upath, unsigned flags)
{
	char *path = path_from_user(upath), *name = utype ? path_from_user(utype) : NULL;
	const struct fs_type *type;
	struct block_device *bdev;
	int err = -EINVAL;

	if (IS_ERR(path) || IS_ERR(name)) {
		err = IS_ERR(path) ? PTR_ERR(path) : PTR_ERR(name);
		goto out;
	}
	if (!name)
		goto out;
	err = -ENODEV;
	type = find_type(name);
	if (!type)
		goto out;
	bdev = find_disk(type, usource);
	err = IS_ERR(bdev) ? PTR_ERR(bdev) : vfs_mount(name, bdev, path, flags);
out:
	if (!IS_ERR(name))
		path_free(name);
	if (!IS_ERR(path))
		path_free(path);
	return err;
}

/* No file system takes options in @udata: anything but nothing is -EINVAL. */
SYSCALL_DEFINE5(mount, const char *, usource, const char *, upath, const char *, utype,
		unsigned long, flags, const char *, udata)
{
	char first = '\0';

	if (!is_privileged())
		return -EPERM;
	if (udata && get_user(first, udata))
		return -EFAULT;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	if (first || (flags & ~(unsigned long)(SB_MNT_MASK | MS_REMOUNT | MS_IGNORED)))
		return -EINVAL;
	if (flags & MS_REMOUNT)
		return remount(upath, flags & SB_MNT_MASK);
	return mount_new(usource, utype, upath, flags & SB_MNT_MASK);
}

/* ---- boot, and the end ---- */

void vfs_shutdown(void)
{
	struct super_block *sb;

	mounts_lock();
	bdev_sync_all();
	for (sb = sb_next(NULL); sb; sb = sb_next(sb)) {
		if ((sb->s_flags & SB_RDONLY) || !sb->s_op || !sb->s_op->remount)
			continue;
		/* Also where files are open for writing: who still writes, writes to memory. */
		sync_filesystem(sb);
		sb->s_op->remount(sb, sb->s_flags | SB_RDONLY);
	}
	mounts_unlock();
}

void vfs_unmount_all(void)
{
	struct list_head *last;

	mounts_lock();
	/* What is mounted on another came later. */
	while ((last = super_blocks.prev) != &super_blocks) {
		struct super_block *sb = list_entry(last, struct super_block, link);
		struct dentry *root = dget(sb->s_root);

		if (unmount_root(root)) {
			printk("vfs: file system %u (%s) is busy\n", sb->s_id, sb->s_type->name);
			dput(root);
			break;
		}
	}
	mounts_unlock();
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
	vdso_init();
	proc_init();
}

static void mount_or_tell(const char *type, const char *where)
{
	int err = vfs_mount(type, NULL, where, 0);

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
	err = vfs_mount("ext2", bdev, NULL, 0);
	if (err) {
		printk("vfs: cannot mount vda as ext2 (error %d)\n", -err);
		return err;
	}
	mount_or_tell("devfs", "/dev");
	mount_or_tell("proc", "/proc");
	mount_or_tell("tmpfs", "/tmp");
	mount_or_tell("tmpfs", "/dev/shm");
	if (!current->fs)
		current->fs = fs_context_alloc();
	return current->fs ? 0 : -ENOMEM;
}
