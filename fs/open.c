/*
 * open.c - from a path to an open file, and closing it.
 *
 *	path -> walk -> dentry -> struct file -> the file system's (or the device's) open
 *	              \-> absent and O_CREAT: made with the directory locked
 *
 * Locks: the directory's inode lock while a name is looked up and made.
 */
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

/* What of @inode an open with @flags uses, as MAY_*. */
static int open_mask(unsigned flags)
{
	static const u8 masks[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, 0 };

	return masks[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* Can @inode be opened so? Device nodes do not belong to the disk they lie on. */
static int can_open(const struct inode *inode, unsigned flags)
{
	bool write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);

	switch (inode->i_mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		return write || (flags & O_CREAT) ? -EISDIR : 0;
	case S_IFREG:
		return write && (inode->i_sb->s_flags & SB_RDONLY) ? -EROFS : 0;
	case S_IFCHR:
	case S_IFBLK:
		return inode->i_sb->s_flags & SB_NODEV ? -EACCES : 0;
	case S_IFIFO:
		return 0;
	default:
		return -ENXIO;
	}
}

/* May the current task open @inode with @flags, for @mask? */
static int may_open(const struct inode *inode, unsigned flags, int mask)
{
	int err = can_open(inode, flags);

	/* What is executed is read: no opens of devices, no waits for a FIFO's writer. */
	if (!err && mask == MAY_EXEC && !S_ISREG(inode->i_mode))
		err = -EACCES;
	if (!err)
		err = inode_permission(inode, mask);
	if (!err && (flags & O_NOATIME) && !is_owner(inode))
		err = -EPERM;
	return err;
}

/* Makes the absent name at hand of @w; *child is what is there then, maybe not *created by us. */
static int create_last(struct walk *w, mode_t mode, struct dentry **child, bool *created)
{
	struct inode *dir = w->dentry->d_inode;
	int err = 0;

	mutex_lock(&dir->lock);
	*child = walk_lookup_last_locked(w);
	if (IS_ERR(*child)) {
		err = PTR_ERR(*child);
	} else if (!(*child)->d_inode) {
		err = vfs_create(w->dentry, *child, mode);
		*created = !err;
	}
	mutex_unlock(&dir->lock);
	if (err && !IS_ERR(*child))
		dput(*child);
	return err;
}

/* The walk of O_CREAT: w->dentry ends at the file, which *created tells whether it is new. */
static int walk_create(struct walk *w, unsigned flags, mode_t mode, bool *created)
{
	struct dentry *child;
	int err;

	*created = false;
	for (;;) {
		err = walk_run(w, WALK_PARENT);
		if (err)
			return err;
		if (w->slash || w->last_type != LAST_NAME)
			return -EISDIR;
		child = walk_lookup_last(w);
		if (IS_ERR(child))
			return PTR_ERR(child);
		if (!child->d_inode) {
			dput(child);
			err = create_last(w, mode, &child, created);
			if (err)
				return err;
		}
		if (!*created && (flags & O_EXCL)) {
			dput(child);
			return -EEXIST;
		}
		if (!S_ISLNK(child->d_inode->i_mode)) {
			walk_to(w, child);
			return 0;
		}
		if (flags & O_NOFOLLOW) {
			dput(child);
			return -ELOOP;
		}
		err = walk_follow(w, child);
		if (err || w->jumped)
			return err;
	}
}

/* Gives @file its operations and calls their open. */
static int open_inode(struct file *file, struct inode *inode)
{
	if (S_ISREG(inode->i_mode) && (file->f_mode & FMODE_WRITE)) {
		int err = sb_want_write(inode->i_sb);

		if (err)
			return err;
		file->f_mode |= FMODE_COUNTED;
	}
	file->f_op = inode->i_fop;
	if (S_ISCHR(inode->i_mode))
		file->f_op = chrdev_find(inode->i_rdev);
	else if (S_ISBLK(inode->i_mode))
		file->f_op = &bdev_fops;
	else if (S_ISFIFO(inode->i_mode))
		file->f_op = &fifo_fops;
	else if (S_ISREG(inode->i_mode) && inode->i_data.ops)
		file->f_mapping = &inode->i_data;
	if (!file->f_op)
		return -ENXIO;
	file->f_wb_err = errseq_sample(&inode->i_data.wb_err);
	file->f_sb_err = errseq_sample(&inode->i_sb->s_wb_err);
	if (file->f_op->llseek == no_llseek)
		file->f_mode |= FMODE_STREAM;
	if (file->f_op->open) {
		const struct file_operations *f_op = file->f_op;
		int err = f_op->open(inode, file);

		/* What was not opened must not be released. */
		if (err)
			file->f_op = NULL;
		return err;
	}
	return 0;
}

/*
 * O_PATH: a descriptor for a place, which other calls may start from or ask about; the file itself
 * is not opened, so nothing is asked of it. Such files are hidden from fd_begin().
 */
static struct file *open_path(int dfd, const char *path, unsigned flags, unsigned lookup)
{
	struct file *file = file_alloc(flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW));
	struct dentry *dentry;

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->f_mode = FMODE_PATH;
	dentry = path_lookup(dfd, path, lookup);
	if (IS_ERR(dentry)) {
		file_put(file);
		return (void *)dentry;
	}
	file->f_dentry = dentry;
	file->f_inode = dentry->d_inode;
	return file;
}

/* The inode of O_TMPFILE in directory @dir, or ERR_PTR; sb_want_write() held. */
static struct inode *make_tmpfile(struct inode *dir, mode_t mode)
{
	int err = may_edit_dir(dir);

	if (err)
		return ERR_PTR(err);
	if (!dir->i_op->tmpfile)
		return ERR_PTR(-EOPNOTSUPP);
	return dir->i_op->tmpfile(dir, S_IFREG | apply_umask(mode & S_IALLUGO));
}

/* Makes and opens the file of O_TMPFILE in @dir. */
static struct file *open_tmpfile_in(struct inode *dir, unsigned flags, mode_t mode)
{
	struct inode *inode = make_tmpfile(dir, mode);
	struct file *file;
	int err;

	if (IS_ERR(inode))
		return (void *)inode;
	file = file_alloc(flags);
	if (!file) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	file->f_inode = inode;
	err = open_inode(file, inode);
	if (!err)
		return file;
	file_put(file);
	return ERR_PTR(err);
}

/*
 * O_TMPFILE: @path is the directory. The file has no dentry, and cannot be given a name. Until it
 * counts as open for writing the directory keeps the file system mounted, and our own count keeps
 * it writable.
 */
static struct file *open_tmpfile(int dfd, const char *path, unsigned flags, mode_t mode)
{
	struct dentry *dir;
	struct file *file;
	int err;

	if (!(flags & O_DIRECTORY) || (flags & O_CREAT) || (flags & O_ACCMODE) == O_RDONLY)
		return ERR_PTR(-EINVAL);
	dir = path_lookup(dfd, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
	if (IS_ERR(dir))
		return (void *)dir;
	err = sb_want_write(dir->d_sb);
	file = err ? ERR_PTR(err) : open_tmpfile_in(dir->d_inode, flags, mode);
	if (!err)
		sb_done_write(dir->d_sb);
	dput(dir);
	return file;
}

/* @mask: the MAY_* that are asked of a file that exists. */
static struct file *do_open(int dfd, const char *path, unsigned flags, mode_t mode, int mask)
{
	unsigned lookup = (flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
			  (flags & O_DIRECTORY ? LOOKUP_DIRECTORY : 0);
	bool created = false;
	struct file *file;
	struct walk w;
	int err;

	if (flags & O_PATH)
		return open_path(dfd, path, flags, lookup);
	if ((flags & O_DIRECT) || (flags & O_ACCMODE) == O_ACCMODE ||
	    ((flags & (O_CREAT | O_TMPFILE)) == O_CREAT && (flags & O_DIRECTORY)))
		return ERR_PTR(-EINVAL);
	if (flags & O_TMPFILE)
		return open_tmpfile(dfd, path, flags, mode);
	file = file_alloc(flags);
	if (!file)
		return ERR_PTR(-ENOMEM);
	err = walk_start(&w, dfd, path);
	if (!err)
		err = flags & O_CREAT ? walk_create(&w, flags, mode, &created) :
					walk_run(&w, lookup);
	if (!err && !created)
		err = may_open(w.dentry->d_inode, flags, mask);
	if (!err) {
		file->f_dentry = dget(w.dentry);
		file->f_inode = w.dentry->d_inode;
		err = open_inode(file, file->f_inode);
	}
	if (!err && (flags & O_TRUNC) && !created && S_ISREG(file->f_inode->i_mode))
		err = vfs_truncate(file->f_inode, 0);
	walk_end(&w);
	if (!err)
		return file;
	file_put(file);
	return ERR_PTR(err);
}

struct file *file_open(const char *path, int flags, mode_t mode)
{
	return do_open(AT_FDCWD, path, flags, mode, open_mask(flags));
}

struct file *file_open_exec(const char *path)
{
	struct file *file = do_open(AT_FDCWD, path, O_RDONLY, 0, MAY_EXEC);

	if (IS_ERR(file) || !(file->f_inode->i_sb->s_flags & SB_NOEXEC))
		return file;
	file_put(file);
	return ERR_PTR(-EACCES);
}

SYSCALL_DEFINE4(openat, int, dfd, const char *, upath, unsigned, flags, mode_t, mode)
{
	char *path = path_from_user(upath);
	struct file *file;
	int fd;

	if (IS_ERR(path))
		return PTR_ERR(path);
	fd = fd_alloc(0, flags & O_CLOEXEC);
	if (fd < 0) {
		fd = fd == -EINVAL ? -EMFILE : fd;
		goto out;
	}
	file = do_open(dfd, path, flags, mode, open_mask(flags));
	if (IS_ERR(file)) {
		fd_free(fd);
		fd = PTR_ERR(file);
		goto out;
	}
	fd_install(fd, file);
out:
	path_free(path);
	return fd;
}

SYSCALL_DEFINE1(close, int, fd)
{
	struct file *file = fd_take(fd);

	if (!file)
		return -EBADF;
	file_close(current->files, file);
	return 0;
}

#define CLOSE_RANGE_UNSHARE (1u << 1)
#define CLOSE_RANGE_CLOEXEC (1u << 2)

SYSCALL_DEFINE3(close_range, unsigned, first, unsigned, last, unsigned, flags)
{
	int err, fd;

	if (first > last || (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) {
		err = files_unshare();
		if (err)
			return err;
	}
	if (first > INT_MAX)
		return 0;
	for (fd = first; (fd = files_next_fd(current->files, fd)) >= 0; fd++) {
		struct file *file;

		if ((unsigned)fd > last)
			break;
		if (flags & CLOSE_RANGE_CLOEXEC) {
			fd_set_cloexec(fd, true);
			continue;
		}
		file = fd_take(fd);
		if (file)
			file_close(current->files, file);
	}
	return 0;
}
