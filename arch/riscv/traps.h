/*
 * traps.h - the calls between trap handling and the rest of the kernel.
 *
 *	entry.S --> trap_user() -----> handle_mm_fault(), interrupts, fault_signal(), trap_signal()
 *	        --> trap_kernel() ---> handle_mm_fault() for uaccess, interrupts, panic
 *	        --> syscall_dispatch()            every return to user mode: exit_to_user_work()
 */
#ifndef RAVEL_ARCH_TRAPS_H
#define RAVEL_ARCH_TRAPS_H

#include "arch/riscv/trap.h"
#include "mm/mm.h"

/* ---- entry.S calls these of arch/riscv/trap.c ---- */

/* Any trap from user mode but a system call. Interrupts off at entry, either way at return. */
void trap_user(struct trap_frame *regs);
/* Any trap from the kernel. Interrupts off at entry and at return. */
void trap_kernel(struct trap_frame *regs);
/*
 * Any trap from the kernel for whose frame there is no room above task->stack_low; runs on the
 * hart's emergency stack, interrupts off. Makes room, or panics: an overflow.
 */
void trap_no_room(struct trap_frame *regs);

/* ---- entry.S and trap.c call these of kernel/ ---- */

/* System call regs->a7; the result goes to regs->a0. Interrupts on. */
void syscall_dispatch(struct trap_frame *regs);
/*
 * current->flags is not 0 and @regs is about to return to user mode: reschedules, delivers signals,
 * clears the flags it served (with atomics: other harts set them). Interrupts on; called again
 * until the flags are 0.
 */
void exit_to_user_work(struct trap_frame *regs);
/* The first thing a new task does: what schedule() does after switch_to(). Interrupts off. */
void finish_task_switch(void);
/* The user access at @addr cannot be served: report it, send the signal or kill. Interrupts on. */
void fault_signal(struct trap_frame *regs, unsigned long addr, enum fault_access access,
		  enum fault_result res);
/* Any other exception of the user program, as @sig (Linux numbers) at user address @addr. */
void trap_signal(struct trap_frame *regs, int sig, unsigned long addr);
/* Where the boot hart and, later, the others enter C. */
void start_kernel(void) __noreturn;
void secondary_main(void) __noreturn;

/* ---- for anyone ---- */

/* True when the interrupt that this hart is handling came from user mode. */
bool interrupted_user(void);
/* What scause says, in words. */
const char *trap_cause(unsigned long scause);
/* arch/riscv/uaccess.c: sends @regs to the fix-up of its uaccess routine; false: it is in none. */
bool uaccess_fixup(struct trap_frame *regs);

#endif
