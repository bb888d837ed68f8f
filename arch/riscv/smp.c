/*
 * smp.c - several harts: starting, interrupting, pausing and stopping them.
 *
 *	harts[logical] <-- device tree; logical 0 is the hart that booted
 *	ipi_send: harts[i].ipi_pending |= reason, then SBI --> interrupt --> ipi_interrupt()
 *
 * Pausing: one pauser at a time (pause_owner). It asks until each of the others has parked itself;
 * a hart parks only where its spin_depth is 0, so spin_lock() must raise the depth *before* it
 * tries to take it: a parked hart neither holds a spinlock nor waits for one.
 * Locks: none; pause_owner, pausing, parked_mask and stopped_mask are atomics. Interrupts are off
 * in all handlers, and on the pauser from harts_pause() to harts_resume().
 */
#include "arch/riscv/smp.h"

#include "arch/riscv/irqflags.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/memlayout.h"
#include "arch/riscv/mmu.h"
#include "arch/riscv/sbi.h"
#include "arch/riscv/timer.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/time.h"

extern char boot_stack[];
void _start(void);
void _secondary_start(void);

struct hart harts[MAX_HARTS];
unsigned nr_harts;
unsigned long harts_online_mask;

/* head.S: the hart that is being started, and the idle task that it is to run. */
unsigned long starting_hartid = ~0UL;
struct task *starting_task;

/* What the boot hart runs first: it becomes its idle task. */
struct task boot_task = {
	.hart = &harts[0],
	.stack = boot_stack,
	.stack_low = (unsigned long)boot_stack,
	.kernel_sp = (unsigned long)boot_stack + THREAD_SIZE,
};

#define NO_HART (~0UL)

static unsigned long pause_owner = NO_HART; /* logical number of the pauser */
static unsigned long pause_irq_flags;	    /* of the pauser */
static bool pausing;			    /* those parked stay parked */
static unsigned long parked_mask, stopped_mask;

void sbi_call_harts(unsigned long mask, long ext, long fn, unsigned long arg2, unsigned long arg3)
{
	while (mask) {
		unsigned long base = ~0UL, ids = 0, rest = 0;

		for (unsigned i = 0; i < nr_harts; i++) {
			if (mask & (1UL << i))
				base = min(base, harts[i].hartid);
		}
		for (unsigned i = 0; i < nr_harts; i++) {
			if (!(mask & (1UL << i)))
				continue;
			if (harts[i].hartid - base < 64)
				ids |= 1UL << (harts[i].hartid - base);
			else
				rest |= 1UL << i;
		}
		sbi_call(ext, fn, ids, base, arg2, arg3);
		mask = rest;
	}
}

void ipi_send(unsigned long mask, unsigned long reason)
{
	for (unsigned i = 0; i < nr_harts; i++) {
		if (mask & (1UL << i))
			atomic_or_ulong(&harts[i].ipi_pending, reason);
	}
	sbi_call_harts(mask, SBI_EXT_IPI, 0, 0, 0);
}

/* Parks this hart while somebody has the others paused. */
static void park(void)
{
	unsigned long bit = 1UL << this_hart()->id;

	if (this_hart()->spin_depth != 0)
		return; /* the pauser asks again */
	while (smp_load_acquire(&pausing)) {
		if (!(READ_ONCE(parked_mask) & bit))
			atomic_or_ulong(&parked_mask, bit);
	}
	atomic_and_ulong(&parked_mask, ~bit);
}

static void __noreturn halt_this(void)
{
	atomic_or_ulong(&stopped_mask, 1UL << this_hart()->id);
	for (;;)
		wait_for_interrupt();
}

void ipi_interrupt(void)
{
	unsigned long reasons;

	csr_clear(sip, SIE_SSIE);
	reasons = __atomic_exchange_n(&this_hart()->ipi_pending, 0, __ATOMIC_ACQ_REL);
	if (reasons & IPI_STOP)
		halt_this();
	if (reasons & IPI_PAUSE)
		park();
	if (reasons & IPI_RESCHED)
		atomic_or_ulong(&current->flags, TASK_NEED_RESCHED);
}

static unsigned long other_harts(void)
{
	return READ_ONCE(harts_online_mask) & ~(1UL << this_hart()->id);
}

void harts_pause(void)
{
	unsigned long flags = local_irq_save();
	unsigned long others, free = NO_HART;
	u64 ask_at = 0;

	while (!__atomic_compare_exchange_n(&pause_owner, &free, (unsigned long)this_hart()->id,
					    false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
		free = NO_HART;
		park(); /* another pauser waits for this hart too */
	}
	pause_irq_flags = flags;
	smp_store_release(&pausing, true);
	others = other_harts();
	while ((smp_load_acquire(&parked_mask) & others) != others) {
		if (arch_ktime_ns() < ask_at)
			continue;
		ipi_send(others & ~READ_ONCE(parked_mask), IPI_PAUSE);
		ask_at = arch_ktime_ns() + NSEC_PER_SEC / 10000;
	}
}

void harts_resume(void)
{
	unsigned long flags = pause_irq_flags;

	smp_store_release(&pausing, false);
	while (smp_load_acquire(&parked_mask))
		; /* the next pauser must not count a hart that is just leaving */
	smp_store_release(&pause_owner, NO_HART);
	local_irq_restore(flags);
}

void harts_stop_others(void)
{
	unsigned long others = other_harts();
	u64 give_up = arch_ktime_ns() + NSEC_PER_SEC / 10;

	ipi_send(others, IPI_STOP);
	while ((smp_load_acquire(&stopped_mask) & others) != others && arch_ktime_ns() < give_up)
		;
}

void hart_init_this(void)
{
	struct hart *hart = this_hart();

	csr_write(scounteren, SCOUNTEREN_CY | SCOUNTEREN_TM | SCOUNTEREN_IR);
	timer_quiet();
	csr_write(sie, SIE_SSIE | SIE_STIE | SIE_SEIE);
	hart->online = true;
	atomic_or_ulong(&harts_online_mask, 1UL << hart->id);
	/* Stacks that were mapped before the bit was set: nobody told this hart of them. */
	local_flush_tlb_all();
}

static bool start_hart(unsigned i)
{
	struct task *idle = idle_task_create(i);
	u64 give_up = arch_ktime_ns() + 10 * NSEC_PER_SEC; /* a busy host is slow to start it */
	struct sbiret ret;
	void *entry;

	if (!idle)
		return false;
	harts[i].idle = idle;
	starting_task = idle;
	starting_hartid = harts[i].hartid;
	smp_mb(); /* before the hart can look */
	/* ravel.astray: as if the firmware sent every hart to the wrong entry; see head.S. */
	entry = cmdline_option("ravel.astray", NULL, 0) ? (void *)_start : (void *)_secondary_start;
	ret = sbi_call(SBI_EXT_HSM, SBI_HSM_START, harts[i].hartid, virt_to_phys(entry), 0, 0);
	if (ret.error)
		return false;
	while (!(smp_load_acquire(&harts_online_mask) & (1UL << i))) {
		if (arch_ktime_ns() > give_up)
			return false;
	}
	return true;
}

void smp_boot_secondaries(void)
{
	for (unsigned i = 1; i < nr_harts; i++) {
		if (!start_hart(i))
			printk("smp: hart %lu does not start; going on without it\n",
			       harts[i].hartid);
	}
}
