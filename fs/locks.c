/*
 * locks.c - advisory locks: who has which bytes of a file, and who waits for them.
 *
 *	inode->i_locks -> [A read 0..99] -> [B read 50..99] -> [A write 200..end]     NULL: none
 *	waiting        -> [C write 60..60, in its way: A's first] -> ...              all inodes
 *
 *	set:     somebody's lock in the way?  yes: wait, or -EAGAIN
 *	         no: cut the owner's own locks at the edges, join what has one type, put it in
 *	a lock shrank or went: every waiter of the inode is woken and tries again
 *
 * A close() looks only at i_locks: files that nobody locks cost nothing.
 *
 * Invariants: locks of one owner on one file do not overlap, and those of one type do not touch;
 * locks of different owners overlap only if both are F_RDLCK or of different families. A waiter
 * that was not told to go on waits for a lock that exists. A file with locks is open, so an inode
 * is never taken down with some.
 * Locks: locks_lock for all of it; a waiter's queue inside. Memory is allocated before and freed
 * after.
 */
#include "fs/locks.h"
#include "fs/internal.h"
#include "mm/slab.h"

/* The longest chain of waiters that is followed in search of a circle. */
#define MAX_CHAIN 64

struct lock_waiter {
	struct list_head link;
	const struct file_lock *want;
	const struct file_lock *blocker; /* valid until `go` */
	bool go;			 /* something changed: try again */
	struct wait_queue wq;
};

/* A change of one inode's locks: what it may need, and what it leaves to be freed. */
struct lock_change {
	const struct file_lock *want;
	struct file_lock *spare[2]; /* one for a cut in two, one for the lock itself */
	struct file_lock *dropped;
	bool touched; /* a lock got shorter or went: who waits for it must look again */
};

static struct spinlock locks_lock = SPINLOCK_INIT;
static LIST_HEAD(all_locks);
static LIST_HEAD(waiting);

/* ---- what stands in the way; locks_lock held ---- */

static bool overlaps(const struct file_lock *a, const struct file_lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b)
{
	return a->owner == b->owner && a->kind == b->kind;
}

static bool conflicts(const struct file_lock *have, const struct file_lock *want)
{
	return have->owner != want->owner &&
	       (have->kind == LOCK_FLOCK) == (want->kind == LOCK_FLOCK) &&
	       (have->type == F_WRLCK || want->type == F_WRLCK) && overlaps(have, want);
}

static struct file_lock *find_conflict(const struct file_lock *want)
{
	struct file_lock *lock = want->inode->i_locks;

	while (lock && !conflicts(lock, want))
		lock = lock->next;
	return lock;
}

/* The lock that process @owner sleeps for, or NULL. */
static const struct file_lock *waited_for(const void *owner)
{
	struct lock_waiter *waiter;

	list_for_each_entry(waiter, &waiting, link) {
		if (!waiter->go && waiter->want->kind == LOCK_POSIX && waiter->want->owner == owner)
			return waiter->blocker;
	}
	return NULL;
}

/* Would @want's owner, by waiting for @blocker, wait for itself? */
static bool is_deadlock(const struct file_lock *want, const struct file_lock *blocker)
{
	if (want->kind != LOCK_POSIX)
		return false;
	for (unsigned i = 0; blocker && i < MAX_CHAIN; i++) {
		if (blocker->owner == want->owner)
			return true;
		blocker = waited_for(blocker->owner);
	}
	return false;
}

/* ---- changing; locks_lock held ---- */

static void wake_waiters(const struct inode *inode)
{
	struct lock_waiter *waiter;

	list_for_each_entry(waiter, &waiting, link) {
		if (waiter->want->inode != inode)
			continue;
		WRITE_ONCE(waiter->go, true);
		wake_up(&waiter->wq);
	}
}

/* Takes a spare for a copy of @like, and puts it behind *@pp. */
static struct file_lock *insert(struct lock_change *change, struct file_lock **pp,
				const struct file_lock *like)
{
	unsigned i = change->spare[0] ? 0 : 1;
	struct file_lock *lock = change->spare[i];

	change->spare[i] = NULL;
	*lock = *like;
	lock->next = *pp;
	*pp = lock;
	list_add_tail(&lock->all, &all_locks);
	return lock;
}

/* Unlinks *@pp, for free_change(). */
static void drop(struct lock_change *change, struct file_lock **pp)
{
	struct file_lock *lock = *pp;

	change->touched = true;
	*pp = lock->next;
	list_del(&lock->all);
	lock->next = change->dropped;
	change->dropped = lock;
}

/* Takes the bytes of @cut from *@pp; true when nothing is left of it, and it was dropped. */
static bool trim(struct lock_change *change, struct file_lock **pp, const struct file_lock *cut)
{
	struct file_lock *lock = *pp;

	change->touched = true;
	if (lock->start < cut->start && lock->end > cut->end)
		insert(change, &lock->next, lock)->start = cut->end + 1;
	if (lock->start < cut->start) {
		lock->end = cut->start - 1;
		return false;
	}
	if (lock->end > cut->end) {
		lock->start = cut->end + 1;
		return false;
	}
	drop(change, pp);
	return true;
}

/* Gives @change->want to its owner; nobody is in the way. */
static void apply(struct lock_change *change)
{
	const struct file_lock *want = change->want;
	struct file_lock **pp = &want->inode->i_locks, new = *want;

	while (*pp) {
		struct file_lock *lock = *pp;

		if (same_owner(lock, want) && lock->type == want->type &&
		    lock->start <= new.end + 1 && new.start <= lock->end + 1) {
			new.start = min(new.start, lock->start);
			new.end = max(new.end, lock->end);
			drop(change, pp);
			continue;
		}
		if (same_owner(lock, want) && overlaps(lock, want) && trim(change, pp, want))
			continue;
		pp = &lock->next;
	}
	if (new.type != F_UNLCK)
		insert(change, pp, &new);
	if (change->touched)
		wake_waiters(want->inode);
}

/* 0, or -EAGAIN with *@blocker in the way. As on Linux, a flock() is then lost all the same. */
static int try_change(struct lock_change *change, const struct file_lock **blocker)
{
	*blocker = change->want->type == F_UNLCK ? NULL : find_conflict(change->want);
	if (!*blocker) {
		apply(change);
		return 0;
	}
	if (change->want->kind == LOCK_FLOCK) {
		struct file_lock unlock = *change->want;
		struct lock_change give = { .want = &unlock, .dropped = change->dropped };

		unlock.type = F_UNLCK;
		apply(&give);
		change->dropped = give.dropped;
	}
	return -EAGAIN;
}

/* ---- for others ---- */

/* False: no memory for what the change may need. */
static bool start_change(struct lock_change *change, const struct file_lock *want)
{
	bool all = want->start == 0 && want->end == LOCK_MAX_OFFSET;
	unsigned need = (want->type == F_UNLCK ? 0 : 1) + (all ? 0 : 1);

	*change = (struct lock_change){ .want = want };
	for (unsigned i = 0; i < need; i++) {
		change->spare[i] = kmalloc(sizeof(struct file_lock), GFP_KERNEL);
		if (!change->spare[i])
			return false;
	}
	return true;
}

static void free_change(struct lock_change *change)
{
	while (change->dropped) {
		struct file_lock *lock = change->dropped;

		change->dropped = lock->next;
		kfree(lock);
	}
	kfree(change->spare[0]);
	kfree(change->spare[1]);
}

/* Sleeps until @waiter, on the list, may try again. 0 or -ERESTARTSYS; it is off the list. */
static int wait_turn(struct lock_waiter *waiter)
{
	int err = wait_event_interruptible(&waiter->wq, READ_ONCE(waiter->go));

	spin_lock(&locks_lock);
	list_del(&waiter->link);
	spin_unlock(&locks_lock);
	return err;
}

int locks_set(const struct file_lock *want, bool wait)
{
	struct lock_waiter waiter = { .want = want };
	struct lock_change change;
	int err = -ENOLCK;

	if (!start_change(&change, want))
		goto out;
	wait_queue_init(&waiter.wq);
	for (;;) {
		spin_lock(&locks_lock);
		err = try_change(&change, &waiter.blocker);
		if (!err || !wait || is_deadlock(want, waiter.blocker))
			break;
		waiter.go = false;
		list_add_tail(&waiter.link, &waiting);
		spin_unlock(&locks_lock);
		err = wait_turn(&waiter);
		if (err)
			goto out;
	}
	spin_unlock(&locks_lock);
	if (err && wait)
		err = -EDEADLK;
out:
	free_change(&change);
	return err;
}

void locks_test(struct file_lock *want)
{
	const struct file_lock *lock;

	spin_lock(&locks_lock);
	lock = find_conflict(want);
	if (lock)
		*want = *lock;
	else
		want->type = F_UNLCK;
	spin_unlock(&locks_lock);
}

void locks_remove(struct inode *inode, const void *owner)
{
	struct lock_change change = { .want = NULL };
	struct file_lock **pp = &inode->i_locks;

	spin_lock(&locks_lock);
	while (*pp) {
		if ((*pp)->owner == owner)
			drop(&change, pp);
		else
			pp = &(*pp)->next;
	}
	if (change.touched)
		wake_waiters(inode);
	spin_unlock(&locks_lock);
	free_change(&change);
}

/* ---- /proc/locks ---- */

static void view(struct lock_view *out, const struct file_lock *lock, unsigned number, bool waits)
{
	*out = (struct lock_view){
		.number = number,
		.waiting = waits,
		.kind = lock->kind,
		.type = lock->type,
		.pid = lock->pid,
		.dev = lock->inode->i_sb->s_dev,
		.ino = lock->inode->i_ino,
		.start = lock->start,
		.end = lock->end,
	};
}

unsigned locks_view(struct lock_view *views, unsigned max)
{
	unsigned nr = 0, number = 0;
	struct lock_waiter *waiter;
	struct file_lock *lock;

	spin_lock(&locks_lock);
	list_for_each_entry(lock, &all_locks, all) {
		number++;
		if (nr++ < max)
			view(&views[nr - 1], lock, number, false);
		list_for_each_entry(waiter, &waiting, link) {
			if (!waiter->go && waiter->blocker == lock && nr++ < max)
				view(&views[nr - 1], waiter->want, number, true);
		}
	}
	spin_unlock(&locks_lock);
	return nr;
}
