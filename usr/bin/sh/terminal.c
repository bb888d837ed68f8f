/*
 * terminal.c - ^C at the prompt, without a signal handler.
 *
 * While the shell reads a command the terminal makes no signals, and ^C is a second end-of-line
 * character: read() returns at once with a line that ends with ^C, which source.c throws away.
 * Where the end-of-line character is not honoured ^C merely spoils the line that it is in.
 *
 * Invariants: `saved` is what commands get; it is refreshed after each, so that stty-like programs
 * work.  Locks: none.
 */
#include <stdbool.h>
#include <termios.h>

#include "usr/bin/sh/jobs.h"

static int terminal_fd = -1;
static struct termios saved;
static bool prompting;

void terminal_init(int fd)
{
	terminal_fd = fd;
}

void terminal_to_prompt(void)
{
	struct termios modes;

	if (terminal_fd < 0 || prompting || tcgetattr(terminal_fd, &saved) < 0)
		return;
	/* A program that died in raw mode must not take the prompt with it. */
	saved.c_lflag |= ICANON | ECHO | ISIG;
	saved.c_iflag |= ICRNL;
	modes = saved;
	modes.c_lflag &= ~ISIG;
	modes.c_cc[VEOL] = modes.c_cc[VINTR];
	prompting = tcsetattr(terminal_fd, TCSADRAIN, &modes) == 0;
}

void terminal_to_command(void)
{
	if (prompting)
		tcsetattr(terminal_fd, TCSADRAIN, &saved);
	prompting = false;
}
