/*
 * fork.c - where tasks come from: clone(2), kernel threads, idle tasks.
 *
 *	fork     copies memory, files, directories
 *	vfork    CLONE_VM | CLONE_VFORK: shares memory; the parent waits for exec or exit
 *	clone    CLONE_VM, CLONE_FILES, CLONE_FS each share instead of copying
 *
 * Tasks of one process (CLONE_THREAD, CLONE_SIGHAND) and namespaces do not exist: -EINVAL.
 *
 * Invariants: a child is known to others (in the pid table) only when nothing can fail any more;
 * the new task begins in finish_task_switch() like any task that is switched to.
 * Locks: task_lock while the child is attached; vfork_done of a child is read and cleared under it.
 */
#include "arch/riscv/smp.h"
#include "arch/riscv/switch.h"
#include "arch/riscv/uaccess.h"
#include "fs/vfs.h"
#include "kernel/panic.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/debug.h"
#include "mm/mm.h"

#define CLONE_SUPPORTED                                                                            \
	(CSIGNAL | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_VFORK | CLONE_SETTLS |                \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_CHILD_SETTID)

struct clone_args {
	unsigned long flags;
	unsigned long stack; /* user address, 0: as the parent's */
	int *parent_tid, *child_tid;
	unsigned long tls;
};

/*
 * Gives @child what it has in common with, or copies from, the current task; -ENOMEM, all undone.
 */
static int copy_resources(struct task *child, unsigned long flags)
{
	struct task *parent = current;

	child->files = flags & CLONE_FILES ? files_share(parent->files) : files_copy(parent->files);
	if (!child->files)
		goto out;
	child->fs = flags & CLONE_FS ? fs_context_share(parent->fs) : fs_context_copy(parent->fs);
	if (!child->fs)
		goto out_files;
	if (flags & CLONE_VM) {
		mm_get(parent->mm);
		child->mm = parent->mm;
	} else {
		child->mm = mm_fork(parent->mm);
	}
	if (child->mm)
		return 0;

	fs_context_put(child->fs);
out_files:
	files_put(child->files);
out:
	return -ENOMEM;
}

static void put_resources(struct task *child)
{
	mm_put(child->mm);
	fs_context_put(child->fs);
	files_put(child->files);
}

/* The child's first steps in the kernel; then it goes to user mode. */
static void child_start(void *arg)
{
	struct task *task = arg;

	/* As in Linux, a bad address is the program's own problem. */
	if (task->set_child_tid)
		put_user(task->pid, task->set_child_tid);
}

static void set_child_registers(struct task *child, const struct clone_args *args)
{
	struct trap_frame *regs = task_regs(child);

	*regs = *task_regs(current);
	regs->a0 = 0;
	if (args->stack)
		regs->sp = args->stack;
	if (args->flags & CLONE_SETTLS)
		regs->tp = args->tls;
	task_set_entry(child, args->flags & CLONE_CHILD_SETTID ? child_start : NULL, child);
}

/* A child of the current task, not yet running; ERR_PTR(-ENOMEM or -EAGAIN), all undone. */
static struct task *copy_task(const struct clone_args *args)
{
	struct task *child;
	unsigned long irq;
	int err;

	fp_sync();
	child = task_alloc(current);
	if (!child)
		return ERR_PTR(-ENOMEM);
	err = copy_resources(child, args->flags);
	if (err)
		goto out_free;
	child->exit_signal = args->flags & CSIGNAL;
	if (args->flags & CLONE_CHILD_SETTID)
		child->set_child_tid = args->child_tid;
	if (args->flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = args->child_tid;
	set_child_registers(child, args);
	child->parent = current;

	/*
	 * From here on signals to the group reach the child. One that came to us since the child
	 * was begun would miss it, so the call is made again after it; and the group may have
	 * changed.
	 */
	irq = spin_lock_irqsave(&task_lock);
	child->pgid = current->pgid;
	child->sid = current->sid;
	child->tty = current->tty;
	err = signal_pending(current) ? -EINTR : task_attach(child);
	spin_unlock_irqrestore(&task_lock, irq);
	if (err)
		goto out_resources;
	return child;

out_resources:
	put_resources(child);
out_free:
	task_free(child);
	return ERR_PTR(err);
}

/* ---- vfork ---- */

void complete_vfork(struct task *task)
{
	unsigned long flags;

	if (!READ_ONCE(task->vfork_done))
		return;
	flags = spin_lock_irqsave(&task_lock);
	if (task->vfork_done) {
		*task->vfork_flag = true;
		wake_up(task->vfork_done);
		task->vfork_done = NULL;
	}
	spin_unlock_irqrestore(&task_lock, flags);
}

/* Starts @child and sleeps until it has left our memory, or a deadly signal comes. */
static void start_and_wait_vfork(struct task *child)
{
	struct wait_queue done_queue;
	bool done = false;
	unsigned long flags;

	wait_queue_init(&done_queue);
	child->vfork_flag = &done;
	child->vfork_done = &done_queue;
	task_get(child);
	sched_start(child);
	wait_event_killable(&done_queue, READ_ONCE(done));
	/* Both are on this stack: the child must be out of complete_vfork(), or never find them. */
	flags = spin_lock_irqsave(&task_lock);
	child->vfork_done = NULL;
	spin_unlock_irqrestore(&task_lock, flags);
	task_put(child);
}

SYSCALL_DEFINE5(clone, unsigned long, flags, unsigned long, stack, int *, parent_tid, unsigned long,
		tls, int *, child_tid)
{
	struct clone_args args = {
		.flags = flags,
		.stack = stack,
		.parent_tid = parent_tid,
		.child_tid = child_tid,
		.tls = tls,
	};
	struct task *child;
	pid_t pid;

	if ((flags & ~(unsigned long)CLONE_SUPPORTED) || (flags & CSIGNAL) > NSIG)
		return -EINVAL;
	child = copy_task(&args);
	if (IS_ERR(child))
		return PTR_ERR(child);
	pid = child->pid;
	if (flags & CLONE_PARENT_SETTID)
		put_user(pid, parent_tid);
	if (flags & CLONE_VFORK)
		start_and_wait_vfork(child);
	else
		sched_start(child);
	return pid;
}

/* ---- tasks of the kernel itself ---- */

static struct task *new_kernel_task(void (*fn)(void *), void *arg, const char *name)
{
	struct task *task = task_alloc(NULL);

	if (!task)
		return NULL;
	memset(task_regs(task), 0, sizeof(struct trap_frame));
	strlcpy(task->comm, name, sizeof(task->comm));
	task->is_kernel = true;
	task_set_entry(task, fn, arg);
	return task;
}

struct task *kernel_thread(void (*fn)(void *), void *arg, const char *name)
{
	struct task *task = new_kernel_task(fn, arg, name);
	unsigned long flags;
	int err;

	if (!task)
		return NULL;
	task->parent = init_task;
	task->exit_signal = SIGCHLD;
	flags = spin_lock_irqsave(&task_lock);
	err = task_attach(task);
	spin_unlock_irqrestore(&task_lock, flags);
	if (err) {
		task_free(task);
		return NULL;
	}
	sched_start(task);
	return task;
}

struct task *idle_task_create(unsigned id)
{
	struct task *task = new_kernel_task(NULL, NULL, "idle");

	if (!task)
		return NULL;
	task->hart = &harts[id];
	task->on_hart = 1;
	debug_object_kept(task);
	return task;
}
