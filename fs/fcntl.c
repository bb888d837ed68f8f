/*
 * fcntl.c - what is asked of a descriptor or an open file: dup, fcntl, ioctl.
 *
 * Locks: those of fs/file.c. f_flags is changed without one: the last writer wins, as on Linux.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/locks.h"
#include "fs/tmpfs.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

/* The flags that F_SETFL may change; as on Linux it ignores all others, but for O_DIRECT. */
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_NOATIME)

static long dup_from(struct file *file, int from, bool cloexec)
{
	int fd = fd_alloc(from, cloexec);

	if (fd >= 0)
		fd_install(fd, file_get(file));
	return fd;
}

SYSCALL_DEFINE1(dup, int, old)
{
	struct fd fd = fd_begin_any(old);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = dup_from(fd.file, 0, false);
	fd_end(fd);
	return ret == -EINVAL ? -EMFILE : ret;
}

SYSCALL_DEFINE3(dup3, int, old, int, new, unsigned, flags)
{
	struct fd fd;
	long ret;

	if ((flags & ~O_CLOEXEC) || old == new)
		return -EINVAL;
	fd = fd_begin_any(old);
	if (!fd.file)
		return -EBADF;
	ret = fd_replace(new, fd.file, flags & O_CLOEXEC);
	fd_end(fd);
	return ret;
}

static long set_flags(struct file *file, unsigned flags)
{
	if (flags & O_DIRECT)
		return -EINVAL;
	WRITE_ONCE(file->f_flags, (file->f_flags & ~SETFL_MASK) | (flags & SETFL_MASK));
	return 0;
}

/* Does @cmd ask about the descriptor, not about an open file behind it? */
static bool path_only(unsigned cmd)
{
	return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD ||
	       cmd == F_GETFL;
}

SYSCALL_DEFINE3(fcntl, int, fdnum, unsigned, cmd, unsigned long, arg)
{
	struct fd fd = path_only(cmd) ? fd_begin_any(fdnum) : fd_begin(fdnum);
	long ret = -EINVAL;

	if (!fd.file)
		return -EBADF;
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		if (arg <= INT_MAX)
			ret = dup_from(fd.file, arg, cmd == F_DUPFD_CLOEXEC);
		break;
	case F_GETFD:
		ret = fd_get_cloexec(fdnum);
		break;
	case F_SETFD:
		ret = fd_set_cloexec(fdnum, arg & FD_CLOEXEC);
		break;
	case F_GETFL:
		ret = fd.file->f_flags | O_LARGEFILE;
		break;
	case F_SETFL:
		ret = set_flags(fd.file, arg);
		break;
	case F_GETPIPE_SZ:
		ret = pipe_get_size(fd.file);
		break;
	case F_SETPIPE_SZ:
		ret = pipe_set_size(fd.file, arg);
		break;
	case F_ADD_SEALS:
		ret = arg >> 32 ? -EINVAL : file_add_seals(fd.file, arg);
		break;
	case F_GET_SEALS:
		ret = file_get_seals(fd.file);
		break;
	default:
		ret = fcntl_lock(fdnum, fd, cmd, arg);
	}
	fd_end(fd);
	return ret;
}

static long set_nonblock(struct file *file, const int *uarg)
{
	int on;

	if (get_user(on, uarg))
		return -EFAULT;
	return set_flags(file, on ? file->f_flags | O_NONBLOCK : file->f_flags & ~O_NONBLOCK);
}

/* FIONREAD of a regular file: what is left to read. */
static long bytes_left(struct file *file, int *uarg)
{
	u64 size = READ_ONCE(file->f_inode->i_data.size);

	return put_user((int)(size > file->f_pos ? size - file->f_pos : 0), uarg);
}

SYSCALL_DEFINE3(ioctl, int, fdnum, unsigned, cmd, unsigned long, arg)
{
	struct fd fd = fd_begin(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	if (cmd == FIOCLEX || cmd == FIONCLEX)
		ret = fd_set_cloexec(fdnum, cmd == FIOCLEX);
	else if (cmd == FIONBIO)
		ret = set_nonblock(fd.file, (const int *)arg);
	else if (cmd == FIONREAD && S_ISREG(fd.file->f_inode->i_mode))
		ret = bytes_left(fd.file, (int *)arg);
	else
		ret = fd.file->f_op->ioctl ? fd.file->f_op->ioctl(fd.file, cmd, arg) : -ENOTTY;
	fd_end(fd);
	return ret;
}
