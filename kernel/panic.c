/*
 * panic.c - the machine's last words, warnings, and backtraces.
 *
 *	a frame of the C calling convention with frame pointers, higher addresses first:
 *	  fp --> | ...          |
 *	  fp- 8  | return pc    |    (a leaf function keeps the caller's fp here, and no pc)
 *	  fp-16  | caller's fp  |
 *
 * Invariants: one hart panics (panic_hart), once: a panic inside a panic ends the machine at once,
 * other harts that panic meanwhile halt. Only memory inside the current task's stack is followed.
 * Locks: none are taken.
 */
#include "kernel/panic.h"

#include "arch/riscv/irqflags.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/smp.h"
#include "arch/riscv/traps.h"
#include "drivers/finisher.h"
#include "kernel/console.h"
#include "kernel/printk.h"
#include "kernel/provoke.h"
#include "lib/string.h"
#include "mm/provoke.h"

#define MAX_FRAMES 32
#define NO_HART	   (-1)

extern const char _stext[], _etext[];

static int panic_hart = NO_HART;

static bool is_kernel_text(unsigned long pc)
{
	return pc >= (unsigned long)_stext && pc < (unsigned long)_etext;
}

static void print_location(unsigned long pc)
{
	char name[80];

	symbol_name(pc, name, sizeof(name));
	printk("  [<%016lx>] %s\n", pc, name);
}

/* True when the two words below frame pointer @fp lie where the current task's stack is mapped. */
static bool frame_ok(unsigned long fp)
{
	return fp % 8 == 0 && fp >= current->stack_low + 16 && fp <= current->kernel_sp;
}

static unsigned long word_at(unsigned long addr)
{
	return *(const unsigned long *)addr;
}

void dump_backtrace(unsigned long fp)
{
	for (int i = 0; i < MAX_FRAMES && frame_ok(fp); i++) {
		unsigned long next = word_at(fp - 16);

		if (!is_kernel_text(word_at(fp - 8)))
			return;
		/* The call, not what lies behind it: that may be the next function. */
		print_location(word_at(fp - 8) - 2);
		if (next <= fp)
			return; /* callers lie higher */
		fp = next;
	}
}

static void dump_trap_backtrace(const struct trap_frame *regs)
{
	unsigned long fp = regs->s0;

	print_location(regs->sepc);
	if (!is_kernel_text(regs->sepc) || (frame_ok(fp) && !is_kernel_text(word_at(fp - 8)))) {
		/* A jump to nowhere, or a leaf: its return address is still in ra. */
		print_location(regs->ra - 2);
		if (is_kernel_text(regs->sepc))
			fp = word_at(fp - 8);
	}
	dump_backtrace(fp);
}

static void dump_registers(const struct trap_frame *r)
{
	printk("cause: %s (scause %lu), stval 0x%lx\n", trap_cause(r->scause), r->scause, r->stval);
	printk("sepc %016lx  sstatus %016lx\n", r->sepc, r->sstatus);
	printk("ra %016lx  sp %016lx  gp %016lx  tp %016lx\n", r->ra, r->sp, r->gp, r->tp);
	printk("t0 %016lx  t1 %016lx  t2 %016lx  s0 %016lx\n", r->t0, r->t1, r->t2, r->s0);
	printk("s1 %016lx  a0 %016lx  a1 %016lx  a2 %016lx\n", r->s1, r->a0, r->a1, r->a2);
	printk("a3 %016lx  a4 %016lx  a5 %016lx  a6 %016lx\n", r->a3, r->a4, r->a5, r->a6);
	printk("a7 %016lx  s2 %016lx  s3 %016lx  s4 %016lx\n", r->a7, r->s2, r->s3, r->s4);
	printk("s5 %016lx  s6 %016lx  s7 %016lx  s8 %016lx\n", r->s5, r->s6, r->s7, r->s8);
	printk("s9 %016lx s10 %016lx s11 %016lx  t3 %016lx\n", r->s9, r->s10, r->s11, r->t3);
	printk("t4 %016lx  t5 %016lx  t6 %016lx\n", r->t4, r->t5, r->t6);
}

/* Makes this hart the one that panics; does not return when another is, or it did already. */
static void panic_begin(void)
{
	int me = this_hart()->id, nobody = NO_HART;

	local_irq_disable();
	if (!__atomic_compare_exchange_n(&panic_hart, &nobody, me, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		if (nobody == me)
			machine_poweroff(PANIC_EXIT);
		for (;;)
			wait_for_interrupt();
	}
	harts_stop_others();
	console_panic();
}

static void __noreturn last_words(const struct trap_frame *regs, unsigned long fp, const char *fmt,
				  va_list ap)
{
	panic_begin();
	printk("\nPANIC: ");
	vprintk(fmt, ap);
	printk("\nhart %u (id %lu), task %d (%s)\n", this_hart()->id, this_hart()->hartid,
	       current->pid, current->comm[0] ? current->comm : "boot");
	lockdep_last_words();
	if (regs)
		dump_registers(regs);
	printk("backtrace:\n");
	if (regs && !trap_from_user(regs))
		dump_trap_backtrace(regs);
	else
		dump_backtrace(fp);
	printk("---- end of panic ----\n");
	machine_poweroff(PANIC_EXIT);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last_words(NULL, (unsigned long)__builtin_frame_address(0), fmt, ap);
}

void panic_regs(const struct trap_frame *regs, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	last_words(regs, (unsigned long)__builtin_frame_address(0), fmt, ap);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printk("WARNING: ");
	vprintk(fmt, ap);
	printk("\n");
	va_end(ap);
	dump_backtrace((unsigned long)__builtin_frame_address(0));
}

void panic_test(void)
{
	int *volatile nowhere = NULL;
	char what[32];

	if (!cmdline_option("ravel.panic", what, sizeof(what)))
		return;
	if (strcmp(what, "test") == 0)
		panic("requested by ravel.panic");
	if (strcmp(what, "null") == 0)
		*nowhere = 1;
	if (strcmp(what, "wtext") == 0)
		*(volatile int *)_stext = 0;
	BUG_ON(strcmp(what, "bug") == 0);
	stack_provoke(what);
	mm_provoke(what);
	debug_provoke(what);
}
