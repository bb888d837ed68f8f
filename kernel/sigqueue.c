/*
 * sigqueue.c - the signals that wait for a task, and in which order they are taken.
 *
 *	sig_pending   0 0 1 0 ... 0 1 | 0 1 0 0 ...        one bit for each number
 *	sig_info[]        |         |     |                standard signals: one place each
 *	sig_queue         '---------'     '-> [34] -> [34] -> [36]    real-time: one entry each
 *
 *	order: SIGKILL; what the task's own instruction caused; then the lowest number, and of one
 *	number the oldest
 *
 * A second standard signal of a number that waits already is lost, as everywhere. A real-time one
 * needs room, which senders get before they take any lock (task_lock is the terminal's interrupt
 * handler's too, the slab's locks are not); a user's tasks together may have RLIMIT_SIGPENDING.
 *
 * Invariants: the bit of a real-time signal is set while entries of that number wait, or when one
 * was sent that found no room and may come without its siginfo.
 * Locks: sig_lock of the task; sums over tasks need task_lock, which is outside.
 */
#include "kernel/signal.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "mm/slab.h"

/* A real-time signal that waits, or room for one. */
struct sigqueue {
	struct list_head link;
	int sig;
	struct sig_info info;
};

void sigqueue_reserve(struct list_head *room, int sig, unsigned n)
{
	if (sig <= NSIG_STD)
		return;
	while (n-- > 0) {
		struct sigqueue *entry = kmalloc(sizeof(*entry), GFP_KERNEL);

		if (!entry)
			return;
		list_add_tail(&entry->link, room);
	}
}

void sigqueue_release(struct list_head *room)
{
	while (!list_empty(room)) {
		struct sigqueue *entry = list_first_entry(room, struct sigqueue, link);

		list_del(&entry->link);
		kfree(entry);
	}
}

unsigned long sigqueue_count(u32 uid)
{
	unsigned long count = 0;
	struct task *task;

	list_for_each_entry(task, &task_list, all_link) {
		if (task->cred.uid == uid)
			count += READ_ONCE(task->nr_sigqueue);
	}
	return count;
}

/* Queues a real-time signal; -EAGAIN: no room, or the limit of the receiver's user is reached. */
static int queue_entry(struct task *task, int sig, const struct sig_info *info,
		       struct list_head *room)
{
	struct sigqueue *entry;

	if (list_empty(room) || sigqueue_count(task->cred.uid) >= task->rlim[RLIMIT_SIGPENDING].cur)
		return -EAGAIN;
	entry = list_first_entry(room, struct sigqueue, link);
	entry->sig = sig;
	entry->info = *info;
	list_move_tail(&entry->link, &task->sig_queue);
	task->nr_sigqueue++;
	return 0;
}

int sigqueue_add(struct task *task, int sig, const struct sig_info *info, struct list_head *room)
{
	static const struct sig_info from_kernel = { .code = SI_KERNEL };

	if (!info)
		info = &from_kernel;
	if (sig > NSIG_STD) {
		int err = room ? queue_entry(task, sig, info, room) : -EAGAIN;

		if (err && info->code < 0 && info->code != SI_TKILL)
			return err;
	} else if (!(task->sig_pending & sigmask(sig))) {
		task->sig_info[sig] = *info;
	}
	task->sig_pending |= sigmask(sig);
	return 0;
}

void sigqueue_drop(struct task *task, u64 set, struct list_head *used)
{
	struct sigqueue *entry, *next;

	task->sig_pending &= ~set;
	list_for_each_entry_safe(entry, next, &task->sig_queue, link) {
		if (sigmask(entry->sig) & set) {
			list_move_tail(&entry->link, used);
			task->nr_sigqueue--;
		}
	}
}

/* Takes the oldest entry of @sig; its bit stays if it was not the last. */
static void take_entry(struct task *task, int sig, struct sig_info *info, struct list_head *used)
{
	struct sigqueue *entry, *next;
	bool found = false;

	*info = (struct sig_info){ .code = SI_USER };
	task->sig_pending &= ~sigmask(sig);
	list_for_each_entry_safe(entry, next, &task->sig_queue, link) {
		if (entry->sig != sig)
			continue;
		if (found) {
			task->sig_pending |= sigmask(sig);
			return;
		}
		found = true;
		*info = entry->info;
		list_move_tail(&entry->link, used);
		task->nr_sigqueue--;
	}
}

int dequeue_signal(u64 set, struct sig_info *info, struct list_head *used)
{
	struct task *task = current;
	u64 waiting = task->sig_pending & set;
	int sig;

	if (!waiting)
		return 0;
	if (waiting & sigmask(SIGKILL))
		waiting = sigmask(SIGKILL);
	else if (waiting & FAULT_SIGNALS)
		waiting &= FAULT_SIGNALS;
	sig = __ffs64(waiting) + 1;
	if (sig > NSIG_STD) {
		take_entry(task, sig, info, used);
	} else {
		task->sig_pending &= ~sigmask(sig);
		*info = task->sig_info[sig];
	}
	if ((sigmask(sig) & STOP_SIGNALS) && task->sigaction[sig].handler == SIG_DFL)
		task->stop_wanted = true;
	return sig;
}
