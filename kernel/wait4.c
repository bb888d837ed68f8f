/*
 * wait4.c - wait4(2) and waitid(2): what became of the children.
 *
 *	loop:  queue on child_wait -> look at every child -> one has news: take it
 *	                                                  -> none eligible: -ECHILD
 *	                                                  -> else sleep
 *
 * Invariants: news is taken once (WNOWAIT leaves it); a zombie is detached under task_lock by
 * exactly one waiter, which then frees it.
 * Locks: task_lock while looking; nothing is written to user memory under it.
 */
#include "arch/riscv/uaccess.h"
#include "kernel/process.h"
#include "kernel/resource.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"

#define WNOHANG	   0x00000001
#define WUNTRACED  0x00000002
#define WSTOPPED   WUNTRACED
#define WEXITED	   0x00000004
#define WCONTINUED 0x00000008
#define WNOWAIT	   0x01000000
#define WNOTHREAD  0x20000000
#define WALL	   0x40000000
#define WCLONE	   0x80000000

enum wait_type { P_ALL, P_PID, P_PGID };

struct wait_request {
	enum wait_type type;
	pid_t id;
	unsigned options;
	/* The answer. */
	pid_t pid;	  /* 0: nothing yet */
	u32 uid;	  /* real, of the child */
	int status, code; /* as wait4 gives it; CLD_* */
	struct rusage_sums usage;
	struct task *reaped; /* detached, to be released */
};

static bool eligible(const struct wait_request *req, const struct task *child)
{
	if (req->type == P_PID && child->pid != req->id)
		return false;
	if (req->type == P_PGID && child->pgid != req->id)
		return false;
	if (req->options & WALL)
		return true;
	return (child->exit_signal != SIGCHLD) == !!(req->options & WCLONE);
}

/* The child's own sums and those of what it waited for. task_lock held. */
static void sum_usage(const struct task *child, struct rusage_sums *sums)
{
	rusage_of_task(child, sums);
	rusage_add(sums, &child->ru_children);
}

static void take_zombie(struct wait_request *req, struct task *child)
{
	req->pid = child->pid;
	req->uid = child->cred.uid;
	req->status = child->exit_code;
	req->code = child->exit_code & 0x7f ? CLD_KILLED : CLD_EXITED;
	sum_usage(child, &req->usage);
	if (req->options & WNOWAIT)
		return;
	rusage_add(&current->ru_children, &req->usage);
	task_detach(child);
	req->reaped = child;
}

/* True when @child has news that the request wants; takes it. task_lock held. */
static bool take_news(struct wait_request *req, struct task *child)
{
	bool keep = req->options & WNOWAIT;

	if (child->state == TASK_ZOMBIE && (req->options & WEXITED)) {
		take_zombie(req, child);
		return true;
	}
	if (child->stop_signal && !child->stop_reported && (req->options & WSTOPPED)) {
		req->status = child->stop_signal << 8 | 0x7f;
		req->code = CLD_STOPPED;
		child->stop_reported = !keep;
	} else if (child->continued && (req->options & WCONTINUED)) {
		req->status = 0xffff;
		req->code = CLD_CONTINUED;
		child->continued = keep;
	} else {
		return false;
	}
	req->pid = child->pid;
	req->uid = child->cred.uid;
	sum_usage(child, &req->usage);
	return true;
}

/* One look at all children: 0 (req->pid tells whether one had news) or -ECHILD. */
static int look(struct wait_request *req)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *child;
	int err = -ECHILD;

	list_for_each_entry(child, &current->children, sibling) {
		if (!eligible(req, child))
			continue;
		err = 0;
		if (take_news(req, child))
			break;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

/* Waits as @req says; 0 with req->pid (0 for WNOHANG without news), or -errno. */
static int do_wait(struct wait_request *req)
{
	struct wait_entry entry = WAIT_ENTRY_INIT;
	int err;

	for (;;) {
		prepare_to_wait(&current->child_wait, &entry, TASK_INTERRUPTIBLE);
		err = look(req);
		if (err || req->pid || (req->options & WNOHANG))
			break;
		if (signal_ends_sleep(TASK_INTERRUPTIBLE)) {
			err = -ERESTARTSYS;
			break;
		}
		schedule();
	}
	finish_wait(&current->child_wait, &entry);
	if (req->reaped)
		release_task(req->reaped);
	return err;
}

static int put_usage(struct rusage_abi *user, const struct rusage_sums *sums)
{
	struct rusage_abi usage;

	if (!user)
		return 0;
	rusage_to_abi(sums, &usage);
	return copy_to_user(user, &usage, sizeof(usage)) ? -EFAULT : 0;
}

SYSCALL_DEFINE4(wait4, pid_t, pid, int *, status, int, options, struct rusage_abi *, usage)
{
	struct wait_request req = { .options = options | WEXITED };
	int err;

	if (options & ~(int)(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
		return -EINVAL;
	if (pid == INT_MIN)
		return -ESRCH;
	if (pid > 0) {
		req.type = P_PID;
		req.id = pid;
	} else if (pid != -1) {
		req.type = P_PGID;
		req.id = pid ? -pid : current->pgid;
	}
	err = do_wait(&req);
	if (err || !req.pid)
		return err;
	if (status && put_user(req.status, status))
		return -EFAULT;
	err = put_usage(usage, &req.usage);
	return err ? err : req.pid;
}

static int put_siginfo(struct siginfo_abi *user, const struct wait_request *req)
{
	struct siginfo_abi info;

	if (!user)
		return 0;
	memset(&info, 0, sizeof(info));
	if (req->pid) {
		info.signo = SIGCHLD;
		info.code = req->code;
		info.fields.pid = req->pid;
		info.fields.uid = req->uid;
		if (req->code == CLD_EXITED || req->code == CLD_STOPPED)
			info.fields.status = req->status >> 8 & 0xff;
		else
			info.fields.status = req->code == CLD_KILLED ? req->status & 0x7f : SIGCONT;
	}
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

SYSCALL_DEFINE5(waitid, int, type, pid_t, id, struct siginfo_abi *, info, int, options,
		struct rusage_abi *, usage)
{
	struct wait_request req = { .type = type, .id = id, .options = options };
	int err;

	if (options &
	    ~(int)(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE))
		return -EINVAL;
	if (!(options & (int)(WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	if (type < P_ALL || type > P_PGID || (type == P_PID && id <= 0) ||
	    (type == P_PGID && id < 0))
		return -EINVAL;
	if (type == P_PGID && id == 0)
		req.id = current->pgid;
	err = do_wait(&req);
	if (err)
		return err;
	if (req.pid && put_usage(usage, &req.usage))
		return -EFAULT;
	return put_siginfo(info, &req);
}
