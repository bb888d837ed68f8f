/*
 * gcgraph.c - random object graphs in the heap of usr/lib/gc, beside an oracle that knows exactly
 * who can be reached.
 *
 *	roots[]	  (bss, the collector sees it)	--> blocks, their slots --> blocks ...
 *	objects[] (addresses inverted: it does not see them) the same graph, by number
 *
 * After each collection every object that the oracle reaches must have its address and its bytes;
 * how many of the others are there still is counted: conservatism finds a few, not many.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/gc/gc.h"
#include "usr/lib/testgc.h"
#include "usr/lib/testutil.h"

#define OBJECTS 4000
#define SLOTS	6
#define ROOTS	24
#define NOBODY	-1

struct object {
	uintptr_t hidden; /* its address, inverted; 0: this number is not in use */
	size_t size;
	int nr_slots;
	int target[SLOTS]; /* whom slot i leads to, or NOBODY */
	size_t inside[SLOTS];
	bool reached;
};

/* What a block holds: who it is, its slots, and a byte that repeats to its end. */
struct body {
	uintptr_t number;
	char *slots[];
};

static struct object objects[OBJECTS];
static char *volatile roots[ROOTS]; /* volatile: only the collector reads it */
static int root_target[ROOTS];
static int queue[OBJECTS];
static size_t nr_unreached, nr_kept, nr_reached;

/* No address: such a word is in no heap. */
static uintptr_t name_of(int number)
{
	return 0xa5a5000000000000UL + number;
}

static struct body *body_of(int number)
{
	return (struct body *)~objects[number].hidden;
}

static size_t head_size(const struct object *object)
{
	return sizeof(struct body) + object->nr_slots * sizeof(char *);
}

static unsigned char filler(int number)
{
	return 0x80 | number;
}

/* ---- the graph ---- */

static int unused_number(void)
{
	for (int i = 0; i < OBJECTS; i++)
		if (objects[i].hidden == 0)
			return i;
	return NOBODY;
}

static size_t random_size(size_t least)
{
	uint64_t kind = test_random_below(100);
	size_t more = kind < 70 ? 64 : kind < 95 ? 1500 : 40000;

	return least + test_random_below(more);
}

/* A fresh object, whom nobody points to yet. */
__attribute__((noipa)) static int make_object(void)
{
	int number = unused_number();
	struct object *object = &objects[number];
	struct body *body;

	if (number == NOBODY)
		return NOBODY;
	object->nr_slots = test_random_below(8) ? SLOTS - test_random_below(3) : 0;
	object->size = random_size(head_size(object));
	body = gc_malloc(object->size);
	CHECK(body);
	object->hidden = ~(uintptr_t)body;
	body->number = name_of(number);
	for (int i = 0; i < SLOTS; i++)
		object->target[i] = NOBODY;
	memset((char *)body + head_size(object), filler(number), object->size - head_size(object));
	return number;
}

/* Somebody who can be reached: some steps from a root; NOBODY, if the root is empty. */
static int somebody(void)
{
	int number = root_target[test_random_below(ROOTS)];

	for (int steps = test_random_below(40); number != NOBODY && steps; steps--) {
		const struct object *object = &objects[number];
		int next = object->nr_slots ? object->target[test_random_below(object->nr_slots)] :
					      NOBODY;

		if (next == NOBODY)
			break;
		number = next;
	}
	return number;
}

/* An address in @number, its end included, mostly the start. */
static char *address_in(int number, size_t *inside)
{
	*inside = test_random_below(3) ? 0 : test_random_below(objects[number].size + 1);
	return (char *)body_of(number) + *inside;
}

/* Let a slot of somebody, or a root, lead to @target, or to nobody. */
__attribute__((noipa)) static void point_to(int target)
{
	int from = test_random_below(16) ? somebody() : NOBODY;
	size_t inside = 0;
	char *address = target == NOBODY ? NULL : address_in(target, &inside);
	int slot;

	for (int tries = 0; from != NOBODY && objects[from].nr_slots == 0 && tries < 8; tries++)
		from = somebody();
	if (from == NOBODY || objects[from].nr_slots == 0) {
		slot = test_random_below(ROOTS);
		root_target[slot] = target;
		roots[slot] = address;
		return;
	}
	slot = test_random_below(objects[from].nr_slots);
	for (int i = 0; i < 3 && objects[from].target[slot] != NOBODY; i++)
		slot = test_random_below(objects[from].nr_slots); /* rather an empty one */
	objects[from].target[slot] = target;
	objects[from].inside[slot] = inside;
	body_of(from)->slots[slot] = address;
}

/* ---- the oracle ---- */

static void reach(int number, int *queued)
{
	if (number == NOBODY || objects[number].reached)
		return;
	objects[number].reached = true;
	queue[(*queued)++] = number;
}

static void reach_all(void)
{
	int queued = 0;

	for (int i = 0; i < OBJECTS; i++)
		objects[i].reached = false;
	for (int i = 0; i < ROOTS; i++)
		reach(root_target[i], &queued);
	for (int at = 0; at < queued; at++)
		for (int i = 0; i < objects[queue[at]].nr_slots; i++)
			reach(objects[queue[at]].target[i], &queued);
}

/* It must be there, whole. */
static void check_object(int number)
{
	const struct object *object = &objects[number];
	const struct body *body = body_of(number);
	const unsigned char *bytes = (const unsigned char *)body;

	CHECK_EQ(gc_base(body), body);
	CHECK(gc_size(body) > object->size);
	CHECK_EQ(body->number, name_of(number));
	for (int i = 0; i < object->nr_slots; i++)
		CHECK_EQ(body->slots[i],
			 object->target[i] == NOBODY ?
				 NULL :
				 (char *)body_of(object->target[i]) + object->inside[i]);
	for (size_t at = head_size(object); at < object->size; at++)
		CHECK_EQ(bytes[at], filler(number));
}

static void check_objects(void)
{
	reach_all();
	for (int i = 0; i < OBJECTS; i++) {
		if (objects[i].hidden == 0)
			continue;
		if (objects[i].reached) {
			check_object(i);
			nr_reached++;
			continue;
		}
		nr_unreached++;
		if (gc_base(body_of(i)) == body_of(i) && body_of(i)->number == name_of(i))
			nr_kept++;
		objects[i].hidden = 0; /* if it is there still, nobody will ask for it again */
	}
}

static void run(int steps)
{
	for (int i = 0; i < ROOTS; i++)
		root_target[i] = NOBODY;
	for (int i = 0; i < steps; i++) {
		uint64_t what = test_random_below(100);

		if (what < 50)
			point_to(make_object());
		else if (what < 70)
			point_to(somebody());
		else if (what < 72)
			point_to(NOBODY);
		if (test_random_below(1000) == 0 || unused_number() == NOBODY) {
			scrub_stack();
			CHECK_OK(gc_collect());
			check_heap();
			check_objects();
			test_progress();
		}
	}
	CHECK_OK(gc_collect());
	check_heap();
	check_objects();
	test_note("%zu times reached; of %zu that were not, %zu were there still", nr_reached,
		  nr_unreached, nr_kept);
	CHECK(nr_reached > (size_t)steps / 100 && nr_unreached > (size_t)steps / 10);
	CHECK(nr_kept * 20 <= nr_unreached);
}

TEST(collected_when_asked)
{
	gc_set_threshold(SIZE_MAX);
	run(30000);
}

TEST(collected_whenever_the_allocator_likes)
{
	gc_set_threshold(20000);
	run(30000);
}

TEST(with_a_mark_stack_that_overflows)
{
	gc_limit_mark_stack(2);
	gc_set_threshold(100000);
	run(10000);
}

TEST(in_a_heap_that_is_full)
{
	CHECK_OK(gc_init(24 << 20));
	gc_set_threshold(SIZE_MAX);
	run(20000);
}
