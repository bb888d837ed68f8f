/*
 * plic.c - the platform-level interrupt controller.
 *
 *	base + 4 * source                    priority; 0: never
 *	base + 0x2000 + 0x80 * context       enable bits, one for each source
 *	base + 0x200000 + 0x1000 * context   threshold, and at + 4 claim (read) / complete (write)
 *
 * Only the boot hart's supervisor context is used: no handler runs twice at once.
 * Invariants: a source is enabled exactly if handlers[] has a function for it; priorities are all
 * 1, so no handler interrupts another.
 * Locks: plic_lock guards registration; the handler side reads handlers[] without it, because an
 * entry is written before its source is enabled and never changes afterwards.
 * Source: RISC-V Platform-Level Interrupt Controller specification 1.0.
 */
#include "drivers/plic.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "kernel/lock.h"
#include "kernel/printk.h"
#include "lib/errno.h"

#define PLIC_ENABLE(ctx)  (0x2000 + 0x80UL * (ctx))
#define PLIC_CONTEXT(ctx) (0x200000 + 0x1000UL * (ctx))
#define PLIC_THRESHOLD	  0
#define PLIC_CLAIM	  1

static struct irq_handler {
	void (*fn)(void *arg);
	void *arg;
} handlers[PLIC_MAX_IRQ];

static volatile u32 *plic_priority, *plic_enable, *plic_context; /* NULL: no controller */
static struct spinlock plic_lock = SPINLOCK_INIT;

void plic_init(void)
{
	phys_addr_t base = machine.plic.base;
	u32 ctx = machine.plic_context[0];

	if (!machine.plic.size || ctx == NO_PLIC_CONTEXT ||
	    PLIC_CONTEXT(ctx) + PAGE_SIZE > machine.plic.size) {
		printk("plic: none for the boot hart: no device interrupts\n");
		return;
	}
	plic_priority = ioremap(base, PLIC_MAX_IRQ * sizeof(u32));
	plic_enable = ioremap(base + PLIC_ENABLE(ctx), 0x80);
	plic_context = ioremap(base + PLIC_CONTEXT(ctx), PAGE_SIZE);
	if (!plic_priority || !plic_enable || !plic_context) {
		printk("plic: cannot map its registers: no device interrupts\n");
		plic_context = NULL;
		return;
	}
	for (unsigned i = 0; i < PLIC_MAX_IRQ / 32; i++)
		plic_enable[i] = 0;
	plic_context[PLIC_THRESHOLD] = 0;
}

int irq_register(unsigned irq, void (*fn)(void *arg), void *arg)
{
	unsigned long flags;
	int ret = -EBUSY;

	if (irq == 0 || irq >= PLIC_MAX_IRQ || !plic_context)
		return -EINVAL;
	flags = spin_lock_irqsave(&plic_lock);
	if (!handlers[irq].fn) {
		handlers[irq].arg = arg;
		handlers[irq].fn = fn;
		smp_wmb();
		plic_priority[irq] = 1;
		plic_enable[irq / 32] |= 1u << (irq % 32);
		ret = 0;
	}
	spin_unlock_irqrestore(&plic_lock, flags);
	return ret;
}

void plic_interrupt(void)
{
	u32 irq;

	while ((irq = plic_context[PLIC_CLAIM]) != 0) {
		if (irq < PLIC_MAX_IRQ && handlers[irq].fn)
			handlers[irq].fn(handlers[irq].arg);
		plic_context[PLIC_CLAIM] = irq;
	}
}
