/*
 * hexdump.c - the bytes of files.
 *
 *	00000000  7f 45 4c 46 02 01 01 00  00 00 00 00 00 00 00 00  |.ELF............|    -C
 *	0000000 457f 464c 0102 0001 0000 0000 0000 0000                                  otherwise
 *
 * A line "*" stands for any number of lines equal to the one before it.
 *
 * Invariants: a line shows sixteen bytes, only the last may show less.  Locks: none.
 */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define LINE_BYTES 16

static const char synopsis[] = "hexdump [-C] [-n bytes] [-s skip] [file...]";
static bool canonical;

static void print_canonical(const unsigned char *line, int length)
{
	for (int i = 0; i < LINE_BYTES; i++) {
		if (i % 8 == 0)
			putchar(' ');
		if (i < length)
			printf(" %02x", line[i]);
		else
			fputs("   ", stdout);
	}
	fputs("  |", stdout);
	for (int i = 0; i < length; i++)
		putchar(isprint(line[i]) ? line[i] : '.');
	puts("|");
}

static void print_words(const unsigned char *line, int length)
{
	for (int i = 0; i < length; i += 2)
		printf(" %02x%02x", i + 1 < length ? line[i + 1] : 0, line[i]);
	putchar('\n');
}

static void print_offset(long long offset)
{
	printf(canonical ? "%08llx" : "%07llx", offset);
}

/* All files as one stream: the next byte, or EOF after the last. */
static int next_byte(char **files, int *status)
{
	static FILE *file;
	static int current;
	int c;

	for (;;) {
		if (!file) {
			if (!files[current])
				return EOF;
			file = strcmp(files[current], "-") ? fopen(files[current], "r") : stdin;
			if (!file) {
				warn_errno("%s", files[current++]);
				*status = STATUS_FAILED;
				continue;
			}
		}
		c = getc(file);
		if (c != EOF)
			return c;
		if (ferror(file)) {
			warn_errno("%s", files[current]);
			*status = STATUS_FAILED;
		}
		fclose(file);
		file = NULL;
		current++;
	}
}

static int dump(char **files, long long skip, long long limit)
{
	unsigned char line[LINE_BYTES], before[LINE_BYTES];
	bool have_before = false, starred = false;
	long long offset = 0;
	int status = 0;
	int length;
	int c = 0;

	while (offset < skip && (c = next_byte(files, &status)) != EOF)
		offset++;
	do {
		for (length = 0; length < LINE_BYTES && limit > 0; limit--) {
			c = next_byte(files, &status);
			if (c == EOF)
				break;
			line[length++] = c;
		}
		if (length == LINE_BYTES && have_before && !memcmp(line, before, LINE_BYTES)) {
			if (!starred)
				puts("*");
			starred = true;
		} else if (length) {
			print_offset(offset);
			if (canonical)
				print_canonical(line, length);
			else
				print_words(line, length);
			starred = false;
		}
		memcpy(before, line, length);
		have_before = true;
		offset += length;
	} while (length == LINE_BYTES);
	if (offset) {
		print_offset(offset);
		putchar('\n');
	}
	return status;
}

int main(int argc, char **argv)
{
	static char *standard_input[] = { "-", NULL };
	long long limit = LLONG_MAX;
	long long skip = 0;
	int option;

	while ((option = getopt(argc, argv, "Cn:s:")) != -1) {
		if (option == 'C')
			canonical = true;
		else if (option == '?' ||
			 parse_number(optarg, 0, LLONG_MAX, option == 'n' ? &limit : &skip) < 0)
			usage(synopsis);
	}
	return close_stdout(dump(optind < argc ? argv + optind : standard_input, skip, limit));
}
