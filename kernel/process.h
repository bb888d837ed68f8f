/*
 * process.h - the life of a process: fork, exec, exit.
 */
#ifndef RAVEL_KERNEL_PROCESS_H
#define RAVEL_KERNEL_PROCESS_H

#include "kernel/task.h"

/* clone(2) flags that exist here. */
#define CSIGNAL		     0x000000ff
#define CLONE_VM	     0x00000100
#define CLONE_FS	     0x00000200
#define CLONE_FILES	     0x00000400
#define CLONE_VFORK	     0x00004000
#define CLONE_SETTLS	     0x00080000
#define CLONE_PARENT_SETTID  0x00100000
#define CLONE_CHILD_CLEARTID 0x00200000
#define CLONE_DETACHED	     0x00400000 /* ignored, as by Linux */
#define CLONE_CHILD_SETTID   0x01000000

/* ---- kernel/task.c ---- */

void task_init(void); /* caches; boot */
/*
 * A task with a kernel stack and one reference, unknown to anybody; NULL: no memory. What a child
 * inherits is copied from @like (NULL: blank), but references (mm, files, fs) are not counted: they
 * are NULL in the new task.
 */
struct task *task_alloc(const struct task *like);
/* Undoes task_alloc(), for a task that never ran. */
void task_free(struct task *task);
/*
 * Gives @task a pid and makes it known as a child of its parent. task_lock held; -EAGAIN: no pid
 * left.
 */
int task_attach(struct task *task);
/* Takes a dead task out of the tables; task_lock held. The caller then drops the reference. */
void task_detach(struct task *task);

/* ---- kernel/fork.c ---- */

/*
 * A task that runs @fn(@arg) in the kernel, child of init (or the first: init itself); ready to
 * run. NULL: no memory. When @fn returns, the task goes to user mode with what task_regs() holds.
 */
struct task *kernel_thread(void (*fn)(void *), void *arg, const char *name);
/* exec or exit of a vfork child: its parent goes on. */
void complete_vfork(struct task *task);

/* ---- kernel/exit.c ---- */

/* Ends the current task; @code as wait4() reports it. */
void do_exit(int code) __noreturn;
/*
 * Releases what is left of a zombie: the stack, tables, the reference. Waits for its last switch.
 */
void release_task(struct task *task);

#define EXIT_CODE(status) (((status)&0xff) << 8)

/* ---- kernel/exec.c ---- */

/*
 * Replaces the current (kernel or user) image by the program @path, strings in kernel memory; 0,
 * and the task goes to its user mode next, or -errno with nothing changed.
 */
int kernel_execve(const char *path, const char *const *argv, const char *const *envp);

#endif
