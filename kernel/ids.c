/*
 * ids.c - who a process is: pids, groups, sessions. Its user is kernel/cred.c's.
 *
 *	session  sid  = pid of its leader; may own a terminal
 *	  group  pgid = pid of its leader; what ^C and kill(-pgid) reach
 *	    process
 *
 * Locks: task_lock for pgid, sid and tty of any task.
 */
#include "kernel/process.h"
#include "kernel/syscall.h"

SYSCALL_DEFINE0(getpid)
{
	return current->pid;
}

SYSCALL_DEFINE0(gettid)
{
	return current->pid;
}

SYSCALL_DEFINE0(getppid)
{
	return READ_ONCE(current->ppid);
}

SYSCALL_DEFINE1(getpgid, pid_t, pid)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task = pid ? find_task_locked(pid) : current;
	long ret = task ? task->pgid : -ESRCH;

	spin_unlock_irqrestore(&task_lock, flags);
	return ret;
}

SYSCALL_DEFINE1(getsid, pid_t, pid)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	struct task *task = pid ? find_task_locked(pid) : current;
	long ret = task ? task->sid : -ESRCH;

	spin_unlock_irqrestore(&task_lock, flags);
	return ret;
}

/* True when @pgid is a group with a member in session @sid. task_lock held. */
static bool group_in_session(pid_t pgid, pid_t sid)
{
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pgid && task->sid == sid)
			return true;
	}
	return false;
}

/* setpgid(2) with task_lock held. */
static int set_group(pid_t pid, pid_t pgid)
{
	struct task *task = find_task_locked(pid);

	if (!task || (task != current && task->parent != current))
		return -ESRCH;
	if (task->sid != current->sid || task->sid == task->pid)
		return -EPERM;
	if (task != current && task->did_exec)
		return -EACCES;
	if (pgid != pid && !group_in_session(pgid, current->sid))
		return -EPERM;
	task->pgid = pgid;
	return 0;
}

SYSCALL_DEFINE2(setpgid, pid_t, pid, pid_t, pgid)
{
	unsigned long flags;
	int err;

	if (pgid < 0)
		return -EINVAL;
	if (!pid)
		pid = current->pid;
	flags = spin_lock_irqsave(&task_lock);
	err = set_group(pid, pgid ? pgid : pid);
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

SYSCALL_DEFINE0(setsid)
{
	unsigned long flags = spin_lock_irqsave(&task_lock);
	pid_t pid = current->pid;
	struct task *task;
	long ret = pid;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pid)
			ret = -EPERM;
	}
	if (ret > 0) {
		current->sid = current->pgid = pid;
		current->tty = NULL;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return ret;
}
