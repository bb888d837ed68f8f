/*
 * file_write.c - write() for files that are cached by pages, on a disk or not; and the times that
 * reads and writes leave behind.
 *
 *	limits -> inode lock -> O_APPEND's offset -> page cache (mm/filerw.c) -> times -> unlock ->
 *	O_SYNC: the disk
 *
 * Locks: the inode's, outside mmap_lock: the user's buffer is read under it.
 */
#include "fs/internal.h"
#include "fs/tmpfs.h"
#include "kernel/signal.h"
#include "kernel/task.h"

/* How much of @len bytes at @pos may be written: a count, or -EFBIG (and SIGXFSZ for the limit). */
static ssize_t allowed_length(const struct inode *inode, u64 pos, size_t len)
{
	u64 limit = S_ISREG(inode->i_mode) ? current->rlim[RLIMIT_FSIZE].cur : ~0UL;

	if (pos >= limit) {
		signal_self(SIGXFSZ);
		return -EFBIG;
	}
	if (pos >= inode->i_sb->s_maxbytes)
		return -EFBIG;
	return min((u64)len, min(limit, inode->i_sb->s_maxbytes) - pos);
}

int inode_check_size(const struct inode *inode, u64 size)
{
	if (size <= READ_ONCE(inode->i_data.size))
		return 0;
	if (size > current->rlim[RLIMIT_FSIZE].cur) {
		signal_self(SIGXFSZ);
		return -EFBIG;
	}
	return size > inode->i_sb->s_maxbytes ? -EFBIG : 0;
}

/* @write: filemap_write() or its twin for kernel memory. */
static ssize_t locked_write(struct file *file, const void *buf, size_t len, u64 *pos,
			    filemap_write_fn write)
{
	struct inode *inode = file->f_inode;
	u64 old_size;
	ssize_t n;

	if (len == 0)
		return 0;
	mutex_lock(&inode->lock);
	old_size = inode->i_data.size;
	if (READ_ONCE(file->f_flags) & O_APPEND)
		*pos = old_size;
	n = allowed_length(inode, *pos, len);
	if (n > 0 && unlikely(inode->i_seals)) {
		int err = seals_allow_write(inode, *pos, n);

		n = err ? err : n;
	}
	if (n > 0)
		n = write(&inode->i_data, buf, n, *pos);
	if (n > 0) {
		*pos += n;
		inode->i_mtime = inode->i_ctime = fs_now();
		inode_mark_dirty(inode,
				 inode->i_data.size != old_size ? I_DIRTY_ATTR : I_DIRTY_TIME);
	}
	mutex_unlock(&inode->lock);
	return n;
}

ssize_t sync_written(struct file *file, ssize_t n)
{
	unsigned flags = READ_ONCE(file->f_flags);
	int err = 0;

	if (likely(n <= 0 || !(flags & O_DSYNC)))
		return n;
	err = vfs_fsync(file, (flags & O_SYNC) != O_SYNC);
	return err ? err : n;
}

ssize_t generic_file_write(struct file *file, const void *ubuf, size_t len, u64 *pos)
{
	return sync_written(file, locked_write(file, ubuf, len, pos, filemap_write));
}

ssize_t generic_file_write_kernel(struct file *file, const void *buf, size_t len, u64 *pos)
{
	return sync_written(file, locked_write(file, buf, len, pos, filemap_write_kernel));
}

void mapping_written(struct address_space *as)
{
	struct inode *inode = as->host;

	if (!inode) /* a disk's */
		return;
	inode->i_mtime = inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_TIME);
}

static bool is_at_or_before(const struct timespec64 *a, const struct timespec64 *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec <= b->tv_nsec);
}

#define DAY_SECONDS (24 * 60 * 60)

void touch_atime(struct file *file, u64 pos)
{
	struct inode *inode = file->f_inode;
	bool is_read = !is_at_or_before(&inode->i_atime, &inode->i_mtime) &&
		       !is_at_or_before(&inode->i_atime, &inode->i_ctime);
	struct timespec64 now;

	/*
	 * Only the first read after a change, and one a day, when it begins at the start: who asks
	 * "was this read?" is content.
	 */
	if (likely(is_read && pos > 0))
		return;
	if ((inode->i_sb->s_flags & (SB_RDONLY | SB_NOCACHE)) || (file->f_flags & O_NOATIME))
		return;
	now = fs_now();
	if (is_read && inode->i_atime.tv_sec + DAY_SECONDS > now.tv_sec)
		return;
	inode->i_atime = now;
	inode_mark_dirty(inode, I_DIRTY_TIME);
}
