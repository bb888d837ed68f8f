/*
 * tty_job.c - job control: whose terminal it is, and who may use it.
 *
 *	session leader --TIOCSCTTY--> tty->session;  shell --TIOCSPGRP--> tty->pgrp, the foreground
 *	any other group of the session is in the background: SIGTTIN when it reads, SIGTTOU when it
 *	changes the terminal
 *
 * A task's terminal is controlling when current->tty points to it *and* tty->session is the task's
 * session: so a leader that gives the terminal up need not visit the tasks of its session.
 *
 * Invariants: session and pgrp are both 0 or neither is.
 * Locks: task_lock, then tty->lock, both with interrupts off. Signals are sent without them.
 * Source: POSIX.1-2017, 11.1.3 "The Controlling Terminal" and 11.1.4; ioctl_tty(2).
 */
#include "drivers/tty_job.h"

#include "arch/riscv/uaccess.h"
#include "drivers/ldisc.h"
#include "drivers/tty.h"
#include "kernel/console.h"
#include "kernel/signal.h"
#include "kernel/task.h"

#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCNOTTY 0x5422
#define TIOCGSID  0x5429

pid_t tty_foreground_of(const struct task *task)
{
	struct tty *tty = READ_ONCE(task->tty);
	pid_t pgrp = -1;
	unsigned long flags;

	if (!tty)
		return -1;
	flags = spin_lock_irqsave(&tty->lock);
	if (tty->session == task->sid)
		pgrp = tty->pgrp;
	spin_unlock_irqrestore(&tty->lock, flags);
	return pgrp ? pgrp : -1;
}

bool tty_is_controlling(struct tty *tty, pid_t *pgrp)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	bool ours = current->tty == tty && tty->session == current->sid;

	*pgrp = tty->pgrp;
	spin_unlock_irqrestore(&tty->lock, flags);
	return ours;
}

/* True when the current task may not use @tty without being asked to stop. */
static bool in_background(struct tty *tty)
{
	pid_t pgrp;

	return tty_is_controlling(tty, &pgrp) && pgrp && pgrp != current->pgid;
}

int tty_check_read(struct tty *tty)
{
	if (!in_background(tty))
		return 0;
	if (signal_is_ignored(SIGTTIN) || current_pgrp_is_orphaned())
		return -EIO;
	kill_pgrp(current->pgid, SIGTTIN);
	return -ERESTARTSYS;
}

int tty_check_change(struct tty *tty)
{
	if (!in_background(tty) || signal_is_ignored(SIGTTOU))
		return 0;
	if (current_pgrp_is_orphaned())
		return -EIO;
	kill_pgrp(current->pgid, SIGTTOU);
	return -ERESTARTSYS;
}

/* @tty, if it belongs to @session, belongs to nobody then; its foreground group is told. */
static void give_up(struct tty *tty, pid_t session)
{
	unsigned long flags = spin_lock_irqsave(&tty->lock);
	pid_t pgrp = 0;

	if (session && tty->session == session) {
		pgrp = tty->pgrp;
		tty->session = tty->pgrp = 0;
	}
	spin_unlock_irqrestore(&tty->lock, flags);
	if (pgrp) {
		kill_pgrp(pgrp, SIGHUP);
		kill_pgrp(pgrp, SIGCONT);
	}
}

void tty_session_exit(struct task *task)
{
	give_up(task->tty, task->sid);
}

/* TIOCSCTTY. @steal: take it from another session (every user here is root). */
static int set_controlling(struct tty *tty, bool steal)
{
	bool leader = current->sid == current->pid;
	pid_t pgrp;
	unsigned long flags;
	int err = 0;

	if (leader && tty_is_controlling(tty, &pgrp))
		return 0;
	/* A terminal that its session has lost does not count. */
	if (!leader || (current->tty && tty_is_controlling(current->tty, &pgrp)))
		return -EPERM;
	flags = spin_lock_irqsave(&tty->lock);
	if (tty->session && !steal) {
		err = -EPERM;
	} else {
		tty->session = current->sid;
		tty->pgrp = current->pgid;
		current->tty = tty;
	}
	spin_unlock_irqrestore(&tty->lock, flags);
	return err;
}

static int drop_controlling(struct tty *tty)
{
	pid_t pgrp;

	if (!tty_is_controlling(tty, &pgrp))
		return -ENOTTY;
	if (current->sid == current->pid)
		give_up(tty, current->sid);
	current->tty = NULL;
	return 0;
}

/* The session of group @pgid, or -ESRCH. task_lock held. */
static pid_t session_of_group(pid_t pgid)
{
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->pgid == pgid)
			return task->sid;
	}
	return -ESRCH;
}

static int set_foreground(struct tty *tty, pid_t pgid)
{
	pid_t session, pgrp;
	unsigned long flags;
	int err = tty_check_change(tty);

	if (err)
		return err;
	if (!tty_is_controlling(tty, &pgrp))
		return -ENOTTY;
	if (pgid < 0)
		return -EINVAL;
	flags = spin_lock_irqsave(&task_lock);
	session = session_of_group(pgid);
	if (session == -ESRCH)
		err = -ESRCH;
	else if (session != current->sid)
		err = -EPERM;
	if (!err) {
		spin_lock(&tty->lock);
		if (tty->session == session)
			tty->pgrp = pgid;
		else
			err = -ENOTTY;
		spin_unlock(&tty->lock);
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return err;
}

long tty_job_ioctl(struct tty *tty, unsigned cmd, unsigned long arg)
{
	pid_t pgrp;

	switch (cmd) {
	case TIOCSCTTY:
		return set_controlling(tty, arg == 1);
	case TIOCNOTTY:
		return drop_controlling(tty);
	case TIOCGPGRP:
		return tty_is_controlling(tty, &pgrp) ? put_user(pgrp, (pid_t *)arg) : -ENOTTY;
	case TIOCSPGRP:
		if (get_user(pgrp, (const pid_t *)arg))
			return -EFAULT;
		return set_foreground(tty, pgrp);
	case TIOCGSID:
		return tty_is_controlling(tty, &pgrp) ? put_user(current->sid, (pid_t *)arg) :
							-ENOTTY;
	default:
		return -ENOTTY;
	}
}
