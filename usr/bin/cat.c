/*
 * cat.c - copy files to standard output; "-" is standard input.
 *
 * Invariants: nothing is buffered across reads, so that cat shows a terminal's lines at once.
 * Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static int copy(int fd, const char *name)
{
	static char buffer[65536];

	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			warn_errno("%s", name);
		if (n <= 0)
			return n < 0;
		if (write_all(STDOUT_FILENO, buffer, n) < 0)
			die_errno(STATUS_FAILED, "write error");
	}
}

static int cat(const char *name)
{
	int status;
	int fd;

	if (strcmp(name, "-") == 0)
		return copy(STDIN_FILENO, "standard input");
	fd = open(name, O_RDONLY);
	if (fd < 0) {
		warn_errno("%s", name);
		return 1;
	}
	status = copy(fd, name);
	close(fd);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "u")) != -1)
		if (option != 'u')
			usage("cat [file...]");
	if (optind == argc)
		return cat("-");
	for (; optind < argc; optind++)
		status |= cat(argv[optind]);
	return status;
}
