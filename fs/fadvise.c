/*
 * fadvise.c - posix_fadvise(2) and readahead(2): what a program knows of how it will read a file.
 *
 *	NORMAL, RANDOM, SEQUENTIAL	of the open file, whatever the range (mm/readahead.c)
 *	WILLNEED, readahead(2)		starts reading the range, and does not wait
 *	DONTNEED			starts writing what is dirty of it, drops clean pages
 *					that nobody maps; whole ones only
 *	NOREUSE				nothing: pages that are used once go first anyway
 *
 * Files that have no disk behind them take all advice and do nothing. Advice is free to be wrong:
 * no byte that is read depends on it.
 *
 * Locks: none.
 * Source: posix_fadvise(2), readahead(2).
 */
#include "fs/internal.h"
#include "kernel/syscall.h"

enum {
	POSIX_FADV_NORMAL,
	POSIX_FADV_RANDOM,
	POSIX_FADV_SEQUENTIAL,
	POSIX_FADV_WILLNEED,
	POSIX_FADV_DONTNEED,
	POSIX_FADV_NOREUSE,
};

/* Bytes [start, last] of a file, the whole pages among them for DONTNEED. */
static void drop_pages(struct address_space *as, u64 start, u64 last)
{
	unsigned long first = DIV_ROUND_UP(start, PAGE_SIZE), end = (last + 1) >> PAGE_SHIFT;

	/* The last page of the file is whole, wherever in it the file ends. */
	if (last >= READ_ONCE(as->size) - 1)
		end = DIV_ROUND_UP(READ_ONCE(as->size), PAGE_SIZE);
	filemap_start_write(as, start >> PAGE_SHIFT, last >> PAGE_SHIFT);
	if (first < end)
		filemap_drop_clean(as, first, end - 1);
}

/* Takes advice on bytes [start, last] of @file. 0 or -EINVAL. */
static int advise(struct file *file, u64 start, u64 last, int advice)
{
	static const u8 habits[] = {
		[POSIX_FADV_NORMAL] = READAHEAD_NORMAL,
		[POSIX_FADV_RANDOM] = READAHEAD_RANDOM,
		[POSIX_FADV_SEQUENTIAL] = READAHEAD_SEQUENTIAL,
	};
	struct address_space *as = file->f_mapping;
	unsigned long first = start >> PAGE_SHIFT;

	if (advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE)
		return -EINVAL;
	if (!as || as->ops->no_backing)
		return 0;
	if (advice <= POSIX_FADV_SEQUENTIAL)
		WRITE_ONCE(file->f_ra.advice, habits[advice]);
	else if (advice == POSIX_FADV_WILLNEED)
		filemap_read_ahead(as, first, (last >> PAGE_SHIFT) - first + 1);
	else if (advice == POSIX_FADV_DONTNEED && READ_ONCE(as->size) > 0)
		drop_pages(as, start, last);
	return 0;
}

/* The last byte of @len at @offset, 0 bytes being all that follow. */
static u64 last_byte(s64 offset, s64 len)
{
	s64 end;

	if (len == 0 || __builtin_add_overflow(offset, len, &end) || end <= 0)
		return INT64_MAX;
	return end - 1;
}

SYSCALL_DEFINE4(fadvise64, int, fdnum, s64, offset, s64, len, int, advice)
{
	struct fd fd = fd_begin(fdnum);
	int ret = -ESPIPE;

	if (!fd.file)
		return -EBADF;
	if (S_ISFIFO(fd.file->f_inode->i_mode))
		goto out;
	ret = -EINVAL;
	if (len < 0)
		goto out;
	ret = advise(fd.file, max(offset, (s64)0), last_byte(offset, len), advice);
out:
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE3(readahead, int, fdnum, s64, offset, size_t, count)
{
	struct fd fd = fd_begin(fdnum);
	int ret = -EBADF;

	if (!fd.file)
		return ret;
	if (!(fd.file->f_mode & FMODE_READ))
		goto out;
	ret = -EINVAL;
	if ((s64)count < 0 ||
	    !(S_ISREG(fd.file->f_inode->i_mode) || S_ISBLK(fd.file->f_inode->i_mode)))
		goto out;
	ret = advise(fd.file, max(offset, (s64)0), last_byte(offset, count), POSIX_FADV_WILLNEED);
out:
	fd_end(fd);
	return ret;
}
