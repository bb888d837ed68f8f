/*
 * wait.c - wait queues. kernel/wait.h has the drawing and the rule that loses no wake-up.
 *
 * A waker takes the entries it wakes off the queue, so that two wake-ups reach two waiters; a
 * waiter that goes on waiting puts itself back at the end.
 * Locks: the queue's lock, interrupts off; sched_lock is taken inside it.
 */
#include "kernel/wait.h"

#include "kernel/sched.h"

void wait_queue_init(struct wait_queue *wq)
{
	spin_lock_init(&wq->lock);
	INIT_LIST_HEAD(&wq->entries);
}

void prepare_to_wait(struct wait_queue *wq, struct wait_entry *entry, int state)
{
	unsigned long flags;

	if (!entry->task) {
		entry->task = current;
		INIT_LIST_HEAD(&entry->link);
	}
	flags = spin_lock_irqsave(&wq->lock);
	if (list_empty(&entry->link))
		list_add_tail(&entry->link, &wq->entries);
	WRITE_ONCE(current->state, state);
	spin_unlock_irqrestore(&wq->lock, flags);
	smp_mb(); /* queued before the condition is read; pairs with wake() */
}

/*
 * Always under the lock: a waker that found the entry is done with it, and with this task, after.
 */
void finish_wait(struct wait_queue *wq, struct wait_entry *entry)
{
	unsigned long flags = spin_lock_irqsave(&wq->lock);

	WRITE_ONCE(current->state, TASK_RUNNING);
	list_del_init(&entry->link);
	spin_unlock_irqrestore(&wq->lock, flags);
	entry->task = NULL;
}

bool signal_ends_sleep(int state)
{
	if (state == TASK_INTERRUPTIBLE)
		return READ_ONCE(current->flags) & TASK_SIGPENDING;
	return state == TASK_KILLABLE && READ_ONCE(current->killed);
}

static void wake(struct wait_queue *wq, bool all)
{
	unsigned long flags;

	smp_mb(); /* the condition is written before the queue is read */
	if (list_empty(&wq->entries))
		return;
	flags = spin_lock_irqsave(&wq->lock);
	while (!list_empty(&wq->entries)) {
		struct wait_entry *entry = list_first_entry(&wq->entries, struct wait_entry, link);

		list_del_init(&entry->link);
		wake_task(entry->task);
		if (!all)
			break;
	}
	spin_unlock_irqrestore(&wq->lock, flags);
}

void wake_up(struct wait_queue *wq)
{
	wake(wq, false);
}

void wake_up_all(struct wait_queue *wq)
{
	wake(wq, true);
}
