/*
 * oom.h - when reclaim finds nothing more: whose memory is taken. mm/oom.c has the drawing.
 */
#ifndef RAVEL_MM_OOM_H
#define RAVEL_MM_OOM_H

#include "kernel/task.h"
#include "mm/mm.h"

#define OOM_SCORE_ADJ_MIN (-1000) /* never chosen */
#define OOM_SCORE_ADJ_MAX 1000
#define OOM_NEVER	  (-LONG_MAX) /* points of who is never killed */

/* ---- for the fault path (mm/oom.c) ---- */

/*
 * Called without locks of mm/ when a touch of @addr for @access found no memory. Sees to it that
 * somebody gives memory back, and sleeps a moment. True: try again. False: the current task is to
 * die itself, or there is nobody to kill: its fault fails. @luck: 0 at the first call for a fault,
 * then kept by the caller; it counts how often memory was found to have come back meanwhile.
 */
bool oom_make_room(unsigned long addr, enum fault_access access, unsigned *luck);

/* ---- whom it hits ---- */

/* How much killing a process would free, and its wish; OOM_NEVER: it is never killed. Pages. */
struct oom_weight {
	unsigned long rss, swap, tables;
	int adj;     /* oom_score_adj */
	long points; /* rss + swap + tables + adj thousandths of all there is */
};

/* Weighs @task, whose memory is @mm (NULL: never). task_lock held. */
void oom_weigh(const struct task *task, const struct mm *mm, struct oom_weight *weight);
/* What /proc/<pid>/oom_score shows: 0 (never killed) to 2000 * 2 / 3; 666 is nothing special. */
unsigned oom_score(const struct task *task);
/*
 * Sets the wish of @task and of who shares its memory; @legacy: by oom_adj, which lowers nothing
 * without the right to. -EINVAL: @adj is out of range; -EACCES: only root may go so low.
 */
int oom_set_score_adj(struct task *task, long adj, bool legacy);

/* ---- the report (mm/oom_report.c) ---- */

#define OOM_ROWS 10

/* A process that could be killed. */
struct oom_row {
	pid_t pid;
	struct oom_weight weight;
	char comm[TASK_COMM_LEN];
};

/* The heaviest, in order of their points, and how many there were in all. */
struct oom_table {
	struct oom_row row[OOM_ROWS];
	unsigned nr, all;
};

void oom_table_add(struct oom_table *table, const struct task *task,
		   const struct oom_weight *weight);
/* One block on the console: who asked for what, the state of memory, the table; bounded. */
void oom_report(const struct oom_table *table, unsigned long addr, enum fault_access access);

/* ---- the reaper (mm/oom_reaper.c) ---- */

/* @mm, all of whose tasks have been sent SIGKILL, is a victim from now on. task_lock held. */
void oom_mark_victim(struct mm *mm);
/* True while a victim has neither gone nor been given up. */
bool oom_victim_is_dying(void);
/*
 * One round: takes from each victim what memory of its own it still has, where mmap_lock can be
 * had; after OOM_TRIES rounds it is given up. True: somebody is left for another round.
 */
bool oom_reap_round(void);
#define OOM_TRIES 10

/* Boot: starts the kernel thread that makes the rounds (kernel/oomreaper.c). */
void oom_reaper_start(void);
/* There is a victim: it has a look at it. No spinlock held. */
void oom_wake_reaper(void);

/*
 * Private memory of @mm may have been taken while tasks of it still run: what is not there must not
 * be made afresh. Asked under the leaf lock before an empty PTE is filled in a private area.
 */
static inline bool mm_is_reaped(const struct mm *mm)
{
	return unlikely(READ_ONCE(mm->oom_reaped));
}

#endif
