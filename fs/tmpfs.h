/*
 * tmpfs.h - files in memory that no directory names: what shared memory of every kind is made of.
 */
#ifndef RAVEL_FS_TMPFS_H
#define RAVEL_FS_TMPFS_H

#include "fs/vfs.h"

/*
 * A file in memory that no directory names, of @size bytes of zeros; @name is for people, in
 * /proc/<pid>/maps. The inode, an open file on it (which takes over a reference; NULL: no memory,
 * and it does not), or both. ERR_PTR(-ENOMEM), -ENOSPC.
 */
struct inode *tmpfs_nameless_inode(const char *name, mode_t mode, u64 size);
struct file *tmpfs_nameless_open(struct inode *inode, int flags);
struct file *tmpfs_nameless_file(const char *name, mode_t mode, u64 size);
/* That name, or NULL for any other inode. */
const char *tmpfs_nameless_name(const struct inode *inode);

/* 0, or -EPERM when a seal of @inode, which is locked, forbids it: to write [pos, pos + len) ... */
int seals_allow_write(const struct inode *inode, u64 pos, u64 len);
/* ... to make it @size bytes long; to change the bits of its mode to @mode. */
int seals_allow_size(const struct inode *inode, u64 size);
int seals_allow_mode(const struct inode *inode, mode_t mode);
/* fcntl(2): F_GET_SEALS and F_ADD_SEALS. -EINVAL: files of that kind have none; -EPERM, -EBUSY. */
long file_get_seals(const struct file *file);
long file_add_seals(struct file *file, unsigned seals);

#endif
