/*
 * read_write.c - read, write and their kin; where a file's offset is kept right.
 *
 *	read(fd)      offset of the open file, under f_pos_lock if somebody shares the file
 *	pread(fd)     offset of the caller; the file's does not move
 *	readv(fd)     one after the other, until one is short
 *
 * Locks: f_pos_lock (a mutex) around the operation, outside all locks of file systems. A file with
 * one reference, found without taking one, has one user: the current task.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/slab.h"

/* The most bytes that one call moves, as on Linux. */
#define MAX_RW_COUNT 0x7ffff000UL
#define MAX_IOV	     1024
#define STACK_IOV    8

/* True when the offset of @fd's file may be used by others at the same time. */
static bool pos_is_shared(struct fd fd)
{
	return fd.put || atomic_read(&fd.file->f_count) > 1;
}

static ssize_t file_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	if (unlikely(!(file->f_mode & FMODE_READ)))
		return -EBADF;
	if (unlikely(!file->f_op->read))
		return S_ISDIR(file->f_inode->i_mode) ? -EISDIR : -EINVAL;
	return file->f_op->read(file, ubuf, min(len, MAX_RW_COUNT), pos);
}

static ssize_t file_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	if (unlikely(!(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (unlikely(!file->f_op->write))
		return -EINVAL;
	return file->f_op->write(file, ubuf, min(len, MAX_RW_COUNT), pos);
}

SYSCALL_DEFINE3(read, int, fdnum, void *, ubuf, size_t, len)
{
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	ssize_t ret;

	if (unlikely(!file))
		return -EBADF;
	if (likely((file->f_mode & FMODE_STREAM) || !pos_is_shared(fd))) {
		ret = file_read(file, ubuf, len, &file->f_pos);
	} else {
		mutex_lock(&file->f_pos_lock);
		ret = file_read(file, ubuf, len, &file->f_pos);
		mutex_unlock(&file->f_pos_lock);
	}
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE3(write, int, fdnum, const void *, ubuf, size_t, len)
{
	struct fd fd = fd_begin(fdnum);
	struct file *file = fd.file;
	ssize_t ret;

	if (unlikely(!file))
		return -EBADF;
	if (likely((file->f_mode & FMODE_STREAM) || !pos_is_shared(fd))) {
		ret = file_write(file, ubuf, len, &file->f_pos);
	} else {
		mutex_lock(&file->f_pos_lock);
		ret = file_write(file, ubuf, len, &file->f_pos);
		mutex_unlock(&file->f_pos_lock);
	}
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

/* ---- vectors ---- */

/*
 * Copies in and checks a user's vector of @nr pieces; uses @stack when that is enough. On success
 * *iov is to be freed by free_iov().
 */
static int copy_iov(const struct iovec_abi *uiov, long nr, struct iovec_abi *stack,
		    struct iovec_abi **iov)
{
	size_t total = 0;

	if (nr < 0 || nr > MAX_IOV)
		return -EINVAL;
	*iov = nr <= STACK_IOV ? stack : kmalloc(nr * sizeof(**iov), GFP_KERNEL);
	if (!*iov)
		return -ENOMEM;
	if (copy_from_user(*iov, uiov, nr * sizeof(**iov))) {
		if (*iov != stack)
			kfree(*iov);
		return -EFAULT;
	}
	for (long i = 0; i < nr; i++) {
		if ((s64)(*iov)[i].len < 0) {
			if (*iov != stack)
				kfree(*iov);
			return -EINVAL;
		}
		(*iov)[i].len = min((*iov)[i].len, MAX_RW_COUNT - total);
		total += (*iov)[i].len;
	}
	return 0;
}

/*
 * True when going on to the next piece of a stream would sleep though some bytes are there to
 * return.
 */
static bool would_sleep(struct file *file, bool write)
{
	unsigned ready;

	if (!(file->f_mode & FMODE_STREAM) || !file->f_op->poll || write)
		return false;
	ready = file->f_op->poll(file, NULL);
	return !(ready & POLLIN);
}

/* Must the pieces reach @file as one write? Into pipes up to PIPE_BUF bytes are never torn. */
static bool is_atomic_write(struct file *file, const struct iovec_abi *iov, long nr)
{
	size_t total = 0;

	if (nr < 2 || !S_ISFIFO(file->f_inode->i_mode) || !file->f_op->write_kernel)
		return false;
	for (long i = 0; i < nr; i++)
		total += iov[i].len;
	return total <= PIPE_BUF;
}

/* Writes all pieces, at most PIPE_BUF bytes, at once; up to the first byte that cannot be read. */
static ssize_t write_gathered(struct file *file, const struct iovec_abi *iov, long nr, u64 *pos)
{
	char *buf = kmalloc(PIPE_BUF, GFP_KERNEL);
	size_t n = 0, left = 0;
	ssize_t ret = -EFAULT;

	if (!buf)
		return -ENOMEM;
	for (long i = 0; i < nr && !left; i++) {
		left = copy_from_user(buf + n, iov[i].base, iov[i].len);
		n += iov[i].len - left;
	}
	if (n || !left)
		ret = file->f_op->write_kernel(file, buf, n, pos);
	kfree(buf);
	return ret;
}

static ssize_t do_vector(struct file *file, const struct iovec_abi *iov, long nr, u64 *pos,
			 bool write)
{
	ssize_t done = 0, n = 0;

	if (!(file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	if (write && is_atomic_write(file, iov, nr))
		return write_gathered(file, iov, nr, pos);
	for (long i = 0; i < nr; i++) {
		if (done > 0 && (iov[i].len == 0 || would_sleep(file, write)))
			continue;
		n = write ? file_write(file, iov[i].base, iov[i].len, pos) :
			    file_read(file, iov[i].base, iov[i].len, pos);
		if (n > 0)
			done += n;
		if (n != (ssize_t)iov[i].len)
			break;
	}
	return done > 0 ? done : n;
}

static long sys_vector(int fdnum, const struct iovec_abi *uiov, long nr, bool write)
{
	struct iovec_abi stack[STACK_IOV], *iov;
	struct fd fd = fd_begin(fdnum);
	ssize_t ret;

	if (!fd.file)
		return -EBADF;
	ret = copy_iov(uiov, nr, stack, &iov);
	if (ret)
		goto out;
	/* A stream has no offset, and others must not wait behind who sleeps for its bytes. */
	if (!(fd.file->f_mode & FMODE_STREAM))
		mutex_lock(&fd.file->f_pos_lock);
	ret = do_vector(fd.file, iov, nr, &fd.file->f_pos, write);
	if (!(fd.file->f_mode & FMODE_STREAM))
		mutex_unlock(&fd.file->f_pos_lock);
	if (iov != stack)
		kfree(iov);
out:
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE3(readv, int, fdnum, const struct iovec_abi *, uiov, long, nr)
{
	return sys_vector(fdnum, uiov, nr, false);
}

SYSCALL_DEFINE3(writev, int, fdnum, const struct iovec_abi *, uiov, long, nr)
{
	return sys_vector(fdnum, uiov, nr, true);
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
	s64 ret;

	if (!file)
		return -EBADF;
	mutex_lock(&file->f_pos_lock);
	ret = file->f_op->llseek ? file->f_op->llseek(file, offset, whence) :
				   generic_llseek(file, offset, whence);
	mutex_unlock(&file->f_pos_lock);
	fd_end(fd);
	return ret;
}

/* ---- ready-made operations ---- */

ssize_t generic_file_read(struct file *file, void *ubuf, size_t len, u64 *pos)
{
	ssize_t n = filemap_read(file->f_mapping, ubuf, len, *pos);

	if (likely(n > 0)) {
		*pos += n;
		touch_atime(file);
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
	return filemap_read_kernel(file->f_mapping, buf, len, pos);
}

/* ---- sendfile ---- */

/* One page's worth of @in at *pos to @out; bytes, 0 at the end of file, or -errno. */
static ssize_t send_piece(struct file *out, struct file *in, u64 *pos, size_t len)
{
	struct address_space *as = in->f_mapping;
	unsigned offset = *pos & (PAGE_SIZE - 1);
	u64 size = READ_ONCE(as->size);
	struct page *page;
	ssize_t n;

	if (*pos >= size)
		return 0;
	len = min((u64)min(len, (size_t)PAGE_SIZE - offset), size - *pos);
	page = read_mapping_page(as, *pos >> PAGE_SHIFT);
	if (IS_ERR(page))
		return PTR_ERR(page);
	n = out->f_op->write_kernel(out, (char *)page_address(page) + offset, len, &out->f_pos);
	page_put(page);
	if (n > 0)
		*pos += n;
	return n;
}

/* -EINVAL for pairs of files that cannot be joined so: callers fall back on read and write. */
static ssize_t do_sendfile(struct file *out, struct file *in, u64 *pos, size_t len)
{
	ssize_t done = 0, n = 0;

	if (!(in->f_mode & FMODE_READ) || !(out->f_mode & FMODE_WRITE))
		return -EBADF;
	if (!in->f_mapping || !out->f_op->write_kernel || (out->f_flags & O_APPEND))
		return -EINVAL;
	len = min(len, MAX_RW_COUNT);
	while ((size_t)done < len) {
		n = send_piece(out, in, pos, len - done);
		if (n <= 0)
			break;
		done += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done > 0 ? done : n;
}

/* As do_sendfile() from @in's own offset, which nobody else moves meanwhile. */
static ssize_t sendfile_at_pos(struct file *out, struct file *in, size_t len)
{
	ssize_t ret;

	mutex_lock(&in->f_pos_lock);
	ret = do_sendfile(out, in, &in->f_pos, len);
	mutex_unlock(&in->f_pos_lock);
	return ret;
}

SYSCALL_DEFINE4(sendfile, int, outnum, int, innum, s64 *, uoffset, size_t, len)
{
	struct fd out, in = fd_begin(innum);
	ssize_t ret = -EBADF;
	s64 pos;
	u64 at;

	if (!in.file)
		return -EBADF;
	out = fd_begin(outnum);
	if (!out.file)
		goto put_in;
	if (!uoffset) {
		ret = sendfile_at_pos(out.file, in.file, len);
		goto put_out;
	}
	ret = -EFAULT;
	if (get_user(pos, uoffset))
		goto put_out;
	ret = -EINVAL;
	if (pos < 0)
		goto put_out;
	at = pos;
	ret = do_sendfile(out.file, in.file, &at, len);
	if (put_user((s64)at, uoffset))
		ret = -EFAULT;
put_out:
	fd_end(out);
put_in:
	fd_end(in);
	return ret;
}
