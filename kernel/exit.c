/*
 * exit.c - the end of a task.
 *
 *	do_exit(): memory, files, directories go; children to init; zombie; parent told; schedule()
 *	  parent waits   -> reaped by wait4() (kernel/wait4.c), which also frees stack and task
 *	  parent does not care (SIGCHLD ignored) -> TASK_DEAD: the task switched to frees both
 *
 * Invariants: a zombie owns its stack, its pid and its accounts, no memory and no files; only init
 * has no successor: when it ends, so does the machine.
 * Locks: task_lock for the family and the change to zombie. task->mm, files and fs are changed
 * under it, because others look at them (/proc).
 */
#include "arch/riscv/uaccess.h"
#include "drivers/tty.h"
#include "fs/vfs.h"
#include "kernel/exits.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "mm/mm.h"

/* Takes the address space off the task and this hart, and gives it back. */
static void exit_mm(struct task *task)
{
	struct mm *mm = task->mm;
	struct mm_freed freed;
	unsigned long flags;

	if (!mm)
		return;
	if (task->clear_child_tid && atomic_read(&mm->users) > 1)
		put_user(0, task->clear_child_tid);
	task->max_rss = max(task->max_rss, max(mm->hiwater_rss, mm_rss(mm)));
	flags = spin_lock_irqsave(&task_lock);
	task->mm = NULL;
	spin_unlock(&task_lock);
	mm_switch(NULL);
	local_irq_restore(flags);
	mm_put_freed(mm, &freed);
	exits_record(task, &freed);
	complete_vfork(task);
}

static void exit_files(struct task *task)
{
	struct files *files = task->files;
	struct fs_context *fs = task->fs;
	unsigned long flags = spin_lock_irqsave(&task_lock);

	task->files = NULL;
	task->fs = NULL;
	spin_unlock_irqrestore(&task_lock, flags);
	if (files)
		files_put(files);
	if (fs)
		fs_context_put(fs);
}

/* ---- process groups left without anyone to continue them ---- */

bool pgrp_is_orphaned(pid_t pgid, const struct task *without)
{
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid != pgid || task == without || task->state == TASK_ZOMBIE ||
		    task->parent == init_task)
			continue;
		if (task->parent->pgid != pgid && task->parent->sid == task->sid)
			return false;
	}
	return true;
}

static bool pgrp_has_stopped(pid_t pgid)
{
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pgid && READ_ONCE(task->state) == TASK_STOPPED)
			return true;
	}
	return false;
}

/*
 * POSIX: a stopped group that @task's end makes an orphan gets SIGHUP and SIGCONT. task_lock
 * held.
 */
static void hang_up_orphans(struct task *task, struct task *member, struct task *parent)
{
	struct task *t;

	if (parent->pgid == member->pgid || parent->sid != member->sid ||
	    !pgrp_has_stopped(member->pgid) || !pgrp_is_orphaned(member->pgid, task))
		return;
	list_for_each_entry(t, &task_list, all_link) {
		if (t->pgid == member->pgid) {
			send_signal(t, SIGHUP, NULL);
			send_signal(t, SIGCONT, NULL);
		}
	}
}

/* ---- family ---- */

/* The children of @task go to init. task_lock held. */
static void reparent_children(struct task *task)
{
	struct task *child, *next;

	list_for_each_entry_safe(child, next, &task->children, sibling) {
		child->parent = init_task;
		child->ppid = init_task->pid;
		child->exit_signal = SIGCHLD;
		list_move_tail(&child->sibling, &init_task->children);
		if (child->state == TASK_ZOMBIE)
			notify_parent(child, child->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED);
		hang_up_orphans(NULL, child, task);
	}
}

/* True when the parent has said that it will not wait. */
static bool parent_ignores(const struct task *task)
{
	const struct sigaction_k *action = &task->parent->sigaction[SIGCHLD];

	return task->exit_signal == SIGCHLD &&
	       (action->handler == SIG_IGN || (action->flags & SA_NOCLDWAIT));
}

/* The last act that others see: zombie or gone. */
static void exit_notify(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	bool alone = parent_ignores(task);

	reparent_children(task);
	hang_up_orphans(task, task, task->parent);
	if (alone)
		task_detach(task);
	WRITE_ONCE(task->state, alone ? TASK_DEAD : TASK_ZOMBIE);
	notify_parent(task, task->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED);
	spin_unlock_irqrestore(&task_lock, flags);
}

void do_exit(int code)
{
	struct task *task = current;

	if (task == init_task)
		panic("init exited: %s %d", code & 0x7f ? "killed by signal" : "status",
		      code & 0x7f ? code & 0x7f : code >> 8);
	task->exit_code = code;
	itimer_stop();
	exit_mm(task);
	exit_signals(task);
	exit_files(task);
	if (task->tty && task->sid == task->pid)
		tty_session_exit(task);
	sched_account_self();
	exit_notify(task);
	schedule();
	panic("a dead task was switched to");
}

SYSCALL_DEFINE1(exit, int, status)
{
	do_exit(EXIT_CODE(status));
}

SYSCALL_DEFINE1(exit_group, int, status)
{
	do_exit(EXIT_CODE(status));
}
