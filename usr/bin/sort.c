/*
 * sort.c - sort lines; by bytes, or -n as numbers.
 *
 *	-r backwards, -u one of equal ones, -f upper and lower case are one, -b without leading
 *	blanks, -k F[.C][bfnr][,F[.C]] by these fields (several), -t CHAR between fields, -s
 *	stable, -c only check, -o FILE write there (after all is read)
 *
 * Invariants: equal lines come in the order of their bytes, or with -s as they came.  Locks: none.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] = "sort [-bcfnrsu] [-k key] [-t char] [-o file] [file...]";

struct order {
	bool blanks, fold, numeric, reverse;
};

/* Fields and characters count from 1; 0: the end of the line, or of the field. */
struct key {
	size_t first_field, first_char, last_field, last_char;
	struct order order;
};

struct line {
	char *text;
	size_t index;
};

static struct key keys[16];
static size_t key_count;
static struct order global;
static bool unique, stable, check;
static int separator = -1;
static struct line *lines;
static size_t line_count, line_room;

static bool set_order(struct order *order, int option)
{
	switch (option) {
	case 'b':
		return order->blanks = true;
	case 'f':
		return order->fold = true;
	case 'n':
		return order->numeric = true;
	case 'r':
		return order->reverse = true;
	}
	return false;
}

/* "2.3nr": a field, a character and letters. */
static char *parse_position(char *text, size_t *field, size_t *character, struct order *order)
{
	*field = strtoul(text, &text, 10);
	if (*text == '.')
		*character = strtoul(text + 1, &text, 10);
	while (set_order(order, *text))
		text++;
	return text;
}

static void parse_key(char *text)
{
	struct key *key = &keys[key_count];

	if (key_count == sizeof(keys) / sizeof(keys[0]))
		die(STATUS_TROUBLE, "too many keys");
	memset(key, 0, sizeof(*key));
	key->first_char = 1;
	text = parse_position(text, &key->first_field, &key->first_char, &key->order);
	if (*text == ',')
		text = parse_position(text + 1, &key->last_field, &key->last_char, &key->order);
	if (*text || key->first_field == 0 || key->first_char == 0)
		usage_status(STATUS_TROUBLE, synopsis);
	key_count++;
}

static const char *skip_blanks(const char *text)
{
	while (isblank((unsigned char)*text))
		text++;
	return text;
}

/* The end of the field that starts at @text: a field begins with the blanks before it. */
static const char *field_end(const char *text)
{
	if (separator >= 0)
		return strchrnul(text, separator);
	text = skip_blanks(text);
	while (*text && !isblank((unsigned char)*text))
		text++;
	return text;
}

static const char *find_field(const char *text, size_t field)
{
	while (--field && *text) {
		text = field_end(text);
		if (separator >= 0 && *text)
			text++;
	}
	return text;
}

/* The part of @text that @key names: from the returned place to *@end. */
static const char *find_key(const char *text, const struct key *key, const char **end)
{
	const char *start = find_field(text, key->first_field);

	*end = text + strlen(text);
	if (key->last_field) {
		const char *last = find_field(text, key->last_field);

		*end = field_end(last);
		if (key->last_char) {
			last = key->order.blanks ? skip_blanks(last) : last;
			if (last + key->last_char < *end)
				*end = last + key->last_char;
		}
	}
	if (key->order.blanks)
		start = skip_blanks(start);
	for (size_t i = 1; i < key->first_char && *start; i++)
		start++;
	if (*end < start)
		*end = start;
	return start;
}

/* Numbers of any length: a minus, digits, a point, digits. */
static int compare_numbers(const char *a, const char *a_end, const char *b, const char *b_end)
{
	long double x, y;
	char text[64];
	const char *starts[] = { a, b }, *ends[] = { a_end, b_end };
	long double *values[] = { &x, &y };

	for (int i = 0; i < 2; i++) {
		const char *from = skip_blanks(starts[i]);
		size_t length = from < ends[i] && *from == '-';

		while (from + length < ends[i] && length < sizeof(text) - 1 &&
		       (isdigit((unsigned char)from[length]) || from[length] == '.'))
			length++;
		memcpy(text, from, length);
		text[length] = '\0';
		*values[i] = strtold(text, NULL);
	}
	return (x > y) - (x < y);
}

static int compare_texts(const char *a, size_t a_length, const char *b, size_t b_length, bool fold)
{
	size_t length = a_length < b_length ? a_length : b_length;
	int result = fold ? strncasecmp(a, b, length) : memcmp(a, b, length);

	return result ? result : (a_length > b_length) - (a_length < b_length);
}

static int compare_key(const char *a, const char *b, const struct key *key)
{
	const char *a_end, *b_end;
	int result;

	a = find_key(a, key, &a_end);
	b = find_key(b, key, &b_end);
	if (key->order.numeric)
		result = compare_numbers(a, a_end, b, b_end);
	else
		result = compare_texts(a, a_end - a, b, b_end - b, key->order.fold);
	return key->order.reverse ? -result : result;
}

/* By the keys alone. */
static int compare_keys(const char *a, const char *b)
{
	int result = 0;

	for (size_t i = 0; i < key_count && !result; i++)
		result = compare_key(a, b, &keys[i]);
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int result = compare_keys(x->text, y->text);

	if (!result && !stable && !unique) {
		result = strcmp(x->text, y->text);
		result = global.reverse ? -result : result;
	}
	return result ? result : (x->index > y->index) - (x->index < y->index);
}

static int read_lines(const char *name)
{
	FILE *file = open_input(name);
	char *text = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return STATUS_TROUBLE;
	while ((length = getline(&text, &room, file)) > 0) {
		if (text[length - 1] == '\n')
			text[length - 1] = '\0';
		if (line_count == line_room) {
			line_room = line_room ? line_room * 2 : 1024;
			lines = xrealloc(lines, line_room * sizeof(*lines));
		}
		lines[line_count] = (struct line){ xstrdup(text), line_count };
		line_count++;
	}
	free(text);
	return close_input(file, name) ? STATUS_TROUBLE : 0;
}

/* -c: the first line that is out of order. */
static int check_order(const char *name)
{
	for (size_t i = 1; i < line_count; i++) {
		int result = unique ? compare_keys(lines[i - 1].text, lines[i].text) :
				      compare(&lines[i - 1], &lines[i]);

		if (result > 0 || (unique && result == 0)) {
			warn("%s:%zu: disorder: %s", name, i + 1, lines[i].text);
			return 1;
		}
	}
	return 0;
}

/* Keys without letters of their own have the global ones; no key is the whole line. */
static void finish_keys(void)
{
	if (key_count == 0)
		keys[key_count++] = (struct key){ .first_field = 1, .first_char = 1 };
	for (size_t i = 0; i < key_count; i++) {
		struct order *order = &keys[i].order;

		if (!order->blanks && !order->fold && !order->numeric && !order->reverse)
			*order = global;
	}
}

static void print(void)
{
	for (size_t i = 0; i < line_count; i++)
		if (!unique || i == 0 || compare_keys(lines[i - 1].text, lines[i].text) != 0)
			puts(lines[i].text);
}

int main(int argc, char **argv)
{
	const char *output = NULL;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "bcfnrsuk:t:o:")) != -1) {
		if (option == '?' || (option == 't' && (!*optarg || optarg[1])))
			usage_status(STATUS_TROUBLE, synopsis);
		set_order(&global, option);
		check |= option == 'c';
		stable |= option == 's';
		unique |= option == 'u';
		if (option == 'k')
			parse_key(optarg);
		else if (option == 't')
			separator = (unsigned char)optarg[0];
		else if (option == 'o')
			output = optarg;
	}
	finish_keys();
	if (optind == argc)
		status = read_lines("-");
	for (int i = optind; i < argc; i++)
		status |= read_lines(argv[i]);
	if (check)
		return status ? status : check_order(optind < argc ? argv[optind] : "-");
	if (status)
		return status;
	if (line_count)
		qsort(lines, line_count, sizeof(*lines), compare);
	if (output && !freopen(output, "w", stdout))
		die_errno(STATUS_TROUBLE, "%s", output);
	print();
	return close_stdout(status);
}
