/*
 * iov.c - reads and writes of several pieces of memory: readv, writev and their kin.
 *
 *	readv        at the file's offset       one piece after the other, until one is short
 *	preadv       at the caller's offset
 *	preadv2      either (-1: the file's), with RWF_* flags for this call alone
 *
 * A flag of a call is a flag of the open file in a copy of it, which lives as long as the call: so
 * what reads and writes knows of one set of flags only.
 *
 * Locks: as fs/read_write.c.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "mm/slab.h"

#define MAX_IOV	  1024
#define STACK_IOV 8
#define POS_FILE  (-1L) /* at the offset of the open file */

#define RWF_HIPRI  0x1 /* polling for the disk would be: allowed, and no different */
#define RWF_DSYNC  0x2
#define RWF_SYNC   0x4
#define RWF_NOWAIT 0x8
#define RWF_APPEND 0x10
#define RWF_KNOWN  (RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND)

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

	if (write && is_atomic_write(file, iov, nr))
		return write_gathered(file, iov, nr, pos);
	for (long i = 0; i < nr; i++) {
		if (done > 0 && iov[i].len == 0)
			continue;
		/* Not only this piece is left: a later one must not get the bytes that come now. */
		if (done > 0 && would_sleep(file, write))
			break;
		n = write ? file_write(file, iov[i].base, iov[i].len, pos) :
			    file_read(file, iov[i].base, iov[i].len, pos);
		if (n > 0)
			done += n;
		if (n != (ssize_t)iov[i].len)
			break;
	}
	return done > 0 ? done : n;
}

/* @file with the flags of this call, in @copy if there are any; ERR_PTR(-EOPNOTSUPP). */
static struct file *with_flags(struct file *file, unsigned flags, struct file *copy)
{
	if (!(flags & ~RWF_HIPRI))
		return file;
	/* Who reads the page cache cannot promise not to wait. */
	if ((flags & ~RWF_KNOWN) || ((flags & RWF_NOWAIT) && !S_ISFIFO(file->f_inode->i_mode)))
		return ERR_PTR(-EOPNOTSUPP);
	*copy = *file;
	copy->f_flags |=
		(flags & RWF_APPEND ? O_APPEND : 0) | (flags & RWF_NOWAIT ? O_NONBLOCK : 0);
	return copy;
}

/*
 * RWF_SYNC and RWF_DSYNC: @n bytes were written, and are on the disk before the call returns. By
 * the open file itself, which must know which errors it has told.
 */
static ssize_t sync_vector(struct file *file, ssize_t n, unsigned flags)
{
	int err;

	if (n <= 0 || !(flags & (RWF_DSYNC | RWF_SYNC)) || !S_ISREG(file->f_inode->i_mode))
		return n;
	err = vfs_fsync(file, !(flags & RWF_SYNC));
	return err ? err : n;
}

static ssize_t vector_of_fd(struct fd fd, const struct iovec_abi *iov, long nr, s64 pos, bool write,
			    unsigned flags)
{
	struct file copy, *file = with_flags(fd.file, flags, &copy);
	bool locked;
	ssize_t ret;
	u64 at = pos;

	if (IS_ERR(file))
		return PTR_ERR(file);
	if (pos != POS_FILE) {
		ret = do_vector(file, iov, nr, &at, write);
	} else {
		locked = pos_begin(fd);
		ret = do_vector(file, iov, nr, &fd.file->f_pos, write);
		pos_end(fd, locked);
	}
	return write ? sync_vector(fd.file, ret, flags) : ret;
}

static long sys_vector(int fdnum, const struct iovec_abi *uiov, long nr, s64 pos, bool write,
		       unsigned flags)
{
	struct iovec_abi stack[STACK_IOV], *iov;
	struct fd fd;
	ssize_t ret;

	if (pos < POS_FILE)
		return -EINVAL;
	fd = fd_begin(fdnum);
	if (!fd.file)
		return -EBADF;
	ret = -ESPIPE;
	if (pos != POS_FILE && (fd.file->f_mode & FMODE_STREAM))
		goto out;
	ret = -EBADF;
	if (!(fd.file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		goto out;
	ret = copy_iov(uiov, nr, stack, &iov);
	if (ret)
		goto out;
	ret = vector_of_fd(fd, iov, nr, pos, write, flags);
	if (iov != stack)
		kfree(iov);
out:
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE3(readv, int, fd, const struct iovec_abi *, uiov, long, nr)
{
	return sys_vector(fd, uiov, nr, POS_FILE, false, 0);
}

SYSCALL_DEFINE3(writev, int, fd, const struct iovec_abi *, uiov, long, nr)
{
	return sys_vector(fd, uiov, nr, POS_FILE, true, 0);
}

SYSCALL_DEFINE4(preadv, int, fd, const struct iovec_abi *, uiov, long, nr, s64, pos)
{
	return pos < 0 ? -EINVAL : sys_vector(fd, uiov, nr, pos, false, 0);
}

SYSCALL_DEFINE4(pwritev, int, fd, const struct iovec_abi *, uiov, long, nr, s64, pos)
{
	return pos < 0 ? -EINVAL : sys_vector(fd, uiov, nr, pos, true, 0);
}

/* The fifth argument is the upper half of the offset, for machines that need one. */
SYSCALL_DEFINE6(preadv2, int, fd, const struct iovec_abi *, uiov, long, nr, s64, pos, long,
		high __maybe_unused, unsigned, flags)
{
	return sys_vector(fd, uiov, nr, pos, false, flags);
}

SYSCALL_DEFINE6(pwritev2, int, fd, const struct iovec_abi *, uiov, long, nr, s64, pos, long,
		high __maybe_unused, unsigned, flags)
{
	return sys_vector(fd, uiov, nr, pos, true, flags);
}
