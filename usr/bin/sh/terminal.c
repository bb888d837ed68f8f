/*
 * terminal.c - the terminal's modes: at the prompt, in the line editor, for commands.
 *
 *	             terminal_to_edit()             terminal_to_prompt()
 *	 raw:     no lines, echo or signals  |  cooked: lines, ^C ends one, no signals
 *	             '--------------- terminal_to_command() ---------------'
 *	                          as commands left it
 *
 * Cooked is for terminals that cannot be drawn on (TERM=dumb): read() returns at once with a line
 * that ends with ^C, which source.c throws away. Where an end-of-line character is not honoured
 * ^C merely spoils the line that it is in.
 *
 * The editor reads one byte at a time and modes are changed without dropping input, so that what
 * was typed ahead is for whoever reads next.
 *
 * Signal handlers exist while a line is edited, and only then: a shell that is killed in raw mode
 * restores the terminal and dies of the same signal; after SIGCONT and SIGWINCH the line is drawn
 * anew.
 *
 * Invariants: `saved` is what commands get; it is refreshed after each, so that stty-like programs
 * work.  Locks: none.
 * Source: POSIX.1-2017, chapter 11 for the modes, 2.4.3 for what a handler may call.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <termios.h>
#include <unistd.h>

#include "usr/bin/sh/jobs.h"

static const int caught[] = { SIGHUP, SIGTERM, SIGALRM, SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH };
#define NR_CAUGHT (sizeof(caught) / sizeof(caught[0]))

static int terminal_fd = -1;
static struct termios saved;
static struct termios raw;
static bool prompting;
static bool editing;
static struct sigaction before[NR_CAUGHT];
static volatile sig_atomic_t woken;

void terminal_init(int fd)
{
	terminal_fd = fd;
}

/* Learn what commands get. */
static bool save_modes(void)
{
	if (terminal_fd < 0 || tcgetattr(terminal_fd, &saved) < 0)
		return false;
	/* A program that died in raw mode must not take the prompt with it. */
	saved.c_lflag |= ICANON | ECHO | ISIG;
	saved.c_iflag |= ICRNL;
	return true;
}

void terminal_to_prompt(void)
{
	struct termios modes;

	if (prompting || !save_modes())
		return;
	modes = saved;
	modes.c_lflag &= ~ISIG;
	modes.c_cc[VEOL] = modes.c_cc[VINTR];
	prompting = tcsetattr(terminal_fd, TCSADRAIN, &modes) == 0;
}

/* Is @signal_number one that leaves the shell alive? */
static bool only_wakes(int signal_number)
{
	return signal_number == SIGCONT || signal_number == SIGWINCH;
}

static void on_signal(int signal_number)
{
	int error = errno;

	if (only_wakes(signal_number)) {
		/* Whoever had the terminal meanwhile may have left it in any mode. */
		tcsetattr(terminal_fd, TCSANOW, &raw);
		woken = 1;
	} else {
		/* The signal stays blocked until the return from here, and then kills. */
		tcsetattr(terminal_fd, TCSANOW, &saved);
		signal(signal_number, SIG_DFL);
		raise(signal_number);
	}
	errno = error;
}

/* A signal that is ignored, or has another handler, keeps its meaning. */
static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NR_CAUGHT; i++) {
		sigaction(caught[i], NULL, &before[i]);
		if (before[i].sa_handler == SIG_DFL)
			sigaction(caught[i], &action, NULL);
	}
}

bool terminal_to_edit(void)
{
	if (!save_modes())
		return false;
	raw = saved;
	raw.c_lflag &= ~(ICANON | ECHO | ISIG | IEXTEN);
	raw.c_iflag &= ~(IXON | INLCR | IGNCR | ISTRIP);
	raw.c_oflag |= OPOST | ONLCR;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	woken = 0;
	catch_signals();
	editing = true;
	if (tcsetattr(terminal_fd, TCSADRAIN, &raw) == 0)
		return true;
	terminal_to_command();
	return false;
}

int terminal_read(void)
{
	unsigned char c;
	ssize_t n;

	for (;;) {
		if (woken) {
			woken = 0;
			return TERMINAL_WOKEN;
		}
		n = read(STDIN_FILENO, &c, 1);
		if (n == 1)
			return c;
		if (n == 0 || errno != EINTR)
			return TERMINAL_GONE;
	}
}

void terminal_to_command(void)
{
	if (prompting || editing)
		tcsetattr(terminal_fd, TCSADRAIN, &saved);
	if (editing)
		for (size_t i = 0; i < NR_CAUGHT; i++)
			sigaction(caught[i], &before[i], NULL);
	prompting = false;
	editing = false;
}
