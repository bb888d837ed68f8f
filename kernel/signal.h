/*
 * signal.h - signals: numbers, sending, and what is done before user mode. kernel/signal.c
 */
#ifndef RAVEL_KERNEL_SIGNAL_H
#define RAVEL_KERNEL_SIGNAL_H

#include "kernel/task.h"

#define SIGHUP	 1
#define SIGINT	 2
#define SIGQUIT	 3
#define SIGILL	 4
#define SIGTRAP	 5
#define SIGABRT	 6
#define SIGBUS	 7
#define SIGFPE	 8
#define SIGKILL	 9
#define SIGUSR1	 10
#define SIGSEGV	 11
#define SIGUSR2	 12
#define SIGPIPE	 13
#define SIGALRM	 14
#define SIGTERM	 15
#define SIGCHLD	 17
#define SIGCONT	 18
#define SIGSTOP	 19
#define SIGTSTP	 20
#define SIGTTIN	 21
#define SIGTTOU	 22
#define SIGURG	 23
#define SIGXFSZ	 25
#define SIGWINCH 28

#define SIG_DFL 0
#define SIG_IGN 1

#define SA_NOCLDSTOP 0x00000001
#define SA_NOCLDWAIT 0x00000002
#define SA_SIGINFO   0x00000004
#define SA_RESTART   0x10000000
#define SA_ONSTACK   0x08000000
#define SA_NODEFER   0x40000000
#define SA_RESETHAND 0x80000000

/* si_code */
#define SI_USER	      0
#define SI_KERNEL     0x80
#define SI_TKILL      (-6)
#define SI_TIMER      (-2)
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

/* siginfo_t: 128 bytes; those of kill, of children and of faults share the place of pid and uid. */
struct siginfo_abi {
	int signo, err, code, pad;
	union {
		struct {
			pid_t pid;
			u32 uid;
			int status;
		};
		unsigned long addr;
	};
	u32 rest[24];
};

static inline u64 sigmask(int sig)
{
	return 1UL << (sig - 1);
}

/*
 * Sends @sig to @task, from the kernel (@info NULL) or as @info says. Any context; the caller keeps
 * @task alive. Signals that are ignored vanish here; so do deadly ones for init.
 */
void send_signal(struct task *task, int sig, const struct sig_info *info);
/*
 * To every process of group @pgid; 0, or -ESRCH when it is empty. Any context (the terminal's
 * ^C).
 */
int kill_pgrp(pid_t pgid, int sig);
/* As send_signal(), for the current task, and cannot be blocked or ignored. Task context. */
void force_signal(int sig, int code, unsigned long addr);

/* True when a signal waits that is neither blocked nor ignored. */
static inline bool signal_pending(const struct task *task)
{
	return READ_ONCE(task->flags) & TASK_SIGPENDING;
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

/*
 * Takes the most urgent signal of @set off the current task, with its @info; 0: none. A stop signal
 * that is to stop the task is noted in stop_wanted, which SIGCONT takes back. sig_lock held.
 */
int dequeue_signal(u64 set, struct sig_info *info);

/* Tells @task's parent that it stopped, went on or died. task_lock held. */
void notify_parent(struct task *task, int code);

/* Recomputes TASK_SIGPENDING and killed after a change of masks or actions. sig_lock held. */
void recalc_sigpending(struct task *task);
/* exec: handlers become SIG_DFL; what is ignored stays so. */
void flush_signal_handlers(struct task *task);

#endif
