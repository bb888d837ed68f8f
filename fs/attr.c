/*
 * attr.c - changing what a file is: size, mode, owner, times; and sync.
 *
 * Locks: the inode's lock around each change.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/tmpfs.h"
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
#define ATTR_TOUCH 0x20u /* both times to now: who may write may do that */
#define ATTR_OWNER 0x40u /* by chown(2), even if it names no new owner: set-id bits go */

/* 0, -EPERM or -EACCES. */
static int may_change(const struct inode *inode, const struct attr *attr)
{
	const unsigned owners = ATTR_MODE | ATTR_ATIME | ATTR_MTIME;
	bool mine = current->cred.fsuid == inode->i_uid;

	if (is_fs_root())
		return 0;
	if ((attr->valid & ATTR_UID) && !(mine && attr->uid == inode->i_uid))
		return -EPERM;
	if ((attr->valid & ATTR_GID) &&
	    !(mine && (attr->gid == inode->i_gid || in_fs_group(attr->gid))))
		return -EPERM;
	/* A chown() that names nobody new still takes set-id bits away, which is a chmod(). */
	if (!mine && (attr->valid & ATTR_OWNER) && !S_ISDIR(inode->i_mode) &&
	    setid_bits_to_drop(inode->i_mode, inode->i_gid))
		return -EPERM;
	if (mine || !(attr->valid & owners))
		return 0;
	return attr->valid & ATTR_TOUCH ? inode_permission(inode, MAY_WRITE) : -EPERM;
}

/* Changes mode and owner. Inode locked. */
static void change_mode(struct inode *inode, const struct attr *attr)
{
	mode_t mode = inode->i_mode;

	if (attr->valid & ATTR_MODE) {
		mode = (mode & S_IFMT) | (attr->mode & S_IALLUGO);
		if (!is_fs_root() && !in_fs_group(inode->i_gid))
			mode &= ~S_ISGID;
	}
	if ((attr->valid & ATTR_OWNER) && !S_ISDIR(mode))
		mode &= ~setid_bits_to_drop(mode, inode->i_gid);
	inode->i_mode = mode;
	if (attr->valid & ATTR_UID)
		inode->i_uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->i_gid = attr->gid;
}

static long change(struct inode *inode, const struct attr *attr)
{
	int err = sb_want_write(inode->i_sb);

	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (inode->i_sb->s_flags & SB_NOCACHE)
		err = -EPERM;
	else if ((attr->valid & ATTR_MODE) && S_ISLNK(inode->i_mode))
		err = -EOPNOTSUPP;
	else
		err = may_change(inode, attr);
	if (!err && (attr->valid & ATTR_MODE))
		err = seals_allow_mode(inode, attr->mode);
	if (err)
		goto out;
	change_mode(inode, attr);
	if (attr->valid & ATTR_ATIME)
		inode->i_atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->i_mtime = attr->mtime;
	inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
out:
	mutex_unlock(&inode->lock);
	sb_done_write(inode->i_sb);
	return err;
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

SYSCALL_DEFINE4(fchmodat2, int, dfd, const char *, upath, mode_t, mode, unsigned, flags)
{
	return change_at(dfd, upath, flags, &(struct attr){ .valid = ATTR_MODE, .mode = mode });
}

static struct attr new_owner(u32 uid, u32 gid)
{
	return (struct attr){
		.valid = ATTR_OWNER | (uid == NO_ID ? 0 : ATTR_UID) | (gid == NO_ID ? 0 : ATTR_GID),
		.uid = uid,
		.gid = gid,
	};
}

SYSCALL_DEFINE3(fchown, int, fd, u32, uid, u32, gid)
{
	struct attr attr = new_owner(uid, gid);

	return change_fd(fd, &attr);
}

SYSCALL_DEFINE5(fchownat, int, dfd, const char *, upath, u32, uid, u32, gid, unsigned, flags)
{
	struct attr attr = new_owner(uid, gid);

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
	if (times[0].tv_nsec == UTIME_NOW && times[1].tv_nsec == UTIME_NOW)
		attr.valid |= ATTR_TOUCH;
	if (!upath && dfd != AT_FDCWD) /* futimens() */
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
	err = inode_check_size(inode, size);
	if (!err)
		err = sb_want_write(inode->i_sb);
	if (err)
		return err;
	inode_drop_setid(inode);
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
	ret = inode_permission(dentry->d_inode, MAY_WRITE);
	if (!ret)
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
