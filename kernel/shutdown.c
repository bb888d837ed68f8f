/*
 * shutdown.c - the debug kernel's way to power-off: what is in use when nobody is left, is a leak.
 *
 *	reboot(2) --> thread "shutdown"    becomes init; the caller waits to be killed like all
 *	                SIGKILL to every process, each zombie reaped
 *	                vfs_shutdown()       the disks are clean from here on
 *	                thread "unmount"     waits for ever for an inode that somebody forgot: so
 *	                                     "shutdown" waits for it, but not longer than PATIENCE
 *	                caches emptied, debug_leaks()
 *	                power off, or reboot
 *
 * Invariant: the machine always ends, and says `debug: no leaks` or what it found.
 * Locks: task_lock for the family; the rest is what is called.
 */
#include "kernel/shutdown.h"

#ifdef CONFIG_DEBUG

#include "drivers/block.h"
#include "drivers/finisher.h"
#include "fs/mapping.h"
#include "fs/mpage.h"
#include "fs/vfs.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/shm.h"
#include "kernel/signal.h"
#include "kernel/stackwatch.h"
#include "mm/debug.h"
#include "mm/filemap.h"
#include "mm/swap.h"

#define PATIENCE (10 * NSEC_PER_SEC)
#define TICK	 (NSEC_PER_SEC / 1000)

static struct {
	unsigned begun; /* atomic: the first caller sets it */
	bool reboot;
	int status;
	bool unmounted; /* the thread has done what it can */
} shutdown;

/* Sleeps for a moment, or until a child ends. */
static void wait_a_tick(void)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;

	prepare_to_wait(&current->child_wait, &entry, TASK_IDLE);
	schedule_until(ktime_ns() + TICK);
	finish_wait(&current->child_wait, &entry);
}

/* ---- processes ---- */

/* The current task is init from now on: the old one, its child, may end as any other task. */
static void become_init(void)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *old = init_task, *child, *next;

	list_del_init(&current->sibling);
	list_for_each_entry_safe(child, next, &old->children, sibling) {
		child->parent = current;
		child->ppid = current->pid;
		list_move_tail(&child->sibling, &current->children);
	}
	current->parent = current;
	current->ppid = 0;
	old->parent = current;
	old->ppid = current->pid;
	old->exit_signal = SIGCHLD;
	list_add_tail(&old->sibling, &current->children);
	init_task = current;
	spin_unlock_irqrestore(&task_lock, flags);
}

static struct task *take_zombie(void)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task, *zombie = NULL;

	list_for_each_entry(task, &current->children, sibling) {
		if (task->state == TASK_ZOMBIE) {
			zombie = task;
			task_detach(task);
			break;
		}
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return zombie;
}

static void reap(void)
{
	struct task *zombie;

	while ((zombie = take_zombie()))
		release_task(zombie);
}

/* Kills every process; how many there are still, zombies included. @report: names them. */
static unsigned kill_all(bool report)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task;
	unsigned nr = 0;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->is_kernel)
			continue;
		nr++;
		if (report)
			printk("debug: leak: process %d (%s) does not end\n", task->pid,
			       task->comm);
		else if (task->state != TASK_ZOMBIE)
			send_signal(task, SIGKILL, NULL);
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return nr;
}

/* Returns how many processes did not end. */
static unsigned end_processes(void)
{
	u64 give_up = ktime_ns() + PATIENCE;

	do {
		reap();
		if (kill_all(false) == 0)
			return 0;
		wait_a_tick();
	} while (ktime_ns() < give_up);
	return kill_all(true);
}

/* Threads of the kernel, and what did not end, have a right to their task. */
static void keep_tasks(void)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task;

	list_for_each_entry(task, &task_list, all_link)
		debug_object_kept(task);
	spin_unlock_irqrestore(&task_lock, flags);
}

/* ---- file systems ---- */

static void unmount_main(void *arg __maybe_unused)
{
	vfs_unmount_all();
	smp_store_release(&shutdown.unmounted, true);
	do_exit(0);
}

/* Returns 1 when that did not come to an end: an inode, or a page, is in use. */
static unsigned unmount_all(void)
{
	u64 give_up = ktime_ns() + PATIENCE;

	if (!kernel_thread(unmount_main, NULL, "unmount"))
		return 1;
	while (!smp_load_acquire(&shutdown.unmounted)) {
		if (ktime_ns() > give_up) {
			printk("debug: leak: unmounting waits for an inode in use\n");
			return 1;
		}
		wait_a_tick();
	}
	return 0;
}

/* ---- the whole ---- */

static void drop_caches(void)
{
	while (shrink_page_cache(1024) + fs_shrink(1024) > 0)
		;
	mpage_drop_spares();
	bio_drop_spares();
}

/* What is on its way (a last switch, a read that ends) gets its time; what then is there stays. */
static unsigned count_leaks(void)
{
	u64 give_up = ktime_ns() + NSEC_PER_SEC;

	for (;;) {
		reap();
		drop_caches();
		keep_tasks();
		if (debug_leaks(nr_tasks(), false) == 0)
			return 0;
		if (ktime_ns() > give_up)
			return debug_leaks(nr_tasks(), true);
		wait_a_tick();
	}
}

static void shutdown_main(void *arg __maybe_unused)
{
	unsigned leaks;

	become_init();
	leaks = end_processes();
	shm_remove_all();
	while (swap_area_off(NULL) == 0)
		;
	vfs_shutdown();
	leaks += unmount_all();
	leaks += count_leaks();
	if (leaks)
		printk("debug: %u leaks\n", leaks);
	else
		printk("debug: no leaks\n");
	stack_report();
	lockdep_report_orders();
	if (shutdown.reboot)
		machine_reboot();
	machine_poweroff(shutdown.status);
}

bool debug_shutdown(bool reboot, int status)
{
	static struct wait_queue never = WAIT_QUEUE_INIT(never);

	if (!__atomic_exchange_n(&shutdown.begun, 1, __ATOMIC_ACQ_REL)) {
		shutdown.reboot = reboot;
		shutdown.status = status;
		if (!kernel_thread(shutdown_main, NULL, "shutdown")) {
			printk("debug: no memory to look for leaks\n");
			return false;
		}
	}
	wait_event_killable(&never, false);
	return true;
}

#endif
