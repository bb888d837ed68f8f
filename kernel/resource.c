/*
 * resource.c - getrusage(2), times(2), and the limits of getrlimit(2), setrlimit(2), prlimit(2).
 *
 * Limits that are enforced: STACK (mm/stack.c, exec), DATA and AS (mm/), MEMLOCK (mm/mlock.c),
 * NOFILE (fs/), SIGPENDING (kernel/sigqueue.c). The others can be set and read, and are inherited,
 * like everywhere.
 * Locks: a task's own limits are its own; those of another task and ru_children are under
 * task_lock.
 */
#include "kernel/resource.h"

#include "arch/riscv/uaccess.h"
#include "kernel/process.h"
#include "kernel/sched.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "mm/mm.h"

#define CLOCK_TICK_NS	   (NSEC_PER_SEC / 100)
#define STACK_DEFAULT	   (8UL << 20)
#define NOFILE_DEFAULT	   1024
#define NOFILE_MAX	   4096
#define SIGPENDING_DEFAULT 1024
#define MEMLOCK_DEFAULT	   (8UL << 20)

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD	1

void rusage_of_task(const struct task *task, struct rusage_sums *sums)
{
	sums->utime = task->utime;
	sums->stime = task->stime;
	sums->min_flt = task->min_flt;
	sums->maj_flt = task->maj_flt;
	sums->nvcsw = task->nvcsw;
	sums->nivcsw = task->nivcsw;
	sums->max_rss = task->max_rss;
	if (task->mm)
		sums->max_rss = max(max(task->mm->hiwater_rss, mm_rss(task->mm)), sums->max_rss);
}

void rusage_add(struct rusage_sums *sums, const struct rusage_sums *more)
{
	sums->utime += more->utime;
	sums->stime += more->stime;
	sums->min_flt += more->min_flt;
	sums->maj_flt += more->maj_flt;
	sums->nvcsw += more->nvcsw;
	sums->nivcsw += more->nivcsw;
	sums->max_rss = max(sums->max_rss, more->max_rss);
}

void rusage_to_abi(const struct rusage_sums *sums, struct rusage_abi *abi)
{
	memset(abi, 0, sizeof(*abi));
	abi->utime_sec = sums->utime / NSEC_PER_SEC;
	abi->utime_usec = sums->utime % NSEC_PER_SEC / 1000;
	abi->stime_sec = sums->stime / NSEC_PER_SEC;
	abi->stime_usec = sums->stime % NSEC_PER_SEC / 1000;
	abi->maxrss = sums->max_rss << (PAGE_SHIFT - 10);
	abi->minflt = sums->min_flt;
	abi->majflt = sums->maj_flt;
	abi->nvcsw = sums->nvcsw;
	abi->nivcsw = sums->nivcsw;
}

/* The current task's sums, or those of its children that it waited for. */
static void current_usage(bool children, struct rusage_sums *sums)
{
	unsigned long flags;

	if (!children) {
		sched_account_self();
		rusage_of_task(current, sums);
		return;
	}
	flags = spin_lock_irqsave(&task_lock);
	*sums = current->ru_children;
	spin_unlock_irqrestore(&task_lock, flags);
}

SYSCALL_DEFINE2(getrusage, int, who, struct rusage_abi *, usage)
{
	struct rusage_sums sums;
	struct rusage_abi abi;

	if (who != RUSAGE_SELF && who != RUSAGE_CHILDREN && who != RUSAGE_THREAD)
		return -EINVAL;
	current_usage(who == RUSAGE_CHILDREN, &sums);
	rusage_to_abi(&sums, &abi);
	return copy_to_user(usage, &abi, sizeof(abi)) ? -EFAULT : 0;
}

SYSCALL_DEFINE1(times, u64 *, user)
{
	struct rusage_sums self, children;

	current_usage(false, &self);
	current_usage(true, &children);
	if (user) {
		u64 tms[4] = { self.utime / CLOCK_TICK_NS, self.stime / CLOCK_TICK_NS,
			       children.utime / CLOCK_TICK_NS, children.stime / CLOCK_TICK_NS };

		if (copy_to_user(user, tms, sizeof(tms)))
			return -EFAULT;
	}
	return ktime_ns() / CLOCK_TICK_NS;
}

/* ---- limits ---- */

void rlimits_init(struct task *task)
{
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		task->rlim[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	task->rlim[RLIMIT_STACK].cur = STACK_DEFAULT;
	task->rlim[RLIMIT_CORE] = (struct rlimit){ 0, RLIM_INFINITY };
	task->rlim[RLIMIT_NOFILE] = (struct rlimit){ NOFILE_DEFAULT, NOFILE_MAX };
	task->rlim[RLIMIT_SIGPENDING] = (struct rlimit){ SIGPENDING_DEFAULT, SIGPENDING_DEFAULT };
	task->rlim[RLIMIT_MEMLOCK] = (struct rlimit){ MEMLOCK_DEFAULT, MEMLOCK_DEFAULT };
	task->rlim[RLIMIT_NPROC] = (struct rlimit){ PID_MAX, PID_MAX };
}

/* Whose limits may the current task see and set: its own, and those of its user. */
static bool may_limit(const struct task *task)
{
	const struct cred *its = &task->cred;
	u32 uid = current->cred.uid, gid = current->cred.gid;

	return task == current || is_privileged() ||
	       (uid == its->uid && uid == its->euid && uid == its->suid && gid == its->gid &&
		gid == its->egid && gid == its->sgid);
}

/* Reads the old limit into @old and sets @new unless NULL; 0 or -errno. */
static int change_limit(pid_t pid, unsigned resource, const struct rlimit *new, struct rlimit *old)
{
	struct task *task;
	unsigned long flags;
	int err = 0;

	if (resource >= RLIM_NLIMITS || (new &&new->cur > new->max))
		return -EINVAL;
	if (new &&resource == RLIMIT_NOFILE &&new->max > NOFILE_MAX)
		return -EPERM;
	flags = spin_lock_irqsave(&task_lock);
	task = pid ? find_task_locked(pid) : current;
	if (!task)
		err = -ESRCH;
	else if (!may_limit(task) ||
		 (new &&new->max > task->rlim[resource].max && !is_privileged()))
		err = -EPERM;
	if (!err) {
		*old = task->rlim[resource];
		if (new)
			task->rlim[resource] = *new;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

static long prlimit(pid_t pid, unsigned resource, const struct rlimit *user_new,
		    struct rlimit *user_old)
{
	struct rlimit new, old;
	int err;

	if (user_new && copy_from_user(&new, user_new, sizeof(new)))
		return -EFAULT;
	err = change_limit(pid, resource, user_new ? &new : NULL, &old);
	if (err)
		return err;
	return user_old && copy_to_user(user_old, &old, sizeof(old)) ? -EFAULT : 0;
}

SYSCALL_DEFINE4(prlimit64, pid_t, pid, unsigned, resource, const struct rlimit *, new,
		struct rlimit *, old)
{
	return prlimit(pid, resource, new, old);
}

SYSCALL_DEFINE2(getrlimit, unsigned, resource, struct rlimit *, old)
{
	struct rlimit limit;
	int err = change_limit(0, resource, NULL, &limit);

	if (err)
		return err;
	return copy_to_user(old, &limit, sizeof(limit)) ? -EFAULT : 0;
}

SYSCALL_DEFINE2(setrlimit, unsigned, resource, const struct rlimit *, new)
{
	struct rlimit limit, old;

	if (copy_from_user(&limit, new, sizeof(limit)))
		return -EFAULT;
	return change_limit(0, resource, &limit, &old);
}
