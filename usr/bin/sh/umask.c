/*
 * umask.c - umask: the mask in octal, or as u=rwx,g=rx,o=.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "usr/bin/sh/builtins.h"
#include "usr/lib/tool.h"

static mode_t current(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

static void print_symbolic(mode_t mask)
{
	for (int i = 0; i < 3; i++) {
		unsigned int allowed = ~mask >> (6 - 3 * i) & 7;

		printf("%c=%s%s%s%c", "ugo"[i], allowed & 4 ? "r" : "", allowed & 2 ? "w" : "",
		       allowed & 1 ? "x" : "", i < 2 ? ',' : '\n');
	}
}

/* What @text, as u=rwx,g-w, makes of the bits that @mask allows. Returns -1 when it is none. */
static int parse_symbolic(const char *text, mode_t mask)
{
	unsigned int allowed = ~mask & 0777;

	while (*text) {
		unsigned int who = 0, bits = 0;
		char op;

		for (; *text && strchr("ugoa", *text); text++)
			who |= *text == 'u' ? 0700 : *text == 'g' ? 0070 : *text == 'o' ? 7 : 0777;
		op = *text++;
		if (!op || !strchr("=+-", op))
			return -1;
		for (; *text && strchr("rwx", *text); text++)
			bits |= *text == 'r' ? 0444 : *text == 'w' ? 0222 : 0111;
		who = who ? who : 0777;
		if (op == '=')
			allowed &= ~who;
		allowed = op == '-' ? allowed & ~(who & bits) : allowed | (who & bits);
		if (*text && (*text != ',' || !text[1]))
			return -1;
		text += *text == ',';
	}
	return ~allowed & 0777;
}

int builtin_umask(int argc, char **argv)
{
	char *end;
	long value;

	if (argc < 2) {
		printf("%04o\n", (unsigned int)current());
		return 0;
	}
	if (strcmp(argv[1], "-S") == 0) {
		print_symbolic(current());
		return 0;
	}
	value = strtol(argv[1], &end, 8);
	if (end == argv[1] || *end)
		value = parse_symbolic(argv[1], current());
	if (value < 0 || value > 0777) {
		warn("umask: %s: bad mask", argv[1]);
		return 2;
	}
	umask(value);
	return 0;
}
