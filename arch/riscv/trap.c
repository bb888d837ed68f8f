/*
 * trap.c - what each trap means: the dispatch behind entry.S.
 *
 *	from user     page fault      -> handle_mm_fault(), interrupts on; else fault_signal()
 *	              other exception -> trap_signal()
 *	from kernel   page fault in uaccess -> handle_mm_fault(), else its fix-up
 *	              any, where its frame finds no room -> kstack_grow(), and taken again
 *	              page fault in a mapped stack -> a stale translation: flushed
 *	              other exception -> panic
 *	both          interrupt       -> timer, IPI, PLIC
 *
 * Invariants: interrupt handlers run with interrupts off and never sleep; a fault is served with
 * the interrupts as they were when it happened.
 * Locks: none of its own. irq_frame[] belongs to its hart.
 */
#include "arch/riscv/traps.h"

#include "arch/riscv/asm-offsets.h"
#include "arch/riscv/csr.h"
#include "arch/riscv/hart.h"
#include "arch/riscv/irqflags.h"
#include "arch/riscv/smp.h"
#include "arch/riscv/timer.h"
#include "drivers/plic.h"
#include "kernel/panic.h"
#include "kernel/signal.h"
#include "kernel/stackwatch.h"
#include "kernel/time.h"
#include "mm/kstack.h"
#include "mm/vmstat.h"

extern char emergency_stacks[];

/* The frame of the interrupt that each hart is handling. */
static const struct trap_frame *irq_frame[MAX_HARTS];

const char *trap_cause(unsigned long scause)
{
	static const char *const words[] = {
		[CAUSE_FETCH_MISALIGNED] = "misaligned instruction address",
		[CAUSE_FETCH_ACCESS] = "instruction access fault",
		[CAUSE_ILLEGAL] = "illegal instruction",
		[CAUSE_BREAKPOINT] = "breakpoint",
		[CAUSE_LOAD_MISALIGNED] = "misaligned load",
		[CAUSE_LOAD_ACCESS] = "load access fault",
		[CAUSE_STORE_MISALIGNED] = "misaligned store",
		[CAUSE_STORE_ACCESS] = "store access fault",
		[CAUSE_USER_ECALL] = "system call",
		[CAUSE_FETCH_PAGE] = "instruction page fault",
		[CAUSE_LOAD_PAGE] = "load page fault",
		[CAUSE_STORE_PAGE] = "store page fault",
	};

	if (scause & CAUSE_INTERRUPT)
		return "interrupt";
	if (scause < ARRAY_SIZE(words) && words[scause])
		return words[scause];
	return "unknown cause";
}

bool interrupted_user(void)
{
	const struct trap_frame *regs = irq_frame[this_hart()->id];

	return regs && trap_from_user(regs);
}

static void handle_interrupt(struct trap_frame *regs)
{
	struct hart *hart = this_hart();

	irq_frame[hart->id] = regs;
	hart->irq_depth++;
	hart->nr_irqs++;
	switch (regs->scause & ~CAUSE_INTERRUPT) {
	case IRQ_S_TIMER:
		timer_quiet();
		timer_interrupt();
		break;
	case IRQ_S_EXTERNAL:
		plic_interrupt();
		break;
	case IRQ_S_SOFT:
		ipi_interrupt();
		break;
	default:
		panic_regs(regs, "interrupt %lu, which nobody enabled",
			   regs->scause & ~CAUSE_INTERRUPT);
	}
	hart->irq_depth--;
	irq_frame[hart->id] = NULL;
}

/* True for the three page faults; *access tells which. */
static inline bool is_page_fault(unsigned long scause, enum fault_access *access)
{
	if (scause == CAUSE_STORE_PAGE)
		*access = FAULT_WRITE;
	else if (scause == CAUSE_LOAD_PAGE)
		*access = FAULT_READ;
	else if (scause == CAUSE_FETCH_PAGE)
		*access = FAULT_EXEC;
	else
		return false;
	return true;
}

static void user_exception(struct trap_frame *regs)
{
	switch (regs->scause) {
	case CAUSE_ILLEGAL:
		trap_signal(regs, SIGILL, regs->sepc);
		break;
	case CAUSE_BREAKPOINT:
		trap_signal(regs, SIGTRAP, regs->sepc);
		break;
	case CAUSE_FETCH_MISALIGNED:
	case CAUSE_LOAD_MISALIGNED:
	case CAUSE_STORE_MISALIGNED:
		trap_signal(regs, SIGBUS, regs->stval);
		break;
	default:
		trap_signal(regs, SIGSEGV, regs->stval);
	}
}

void trap_user(struct trap_frame *regs)
{
	enum fault_access access;
	enum fault_result res;

	if (likely(is_page_fault(regs->scause, &access))) {
		local_irq_enable();
		res = handle_mm_fault(current->mm, regs->stval, access);
		/* FAULT_KILLED: the signal is delivered on the way out. */
		if (unlikely(res != FAULT_OK && res != FAULT_KILLED))
			fault_signal(regs, regs->stval, access, res);
	} else if (regs->scause & CAUSE_INTERRUPT) {
		handle_interrupt(regs);
	} else {
		local_irq_enable();
		user_exception(regs);
	}
	lockdep_check_none("at the end of a trap");
	stack_check(current, trap_cause(regs->scause));
}

/* A page fault while uaccess touched user memory. False: no fix-up, the kernel is wrong. */
static bool uaccess_fault(struct trap_frame *regs, enum fault_access access)
{
	enum fault_result res;

	if (current->pagefault_disabled || !current->mm)
		return uaccess_fixup(regs);
	local_irq_restore(regs->sstatus & SR_SPIE ? SR_SIE : 0);
	res = handle_mm_fault(current->mm, regs->stval, access);
	local_irq_disable();
	if (likely(res == FAULT_OK))
		return true;
	count_vm(VM_fault_kernel_fixup);
	return uaccess_fixup(regs);
}

void trap_kernel(struct trap_frame *regs)
{
	enum fault_access access = FAULT_READ;
	bool page_fault;

	if (regs->scause & CAUSE_INTERRUPT) {
		handle_interrupt(regs);
		return;
	}
	/* SUM is on only inside uaccess: any other access of the kernel to user memory is a bug. */
	page_fault = is_page_fault(regs->scause, &access);
	if (page_fault && regs->stval < TASK_SIZE && (regs->sstatus & SR_SUM) &&
	    uaccess_fault(regs, access))
		return;
	if (page_fault && access != FAULT_EXEC && kstack_fault_stale(regs->stval))
		return;
	if (page_fault)
		panic_regs(regs, "kernel %s at %s address 0x%lx",
			   access == FAULT_WRITE ? "write" :
			   access == FAULT_EXEC	 ? "jump" :
						   "read",
			   regs->stval < MMAP_MIN_ADDR ? "null-pointer" :
			   regs->stval < TASK_SIZE     ? "user" :
							 "kernel",
			   regs->stval);
	panic_regs(regs, "kernel %s", trap_cause(regs->scause));
}

/* ---- on the emergency stack ---- */

/* Says why the frame can never be stored below regs->sp, if so, and does not return then. */
static void check_room_wanted(const struct trap_frame *regs)
{
	const struct task *task = current;
	unsigned long depth = (unsigned long)task->stack + THREAD_SIZE - regs->sp;

	if (regs->sp - (unsigned long)emergency_stacks <= MAX_HARTS << EMERGENCY_STACK_SHIFT)
		panic_regs(regs, "%s on the emergency stack", trap_cause(regs->scause));
	if (depth > 2 * THREAD_SIZE)
		panic_regs(regs, "kernel stack pointer astray: 0x%lx", regs->sp);
	if (depth > THREAD_SIZE - sizeof(*regs))
		panic_regs(regs, "kernel stack overflow: task %d (%s) has used all %d bytes",
			   task->pid, task->comm, THREAD_SIZE);
}

void trap_no_room(struct trap_frame *regs)
{
	struct task *task = current;
	unsigned long need = regs->sp - sizeof(*regs), low = task->stack_low;

	check_room_wanted(regs);
	task->stack_low = kstack_grow(low, need);
	if (task->stack_low > need)
		panic_regs(regs, "kernel stack: the reserve of pages to grow it is empty");
	stack_watch((void *)task->stack_low, (const void *)low);
	atomic_or_ulong(&task->flags, TASK_STACK_GROWN);
}

/* asm-offsets.h repeats what the compiler knows. */
#define CHECK_OFFSET(type, field, value) BUILD_BUG_ON(offsetof(struct type, field) != (value))

static __maybe_unused void check_asm_offsets(void)
{
	CHECK_OFFSET(trap_frame, sepc, PT_SEPC);
	CHECK_OFFSET(trap_frame, ra, PT_RA);
	CHECK_OFFSET(trap_frame, tp, PT_TP);
	CHECK_OFFSET(trap_frame, t0, PT_T0);
	CHECK_OFFSET(trap_frame, s0, PT_S0);
	CHECK_OFFSET(trap_frame, a0, PT_A0);
	CHECK_OFFSET(trap_frame, a7, PT_A7);
	CHECK_OFFSET(trap_frame, s2, PT_S2);
	CHECK_OFFSET(trap_frame, s11, PT_S11);
	CHECK_OFFSET(trap_frame, t3, PT_T3);
	CHECK_OFFSET(trap_frame, t6, PT_T6);
	CHECK_OFFSET(trap_frame, sstatus, PT_SSTATUS);
	CHECK_OFFSET(trap_frame, stval, PT_STVAL);
	CHECK_OFFSET(trap_frame, scause, PT_SCAUSE);
	CHECK_OFFSET(trap_frame, orig_a0, PT_ORIG_A0);
	BUILD_BUG_ON(sizeof(struct trap_frame) != PT_SIZE);
	CHECK_OFFSET(task, kernel_sp, TASK_KERNEL_SP);
	CHECK_OFFSET(task, user_sp, TASK_USER_SP);
	CHECK_OFFSET(task, flags, TASK_FLAGS);
	CHECK_OFFSET(task, stack_low, TASK_STACK_LOW);
	CHECK_OFFSET(task, context.ra, TASK_CONTEXT_RA);
	CHECK_OFFSET(task, context.sp, TASK_CONTEXT_SP);
	CHECK_OFFSET(task, context.s, TASK_CONTEXT_S);
	CHECK_OFFSET(task, hart, TASK_HART);
	CHECK_OFFSET(hart, id, 0);
	CHECK_OFFSET(fp_state, fcsr, FP_FCSR);
	BUILD_BUG_ON(MAX_HARTS != MAX_HARTS_ASM);
}
