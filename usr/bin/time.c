/*
 * time.c - run a command and say how long it took: real, of its own (user) and of the kernel for it
 * (sys); -p in the form of POSIX.
 *
 * Invariants: the exit status is the command's, 128 + signal if one killed it.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static void print(const char *name, double seconds, bool posix)
{
	int minutes = seconds / 60;

	if (posix)
		fprintf(stderr, "%s %.2f\n", name, seconds);
	else
		fprintf(stderr, "%s\t%dm%.3fs\n", name, minutes, seconds - minutes * 60);
}

static double seconds_of(const struct timeval *time)
{
	return time->tv_sec + time->tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage used;
	bool posix = false;
	int option, status;
	pid_t pid;

	while ((option = getopt(argc, argv, "+p")) != -1) {
		if (option == '?')
			usage_status(125, "time [-p] command [argument...]");
		posix = true;
	}
	if (optind == argc)
		usage_status(125, "time [-p] command [argument...]");
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid < 0)
		die_errno(125, "fork");
	if (pid == 0) {
		execvp(argv[optind], argv + optind);
		status = errno == ENOENT ? 127 : 126;
		warn_errno("%s", argv[optind]);
		_exit(status);
	}
	/* ^C is for the command; what it took is still of interest. */
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			die_errno(125, "wait");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!posix)
		fputc('\n', stderr);
	print("real", end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9, posix);
	print("user", seconds_of(&used.ru_utime), posix);
	print("sys", seconds_of(&used.ru_stime), posix);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
