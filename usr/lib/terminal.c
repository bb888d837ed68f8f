/*
 * terminal.c - a terminal as a screen; the contracts are in terminal.h.
 *
 *	ESC [ A  arrow   ESC [ 5 ~  page   ESC O H  home: what terminals send for keys
 *
 * Invariants: `saved` is valid while `raw_fd` is not -1.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_MS 50 /* a lone escape is one if nothing comes within this time */

static struct termios saved;
static int raw_fd = -1;

void terminal_restore(void)
{
	if (raw_fd >= 0)
		tcsetattr(raw_fd, TCSADRAIN, &saved);
	raw_fd = -1;
}

int terminal_raw(int fd)
{
	struct termios raw;

	if (tcgetattr(fd, &saved) < 0)
		return -1;
	raw = saved;
	raw.c_iflag &= ~(ICRNL | INLCR | IXON | ISTRIP);
	raw.c_lflag &= ~(ECHO | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return -1;
	if (raw_fd < 0)
		atexit(terminal_restore);
	raw_fd = fd;
	return 0;
}

static int read_byte(void)
{
	unsigned char byte;
	ssize_t n;

	do {
		n = read(raw_fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? byte : -1;
}

static int letter_key(int letter)
{
	static const char letters[] = "ABDCHF";
	const char *at = letter > 0 ? strchr(letters, letter) : NULL;

	return at ? KEY_UP + (int)(at - letters) : KEY_UNKNOWN;
}

static int number_key(int number)
{
	switch (number) {
	case 1:
	case 7:
		return KEY_HOME;
	case 3:
		return KEY_DELETE;
	case 4:
	case 8:
		return KEY_END;
	case 5:
		return KEY_PAGE_UP;
	case 6:
		return KEY_PAGE_DOWN;
	default:
		return KEY_UNKNOWN;
	}
}

int terminal_key(void)
{
	struct pollfd more = { .fd = raw_fd, .events = POLLIN };
	int key = read_byte(), number = 0;

	if (key != KEY_ESCAPE || poll(&more, 1, ESCAPE_MS) <= 0)
		return key;
	key = read_byte();
	if (key == 'O')
		return letter_key(read_byte());
	if (key != '[')
		return KEY_UNKNOWN;
	/* Numbers by semicolons, the last byte of a sequence is @ to ~. */
	for (key = read_byte(); key >= 0 && key < '@'; key = read_byte())
		if (key >= '0' && key <= '9' && number < 1000)
			number = number * 10 + key - '0';
	return key == '~' ? number_key(number) : letter_key(key);
}

void terminal_size(int *rows, int *columns)
{
	struct winsize window;

	*rows = 24;
	*columns = 80;
	if (ioctl(raw_fd >= 0 ? raw_fd : STDOUT_FILENO, TIOCGWINSZ, &window) < 0)
		return;
	if (window.ws_row)
		*rows = window.ws_row;
	if (window.ws_col)
		*columns = window.ws_col;
}
