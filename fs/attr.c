/*
 * attr.c - changing what a file is: size, mode, owner, times; and sync.
 *
 * Locks: the inode's lock around each change.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

/* What to change of an inode; the bits of valid tell which fields count. */
struct attr {
	unsigned valid;
	mode_t mode; /* permission bits */
	u32 uid, gid;
	struct timespec64 atime, mtime;
};

#define ATTR_MODE  0x1u
#define ATTR_UID   0x2u
#define ATTR_GID   0x4u
#define ATTR_ATIME 0x8u
#define ATTR_MTIME 0x10u

static long change(struct inode *inode, const struct attr *attr)
{
	int err = sb_want_write(inode->i_sb);

	if (err)
		return err;
	if (inode->i_sb->s_flags & SB_NOCACHE) {
		sb_done_write(inode->i_sb);
		return -EPERM;
	}
	mutex_lock(&inode->lock);
	if (attr->valid & ATTR_MODE)
		inode->i_mode = (inode->i_mode & S_IFMT) | (attr->mode & S_IALLUGO);
	if (attr->valid & ATTR_UID)
		inode->i_uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->i_gid = attr->gid;
	if (attr->valid & ATTR_ATIME)
		inode->i_atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->i_mtime = attr->mtime;
	inode->i_ctime = fs_now();
	mutex_unlock(&inode->lock);
	sb_done_write(inode->i_sb);
	return 0;
}

static long change_fd(int fdnum, const struct attr *attr)
{
	struct fd fd = fd_begin(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = change(fd.file->f_inode, attr);
	fd_end(fd);
	return ret;
}

/* As change(), on a user's path; @flags AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
static long change_at(int dfd, const char *upath, unsigned flags, const struct attr *attr)
{
	struct dentry *dentry;
	char *path;
	long ret;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	path = path_from_user(upath);
	if (IS_ERR(path))
		return PTR_ERR(path);
	dentry = path_lookup(dfd, path,
			     (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
	path_free(path);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	ret = change(dentry->d_inode, attr);
	dput(dentry);
	return ret;
}

SYSCALL_DEFINE2(fchmod, int, fd, mode_t, mode)
{
	return change_fd(fd, &(struct attr){ .valid = ATTR_MODE, .mode = mode });
}

SYSCALL_DEFINE3(fchmodat, int, dfd, const char *, upath, mode_t, mode)
{
	return change_at(dfd, upath, 0, &(struct attr){ .valid = ATTR_MODE, .mode = mode });
}

SYSCALL_DEFINE5(fchownat, int, dfd, const char *, upath, u32, uid, u32, gid, unsigned, flags)
{
	struct attr attr = {
		.valid = (uid == (u32)-1 ? 0 : ATTR_UID) | (gid == (u32)-1 ? 0 : ATTR_GID),
		.uid = uid,
		.gid = gid,
	};

	return change_at(dfd, upath, flags, &attr);
}

/* One of utimensat's two times; 0 or -EINVAL. */
static int parse_time(const struct timespec_abi *t, struct timespec64 *out, unsigned bit,
		      unsigned *valid)
{
	if (t->tv_nsec == UTIME_OMIT)
		return 0;
	*valid |= bit;
	if (t->tv_nsec == UTIME_NOW) {
		*out = fs_now();
		return 0;
	}
	if (t->tv_nsec < 0 || t->tv_nsec >= (s64)NSEC_PER_SEC)
		return -EINVAL;
	*out = (struct timespec64){ t->tv_sec, t->tv_nsec };
	return 0;
}

SYSCALL_DEFINE4(utimensat, int, dfd, const char *, upath, const struct timespec_abi *, utimes,
		unsigned, flags)
{
	struct timespec_abi times[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };
	struct attr attr = { .valid = 0 };

	if (utimes && copy_from_user(times, utimes, sizeof(times)))
		return -EFAULT;
	if (parse_time(&times[0], &attr.atime, ATTR_ATIME, &attr.valid) ||
	    parse_time(&times[1], &attr.mtime, ATTR_MTIME, &attr.valid))
		return -EINVAL;
	if (!attr.valid)
		return 0;
	if (!upath) /* futimens() */
		return flags ? -EINVAL : change_fd(dfd, &attr);
	return change_at(dfd, upath, flags, &attr);
}

/* ---- size ---- */

int vfs_truncate(struct inode *inode, s64 size)
{
	int err;

	if (size < 0)
		return -EINVAL;
	if (S_ISDIR(inode->i_mode))
		return -EISDIR;
	if (!S_ISREG(inode->i_mode))
		return -EINVAL;
	if (inode->i_sb->s_flags & SB_RDONLY)
		return -EROFS;
	/* Synthetic files have no size to set: shells open them with O_TRUNC all the same. */
	if (!inode->i_op || !inode->i_op->truncate)
		return inode->i_sb->s_flags & SB_NOCACHE ? 0 : -EPERM;
	if ((u64)size > inode->i_sb->s_maxbytes)
		return -EFBIG;
	err = sb_want_write(inode->i_sb);
	if (err)
		return err;
	mutex_lock(&inode->lock);
	err = inode->i_op->truncate(inode, size);
	mutex_unlock(&inode->lock);
	sb_done_write(inode->i_sb);
	return err;
}

SYSCALL_DEFINE2(truncate, const char *, upath, s64, size)
{
	struct dentry *dentry;
	char *path;
	long ret;

	if (size < 0)
		return -EINVAL;
	path = path_from_user(upath);
	if (IS_ERR(path))
		return PTR_ERR(path);
	dentry = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW);
	path_free(path);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	ret = vfs_truncate(dentry->d_inode, size);
	dput(dentry);
	return ret;
}

SYSCALL_DEFINE2(ftruncate, int, fdnum, s64, size)
{
	struct fd fd = fd_begin(fdnum);
	long ret = -EINVAL;

	if (size < 0)
		goto out;
	if (!fd.file)
		return -EBADF;
	if ((fd.file->f_mode & FMODE_WRITE) && S_ISREG(fd.file->f_inode->i_mode))
		ret = vfs_truncate(fd.file->f_inode, size);
out:
	if (fd.file)
		fd_end(fd);
	return ret;
}

/* Nothing is ever dirty: disks are read-only, and tmpfs has nowhere to write to. */
SYSCALL_DEFINE0(sync)
{
	return 0;
}
