/*
 * permission.c - who may do what to files: mode bits, owners, sticky directories, set-id bits.
 *
 *	mode  rwx rwx rwx     the first that fits: owner (fsuid), group (fsgid and further groups),
 *	      own grp oth     others; what it does not say, only root may
 *	root  all, but executing a file wants one x bit
 *
 * Locks: fields of the inode are read without; changed under the inode's lock.
 */
#include "fs/permission.h"

int check_permission(const struct inode *inode, int mask)
{
	mode_t mode = READ_ONCE(inode->i_mode);

	if (is_fs_root())
		return !(mask & MAY_EXEC) || S_ISDIR(mode) || (mode & S_IXUGO) ? 0 : -EACCES;
	if (current->cred.fsuid == inode->i_uid)
		mode >>= 6;
	else if (in_fs_group(inode->i_gid))
		mode >>= 3;
	return (mode & mask) == (unsigned)mask ? 0 : -EACCES;
}

int may_take_name(const struct inode *dir, const struct inode *inode)
{
	int err = may_edit_dir(dir);

	if (!err && (dir->i_mode & S_ISVTX) && !is_owner(inode) && !is_owner(dir))
		err = -EPERM;
	return err;
}

void inode_init_owner(struct inode *inode, const struct inode *dir)
{
	inode->i_uid = current->cred.fsuid;
	inode->i_gid = current->cred.fsgid;
	if (!(dir->i_mode & S_ISGID))
		return;
	inode->i_gid = dir->i_gid;
	if (S_ISDIR(inode->i_mode))
		inode->i_mode |= S_ISGID;
	else if ((inode->i_mode & S_IXGRP) && !is_fs_root() && !in_fs_group(dir->i_gid))
		inode->i_mode &= ~S_ISGID; /* a foreign group's rights are not for sale */
}

mode_t setid_bits_to_drop(mode_t mode, u32 gid)
{
	mode_t drop = mode & S_ISUID;

	if ((mode & S_IXGRP) || (!is_fs_root() && !in_fs_group(gid)))
		drop |= mode & S_ISGID;
	return drop;
}

void drop_setid(struct inode *inode)
{
	mode_t drop = setid_bits_to_drop(READ_ONCE(inode->i_mode), inode->i_gid);

	if (likely(!drop) || !S_ISREG(inode->i_mode))
		return;
	mutex_lock(&inode->lock);
	inode->i_mode &= ~drop;
	inode->i_ctime = fs_now();
	inode_mark_dirty(inode, I_DIRTY_ATTR);
	mutex_unlock(&inode->lock);
}
