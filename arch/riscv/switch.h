/*
 * switch.h - from one task to another, and where a new one begins.
 *
 *	task->kernel_sp --> [ trap_frame ] = task_regs(task): what user mode gets back
 */
#ifndef RAVEL_ARCH_SWITCH_H
#define RAVEL_ARCH_SWITCH_H

#include "arch/riscv/csr.h"
#include "arch/riscv/trap.h"
#include "kernel/task.h"

/* The user registers of @task; they are current while it is in the kernel. */
static inline struct trap_frame *task_regs(const struct task *task)
{
	return (struct trap_frame *)task->kernel_sp - 1;
}

/*
 * Runs @next on this hart. Interrupts off; next->hart is this hart already, and the page table is
 * the caller's business (mm_switch()). Returns when @prev runs again, maybe on another hart.
 */
void switch_to(struct task *prev, struct task *next);

/*
 * Makes @task, which has its kernel_sp, begin with @fn(@arg) in the kernel, interrupts on, after
 * finish_task_switch(). When @fn returns, or at once if it is NULL, it goes to user mode with
 * task_regs(task).
 */
void task_set_entry(struct task *task, void (*fn)(void *), void *arg);

/*
 * exec: the registers of a program that begins at user addresses @pc and @sp, all else zero, also
 * the floating-point registers. @regs is task_regs(current).
 */
void start_user(struct trap_frame *regs, unsigned long pc, unsigned long sp);

/*
 * Makes current->fp what the floating-point registers are: before fork or a signal frame copies
 * it.
 */
void fp_sync(void);
/* The other way round, after current->fp was changed (sigreturn). */
void fp_load(void);

#endif
