/*
 * exits.c - the last processes that ended, and the frames that each gave back: /proc/exits.
 *
 *	record number   ... 40 41 42 43 44          (nr_exits = 45)
 *	slot            n % NR_RECORDS              the newest NR_RECORDS are kept
 *
 * Where several tasks share an address space, its frames are told with the one that ends last.
 *
 * Locks: exits_lock, innermost.
 */
#include "kernel/exits.h"

#include "lib/string.h"

#define NR_RECORDS 32

static struct spinlock exits_lock;
static struct exit_record records[NR_RECORDS];
static unsigned nr_exits;

void exits_record(const struct task *task, const struct mm_freed *freed)
{
	struct exit_record *record;

	spin_lock(&exits_lock);
	record = &records[nr_exits++ % NR_RECORDS];
	record->pid = task->pid;
	record->code = task->exit_code;
	record->max_rss = task->max_rss;
	record->freed = *freed;
	memcpy(record->comm, task->comm, sizeof(record->comm));
	spin_unlock(&exits_lock);
}

bool exits_next(unsigned *n, struct exit_record *record)
{
	bool there;

	spin_lock(&exits_lock);
	if (nr_exits > NR_RECORDS && *n < nr_exits - NR_RECORDS)
		*n = nr_exits - NR_RECORDS;
	there = *n < nr_exits;
	if (there)
		*record = records[(*n)++ % NR_RECORDS];
	spin_unlock(&exits_lock);
	return there;
}
