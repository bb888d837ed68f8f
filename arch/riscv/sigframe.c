/*
 * sigframe.c - into a signal handler and back: the frame on the user's stack.
 *
 *	sp before ---> | what the program has there       |
 *	               +----------------------------------+ rounded down to 16 bytes
 *	           960 | 16 bytes: fcsr's padding, END    |  mcontext: sc_fpregs, 528 bytes
 *	               | f0..f31, fcsr                    |
 *	           304 | pc, x1..x31                      |  mcontext: sc_regs
 *	           168 | uc_sigmask (room for 1024 bits)  |
 *	           144 | uc_stack                         |
 *	           128 | uc_flags, uc_link                |  a2: struct ucontext
 *	             0 | siginfo, 128 bytes               |  a1, sp; ra: vDSO
 *	               +----------------------------------+
 *
 * The layout is that of riscv64 Linux: debuggers and unwinders know it. The program may change the
 * frame before rt_sigreturn(2): pc, registers, FP state and mask are taken from it, and nothing
 * that the program could not set itself. sstatus is never in it.
 *
 * Locks: none; all is the current task's own. User memory is touched in pieces, since a kernel
 * stack is small, and nothing of the task changes before the last piece is read.
 * Source: Linux' <asm/ucontext.h> and <asm/sigcontext.h> for riscv.
 */
#include "arch/riscv/switch.h"
#include "arch/riscv/uaccess.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/mm.h"

#define NR_REGS	    32 /* pc and x1..x31: the beginning of struct trap_frame */
#define FCSR_MASK   0xffu
#define STACK_ALIGN 16UL

struct sigcontext_abi {
	unsigned long regs[NR_REGS];
	u64 f[32];
	u32 fcsr;
	u32 quad_room[64];		   /* the union has room for 128-bit registers */
	u32 reserved, end_magic, end_size; /* zeros: END, no state of extensions follows */
};

struct ucontext_abi {
	struct uc_head {
		unsigned long flags, link;
		struct stack_abi stack;
		u64 blocked;
	} head;
	u8 rest_of_mask[120], pad[8];
	struct sigcontext_abi mcontext;
};

struct rt_sigframe {
	struct siginfo_abi info;
	struct ucontext_abi uc;
};

static __maybe_unused void check_layout(void)
{
	BUILD_BUG_ON(offsetof(struct rt_sigframe, uc) != 128);
	BUILD_BUG_ON(offsetof(struct ucontext_abi, mcontext) != 176);
	BUILD_BUG_ON(offsetof(struct sigcontext_abi, fcsr) != 512);
	BUILD_BUG_ON(offsetof(struct sigcontext_abi, end_magic) != 776);
	BUILD_BUG_ON(sizeof(struct rt_sigframe) != 1088);
	BUILD_BUG_ON(offsetof(struct trap_frame, t6) != (NR_REGS - 1) * sizeof(long));
}

/* Field @field of the frame at user address @frame, which may be any number: no pointer yet. */
#define FRAME_FIELD(frame, field) ((void *)((frame) + offsetof(struct rt_sigframe, field)))

/* ---- there ---- */

/* Where the frame goes; 0: that would be past the end of the alternate stack. */
static unsigned long frame_place(unsigned long sp, unsigned long flags)
{
	const struct sig_stack *stack = &current->sig_stack;
	unsigned long place = sp - sizeof(struct rt_sigframe);

	if (on_sig_stack(sp)) {
		if (!on_sig_stack(place))
			return 0;
	} else if ((flags & SA_ONSTACK) && stack->size) {
		place = stack->sp + stack->size - sizeof(struct rt_sigframe);
	}
	return place & ~(STACK_ALIGN - 1);
}

static int put_info(unsigned long frame, const struct delivery *d)
{
	struct siginfo_abi abi;

	siginfo_to_abi(&abi, d->sig, &d->info);
	return copy_to_user(FRAME_FIELD(frame, info), &abi, sizeof(abi)) ? -EFAULT : 0;
}

static int put_head(unsigned long frame, u64 blocked)
{
	const struct sig_stack *stack = &current->sig_stack;
	struct uc_head head = {
		.stack = { .sp = stack->sp, .flags = stack->flags, .size = stack->size },
		.blocked = blocked,
	};

	return copy_to_user(FRAME_FIELD(frame, uc.head), &head, sizeof(head)) ? -EFAULT : 0;
}

static int put_registers(unsigned long frame, const struct trap_frame *regs)
{
	static const u32 end[3];

	fp_sync();
	if (copy_to_user(FRAME_FIELD(frame, uc.mcontext.regs), regs, NR_REGS * sizeof(long)) ||
	    copy_to_user(FRAME_FIELD(frame, uc.mcontext.f), &current->fp,
			 offsetof(struct fp_state, fcsr) + sizeof(u32)) ||
	    copy_to_user(FRAME_FIELD(frame, uc.mcontext.reserved), end, sizeof(end)))
		return -EFAULT;
	return 0;
}

int sigframe_push(struct trap_frame *regs, const struct delivery *d, u64 blocked)
{
	unsigned long frame = frame_place(regs->sp, d->action.flags);

	if (!frame || put_info(frame, d) || put_head(frame, blocked) || put_registers(frame, regs))
		return -EFAULT;
	if (current->sig_stack.flags & SS_AUTODISARM)
		current->sig_stack = (struct sig_stack){ 0, 0, SS_DISABLE };
	regs->sepc = d->action.handler;
	regs->ra = current->mm->vdso;
	regs->sp = frame;
	regs->a0 = d->sig;
	regs->a1 = (unsigned long)FRAME_FIELD(frame, info);
	regs->a2 = (unsigned long)FRAME_FIELD(frame, uc);
	regs->scause = 0; /* no system call that could be made again */
	return 0;
}

/* ---- and back ---- */

/* The FP registers from the frame; -EFAULT; -EINVAL: it says that state follows which we lack. */
static int get_fp(unsigned long frame)
{
	struct fp_state fp = { .fcsr = 0 };
	u32 end[3];

	if (copy_from_user(&fp, FRAME_FIELD(frame, uc.mcontext.f),
			   offsetof(struct fp_state, fcsr) + sizeof(u32)) ||
	    copy_from_user(end, FRAME_FIELD(frame, uc.mcontext.reserved), sizeof(end)))
		return -EFAULT;
	if (end[0] || end[1] || end[2])
		return -EINVAL;
	fp.fcsr &= FCSR_MASK;
	current->fp = fp;
	fp_load();
	return 0;
}

/* Undoes sigframe_push() from what user memory says now. 0 or -errno: then @regs are as before. */
static int sigframe_pop(struct trap_frame *regs)
{
	unsigned long frame = regs->sp;
	unsigned long saved[NR_REGS];
	struct uc_head head;
	int err;

	if (copy_from_user(&head, FRAME_FIELD(frame, uc.head), sizeof(head)) ||
	    copy_from_user(saved, FRAME_FIELD(frame, uc.mcontext.regs), sizeof(saved)))
		return -EFAULT;
	err = get_fp(frame);
	if (err)
		return err;
	memcpy(regs, saved, sizeof(saved));
	set_blocked(head.blocked);
	/* What sigaltstack() would refuse stays as it is. */
	set_sig_stack(&head.stack, regs->sp);
	return 0;
}

SYSCALL_DEFINE0(rt_sigreturn)
{
	struct trap_frame *user = task_regs(current);

	user->scause = 0; /* a0 is the interrupted context's, not a result */
	current->restart_deadline = 0;
	if (sigframe_pop(user)) {
		force_signal(SIGSEGV, SI_KERNEL, user->sp);
		return 0;
	}
	return user->a0;
}
