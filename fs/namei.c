/*
 * namei.c - from a path to a dentry.
 *
 *	"/usr/lib/../bin/sh"      rest: what is still to walk
 *	  ^at dentry  ^rest       last: the name at hand
 *
 *	symbolic link in the middle: its target and the rest make the new rest, in memory that the
 *	walk owns; at most MAX_LINKS times. So there is no recursion.
 *
 * A name that the cache does not know is looked up by the file system with the directory locked.
 *
 * Invariant: walk->dentry holds one reference from walk_start() to walk_end(), and is positive.
 * Locks: none between steps; a directory's inode lock during a look-up that misses.
 */
#include "fs/internal.h"
#include "arch/riscv/uaccess.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/slab.h"

#define MAX_LINKS 40

char *path_from_user(const char *upath)
{
	char *path = kmalloc(PATH_MAX, GFP_KERNEL);
	ssize_t len;

	if (!path)
		return ERR_PTR(-ENOMEM);
	len = strncpy_from_user(path, upath, PATH_MAX);
	if (len >= 0 && len < PATH_MAX)
		return path;
	kfree(path);
	return ERR_PTR(len < 0 ? len : -ENAMETOOLONG);
}

void path_free(char *path)
{
	kfree(path);
}

/* The directory of descriptor @dfd with a reference, or ERR_PTR. */
static struct dentry *start_at(int dfd)
{
	struct dentry *dentry = NULL;
	struct fd fd;

	if (dfd == AT_FDCWD)
		return fs_get_cwd(current->fs);
	fd = fd_begin_any(dfd);
	if (!fd.file)
		return ERR_PTR(-EBADF);
	if (fd.file->f_dentry && S_ISDIR(fd.file->f_inode->i_mode))
		dentry = dget(fd.file->f_dentry);
	fd_end(fd);
	return dentry ? dentry : ERR_PTR(-ENOTDIR);
}

int walk_start(struct walk *w, int dfd, const char *path)
{
	*w = (struct walk){ .rest = path, .last_type = LAST_ROOT };
	if (!*path)
		return -ENOENT;
	w->dentry = *path == '/' ? fs_get_root(current->fs) : start_at(dfd);
	if (!IS_ERR(w->dentry))
		return 0;
	dfd = PTR_ERR(w->dentry);
	w->dentry = NULL;
	return dfd;
}

void walk_end(struct walk *w)
{
	dput(w->dentry);
	kfree(w->link);
}

void walk_to(struct walk *w, struct dentry *child)
{
	while (unlikely(READ_ONCE(child->d_mounted)))
		child = d_cross(child);
	dput(w->dentry);
	w->dentry = child;
}

static void walk_up(struct walk *w)
{
	struct dentry *root = fs_get_root(current->fs), *at = w->dentry;

	while (at != root && d_is_root(at) && at->d_sb->s_mountpoint)
		at = at->d_sb->s_mountpoint;
	if (at != root)
		walk_to(w, d_get_parent(at));
	dput(root);
}

struct dentry *lookup_name_locked(struct dentry *dir, const char *name, unsigned len, u32 hash)
{
	struct dentry *dentry = d_lookup(dir, name, len, hash);
	struct inode *inode;

	if (dentry)
		return dentry;
	if (!dir->d_inode->i_op || !dir->d_inode->i_op->lookup)
		return ERR_PTR(-ENOTDIR);
	inode = dir->d_inode->i_op->lookup(dir->d_inode, name, len);
	if (IS_ERR(inode))
		return (void *)inode;
	dentry = d_alloc(dir, name, len, hash, inode);
	if (IS_ERR(dentry))
		inode_put(inode);
	return dentry;
}

struct dentry *walk_lookup_last_locked(struct walk *w)
{
	return lookup_name_locked(w->dentry, w->last, w->last_len,
				  d_name_hash(w->last, w->last_len));
}

struct dentry *walk_lookup_last(struct walk *w)
{
	u32 hash = d_name_hash(w->last, w->last_len);
	struct dentry *dentry = d_lookup(w->dentry, w->last, w->last_len, hash);

	if (dentry)
		return dentry;
	mutex_lock(&w->dentry->d_inode->lock);
	dentry = lookup_name_locked(w->dentry, w->last, w->last_len, hash);
	mutex_unlock(&w->dentry->d_inode->lock);
	return dentry;
}

/* What is still to be walked stays: it goes on from where the link leads. */
static int follow_jump(struct walk *w, struct inode *link)
{
	struct dentry *target = link->i_op->jump(link);

	if (IS_ERR(target))
		return PTR_ERR(target);
	walk_to(w, target);
	w->last_type = LAST_ROOT;
	return 0;
}

int walk_follow(struct walk *w, struct dentry *link)
{
	size_t rest_len = strlen(w->rest);
	char *buf;
	int n = -ELOOP;

	w->jumped = link->d_inode->i_op->jump;
	if (++w->nr_links > MAX_LINKS)
		goto out;
	if (w->jumped) {
		n = follow_jump(w, link->d_inode);
		goto out;
	}
	n = -ENOMEM;
	buf = kmalloc(PATH_MAX, GFP_KERNEL);
	if (!buf)
		goto out;
	n = link->d_inode->i_op->readlink(link->d_inode, buf, PATH_MAX - 1);
	if (n == 0)
		n = -ENOENT;
	if (n > 0 && n + rest_len >= PATH_MAX)
		n = -ENAMETOOLONG;
	if (n < 0) {
		kfree(buf);
		goto out;
	}
	memcpy(buf + n, w->rest, rest_len + 1);
	kfree(w->link);
	w->link = buf;
	w->rest = buf;
	w->slash = false;
	w->last_type = LAST_ROOT;
	if (buf[0] == '/')
		walk_to(w, fs_get_root(current->fs));
	n = 0;
out:
	dput(link);
	return n;
}

/* Takes the next name off w->rest; false at the end of the path. */
static bool next_name(struct walk *w)
{
	const char *p = w->rest, *end;

	while (*p == '/')
		p++;
	if (!*p)
		return false;
	for (end = p; *end && *end != '/'; end++)
		;
	w->last = p;
	w->last_len = end - p;
	w->rest = end;
	w->slash = *end == '/';
	while (*end == '/')
		end++;
	w->final = !*end;
	w->last_type = LAST_NAME;
	if (p[0] == '.' && w->last_len == 1)
		w->last_type = LAST_DOT;
	else if (p[0] == '.' && p[1] == '.' && w->last_len == 2)
		w->last_type = LAST_DOTDOT;
	return true;
}

/* Goes to the name at hand. */
static int step(struct walk *w, unsigned flags)
{
	struct dentry *child;
	struct inode *inode;

	if (w->last_type == LAST_DOT)
		return 0;
	if (w->last_type == LAST_DOTDOT) {
		walk_up(w);
		return 0;
	}
	child = walk_lookup_last(w);
	if (IS_ERR(child))
		return PTR_ERR(child);
	inode = smp_load_acquire(&child->d_inode);
	if (!inode) {
		dput(child);
		return -ENOENT;
	}
	if (S_ISLNK(inode->i_mode) && (!w->final || w->slash || (flags & LOOKUP_FOLLOW)))
		return walk_follow(w, child);
	walk_to(w, child);
	return 0;
}

int walk_run(struct walk *w, unsigned flags)
{
	int err;

	while (next_name(w)) {
		if (!S_ISDIR(w->dentry->d_inode->i_mode))
			return -ENOTDIR;
		err = inode_permission(w->dentry->d_inode, MAY_EXEC);
		if (err)
			return err;
		if (w->last_len > NAME_MAX)
			return -ENAMETOOLONG;
		if (w->final && (flags & WALK_PARENT))
			return 0;
		err = step(w, flags);
		if (err)
			return err;
	}
	if (((flags & LOOKUP_DIRECTORY) || w->slash) && !S_ISDIR(w->dentry->d_inode->i_mode))
		return -ENOTDIR;
	return 0;
}

/* What descriptor @dfd itself is, with a reference: "" with AT_EMPTY_PATH. */
static struct dentry *lookup_fd(int dfd)
{
	struct dentry *dentry = NULL;
	struct fd fd;

	if (dfd == AT_FDCWD)
		return fs_get_cwd(current->fs);
	fd = fd_begin_any(dfd);
	if (!fd.file)
		return ERR_PTR(-EBADF);
	if (fd.file->f_dentry)
		dentry = dget(fd.file->f_dentry);
	fd_end(fd);
	return dentry ? dentry : ERR_PTR(-EINVAL);
}

struct dentry *path_lookup(int dfd, const char *path, unsigned flags)
{
	struct walk w;
	int err;

	if (!*path && (flags & LOOKUP_EMPTY))
		return lookup_fd(dfd);
	err = walk_start(&w, dfd, path);
	if (!err)
		err = walk_run(&w, flags);
	if (!err) {
		kfree(w.link);
		return w.dentry;
	}
	walk_end(&w);
	return ERR_PTR(err);
}
