/*
 * permission.h - may the current task do this to that file? The rules are in fs/permission.c.
 */
#ifndef RAVEL_FS_PERMISSION_H
#define RAVEL_FS_PERMISSION_H

#include "fs/vfs.h"
#include "kernel/task.h"

#define MAY_EXEC  1 /* of directories: search */
#define MAY_WRITE 2
#define MAY_READ  4

/* True for root as far as files are concerned. */
static inline bool is_fs_root(void)
{
	return likely(current->cred.fsuid == 0);
}

/* The slow path of inode_permission(). */
int check_permission(const struct inode *inode, int mask);

/*
 * 0, or -EACCES: the current task's fs ids do not allow all of @mask (MAY_*) on @inode. A walk asks
 * at each step, so root's answer for directories is here.
 */
static inline int inode_permission(const struct inode *inode, int mask)
{
	if (is_fs_root() && (!(mask & MAY_EXEC) || S_ISDIR(inode->i_mode)))
		return 0;
	return check_permission(inode, mask);
}

/* True for the owner of @inode and for root: who may change what a file says of itself. */
static inline bool is_owner(const struct inode *inode)
{
	return is_fs_root() || current->cred.fsuid == inode->i_uid;
}

/* May names be added to @dir? 0 or -EACCES. */
static inline int may_edit_dir(const struct inode *dir)
{
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

/* May @inode's name be taken out of @dir? 0, -EACCES, or -EPERM: not his, and sticky. */
int may_take_name(const struct inode *dir, const struct inode *inode);

/*
 * Gives new @inode, made in @dir, its owner; set-group-id directories hand down their group, and to
 * directories the bit. For create(), symlink() and mknod() of file systems.
 */
void inode_init_owner(struct inode *inode, const struct inode *dir);

/* The set-id bits that a file of @mode and @gid loses when its owner or its bytes change. */
mode_t setid_bits_to_drop(mode_t mode, u32 gid);
/* The slow path of inode_drop_setid(). */
void drop_setid(struct inode *inode);

/* @inode's bytes are about to change: unless root does it, set-id bits go. Takes the inode lock. */
static inline void inode_drop_setid(struct inode *inode)
{
	if (unlikely(!is_fs_root()))
		drop_setid(inode);
}

#endif
