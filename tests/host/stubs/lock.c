/*
 * lock.c - the locks of the host machine: include/kernel/lock.h says what is checked.
 *
 *	held[hart]: page_table_lock -> pte lock          what the hart's task holds, in order
 *	order[a][b]: b was taken while a was held         a path from b back to a is a report
 *
 * A lock's class is kept in its owner word, above the hart: 0 means that it was never initialised,
 * then its address is its class.
 */
#include "tests/host/host.h"

#include "kernel/lock.h"
#include "kernel/panic.h"

#define MAX_CLASSES 128
#define MAX_HELD    16
#define OWNER_BITS  8

static struct lock_class {
	const char *name; /* NULL: a lock without an initialiser */
	const void *lock;
	bool inside[MAX_CLASSES]; /* taken while this one was held */
} classes[MAX_CLASSES];
static unsigned nr_classes = 1; /* 0: not initialised */

static struct held {
	const void *lock;
	unsigned class;
} held[MAX_HARTS][MAX_HELD];
static unsigned nr_held[MAX_HARTS];

static const char *class_name(unsigned class)
{
	static char text[2][32];
	static unsigned turn;

	if (classes[class].name)
		return classes[class].name;
	turn ^= 1;
	snprintf(text[turn], sizeof(text[turn]), "lock at %p", classes[class].lock);
	return text[turn];
}

static unsigned class_get(const char *name, const void *lock)
{
	unsigned i;

	for (i = 1; i < nr_classes; i++) {
		if (name ? classes[i].name == name : classes[i].lock == lock)
			return i;
	}
	BUG_ON(nr_classes == MAX_CLASSES);
	classes[i].name = name;
	classes[i].lock = name ? NULL : lock;
	return nr_classes++;
}

static unsigned class_of(struct spinlock *lock)
{
	if (lock->owner >> OWNER_BITS == 0)
		lock->owner |= class_get(NULL, lock) << OWNER_BITS;
	return lock->owner >> OWNER_BITS;
}

/* Is there a way from @from to @to over locks that were taken inside each other? */
static bool leads_to(unsigned from, unsigned to, bool *seen)
{
	if (from == to)
		return true;
	if (seen[from])
		return false;
	seen[from] = true;
	for (unsigned i = 1; i < nr_classes; i++) {
		if (classes[from].inside[i] && leads_to(i, to, seen))
			return true;
	}
	return false;
}

/*
 * The current task takes @lock. Two of one class (parent's and child's mmap_lock) have no order
 * that could be checked here.
 */
static void take(struct spinlock *lock)
{
	unsigned hart = this_hart()->id, class = class_of(lock);

	for (unsigned i = 0; i < nr_held[hart]; i++) {
		unsigned outer = held[hart][i].class;
		bool seen[MAX_CLASSES] = { false };

		if (held[hart][i].lock == lock) /* a reader once more: a writer may wait between */
			panic("deadlock: [%s] taken twice", class_name(class));
		if (outer == class || classes[outer].inside[class])
			continue;
		if (leads_to(class, outer, seen))
			panic("lock order: [%s] inside [%s], which was inside it before",
			      class_name(class), class_name(outer));
		classes[outer].inside[class] = true;
	}
	BUG_ON(nr_held[hart] == MAX_HELD);
	held[hart][nr_held[hart]++] = (struct held){ lock, class };
}

static void give(struct spinlock *lock)
{
	unsigned hart = this_hart()->id, i = nr_held[hart];

	while (i-- > 0 && held[hart][i].lock != lock)
		;
	if (i >= nr_held[hart])
		panic("lock: [%s] released by who does not hold it", class_name(class_of(lock)));
	for (; i + 1 < nr_held[hart]; i++)
		held[hart][i] = held[hart][i + 1];
	nr_held[hart]--;
}

void host_locks_check_none(const char *when)
{
	unsigned hart = this_hart()->id;

	if (nr_held[hart] > 0)
		panic("lock: [%s] held %s", class_name(held[hart][0].class), when);
}

void host_may_sleep(void)
{
	if (this_hart()->spin_depth > 0 || irqs_disabled())
		panic("sleep with a spinlock held or interrupts off");
}

/* ---- spinlocks ---- */

void host_spin_init(struct spinlock *lock, const char *place)
{
	lock->locked = 0;
	lock->owner = class_get(place, NULL) << OWNER_BITS;
}

bool spin_trylock(struct spinlock *lock)
{
	if (lock->locked)
		return false;
	lock->locked = 1;
	take(lock);
	lock->owner |= this_hart()->id + 1;
	this_hart()->spin_depth++;
	return true;
}

void spin_lock(struct spinlock *lock)
{
	if (!spin_trylock(lock))
		panic("deadlock: spinlock [%s], held by hart %u", class_name(class_of(lock)),
		      (unsigned)(lock->owner & (BIT(OWNER_BITS) - 1)) - 1);
}

void spin_unlock(struct spinlock *lock)
{
	BUG_ON(!lock->locked || !spin_held(lock));
	give(lock);
	lock->owner &= ~0u << OWNER_BITS;
	lock->locked = 0;
	this_hart()->spin_depth--;
}

unsigned long spin_lock_irqsave(struct spinlock *lock)
{
	unsigned long flags = local_irq_save();

	spin_lock(lock);
	return flags;
}

void spin_unlock_irqrestore(struct spinlock *lock, unsigned long flags)
{
	spin_unlock(lock);
	local_irq_restore(flags);
}

bool spin_held(const struct spinlock *lock)
{
	return (lock->owner & (BIT(OWNER_BITS) - 1)) == this_hart()->id + 1;
}

/* ---- mutexes ---- */

void host_mutex_init(struct mutex *m, const char *place)
{
	host_spin_init(&m->lock, place);
	m->owner = NULL;
	INIT_LIST_HEAD(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	if (m->owner)
		return false;
	take(&m->lock);
	m->owner = current;
	return true;
}

void mutex_lock(struct mutex *m)
{
	host_may_sleep();
	if (!mutex_trylock(m))
		panic("deadlock: mutex [%s]", class_name(class_of(&m->lock)));
}

void mutex_unlock(struct mutex *m)
{
	BUG_ON(m->owner != current);
	give(&m->lock);
	m->owner = NULL;
}

bool mutex_held(const struct mutex *m)
{
	return m->owner == current;
}

/* ---- read-write semaphores: count is the number of readers ---- */

void host_rwsem_init(struct rwsem *sem, const char *place)
{
	host_spin_init(&sem->lock, place);
	sem->count = 0;
	sem->writer = NULL;
	INIT_LIST_HEAD(&sem->waiters);
}

bool down_read_trylock(struct rwsem *sem)
{
	if (sem->writer)
		return false;
	take(&sem->lock);
	sem->count++;
	return true;
}

void down_read(struct rwsem *sem)
{
	host_may_sleep();
	if (!down_read_trylock(sem))
		panic("deadlock: [%s] wanted for reading", class_name(class_of(&sem->lock)));
}

void up_read(struct rwsem *sem)
{
	BUG_ON(sem->count == 0 || sem->writer);
	give(&sem->lock);
	sem->count--;
}

bool down_write_trylock(struct rwsem *sem)
{
	if (sem->writer || sem->count > 0)
		return false;
	take(&sem->lock);
	sem->writer = current;
	return true;
}

void down_write(struct rwsem *sem)
{
	host_may_sleep();
	if (!down_write_trylock(sem))
		panic("deadlock: [%s] wanted for writing", class_name(class_of(&sem->lock)));
}

void up_write(struct rwsem *sem)
{
	BUG_ON(sem->writer != current);
	give(&sem->lock);
	sem->writer = NULL;
}

void downgrade_write(struct rwsem *sem)
{
	BUG_ON(sem->writer != current);
	sem->writer = NULL;
	sem->count++;
}

bool rwsem_held_write(const struct rwsem *sem)
{
	return sem->writer == current;
}

bool rwsem_held(const struct rwsem *sem)
{
	return sem->writer || sem->count > 0;
}
