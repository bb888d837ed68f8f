/*
 * signal.h - signals: numbers, sending, and what is done before user mode. kernel/signal.c
 */
#ifndef RAVEL_KERNEL_SIGNAL_H
#define RAVEL_KERNEL_SIGNAL_H

#include "kernel/task.h"

#define SIGHUP	  1
#define SIGINT	  2
#define SIGQUIT	  3
#define SIGILL	  4
#define SIGTRAP	  5
#define SIGABRT	  6
#define SIGBUS	  7
#define SIGFPE	  8
#define SIGKILL	  9
#define SIGUSR1	  10
#define SIGSEGV	  11
#define SIGUSR2	  12
#define SIGPIPE	  13
#define SIGALRM	  14
#define SIGTERM	  15
#define SIGCHLD	  17
#define SIGCONT	  18
#define SIGSTOP	  19
#define SIGTSTP	  20
#define SIGTTIN	  21
#define SIGTTOU	  22
#define SIGURG	  23
#define SIGXFSZ	  25
#define SIGVTALRM 26
#define SIGPROF	  27
#define SIGWINCH  28
#define SIGSYS	  31

#define SIG_DFL 0
#define SIG_IGN 1

#define SA_NOCLDSTOP 0x00000001UL
#define SA_NOCLDWAIT 0x00000002UL
#define SA_SIGINFO   0x00000004UL
#define SA_ONSTACK   0x08000000UL
#define SA_RESTART   0x10000000UL
#define SA_NODEFER   0x40000000UL
#define SA_RESETHAND 0x80000000UL
/* The others are cleared: so a program sees what a kernel has. */
#define SA_KNOWN                                                                                   \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |         \
	 SA_RESETHAND)

/* si_code */
#define SI_USER	      0
#define SI_KERNEL     0x80
#define SI_QUEUE      (-1)
#define SI_TIMER      (-2)
#define SI_TKILL      (-6)
#define SEGV_MAPERR   1
#define SEGV_ACCERR   2
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define ILL_ILLOPC    1
#define TRAP_BRKPT    1
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* sigaltstack(2): the mode, and what may be added to it. */
#define SS_ONSTACK    1u
#define SS_DISABLE    2u
#define SS_AUTODISARM 0x80000000u

/* siginfo_t, 128 bytes. */
struct siginfo_abi {
	int signo, err, code, pad;
	union sig_fields fields;
	u32 rest[20];
};

/* stack_t */
struct stack_abi {
	unsigned long sp;
	u32 flags, pad;
	unsigned long size;
};

static inline u64 sigmask(int sig)
{
	return 1UL << (sig - 1);
}

#define UNBLOCKABLE_SIGNALS (sigmask(SIGKILL) | sigmask(SIGSTOP))

#define STOP_SIGNALS (sigmask(SIGSTOP) | sigmask(SIGTSTP) | sigmask(SIGTTIN) | sigmask(SIGTTOU))

#define IGNORED_BY_DEFAULT                                                                         \
	(sigmask(SIGCHLD) | sigmask(SIGCONT) | sigmask(SIGURG) | sigmask(SIGWINCH))
/* What a task's own instruction may cause: delivered before what others send. */
#define FAULT_SIGNALS                                                                              \
	(sigmask(SIGSEGV) | sigmask(SIGBUS) | sigmask(SIGILL) | sigmask(SIGTRAP) | sigmask(SIGFPE))

/* ---- sending (kernel/signal.c) ---- */

/*
 * Sends @sig to @task, from the kernel (@info NULL) or as @info says. Any context; the caller keeps
 * @task alive. Signals that are ignored vanish here; so do deadly ones for init.
 */
void send_signal(struct task *task, int sig, const struct sig_info *info);
/*
 * The same with room in which a real-time signal may wait, from sigqueue_reserve(); task_lock held
 * (it keeps the sums over a user's tasks). 0, or -EAGAIN: there was no room or the receiver's limit
 * is reached, and @info must not be lost; others than sigqueue(3)'s then come without @info.
 */
int send_signal_queued(struct task *task, int sig, const struct sig_info *info,
		       struct list_head *room);
/* To the current task, as if it had sent it itself: SIGPIPE, SIGXFSZ. Task context. */
void signal_self(int sig);
/*
 * To every process of group @pgid; 0, or -ESRCH when it is empty. Any context (the terminal's
 * ^C).
 */
int kill_pgrp(pid_t pgid, int sig);
/*
 * As send_signal(), for the current task, and cannot be blocked or ignored: that makes it deadly.
 * Task context.
 */
void force_signal(int sig, int code, unsigned long addr);
/* The frame of a handler for @sig had no room: SIGSEGV, and for SIGSEGV itself without handler. */
void force_sigsegv(int sig);

/* Tells @task's parent that it stopped, went on or died. task_lock held. */
void notify_parent(struct task *task, int code);

/* ---- what waits (kernel/sigqueue.c) ---- */

/*
 * Room for @n real-time signals onto list @room, as far as there is memory; for other numbers
 * nothing. sigqueue_release() gives back what is on a list. Both: no spinlock held.
 */
void sigqueue_reserve(struct list_head *room, int sig, unsigned n);
void sigqueue_release(struct list_head *room);
/* Adds @sig to what waits for @task, using up @room; as send_signal_queued(). sig_lock held too. */
int sigqueue_add(struct task *task, int sig, const struct sig_info *info, struct list_head *room);
/* How many real-time signals wait for tasks of real user @uid. task_lock held. */
unsigned long sigqueue_count(u32 uid);
/*
 * Drops all waiting signals of @set; their room goes to list @used. sig_lock held. exit, and
 * signals that become ignored.
 */
void sigqueue_drop(struct task *task, u64 set, struct list_head *used);
/*
 * Takes the most urgent signal of @set off the current task, with its @info; 0: none. Its room goes
 * to list @used. A stop signal that is to stop the task is noted in stop_wanted, which SIGCONT
 * takes back. sig_lock held.
 */
int dequeue_signal(u64 set, struct sig_info *info, struct list_head *used);

/* ---- masks and actions ---- */

/* True when a signal waits that is neither blocked nor ignored. */
static inline bool signal_pending(const struct task *task)
{
	return READ_ONCE(task->flags) & TASK_SIGPENDING;
}

static inline bool is_handler(unsigned long handler)
{
	return handler > SIG_IGN;
}

/* True when @task's action for @sig is to do nothing. sig_lock held, or the task is current. */
static inline bool is_ignored(const struct task *task, int sig)
{
	unsigned long handler = task->sigaction[sig].handler;

	return handler == SIG_IGN || (handler == SIG_DFL && (sigmask(sig) & IGNORED_BY_DEFAULT));
}

/*
 * True when the current task blocks or ignores @sig: the terminal's test for SIGTTIN and SIGTTOU.
 */
bool signal_is_ignored(int sig);
/*
 * True when no member of @pgid has a parent in its session but outside its group. task_lock held.
 */
bool pgrp_is_orphaned(pid_t pgid, const struct task *without);
/* The same for the current task's own group; takes task_lock. */
bool current_pgrp_is_orphaned(void);

/* Recomputes TASK_SIGPENDING and killed after a change of masks or actions. sig_lock held. */
void recalc_sigpending(struct task *task);
/* Sets what the current task blocks, but for SIGKILL and SIGSTOP; returns what it did before. */
u64 set_blocked(u64 blocked);
/* As set_blocked(), undone when the system call under way has ended and a handler has its frame. */
void set_blocked_for_call(u64 blocked);
/* exec: handlers become SIG_DFL; what is ignored stays so; no alternate stack. */
void flush_signal_handlers(struct task *task);
/* exit: forgets what waits. */
void exit_signals(struct task *task);

/* ---- delivery (kernel/sigdeliver.c, arch/riscv/sigframe.c) ---- */

/* A signal on its way to a handler. */
struct delivery {
	int sig;
	struct sig_info info;
	struct sigaction_k action;
};

/*
 * Makes @regs, the current task's user registers, enter the handler with a frame on the user's
 * stack that rt_sigreturn(2) undoes; @blocked: the mask that it then sets. -EFAULT: no room for
 * the frame, @regs are as before.
 */
int sigframe_push(struct trap_frame *regs, const struct delivery *d, u64 blocked);

/* What siginfo_t says of @sig. */
void siginfo_to_abi(struct siginfo_abi *abi, int sig, const struct sig_info *info);

/* True when user stack pointer @sp is on the current task's alternate stack. */
static inline bool on_sig_stack(unsigned long sp)
{
	const struct sig_stack *stack = &current->sig_stack;

	return !(stack->flags & SS_AUTODISARM) && sp > stack->sp && sp - stack->sp <= stack->size;
}

/*
 * Sets the alternate stack of the current task, whose user stack pointer is @sp; 0, -EPERM,
 * -EINVAL, -ENOMEM. kernel/sigcalls.c
 */
int set_sig_stack(const struct stack_abi *new, unsigned long sp);

#endif
