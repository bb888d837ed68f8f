/*
 * lock.c - the locks and the watch over them (kernel/lockdep.c): each misuse is reported.
 *
 *	hart 0  takes a, then b            order a -> b is learnt for ever, by class:
 *	hart 1  takes b, then a  <- panic  the place where a lock was initialised
 */
#include "arch/riscv/irqflags.h"
#include "kernel/lock.h"
#include "kernel/wait.h"
#include "tests/host/test.h"

static struct spinlock a, b, c;
static struct mutex m;
static struct rwsem sem;

static void locks_init(void)
{
	machine_boot(TEST_PAGES, 2);
	spin_lock_init(&a);
	spin_lock_init(&b);
	spin_lock_init(&c);
	mutex_init(&m);
	rwsem_init(&sem);
}

static void take_in_order(struct spinlock *outer, struct spinlock *inner)
{
	spin_lock(outer);
	spin_lock(inner);
	spin_unlock(inner);
	spin_unlock(outer);
}

BARE_TEST(two_orders_are_one_too_many)
{
	locks_init();
	take_in_order(&a, &b);
	take_in_order(&a, &b);
	CHECK_PANIC(take_in_order(&b, &a), "lock order: [a] taken inside [b]");
}

BARE_TEST(over_three_locks_too)
{
	locks_init();
	take_in_order(&a, &b);
	take_in_order(&b, &c);
	take_in_order(&a, &c);
	CHECK_PANIC(take_in_order(&c, &a), "lock order");
}

BARE_TEST(a_class_is_a_place_not_a_lock)
{
	static struct spinlock outer[2], inner[2];

	locks_init();
	for (unsigned i = 0; i < 2; i++) {
		spin_lock_init(&outer[i]);
		spin_lock_init(&inner[i]);
	}
	take_in_order(&outer[0], &inner[0]);
	CHECK_PANIC(take_in_order(&inner[1], &outer[1]), "lock order");
}

BARE_TEST(a_lock_without_an_initialiser_is_its_own_class)
{
	static struct spinlock x, y;

	locks_init();
	take_in_order(&x, &y);
	CHECK_PANIC(take_in_order(&y, &x), "lock order: ");
}

BARE_TEST(sleeping_locks_have_an_order_too)
{
	locks_init();
	down_read(&sem);
	mutex_lock(&m);
	mutex_unlock(&m);
	up_read(&sem);
	mutex_lock(&m);
	CHECK_PANIC(down_write(&sem), "lock order: [sem] taken inside [m]");
}

BARE_TEST(the_owner_takes_a_spinlock_again)
{
	locks_init();
	spin_lock(&a);
	CHECK_PANIC(spin_lock(&a), "[a] taken twice");
}

BARE_TEST(the_owner_takes_a_mutex_again)
{
	locks_init();
	mutex_lock(&m);
	CHECK_PANIC(mutex_lock(&m), "[m] taken twice");
}

BARE_TEST(who_writes_wants_to_read_too)
{
	locks_init();
	down_write(&sem);
	CHECK_PANIC(down_read(&sem), "[sem] taken twice");
}

BARE_TEST(who_reads_wants_to_write_too)
{
	locks_init();
	down_read(&sem);
	CHECK_PANIC(down_write(&sem), "[sem] taken twice");
}

BARE_TEST(a_reader_reads_again) /* a writer may wait between */
{
	locks_init();
	down_read(&sem);
	CHECK_PANIC(down_read(&sem), "[sem] taken twice");
}

BARE_TEST(another_hart_will_never_let_go)
{
	locks_init();
	spin_lock(&a);
	machine_run_on(1);
	CHECK(!spin_trylock(&a));
	CHECK(!spin_held(&a));
	CHECK_PANIC(spin_lock(&a), "a spinlock that another hart holds");
	machine_run_on(0);
	CHECK(spin_held(&a));
	spin_unlock(&a);
}

BARE_TEST(only_the_owner_lets_go)
{
	locks_init();
	CHECK_PANIC(spin_unlock(&a), "");
	down_write(&sem);
	mutex_lock(&m);
	spin_lock(&a);
	machine_run_on(1);
	CHECK_PANIC(spin_unlock(&a), "released by who does not hold it");
	CHECK_PANIC(mutex_unlock(&m), "owner != current");
	CHECK_PANIC(up_write(&sem), "released by who does not hold it");
	machine_run_on(0);
	downgrade_write(&sem);
	machine_run_on(1);
	CHECK_PANIC(up_read(&sem), "released by who does not hold it");
}

BARE_TEST(nobody_sleeps_under_a_spinlock)
{
	locks_init();
	spin_lock(&a);
	CHECK_PANIC(schedule(), "may sleep: called with 1 spinlocks held");
	CHECK_PANIC(mutex_lock(&m), "may sleep: called with 1 spinlocks held");
	CHECK_PANIC(down_read(&sem), "may sleep: called with 1 spinlocks held");
	CHECK_PANIC(down_write(&sem), "may sleep: called with 1 spinlocks held");
	CHECK(down_read_trylock(&sem)); /* trying is not sleeping */
	up_read(&sem);
	spin_unlock(&a);
	mutex_lock(&m);
	mutex_unlock(&m);
}

BARE_TEST(nor_with_interrupts_off)
{
	unsigned long flags;

	locks_init();
	flags = local_irq_save();
	CHECK_PANIC(schedule(), "interrupts off");
	local_irq_restore(flags);
	flags = spin_lock_irqsave(&a);
	CHECK(irqs_disabled());
	spin_unlock_irqrestore(&a, flags);
	CHECK(!irqs_disabled());
}

BARE_TEST(at_rest_nothing_is_held)
{
	locks_init();
	machine_check_rest();
	machine_run_on(1);
	mutex_lock(&m);
	machine_run_on(0);
	CHECK_PANIC(machine_check_rest(), "held at rest");
}

BARE_TEST(readers_share_and_a_writer_does_not)
{
	locks_init();
	down_read(&sem);
	machine_run_on(1);
	CHECK(down_read_trylock(&sem));
	CHECK(!down_write_trylock(&sem));
	up_read(&sem);
	machine_run_on(0);
	up_read(&sem);
	CHECK(down_write_trylock(&sem));
	CHECK(rwsem_held_write(&sem) && rwsem_held(&sem));
	machine_run_on(1);
	CHECK(!down_read_trylock(&sem));
	CHECK(!rwsem_held_write(&sem));
	machine_run_on(0);
	downgrade_write(&sem);
	machine_run_on(1);
	CHECK(down_read_trylock(&sem));
}

BARE_TEST(a_sleep_that_nobody_ends_is_reported)
{
	static struct wait_queue wq;

	locks_init();
	wait_queue_init(&wq);
	CHECK_PANIC(wait_event(&wq, false), "sleeps for ever");
}

/* What finds no place is said: an order that nobody remembers would never be found wrong. */
BARE_TEST(one_class_too_many_is_said)
{
	static struct lock_key keys[256];
	static struct spinlock locks[ARRAY_SIZE(keys)];
	unsigned i = 0;

	locks_init();
	for (; i < ARRAY_SIZE(keys); i++)
		keys[i].name = "one of many";
	for (i = 0; i < 128; i++)
		lockdep_set_key(&locks[i], &keys[i]);
	CHECK(locks[0].class != locks[127].class);
	CHECK_PANIC(for (; i < ARRAY_SIZE(keys); i++) lockdep_set_key(&locks[i], &keys[i]),
		    "lock order: more than 192 classes of locks");
}

static bool any_order(const void *outer __maybe_unused, const void *inner __maybe_unused)
{
	return true;
}

/* The same for locks that are held at once: those that find no place are not watched. */
BARE_TEST(more_locks_held_than_there_is_room_for_is_said)
{
	static struct lock_key key = { .name = "one of many", .ordered = any_order };
	static struct spinlock locks[MAX_HELD_LOCKS + 1];

	machine_boot(TEST_PAGES, 2);
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++) {
		lockdep_set_key(&locks[i], &key);
		spin_lock(&locks[i]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(locks); i++)
		spin_unlock(&locks[i]);
	CHECK_PANIC(lockdep_check_none("at the end"), "a task held more than 96 locks");
}
