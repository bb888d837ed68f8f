/*
 * lockdep.c - the debug kernel's watch over the order of locks.
 *
 *	task->locks   what it holds      inode->lock, page lock, mapping->lock
 *	classes[]     inside[]: a bit    inode->lock --> page lock --> mapping->lock
 *	              for each class        ^                              |
 *	              taken inside it       +------- a new edge that closes a circle: panic
 *	edges[]       who took both, and where: the second chain of the report
 *
 * An interrupt handler starts a chain of its own. It may wait for a lock only if nobody ever holds
 * that lock, or one that is taken inside it, with interrupts on: each class remembers where either
 * was seen.
 *
 * A class has its number in lock->class, which leaves struct spinlock 8 bytes long. A mutex or
 * rwsem has it in its inner spinlock, which itself is not watched (kernel/lock.c takes it raw).
 *
 * Invariants: the graph of inside[] has no circle; a report is made once, for it ends the kernel.
 * Locks: graph_lock, a bare word taken with interrupts off, for all changes of classes[] and
 * edges[]; look-ups read without it, for bits are only added. A trace belongs to its task.
 */
#ifdef CONFIG_DEBUG

#include "kernel/lockdep.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/irqflags.h"
#include "kernel/lockdep_graph.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/filemap.h"
#include "mm/mm.h"

#define NEST_SHIFT 4

extern const char _stext[];

static bool lockdep_dead;  /* a panic is under way */
static bool too_many_held; /* some task held more than there is room for, and nobody has said so */
static u32 said_so;	   /* a word, for there are no atomic exchanges of bytes */

static u32 text_offset(const void *pc)
{
	return (const char *)pc - _stext;
}

/* ---- what is held ---- */

static void push(struct lock_trace *trace, const struct held_lock *new)
{
	if (trace->nr < MAX_HELD_LOCKS) {
		trace->held[trace->nr++] = *new;
		return;
	}
	trace->lost++;
	WRITE_ONCE(too_many_held, true); /* said later: printk() takes locks too */
}

/* What was not watched may be wrong: it is said once. No lock is held. */
static void say_too_many(void)
{
	if (!READ_ONCE(too_many_held) || __atomic_exchange_n(&said_so, 1, __ATOMIC_RELAXED))
		return;
	warn("lock: a task held more than %d locks, of which some were not watched",
	     MAX_HELD_LOCKS);
}

/* Takes @lock off the trace; false: it is not there. */
static bool pop(const void *lock)
{
	struct lock_trace *trace = &current->locks;
	unsigned i = trace->nr;

	while (i > 0 && trace->held[i - 1].lock != lock)
		i--;
	if (i > 0) {
		trace->nr--;
		memmove(&trace->held[i - 1], &trace->held[i],
			(trace->nr - (i - 1)) * sizeof(trace->held[0]));
		return true;
	}
	if (trace->lost == 0)
		return false;
	trace->lost--;
	return true;
}

/* @new is wanted while the task holds @outer. */
static void check_pair(const struct held_lock *outer, const struct held_lock *new)
{
	if (outer->lock == new->lock)
		lockdep_report(new, "[%s] taken twice", lock_class_name(new->class));
	if (outer->irq != new->irq)
		return;
	if (outer->class != new->class)
		lock_edge_add(outer, new);
	else if (!lock_class_ordered(new->class, outer->lock, new->lock))
		lockdep_report(new, "[%s] taken inside another of its class",
			       lock_class_name(new->class));
}

static void take(const void *lock, u16 class, unsigned how, const void *pc)
{
	unsigned long flags = local_irq_save();
	const struct lock_trace *trace = &current->locks;
	struct held_lock new = {
		.lock = lock,
		.pc = text_offset(pc),
		.class = class,
		.how = how,
		.irq = this_hart()->irq_depth > 0,
	};

	if (!(how & LOCK_TRY)) {
		for (unsigned i = 0; i < trace->nr; i++)
			check_pair(&trace->held[i], &new);
	}
	if (!(how & LOCK_SLEEP))
		lock_class_note_irq(&new, flags != 0);
	push(&current->locks, &new);
	local_irq_restore(flags);
}

static bool give(const void *lock)
{
	unsigned long flags = local_irq_save();
	bool held = pop(lock);

	local_irq_restore(flags);
	return held;
}

/* ---- for kernel/lock.h ---- */

void lockdep_set_key(struct spinlock *lock, struct lock_key *key)
{
	lock->class = lock_class_of_key(key);
}

void lockdep_take_at(struct spinlock *lock, unsigned how, const void *pc)
{
	unsigned nested = how >> NEST_SHIFT;
	u16 class;

	if (lockdep_dead)
		return;
	class = READ_ONCE(lock->class);
	if (class == 0)
		class = lock->class = lock_class_of_static(lock);
	take(lock, nested ? lock_class_nested(class, nested) : class, how, pc);
}

void lockdep_take(struct spinlock *lock, unsigned how)
{
	lockdep_take_at(lock, how, __builtin_return_address(0));
}

void lockdep_give(struct spinlock *lock)
{
	if (!lockdep_dead && !give(lock))
		panic("lock: [%s] released by who does not hold it", lock_class_name(lock->class));
}

void lockdep_task_init(struct task *task)
{
	task->locks.nr = task->locks.lost = 0;
}

void lockdep_switch(struct task *prev, struct task *next)
{
	if (lockdep_dead)
		return;
	if (prev->locks.nr > 0 && !(prev->locks.held[prev->locks.nr - 1].how & LOCK_SLEEP)) {
		push(&next->locks, &prev->locks.held[--prev->locks.nr]);
		return;
	}
	BUG_ON(prev->locks.lost == 0); /* there was no room for it */
	prev->locks.lost--;
	next->locks.lost++;
}

void lockdep_check_none(const char *when)
{
	if (lockdep_dead)
		return;
	if (this_hart()->spin_depth != 0 || current->pagefault_disabled != 0)
		panic("%d spinlocks held, page faults disabled %d times %s",
		      this_hart()->spin_depth, current->pagefault_disabled, when);
	if (current->locks.nr > 0)
		panic("lock: [%s] held %s", lock_class_name(current->locks.held[0].class), when);
	say_too_many();
}

/* ---- pages ---- */

/* Several pages are locked in the order of their index in one file. */
static bool pages_ordered(const void *outer, const void *inner)
{
	const struct page *a = outer, *b = inner;

	return a->mapping == b->mapping && a->index < b->index;
}

static struct lock_key page_key = { .name = "page lock", .ordered = pages_ordered };
/* Of pages that belong to no inode: those of a file are locked while these are looked into. */
static struct lock_key meta_key = { .name = "page lock of metadata", .ordered = pages_ordered };

void lockdep_take_page(const struct page *page, const struct address_space *as, unsigned how,
		       const void *pc)
{
	struct lock_key *key = as && !as->host ? &meta_key : &page_key;

	if (!lockdep_dead)
		take(page, lock_class_of_key(key), how | LOCK_SLEEP, pc);
}

void lockdep_give_page(const struct page *page)
{
	if (!lockdep_dead)
		give(page);
}

/* ---- sleeping ---- */

void lockdep_might_sleep(const char *what)
{
	const struct hart *hart = this_hart();

	/* Idle tasks never sleep, and the boot, which runs as one, waits for nobody. */
	if (lockdep_dead || current->pid == 0)
		return;
	if (hart->irq_depth > 0)
		panic("%s() may sleep: called from an interrupt handler", what);
	if (hart->spin_depth > 0)
		panic("%s() may sleep: called with %d spinlocks held", what, hart->spin_depth);
	if (irqs_disabled())
		panic("%s() may sleep: called with interrupts off", what);
}

void might_fault(void)
{
	struct lock_trace *trace = &current->locks;

	if (lockdep_dead || current->pagefault_disabled)
		return;
	lockdep_might_sleep("handle_mm_fault");
	for (unsigned i = 0; i < trace->nr; i++) {
		u16 class = trace->held[i].class;

		if (class == page_key.class || class == meta_key.class)
			panic("user memory is touched with a page locked");
	}
	if (!current->mm)
		return;
	lockdep_take_at(&current->mm->mmap_lock.lock, LOCK_SLEEP, __builtin_return_address(0));
	lockdep_give(&current->mm->mmap_lock.lock);
}

/* ---- a panic ---- */

void lockdep_stop(void)
{
	WRITE_ONCE(lockdep_dead, true);
}

#endif
