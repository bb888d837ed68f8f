/*
 * dirops.c - the edits of directories: make, remove, link and rename names.
 *
 *	walk to the parent -> lock it -> look the last name up -> checks -> the file system ->
 *	dcache
 *
 * Locks: a directory's inode lock, then its entry's. Two directories at once are only locked by
 * rename, under rename_mutex: the one nearer to the root first, unrelated ones in order of their
 * addresses. Of two entries that exchange names, directories are locked first (an entry of one may
 * be another name of the other), then in order of their addresses.
 *
 * Who changes anything holds sb_want_write() of the super block from before the lock to after it.
 */
#include "fs/internal.h"
#include "kernel/syscall.h"
#include "kernel/task.h"

/*
 * Several inodes of one tree are locked in this order, each with mutex_lock_nested(): a directory
 * (0), a second one (above the first nowhere, else by address; rename_mutex held), then entries of
 * them, directories first, then by address.
 */
#define LOCK_SECOND_DIR	  1
#define LOCK_ENTRY	  2
#define LOCK_SECOND_ENTRY 3

static struct mutex rename_mutex = {
	.lock = SPINLOCK_INIT,
	.waiters = LIST_HEAD_INIT(rename_mutex.waiters),
};

/* A name in its directory, for the time of an edit. */
struct place {
	char *path;
	struct walk w;
	struct dentry *child; /* what the name is now, maybe negative */
	bool writing;	      /* sb_want_write() succeeded */
};

/* The directory that holds the name, once place_start() went well. */
static struct inode *place_dir(const struct place *p)
{
	return p->w.dentry->d_inode;
}

/* Walks to the directory of the user's path. place_end() undoes it in any case. */
static int place_start(struct place *p, int dfd, const char *upath)
{
	int err;

	*p = (struct place){ .path = path_from_user(upath) };
	if (IS_ERR(p->path)) {
		err = PTR_ERR(p->path);
		p->path = NULL;
		return err;
	}
	err = walk_start(&p->w, dfd, p->path);
	return err ? err : walk_run(&p->w, WALK_PARENT);
}

/* Looks the name up; the directory is locked. */
static int place_lookup(struct place *p)
{
	struct dentry *child = walk_lookup_last_locked(&p->w);

	if (IS_ERR(child))
		return PTR_ERR(child);
	p->child = child;
	return 0;
}

/* 0 or -EROFS. */
static int place_want_write(struct place *p)
{
	int err = sb_want_write(p->w.dentry->d_sb);

	p->writing = !err;
	return err;
}

static void place_end(struct place *p)
{
	if (p->writing)
		sb_done_write(p->w.dentry->d_sb);
	dput(p->child);
	walk_end(&p->w);
	path_free(p->path);
}

/* ---- making ---- */

/*
 * Walks to a name that is to be made, with the directory locked on success: -EEXIST, -ENOENT,
 * -EROFS, in this order.
 */
static int start_create(struct place *p, int dfd, const char *upath, bool is_dir)
{
	int err = place_start(p, dfd, upath), read_only;

	if (err)
		return err;
	if (p->w.last_type != LAST_NAME)
		return -EEXIST;
	read_only = place_want_write(p);
	mutex_lock(&place_dir(p)->lock);
	err = place_lookup(p);
	if (!err && p->child->d_inode)
		err = -EEXIST;
	if (!err && p->w.slash && !is_dir)
		err = -ENOENT;
	if (!err)
		err = read_only;
	if (!err && place_dir(p)->i_nlink == 0)
		err = -ENOENT;
	if (!err)
		err = may_edit_dir(place_dir(p));
	if (err)
		mutex_unlock(&place_dir(p)->lock);
	return err;
}

mode_t apply_umask(mode_t mode)
{
	return mode & (S_IFMT | (S_IALLUGO & ~(current->fs ? current->fs->umask : 0)));
}

/* Makes what @mode says at @child; @rdev: of a device. Directory locked. */
static int make_node(struct inode *dir, struct dentry *child, mode_t mode, dev_t rdev)
{
	const struct inode_operations *i_op = dir->i_op;
	bool plain = S_ISREG(mode) || S_ISDIR(mode);
	struct inode *inode;

	if (plain ? !i_op->create : !i_op->mknod)
		return -EPERM;
	mode = apply_umask(mode);
	inode = plain ? i_op->create(dir, child->d_name, child->d_len, mode) :
			i_op->mknod(dir, child->d_name, child->d_len, mode, rdev);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_instantiate(child, inode);
	return 0;
}

int vfs_create(struct dentry *dir, struct dentry *child, mode_t mode)
{
	int err = sb_want_write(dir->d_sb);

	if (err)
		return err;
	err = dir->d_inode->i_nlink == 0 ? -ENOENT : may_edit_dir(dir->d_inode);
	if (!err)
		err = make_node(dir->d_inode, child, S_IFREG | (mode & S_IALLUGO), 0);
	sb_done_write(dir->d_sb);
	return err;
}

SYSCALL_DEFINE3(mkdirat, int, dfd, const char *, upath, mode_t, mode)
{
	struct place p;
	int err = start_create(&p, dfd, upath, true);

	if (!err) {
		err = make_node(place_dir(&p), p.child, S_IFDIR | (mode & 01777), 0);
		mutex_unlock(&place_dir(&p)->lock);
	}
	place_end(&p);
	return err;
}

SYSCALL_DEFINE4(mknodat, int, dfd, const char *, upath, mode_t, mode, unsigned, rdev)
{
	struct place p;
	int err;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	if (S_ISDIR(mode))
		return -EPERM;
	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode) && !S_ISCHR(mode) &&
	    !S_ISBLK(mode))
		return -EINVAL;
	err = start_create(&p, dfd, upath, false);
	if (!err) {
		err = -EPERM;
		if (is_privileged() || !(S_ISCHR(mode) || S_ISBLK(mode)))
			err = make_node(place_dir(&p), p.child, mode, rdev);
		mutex_unlock(&place_dir(&p)->lock);
	}
	place_end(&p);
	return err;
}

static int make_symlink(struct inode *dir, struct dentry *child, const char *target)
{
	struct inode *inode;

	if (!dir->i_op->symlink)
		return -EPERM;
	inode = dir->i_op->symlink(dir, child->d_name, child->d_len, target);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	d_instantiate(child, inode);
	return 0;
}

SYSCALL_DEFINE3(symlinkat, const char *, utarget, int, dfd, const char *, upath)
{
	char *target = path_from_user(utarget);
	struct place p;
	int err;

	if (IS_ERR(target))
		return PTR_ERR(target);
	err = -ENOENT;
	if (!*target)
		goto out;
	err = start_create(&p, dfd, upath, false);
	if (!err) {
		err = make_symlink(place_dir(&p), p.child, target);
		mutex_unlock(&place_dir(&p)->lock);
	}
	place_end(&p);
out:
	path_free(target);
	return err;
}

static int make_link(struct inode *dir, struct dentry *child, struct inode *inode)
{
	int err;

	if (inode->i_sb != dir->i_sb)
		return -EXDEV;
	if (S_ISDIR(inode->i_mode) || !dir->i_op->link)
		return -EPERM;
	mutex_lock_nested(&inode->lock, LOCK_ENTRY);
	err = inode->i_nlink == 0 ? -ENOENT :
				    dir->i_op->link(dir, child->d_name, child->d_len, inode);
	mutex_unlock(&inode->lock);
	if (!err)
		d_instantiate(child, inode_get(inode));
	return err;
}

SYSCALL_DEFINE5(linkat, int, old_dfd, const char *, uold, int, new_dfd, const char *, unew,
		unsigned, flags)
{
	struct dentry *old;
	struct place p;
	char *path;
	int err;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	/* A descriptor that was handed on is not a right to the name's directory. */
	if ((flags & AT_EMPTY_PATH) && !is_fs_root())
		return -ENOENT;
	path = path_from_user(uold);
	if (IS_ERR(path))
		return PTR_ERR(path);
	old = path_lookup(old_dfd, path,
			  (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
				  (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0));
	path_free(path);
	if (IS_ERR(old))
		return PTR_ERR(old);
	err = start_create(&p, new_dfd, unew, false);
	if (!err) {
		err = make_link(place_dir(&p), p.child, old->d_inode);
		mutex_unlock(&place_dir(&p)->lock);
	}
	place_end(&p);
	dput(old);
	return err;
}

/* ---- removing ---- */

/* May @child be removed from @dir, as a directory if @is_dir? */
static int may_remove(const struct inode *dir, const struct dentry *child, bool is_dir)
{
	int err;

	if (!child->d_inode)
		return -ENOENT;
	err = may_take_name(dir, child->d_inode);
	if (err)
		return err;
	if (is_dir && !S_ISDIR(child->d_inode->i_mode))
		return -ENOTDIR;
	if (!is_dir && S_ISDIR(child->d_inode->i_mode))
		return -EISDIR;
	return child->d_mounted ? -EBUSY : 0;
}

/* Removes locked @dir's entry @child. */
static int remove_child(struct inode *dir, struct dentry *child, bool is_dir)
{
	struct inode *inode = child->d_inode;
	int (*op)(struct inode *, const char *, unsigned, struct inode *) =
		is_dir ? dir->i_op->rmdir : dir->i_op->unlink;
	int err = -EPERM;

	if (!op)
		return err;
	mutex_lock_nested(&inode->lock, LOCK_ENTRY);
	/* Something may have been mounted here since: mount(2) holds this lock. */
	err = child->d_mounted ? -EBUSY : op(dir, child->d_name, child->d_len, inode);
	mutex_unlock(&inode->lock);
	if (err)
		return err;
	d_drop(child);
	if (is_dir)
		d_forget_children(child);
	return 0;
}

/* The errno of unlink and rmdir for paths that end in no name. */
static int odd_last(enum last_type type, bool is_dir)
{
	if (type == LAST_NAME)
		return 0;
	if (!is_dir)
		return -EISDIR;
	return type == LAST_DOT ? -EINVAL : type == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
}

SYSCALL_DEFINE3(unlinkat, int, dfd, const char *, upath, unsigned, flags)
{
	bool is_dir = flags & AT_REMOVEDIR;
	struct place p;
	int err;

	if (flags & ~AT_REMOVEDIR)
		return -EINVAL;
	err = place_start(&p, dfd, upath);
	if (!err)
		err = odd_last(p.w.last_type, is_dir);
	if (!err)
		err = place_want_write(&p);
	if (err)
		goto out;
	mutex_lock(&place_dir(&p)->lock);
	err = place_lookup(&p);
	if (!err)
		err = may_remove(place_dir(&p), p.child, is_dir);
	if (!err && p.w.slash && !is_dir)
		err = -ENOTDIR;
	if (!err)
		err = remove_child(place_dir(&p), p.child, is_dir);
	mutex_unlock(&place_dir(&p)->lock);
out:
	place_end(&p);
	return err;
}

/* ---- renaming ---- */

/* Locks the two directories; rename_mutex held. */
static void lock_two(struct dentry *a, struct dentry *b)
{
	struct dentry *first = a;

	if (a == b) {
		mutex_lock(&a->d_inode->lock);
		return;
	}
	if (d_is_below(a, b) || (!d_is_below(b, a) && b->d_inode < a->d_inode))
		first = b;
	mutex_lock(&first->d_inode->lock);
	mutex_lock_nested(&(first == a ? b : a)->d_inode->lock, LOCK_SECOND_DIR);
}

static void unlock_two(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->d_inode->lock);
	if (a != b)
		mutex_unlock(&b->d_inode->lock);
}

/* May the two names be changed? */
static int may_edit_names(const struct place *old, const struct place *new)
{
	int err = may_take_name(place_dir(old), old->child->d_inode);

	if (err)
		return err;
	return new->child->d_inode ? may_take_name(place_dir(new), new->child->d_inode) :
				     may_edit_dir(place_dir(new));
}

/* May that be moved which moves? The ".." of a directory that comes into another one is written. */
static int may_move(const struct place *old, const struct place *new, bool exchange)
{
	const struct inode *inode = old->child->d_inode, *other = new->child->d_inode;
	int err = 0;

	if (place_dir(old) == place_dir(new))
		return 0;
	if (S_ISDIR(inode->i_mode))
		err = inode_permission(inode, MAY_WRITE);
	if (!err && exchange && S_ISDIR(other->i_mode))
		err = inode_permission(other, MAY_WRITE);
	return err;
}

/* What a slash after a name asks of it: a directory, and at the new name one that is there. */
static bool slash_fits(const struct place *old, const struct place *new, unsigned flags)
{
	if (S_ISDIR(old->child->d_inode->i_mode))
		return !(flags & RENAME_EXCHANGE) || !new->w.slash ||
		       S_ISDIR(new->child->d_inode->i_mode);
	if (old->w.slash)
		return false;
	if (flags & RENAME_EXCHANGE)
		return !new->w.slash || S_ISDIR(new->child->d_inode->i_mode);
	return !new->w.slash;
}

/* May @old's child become @new's? Both looked up, directories locked. */
static int may_rename(const struct place *old, const struct place *new, unsigned flags)
{
	const struct inode *inode = old->child->d_inode, *victim = new->child->d_inode;
	bool exchange = flags & RENAME_EXCHANGE;
	int err;

	if (!inode || (exchange && !victim))
		return -ENOENT;
	if (victim && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (!slash_fits(old, new, flags))
		return -ENOTDIR;
	if (d_is_below(new->w.dentry, old->child))
		return -EINVAL; /* into itself */
	if (victim && d_is_below(old->w.dentry, new->child))
		return exchange ? -EINVAL : -ENOTEMPTY; /* onto what it lies in */
	if (inode == victim)
		return 0;
	if (place_dir(new)->i_nlink == 0)
		return -ENOENT;
	err = may_edit_names(old, new);
	if (err)
		return err;
	if (!exchange && victim && S_ISDIR(inode->i_mode) && !S_ISDIR(victim->i_mode))
		return -ENOTDIR;
	if (!exchange && victim && !S_ISDIR(inode->i_mode) && S_ISDIR(victim->i_mode))
		return -EISDIR;
	if (old->child->d_mounted || new->child->d_mounted)
		return -EBUSY;
	if (exchange && !place_dir(old)->i_op->exchange)
		return -EINVAL;
	return place_dir(old)->i_op->rename ? may_move(old, new, exchange) : -EPERM;
}

/* The names change places. All is checked. */
static int exchange_names(struct place *old, struct place *new)
{
	struct inode *a = old->child->d_inode, *b = new->child->d_inode, *dir = place_dir(old);
	bool b_first = S_ISDIR(a->i_mode) == S_ISDIR(b->i_mode) ? b < a : S_ISDIR(b->i_mode);
	int err;

	mutex_lock_nested(b_first ? &b->lock : &a->lock, LOCK_ENTRY);
	mutex_lock_nested(b_first ? &a->lock : &b->lock, LOCK_SECOND_ENTRY);
	err = dir->i_op->exchange(dir, old->child->d_name, old->child->d_len, a, place_dir(new),
				  new->child->d_name, new->child->d_len, b);
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
	if (!err)
		d_exchange(old->child, new->child);
	return err;
}

/* The new name, and what it named if anything, become @old's. All is checked. */
static int replace_name(struct place *old, struct place *new)
{
	struct inode *victim = new->child->d_inode, *dir = place_dir(old);
	int err = -EBUSY;

	if (victim)
		mutex_lock_nested(&victim->lock, LOCK_ENTRY);
	/* Something may have been mounted here since: mount(2) holds this lock. */
	if (!new->child->d_mounted)
		err = dir->i_op->rename(dir, old->child->d_name, old->child->d_len,
					old->child->d_inode, place_dir(new), new->child->d_name,
					new->child->d_len, victim);
	if (victim)
		mutex_unlock(&victim->lock);
	if (err)
		return err;
	if (victim && S_ISDIR(victim->i_mode))
		d_forget_children(new->child);
	d_move(old->child, new->child);
	return 0;
}

static int rename_locked(struct place *old, struct place *new, unsigned flags)
{
	int err = place_lookup(old);

	if (!err)
		err = place_lookup(new);
	if (!err)
		err = may_rename(old, new, flags);
	if (err)
		return err;
	if (old->child->d_inode == new->child->d_inode)
		return 0; /* two names of one file: nothing to do, says rename(2) */
	return flags & RENAME_EXCHANGE ? exchange_names(old, new) : replace_name(old, new);
}

/* Two places of one file system, and names at the ends of both: -EXDEV, -EBUSY, -EEXIST. */
static int rename_places(const struct place *old, const struct place *new, unsigned flags)
{
	if (old->w.dentry->d_sb != new->w.dentry->d_sb)
		return -EXDEV;
	if (old->w.last_type != LAST_NAME)
		return -EBUSY;
	if (new->w.last_type != LAST_NAME)
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	return 0;
}

SYSCALL_DEFINE5(renameat2, int, old_dfd, const char *, uold, int, new_dfd, const char *, unew,
		unsigned, flags)
{
	struct place old, new = { .path = NULL };
	int err;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
	    flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
		return -EINVAL;
	err = place_start(&old, old_dfd, uold);
	if (!err)
		err = place_start(&new, new_dfd, unew);
	if (!err)
		err = rename_places(&old, &new, flags);
	if (!err)
		err = place_want_write(&old);
	if (err)
		goto out;
	mutex_lock(&rename_mutex);
	lock_two(old.w.dentry, new.w.dentry);
	err = rename_locked(&old, &new, flags);
	unlock_two(old.w.dentry, new.w.dentry);
	mutex_unlock(&rename_mutex);
out:
	place_end(&new);
	place_end(&old);
	return err;
}
