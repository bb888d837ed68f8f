/*
 * tr.c - change bytes of standard input: each of SET1 to that at its place in SET2; -d drop those
 * of SET1, -s one for several of the last set, -c all but those of SET1. Sets have a-z, [:class:],
 * \n and the like, \ooo.
 *
 * Invariants: a SET2 that is too short goes on with its last byte.  Locks: none.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "tr [-cds] set1 [set2]";

struct set {
	unsigned char bytes[1024];
	size_t count;
};

static void add(struct set *set, int byte)
{
	if (set->count == sizeof(set->bytes))
		die(STATUS_FAILED, "a set is too long");
	set->bytes[set->count++] = byte;
}

/* One byte as it is written, with its backslash. */
static int parse_byte(const char **text)
{
	static const char letters[] = "abfnrtv\\", bytes[] = "\a\b\f\n\r\t\v\\";
	const char *letter;
	int value = 0;

	if (**text != '\\' || !(*text)[1])
		return (unsigned char)*(*text)++;
	(*text)++;
	if (**text >= '0' && **text <= '7') {
		for (int i = 0; i < 3 && **text >= '0' && **text <= '7'; i++)
			value = value * 8 + *(*text)++ - '0';
		return value & 0xff;
	}
	letter = strchr(letters, *(*text)++);
	return letter ? bytes[letter - letters] : (unsigned char)(*text)[-1];
}

/* "[:alpha:]" adds what isalpha() says. Returns false when it is no class. */
static bool parse_class(const char **text, struct set *set)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {
		{ "[:alpha:]", isalpha }, { "[:digit:]", isdigit }, { "[:alnum:]", isalnum },
		{ "[:upper:]", isupper }, { "[:lower:]", islower }, { "[:space:]", isspace },
		{ "[:blank:]", isblank }, { "[:punct:]", ispunct }, { "[:print:]", isprint },
		{ "[:graph:]", isgraph }, { "[:cntrl:]", iscntrl }, { "[:xdigit:]", isxdigit },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		size_t length = strlen(classes[i].name);

		if (strncmp(*text, classes[i].name, length) != 0)
			continue;
		for (int c = 0; c < 256; c++)
			if (classes[i].is(c))
				add(set, c);
		*text += length;
		return true;
	}
	return false;
}

static void parse_set(const char *text, struct set *set)
{
	while (*text) {
		int first, last;

		if (parse_class(&text, set))
			continue;
		first = last = parse_byte(&text);
		if (text[0] == '-' && text[1]) {
			text++;
			last = parse_byte(&text);
		}
		if (last < first)
			die(STATUS_FAILED, "a range goes backwards");
		for (int c = first; c <= last; c++)
			add(set, c);
	}
}

static void complement(struct set *set)
{
	struct set old = *set;

	set->count = 0;
	for (int c = 0; c < 256; c++)
		if (!memchr(old.bytes, c, old.count))
			add(set, c);
}

static void translate(const short *map, const bool *squeeze)
{
	int c, last = -1;

	while ((c = getchar()) != EOF) {
		c = map[c];
		if (c < 0 || (c == last && squeeze[c]))
			continue;
		putchar(c);
		last = c;
	}
}

int main(int argc, char **argv)
{
	struct set sets[2] = { { .count = 0 }, { .count = 0 } };
	bool invert = false, drop = false, squeezing = false;
	bool squeeze[256] = { false };
	short map[256];
	int option, count;

	while ((option = getopt(argc, argv, "+cCds")) != -1) {
		if (option == '?')
			usage(synopsis);
		invert |= option == 'c' || option == 'C';
		drop |= option == 'd';
		squeezing |= option == 's';
	}
	count = argc - optind;
	if (count < 1 || count > 2 || (count == 1 && !drop && !squeezing) ||
	    (count == 2 && drop && !squeezing))
		usage(synopsis);
	for (int i = 0; i < count; i++)
		parse_set(argv[optind + i], &sets[i]);
	if (invert)
		complement(&sets[0]);
	for (int c = 0; c < 256; c++)
		map[c] = c;
	if (count == 2 && !drop && sets[1].count == 0)
		die(STATUS_FAILED, "the second set is empty");
	for (size_t i = 0; i < sets[0].count; i++) {
		if (drop)
			map[sets[0].bytes[i]] = -1;
		else if (count == 2)
			map[sets[0].bytes[i]] =
				sets[1].bytes[i < sets[1].count ? i : sets[1].count - 1];
	}
	for (size_t i = 0; squeezing && i < sets[count - 1].count; i++)
		squeeze[sets[count - 1].bytes[i]] = true;
	translate(map, squeeze);
	return close_stdout(close_input(stdin, "standard input"));
}
