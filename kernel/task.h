/*
 * task.h - a thread of control: what the scheduler runs and what a process id names.
 *
 * A process is one task here (threads sharing a pid come later); tasks made with CLONE_VM share an
 * mm, with CLONE_FILES their descriptors, with CLONE_FS their directories. `tp` holds the current
 * task whenever the kernel runs.
 *
 * Locks: state, run queue links and on_hart are the scheduler's (sched_lock); parent, children,
 * pgid, sid, exit_code and the pid table are under task_lock (kernel/task.c); pending and blocked
 * under the task's sig_lock. Everything else belongs to the task itself.
 */
#ifndef RAVEL_KERNEL_TASK_H
#define RAVEL_KERNEL_TASK_H

#include "arch/riscv/trap.h"
#include "kernel/cred.h"
#include "kernel/lock_types.h"
#include "kernel/lockdep.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/atomic.h"
#include "lib/list.h"

enum task_state {
	TASK_RUNNING,	      /* on a hart or on the run queue */
	TASK_INTERRUPTIBLE,   /* any signal that is not ignored ends the sleep */
	TASK_KILLABLE,	      /* only a fatal signal does */
	TASK_UNINTERRUPTIBLE, /* nothing does: disk I/O, locks */
	TASK_IDLE,	      /* likewise: a kernel thread that has nothing to do */
	TASK_STOPPED,	      /* by SIGSTOP and friends */
	TASK_ZOMBIE,	      /* exited, not yet waited for */
	TASK_DEAD,	      /* waited for; freed after its last switch */
};

#define NSIG		  64
#define NSIG_STD	  31
#define TASK_COMM_LEN	  16
#define RLIM_NLIMITS	  16
#define RLIMIT_FSIZE	  1
#define RLIMIT_DATA	  2
#define RLIMIT_STACK	  3
#define RLIMIT_CORE	  4
#define RLIMIT_RSS	  5
#define RLIMIT_NPROC	  6
#define RLIMIT_NOFILE	  7
#define RLIMIT_MEMLOCK	  8
#define RLIMIT_AS	  9
#define RLIMIT_SIGPENDING 11
#define RLIM_INFINITY	  (~0UL)

struct rlimit {
	unsigned long cur, max;
};

struct mm;
struct hart;
struct files;
struct fs_context;
struct tty;

struct sigaction_k {
	unsigned long handler; /* SIG_DFL 0, SIG_IGN 1 */
	unsigned long flags;
	u64 mask;
};

/*
 * What siginfo_t says beyond its number, errno and code, in its layout; the code tells which of
 * them counts.
 */
union sig_fields {
	struct {
		pid_t pid;
		u32 uid; /* of the sender; real */
		union {
			int status;	     /* of a child */
			unsigned long value; /* that came with sigqueue(3) */
		};
		s64 utime, stime; /* of a child; ticks of 1/100 s */
	};
	unsigned long addr; /* that faulted */
};

/* Who sent a signal and why. */
struct sig_info {
	int code, err; /* si_code, si_errno */
	union sig_fields fields;
};

/* The alternate stack of sigaltstack(2). */
struct sig_stack {
	unsigned long sp, size; /* user address of its lowest byte; bytes, 0: there is none */
	unsigned flags;		/* as given: SS_AUTODISARM and the mode */
};

/* What getrusage(2) adds up over the children. */
struct rusage_sums {
	u64 utime, stime;			 /* ns */
	unsigned long min_flt, maj_flt, max_rss; /* max_rss in pages */
	unsigned long nvcsw, nivcsw;
};

/* setitimer(ITIMER_VIRTUAL) and (ITIMER_PROF): by the task's own time, ns; 0: not running. */
#define NR_CPU_ITIMERS 2
struct cpu_itimer {
	u64 expires, interval;
};

struct robust_list_head;

/* An allocation of pages that there was no memory for. */
struct failed_alloc {
	unsigned order, gfp;
	const void *caller; /* code address; NULL: there was none yet */
};

struct task {
	/* entry.S knows the offsets of these; see BUILD_BUG_ONs in arch/riscv/trap.c. */
	unsigned long kernel_sp; /* top of the kernel stack, where a trap from user mode begins */
	unsigned long user_sp;	 /* scratch of the trap entry */
	unsigned long flags;	 /* TASK_NEED_RESCHED ...: work before user mode */
	unsigned long stack_low; /* lowest mapped byte of the kernel stack; sinks as it grows */

	struct context context;
	struct hart *hart; /* where it runs, or last ran */
	void *stack;	   /* lowest byte that the kernel stack may ever use */

	int state;
	int on_hart; /* 1 while some hart's registers hold this task */
	struct list_head run_link;
	u64 slice_end;		      /* time when the next task of the queue gets the hart */
	u64 utime, stime, start_time; /* ns */
	u64 time_stamp;		      /* when the accounting last moved, ns */

	struct mm *mm; /* NULL for a kernel thread */
	int pagefault_disabled;
	unsigned long min_flt, maj_flt;
	unsigned long nvcsw, nivcsw; /* switches: it slept, or gave way while it could run */
	long fail_alloc;	  /* > 0: that allocation from now fails (/proc/self/fail_alloc) */
	unsigned long fail_fired; /* how often one was made to fail */
	struct failed_alloc failed_alloc; /* the last that found no memory, for reports */
	bool reclaiming;  /* it frees memory: may use the last of it, and never reclaims again */
	bool no_way_back; /* its allocations wait rather than fail: memory_must_begin() */

	pid_t pid, pgid, sid;
	struct task *parent;
	pid_t ppid; /* parent->pid, for getppid() without a lock */
	struct list_head children, sibling;
	struct list_head all_link;
	struct list_head pid_hash;
	int exit_code; /* as wait4 returns it */
	int exit_signal;
	struct wait_queue child_wait; /* this task waits here for its children */
	struct wait_queue *vfork_done;
	bool *vfork_flag;
	int *clear_child_tid; /* user address */
	atomic_t refcount;
	int *set_child_tid;		/* user address: a new task writes its pid there */
	bool did_exec;			/* setpgid(2) of the parent comes too late */
	bool is_kernel;			/* of kernel_thread(), and never became a program */
	struct rusage_sums ru_children; /* of the children that were waited for; task_lock */
	unsigned long max_rss;		/* pages, of the mm that is gone */
	short oom_score_adj;		/* -1000 (never killed for memory) to 1000; task_lock */
	short oom_score_adj_min;	/* what others than root may lower it to */
	bool oom_victim;		/* it was killed for memory: some of the reserve is its */

	struct spinlock sig_lock;
	u64 sig_pending, sig_blocked;
	u64 sig_awaited; /* by rt_sigtimedwait: their arrival wakes although they are blocked */
	struct sigaction_k sigaction[NSIG + 1];
	bool killed; /* a fatal signal is pending: TASK_KILLABLE sleeps end */
	int stop_signal;
	bool stop_wanted, stop_reported, continued;
	u64 sig_saved; /* what sigsuspend replaced; valid with sig_restore */
	bool sig_restore;
	u64 restart_deadline; /* ns: restart_syscall() sleeps till then; 0: it has nothing */
	struct timespec64 *restart_rem; /* user address, or NULL: what is left goes there */
	struct sig_stack sig_stack;
	struct timer itimer; /* setitimer(ITIMER_REAL) */
	u64 itimer_interval; /* ns; 0: once */
	struct cpu_itimer cpu_itimer[NR_CPU_ITIMERS];
	bool cpu_itimer_on;		      /* one of them runs: ticks have to look */
	struct robust_list_head *robust_list; /* user address; only kept */

	struct files *files;
	struct fs_context *fs; /* cwd, root, umask */
	struct tty *tty;       /* controlling terminal */
	struct cred cred;      /* whose it is; kernel/cred.h */
	struct rlimit rlim[RLIM_NLIMITS];
	char comm[TASK_COMM_LEN];

	struct fp_state fp;

	/* From here on nothing is inherited by a child. */
	struct sig_info sig_info[NSIG_STD + 1]; /* of each pending standard signal; sig_lock */
	struct list_head sig_queue; /* struct sigqueue: real-time signals, oldest first */
	unsigned nr_sigqueue;	    /* how many; sig_lock */
#ifdef CONFIG_DEBUG
	struct lock_trace locks;
#endif
};

#define TASK_NEED_RESCHED (1UL << 0)
#define TASK_SIGPENDING	  (1UL << 1)
#define TASK_STACK_GROWN  (1UL << 2) /* out of the reserve, which wants its pages back */

register struct task *current_task_reg __asm__("tp");

/* The running task; from the first instruction of C on, this is never NULL. */
#define current (current_task_reg)

#define current_mm() (current->mm)

/* The scheduler's yield point in long loops of the kernel; no spinlock may be held. */
void cond_resched(void);

/* ---- the table of tasks (kernel/task.c) ---- */

#define PID_MAX 32767

/* Guards the family tree, groups, sessions, exit codes and the pid table. Interrupts off. */
extern struct spinlock task_lock;
extern struct list_head task_list; /* every task with a pid, by all_link, oldest first */
extern struct task *init_task;	   /* pid 1 */

/* The task with @pid, with a reference; NULL: none. task_next_get(): the lowest pid >= @pid. */
struct task *find_task_get(pid_t pid);
struct task *task_next_get(pid_t pid);
/* The task with @pid; task_lock held, which keeps it. */
struct task *find_task_locked(pid_t pid);
static inline void task_get(struct task *task)
{
	atomic_inc(&task->refcount);
}
void task_put(struct task *task);
/* The address space of @task with a user more (mm_put() it), or NULL: kernel thread or exited. */
struct mm *task_get_mm(struct task *task);
/* How many tasks there are; how many of them want a hart (running or queued). */
unsigned nr_tasks(void);
/* How many there have been since the boot. */
unsigned long nr_forks(void);

/* Behind both structures: the locks' inline parts look at the current task's hart. */
#include "arch/riscv/hart.h"

#endif
