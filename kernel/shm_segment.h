/*
 * shm_segment.h - what kernel/shm.c and kernel/shmctl.c know of a segment. kernel/shm.c has the
 * drawing.
 */
#ifndef RAVEL_KERNEL_SHM_SEGMENT_H
#define RAVEL_KERNEL_SHM_SEGMENT_H

#include "fs/tmpfs.h"
#include "kernel/shm.h"

#define IPC_PRIVATE  0
#define ACCESS_MODES 0777u

#define SHM_DEST   01000u /* in mode */
#define SHM_LOCKED 02000u

#define INDEX_BITS 15
#define INDEX_MASK ((1u << INDEX_BITS) - 1)

struct shm_segment {
	int id, key;
	u32 mode, uid, gid, cuid, cgid;
	struct inode *inode; /* a reference */
	size_t size;
	s64 atime, dtime, ctime;
	pid_t cpid, lpid;
	unsigned attaches;
};

extern struct spinlock shm_lock; /* guards all that follows */
extern struct shm_segment *shm_slots[SHMMNI];
extern unsigned nr_shm_segments;
extern unsigned long nr_shm_total_pages;

/* All but the last want shm_lock held. */

/* May the current task remove and change @seg? */
bool shm_is_owner(const struct shm_segment *seg);
/* @want: permission bits, of which one class is asked for: 0444, 0666 ... 0 or -EACCES. */
int shm_may_use(const struct shm_segment *seg, u32 want);
/* The segment of @id, or NULL. */
struct shm_segment *shm_find(int id);
/* Takes @seg out of its slot if nobody needs it any more; the caller frees it then. */
bool shm_take_if_unused(struct shm_segment *seg);
void shm_free(struct shm_segment *seg);

#endif
