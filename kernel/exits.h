/*
 * exits.h - the last processes that ended, and the frames that each gave back: /proc/exits.
 */
#ifndef RAVEL_KERNEL_EXITS_H
#define RAVEL_KERNEL_EXITS_H

#include "kernel/task.h"
#include "mm/mm.h"

struct exit_record {
	pid_t pid;
	int code;	       /* as wait4() returns it */
	unsigned long max_rss; /* pages */
	struct mm_freed freed;
	char comm[TASK_COMM_LEN];
};

/* @task, which is ending, has put its address space. */
void exits_record(const struct task *task, const struct mm_freed *freed);
/*
 * Copies record number *@n, or the oldest that is kept if that is younger, and moves *@n behind it;
 * false: there is none yet. Begin with 0.
 */
bool exits_next(unsigned *n, struct exit_record *record);

#endif
