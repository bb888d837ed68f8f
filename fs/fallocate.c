/*
 * fallocate.c - fallocate(2): a range of a file gets its place on the disk, so that writing there
 * does not end with ENOSPC; or gives it back.
 *
 * ext2 has no mark for "allocated, but zeros": the range is written with the zeros that a hole
 * reads as. So nothing can be allocated past the end of the file (FALLOC_FL_KEEP_SIZE there).
 *
 * FALLOC_FL_PUNCH_HOLE is for files that are nothing but memory (tmpfs). As on Linux, ext2 makes no
 * holes: EOPNOTSUPP, as the manual says.
 *
 * Locks: the inode's.
 */
#include "fs/internal.h"
#include "fs/tmpfs.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

#define FALLOC_FL_KEEP_SIZE  1u
#define FALLOC_FL_PUNCH_HOLE 2u

/* The inode is locked. A failure that had made the file longer makes it shorter again. */
static int allocate(struct inode *inode, u64 pos, u64 len, bool keep_size)
{
	u64 old_size = inode->i_data.size;
	int err;

	if (keep_size && pos + len > old_size)
		return -EOPNOTSUPP;
	err = filemap_allocate(&inode->i_data, pos, len);
	if (err && inode->i_data.size > old_size)
		inode->i_op->truncate(inode, old_size);
	inode->i_mtime = inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
	return err;
}

/* The inode is locked. */
static int punch(struct inode *inode, u64 pos, u64 len)
{
	struct address_space *as = &inode->i_data;
	int err;

	if (!as->ops->no_backing)
		return -EOPNOTSUPP;
	err = seals_allow_write(inode, 0, 0);
	if (err)
		return err;
	err = filemap_punch(as, pos, pos + len);
	if (err)
		return err;
	inode->i_mtime = inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
	return 0;
}

/* 0 or -errno: which modes there are, and for which files. */
static int check_mode(const struct file *file, unsigned mode)
{
	const struct inode *inode = file->f_inode;

	if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) || mode == FALLOC_FL_PUNCH_HOLE)
		return -EOPNOTSUPP;
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	if (S_ISFIFO(inode->i_mode))
		return -ESPIPE;
	if (!S_ISREG(inode->i_mode))
		return S_ISDIR(inode->i_mode) ? -EISDIR : -ENODEV;
	return inode->i_op && inode->i_op->truncate ? 0 : -EOPNOTSUPP;
}

static int do_fallocate(struct file *file, unsigned mode, s64 pos, s64 len)
{
	struct inode *inode = file->f_inode;
	int err;

	if (pos < 0 || len <= 0)
		return -EINVAL;
	err = check_mode(file, mode);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE))
		err = inode_check_size(inode, (u64)pos + len);
	if (!err && (u64)pos + len > inode->i_sb->s_maxbytes)
		err = -EFBIG;
	if (err)
		return err;
	mutex_lock(&inode->lock);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		err = punch(inode, pos, len);
	else
		err = seals_allow_write(inode, pos, len) ?:
			      allocate(inode, pos, len, mode & FALLOC_FL_KEEP_SIZE);
	mutex_unlock(&inode->lock);
	return err;
}

int file_punch_hole(struct file *file, unsigned long first, unsigned long last)
{
	return do_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			    (s64)first << PAGE_SHIFT, (s64)(last - first + 1) << PAGE_SHIFT);
}

SYSCALL_DEFINE4(fallocate, int, fdnum, unsigned, mode, s64, pos, s64, len)
{
	struct fd fd = fd_begin(fdnum);
	int err;

	if (!fd.file)
		return -EBADF;
	err = do_fallocate(fd.file, mode, pos, len);
	fd_end(fd);
	return err;
}
