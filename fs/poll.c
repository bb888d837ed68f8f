/*
 * poll.c - waiting for any of several files.
 *
 *	ppoll -> poll_table -> [entry: file, queue] -> [entry] -> ...   one for each queue
 *	                        a few on the stack, more in blocks
 *
 *	first scan   every file is asked and puts us on its queues (poll_wait())
 *	sleep        unless an entry was taken off its queue since: then something happened
 *	next scans   fallen entries go back first, then every file is asked again
 *
 * A waker takes an entry off before it wakes the task, so a task that says it sleeps, and then
 * finds all entries queued, will be woken by whatever comes. Queues that can be polled are woken
 * by wake_up_all(): one woken poller may not want what came.
 *
 * Invariant: each entry holds a reference of its file, in which the queue lives.
 * Locks: none here; each queue's own.
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/poll.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "mm/slab.h"

#define NR_ON_STACK  8
#define NR_PER_BLOCK 64
#define NO_DEADLINE  (~0ULL)
#define ALWAYS_READY (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)

struct poll_entry {
	struct file *file;
	struct wait_queue *wq;
	struct wait_entry wait;
};

struct poll_block {
	struct poll_block *next;
	struct poll_entry entries[NR_PER_BLOCK];
};

struct poll_table {
	unsigned nr; /* entries in use: the first NR_ON_STACK, then those of the blocks in order */
	int error;   /* -ENOMEM: somebody could not be queued */
	struct poll_block *blocks, **tail;
	struct poll_entry first[NR_ON_STACK];
};

/* ---- the table ---- */

/* Calls @fn for each entry until it returns true; true if it did. */
static bool any_entry(struct poll_table *pt, bool (*fn)(struct poll_entry *entry))
{
	struct poll_block *block = pt->blocks;

	for (unsigned i = 0; i < pt->nr; i++) {
		unsigned in_block = (i - NR_ON_STACK) % NR_PER_BLOCK;

		if (i > NR_ON_STACK && in_block == 0)
			block = block->next;
		if (fn(i < NR_ON_STACK ? &pt->first[i] : &block->entries[in_block]))
			return true;
	}
	return false;
}

/* A place for one entry more; NULL: no memory. */
static struct poll_entry *new_entry(struct poll_table *pt)
{
	unsigned in_block = (pt->nr - NR_ON_STACK) % NR_PER_BLOCK;

	if (pt->nr < NR_ON_STACK)
		return &pt->first[pt->nr];
	if (in_block == 0) {
		struct poll_block *block = kzalloc(sizeof(*block), GFP_KERNEL);

		if (!block)
			return NULL;
		*pt->tail = block;
		pt->tail = &block->next;
	}
	return &container_of(pt->tail, struct poll_block, next)->entries[in_block];
}

void poll_wait(struct file *file, struct wait_queue *wq, struct poll_table *pt)
{
	struct poll_entry *entry;

	if (!pt || pt->error)
		return;
	entry = new_entry(pt);
	if (!entry) {
		pt->error = -ENOMEM;
		return;
	}
	*entry = (struct poll_entry){ .file = file_get(file), .wq = wq, .wait = WAIT_ENTRY_INIT };
	pt->nr++;
	prepare_to_wait(wq, &entry->wait, TASK_INTERRUPTIBLE);
	/* The scan may sleep for locks: it is poll_sleep() that goes to sleep here. */
	WRITE_ONCE(current->state, TASK_RUNNING);
}

static bool entry_fell(struct poll_entry *entry)
{
	return list_empty(&entry->wait.link);
}

static bool entry_rearm(struct poll_entry *entry)
{
	if (entry_fell(entry)) {
		prepare_to_wait(entry->wq, &entry->wait, TASK_INTERRUPTIBLE);
		WRITE_ONCE(current->state, TASK_RUNNING);
	}
	return false;
}

static bool entry_end(struct poll_entry *entry)
{
	finish_wait(entry->wq, &entry->wait);
	file_put(entry->file);
	return false;
}

static void poll_end(struct poll_table *pt)
{
	any_entry(pt, entry_end);
	while (pt->blocks) {
		struct poll_block *block = pt->blocks;

		pt->blocks = block->next;
		kfree(block);
	}
}

/* Sleeps until an entry falls, a signal comes or @deadline (monotonic ns) passes. */
static void poll_sleep(struct poll_table *pt, u64 deadline)
{
	WRITE_ONCE(current->state, TASK_INTERRUPTIBLE);
	smp_mb(); /* asleep before the entries are looked at; pairs with wake() */
	if (any_entry(pt, entry_fell) || signal_pending(current))
		WRITE_ONCE(current->state, TASK_RUNNING);
	else if (deadline == NO_DEADLINE)
		schedule();
	else
		schedule_until(deadline);
}

/* ---- ppoll ---- */

/* What holds of @pfd, whose file is put on the table if @pt is not NULL; @always: also unasked. */
static unsigned poll_one(const struct pollfd_abi *pfd, struct poll_table *pt, unsigned always)
{
	unsigned mask = ALWAYS_READY;
	struct fd fd;

	if (pfd->fd < 0)
		return 0;
	fd = fd_begin(pfd->fd);
	if (!fd.file)
		return POLLNVAL;
	if (fd.file->f_op->poll)
		mask = fd.file->f_op->poll(fd.file, pt);
	fd_end(fd);
	return mask & ((u16)pfd->events | always);
}

/* Fills revents; returns how many are not 0. Once there is one, nobody needs to be queued. */
static int scan(struct pollfd_abi *fds, unsigned nr, struct poll_table *pt, unsigned always)
{
	int ready = 0;

	for (unsigned i = 0; i < nr; i++) {
		fds[i].revents = poll_one(&fds[i], ready ? NULL : pt, always);
		if (fds[i].revents)
			ready++;
		cond_resched();
	}
	return ready;
}

int poll_files(struct pollfd_abi *fds, unsigned nr, u64 deadline, unsigned always)
{
	struct poll_table pt;
	int ret;

	pt.nr = 0;
	pt.error = 0;
	pt.blocks = NULL;
	pt.tail = &pt.blocks;
	ret = scan(fds, nr, deadline ? &pt : NULL, always);
	while (ret == 0) {
		ret = pt.error;
		if (!ret && signal_pending(current))
			ret = -ERESTARTNOHAND;
		if (ret || ktime_ns() >= deadline)
			break;
		poll_sleep(&pt, deadline);
		any_entry(&pt, entry_rearm);
		ret = scan(fds, nr, NULL, always);
	}
	poll_end(&pt);
	return ret;
}

/* Copies @nr descriptions in, waits, and copies what came out. */
static int poll_user(struct pollfd_abi *ufds, unsigned nr, u64 deadline)
{
	struct pollfd_abi on_stack[NR_ON_STACK], *fds = on_stack;
	int ret = -EFAULT;

	if (nr > current->rlim[RLIMIT_NOFILE].cur)
		return -EINVAL;
	if (nr > NR_ON_STACK) {
		fds = kmalloc(nr * sizeof(*fds), GFP_KERNEL);
		if (!fds)
			return -ENOMEM;
	}
	if (!copy_from_user(fds, ufds, nr * sizeof(*fds)))
		ret = poll_files(fds, nr, deadline, POLLERR | POLLHUP);
	for (unsigned i = 0; i < nr && ret >= 0; i++) {
		if (put_user(fds[i].revents, &ufds[i].revents))
			ret = -EFAULT;
	}
	if (fds != on_stack)
		kfree(fds);
	return ret;
}

int poll_start(struct poll_call *call, struct timespec64 *uspan, const u64 *umask, size_t masksize)
{
	struct timespec64 span;
	u64 blocked;

	*call = (struct poll_call){ .deadline = NO_DEADLINE, .uspan = uspan };
	if (uspan && copy_from_user(&span, uspan, sizeof(span)))
		return -EFAULT;
	if (uspan && !timespec_valid(&span))
		return -EINVAL;
	if (uspan) {
		call->deadline = timespec_to_ns(&span);
		if (call->deadline)
			call->deadline = deadline_after(call->deadline);
	}
	if (!umask)
		return 0;
	if (masksize != sizeof(blocked))
		return -EINVAL;
	if (get_user(blocked, umask))
		return -EFAULT;
	call->masked = true;
	call->blocked = set_blocked(blocked);
	return 0;
}

void poll_finish(const struct poll_call *call, int ret)
{
	struct timespec64 left;
	u64 now;

	if (call->masked && ret == -ERESTARTNOHAND) {
		current->sig_saved = call->blocked;
		current->sig_restore = true;
	} else if (call->masked) {
		set_blocked(call->blocked);
	}
	if (!call->uspan)
		return;
	/*
	 * What is left: the call may be made again after a signal. That it cannot be stored is no
	 * error of the call's.
	 */
	now = ktime_ns();
	left = ns_to_timespec(call->deadline > now ? call->deadline - now : 0);
	copy_to_user(call->uspan, &left, sizeof(left));
}

SYSCALL_DEFINE5(ppoll, struct pollfd_abi *, ufds, unsigned, nr, struct timespec64 *, uspan,
		const u64 *, umask, size_t, masksize)
{
	struct poll_call call;
	int ret = poll_start(&call, uspan, umask, masksize);

	if (ret)
		return ret;
	ret = poll_user(ufds, nr, call.deadline);
	poll_finish(&call, ret);
	return ret;
}
