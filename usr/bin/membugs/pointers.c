/*
 * pointers.c - bugs of membugs that are slips with pointers: a number for an address, the wrong
 * precedence, the wrong unit.
 *
 * Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "usr/bin/membugs/membugs.h"
#include "usr/lib/tool.h"

/* ---- 1 ---- */

void bad_pointer(void)
{
	volatile long val = 42;

	printf("val is %ld; reading \"7\" into it ...\n", val);
	fflush(stdout);
	sscanf("7", "%d", (int *)val); /* the bug: & is missing; the cast is what -Wformat asks */
	printf("val is %ld\n", val);
}

/* ---- 6 ---- */

#define CAPACITY 1000

struct queue {
	int capacity, size;
	int values[8];
};

APART static void sift_down(int *values, int size)
{
	printf("sift_down() is told of %d values, the first of them %d\n", size, values[0]);
}

/* Remove the first of the *@size @values: the last one takes its place. */
APART static int remove_first(int *values, int *size)
{
	int first = values[0];

	values[0] = values[*size - 1];
	(void)*size--; /* the bug: (*size)--; this moves the pointer */
	sift_down(values, *size);
	return first;
}

void operator_precedence(void)
{
	struct queue queue = { CAPACITY, 4, { 40, 30, 20, 10 } };

	for (int i = 0; i < 3; i++)
		printf("removed %d\n", remove_first(queue.values, &queue.size));
	printf("after three removals the size is %d, should be 1\n", queue.size);
}

/* ---- 7 ---- */

#define VALUES 1024 /* a page of them */

/* Find @value before the 0 that ends @values. */
APART static const volatile int *search(const volatile int *values, int value)
{
	while (*values && *values != value)
		values += sizeof(int); /* the bug: values++; the unit is ints, not bytes */
	return values;
}

void pointer_arithmetic(void)
{
	const volatile int *found;
	int *values = mmap(NULL, 2 * VALUES * sizeof(int), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (values == MAP_FAILED)
		die_errno(STATUS_FAILED, "mmap");
	munmap(values + VALUES, VALUES * sizeof(int));
	for (int i = 0; i < VALUES - 1; i++)
		values[i] = 100 + i;
	values[VALUES - 1] = 0;
	printf("%d ints from %p to %p, the last is 0; looking for 102, which is the third ...\n",
	       VALUES, (void *)values, (void *)(values + VALUES));
	fflush(stdout);
	found = search(values, 102);
	printf("found %d at %p\n", *found, (const void *)found);
}
