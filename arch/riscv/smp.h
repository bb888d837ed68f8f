/*
 * smp.h - bringing the harts up, and making them listen.
 */
#ifndef RAVEL_ARCH_SMP_H
#define RAVEL_ARCH_SMP_H

#include "arch/riscv/hart.h"

/*
 * Makes this hart take interrupts of all kinds once they are enabled, lets user mode read the
 * counters, and marks it online. Boot hart: start_kernel(); others: first thing in
 * secondary_main().
 */
void hart_init_this(void);

/*
 * Starts every other hart in secondary_main(), on the idle task that idle_task_create() gives.
 * Waits up to a second for each; one that fails is reported and left out.
 */
void smp_boot_secondaries(void);
/* kernel/: an idle task with its stack, `kernel_sp` and `hart`; NULL: no memory. */
struct task *idle_task_create(unsigned hart);

/* The software interrupt: serves this hart's ipi_pending. */
void ipi_interrupt(void);
/* Panic: halts the others, waiting at most 100 ms for those that listen. */
void harts_stop_others(void);

/*
 * SBI call @fn of @ext for every hart of logical @mask, in as few calls as the hart ids allow; the
 * hart mask goes into the first two arguments.
 */
void sbi_call_harts(unsigned long mask, long ext, long fn, unsigned long arg2, unsigned long arg3);

#endif
