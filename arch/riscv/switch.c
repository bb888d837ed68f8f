/*
 * switch.c - what changes hands when a hart goes from one task to another.
 *
 *	sstatus.FS in the task's user frame     the floating-point registers
 *	  INITIAL or CLEAN                      equal task->fp
 *	  DIRTY                                 are newer than task->fp
 *
 * The kernel never uses them, so while a task is in the kernel its values stay in the hart: they
 * are saved only when dirty and only by a switch, and loaded only for tasks that have a user mode.
 * Locks: none; a task's frame and fp belong to the hart that runs or switches it.
 */
#include "arch/riscv/switch.h"

#include "lib/string.h"

void fp_save(struct fp_state *fp);
void fp_restore(const struct fp_state *fp);
struct task *context_switch(struct task *prev, struct task *next);
void ret_from_fork(void);

static void fp_save_dirty(struct task *task)
{
	struct trap_frame *regs = task_regs(task);

	if ((regs->sstatus & SR_FS) != SR_FS_DIRTY)
		return;
	fp_save(&task->fp);
	regs->sstatus = (regs->sstatus & ~(unsigned long)SR_FS) | SR_FS_CLEAN;
}

void switch_to(struct task *prev, struct task *next)
{
	if (prev->mm)
		fp_save_dirty(prev);
	if (next->mm)
		fp_restore(&next->fp);
	context_switch(prev, next);
}

void task_set_entry(struct task *task, void (*fn)(void *), void *arg)
{
	memset(&task->context, 0, sizeof(task->context));
	task->context.ra = (unsigned long)ret_from_fork;
	task->context.sp = (unsigned long)task_regs(task);
	task->context.s[0] = (unsigned long)fn;
	task->context.s[1] = (unsigned long)arg;
}

void start_user(struct trap_frame *regs, unsigned long pc, unsigned long sp)
{
	memset(regs, 0, sizeof(*regs));
	regs->sepc = pc;
	regs->sp = sp;
	regs->sstatus = (csr_read(sstatus) & SR_UXL) | SR_SPIE | SR_FS_INITIAL;
	memset(&current->fp, 0, sizeof(current->fp));
	fp_restore(&current->fp);
}

void fp_sync(void)
{
	fp_save_dirty(current);
}

void fp_load(void)
{
	struct trap_frame *regs = task_regs(current);

	fp_restore(&current->fp);
	regs->sstatus = (regs->sstatus & ~(unsigned long)SR_FS) | SR_FS_CLEAN;
}
