/*
 * fs_context.c - where a task stands in the tree: root, current directory, umask.
 *
 * Invariant: root and cwd are directories and hold a reference each.
 * Locks: fs->lock guards the pointers; a reference is taken under it, and dropped after it.
 */
#include "fs/internal.h"
#include "arch/riscv/uaccess.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/slab.h"

static struct fs_context *new_context(struct dentry *root, struct dentry *cwd, mode_t umask)
{
	struct fs_context *fs = kmalloc(sizeof(*fs), GFP_KERNEL);

	if (!fs)
		return NULL;
	atomic_set(&fs->count, 1);
	spin_lock_init(&fs->lock);
	fs->root = root;
	fs->cwd = cwd;
	fs->umask = umask;
	return fs;
}

struct fs_context *fs_context_alloc(void)
{
	struct dentry *root = root_sb->s_root;
	struct fs_context *fs = new_context(root, root, 022);

	if (!fs)
		return NULL;
	dget(root);
	dget(root);
	return fs;
}

struct fs_context *fs_context_copy(struct fs_context *fs)
{
	struct dentry *root = fs_get_root(fs), *cwd = fs_get_cwd(fs);
	struct fs_context *copy = new_context(root, cwd, fs ? fs->umask : 022);

	if (!copy) {
		dput(root);
		dput(cwd);
	}
	return copy;
}

struct fs_context *fs_context_share(struct fs_context *fs)
{
	atomic_inc(&fs->count);
	return fs;
}

void fs_context_put(struct fs_context *fs)
{
	if (!fs || !atomic_dec_and_test(&fs->count))
		return;
	dput(fs->root);
	dput(fs->cwd);
	kfree(fs);
}

struct dentry *fs_get_cwd(struct fs_context *fs)
{
	struct dentry *dentry;

	if (!fs)
		return dget(root_sb->s_root);
	spin_lock(&fs->lock);
	dentry = dget(fs->cwd);
	spin_unlock(&fs->lock);
	return dentry;
}

struct dentry *fs_get_root(struct fs_context *fs)
{
	struct dentry *root;

	if (!fs)
		return dget(root_sb->s_root);
	/* Its only user is the one who could change it. */
	if (likely(atomic_read(&fs->count) == 1))
		return dget(fs->root);
	spin_lock(&fs->lock);
	root = dget(fs->root);
	spin_unlock(&fs->lock);
	return root;
}

/* Makes @dentry (reference taken over in any case) *@place, which is the context's root or cwd. */
static long set_place(struct dentry **place, struct dentry *dentry)
{
	struct fs_context *fs = current->fs;
	long err = S_ISDIR(dentry->d_inode->i_mode) ? inode_permission(dentry->d_inode, MAY_EXEC) :
						      -ENOTDIR;

	if (err) {
		dput(dentry);
		return err;
	}
	spin_lock(&fs->lock);
	swap(*place, dentry);
	spin_unlock(&fs->lock);
	dput(dentry);
	return 0;
}

static long change_place(struct dentry **place, const char *upath)
{
	char *path = path_from_user(upath);
	struct dentry *dentry;

	if (IS_ERR(path))
		return PTR_ERR(path);
	dentry = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY);
	path_free(path);
	return IS_ERR(dentry) ? PTR_ERR(dentry) : set_place(place, dentry);
}

SYSCALL_DEFINE1(chdir, const char *, upath)
{
	return change_place(&current->fs->cwd, upath);
}

/* The current directory stays where it is: whoever wants to be inside goes there. */
SYSCALL_DEFINE1(chroot, const char *, upath)
{
	return is_privileged() ? change_place(&current->fs->root, upath) : -EPERM;
}

SYSCALL_DEFINE1(fchdir, int, fdnum)
{
	struct fd fd = fd_begin_any(fdnum);
	long ret;

	if (!fd.file)
		return -EBADF;
	ret = fd.file->f_dentry ? set_place(&current->fs->cwd, dget(fd.file->f_dentry)) : -ENOTDIR;
	fd_end(fd);
	return ret;
}

SYSCALL_DEFINE2(getcwd, char *, ubuf, size_t, size)
{
	struct dentry *cwd = fs_get_cwd(current->fs);
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *p;
	long ret = -ENOMEM;

	if (!buf)
		goto out;
	ret = -ENOENT;
	if (dentry_unlinked(cwd))
		goto out;
	ret = -ENAMETOOLONG;
	p = dentry_path_unreachable(cwd, buf, PATH_MAX);
	if (!p)
		goto out;
	ret = buf + PATH_MAX - p;
	if ((size_t)ret > size)
		ret = -ERANGE;
	else if (copy_to_user(ubuf, p, ret))
		ret = -EFAULT;
out:
	kfree(buf);
	dput(cwd);
	return ret;
}

SYSCALL_DEFINE1(umask, mode_t, mask)
{
	struct fs_context *fs = current->fs;
	mode_t old;

	spin_lock(&fs->lock);
	old = fs->umask;
	fs->umask = mask & 0777;
	spin_unlock(&fs->lock);
	return old;
}
