/*
 * init.c - process 1: a console, an environment, a shell, and the end of the machine.
 *
 *   kernel --> init --> ravel.exec=LINE on the command line:  sh -c LINE, power off with its status
 *                  '--> otherwise:                            an interactive sh, power off after it
 *
 * Meanwhile every orphan in the machine becomes init's child and is reaped.
 *
 * Invariants: never returns and never exits, which would be the kernel's panic.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define CMDLINE_BYTES 8192
#define EXEC_OPTION   "ravel.exec="

/*
 * Switch the machine off. That the fourth argument is the status which the machine ends with is
 * Ravel's own; Linux ignores it.
 */
static void __attribute__((noreturn)) power_off(int status)
{
	fflush(stdout);
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF,
		(long)status);
	warn_errno("power off");
	for (;;)
		pause();
}

/* Make the console descriptors 0, 1 and 2, whether or not the kernel has. */
static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR);

	if (fd < 0)
		return;
	for (int target = 0; target <= 2; target++)
		if (fd != target)
			dup2(fd, target);
	if (fd > 2)
		close(fd);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decode %XX in place, up to the first blank. Returns 0, or -1 when a % is not followed by that. */
static int percent_decode(char *text)
{
	char *to = text;

	for (; *text && *text != ' ' && *text != '\n'; text++) {
		int high, low;

		if (*text != '%') {
			*to++ = *text;
			continue;
		}
		high = hex_digit(text[1]);
		low = high < 0 ? -1 : hex_digit(text[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -1;
		*to++ = high << 4 | low;
		text += 2;
	}
	*to = '\0';
	return 0;
}

/*
 * The line that the kernel's command line asks to be run, decoded in place in @cmdline, or NULL.
 * A malformed one powers the machine off.
 */
static char *requested_line(char *cmdline)
{
	char *option = cmdline;

	for (;;) {
		option = strstr(option, EXEC_OPTION);
		if (!option)
			return NULL;
		if (option == cmdline || option[-1] == ' ')
			break;
		option++;
	}
	option += strlen(EXEC_OPTION);
	if (percent_decode(option) < 0) {
		warn("%s: malformed percent-encoding", EXEC_OPTION);
		power_off(2);
	}
	return option;
}

/* In the child: a session and process group of its own, which the console belongs to. */
static void __attribute__((noreturn)) become_shell(char *const *argv)
{
	setsid();
	if (ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0 && errno != ENOTTY)
		warn_errno("controlling terminal");
	tcsetpgrp(STDIN_FILENO, getpid());
	signal(SIGTTOU, SIG_DFL);
	execv("/bin/sh", argv);
	warn_errno("/bin/sh");
	_exit(127);
}

/* Run the shell, reap whatever ends, and return the shell's status: 128 + signal if killed. */
static int run_shell(char *const *argv)
{
	pid_t shell = fork();
	int status;

	if (shell < 0) {
		warn_errno("fork");
		return 126;
	}
	if (shell == 0)
		become_shell(argv);
	for (;;) {
		pid_t pid = wait(&status);

		if (pid < 0 && errno != EINTR) {
			warn_errno("wait");
			return 126;
		}
		if (pid == shell)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static void print_motd(void)
{
	char text[2048];
	long length = read_small_file("/etc/motd", text, sizeof(text));

	if (length > 0)
		write_all(STDOUT_FILENO, text, length);
}

int main(void)
{
	static char cmdline[CMDLINE_BYTES];
	char *const interactive[] = { "-sh", NULL };
	char *line;

	if (getpid() != 1)
		die(STATUS_FAILED, "only the kernel starts init, as process 1");
	open_console();
	/* The shell's session takes the console; init only writes to it. */
	signal(SIGTTOU, SIG_IGN);
	clearenv();
	setenv("PATH", "/bin:/tests:/bench", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "vt100", 1);
	if (read_small_file("/proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		warn_errno("/proc/cmdline");
	line = requested_line(cmdline);
	if (line) {
		char *const argv[] = { "sh", "-c", line, NULL };

		power_off(run_shell(argv));
	}
	print_motd();
	run_shell(interactive);
	puts("init: the shell has ended, powering off");
	power_off(0);
}
