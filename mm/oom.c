/*
 * oom.c - the last resort: somebody is killed so that the others can go on.
 *
 *	a touch of user memory finds none, reclaim finds nothing
 *	  |
 *	  |  memory came back meanwhile         -> try again
 *	  |  a victim is dying                  -> wait a moment, try again
 *	  |  somebody has SIGKILL already       -> he is the victim, and is hurried up
 *	  v  else: the heaviest
 *	oom_report()  who asked, what there is, the table            mm/oom_report.c
 *	SIGKILL       to all tasks that share the memory
 *	the reaper    takes the memory if they do not end soon       mm/oom_reaper.c
 *
 *	points = resident pages + swapped pages + page tables + oom_score_adj / 1000 of RAM and swap
 *
 * Only a program's own touch of its memory, and the copies that system calls make for it, come
 * here: they cannot say no. Whatever can fail with ENOMEM does: system calls, exec, populating
 * (mlock, MAP_POPULATE), peeks into others (handle_mm_fault_or_fail()).
 *
 * Never killed: init and who shares its memory, kernel threads, who has oom_score_adj -1000 or
 * shares the memory of one. With nobody left to kill init waits; anybody else's fault fails.
 *
 * Invariant: one victim at a time; the next only when the last has gone, was reaped, or could not
 * be reaped for a second.
 * Locks: oom_lock, only ever tried, so that nobody spins while a report is printed; inside it
 * task_lock while the tasks are weighed and killed; none while waiting.
 * Source: proc_pid_oom_score(5); Linux's documentation of /proc ("oom_score").
 */
#include "mm/oom.h"

#include "arch/riscv/hart.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/internal.h"
#include "mm/swap.h"
#include "mm/vmstat.h"

#define LUCK_MAX    64 /* memory came back so often, and the fault got none of it: it fails */
#define SCORE_SCALE 1000

static struct spinlock oom_lock = SPINLOCK_INIT;
static struct oom_table table;	/* oom_lock */
static unsigned long nr_chosen; /* victims so far; oom_lock */

/* ---- weights ---- */

static unsigned long pages_in_all(void)
{
	return nr_managed_pages() + swap_nr_slots();
}

/* Another task of @mm must not be killed. */
static bool shared_with_spared(const struct mm *mm)
{
	const struct task *task;

	if (init_task && init_task->mm == mm)
		return true;
	if (atomic_read(&mm->users) <= 1)
		return false;
	list_for_each_entry(task, &task_list, all_link) {
		if (task->mm == mm && task->oom_score_adj == OOM_SCORE_ADJ_MIN)
			return true;
	}
	return false;
}

void oom_weigh(const struct task *task, const struct mm *mm, struct oom_weight *weight)
{
	*weight = (struct oom_weight){ .adj = task->oom_score_adj, .points = OOM_NEVER };
	if (!mm || task == init_task || task->state == TASK_ZOMBIE ||
	    task->oom_score_adj == OOM_SCORE_ADJ_MIN || shared_with_spared(mm))
		return;
	weight->rss = mm_rss(mm);
	weight->swap = mm_swapped(mm);
	weight->tables = READ_ONCE(mm->nr_ptes) + 1;
	weight->points = weight->rss + weight->swap + weight->tables;
	weight->points += task->oom_score_adj * (long)pages_in_all() / SCORE_SCALE;
}

unsigned oom_score(const struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct oom_weight weight;
	long score = 0;

	oom_weigh(task, task->mm, &weight);
	spin_unlock_irqrestore(&task_lock, flags);
	if (weight.points != OOM_NEVER)
		score = SCORE_SCALE + weight.points * SCORE_SCALE / (long)pages_in_all();
	return max(score * 2 / 3, 0L);
}

int oom_set_score_adj(struct task *task, long adj, bool legacy)
{
	bool root = current->cred.euid == 0;
	struct task *t;
	unsigned long flags;
	int err = 0;

	if (adj < OOM_SCORE_ADJ_MIN || adj > OOM_SCORE_ADJ_MAX)
		return -EINVAL;
	flags = spin_lock_irqsave(&task_lock);
	if (!root && adj < (legacy ? task->oom_score_adj : task->oom_score_adj_min)) {
		err = -EACCES;
		goto out;
	}
	list_for_each_entry(t, &task_list, all_link) {
		/* A child of vfork() wishes for itself, not for its parent. */
		if (t != task && (!task->mm || t->mm != task->mm || task->vfork_done))
			continue;
		t->oom_score_adj = adj;
		if (root && !legacy)
			t->oom_score_adj_min = adj;
	}
out:
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

/* ---- the choice ---- */

/* @task was killed by others, and its memory will be free. */
static bool is_going_anyway(const struct task *task)
{
	return task->killed && task != init_task && atomic_read(&task->mm->users) == 1;
}

/* The heaviest task, or one that is going anyway (*going). NULL: nobody. task_lock held. */
static struct task *choose(bool *going)
{
	struct task *task, *worst = NULL;
	long most = OOM_NEVER;

	table.nr = table.all = 0;
	*going = false;
	list_for_each_entry(task, &task_list, all_link) {
		struct oom_weight weight;

		if (!task->mm || task->mm->oom_victim)
			continue;
		if (is_going_anyway(task)) {
			*going = true;
			return task;
		}
		oom_weigh(task, task->mm, &weight);
		if (weight.points == OOM_NEVER)
			continue;
		oom_table_add(&table, task, &weight);
		if (weight.points >= most) {
			most = weight.points;
			worst = task;
		}
	}
	return worst;
}

/*
 * All who share the memory: it comes back only when all have gone. First the signals, then the
 * mark: whoever finds his memory reaped has a SIGKILL to die of.
 */
static void kill_sharers(struct mm *mm)
{
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->mm != mm)
			continue;
		WRITE_ONCE(task->oom_victim, true);
		send_signal(task, SIGKILL, NULL);
	}
	oom_mark_victim(mm);
}

/*
 * Chooses and kills; *@row: whom, with pid 0 where that is nobody's news. False: there is nobody.
 * oom_lock held.
 */
static bool kill_somebody(struct oom_row *row)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *victim;
	bool going;

	row->pid = 0;
	victim = choose(&going);
	if (victim && !going) {
		row->pid = victim->pid;
		strlcpy(row->comm, victim->comm, TASK_COMM_LEN);
		oom_weigh(victim, victim->mm, &row->weight);
	}
	if (victim)
		kill_sharers(victim->mm);
	spin_unlock_irqrestore(&task_lock, flags);
	return victim;
}

/* ---- waiting ---- */

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

/*
 * What could not be had a moment ago can be: nobody needs to die. Of single pages as many as a
 * touch may need at once: one that it had to give back, for want of a table, is nothing new.
 */
static bool memory_came_back(void)
{
	struct failed_alloc failed = current->failed_alloc;
	unsigned wanted = failed.order == 0 ? PT_LEVELS : 1, got = 0;
	struct page *pages[PT_LEVELS];

	while (got < wanted &&
	       (pages[got] = alloc_pages(failed.order, GFP_KERNEL | GFP_UNFAILED)) != NULL)
		got++;
	for (unsigned i = 0; i < got; i++)
		free_pages(pages[i], failed.order);
	current->failed_alloc = failed;
	return got == wanted;
}

/* Somebody is chosen, or there is nobody: false. No victim is dying. oom_lock held. */
static bool choose_and_tell(unsigned long addr, enum fault_access access)
{
	struct oom_row row;
	bool found;

	found = kill_somebody(&row);
	if (!found || row.pid == 0)
		return found;
	oom_report(&table, addr, access);
	printk("oom: killed %d (%s): %lu pages resident, %lu swapped, %lu tables\n", row.pid,
	       row.comm, row.weight.rss, row.weight.swap, row.weight.tables);
	count_vm(VM_oom_kill);
	return true;
}

/*
 * As oom_make_room() would, no victim having been dying when @seen was chosen. Another one may have
 * been chosen, and have gone, since memory was looked for: then that look says nothing.
 */
static bool choose_unless_others_did(unsigned long addr, enum fault_access access,
				     unsigned long seen)
{
	bool found = true;

	if (!spin_trylock(&oom_lock))
		return true;
	if (nr_chosen == seen && !oom_victim_is_dying()) {
		found = choose_and_tell(addr, access);
		nr_chosen += found;
	}
	spin_unlock(&oom_lock);
	if (found)
		oom_wake_reaper();
	return found;
}

bool oom_make_room(unsigned long addr, enum fault_access access, unsigned *luck)
{
	unsigned long seen = READ_ONCE(nr_chosen);
	bool found = true;

	if (current->killed)
		return false;
	if (!oom_victim_is_dying()) {
		if (!memory_came_back())
			found = choose_unless_others_did(addr, access, seen);
		else if (++*luck < LUCK_MAX)
			return true;
		else
			found = false;
	}
	/* Init does not die of it: what it lacks may come back without anybody's death. */
	if (!found && current != init_task)
		return false;
	wait_a_moment();
	return !current->killed;
}
