/*
 * stackbugs.c - bugs of membugs in frames of the stack.
 *
 * Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "usr/bin/membugs/membugs.h"

/* ---- 3 ---- */

#define BUFFER 16

static const char *volatile input =
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";

/* As gets(3) was: it cannot know how long @line is. */
APART static void get_line(char *line)
{
	const char *from = input;

	while (*from && *from != '\n')
		*line++ = *from++;
	*line = '\0';
}

APART static void read_line(void)
{
	char line[BUFFER];

	get_line(line); /* the bug: fgets(line, sizeof(line), stdin) */
	printf("a line of %zu bytes is in a buffer of %d; returning ...\n", strlen(line), BUFFER);
	fflush(stdout);
}

void buffer_overflow(void)
{
	read_line();
	puts("returned");
}

/* ---- 8 ---- */

#define WORDS 32

/* What this one returns has ended when it is there. */
APART static volatile int *address_of_local(void)
{
	volatile int values[WORDS];
	volatile int *volatile address = &values[WORDS / 2];

	*address = 42;
	return address; /* the bug: values[] are gone with the return */
}

/* Has variables too. */
APART static int use_stack(void)
{
	volatile int own[2 * WORDS];

	for (int i = 0; i < 2 * WORDS; i++)
		own[i] = 5;
	return own[0];
}

/* Has variables of its own, at the same place; nobody is given their address. */
APART static void victim(volatile int *address)
{
	volatile int own[WORDS];

	for (int i = 0; i < WORDS; i++)
		own[i] = 7;
	*address = 99;
	for (int i = 0; i < WORDS; i++)
		if (own[i] != 7)
			printf("a local variable of another function is %d now, was 7\n", own[i]);
}

void dangling_address(void)
{
	volatile int *address = address_of_local();
	int first = *address, other = use_stack(), then = *address;

	printf("at once %d is there, after a call of another function %d, which is its %d\n", first,
	       then, other);
	victim(address);
}
