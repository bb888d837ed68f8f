/*
 * run.c - run a program and wait for it; the contract is in run.h.
 *
 * Invariants: none.  Locks: none.
 */
#include "usr/lib/run.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int run(char **argv)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die_errno(STATUS_FAILED, "fork");
	if (pid == 0) {
		execvp(argv[0], argv);
		status = errno == ENOENT ? 127 : 126;
		warn_errno("%s", argv[0]);
		_exit(status);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno(STATUS_FAILED, "wait");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
