/*
 * sync.c - the calls that ask for the disk: sync, syncfs, fsync, fdatasync, sync_file_range.
 *
 *	fsync   1. the file's dirty pages, and wait   2. its metadata, and the disk's own cache
 *	        3. tell this opener, once, of writes that failed since it last asked
 *
 * A write may fail long after write() has returned, in the flusher: each open file remembers up to
 * where it knows of errors, of its own pages (f_wb_err) and of the file system (f_sb_err).
 *
 * Locks: told_lock guards f_wb_err and f_sb_err.
 */
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

static struct spinlock told_lock = SPINLOCK_INIT;

/* The first error that @file's opener was not told yet; afterwards it was. */
static int tell_error(struct file *file, bool data)
{
	struct inode *inode = file->f_inode;
	struct address_space *as = file->f_mapping ? file->f_mapping : &inode->i_data;
	int err = 0, sb_err;

	spin_lock(&told_lock);
	if (data)
		err = errseq_check(&as->wb_err, &file->f_wb_err);
	sb_err = errseq_check(&inode->i_sb->s_wb_err, &file->f_sb_err);
	spin_unlock(&told_lock);
	return err ? err : sb_err;
}

int vfs_fsync(struct file *file, bool datasync)
{
	struct inode *inode = file->f_inode;
	const struct super_operations *s_op = inode->i_sb->s_op;
	int data = 0, err, told;

	if (!S_ISREG(inode->i_mode) && !S_ISDIR(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -EINVAL;
	if (!S_ISBLK(inode->i_mode) && (!s_op || !s_op->sync_inode))
		return 0;	    /* it has no disk, or nothing for one */
	if (S_ISREG(inode->i_mode)) /* a directory's pages have their turn in what follows */
		data = filemap_write_all(&inode->i_data);
	err = S_ISBLK(inode->i_mode) ? bdev_fsync(file) : s_op->sync_inode(inode, datasync);
	told = tell_error(file, true);
	return told ? told : err ? err : data;
}

int file_sync_pages(struct file *file, unsigned long first, unsigned long last)
{
	struct inode *inode = file->f_inode;
	const struct super_operations *s_op = inode->i_sb->s_op;
	int data, err, told;

	if (S_ISBLK(inode->i_mode))
		return vfs_fsync(file, true);
	if (!s_op || !s_op->sync_inode)
		return 0;
	data = filemap_write_range(&inode->i_data, first, last);
	err = s_op->sync_inode(inode, true);
	told = tell_error(file, true);
	return told ? told : err ? err : data;
}

static long sync_fd(int fdnum, bool datasync)
{
	struct fd fd = fd_begin(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = vfs_fsync(fd.file, datasync);
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE1(fsync, int, fd)
{
	return sync_fd(fd, false);
}

SYSCALL_DEFINE1(fdatasync, int, fd)
{
	return sync_fd(fd, true);
}

SYSCALL_DEFINE0(sync)
{
	sync_all();
	return 0;
}

SYSCALL_DEFINE1(syncfs, int, fdnum)
{
	struct fd fd = fd_begin(fdnum);
	int err, told;

	if (!fd.file)
		return -EBADF;
	err = sync_filesystem(fd.file->f_inode->i_sb);
	told = tell_error(fd.file, false);
	fd_end(fd);
	return told ? told : err;
}

#define SYNC_RANGE_WAIT_BEFORE 1u
#define SYNC_RANGE_WRITE       2u
#define SYNC_RANGE_WAIT_AFTER  4u

/* What sync_file_range() does to pages [first, last] of @file: data only, no metadata, no flush. */
static int sync_range(struct file *file, unsigned long first, unsigned long last, unsigned flags)
{
	struct address_space *as = file->f_mapping;
	int err = 0;

	if (flags & SYNC_RANGE_WAIT_BEFORE)
		filemap_wait_write(as, first, last);
	if (flags & SYNC_RANGE_WRITE)
		filemap_start_write(as, first, last);
	if (flags & SYNC_RANGE_WAIT_AFTER)
		filemap_wait_write(as, first, last);
	if (flags & (SYNC_RANGE_WAIT_BEFORE | SYNC_RANGE_WAIT_AFTER))
		err = tell_error(file, true);
	return err;
}

SYSCALL_DEFINE4(sync_file_range, int, fdnum, s64, offset, s64, len, unsigned, flags)
{
	struct fd fd = fd_begin(fdnum);
	unsigned long last = ~0UL;
	long ret = -EINVAL;
	s64 end;

	if (!fd.file)
		return -EBADF;
	if (offset < 0 || len < 0 || __builtin_add_overflow(offset, len, &end) ||
	    (flags & ~(SYNC_RANGE_WAIT_BEFORE | SYNC_RANGE_WRITE | SYNC_RANGE_WAIT_AFTER)))
		goto out;
	ret = -ESPIPE;
	if (!S_ISREG(fd.file->f_inode->i_mode) && !S_ISBLK(fd.file->f_inode->i_mode))
		goto out;
	if (!fd.file->f_mapping)
		goto out;
	if (len > 0) /* 0: to the end, wherever that is */
		last = (end - 1) >> PAGE_SHIFT;
	ret = sync_range(fd.file, offset >> PAGE_SHIFT, last, flags);
out:
	fd_end(fd);
	return ret;
}
