/*
 * task.c - the table of tasks: pids, look-up, the family tree, and the memory of a task.
 *
 *	pid_table[pid % 256] --> task <-> task            by pid_hash
 *	task_list            --> task <-> task <-> ...    by all_link, oldest first
 *	task->children       --> task <-> task            by sibling; siblings point to their parent
 *
 *	references: 1 from birth until it is waited for (release_task()), and one for each finder
 *
 * Invariants: a task in the table has a parent (init is its own), and its memory stays as long as
 * somebody holds a reference; its kernel stack goes in release_task(), after its last switch.
 * Locks: task_lock, interrupts off, guards all of the above. sig_lock and the wait queues are
 * inside.
 */
#include "kernel/task.h"

#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/stackwatch.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/kstack.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define PID_HASH_SIZE	 256
#define PID_FIRST_REUSED 300 /* the low ones stay with the tasks of the boot */

struct spinlock task_lock = SPINLOCK_INIT;
LIST_HEAD(task_list);
struct task *init_task;

static struct list_head pid_table[PID_HASH_SIZE];
static struct kmem_cache *task_cache;
static pid_t last_pid;
static bool pids_wrapped;
static unsigned nr_attached;
static unsigned long total_attached;

void task_init(void)
{
	for (unsigned i = 0; i < PID_HASH_SIZE; i++)
		INIT_LIST_HEAD(&pid_table[i]);
	task_cache = kmem_cache_create("task", sizeof(struct task), 0);
}

/* ---- memory ---- */

/* Makes all that is a task's own fresh; the rest was copied from the parent or is zero. */
static void task_reset(struct task *task, void *stack, unsigned long stack_low)
{
	task->stack = stack;
	task->stack_low = stack_low;
	task->kernel_sp = (unsigned long)stack + THREAD_SIZE - kstack_pad();
	task->flags = 0;
	task->state = TASK_RUNNING;
	task->on_hart = 0;
	task->utime = task->stime = 0;
	task->start_time = ktime_ns();
	task->mm = NULL;
	task->files = NULL;
	task->fs = NULL;
	task->pagefault_disabled = 0;
	task->min_flt = task->maj_flt = 0;
	task->nvcsw = task->nivcsw = 0;
	task->fail_alloc = 0;
	task->fail_fired = 0;
	INIT_LIST_HEAD(&task->children);
	INIT_LIST_HEAD(&task->sibling);
	wait_queue_init(&task->child_wait);
	task->exit_code = 0;
	task->vfork_done = NULL;
	task->vfork_flag = NULL;
	task->clear_child_tid = NULL;
	task->set_child_tid = NULL;
	atomic_set(&task->refcount, 1);
	task->did_exec = false;
	memset(&task->ru_children, 0, sizeof(task->ru_children));
	task->max_rss = 0;
	task->oom_victim = false;
	spin_lock_init(&task->sig_lock);
	task->sig_pending = task->sig_awaited = 0;
	task->killed = false;
	task->stop_signal = 0;
	task->stop_wanted = task->stop_reported = task->continued = false;
	task->sig_restore = false;
	task->restart_deadline = 0;
	INIT_LIST_HEAD(&task->sig_queue);
	task->nr_sigqueue = 0;
	memset(&task->itimer, 0, sizeof(task->itimer));
	task->itimer_interval = 0;
	memset(task->cpu_itimer, 0, sizeof(task->cpu_itimer));
	task->cpu_itimer_on = false;
	task->robust_list = NULL;
}

struct task *task_alloc(const struct task *like)
{
	struct task *task = kmem_cache_alloc(task_cache, like ? 0 : GFP_ZERO);
	unsigned long low;
	void *stack;

	if (!task)
		return NULL;
	stack = kstack_alloc(&low);
	if (!stack) {
		kmem_cache_free(task_cache, task);
		return NULL;
	}
	if (like)
		memcpy(task, like, offsetof(struct task, sig_info));
	stack_watch((void *)low, (char *)stack + THREAD_SIZE);
	task_reset(task, stack, low);
	lockdep_task_init(task);
	return task;
}

void task_free(struct task *task)
{
	kstack_free(task->stack, task->stack_low);
	kmem_cache_free(task_cache, task);
}

void task_put(struct task *task)
{
	if (atomic_dec_and_test(&task->refcount))
		kmem_cache_free(task_cache, task);
}

void release_task(struct task *task)
{
	/* Its hart is in the last instructions of schedule(), interrupts off. */
	while (smp_load_acquire(&task->on_hart))
		;
	stack_check(task, "exit");
	kstack_free(task->stack, task->stack_low);
	task->stack = NULL;
	task_put(task);
}

/* ---- pids ---- */

struct task *find_task_locked(pid_t pid)
{
	struct task *task;

	list_for_each_entry(task, &pid_table[(unsigned)pid % PID_HASH_SIZE], pid_hash) {
		if (task->pid == pid)
			return task;
	}
	return NULL;
}

/*
 * True when @pid names a task, or, as it may after a wrap-around, a group or session without one.
 */
static bool pid_in_use(pid_t pid)
{
	struct task *task;

	if (find_task_locked(pid))
		return true;
	if (!pids_wrapped)
		return false;
	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pid || task->sid == pid)
			return true;
	}
	return false;
}

/* A pid that nobody has; -EAGAIN: none. */
static pid_t pid_alloc(void)
{
	for (unsigned tries = 0; tries < PID_MAX; tries++) {
		if (++last_pid > PID_MAX) {
			last_pid = PID_FIRST_REUSED;
			pids_wrapped = true;
		}
		if (!pid_in_use(last_pid))
			return last_pid;
	}
	return -EAGAIN;
}

int task_attach(struct task *task)
{
	pid_t pid;

	/* Stacks and tasks are nobody's resident memory: together they may take an eighth of it. */
	if (nr_attached >= nr_managed_pages() / 8 / (THREAD_SIZE / PAGE_SIZE + 1))
		return -EAGAIN;
	pid = pid_alloc();
	if (pid < 0)
		return pid;
	task->pid = pid;
	if (!init_task) {
		init_task = task;
		task->parent = task;
	}
	task->ppid = task == init_task ? 0 : task->parent->pid;
	if (!task->sid)
		task->sid = task->pgid = pid;
	list_add_tail(&task->pid_hash, &pid_table[(unsigned)pid % PID_HASH_SIZE]);
	list_add_tail(&task->all_link, &task_list);
	if (task->parent != task)
		list_add_tail(&task->sibling, &task->parent->children);
	nr_attached++;
	WRITE_ONCE(total_attached, total_attached + 1);
	return 0;
}

void task_detach(struct task *task)
{
	list_del(&task->pid_hash);
	list_del(&task->all_link);
	list_del(&task->sibling);
	nr_attached--;
}

struct task *find_task_get(pid_t pid)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task = find_task_locked(pid);

	if (task)
		task_get(task);
	spin_unlock_irqrestore(&task_lock, flags);
	return task;
}

struct task *task_next_get(pid_t pid)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task, *best = NULL;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pid >= pid && (!best || task->pid < best->pid))
			best = task;
	}
	if (best)
		task_get(best);
	spin_unlock_irqrestore(&task_lock, flags);
	return best;
}

struct mm *task_get_mm(struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct mm *mm = task->mm;

	if (mm)
		mm_get(mm);
	spin_unlock_irqrestore(&task_lock, flags);
	return mm;
}

unsigned long nr_forks(void)
{
	return READ_ONCE(total_attached);
}

unsigned nr_tasks(void)
{
	return READ_ONCE(nr_attached);
}
