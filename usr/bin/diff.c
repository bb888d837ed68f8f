/*
 * diff.c - the lines in which two files differ; -u with three lines around them, -q only whether.
 *
 * A shortest script by Myers: with d edits, v[k] is how far line x of the first file is got on the
 * diagonal k = x - y; all rows v of the way are kept, to go back along it.
 *
 * Invariants: status 0: the same, 1: they differ, 2: trouble.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

#define CONTEXT 3

static const char synopsis[] = "diff [-qu] file1 file2";

struct text {
	const char *name;
	char **lines;  /* with their newlines, if they have them */
	bool *changed; /* deleted from the first, inserted in the second */
	long count;
};

/* Lines [a, a_end) of the first became [b, b_end) of the second. */
struct hunk {
	long a, a_end, b, b_end;
};

static int read_text(struct text *text, const char *name)
{
	FILE *file = open_input(name);
	char *line = NULL;
	size_t room = 0;

	*text = (struct text){ .name = name };
	if (!file)
		return STATUS_TROUBLE;
	while (getline(&line, &room, file) > 0) {
		if ((text->count & 1023) == 0)
			text->lines = xrealloc(text->lines, (text->count + 1024) * sizeof(char *));
		text->lines[text->count++] = xstrdup(line);
	}
	free(line);
	text->changed = xmalloc(text->count + 1);
	memset(text->changed, 0, text->count + 1);
	return close_input(file, name) ? STATUS_TROUBLE : 0;
}

static bool equal(const struct text *a, long x, const struct text *b, long y)
{
	return strcmp(a->lines[x], b->lines[y]) == 0;
}

/* Does the way with d edits reach diagonal k from k + 1 (an insertion), or from k - 1? */
static bool is_insertion(const long *v, long d, long k)
{
	return k == -d || (k != d && v[k - 1] < v[k + 1]);
}

/* Go back from the end over the rows, and mark what was deleted and inserted. */
static void mark(struct text *a, struct text *b, long **rows, long d, long x, long y)
{
	for (; d > 0; d--) {
		const long *v = rows[d - 1] + d;
		long k = x - y;
		bool insertion = is_insertion(v, d, k);
		long from = v[insertion ? k + 1 : k - 1];

		x = from;
		y = from - (insertion ? k + 1 : k - 1);
		if (insertion)
			b->changed[y] = true;
		else
			a->changed[x] = true;
	}
}

/* Mark the changes between the lines from @start on, up to @a_end and @b_end. */
static void compare(struct text *a, long a_end, struct text *b, long b_end, long start)
{
	long max = a_end + b_end - 2 * start;
	long *space = xmalloc((2 * max + 3) * sizeof(*space)), *v = space + max + 1;
	long **rows = xmalloc((max + 1) * sizeof(*rows));

	v[1] = start;
	for (long d = 0; d <= max; d++) {
		for (long k = -d; k <= d; k += 2) {
			long x = is_insertion(v, d, k) ? v[k + 1] : v[k - 1] + 1;

			while (x < a_end && x - k < b_end && equal(a, x, b, x - k))
				x++;
			v[k] = x;
			if (x < a_end || x - k < b_end)
				continue;
			mark(a, b, rows, d, x, x - k);
			while (d > 0)
				free(rows[--d]);
			free(rows);
			free(space);
			return;
		}
		/* Row d is kept with the diagonals -(d + 1) to d + 1. */
		rows[d] = xmalloc((2 * d + 3) * sizeof(long));
		memcpy(rows[d], v - d - 1, (2 * d + 3) * sizeof(long));
	}
}

/* Find the next run of changes from @hunk's end on. */
static bool next_hunk(const struct text *a, const struct text *b, struct hunk *hunk)
{
	hunk->a = hunk->a_end;
	hunk->b = hunk->b_end;
	while (hunk->a < a->count && !a->changed[hunk->a] && !b->changed[hunk->b]) {
		hunk->a++;
		hunk->b++;
	}
	hunk->a_end = hunk->a;
	hunk->b_end = hunk->b;
	while (hunk->a_end < a->count && a->changed[hunk->a_end])
		hunk->a_end++;
	while (hunk->b_end < b->count && b->changed[hunk->b_end])
		hunk->b_end++;
	return hunk->a_end > hunk->a || hunk->b_end > hunk->b;
}

static void print_lines(const char *prefix, const struct text *text, long from, long end)
{
	for (; from < end; from++) {
		const char *line = text->lines[from];

		printf("%s%s", prefix, line);
		if (!strchr(line, '\n'))
			puts("\n\\ No newline at end of file");
	}
}

/* "3" or "3,5"; no lines are named by the one before them. */
static void print_range(long from, long end)
{
	if (end - from > 1)
		printf("%ld,%ld", from + 1, end);
	else
		printf("%ld", end);
}

static void print_normal(const struct text *a, const struct text *b)
{
	struct hunk hunk = { .a_end = 0 };

	while (next_hunk(a, b, &hunk)) {
		bool deleted = hunk.a_end > hunk.a, inserted = hunk.b_end > hunk.b;

		print_range(hunk.a, hunk.a_end);
		putchar(!inserted ? 'd' : deleted ? 'c' : 'a');
		print_range(hunk.b, hunk.b_end);
		putchar('\n');
		print_lines("< ", a, hunk.a, hunk.a_end);
		if (deleted && inserted)
			puts("---");
		print_lines("> ", b, hunk.b, hunk.b_end);
	}
}

static void print_unified_range(char sign, long from, long end)
{
	printf("%c%ld", sign, from + (end > from));
	if (end - from != 1)
		printf(",%ld", end - from);
	putchar(' ');
}

/* Print the changes from @first on that share their context. Returns the last of them. */
static struct hunk print_group(const struct text *a, const struct text *b, struct hunk first)
{
	long start = first.a > CONTEXT ? first.a - CONTEXT : 0;
	struct hunk last = first, next = first, at;
	long end, at_a = start;

	while (next_hunk(a, b, &next) && next.a - last.a_end <= 2 * CONTEXT)
		last = next;
	end = last.a_end + CONTEXT < a->count ? last.a_end + CONTEXT : a->count;
	printf("@@ ");
	print_unified_range('-', start, end);
	print_unified_range('+', first.b - (first.a - start), last.b_end + end - last.a_end);
	puts("@@");
	for (at = first;; next_hunk(a, b, &at)) {
		print_lines(" ", a, at_a, at.a);
		print_lines("-", a, at.a, at.a_end);
		print_lines("+", b, at.b, at.b_end);
		at_a = at.a_end;
		if (at.a_end == last.a_end && at.b_end == last.b_end)
			break;
	}
	print_lines(" ", a, at_a, end);
	return last;
}

static void print_file_name(const char *prefix, const char *name)
{
	char when[64] = "";
	struct stat st;
	struct tm tm;

	if (stat(name, &st) == 0 && localtime_r(&st.st_mtime, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	printf("%s %s\t%s\n", prefix, name, when);
}

static void print_unified(const struct text *a, const struct text *b)
{
	struct hunk hunk = { .a_end = 0 };

	print_file_name("---", a->name);
	print_file_name("+++", b->name);
	while (next_hunk(a, b, &hunk))
		hunk = print_group(a, b, hunk);
}

/* In a directory the file is meant that is called like the other one. */
static const char *file_in(const char *name, const char *other)
{
	struct stat st;

	if (stat(name, &st) == 0 && S_ISDIR(st.st_mode))
		return path_join(name, path_base(other));
	return name;
}

int main(int argc, char **argv)
{
	bool unified = false, quiet = false, differ = false;
	struct text a, b;
	long start = 0, a_end, b_end;
	int option;

	while ((option = getopt(argc, argv, "uq")) != -1) {
		if (option == '?')
			usage_status(STATUS_TROUBLE, synopsis);
		unified |= option == 'u';
		quiet |= option == 'q';
	}
	if (argc - optind != 2)
		usage_status(STATUS_TROUBLE, synopsis);
	if (read_text(&a, file_in(argv[optind], argv[optind + 1])) |
	    read_text(&b, file_in(argv[optind + 1], argv[optind])))
		return STATUS_TROUBLE;
	/* What is equal at both ends needs no search. */
	while (start < a.count && start < b.count && equal(&a, start, &b, start))
		start++;
	a_end = a.count;
	b_end = b.count;
	while (a_end > start && b_end > start && equal(&a, a_end - 1, &b, b_end - 1)) {
		a_end--;
		b_end--;
	}
	differ = a_end > start || b_end > start;
	if (differ && quiet) {
		printf("Files %s and %s differ\n", a.name, b.name);
	} else if (differ) {
		compare(&a, a_end, &b, b_end, start);
		(unified ? print_unified : print_normal)(&a, &b);
	}
	return close_stdout(differ);
}
