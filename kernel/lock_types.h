/*
 * lock_types.h - the structures of the locks, apart from their operations (kernel/lock.h), so that
 * struct task can contain a lock although the operations look at the current task.
 */
#ifndef RAVEL_KERNEL_LOCK_TYPES_H
#define RAVEL_KERNEL_LOCK_TYPES_H

#include "lib/list.h"
#include "lib/types.h"

struct task;

/*
 * Test and set: whoever comes first after a release gets it. A lock that admits in order of arrival
 * would be fairer, but harts are threads of the emulator here, and often more than the host has
 * cores: such a lock is handed to one that does not run at all (measured: 140 hand-overs a second,
 * with four harts on two cores). `owner` is the holder's hart + 1, for the assertions only; `class`
 * is for the debug kernel (kernel/lockdep.c).
 */
struct spinlock {
	u32 locked;
	u16 owner;
	u16 class;
};

#define SPINLOCK_INIT                                                                              \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

/* `lock` guards the other two. */
struct mutex {
	struct spinlock lock;
	struct task *owner;
	struct list_head waiters;
};

/*
 * count = RWSEM_READER for each reader | RWSEM_WRITER | RWSEM_WAITERS, changed atomically. While
 * RWSEM_WAITERS is set nobody enters without `lock`, which guards the queue.
 */
struct rwsem {
	struct spinlock lock;
	int count;
	struct task *writer;
	struct list_head waiters;
};

#endif
