/*
 * resource.h - what a process may use (limits) and has used. kernel/resource.c
 */
#ifndef RAVEL_KERNEL_RESOURCE_H
#define RAVEL_KERNEL_RESOURCE_H

#include "kernel/task.h"

/* struct rusage of getrusage(2). */
struct rusage_abi {
	s64 utime_sec, utime_usec, stime_sec, stime_usec;
	long maxrss; /* KiB */
	long ixrss, idrss, isrss;
	long minflt, majflt;
	long nswap, inblock, oublock, msgsnd, msgrcv, nsignals; /* 0: nobody counts */
	long nvcsw, nivcsw;
};

/* What @task has used by itself. */
void rusage_of_task(const struct task *task, struct rusage_sums *sums);
/* Adds @more to @sums; of max_rss the larger stays. */
void rusage_add(struct rusage_sums *sums, const struct rusage_sums *more);
void rusage_to_abi(const struct rusage_sums *sums, struct rusage_abi *abi);

/* The limits of the first process. */
void rlimits_init(struct task *task);

#endif
