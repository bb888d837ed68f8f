/*
 * file.c - open files and the descriptor tables that hold them.
 *
 *	struct files   fd[]:      0 -> file   1 -> file   2 -> file   3: reserved   4: free
 *	               open:      1           1           1           1            0      (bits)
 *	               cloexec:   0           0           0           1            0
 *
 *	The arrays begin inside the table and move to a larger block when they are full.
 *
 * A descriptor is first reserved (its bit is set, fd[] is NULL: EBADF for everybody), and filled
 * when the file is ready: so an open that fails leaves nothing.
 *
 * Invariants: fd[i] != NULL implies bit i of open; each entry holds one reference of its file.
 * Locks: files->lock for every change and for look-ups by others. The only user of a table may look
 * up its own descriptors without it, because nobody else changes them. task_lock while a task's
 * table is exchanged for another.
 */
#include "fs/internal.h"
#include "fs/locks.h"
#include "fs/permission.h"
#include "fs/tmpfs.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "kernel/vdso.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define NR_INLINE 64
#define NR_MAX	  4096 /* the hard limit of RLIMIT_NOFILE */

struct files {
	atomic_t count;
	struct spinlock lock;
	unsigned size; /* of the arrays, in descriptors; a multiple of 64 */
	unsigned hint; /* no free descriptor below */
	struct file **fd;
	unsigned long *open, *cloexec;
	void *block; /* where the arrays are when they are not inside; else NULL */
	struct file *inline_fd[NR_INLINE];
	unsigned long inline_bits[2];
};

static struct kmem_cache *file_cache, *files_cache;

void file_init(void)
{
	file_cache = kmem_cache_create("file", sizeof(struct file), 0);
	files_cache = kmem_cache_create("files", sizeof(struct files), 0);
}

/* ---- files ---- */

struct file *file_alloc(unsigned flags)
{
	struct file *file = kmem_cache_alloc(file_cache, GFP_KERNEL | GFP_ZERO);

	if (!file)
		return NULL;
	atomic_set(&file->f_count, 1);
	file->f_flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	if ((flags & O_ACCMODE) != O_WRONLY)
		file->f_mode |= FMODE_READ;
	if ((flags & O_ACCMODE) != O_RDONLY)
		file->f_mode |= FMODE_WRITE;
	mutex_init(&file->f_pos_lock);
	readahead_init(&file->f_ra);
	return file;
}

struct file *file_alloc_anon(struct inode *inode, const struct file_operations *f_op, int flags)
{
	struct file *file = file_alloc(flags);

	if (!file)
		return NULL;
	file->f_inode = inode;
	file->f_op = f_op;
	if (f_op->llseek == no_llseek)
		file->f_mode |= FMODE_STREAM;
	return file;
}

struct file *file_get(struct file *file)
{
	atomic_inc(&file->f_count);
	return file;
}

void file_put(struct file *file)
{
	if (!atomic_dec_and_test(&file->f_count))
		return;
	if (file->f_inode && unlikely(file->f_inode->i_locks))
		locks_remove(file->f_inode, file);
	if (file->f_op && file->f_op->release)
		file->f_op->release(file);
	if (file->f_mode & FMODE_COUNTED)
		sb_done_write(file->f_inode->i_sb);
	if (file->f_dentry)
		dput(file->f_dentry);
	else
		inode_put(file->f_inode);
	kmem_cache_free(file_cache, file);
}

void file_close(struct files *files, struct file *file)
{
	if (unlikely(READ_ONCE(file->f_inode->i_locks)))
		locks_remove(file->f_inode, files);
	file_put(file);
}

struct address_space *file_mapping(const struct file *file)
{
	return file->f_mapping;
}

struct readahead *file_readahead(struct file *file)
{
	return &file->f_ra;
}

bool file_is_zero_device(const struct file *file)
{
	return file->f_op == &zero_fops;
}

bool file_can_read(const struct file *file)
{
	return file->f_mode & FMODE_READ;
}

bool file_can_write(const struct file *file)
{
	return file->f_mode & FMODE_WRITE;
}

bool file_can_exec(const struct file *file)
{
	return !(file->f_inode->i_sb->s_flags & SB_NOEXEC);
}

bool file_shows_cache(const struct file *file)
{
	return is_owner(file->f_inode) || inode_permission(file->f_inode, MAY_WRITE) == 0;
}

void file_dev_ino(const struct file *file, dev_t *dev, ino_t *ino)
{
	*dev = file->f_inode->i_sb->s_dev;
	*ino = file->f_inode->i_ino;
}

void file_path(const struct file *file, char *buf, size_t size)
{
	char *p;

	if (size == 0)
		return;
	if (file_is_vdso(file)) {
		strlcpy(buf, "[vdso]", size);
		return;
	}
	if (tmpfs_nameless_name(file->f_inode)) {
		snprintf(buf, size, "%s (deleted)", tmpfs_nameless_name(file->f_inode));
		return;
	}
	if (!file->f_dentry || d_is_anon(file->f_dentry)) {
		snprintf(buf, size, "%s:[%lu]", S_ISFIFO(file->f_inode->i_mode) ? "pipe" : "anon",
			 (unsigned long)file->f_inode->i_ino);
		return;
	}
	p = dentry_path(file->f_dentry, buf, size);
	if (p)
		memmove(buf, p, buf + size - p);
	else
		strlcpy(buf, "(path too long)", size);
}

/* ---- tables ---- */

struct files *files_alloc(void)
{
	struct files *files = kmem_cache_alloc(files_cache, GFP_KERNEL | GFP_ZERO);

	if (!files)
		return NULL;
	atomic_set(&files->count, 1);
	spin_lock_init(&files->lock);
	files->size = NR_INLINE;
	files->fd = files->inline_fd;
	files->open = &files->inline_bits[0];
	files->cloexec = &files->inline_bits[1];
	return files;
}

struct files *files_share(struct files *files)
{
	atomic_inc(&files->count);
	return files;
}

/* Bytes of the arrays for @size descriptors. */
static size_t block_bytes(unsigned size)
{
	return size * sizeof(struct file *) + 2 * (size / 8);
}

/* Moves the arrays into @block, for @size descriptors; the old block is returned, to be freed. */
static void *use_block(struct files *files, void *block, unsigned size)
{
	void *old = files->block;
	struct file **fd = block;
	unsigned long *open = (unsigned long *)(fd + size);
	unsigned long *cloexec = open + size / BITS_PER_LONG;

	memcpy(fd, files->fd, files->size * sizeof(*fd));
	memcpy(open, files->open, files->size / 8);
	memcpy(cloexec, files->cloexec, files->size / 8);
	files->fd = fd;
	files->open = open;
	files->cloexec = cloexec;
	files->block = block;
	files->size = size;
	return old;
}

/* Makes room for descriptor @fd < NR_MAX. 0 or -ENOMEM. No lock held. */
static int grow(struct files *files, unsigned fd)
{
	unsigned size = NR_INLINE;
	void *block, *unneeded;

	while (size <= fd)
		size *= 2;
	if (size <= READ_ONCE(files->size))
		return 0;
	block = kzalloc(block_bytes(size), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	spin_lock(&files->lock);
	unneeded = files->size < size ? use_block(files, block, size) : block;
	spin_unlock(&files->lock);
	kfree(unneeded);
	return 0;
}

struct files *files_copy(struct files *files)
{
	struct files *copy = files_alloc();
	unsigned fd;

	if (!copy)
		return NULL;
	for (;;) {
		unsigned size;

		spin_lock(&files->lock);
		size = files->size;
		if (size <= copy->size)
			break;
		spin_unlock(&files->lock);
		if (grow(copy, size - 1)) {
			files_put(copy);
			return NULL;
		}
	}
	for_each_set_bit(fd, files->open, files->size) {
		struct file *file = files->fd[fd];

		/* What another task has only reserved is not part of the copy. */
		if (!file)
			continue;
		copy->fd[fd] = file_get(file);
		set_bit(fd, copy->open);
		if (test_bit(fd, files->cloexec))
			set_bit(fd, copy->cloexec);
	}
	spin_unlock(&files->lock);
	return copy;
}

void files_put(struct files *files)
{
	unsigned fd;

	if (!files || !atomic_dec_and_test(&files->count))
		return;
	for_each_set_bit(fd, files->open, files->size) {
		if (files->fd[fd])
			file_close(files, files->fd[fd]);
	}
	kfree(files->block);
	kmem_cache_free(files_cache, files);
}

int files_unshare(void)
{
	struct files *old = current->files, *copy;
	unsigned long flags;

	if (atomic_read(&old->count) == 1)
		return 0;
	copy = files_copy(old);
	if (!copy)
		return -ENOMEM;
	/* /proc/<pid>/fd of others takes the table under task_lock: never one that is going. */
	flags = spin_lock_irqsave(&task_lock);
	current->files = copy;
	spin_unlock_irqrestore(&task_lock, flags);
	files_put(old);
	return 0;
}

/* ---- descriptors ---- */

static unsigned fd_limit(void)
{
	return min(current->rlim[RLIMIT_NOFILE].cur, (unsigned long)NR_MAX);
}

struct file *files_get_file(struct files *files, int fd)
{
	struct file *file = NULL;

	spin_lock(&files->lock);
	if ((unsigned)fd < files->size && files->fd[fd])
		file = file_get(files->fd[fd]);
	spin_unlock(&files->lock);
	return file;
}

int files_next_fd(struct files *files, int fd)
{
	int found = -1;

	spin_lock(&files->lock);
	for (unsigned i = max(fd, 0); i < files->size; i++) {
		if (files->fd[i]) {
			found = i;
			break;
		}
	}
	spin_unlock(&files->lock);
	return found;
}

static inline struct fd find_fd(int fd)
{
	struct files *files = current->files;
	struct file *file;

	if (likely(atomic_read(&files->count) == 1)) {
		file = likely((unsigned)fd < files->size) ? files->fd[fd] : NULL;
		return (struct fd){ file, false };
	}
	file = files_get_file(files, fd);
	return (struct fd){ file, file != NULL };
}

struct fd fd_begin_any(int fd)
{
	return find_fd(fd);
}

struct fd fd_begin(int fdnum)
{
	struct fd fd = find_fd(fdnum);

	if (likely(fd.file && !(fd.file->f_mode & FMODE_PATH)))
		return fd;
	fd_end(fd);
	return (struct fd){ NULL, false };
}

struct file *fd_get(int fdnum)
{
	struct fd fd = fd_begin(fdnum);

	return fd.file && !fd.put ? file_get(fd.file) : fd.file;
}

/* Marks @fd as used. files->lock held. */
static void reserve(struct files *files, unsigned fd, bool cloexec)
{
	set_bit(fd, files->open);
	if (cloexec)
		set_bit(fd, files->cloexec);
	else
		clear_bit(fd, files->cloexec);
}

/* Marks @fd as free. files->lock held. */
static void release(struct files *files, unsigned fd)
{
	clear_bit(fd, files->open);
	clear_bit(fd, files->cloexec);
	files->hint = min(files->hint, fd);
}

int fd_alloc(int from, bool cloexec)
{
	struct files *files = current->files;
	unsigned fd;

	if (from < 0 || (unsigned)from >= fd_limit())
		return -EINVAL;
	for (;;) {
		bool full;

		spin_lock(&files->lock);
		fd = find_next_zero_bit(files->open, files->size, max((unsigned)from, files->hint));
		full = fd >= files->size;
		if (!full && fd < fd_limit()) {
			reserve(files, fd, cloexec);
			if ((unsigned)from <= files->hint)
				files->hint = fd + 1;
			spin_unlock(&files->lock);
			return fd;
		}
		/* Past the table's end: the first number there, or a wished one further up. */
		fd = max(fd, (unsigned)from);
		spin_unlock(&files->lock);
		if (fd >= fd_limit())
			return -EMFILE;
		if (grow(files, fd))
			return -ENOMEM;
	}
}

void fd_install(int fd, struct file *file)
{
	struct files *files = current->files;

	spin_lock(&files->lock);
	BUG_ON(files->fd[fd]);
	files->fd[fd] = file;
	spin_unlock(&files->lock);
}

void fd_free(int fd)
{
	struct files *files = current->files;

	spin_lock(&files->lock);
	release(files, fd);
	spin_unlock(&files->lock);
}

struct file *fd_take(int fd)
{
	struct files *files = current->files;
	struct file *file = NULL;

	spin_lock(&files->lock);
	if ((unsigned)fd < files->size && files->fd[fd]) {
		file = files->fd[fd];
		files->fd[fd] = NULL;
		release(files, fd);
	}
	spin_unlock(&files->lock);
	return file;
}

int fd_replace(int fd, struct file *file, bool cloexec)
{
	struct files *files = current->files;
	struct file *old;

	if (fd < 0 || (unsigned)fd >= fd_limit())
		return -EBADF;
	if (grow(files, fd))
		return -ENOMEM;
	spin_lock(&files->lock);
	old = files->fd[fd];
	if (!old && test_bit(fd, files->open)) {
		spin_unlock(&files->lock);
		return -EBUSY;
	}
	reserve(files, fd, cloexec);
	files->fd[fd] = file_get(file);
	spin_unlock(&files->lock);
	if (old)
		file_close(files, old);
	return fd;
}

int fd_get_cloexec(int fd)
{
	struct files *files = current->files;
	int ret = -EBADF;

	spin_lock(&files->lock);
	if ((unsigned)fd < files->size && files->fd[fd])
		ret = test_bit(fd, files->cloexec);
	spin_unlock(&files->lock);
	return ret;
}

int fd_set_cloexec(int fd, bool cloexec)
{
	struct files *files = current->files;
	int ret = -EBADF;

	spin_lock(&files->lock);
	if ((unsigned)fd < files->size && files->fd[fd]) {
		reserve(files, fd, cloexec);
		ret = 0;
	}
	spin_unlock(&files->lock);
	return ret;
}

void files_close_on_exec(struct files *files)
{
	for (unsigned fd = 0; fd < files->size; fd++) {
		struct file *file = NULL;

		spin_lock(&files->lock);
		fd = find_next_bit(files->cloexec, files->size, fd);
		if (fd < files->size) {
			file = files->fd[fd];
			files->fd[fd] = NULL;
			release(files, fd);
		}
		spin_unlock(&files->lock);
		if (file)
			file_close(files, file);
	}
}
