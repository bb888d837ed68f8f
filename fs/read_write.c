/*
 * read_write.c - read, write and their kin; where a file's offset is kept right.
 *
 *	read(fd)      offset of the open file, under f_pos_lock if somebody shares the file
 *	pread(fd)     offset of the caller; the file's does not move
 *	readv, ...    fs/iov.c        sendfile, copy_file_range   fs/sendfile.c
 *
 * Locks: f_pos_lock (a mutex) around the operation, outside all locks of file systems. A file with
 * one reference, found without taking one, has one user: the current task.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/syscall.h"

SYSCALL_DEFINE3(read, int, fdnum, void *, ubuf, size_t, len)
{
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	bool locked;
	ssize_t ret;

	if (unlikely(!file))
		return -EBADF;
	locked = pos_begin(fd);
	ret = file_read(file, ubuf, len, &file->f_pos);
	pos_end(fd, locked);
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE3(write, int, fdnum, const void *, ubuf, size_t, len)
{
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	bool locked;
	ssize_t ret;

	if (unlikely(!file))
		return -EBADF;
	locked = pos_begin(fd);
	ret = file_write(file, ubuf, len, &file->f_pos);
	pos_end(fd, locked);
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE4(pread64, int, fdnum, void *, ubuf, size_t, len, s64, pos)
{
	struct fd fd;
	u64 at = pos;
	ssize_t ret;

	if (pos < 0)
		return -EINVAL;
	fd = fd_begin(fdnum);
	if (!fd.file)
		return -EBADF;
	ret = fd.file->f_mode & FMODE_STREAM ? -ESPIPE : file_read(fd.file, ubuf, len, &at);
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE4(pwrite64, int, fdnum, const void *, ubuf, size_t, len, s64, pos)
{
	struct fd fd;
	u64 at = pos;
	ssize_t ret;

	if (pos < 0)
		return -EINVAL;
	fd = fd_begin(fdnum);
	if (!fd.file)
		return -EBADF;
	ret = fd.file->f_mode & FMODE_STREAM ? -ESPIPE : file_write(fd.file, ubuf, len, &at);
	fd_end(fd);
	return ret;
}

/* ---- offsets ---- */

s64 no_llseek(struct file *file __maybe_unused, s64 offset __maybe_unused,
	      int whence __maybe_unused)
{
	return -ESPIPE;
}

/* SEEK_DATA and SEEK_HOLE: the position, or -ENXIO past the end or where no data follows. */
static s64 seek_data_or_hole(struct file *file, s64 offset, bool data)
{
	struct address_space *as = file->f_mapping;
	u64 size = as ? READ_ONCE(as->size) : READ_ONCE(file->f_inode->i_data.size);
	s64 pos = offset;

	if (offset < 0 || (u64)offset >= size)
		return -ENXIO;
	if (as && as->ops->seek)
		pos = as->ops->seek(as, offset, data);
	else if (!data) /* no holes are known: all is data, and the end is a hole */
		pos = size;
	if (data && pos >= 0 && (u64)pos >= size)
		return -ENXIO;
	if (pos >= 0)
		file->f_pos = pos;
	return pos;
}

s64 generic_llseek(struct file *file, s64 offset, int whence)
{
	u64 base;
	s64 pos;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = file->f_pos;
		break;
	case SEEK_END:
		base = file->f_mapping ? READ_ONCE(file->f_mapping->size) :
					 READ_ONCE(file->f_inode->i_data.size);
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		return seek_data_or_hole(file, offset, whence == SEEK_DATA);
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow((s64)base, offset, &pos) || pos < 0)
		return -EINVAL;
	file->f_pos = pos;
	return pos;
}

SYSCALL_DEFINE3(lseek, int, fdnum, s64, offset, int, whence)
{
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	bool locked;
	s64 ret;

	if (!file)
		return -EBADF;
	locked = pos_begin(fd);
	ret = file->f_op->llseek ? file->f_op->llseek(file, offset, whence) :
				   generic_llseek(file, offset, whence);
	pos_end(fd, locked);
	fd_end(fd);
	return ret;
}

/* ---- ready-made operations ---- */

ssize_t generic_file_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	ssize_t n = filemap_read(file->f_mapping, &file->f_ra, ubuf, len, *pos);

	if (likely(n > 0)) {
		touch_atime(file, *pos);
		*pos += n;
	}
	return n;
}

ssize_t simple_read(void *ubuf, size_t len, u64 *pos, const void *buf, size_t size)
{
	size_t left;

	if (*pos >= size || len == 0)
		return 0;
	len = min(len, size - (size_t)*pos);
	left = copy_to_user(ubuf, (const char *)buf + *pos, len);
	if (left == len)
		return -EFAULT;
	*pos += len - left;
	return len - left;
}

ssize_t file_read_kernel(struct file *file, void *buf, size_t len, u64 pos)
{
	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!file->f_mapping)
		return S_ISDIR(file->f_inode->i_mode) ? -EISDIR : -EINVAL;
	return filemap_read_kernel(file->f_mapping, &file->f_ra, buf, len, pos);
}
