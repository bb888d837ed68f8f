/*
 * wc.c - count lines (-l), words (-w) and bytes (-c).
 *
 * Invariants: the counts come in the order lines, words, bytes, whatever the order of the options;
 * a number that stands alone is not padded, so that $(wc -l <file) is a number.  Locks: none.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

enum { LINES, WORDS, BYTES, COUNTS };

struct counts {
	unsigned long long of[COUNTS];
};

static bool show[COUNTS];

static void print(const struct counts *counts, int width, const char *name)
{
	const char *separator = "";

	for (int i = 0; i < COUNTS; i++) {
		if (!show[i])
			continue;
		printf("%s%*llu", separator, width, counts->of[i]);
		separator = " ";
	}
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

/* Count @fd. Returns 0, or STATUS_FAILED after a message. */
static int count(int fd, const char *name, struct counts *counts)
{
	static char buffer[65536];
	bool in_word = false;
	ssize_t n;

	memset(counts, 0, sizeof(*counts));
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_errno("%s", name);
			return STATUS_FAILED;
		}
		counts->of[BYTES] += n;
		for (ssize_t i = 0; i < n; i++) {
			bool blank = isspace((unsigned char)buffer[i]);

			counts->of[LINES] += buffer[i] == '\n';
			counts->of[WORDS] += !blank && !in_word;
			in_word = !blank;
		}
	}
	return 0;
}

static int count_file(const char *name, struct counts *counts)
{
	int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
	int status;

	if (fd < 0) {
		warn_errno("%s", name);
		return -1;
	}
	status = count(fd, name, counts);
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}

/* Count all, then print in columns as wide as the largest number. */
static int count_files(char **names, int files)
{
	struct counts *table = xmalloc(files * sizeof(*table)), total = { { 0, 0, 0 } };
	bool *counted = xmalloc(files * sizeof(*counted));
	int status = 0, width = 1;

	for (int i = 0; i < files; i++) {
		int result = count_file(names[i], &table[i]);

		counted[i] = result >= 0;
		status |= result != 0;
		for (int j = 0; counted[i] && j < COUNTS; j++)
			total.of[j] += table[i].of[j];
	}
	if (files > 1 || show[LINES] + show[WORDS] + show[BYTES] > 1)
		for (int j = 0; j < COUNTS; j++)
			if (show[j] && snprintf(NULL, 0, "%llu", total.of[j]) > width)
				width = snprintf(NULL, 0, "%llu", total.of[j]);
	for (int i = 0; i < files; i++)
		if (counted[i])
			print(&table[i], width, names[i]);
	if (files > 1)
		print(&total, width, "total");
	return status;
}

int main(int argc, char **argv)
{
	struct counts counts;
	int status, option;

	while ((option = getopt(argc, argv, "lwc")) != -1) {
		if (option == '?')
			usage("wc [-lwc] [file...]");
		show[option == 'l' ? LINES : option == 'w' ? WORDS : BYTES] = true;
	}
	if (!show[LINES] && !show[WORDS] && !show[BYTES])
		show[LINES] = show[WORDS] = show[BYTES] = true;
	if (optind < argc)
		return close_stdout(count_files(argv + optind, argc - optind));
	status = count(STDIN_FILENO, "standard input", &counts);
	print(&counts, show[LINES] + show[WORDS] + show[BYTES] > 1 ? 7 : 1, NULL);
	return close_stdout(status);
}
