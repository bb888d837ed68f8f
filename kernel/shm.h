/*
 * shm.h - System V shared memory, as /proc shows it. The calls themselves are in kernel/shm.c.
 */
#ifndef RAVEL_KERNEL_SHM_H
#define RAVEL_KERNEL_SHM_H

#include "arch/riscv/memlayout.h"

#define SHMMNI 4096U
#define SHMMAX ((unsigned long)LONG_MAX - PAGE_SIZE) /* bytes of one segment */
#define SHMALL (SHMMAX >> PAGE_SHIFT)		     /* pages of all segments */

/* What IPC_STAT tells; all numbers are those of the moment. */
struct shm_view {
	int id, key;
	u32 mode; /* permission bits, SHM_DEST, SHM_LOCKED */
	u32 uid, gid, cuid, cgid;
	u16 seq;
	size_t size; /* bytes */
	s64 atime, dtime, ctime;
	int cpid, lpid;
	unsigned long nr_attached, nr_pages, nr_swapped;
};

/* Fills @view for the first segment whose slot is *@slot or above, and sets *@slot to it. */
bool shm_view_next(unsigned *slot, struct shm_view *view);

/* Power-off: segments outlive processes, so those that nobody attaches go now. Task context. */
void shm_remove_all(void);

#endif
