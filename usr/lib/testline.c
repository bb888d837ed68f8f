/*
 * testline.c - lines of the shell, for tests; the contracts are in testline.h.
 *
 * Locks: none.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testline.h"
#include "usr/lib/testutil.h"

void set_tools_path(void)
{
	char path[512], *slash;

	if (on_ravel()) {
		setenv("PATH", "/bin", 1);
	} else {
		snprintf(path, sizeof(path), "%s", self_path());
		slash = strrchr(path, '/');
		snprintf(slash, sizeof(path) - (slash - path), "/../bin:/usr/bin:/bin");
		setenv("PATH", path, 1);
	}
	setenv("LC_ALL", "C", 1);
	setenv("TZ", "UTC0", 1);
}

int run_line(const char *command, char *output, size_t size)
{
	size_t length = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(126);
	}
	close(fds[1]);
	while ((n = read(fds[0], output + length, size - 1 - length)) > 0)
		length += n;
	output[length] = '\0';
	close(fds[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
