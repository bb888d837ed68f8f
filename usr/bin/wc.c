/*
 * wc.c - count lines, words and bytes.
 *
 * Invariants: the counts come in the order lines, words, bytes, whatever the order of the options.
 * Locks: none.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/tool.h"

struct counts {
	unsigned long long lines, words, bytes;
};

static bool show_lines, show_words, show_bytes;

static void print(const struct counts *counts, const char *name)
{
	const char *separator = "";

	if (show_lines) {
		printf("%7llu", counts->lines);
		separator = " ";
	}
	if (show_words) {
		printf("%s%7llu", separator, counts->words);
		separator = " ";
	}
	if (show_bytes)
		printf("%s%7llu", separator, counts->bytes);
	printf("%s%s\n", name ? " " : "", name ? name : "");
}

static int count(int fd, const char *name, struct counts *total)
{
	static char buffer[65536];
	struct counts counts = { 0, 0, 0 };
	bool in_word = false;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		counts.bytes += n;
		for (ssize_t i = 0; i < n; i++) {
			bool blank = isspace((unsigned char)buffer[i]);

			counts.lines += buffer[i] == '\n';
			counts.words += !blank && !in_word;
			in_word = !blank;
		}
	}
	if (n < 0)
		warn_errno("%s", name ? name : "standard input");
	print(&counts, name);
	total->lines += counts.lines;
	total->words += counts.words;
	total->bytes += counts.bytes;
	return n < 0 ? STATUS_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct counts total = { 0, 0, 0 };
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "lwc")) != -1) {
		if (option == '?')
			usage("wc [-lwc] [file...]");
		show_lines |= option == 'l';
		show_words |= option == 'w';
		show_bytes |= option == 'c';
	}
	if (!show_lines && !show_words && !show_bytes)
		show_lines = show_words = show_bytes = true;
	if (optind == argc)
		return close_stdout(count(STDIN_FILENO, NULL, &total));
	for (int i = optind; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY);

		if (fd < 0) {
			warn_errno("%s", argv[i]);
			status = STATUS_FAILED;
			continue;
		}
		status |= count(fd, argv[i], &total);
		close(fd);
	}
	if (argc - optind > 1)
		print(&total, "total");
	return close_stdout(status);
}
