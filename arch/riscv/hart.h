/*
 * hart.h - the machine's harts by logical number, and what each keeps for itself.
 *
 * Logical hart 0 is the one that booted; masks are `unsigned long`, one bit per logical hart.
 * Since the kernel is not preempted, a task may use this_hart() until it next sleeps.
 */
#ifndef RAVEL_ARCH_HART_H
#define RAVEL_ARCH_HART_H

#include "kernel/task.h"
#include "mm/vmstat_events.h"

#define MAX_HARTS 8

struct mm;

struct hart {
	unsigned id;	      /* logical number */
	unsigned long hartid; /* the SBI's and the device tree's number */
	bool online;
	struct task *idle;
	struct task *switched_from; /* by the last switch: for finish_task_switch() */
	struct mm *active_mm;	    /* whose tables satp points at; NULL: the kernel's own */
	int spin_depth;		    /* spinlocks held: no sleeping while it is not 0 */
	int irq_depth;		    /* inside an interrupt handler */
	unsigned long ipi_pending;  /* IPI_* reasons, set by the sender */
	unsigned long nr_irqs, nr_ticks, nr_switches;
	struct list_head timers; /* kernel/time.c */
	u64 timer_armed;	 /* monotonic ns of the next timer interrupt */
	u64 idle_since, idle_time;
	unsigned long events[NR_VMSTAT]; /* what it has counted: mm/vmstat.h */
	long gauges[NR_VM_GAUGES];
};

extern struct hart harts[MAX_HARTS];
extern unsigned nr_harts; /* known from the device tree, at most MAX_HARTS */
extern unsigned long harts_online_mask;

static inline struct hart *this_hart(void)
{
	return current->hart;
}

#define IPI_RESCHED (1UL << 0)
#define IPI_STOP    (1UL << 1) /* panic: halt at once */
#define IPI_PAUSE   (1UL << 2) /* vm_check_all(): wait until released */

/* Sends IPI @reason to every hart of logical @mask. */
void ipi_send(unsigned long mask, unsigned long reason);

/*
 * Runs with every other hart parked in its interrupt handler, interrupts off, until the matching
 * harts_resume(). Callers hold no spinlock; the parked harts hold none either, because they are
 * parked only at points where their spin_depth is 0.
 */
void harts_pause(void);
void harts_resume(void);

#include "kernel/lock.h" /* needs this_hart(); task.h and lock.h come through here */

#endif
