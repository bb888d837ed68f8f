/*
 * disk.h - a disk in memory for the file systems of fs/, and a mount of it. disk.c has the drawing.
 */
#ifndef RAVEL_HOST_DISK_H
#define RAVEL_HOST_DISK_H

#include "fs/internal.h"

struct super_block;

/* Once, after machine_boot(): the block layer, inodes, names and ext2. @bytes: the disk's size. */
u8 *disk_boot(size_t bytes);
/* The disk holds something else now; nothing is mounted. The page cache of it is forgotten. */
void disk_set_size(size_t bytes);
/* Mounts and unmounts it, as fs/mount.c does but without a name. ERR_PTR(-errno). */
struct super_block *disk_mount(unsigned flags);
void disk_unmount(struct super_block *sb);
/* Everything put away: panics when more objects or pages are in use than after disk_boot(). */
void disk_check_rest(void);

#endif
