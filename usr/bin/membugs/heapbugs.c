/*
 * heapbugs.c - bugs of membugs that have to do with malloc().
 *
 * What becomes of them is up to the allocator: what stands behind a block, and who gets a free one.
 * So each looks at its own blocks and says what it finds. Locks: none.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/bin/membugs/membugs.h"
#include "usr/lib/tool.h"

#define ROWS 55 /* odd: 55 pointers fill a block to the last byte that may be used */

static volatile int rows = ROWS;

/* malloc() here, and not in xmalloc(): the call site that a debugging mode tells is then ours. */
static inline __attribute__((always_inline)) void *need(void *block)
{
	if (!block)
		die_errno(STATUS_FAILED, "malloc");
	return block;
}

/* ---- 2 ---- */

#define SIDE 8

/* Return A * x, for the unit matrix A: that is x. */
APART static int *multiply(const int *x)
{
	int *y = malloc(SIDE *
			sizeof(int)); /* the bug: calloc(); the sums begin with what is there */

	for (int i = 0; y && i < SIDE; i++)
		for (int j = 0; j < SIDE; j++)
			y[i] += (i == j) * x[j];
	return y;
}

/* A block that was in use, and is free now: the heap of a program that has run for a while. */
APART static void use_heap(void)
{
	volatile int *block = need(malloc(SIDE * sizeof(int)));

	for (int i = 0; i < SIDE; i++)
		block[i] = 1000 * i;
	free((void *)block);
}

void uninitialised_read(void)
{
	static const int x[SIDE] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	int wrong = 0, *y;

	use_heap();
	y = multiply(x);
	for (int i = 0; i < SIDE; i++) {
		printf("y[%d] = %d%s\n", i, y[i], y[i] == x[i] ? "" : ", wrong");
		wrong += y[i] != x[i];
	}
	printf("%d of %d sums are wrong\n", wrong, SIDE);
	free(y);
}

/* ---- 4, 5 ---- */

/* How many of the rows do not hold what was stored into them? Tells the first of them. */
static int count_damaged(int **row)
{
	int damaged = 0;

	for (int i = 0; i < rows; i++) {
		for (int j = 0; j < 6; j++) {
			if (row[i][j] == i)
				continue;
			if (damaged++ == 0)
				printf("row %d: word %d is 0x%x, should be 0x%x\n", i, j,
				       (unsigned)row[i][j], (unsigned)i);
			break;
		}
	}
	return damaged;
}

static int *new_row(int number)
{
	int *row = need(malloc(6 * sizeof(int)));

	for (int j = 0; j < 6; j++)
		row[j] = number;
	return row;
}

/* @from is where the first byte was stored that is not of @array. */
static void tell_overrun(int **array, char *from, char *to)
{
	printf("the array is %p, %zu bytes may be used; stored up to %p: %td bytes behind it\n",
	       (void *)array, malloc_usable_size(array), to, to - from);
}

/* Rows are kept beside the array, which is being overwritten. */
static void tell_and_free(int **array, int **row)
{
	printf("%d of %d rows are damaged\n", count_damaged(row), rows);
	puts("freeing all of it ...");
	fflush(stdout);
	for (int i = 0; i < rows; i++)
		free(row[i]);
	free(array);
	puts("freed: nothing was noticed");
}

void pointer_size(void)
{
	int **volatile array = need(malloc(rows * sizeof(int))); /* the bug: sizeof(int *) */
	int *row[ROWS];

	for (int i = 0; i < rows; i++)
		row[i] = new_row(i);
	tell_overrun(array, (char *)array + rows * sizeof(int), (char *)(array + rows));
	for (int i = 0; i < rows; i++)
		array[i] = row[i];
	tell_and_free(array, row);
}

void off_by_one(void)
{
	int **volatile array = need(malloc(rows * sizeof(int *)));
	int *row[ROWS];

	for (int i = 0; i < rows; i++)
		row[i] = new_row(i);
	tell_overrun(array, (char *)(array + rows), (char *)(array + rows + 1));
	for (int i = 0; i <= rows; i++) /* the bug: i < rows */
		array[i] = row[i % rows];
	tell_and_free(array, row);
}

/* ---- 9 ---- */

#define INTS 50

void use_after_free(void)
{
	int *volatile x = need(malloc(INTS * sizeof(int))), *volatile y;
	uintptr_t was;
	int changed = 0;

	for (int i = 0; i < INTS; i++)
		x[i] = i;
	was = (uintptr_t)x;
	free(x);
	y = need(malloc(INTS * sizeof(int))); /* somebody else's, in a larger program */
	printf("x was %p and is free; y is %p: %s\n", (void *)was, (void *)y,
	       (uintptr_t)y == was ? "the same block" : "another one");
	for (int i = 0; i < INTS; i++)
		y[i] = 7;
	fflush(stdout);
	for (int i = 0; i < INTS; i++)
		((volatile int *)was)[i]++; /* the bug: x is free */
	for (int i = 0; i < INTS; i++)
		changed += y[i] != 7;
	printf("%d of %d values of y are no longer 7, and nobody stored into y\n", changed, INTS);
	free(y);
}

/* ---- 10 ---- */

#define LEAKS	   1000
#define LEAK_BYTES 4000

/* Use a block of memory for a moment. */
APART static void work(void)
{
	char *volatile block = need(malloc(LEAK_BYTES));

	memset(block, 1, LEAK_BYTES);
	/* the bug: free(block) is missing, and nobody else knows where it is */
}

void leak(void)
{
	long before = resident_kb(), after;

	for (int i = 0; i < LEAKS; i++)
		work();
	after = resident_kb();
	printf("resident: %ld KiB before, %ld KiB after %d calls: %ld KiB are lost\n", before,
	       after, LEAKS, after - before);
}
