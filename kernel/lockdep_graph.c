/*
 * lockdep_graph.c - the classes of locks, the orders seen between them, and the reports.
 * kernel/lockdep.c has the drawing.
 *
 * Locks: graph_lock, see there. Reports are made with it held and never release it: the other harts
 * must not find a second mistake.
 */
#ifdef CONFIG_DEBUG

#include "kernel/lockdep_graph.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/irqflags.h"
#include "arch/riscv/machine.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"

#define MAX_CLASSES 192
#define MAX_EDGES   2048
#define MAX_NESTED  3
#define TEXT_SIZE   4096
#define PC_NAME_MAX 64

struct lock_class {
	char name[LOCK_NAME_MAX];
	const struct lock_key *key; /* NULL: static, or nested */
	u16 nested[MAX_NESTED];	    /* classes of the 2nd to 4th lock held at once; 0: none yet */
	u32 irq_pc;		    /* where a handler waited for one; 0: nowhere */
	u32 on_pc;		    /* where one was taken with interrupts on; 0: nowhere */
	unsigned long inside[MAX_CLASSES / 64];
};

/* The first time that @inner was wanted with @outer held. */
struct lock_edge {
	u16 outer, inner;
	u32 outer_pc, inner_pc;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

extern const char _stext[], _sdata[], _end[];

static int graph_lock;
static struct lock_class classes[MAX_CLASSES];
static unsigned nr_classes = 1; /* number 0 is no class */
static struct lock_edge edges[MAX_EDGES];
static unsigned nr_edges;
/* find_path(): the class that led to each. */
static u16 came_from[MAX_CLASSES];
static char report_text[TEXT_SIZE];
static size_t report_len;

/* Interrupts are off, or go off: a handler on this hart would wait for ever. */
static unsigned long graph_take(void)
{
	unsigned long flags = local_irq_save();

	while (__atomic_exchange_n(&graph_lock, 1, __ATOMIC_ACQUIRE))
		cpu_relax();
	return flags;
}

static void graph_give(unsigned long flags)
{
	__atomic_store_n(&graph_lock, 0, __ATOMIC_RELEASE);
	local_irq_restore(flags);
}

/* ---- reports ---- */

static void __printf(1, 2) say(const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(report_text + report_len, TEXT_SIZE - report_len, fmt, ap);
	va_end(ap);
	report_len = min(report_len + len, (size_t)TEXT_SIZE - 1);
}

static const char *pc_name(u32 pc, char *buf)
{
	symbol_name((unsigned long)_stext + pc - 2, buf, PC_NAME_MAX);
	return buf;
}

static void say_held(const struct lock_trace *trace)
{
	char at[PC_NAME_MAX];

	for (unsigned i = 0; i < trace->nr; i++) {
		const struct held_lock *held = &trace->held[i];

		say("    holds %s, taken at %s%s\n", classes[held->class].name,
		    pc_name(held->pc, at), held->irq ? ", in an interrupt" : "");
	}
}

void lockdep_report(const struct held_lock *new, const char *fmt, ...)
{
	char message[2 * LOCK_NAME_MAX + 128], at[PC_NAME_MAX];
	va_list ap;

	lockdep_stop();
	say("  task %d (%s):\n", current->pid, current->comm);
	say_held(&current->locks);
	say("    wants %s at %s\n", classes[new->class].name, pc_name(new->pc, at));
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	panic("lock order: %s", message);
}

void lockdep_last_words(void)
{
	lockdep_stop();
	if (report_len == 0 && current->locks.nr > 0) {
		say("  task %d (%s):\n", current->pid, current->comm);
		say_held(&current->locks);
	}
	/* printk() cuts what is long. */
	for (char *line = report_text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			return;
		*end = 0;
		printk("%s\n", line);
	}
}

/* ---- classes ---- */

const char *lock_class_name(u16 class)
{
	return class < nr_classes ? classes[class].name : "no lock";
}

bool lock_class_ordered(u16 class, const void *outer, const void *inner)
{
	const struct lock_key *key = classes[class].key;

	return key && key->ordered && key->ordered(outer, inner);
}

/* A new class, graph_lock held. */
static struct lock_class *class_new(void)
{
	if (nr_classes == MAX_CLASSES)
		panic("lock order: more than %d classes of locks", MAX_CLASSES);
	return &classes[nr_classes++];
}

u16 lock_class_of_key(struct lock_key *key)
{
	struct lock_class *class;
	unsigned long flags;

	if (likely(READ_ONCE(key->class)))
		return key->class;
	flags = graph_take();
	if (!key->class) {
		class = class_new();
		strlcpy(class->name, key->name + (key->name[0] == '&'), LOCK_NAME_MAX);
		class->key = key;
		smp_store_release(&key->class, (u16)(class - classes));
	}
	graph_give(flags);
	return key->class;
}

u16 lock_class_of_static(const struct spinlock *lock)
{
	struct lock_class *class;
	unsigned long flags;

	if ((const char *)lock < _sdata || (const char *)lock >= _end)
		panic("lock: the one at %p was never initialised", (const void *)lock);
	flags = graph_take();
	if (!lock->class) {
		class = class_new();
		symbol_name((unsigned long)lock, class->name, LOCK_NAME_MAX);
		WRITE_ONCE(((struct spinlock *)lock)->class, (u16)(class - classes));
	}
	graph_give(flags);
	return lock->class;
}

u16 lock_class_nested(u16 outer, unsigned n)
{
	u16 *nested = &classes[outer].nested[n - 1];
	struct lock_class *class;
	unsigned long flags;

	BUG_ON(n > MAX_NESTED);
	if (likely(READ_ONCE(*nested)))
		return *nested;
	flags = graph_take();
	if (!*nested) {
		class = class_new();
		snprintf(class->name, LOCK_NAME_MAX, "%s/%u", classes[outer].name, n);
		smp_store_release(nested, (u16)(class - classes));
	}
	graph_give(flags);
	return *nested;
}

/* ---- orders ---- */

/*
 * Is there a way from @from over locks taken inside each other to @to, or, for 0, to a class that
 * was taken with interrupts on? Returns its end, or 0; came_from[] leads back. graph_lock held.
 */
static u16 find_path(u16 from, u16 to)
{
	static u16 queue[MAX_CLASSES];
	unsigned head = 0, tail = 0;

	memset(came_from, 0, sizeof(came_from));
	queue[tail++] = from;
	came_from[from] = from;
	while (head < tail) {
		u16 class = queue[head++];

		if (to ? class == to : classes[class].on_pc != 0)
			return class;
		for (u16 next = 1; next < nr_classes; next++) {
			if (came_from[next] || !test_bit(next, classes[class].inside))
				continue;
			came_from[next] = class;
			queue[tail++] = next;
		}
	}
	return 0;
}

static const struct lock_edge *find_edge(u16 outer, u16 inner)
{
	unsigned i = 0;

	while (edges[i].outer != outer || edges[i].inner != inner)
		i++;
	return &edges[i];
}

/* The way that find_path() found, its end first. */
static void say_path(u16 end)
{
	char outer_at[PC_NAME_MAX], inner_at[PC_NAME_MAX];

	for (u16 class = end; came_from[class] != class; class = came_from[class]) {
		const struct lock_edge *edge = find_edge(came_from[class], class);

		say("  before, task %d (%s):\n", edge->pid, edge->comm);
		say("    holds %s, taken at %s\n", classes[edge->outer].name,
		    pc_name(edge->outer_pc, outer_at));
		say("    wants %s at %s\n", classes[edge->inner].name,
		    pc_name(edge->inner_pc, inner_at));
	}
}

/* Reports when a handler that waits for a lock may wait for a task that it interrupts. */
static void check_handlers(const struct held_lock *new)
{
	char irq_at[PC_NAME_MAX], on_at[PC_NAME_MAX];

	for (u16 class = 1; class < nr_classes; class ++) {
		u16 end = classes[class].irq_pc ? find_path(class, 0) : 0;

		if (!end)
			continue;
		say("  an interrupt handler takes %s at %s\n", classes[class].name,
		    pc_name(classes[class].irq_pc, irq_at));
		say_path(end);
		say("  %s is taken with interrupts on at %s\n", classes[end].name,
		    pc_name(classes[end].on_pc, on_at));
		lockdep_report(new, "a handler that takes [%s] may wait for [%s] of its own hart",
			       classes[class].name, classes[end].name);
	}
}

void lock_edge_add(const struct held_lock *outer, const struct held_lock *new)
{
	struct lock_edge *edge;
	unsigned long flags;

	if (likely(test_bit(new->class, classes[outer->class].inside)))
		return;
	flags = graph_take();
	if (find_path(new->class, outer->class)) {
		say_path(outer->class);
		lockdep_report(new, "[%s] taken inside [%s], which was taken inside it before",
			       classes[new->class].name, classes[outer->class].name);
	}
	if (nr_edges == MAX_EDGES)
		panic("lock order: more than %d orders", MAX_EDGES);
	if (!test_bit(new->class, classes[outer->class].inside)) {
		edge = &edges[nr_edges];
		*edge = (struct lock_edge){ outer->class, new->class,	outer->pc,
					    new->pc,	  current->pid, "" };
		strlcpy(edge->comm, current->comm, sizeof(edge->comm));
		smp_store_release(&nr_edges, nr_edges + 1);
		set_bit(new->class, classes[outer->class].inside);
		check_handlers(new);
	}
	graph_give(flags);
}

void lock_class_note_irq(const struct held_lock *new, bool irqs_on)
{
	struct lock_class *class = &classes[new->class];
	u32 *where = new->irq ? &class->irq_pc : &class->on_pc;
	unsigned long flags;

	/* A handler that only tries never waits. */
	if (likely(*where) || (new->irq ? new->how &LOCK_TRY : !irqs_on))
		return;
	flags = graph_take();
	*where = new->pc;
	check_handlers(new);
	graph_give(flags);
}

/* ---- for /proc/lockdep ---- */

unsigned lockdep_nr_orders(void)
{
	return smp_load_acquire(&nr_edges);
}

const char *lockdep_order_text(unsigned i, char *buf, size_t size)
{
	const struct lock_edge *edge = &edges[i];
	char outer_at[PC_NAME_MAX], inner_at[PC_NAME_MAX];

	snprintf(buf, size, "%s -> %s\t# %s: %s, %s", classes[edge->outer].name,
		 classes[edge->inner].name, edge->comm, pc_name(edge->outer_pc, outer_at),
		 pc_name(edge->inner_pc, inner_at));
	return buf;
}

void lockdep_report_orders(void)
{
	if (!cmdline_option("ravel.lockdep", NULL, 0))
		return;
	for (u16 outer = 1; outer < nr_classes; outer++) {
		const char *before = " -> ";

		if (find_next_bit(classes[outer].inside, nr_classes, 0) >= nr_classes)
			continue;
		printk("lockdep: %s", classes[outer].name);
		for (u16 inner = 1; inner < nr_classes; inner++) {
			if (!test_bit(inner, classes[outer].inside))
				continue;
			printk("%s%s", before, classes[inner].name);
			before = ", ";
		}
		printk("\n");
	}
}

#endif
