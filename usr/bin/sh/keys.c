/*
 * keys.c - escape sequences to keys.
 *
 *	ESC [ A          up                ESC O H      home, of terminals in application mode
 *	ESC [ 3 ~        delete            ESC b        Alt-B
 *	ESC [ 1 ; 5 C    Ctrl-right
 *
 * There is no time limit inside a sequence: a serial line may deliver it in pieces.
 *
 * Invariants: a sequence is always taken whole, also one that means nothing here.  Locks: none.
 * Source: ECMA-48, section 5.4; xterm's "PC-Style Function Keys".
 */
#include "usr/bin/sh/keys.h"

#include <stddef.h>

#include "usr/bin/sh/jobs.h"

#define ESCAPE	   0x1b
#define NR_NUMBERS 2

/* A key by the letter that ends its sequence, or by the number before "~". */
static const struct {
	char final;
	int number;
	int key;
} sequences[] = {
	{ 'A', 0, KEY_UP },	{ 'B', 0, KEY_DOWN }, { 'C', 0, KEY_RIGHT }, { 'D', 0, KEY_LEFT },
	{ 'H', 0, KEY_HOME },	{ 'F', 0, KEY_END },  { '~', 1, KEY_HOME },  { '~', 7, KEY_HOME },
	{ '~', 3, KEY_DELETE }, { '~', 4, KEY_END },  { '~', 8, KEY_END },
};

static int find_sequence(int final, const int *numbers)
{
	/* The second number is 1 plus the shift, Alt and Ctrl keys: any of the latter two. */
	int modified = numbers[1] > 2;

	if (modified && final == 'C')
		return KEY_WORD_RIGHT;
	if (modified && final == 'D')
		return KEY_WORD_LEFT;
	for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++)
		if (sequences[i].final == final &&
		    (final != '~' || sequences[i].number == numbers[0]))
			return sequences[i].key;
	return KEY_UNKNOWN;
}

/* After ESC [ or ESC O. */
static int read_sequence(void)
{
	int numbers[NR_NUMBERS] = { 0 };
	int which = 0;
	int c;

	for (;;) {
		c = terminal_read();
		if (c == TERMINAL_GONE)
			return KEY_GONE;
		if (c == TERMINAL_WOKEN)
			continue;
		if (c < 0x20 || c > 0x3f)
			return find_sequence(c, numbers);
		if (c == ';')
			which++;
		else if (c >= '0' && c <= '9' && which < NR_NUMBERS && numbers[which] < 1000)
			numbers[which] = 10 * numbers[which] + c - '0';
	}
}

int key_read(void)
{
	int escapes = 0;
	int c = terminal_read();

	while (c == ESCAPE) {
		escapes++;
		c = terminal_read();
	}
	if (c == TERMINAL_GONE)
		return KEY_GONE;
	if (c == TERMINAL_WOKEN)
		return KEY_WOKEN;
	if (!escapes)
		return c;
	if (c == '[' || c == 'O')
		return read_sequence();
	return c < 0x20 ? c : ALT(c);
}
