/*
 * pipe.c - pipes and FIFOs: a ring of bytes between open files.
 *
 *	rpos                    rpos + used
 *	 v                       v
 *	[page][page][page][page][page][ - ] ... 16 slots; byte p is in slot p / 4096 % 16
 *	 ^ freed when the reader leaves it ^ made when the writer enters it
 *
 *	pipe2()  -> inode of no name with its pipe -> two open files, one for each end
 *	FIFO     -> inode of some file system -> i_pipe, made by the first open, gone with the last
 *
 *	A pipe that runs empty goes back to the start of the page it is in and keeps that
 *	page: short messages never allocate.
 *
 * Invariants: used <= limit <= PIPE_SIZE; every slot with bytes in it has a page; readers and
 * writers count the open files of each end; a reader waits only for used > 0, a writer only for
 * used <= limit minus the smaller of what it still has and PIPE_BUF. So the wake-ups are: readers
 * when the pipe was empty, writers when the room passes PIPE_BUF, and both when the other end
 * closes.
 * Locks: fifo_lock, a mutex, while a FIFO gets or loses its pipe; inside it the pipe's mutex, which
 * guards all; user memory is touched under that. Waiters read used, readers and writers without it,
 * and look again under it.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "kernel/panic.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/slab.h"

#define PIPE_MAGIC 0x50495045

struct pipe {
	struct mutex lock;
	unsigned rpos, used; /* bytes; rpos counts on through all slots */
	unsigned limit;	     /* bytes that it holds: F_SETPIPE_SZ */
	unsigned readers, writers;
	unsigned r_opens, w_opens; /* opens of each end so far: who waits for one counts them */
	unsigned users;		   /* open files of a FIFO; fifo_lock */
	char *slot[PIPE_PAGES];
	struct wait_queue rd_wait, wr_wait;
};

/* A pipe without a name: an inode of its own. */
struct pipe_inode {
	struct inode inode;
	struct pipe pipe;
};

static struct kmem_cache *pipe_cache;

static void pipe_start(struct pipe *pipe)
{
	mutex_init(&pipe->lock);
	pipe->limit = PIPE_SIZE;
	wait_queue_init(&pipe->rd_wait);
	wait_queue_init(&pipe->wr_wait);
}

/* ---- bytes in and out; the pipe is locked ---- */

static inline unsigned pipe_room(const struct pipe *pipe)
{
	unsigned limit = READ_ONCE(pipe->limit), used = READ_ONCE(pipe->used);

	return limit - used;
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
	mutex_lock(&pipe->lock);
	while (!pipe->used && pipe->writers) {
		mutex_unlock(&pipe->lock);
		if (READ_ONCE(file->f_flags) & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&pipe->rd_wait,
					       READ_ONCE(pipe->used) || !READ_ONCE(pipe->writers));
		if (ret)
			return ret;
		mutex_lock(&pipe->lock);
	}
	if (pipe->used) {
		tight = pipe_room(pipe) < PIPE_BUF;
		ret = take_bytes(pipe, ubuf, len);
		tight = tight && pipe_room(pipe) >= PIPE_BUF;
	}
	mutex_unlock(&pipe->lock);
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

/* Sleeps until there is room for the @rest of a write. 0 or -ERESTARTSYS. @pipe is not locked. */
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

		mutex_lock(&pipe->lock);
		was_empty = !pipe->used;
		ret = -EPIPE;
		if (pipe->readers)
			ret = put_bytes(pipe, src + done, len - done, len <= PIPE_BUF && !done,
					user);
		mutex_unlock(&pipe->lock);
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
		signal_self(SIGPIPE);
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

static unsigned read_ready(struct file *file, struct poll_table *pt)
{
	struct pipe *pipe = file->private_data;
	unsigned mask = 0;

	poll_wait(file, &pipe->rd_wait, pt);
	/*
	 * Writers first: what they wrote before they left must be seen. A FIFO that had no writer
	 * since it was opened is not hung up, but waits for its first.
	 */
	if (!smp_load_acquire(&pipe->writers) && file->f_pos != READ_ONCE(pipe->w_opens))
		mask |= POLLHUP;
	if (READ_ONCE(pipe->used))
		mask |= POLLIN | POLLRDNORM;
	return mask;
}

static unsigned write_ready(struct file *file, struct poll_table *pt)
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

static unsigned pipe_poll(struct file *file, struct poll_table *pt)
{
	return (file->f_mode & FMODE_READ ? read_ready(file, pt) : 0) |
	       (file->f_mode & FMODE_WRITE ? write_ready(file, pt) : 0);
}

/*
 * An open file of @mode (FMODE_*) more. True when the other end has nobody; *@others is then how
 * often it was opened so far.
 */
static bool add_ends(struct pipe *pipe, unsigned mode, unsigned *others)
{
	bool alone = true;

	mutex_lock(&pipe->lock);
	if (mode & FMODE_READ) {
		WRITE_ONCE(pipe->readers, pipe->readers + 1);
		WRITE_ONCE(pipe->r_opens, pipe->r_opens + 1);
		*others = pipe->w_opens;
		alone = !pipe->writers;
	}
	if (mode & FMODE_WRITE) {
		WRITE_ONCE(pipe->writers, pipe->writers + 1);
		WRITE_ONCE(pipe->w_opens, pipe->w_opens + 1);
		*others = pipe->r_opens;
		alone = !pipe->readers;
	}
	mutex_unlock(&pipe->lock);
	return alone;
}

static void drop_ends(struct pipe *pipe, unsigned mode)
{
	mutex_lock(&pipe->lock);
	if (mode & FMODE_READ)
		WRITE_ONCE(pipe->readers, pipe->readers - 1);
	if (mode & FMODE_WRITE)
		smp_store_release(&pipe->writers, pipe->writers - 1);
	mutex_unlock(&pipe->lock);
	if (mode & FMODE_READ)
		wake_up_all(&pipe->wr_wait);
	if (mode & FMODE_WRITE)
		wake_up_all(&pipe->rd_wait);
}

static void pipe_release(struct file *file)
{
	drop_ends(file->private_data, file->f_mode);
}

static const struct file_operations pipe_fops = {
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.write_kernel = pipe_write_kernel,
	.llseek = no_llseek,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
};

/* ---- size ---- */

/* The pipe of @file; NULL: it is none. */
static struct pipe *file_pipe(const struct file *file)
{
	return S_ISFIFO(file->f_inode->i_mode) ? file->private_data : NULL;
}

long pipe_get_size(const struct file *file)
{
	const struct pipe *pipe = file_pipe(file);

	return pipe ? (long)READ_ONCE(pipe->limit) : -EBADF;
}

long pipe_set_size(struct file *file, unsigned long size)
{
	struct pipe *pipe = file_pipe(file);
	unsigned limit = PAGE_SIZE;
	long ret = -EBUSY;

	if (!pipe)
		return -EBADF;
	if (size > INT_MAX)
		return -EINVAL;
	if (size > PIPE_SIZE)
		return -EPERM;
	while (limit < size)
		limit *= 2;
	mutex_lock(&pipe->lock);
	if (pipe->used <= limit) {
		WRITE_ONCE(pipe->limit, limit);
		ret = limit;
	}
	mutex_unlock(&pipe->lock);
	wake_up_all(&pipe->wr_wait);
	return ret;
}

/* ---- coming and going ---- */

static struct inode *pipe_alloc_inode(struct super_block *sb __maybe_unused)
{
	struct pipe_inode *pi = kmem_cache_alloc(pipe_cache, GFP_KERNEL | GFP_ZERO);

	if (!pi)
		return NULL;
	pipe_start(&pi->pipe);
	pi->pipe.users = 1; /* it goes with the inode, however often it is opened by /proc */
	pi->inode.i_pipe = &pi->pipe;
	return &pi->inode;
}

static void free_slots(struct pipe *pipe)
{
	for (unsigned i = 0; i < PIPE_PAGES; i++)
		free_slot(&pipe->slot[i]);
}

static void pipe_free_inode(struct inode *inode)
{
	struct pipe_inode *pi = container_of(inode, struct pipe_inode, inode);

	free_slots(&pi->pipe);
	kmem_cache_free(pipe_cache, pi);
}

static const struct super_operations pipe_sops = {
	.alloc_inode = pipe_alloc_inode,
	.free_inode = pipe_free_inode,
};

static const struct inode_operations pipe_iops;
static const struct fs_type pipe_type = { .name = "pipefs" };

/* Never mounted: what an inode must belong to. */
static struct super_block *pipe_sb;

/* An open file for one end of @pi, with a reference of its own on it; NULL: no memory. */
static struct file *open_end(struct pipe_inode *pi, int flags)
{
	struct file *file = file_alloc_anon(&pi->inode, &pipe_fops, flags);
	unsigned others;

	if (!file)
		return NULL;
	inode_get(&pi->inode);
	file->private_data = &pi->pipe;
	add_ends(&pi->pipe, file->f_mode, &others);
	return file;
}

/* A new pipe's two ends, @flags O_NONBLOCK or 0. 0 or -ENOMEM. */
static int open_pipe(struct file *ends[2], int flags)
{
	struct inode *inode = simple_inode(pipe_sb, 0, S_IFIFO | 0600, &pipe_iops, NULL);
	struct pipe_inode *pi = container_of(inode, struct pipe_inode, inode);
	int err = -ENOMEM;

	if (!inode)
		return err;
	inode->i_uid = current->cred.fsuid;
	inode->i_gid = current->cred.fsgid;
	ends[0] = open_end(pi, O_RDONLY | flags);
	if (!ends[0])
		goto out;
	ends[1] = open_end(pi, O_WRONLY | flags);
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
	if (err == -EINVAL) /* not one descriptor is allowed */
		err = -EMFILE;
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

/* ---- FIFOs ---- */

static struct mutex fifo_lock = {
	.lock = SPINLOCK_INIT,
	.waiters = LIST_HEAD_INIT(fifo_lock.waiters),
};

/* The pipe of FIFO @inode with a user more, made if it must be; NULL: no memory. */
static struct pipe *fifo_get(struct inode *inode)
{
	mutex_lock(&fifo_lock);
	if (!inode->i_pipe) {
		inode->i_pipe = kzalloc(sizeof(*inode->i_pipe), GFP_KERNEL);
		if (inode->i_pipe)
			pipe_start(inode->i_pipe);
	}
	if (inode->i_pipe)
		inode->i_pipe->users++;
	mutex_unlock(&fifo_lock);
	return inode->i_pipe;
}

/* Bytes that nobody has read go with the last user. */
static void fifo_put(struct inode *inode)
{
	struct pipe *pipe = NULL;

	mutex_lock(&fifo_lock);
	if (--inode->i_pipe->users == 0)
		swap(pipe, inode->i_pipe);
	mutex_unlock(&fifo_lock);
	if (pipe) {
		free_slots(pipe);
		kfree(pipe);
	}
}

/*
 * open(2) of one end waits for the other, unless O_NONBLOCK; then a reader goes on alone, and a
 * writer gets -ENXIO. It is the opens that are counted (@others so far), so that one that was
 * closed again at once is not missed.
 */
static int wait_for_other(struct file *file, struct pipe *pipe, unsigned others)
{
	bool read = file->f_mode & FMODE_READ;

	if (!(file->f_flags & O_NONBLOCK))
		return wait_event_interruptible(
			read ? &pipe->rd_wait : &pipe->wr_wait,
			READ_ONCE(*(read ? &pipe->w_opens : &pipe->r_opens)) != others);
	if (!read)
		return -ENXIO;
	file->f_pos = others; /* for read_ready(): streams have no other use for it */
	return 0;
}

static void fifo_release(struct file *file)
{
	drop_ends(file->private_data, file->f_mode);
	fifo_put(file->f_inode);
}

static int fifo_open(struct inode *inode, struct file *file)
{
	struct pipe *pipe = fifo_get(inode);
	unsigned others;
	bool alone;
	int err = 0;

	if (!pipe)
		return -ENOMEM;
	file->private_data = pipe;
	alone = add_ends(pipe, file->f_mode, &others);
	wake_up_all(&pipe->rd_wait);
	wake_up_all(&pipe->wr_wait);
	/* A pipe without a name, by /proc, has had both ends: nobody would come. */
	if (alone && inode->i_sb != pipe_sb)
		err = wait_for_other(file, pipe, others);
	if (err)
		fifo_release(file);
	return err;
}

const struct file_operations fifo_fops = {
	.open = fifo_open,
	.release = fifo_release,
	.read = pipe_read,
	.write = pipe_write,
	.write_kernel = pipe_write_kernel,
	.llseek = no_llseek,
	.ioctl = pipe_ioctl,
	.poll = pipe_poll,
};

void pipe_init(void)
{
	pipe_cache = kmem_cache_create("pipe", sizeof(struct pipe_inode), 0);
	pipe_sb = sb_new(&pipe_type, NULL);
	BUG_ON(!pipe_sb);
	pipe_sb->s_op = &pipe_sops;
	pipe_sb->s_blocksize = PAGE_SIZE;
	pipe_sb->s_magic = PIPE_MAGIC;
}
