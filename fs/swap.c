/*
 * swap.c - swapon(2), swapoff(2): the path becomes a disk; and /proc/swaps.
 *
 *	path --> block device --bdev_claim()--> swap_area_on()      mm/swapon.c
 *	                      <-bdev_release()- swap_area_off()     mm/swapoff.c
 *
 * Only disks: a file is EINVAL, as one that a file system cannot swap to.
 *
 * Invariant: a disk that is an area is claimed, so it is neither mounted nor written as a file.
 * Locks: none here.
 * Source: swapon(2), proc_swaps(5).
 */
#include "drivers/block.h"
#include "fs/internal.h"
#include "fs/proc/proc.h"
#include "kernel/cred.h"
#include "kernel/syscall.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/swap.h"

#define NAME_WIDTH 39 /* of the first column */

/* The disk that the user's path names, its whole path in @name; or ERR_PTR. */
static struct block_device *disk_at(const char *upath, char *name, size_t size)
{
	struct block_device *bdev = ERR_PTR(-EINVAL);
	char buf[256], *path = path_from_user(upath);
	struct dentry *dentry;

	if (IS_ERR(path))
		return (void *)path;
	dentry = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW);
	path_free(path);
	if (IS_ERR(dentry))
		return (void *)dentry;
	if (S_ISBLK(dentry->d_inode->i_mode))
		bdev = bdev_find(dentry->d_inode->i_rdev) ?: ERR_PTR(-ENXIO);
	path = dentry_path(dentry, buf, sizeof(buf));
	strlcpy(name, path ? path : dentry->d_name, size);
	dput(dentry);
	return bdev;
}

SYSCALL_DEFINE2(swapon, const char *, upath, int, flags)
{
	struct block_device *bdev;
	struct swap_info info;
	int err;

	if (flags & ~SWAP_FLAGS_VALID)
		return -EINVAL;
	if (!is_privileged())
		return -EPERM;
	bdev = disk_at(upath, info.name, sizeof(info.name));
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	err = bdev_claim(bdev);
	if (err)
		return err;
	err = swap_area_on(bdev, info.name, flags);
	if (err)
		bdev_release(bdev);
	return err;
}

SYSCALL_DEFINE1(swapoff, const char *, upath)
{
	struct block_device *bdev;
	struct swap_info info;
	int err;

	if (!is_privileged())
		return -EPERM;
	bdev = disk_at(upath, info.name, sizeof(info.name));
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	err = swap_area_off(bdev);
	if (!err)
		bdev_release(bdev);
	return err;
}

int proc_show_swaps(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct swap_info info;

	seq_printf(seq, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	for (unsigned i = 0; i < MAX_SWAP_AREAS; i++) {
		unsigned long size, used;
		int len;

		if (!swap_get_info(i, &info))
			continue;
		size = info.slots << (PAGE_SHIFT - 10);
		used = info.used << (PAGE_SHIFT - 10);
		len = seq_path(seq, info.name);
		seq_printf(seq, "%*s partition\t%lu\t%s%lu\t%s%d\n",
			   len < NAME_WIDTH ? NAME_WIDTH - len : 0, "", size,
			   size < 10000000 ? "\t" : "", used, used < 10000000 ? "\t" : "",
			   info.prio);
	}
	return 0;
}
