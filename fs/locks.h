/*
 * locks.h - the advisory locks of files: what fs/locks.c keeps and fs/flock.c asks for.
 */
#ifndef RAVEL_FS_LOCKS_H
#define RAVEL_FS_LOCKS_H

#include "fs/vfs.h"

/* Whose a lock is. The first two are one family: they exclude each other. */
enum lock_kind {
	LOCK_POSIX, /* of a table of descriptors: fcntl(F_SETLK) */
	LOCK_OFD,   /* of an open file: fcntl(F_OFD_SETLK) */
	LOCK_FLOCK, /* of an open file, the whole of it: flock() */
};

#define LOCK_MAX_OFFSET ((u64)LONG_MAX) /* "to the end of the file", however long it grows */

struct file_lock {
	struct file_lock *next; /* of the same inode */
	struct list_head all;	/* of all inodes: /proc/locks */
	struct inode *inode;
	const void *owner; /* struct files or struct file; only compared */
	pid_t pid;	   /* who took it; -1 for LOCK_OFD */
	enum lock_kind kind;
	int type;	/* F_RDLCK, F_WRLCK; in requests F_UNLCK too */
	u64 start, end; /* first and last byte */
};

/*
 * Gives @want->owner the lock @want, or takes its bytes from it (F_UNLCK). What the owner had there
 * is replaced; neighbours of one type become one. 0; -EAGAIN: somebody else's lock is in the way,
 * and @wait is false; -EDEADLK: the wait would have no end; -ERESTARTSYS; -ENOLCK: no memory. May
 * sleep.
 */
int locks_set(const struct file_lock *want, bool wait);
/* @want becomes a copy of the first lock that is in its way, or F_UNLCK: none. */
void locks_test(struct file_lock *want);
/* Takes every lock of @owner off @inode. For those who saw inode->i_locks set. */
void locks_remove(struct inode *inode, const void *owner);

/* One line of /proc/locks. */
struct lock_view {
	unsigned number; /* of the lock; waiters have that of the lock in their way */
	bool waiting;
	enum lock_kind kind;
	int type;
	pid_t pid;
	dev_t dev;
	ino_t ino;
	u64 start, end;
};

/* Fills up to @max lines; returns how many there are. */
unsigned locks_view(struct lock_view *views, unsigned max);

/* The lock commands of fcntl(2); -EINVAL for all others. */
long fcntl_lock(int fdnum, struct fd fd, unsigned cmd, unsigned long arg);

#endif
