/*
 * pipe.c - pipes: a ring of bytes between two open files.
 *
 *	rpos                    rpos + used
 *	 v                       v
 *	[page][page][page][page][page][ - ] ... 16 slots; byte p is in slot p / 4096 % 16
 *	 ^ freed when the reader leaves it ^ made when the writer enters it
 *
 *	A pipe that runs empty goes back to the start of the page it is in and keeps that
 *	page: short messages never allocate.
 *
 * Invariants: used <= PIPE_SIZE; every slot with bytes in it has a page; readers and writers
 * count the open files of each end; a reader waits only for used > 0, a writer only for used <=
 * PIPE_SIZE minus the smaller of what it still has and PIPE_BUF. So the wake-ups are: readers
 * when the pipe was empty, writers when the room passes PIPE_BUF, and both when the other end
 * closes.
 * Locks: the inode's mutex guards all; user memory is touched under it. Waiters read used,
 * readers and writers without it, and look again under it.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/panic.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"

#define PIPE_MAGIC 0x50495045

struct pipe {
	struct inode inode;
	unsigned rpos, used; /* bytes; rpos counts on through all slots */
	unsigned readers, writers;
	char *slot[PIPE_PAGES];
	struct wait_queue rd_wait, wr_wait;
};

static struct kmem_cache *pipe_cache;

/* ---- bytes in and out; the pipe is locked ---- */

static inline unsigned pipe_room(const struct pipe *pipe)
{
	return PIPE_SIZE - READ_ONCE(pipe->used);
}

static inline char **pipe_slot(struct pipe *pipe, unsigned pos)
{
	return &pipe->slot[pos / PAGE_SIZE % PIPE_PAGES];
}

static void free_slot(char **slot)
{
	if (*slot)
		free_pages(virt_to_page(*slot), 0);
	*slot = NULL;
}

/*
 * Puts in up to @n bytes, which there is room for, but at most to the end of a page. Bytes done,
 * -ENOMEM, or -EFAULT when the first byte could not be read.
 */
static ssize_t put_piece(struct pipe *pipe, const void *src, size_t n, bool user)
{
	unsigned pos = pipe->rpos + pipe->used, offset = offset_in_page(pos);
	char **slot = pipe_slot(pipe, pos);

	n = min(n, (size_t)PAGE_SIZE - offset);
	if (unlikely(!*slot)) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return -ENOMEM;
		*slot = page_address(page);
	}
	if (user)
		n -= copy_from_user(*slot + offset, src, n);
	else
		memcpy(*slot + offset, src, n);
	WRITE_ONCE(pipe->used, pipe->used + n);
	return n ? (ssize_t)n : -EFAULT;
}

/* Takes out up to @n bytes, but at most to the end of a page. Bytes done, or -EFAULT. */
static ssize_t take_piece(struct pipe *pipe, void *ubuf, size_t n)
{
	unsigned offset = offset_in_page(pipe->rpos);
	char **slot = pipe_slot(pipe, pipe->rpos);

	n = min(n, (size_t)min((unsigned)PAGE_SIZE - offset, pipe->used));
	n -= copy_to_user(ubuf, *slot + offset, n);
	if (!n)
		return -EFAULT;
	WRITE_ONCE(pipe->used, pipe->used - n);
	if (!pipe->used) {
		pipe->rpos -= offset;
		return n;
	}
	pipe->rpos += n;
	/* The writer may have come round into the front of the page that the reader leaves. */
	if (offset + n == PAGE_SIZE && pipe->used <= PIPE_SIZE - PAGE_SIZE)
		free_slot(slot);
	return n;
}

/* ---- reading ---- */

static ssize_t take_bytes(struct pipe *pipe, char *ubuf, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < len && pipe->used) {
		n = take_piece(pipe, ubuf + done, len - done);
		if (n < 0)
			break;
		done += n;
	}
	return done ? (ssize_t)done : n;
}

static ssize_t pipe_read(struct file *file, void *ubuf, size_t len, u64 *pos __maybe_unused)
{
	struct pipe *pipe = file->private_data;
	bool tight = false;
	ssize_t ret = 0;

	if (len == 0)
		return 0;
	mutex_lock(&pipe->inode.lock);
	while (!pipe->used && pipe->writers) {
		mutex_unlock(&pipe->inode.lock);
		if (READ_ONCE(file->f_flags) & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&pipe->rd_wait,
					       READ_ONCE(pipe->used) || !READ_ONCE(pipe->writers));
		if (ret)
			return ret;
		mutex_lock(&pipe->inode.lock);
	}
	if (pipe->used) {
		tight = pipe_room(pipe) < PIPE_BUF;
		ret = take_bytes(pipe, ubuf, len);
		tight = tight && pipe_room(pipe) >= PIPE_BUF;
	}
	mutex_unlock(&pipe->inode.lock);
	if (tight)
		wake_up_all(&pipe->wr_wait);
	return ret;
}

/* ---- writing ---- */

/*
 * Puts in what there is room for. Bytes done; 0: a short write that does not fit now, as it must
 * not be torn; or -errno of put_piece().
 */
static ssize_t put_bytes(struct pipe *pipe, const char *src, size_t len, bool whole, bool user)
{
	size_t room = pipe_room(pipe), done = 0;
	ssize_t n = 0;

	if (whole && room < len)
		return 0;
	len = min(len, room);
	while (done < len) {
		n = put_piece(pipe, src + done, len - done, user);
		if (n < 0)
			break;
		done += n;
	}
	return done ? (ssize_t)done : n;
}

/* Sleeps until there is room for the @rest of a write. 0 or -EINTR. The pipe is not locked. */
static int wait_for_room(struct pipe *pipe, size_t rest)
{
	size_t need = min(rest, (size_t)PIPE_BUF);

	return wait_event_interruptible(&pipe->wr_wait,
					pipe_room(pipe) >= need || !READ_ONCE(pipe->readers));
}

static ssize_t do_pipe_write(struct file *file, const char *src, size_t len, bool user)
{
	struct pipe *pipe = file->private_data;
	size_t done = 0;
	ssize_t ret = 0;

	while (done < len) {
		bool was_empty;

		mutex_lock(&pipe->inode.lock);
		was_empty = !pipe->used;
		ret = -EPIPE;
		if (pipe->readers)
			ret = put_bytes(pipe, src + done, len - done, len <= PIPE_BUF && !done,
					user);
		mutex_unlock(&pipe->inode.lock);
		if (ret < 0)
			break;
		if (ret > 0 && was_empty)
			wake_up_all(&pipe->rd_wait);
		done += ret;
		if (done == len)
			break;
		if (ret > 0 && pipe_room(pipe) > 0)
			continue; /* the reader was quick, or memory faulted: the next turn tells */
		ret = -EAGAIN;
		if (!(READ_ONCE(file->f_flags) & O_NONBLOCK))
			ret = wait_for_room(pipe, len - done);
		if (ret)
			break;
	}
	if (ret == -EPIPE)
		send_signal(current, SIGPIPE, NULL);
	return done ? (ssize_t)done : ret;
}

static ssize_t pipe_write(struct file *file, const void *ubuf, size_t len, u64 *pos __maybe_unused)
{
	return do_pipe_write(file, ubuf, len, true);
}

static ssize_t pipe_write_kernel(struct file *file, const void *buf, size_t len,
				 u64 *pos __maybe_unused)
{
	return do_pipe_write(file, buf, len, false);
}

/* ---- the rest of the operations ---- */

static long pipe_ioctl(struct file *file, unsigned cmd, unsigned long arg)
{
	struct pipe *pipe = file->private_data;
	int used = READ_ONCE(pipe->used);

	return cmd == FIONREAD ? put_user(used, (int *)arg) : -ENOTTY;
}

static unsigned pipe_read_poll(struct file *file, struct poll_table *pt)
{
	struct pipe *pipe = file->private_data;
	unsigned mask = 0;

	poll_wait(file, &pipe->rd_wait, pt);
	/* Writers first: what they wrote before they left must be seen. */
	if (!smp_load_acquire(&pipe->writers))
		mask |= POLLHUP;
	if (READ_ONCE(pipe->used))
		mask |= POLLIN | POLLRDNORM;
	return mask;
}

static unsigned pipe_write_poll(struct file *file, struct poll_table *pt)
{
	struct pipe *pipe = file->private_data;
	unsigned mask = 0;

	poll_wait(file, &pipe->wr_wait, pt);
	if (pipe_room(pipe) >= PIPE_BUF)
		mask |= POLLOUT | POLLWRNORM;
	if (!READ_ONCE(pipe->readers))
		mask |= POLLERR;
	return mask;
}

static void pipe_read_release(struct file *file)
{
	struct pipe *pipe = file->private_data;

	mutex_lock(&pipe->inode.lock);
	WRITE_ONCE(pipe->readers, pipe->readers - 1);
	mutex_unlock(&pipe->inode.lock);
	wake_up_all(&pipe->wr_wait);
}

static void pipe_write_release(struct file *file)
{
	struct pipe *pipe = file->private_data;

	mutex_lock(&pipe->inode.lock);
	smp_store_release(&pipe->writers, pipe->writers - 1);
	mutex_unlock(&pipe->inode.lock);
	wake_up_all(&pipe->rd_wait);
}

static const struct file_operations pipe_read_fops = {
	.release = pipe_read_release,
	.read = pipe_read,
	.llseek = no_llseek,
	.ioctl = pipe_ioctl,
	.poll = pipe_read_poll,
};

static const struct file_operations pipe_write_fops = {
	.release = pipe_write_release,
	.write = pipe_write,
	.write_kernel = pipe_write_kernel,
	.llseek = no_llseek,
	.ioctl = pipe_ioctl,
	.poll = pipe_write_poll,
};

/* ---- coming and going ---- */

static struct inode *pipe_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct pipe *pipe = kmem_cache_alloc(pipe_cache, GFP_KERNEL | GFP_ZERO);

	if (!pipe)
		return NULL;
	wait_queue_init(&pipe->rd_wait);
	wait_queue_init(&pipe->wr_wait);
	return &pipe->inode;
}

static void pipe_free_inode(struct inode *inode)
{
	struct pipe *pipe = container_of(inode, struct pipe, inode);

	for (unsigned i = 0; i < PIPE_PAGES; i++)
		free_slot(&pipe->slot[i]);
	kmem_cache_free(pipe_cache, pipe);
}

static const struct super_operations pipe_sops = {
	.alloc_inode = pipe_alloc_inode,
	.free_inode = pipe_free_inode,
};

static const struct inode_operations pipe_iops;
static const struct fs_type pipe_type = { .name = "pipefs" };

/* Never mounted: what an inode must belong to. */
static struct super_block *pipe_sb;

/* An open file for one end of @pipe, with a reference of its own on it; NULL: no memory. */
static struct file *open_end(struct pipe *pipe, const struct file_operations *f_op, int flags)
{
	struct file *file = file_alloc_anon(&pipe->inode, f_op, flags);

	if (!file)
		return NULL;
	inode_get(&pipe->inode);
	file->private_data = pipe;
	if (f_op == &pipe_read_fops)
		pipe->readers++;
	else
		pipe->writers++;
	return file;
}

/* A new pipe's two ends, @flags O_NONBLOCK or 0. 0 or -ENOMEM. */
static int open_pipe(struct file *ends[2], int flags)
{
	struct inode *inode = simple_inode(pipe_sb, 0, S_IFIFO | 0600, &pipe_iops, NULL);
	struct pipe *pipe = container_of(inode, struct pipe, inode);
	int err = -ENOMEM;

	if (!inode)
		return err;
	ends[0] = open_end(pipe, &pipe_read_fops, O_RDONLY | flags);
	if (!ends[0])
		goto out;
	ends[1] = open_end(pipe, &pipe_write_fops, O_WRONLY | flags);
	if (ends[1])
		err = 0;
	else
		file_put(ends[0]);
out:
	inode_put(inode); /* the ends have theirs */
	return err;
}

SYSCALL_DEFINE2(pipe2, int *, ufds, int, flags)
{
	struct file *ends[2];
	int fds[2], err;

	if (flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	err = open_pipe(ends, flags & O_NONBLOCK);
	if (err)
		return err;
	err = fds[0] = fd_alloc(0, flags & O_CLOEXEC);
	if (err < 0)
		goto out_ends;
	err = fds[1] = fd_alloc(0, flags & O_CLOEXEC);
	if (err < 0)
		goto out_first;
	err = -EFAULT;
	if (copy_to_user(ufds, fds, sizeof(fds)))
		goto out_second;
	fd_install(fds[0], ends[0]);
	fd_install(fds[1], ends[1]);
	return 0;
out_second:
	fd_free(fds[1]);
out_first:
	fd_free(fds[0]);
out_ends:
	file_put(ends[0]);
	file_put(ends[1]);
	return err;
}

void pipe_init(void)
{
	pipe_cache = kmem_cache_create("pipe", sizeof(struct pipe), 0);
	pipe_sb = sb_new(&pipe_type, NULL);
	BUG_ON(!pipe_sb);
	pipe_sb->s_op = &pipe_sops;
	pipe_sb->s_blocksize = PAGE_SIZE;
	pipe_sb->s_magic = PIPE_MAGIC;
}
