/*
 * oom.c - the last resort: somebody is killed so that the others can go on.
 *
 *	fault finds no memory, reclaim finds nothing -> the process with the most resident pages
 *	(never init) gets SIGKILL -> the fault is tried again while it dies
 *
 * One victim at a time: while one is dying nobody else is chosen. A system call that finds no
 * memory fails with ENOMEM instead; only faults cannot say no.
 *
 * Locks: task_lock while the tasks are compared; none while waiting.
 */
#include "mm/oom.h"

#include "arch/riscv/hart.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/internal.h"
#include "mm/vmstat.h"

/* Resident pages of @task, which is worth killing; 0: it is not. task_lock held. */
static unsigned long badness(const struct task *task)
{
	if (task == init_task || !task->mm || task->state == TASK_ZOMBIE)
		return 0;
	return mm_rss(task->mm) + task->mm->nr_ptes;
}

/*
 * Kills the process with the most pages, in @name and @pages, and whoever shares its memory. False:
 * there is none. Nobody more is killed, and @name is empty, while one is dying already.
 */
static bool kill_largest(char name[TASK_COMM_LEN], unsigned long *pages)
{
	struct task *task, *worst = NULL;
	unsigned long flags;
	bool dying = false;

	*pages = 0;
	name[0] = '\0';
	flags = spin_lock_irqsave(&task_lock);
	list_for_each_entry(task, &task_list, all_link) {
		unsigned long bad = badness(task);

		dying |= bad > 0 && task->killed;
		if (bad > *pages) {
			*pages = bad;
			worst = task;
		}
	}
	if (worst && !dying) {
		strlcpy(name, worst->comm, TASK_COMM_LEN);
		list_for_each_entry(task, &task_list, all_link) {
			if (task->mm == worst->mm)
				send_signal(task, SIGKILL, NULL);
		}
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return worst;
}

/* A sleep, not a spin: the victim may need this hart to die on. */
static void wait_a_moment(void)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;
	struct wait_queue nobody_wakes;

	wait_queue_init(&nobody_wakes);
	prepare_to_wait(&nobody_wakes, &entry, TASK_KILLABLE);
	if (!signal_ends_sleep(TASK_KILLABLE))
		schedule_until(ktime_ns() + NSEC_PER_SEC / 1000);
	finish_wait(&nobody_wakes, &entry);
}

bool oom_make_room(void)
{
	char name[TASK_COMM_LEN];
	unsigned long pages;

	if (current->killed || !kill_largest(name, &pages))
		return false;
	if (name[0]) {
		printk("out of memory: %lu pages free; killed %s, which has %lu\n", nr_free_pages(),
		       name, pages);
		count_vm(VM_oom_kill);
	}
	wait_a_moment();
	return !current->killed;
}
