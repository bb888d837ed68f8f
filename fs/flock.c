/*
 * flock.c - the system calls about locks: fcntl(F_SETLK and kin) and flock(2).
 *
 *	fcntl F_SETLK      owner: the table of descriptors    gone with any close of the file by it
 *	fcntl F_OFD_SETLK  owner: the open file               gone with the open file
 *	flock              owner: the open file               gone with the open file
 *
 * What they do is in fs/locks.c; here requests are read and checked. No locks of its own.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/locks.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/string.h"

/* ---- fcntl ---- */

/* The bytes that @user means, from where it says, into @lock. -EINVAL, -EOVERFLOW. */
static int get_range(struct file *file, const struct flock_abi *user, struct file_lock *lock)
{
	s64 start, end = LONG_MAX;

	switch (user->l_whence) {
	case SEEK_SET:
		start = 0;
		break;
	case SEEK_CUR:
		start = READ_ONCE(file->f_pos);
		break;
	case SEEK_END:
		start = READ_ONCE(file->f_inode->i_data.size);
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(start, user->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (user->l_len > 0 && __builtin_add_overflow(start, user->l_len - 1, &end))
		return -EOVERFLOW;
	if (user->l_len < 0) {
		end = start - 1;
		if (__builtin_add_overflow(start, user->l_len, &start) || start < 0)
			return -EINVAL;
	}
	lock->start = start;
	lock->end = end;
	return 0;
}

/* A request of @cmd's kind on @file, without the range. */
static struct file_lock new_request(struct file *file, enum lock_kind kind, int type)
{
	return (struct file_lock){
		.inode = file->f_inode,
		.owner = kind == LOCK_POSIX ? (void *)current->files : (void *)file,
		.pid = kind == LOCK_OFD ? -1 : current->pid,
		.kind = kind,
		.type = type,
		.end = LOCK_MAX_OFFSET,
	};
}

static long get_lock(struct flock_abi *user, struct file_lock *lock)
{
	if (lock->type == F_UNLCK)
		return -EINVAL;
	locks_test(lock);
	user->l_type = lock->type;
	if (lock->type == F_UNLCK)
		return 0;
	user->l_whence = SEEK_SET;
	user->l_start = lock->start;
	user->l_len = lock->end == LOCK_MAX_OFFSET ? 0 : lock->end - lock->start + 1;
	user->l_pid = lock->pid;
	return 0;
}

/*
 * A close by another user of the table may have come before the lock, and found nothing to remove:
 * then it is removed here.
 */
static int recheck(int fdnum, struct fd fd, const struct file_lock *lock)
{
	struct file *now;

	if (!fd.put || lock->type == F_UNLCK || lock->kind != LOCK_POSIX)
		return 0;
	now = files_get_file(current->files, fdnum);
	if (now)
		file_put(now);
	if (now == fd.file)
		return 0;
	locks_remove(fd.file->f_inode, current->files);
	return -EBADF;
}

static long set_lock(int fdnum, struct fd fd, const struct file_lock *lock, bool wait)
{
	unsigned mode = lock->type == F_RDLCK ? FMODE_READ : FMODE_WRITE;
	int err;

	if (lock->type != F_UNLCK && !(fd.file->f_mode & mode))
		return -EBADF;
	err = locks_set(lock, wait);
	return err ? err : recheck(fdnum, fd, lock);
}

long fcntl_lock(int fdnum, struct fd fd, unsigned cmd, unsigned long arg)
{
	bool ofd = cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW;
	struct flock_abi user;
	struct file_lock lock;
	long ret;

	if (!ofd && (cmd < F_GETLK || cmd > F_SETLKW))
		return -EINVAL;
	if (copy_from_user(&user, (const void *)arg, sizeof(user)))
		return -EFAULT;
	if (user.l_type < F_RDLCK || user.l_type > F_UNLCK || (ofd && user.l_pid))
		return -EINVAL;
	lock = new_request(fd.file, ofd ? LOCK_OFD : LOCK_POSIX, user.l_type);
	ret = get_range(fd.file, &user, &lock);
	if (ret)
		return ret;
	if (cmd != F_GETLK && cmd != F_OFD_GETLK)
		return set_lock(fdnum, fd, &lock, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
	ret = get_lock(&user, &lock);
	if (!ret && copy_to_user((void *)arg, &user, sizeof(user)))
		ret = -EFAULT;
	return ret;
}

/* ---- flock ---- */

#define LOCK_SH 1
#define LOCK_EX 2
#define LOCK_NB 4
#define LOCK_UN 8

SYSCALL_DEFINE2(flock, int, fdnum, unsigned, op)
{
	struct file_lock lock;
	struct fd fd;
	long ret;
	int type;

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
		type = F_RDLCK;
		break;
	case LOCK_EX:
		type = F_WRLCK;
		break;
	case LOCK_UN:
		type = F_UNLCK;
		break;
	default:
		return -EINVAL;
	}
	fd = fd_begin(fdnum);
	if (!fd.file)
		return -EBADF;
	lock = new_request(fd.file, LOCK_FLOCK, type);
	ret = locks_set(&lock, !(op & LOCK_NB));
	fd_end(fd);
	return ret;
}
