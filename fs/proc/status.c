/*
 * status.c - /proc/<pid>/stat, status and statm: a process in numbers, as proc(5) has them.
 *
 * Family and state are copied under task_lock and the signal sets under sig_lock, so each group
 * fits together; memory sums are read as they are. Text is made after all locks are gone.
 *
 * A zombie has no mm: no Vm lines, and zeros in stat and statm.
 */
#include "fs/proc/proc.h"
#include "kernel/console.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/walk.h"

#define USER_HZ	    100
#define FD_ROUND    64 /* FDSize tells whole words of the table */
#define TTY_CONSOLE MKDEV(5, 1)

/* What a process is at one moment. */
struct task_view {
	pid_t ppid, pgid, sid;
	int state, exit_code, exit_signal;
	unsigned hart;
	u64 utime, stime, start_time; /* ns */
	struct rusage_sums children;
	u64 pending, blocked, ignored, caught; /* signals */
	unsigned long sigq, sigq_limit, rss_limit;
	unsigned long nvcsw, nivcsw;
	bool may_look; /* at addresses and the exit code, too */
	struct cred cred;
	char comm[TASK_COMM_LEN];
};

static void view_signals(struct task_view *view, struct task *task)
{
	unsigned long flags = spin_lock_irqsave(&task->sig_lock);

	view->pending = task->sig_pending;
	view->blocked = task->sig_blocked;
	for (int sig = 1; sig <= NSIG; sig++) {
		unsigned long handler = task->sigaction[sig].handler;

		if (handler == SIG_IGN)
			view->ignored |= sigmask(sig);
		else if (handler != SIG_DFL)
			view->caught |= sigmask(sig);
	}
	spin_unlock_irqrestore(&task->sig_lock, flags);
}

static void view_task(struct task_view *view, struct task *task)
{
	unsigned long flags;

	memset(view, 0, sizeof(*view));
	if (task == current)
		sched_account_self();
	flags = spin_lock_irqsave(&task_lock);
	view->ppid = task->parent && task->parent != task ? task->parent->pid : 0;
	view->pgid = task->pgid;
	view->sid = task->sid;
	view->state = READ_ONCE(task->state);
	view->exit_code = task->exit_code;
	view->exit_signal = task->exit_signal;
	view->children = task->ru_children;
	view->cred = task->cred;
	view->sigq = sigqueue_count(task->cred.uid);
	spin_unlock_irqrestore(&task_lock, flags);
	view->hart = task->hart ? task->hart->id : 0;
	view->utime = READ_ONCE(task->utime);
	view->stime = READ_ONCE(task->stime);
	view->start_time = task->start_time;
	view->sigq_limit = task->rlim[RLIMIT_SIGPENDING].cur;
	view->rss_limit = task->rlim[RLIMIT_RSS].cur;
	view->nvcsw = READ_ONCE(task->nvcsw);
	view->nivcsw = READ_ONCE(task->nivcsw);
	view->may_look = proc_may_look(task);
	memcpy(view->comm, task->comm, sizeof(view->comm) - 1);
	view_signals(view, task);
}

/* As ps shows it: the letter, then the word. */
static const char *state_name(int state)
{
	switch (state) {
	case TASK_RUNNING:
		return "R (running)";
	case TASK_INTERRUPTIBLE:
		return "S (sleeping)";
	case TASK_IDLE:
		return "I (idle)";
	case TASK_STOPPED:
		return "T (stopped)";
	case TASK_ZOMBIE:
		return "Z (zombie)";
	case TASK_DEAD:
		return "X (dead)";
	default:
		return "D (disk sleep)";
	}
}

/* ---- stat ---- */

static u64 ticks(u64 ns)
{
	return ns / (NSEC_PER_SEC / USER_HZ);
}

/* Fields 1 to 22: who it is, what it has used. */
static void put_stat_task(struct seq_buf *seq, const struct task *task,
			  const struct task_view *view)
{
	seq_printf(seq, "%d (%s) %c %d %d %d %lu %d %u", task->pid, view->comm,
		   *state_name(view->state), view->ppid, view->pgid, view->sid,
		   task->tty ? (unsigned long)TTY_CONSOLE : 0, tty_foreground_of(task), 0);
	seq_printf(seq, " %lu %lu %lu %lu", task->min_flt, view->children.min_flt, task->maj_flt,
		   view->children.maj_flt);
	seq_printf(seq, " %lu %lu %lu %lu", (unsigned long)ticks(view->utime),
		   (unsigned long)ticks(view->stime), (unsigned long)ticks(view->children.utime),
		   (unsigned long)ticks(view->children.stime));
	/* priority nice num_threads itrealvalue starttime */
	seq_printf(seq, " 20 0 1 0 %lu", (unsigned long)ticks(view->start_time));
}

int proc_show_pid_stat(struct seq_buf *seq, struct task *task)
{
	static const struct mm no_mm;
	struct mm *held = task_get_mm(task);
	const struct mm *mm = held ? held : &no_mm, *layout;
	struct task_view view;

	view_task(&view, task);
	/* Where things lie is nobody else's business (address space randomisation). */
	layout = view.may_look ? mm : &no_mm;
	put_stat_task(seq, task, &view);
	/* vsize rss rsslim startcode endcode startstack kstkesp kstkeip */
	seq_printf(seq, " %lu %lu %lu %lu %lu %lu 0 0", mm->total_vm << PAGE_SHIFT, mm_rss(mm),
		   view.rss_limit, layout->start_code, layout->end_code, layout->start_stack);
	/* Signals up to 31, in decimal, for programs older than status; wchan nswap cnswap. */
	seq_printf(seq, " %lu %lu %lu %lu 0 0 0", (unsigned long)view.pending & INT_MAX,
		   (unsigned long)view.blocked & INT_MAX, (unsigned long)view.ignored & INT_MAX,
		   (unsigned long)view.caught & INT_MAX);
	/* exit_signal processor rt_priority policy blkio_ticks guest_time cguest_time */
	seq_printf(seq, " %d %u 0 0 0 0 0", view.exit_signal, view.hart);
	seq_printf(seq, " %lu %lu %lu %lu %lu %lu %lu %d\n", layout->start_data, layout->end_data,
		   layout->start_brk, layout->arg_start, layout->arg_end, layout->env_start,
		   layout->env_end, view.may_look ? view.exit_code : 0);
	if (held)
		mm_put(held);
	return 0;
}

/* ---- statm, and the memory of status ---- */

/* Pages of the program's code as the layout tells. */
static unsigned long text_pages(const struct mm *mm)
{
	return (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) >> PAGE_SHIFT;
}

int proc_show_pid_statm(struct seq_buf *seq, struct task *task)
{
	struct mm *mm = task_get_mm(task);

	if (!mm) {
		seq_printf(seq, "0 0 0 0 0 0 0\n");
		return 0;
	}
	seq_printf(seq, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, mm_rss(mm),
		   (unsigned long)READ_ONCE(mm->rss_file), text_pages(mm),
		   mm->data_vm + mm->stack_vm);
	mm_put(mm);
	return 0;
}

static void put_kb(struct seq_buf *seq, const char *name, unsigned long pages)
{
	seq_printf(seq, "%s:\t%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static void put_status_mm(struct seq_buf *seq, struct mm *mm)
{
	unsigned long text = text_pages(mm), exec = READ_ONCE(mm->exec_vm), rss = mm_rss(mm);
	unsigned long total = READ_ONCE(mm->total_vm);
	unsigned long file = max(READ_ONCE(mm->rss_file), 0L);
	unsigned long shmem = mm_nr_shmem(mm);

	put_kb(seq, "VmPeak", max(READ_ONCE(mm->hiwater_vm), total));
	put_kb(seq, "VmSize", total);
	put_kb(seq, "VmLck", READ_ONCE(mm->locked_vm));
	put_kb(seq, "VmPin", 0);
	put_kb(seq, "VmHWM", max(READ_ONCE(mm->hiwater_rss), rss));
	put_kb(seq, "VmRSS", rss);
	put_kb(seq, "RssAnon", READ_ONCE(mm->rss_anon));
	put_kb(seq, "RssFile", file > shmem ? file - shmem : 0);
	put_kb(seq, "RssShmem", shmem);
	put_kb(seq, "VmData", mm->data_vm);
	put_kb(seq, "VmStk", mm->stack_vm);
	put_kb(seq, "VmExe", text);
	put_kb(seq, "VmLib", exec > text ? exec - text : 0);
	put_kb(seq, "VmPTE", READ_ONCE(mm->nr_ptes) + 1);
	put_kb(seq, "VmSwap", READ_ONCE(mm->swap_ents));
}

/* ---- status ---- */

/* How many descriptors the table of @task has room for, in steps; 0: it has none. */
static unsigned fd_size(struct task *task)
{
	struct files *files = proc_get_files(task);
	int fd = -1, next;

	if (!files)
		return 0;
	while ((next = files_next_fd(files, fd + 1)) >= 0)
		fd = next;
	files_put(files);
	return max(ALIGN_UP(fd + 1, FD_ROUND), FD_ROUND);
}

static void put_status_ids(struct seq_buf *seq, struct task *task, const struct task_view *view)
{
	struct fs_context *fs = proc_get_fs(task);
	const struct cred *cred = &view->cred;

	seq_printf(seq, "Name:\t%s\n", view->comm);
	if (fs) {
		seq_printf(seq, "Umask:\t%#04o\n", fs->umask);
		fs_context_put(fs);
	}
	seq_printf(seq, "State:\t%s\n", state_name(view->state));
	seq_printf(seq, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", task->pid,
		   task->pid, view->ppid);
	seq_printf(seq, "Uid:\t%u\t%u\t%u\t%u\n", cred->uid, cred->euid, cred->suid, cred->fsuid);
	seq_printf(seq, "Gid:\t%u\t%u\t%u\t%u\n", cred->gid, cred->egid, cred->sgid, cred->fsgid);
	seq_printf(seq, "FDSize:\t%u\nGroups:\t", fd_size(task));
	for (unsigned i = 0; i < cred->nr_groups; i++)
		seq_printf(seq, "%u ", cred->groups[i]);
	seq_printf(seq, "%s\n", cred->nr_groups ? "" : " ");
}

static void put_status_signals(struct seq_buf *seq, const struct task_view *view)
{
	seq_printf(seq, "Threads:\t1\nSigQ:\t%lu/%lu\n", view->sigq, view->sigq_limit);
	seq_printf(seq, "SigPnd:\t%016lx\nShdPnd:\t%016lx\n", (unsigned long)view->pending, 0UL);
	seq_printf(seq, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
		   (unsigned long)view->blocked, (unsigned long)view->ignored,
		   (unsigned long)view->caught);
}

static void put_status_harts(struct seq_buf *seq, const struct task_view *view)
{
	unsigned nr = hweight64(harts_online_mask);

	seq_printf(seq, "Cpus_allowed:\t%lx\n", harts_online_mask);
	seq_printf(seq, nr > 1 ? "Cpus_allowed_list:\t0-%u\n" : "Cpus_allowed_list:\t%u\n", nr - 1);
	seq_printf(seq, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		   view->nvcsw, view->nivcsw);
}

int proc_show_pid_status(struct seq_buf *seq, struct task *task)
{
	struct task_view view;
	struct mm *mm;

	view_task(&view, task);
	put_status_ids(seq, task, &view);
	mm = task_get_mm(task);
	if (mm) {
		put_status_mm(seq, mm);
		mm_put(mm);
	}
	put_status_signals(seq, &view);
	put_status_harts(seq, &view);
	return 0;
}
