/*
 * stat.c - what a file is: stat, statx, statfs, readlink, access.
 *
 * All of it reads an inode without its lock: each field is right, as of some moment.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/slab.h"

static u64 inode_size(const struct inode *inode)
{
	return READ_ONCE(inode->i_data.size);
}

static u32 inode_blksize(const struct inode *inode)
{
	return inode->i_sb->s_blocksize ? inode->i_sb->s_blocksize : PAGE_SIZE;
}

/* tmpfs has no blocks: its pages in memory, and in swap, are counted. */
static u64 inode_blocks(const struct inode *inode)
{
	if (inode->i_data.ops && inode->i_data.ops->no_backing)
		return (READ_ONCE(inode->i_data.nr_pages) + READ_ONCE(inode->i_data.nr_swapped)) *
		       (PAGE_SIZE / 512);
	return inode->i_blocks;
}

static struct timespec_abi time_abi(struct timespec64 t)
{
	return (struct timespec_abi){ t.tv_sec, t.tv_nsec };
}

static long put_stat(const struct inode *inode, struct stat_abi *ust)
{
	struct stat_abi st;

	memset(&st, 0, sizeof(st));
	st.st_dev = inode->i_sb->s_dev;
	st.st_ino = inode->i_ino;
	st.st_mode = inode->i_mode;
	st.st_nlink = inode->i_nlink;
	st.st_uid = inode->i_uid;
	st.st_gid = inode->i_gid;
	st.st_rdev = inode->i_rdev;
	st.st_size = inode_size(inode);
	st.st_blksize = inode_blksize(inode);
	st.st_blocks = inode_blocks(inode);
	st.st_atim = time_abi(inode->i_atime);
	st.st_mtim = time_abi(inode->i_mtime);
	st.st_ctim = time_abi(inode->i_ctime);
	return copy_to_user(ust, &st, sizeof(st)) ? -EFAULT : 0;
}

static struct statx_timestamp_abi statx_time(struct timespec64 t)
{
	return (struct statx_timestamp_abi){ .tv_sec = t.tv_sec, .tv_nsec = t.tv_nsec };
}

static long put_statx(const struct inode *inode, struct statx_abi *ustx)
{
	struct statx_abi stx;

	memset(&stx, 0, sizeof(stx));
	stx.stx_mask = STATX_BASIC_STATS;
	stx.stx_attributes_mask = STATX_ATTR_MOUNT_ROOT;
	if (inode->i_ino == inode->i_sb->s_root_ino)
		stx.stx_attributes = STATX_ATTR_MOUNT_ROOT;
	stx.stx_blksize = inode_blksize(inode);
	stx.stx_nlink = inode->i_nlink;
	stx.stx_uid = inode->i_uid;
	stx.stx_gid = inode->i_gid;
	stx.stx_mode = inode->i_mode;
	stx.stx_ino = inode->i_ino;
	stx.stx_size = inode_size(inode);
	stx.stx_blocks = inode_blocks(inode);
	stx.stx_atime = statx_time(inode->i_atime);
	stx.stx_ctime = statx_time(inode->i_ctime);
	stx.stx_mtime = statx_time(inode->i_mtime);
	stx.stx_rdev_major = MAJOR(inode->i_rdev);
	stx.stx_rdev_minor = MINOR(inode->i_rdev);
	stx.stx_dev_major = MAJOR(inode->i_sb->s_dev);
	stx.stx_dev_minor = MINOR(inode->i_sb->s_dev);
	return copy_to_user(ustx, &stx, sizeof(stx)) ? -EFAULT : 0;
}

/*
 * The inode of (@dfd, @upath) with a reference, or ERR_PTR. With AT_EMPTY_PATH in @flags an empty
 * path is the descriptor itself, whatever it is.
 */
static struct inode *inode_at(int dfd, const char *upath, unsigned flags)
{
	char *path = path_from_user(upath);
	struct dentry *dentry;
	struct inode *inode;
	struct fd fd;

	if (IS_ERR(path))
		return (void *)path;
	if (!*path && (flags & AT_EMPTY_PATH) && dfd != AT_FDCWD) {
		path_free(path);
		fd = fd_begin_any(dfd);
		if (!fd.file)
			return ERR_PTR(-EBADF);
		inode = inode_get(fd.file->f_inode);
		fd_end(fd);
		return inode;
	}
	dentry = path_lookup(dfd, path,
			     (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
				     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
	path_free(path);
	if (IS_ERR(dentry))
		return (void *)dentry;
	inode = inode_get(dentry->d_inode);
	dput(dentry);
	return inode;
}

SYSCALL_DEFINE2(fstat, int, fdnum, struct stat_abi *, ust)
{
	struct fd fd = fd_begin_any(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = put_stat(fd.file->f_inode, ust);
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE4(newfstatat, int, dfd, const char *, upath, struct stat_abi *, ust, unsigned, flags)
{
	struct inode *inode;
	long ret;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	inode = inode_at(dfd, upath, flags);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	ret = put_stat(inode, ust);
	inode_put(inode);
	return ret;
}

SYSCALL_DEFINE5(statx, int, dfd, const char *, upath, unsigned, flags, unsigned, mask,
		struct statx_abi *, ustx)
{
	const unsigned known =
		AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
	struct inode *inode;
	long ret;

	if ((flags & ~known) || (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE ||
	    (mask & STATX_RESERVED))
		return -EINVAL;
	inode = inode_at(dfd, upath, flags);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	ret = put_statx(inode, ustx);
	inode_put(inode);
	return ret;
}

/* ---- file systems ---- */

static long put_statfs(struct super_block *sb, struct statfs_abi *ust)
{
	struct statfs_abi st;
	int err = 0;

	memset(&st, 0, sizeof(st));
	st.f_type = sb->s_magic;
	st.f_bsize = st.f_frsize = sb->s_blocksize ? sb->s_blocksize : PAGE_SIZE;
	st.f_namelen = NAME_MAX;
	st.f_flags = ST_VALID | (sb->s_flags & SB_MNT_MASK); /* the same bits */
	st.f_fsid[0] = sb->s_dev;
	if (sb->s_op && sb->s_op->statfs)
		err = sb->s_op->statfs(sb, &st);
	if (err)
		return err;
	return copy_to_user(ust, &st, sizeof(st)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(statfs, const char *, upath, struct statfs_abi *, ust)
{
	struct inode *inode = inode_at(AT_FDCWD, upath, 0);
	long ret;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	ret = put_statfs(inode->i_sb, ust);
	inode_put(inode);
	return ret;
}

SYSCALL_DEFINE2(fstatfs, int, fdnum, struct statfs_abi *, ust)
{
	struct fd fd = fd_begin_any(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = put_statfs(fd.file->f_inode->i_sb, ust);
	fd_end(fd);
	return ret;
}

/* ---- symbolic links, access ---- */

static long put_link(struct inode *inode, char *ubuf, int size)
{
	char *buf;
	long n;

	if (!S_ISLNK(inode->i_mode))
		return -EINVAL;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	n = inode->i_op->readlink(inode, buf, PATH_MAX);
	if (n >= 0) {
		n = min(n, (long)size);
		if (copy_to_user(ubuf, buf, n))
			n = -EFAULT;
	}
	kfree(buf);
	return n;
}

SYSCALL_DEFINE4(readlinkat, int, dfd, const char *, upath, char *, ubuf, int, size)
{
	struct inode *inode;
	char first;
	long ret;

	if (size <= 0)
		return -EINVAL;
	if (get_user(first, upath))
		return -EFAULT;
	inode = inode_at(dfd, upath, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	/* "" is the link that was opened with O_PATH, and nothing else. */
	ret = first || S_ISLNK(inode->i_mode) ? put_link(inode, ubuf, size) : -ENOENT;
	inode_put(inode);
	return ret;
}

static long inode_access(const struct inode *inode, int mode)
{
	if ((mode & W_OK) && (inode->i_sb->s_flags & SB_RDONLY) &&
	    (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode) || S_ISLNK(inode->i_mode)))
		return -EROFS;
	if ((mode & X_OK) && (inode->i_sb->s_flags & SB_NOEXEC) && S_ISREG(inode->i_mode))
		return -EACCES;
	return mode == F_OK ? 0 : inode_permission(inode, mode);
}

/*
 * access(2) asks for the real user, so a set-user-id program can ask for whoever started it: the
 * real ids are the ones for files while it walks. /proc may see them for that time.
 */
static long do_access(int dfd, const char *upath, int mode, unsigned flags)
{
	struct cred *cred = &current->cred;
	u32 uid = cred->fsuid, gid = cred->fsgid;
	struct inode *inode;
	long ret;

	if ((mode & ~(R_OK | W_OK | X_OK)) ||
	    (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	if (!(flags & AT_EACCESS)) {
		cred->fsuid = cred->uid;
		cred->fsgid = cred->gid;
	}
	inode = inode_at(dfd, upath, flags & ~AT_EACCESS);
	ret = IS_ERR(inode) ? PTR_ERR(inode) : inode_access(inode, mode);
	if (!IS_ERR(inode))
		inode_put(inode);
	cred->fsuid = uid;
	cred->fsgid = gid;
	return ret;
}

SYSCALL_DEFINE3(faccessat, int, dfd, const char *, upath, int, mode)
{
	return do_access(dfd, upath, mode, 0);
}

SYSCALL_DEFINE4(faccessat2, int, dfd, const char *, upath, int, mode, unsigned, flags)
{
	return do_access(dfd, upath, mode, flags);
}
