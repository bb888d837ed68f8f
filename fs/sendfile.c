/*
 * sendfile.c - from file to file without a way through user memory: sendfile, copy_file_range.
 *
 *	pages of in --f_op->write_kernel--> out: another file's pages, a pipe, a terminal
 *
 * Locks: the f_pos_lock of each file whose own offset is used, but not while a stream may make us
 * wait; of two, the one at the lower address first. Pages of the source are referenced, not locked.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

/* One end of a transfer. */
struct end {
	struct file *file;
	u64 pos;
	s64 *upos; /* where the user keeps the offset; NULL: the open file's own */
};

/* One page's worth of @in to @out; bytes, 0 at the end of file, or -errno. */
static ssize_t send_piece(struct end *out, struct end *in, size_t len)
{
	struct address_space *as = in->file->f_mapping;
	unsigned offset = in->pos & (PAGE_SIZE - 1);
	u64 size = READ_ONCE(as->size);
	struct page *page;
	size_t wanted;
	ssize_t n;

	if (in->pos >= size)
		return 0;
	wanted = min((u64)len, size - in->pos);
	len = min(wanted, (size_t)PAGE_SIZE - offset);
	page = filemap_get_page(as, &in->file->f_ra, in->pos, wanted);
	if (IS_ERR(page))
		return PTR_ERR(page);
	n = out->file->f_op->write_kernel(out->file, (char *)page_address(page) + offset, len,
					  &out->pos);
	page_put(page);
	if (n > 0)
		in->pos += n;
	return n;
}

/* Bytes, or -errno when there were none. -EINVAL: callers fall back on read and write. */
static ssize_t send(struct end *out, struct end *in, size_t len)
{
	ssize_t done = 0, n = 0;

	if (!in->file->f_mapping || !out->file->f_op->write_kernel)
		return -EINVAL;
	inode_drop_setid(out->file->f_inode);
	len = min(len, MAX_RW_COUNT);
	while ((size_t)done < len) {
		n = send_piece(out, in, len - done);
		if (n <= 0)
			break;
		done += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done > 0 ? done : n;
}

/* ---- offsets ---- */

static int get_pos(struct end *end)
{
	s64 pos;

	if (!end->upos)
		return 0;
	if (end->file->f_mode & FMODE_STREAM)
		return -ESPIPE;
	if (get_user(pos, end->upos))
		return -EFAULT;
	end->pos = pos;
	return pos < 0 ? -EINVAL : 0;
}

static bool uses_own_pos(const struct end *end)
{
	return !end->upos && !(end->file->f_mode & FMODE_STREAM);
}

/* Locks, or unlocks, the offsets that the ends use, and takes or gives back their values. */
static void lock_ends(struct end *a, struct end *b)
{
	struct end *first = a->file < b->file ? a : b, *last = first == a ? b : a;

	if (uses_own_pos(first)) {
		mutex_lock(&first->file->f_pos_lock);
		first->pos = first->file->f_pos;
	}
	if (uses_own_pos(last)) {
		if (last->file != first->file || !uses_own_pos(first))
			mutex_lock_nested(&last->file->f_pos_lock, 1); /* by address */
		last->pos = last->file->f_pos;
	}
}

static void unlock_ends(struct end *a, struct end *b)
{
	if (uses_own_pos(a))
		a->file->f_pos = a->pos;
	if (uses_own_pos(b)) {
		b->file->f_pos = b->pos;
		mutex_unlock(&b->file->f_pos_lock);
	}
	if (uses_own_pos(a) && (a->file != b->file || !uses_own_pos(b)))
		mutex_unlock(&a->file->f_pos_lock);
}

static int put_pos(const struct end *end)
{
	return end->upos && put_user((s64)end->pos, end->upos) ? -EFAULT : 0;
}

/* ---- the calls ---- */

/*
 * As send(), to a stream. It may wait for whoever reads there, who may share @in: so the offset of
 * @in is taken before and put back after, and not kept locked between.
 */
static ssize_t send_to_stream(struct end *out, struct end *in, size_t len)
{
	u64 pos;
	ssize_t ret;

	lock_ends(out, in);
	unlock_ends(out, in);
	ret = send(out, in, len);
	pos = in->pos;
	lock_ends(out, in);
	in->pos = pos;
	unlock_ends(out, in);
	return ret;
}

/* May @in be read and @out be written? */
static int check_modes(const struct end *out, const struct end *in)
{
	return (in->file->f_mode & FMODE_READ) && (out->file->f_mode & FMODE_WRITE) ? 0 : -EBADF;
}

static ssize_t do_sendfile(struct end *out, struct end *in, size_t len)
{
	ssize_t ret = check_modes(out, in);

	if (!ret)
		ret = get_pos(in);
	if (!ret && (out->file->f_flags & O_APPEND))
		ret = -EINVAL;
	if (ret)
		return ret;
	if (out->file->f_mode & FMODE_STREAM) {
		ret = send_to_stream(out, in, len);
	} else {
		lock_ends(out, in);
		ret = send(out, in, len);
		unlock_ends(out, in);
	}
	return put_pos(in) ? -EFAULT : ret;
}

static int check_copy(const struct end *out, const struct end *in)
{
	const struct inode *from = in->file->f_inode, *to = out->file->f_inode;

	if (S_ISDIR(from->i_mode) || S_ISDIR(to->i_mode))
		return -EISDIR;
	if (!S_ISREG(from->i_mode) || !S_ISREG(to->i_mode))
		return -EINVAL;
	if (check_modes(out, in) || (out->file->f_flags & O_APPEND))
		return -EBADF;
	return from->i_sb == to->i_sb ? 0 : -EXDEV;
}

static ssize_t do_copy(struct end *out, struct end *in, size_t len)
{
	ssize_t ret = check_copy(out, in);
	u64 size, end;

	if (!ret)
		ret = get_pos(in);
	if (!ret)
		ret = get_pos(out);
	if (ret)
		return ret;
	lock_ends(out, in);
	ret = -EOVERFLOW;
	if (__builtin_add_overflow(in->pos, len, &end) ||
	    __builtin_add_overflow(out->pos, len, &end))
		goto out;
	/* Who wants all that is left asks for as much as a number can say. */
	size = READ_ONCE(in->file->f_inode->i_data.size);
	len = min((u64)len, size - min(in->pos, size));
	ret = -EINVAL;
	if (in->file->f_inode == out->file->f_inode && in->pos < out->pos + len &&
	    out->pos < in->pos + len)
		goto out;
	ret = len ? send(out, in, len) : 0;
out:
	unlock_ends(out, in);
	return put_pos(in) || put_pos(out) ? -EFAULT : ret;
}

SYSCALL_DEFINE4(sendfile, int, outnum, int, innum, s64 *, upos, size_t, len)
{
	struct fd fin = fd_begin(innum), fout = fd_begin(outnum);
	struct end in = { .file = fin.file, .upos = upos }, out = { .file = fout.file };
	ssize_t ret = in.file && out.file ? do_sendfile(&out, &in, len) : -EBADF;

	fd_end(fout);
	fd_end(fin);
	return ret;
}

SYSCALL_DEFINE6(copy_file_range, int, innum, s64 *, upos_in, int, outnum, s64 *, upos_out, size_t,
		len, unsigned, flags)
{
	struct fd fin, fout;
	struct end in, out;
	ssize_t ret;

	if (flags)
		return -EINVAL;
	fin = fd_begin(innum);
	fout = fd_begin(outnum);
	in = (struct end){ .file = fin.file, .upos = upos_in };
	out = (struct end){ .file = fout.file, .upos = upos_out };
	ret = in.file && out.file ? do_copy(&out, &in, len) : -EBADF;
	fd_end(fout);
	fd_end(fin);
	return ret;
}
