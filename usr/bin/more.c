/*
 * more.c - show text a screen at a time: space the next screen, Enter the next line, q the end.
 *
 * Invariants: without a terminal it is cat.  Locks: none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "usr/lib/terminal.h"
#include "usr/lib/tool.h"

static int terminal = -1;

/* Rows that a line takes on a terminal of this width. */
static int rows_of(const char *line, ssize_t length, int columns)
{
	int column = 0;

	for (ssize_t i = 0; i < length; i++) {
		if (line[i] == '\t')
			column += 8 - column % 8;
		else if ((line[i] & 0xc0) != 0x80 && line[i] != '\n')
			column++;
	}
	return column ? (column + columns - 1) / columns : 1;
}

/* Wait for a key. Returns how many rows more to show, 0 for the end. */
static int ask_more(int rows)
{
	static const char question[] = "\x1b[7m--More--\x1b[0m", erase[] = "\r\x1b[K";
	int key;

	fflush(stdout);
	if (terminal_raw(terminal) < 0)
		return rows;
	write_all(STDOUT_FILENO, question, sizeof(question) - 1);
	do {
		key = terminal_key();
	} while (key >= 0 && key != ' ' && key != '\r' && key != '\n' && key != 'q' &&
		 key != CTRL('c') && key != KEY_DOWN && key != KEY_PAGE_DOWN && key != 'f');
	write_all(STDOUT_FILENO, erase, sizeof(erase) - 1);
	terminal_restore();
	if (key < 0 || key == 'q' || key == CTRL('c'))
		return 0;
	return key == '\r' || key == '\n' || key == KEY_DOWN ? 1 : rows;
}

static int more(const char *name)
{
	FILE *file = open_input(name);
	int rows, columns, left;
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	if (!file)
		return STATUS_FAILED;
	terminal_size(&rows, &columns);
	left = --rows;
	while ((length = getline(&line, &room, file)) > 0) {
		int needed = rows_of(line, length, columns);

		if (terminal >= 0 && left < needed && left < rows) {
			left = ask_more(rows);
			if (left == 0)
				exit(close_stdout(0));
		}
		fwrite(line, 1, length, stdout);
		left -= needed;
	}
	free(line);
	return close_input(file, name);
}

int main(int argc, char **argv)
{
	int status = 0;

	if (getopt(argc, argv, "") != -1)
		usage("more [file...]");
	if (isatty(STDOUT_FILENO))
		terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (isatty(STDOUT_FILENO) && terminal < 0 && isatty(STDERR_FILENO))
		terminal = STDERR_FILENO;
	if (optind == argc)
		status = more("-");
	for (; optind < argc; optind++)
		status |= more(argv[optind]);
	return close_stdout(status);
}
