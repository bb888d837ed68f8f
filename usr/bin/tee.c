/*
 * tee.c - copy standard input to standard output and to files; -a append, -i ignore ^C.
 *
 * Invariants: an output that failed is closed and the others go on.  Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "usr/lib/tool.h"

struct output {
	const char *name;
	int fd; /* -1: failed */
};

static int copy(struct output *outputs, int count)
{
	static char buffer[65536];
	int status = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			warn_errno("standard input");
			return STATUS_FAILED;
		}
		for (int i = 0; i < count; i++) {
			if (outputs[i].fd < 0 || write_all(outputs[i].fd, buffer, n) == 0)
				continue;
			warn_errno("%s", outputs[i].name);
			status = STATUS_FAILED;
			outputs[i].fd = -1;
		}
	}
	return status;
}

int main(int argc, char **argv)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC;
	struct output *outputs;
	int count = 0, status = 0;
	int option;

	while ((option = getopt(argc, argv, "ai")) != -1) {
		if (option == '?')
			usage("tee [-ai] [file...]");
		if (option == 'a')
			flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
		else
			signal(SIGINT, SIG_IGN);
	}
	outputs = xmalloc((argc - optind + 1) * sizeof(*outputs));
	outputs[count++] = (struct output){ "standard output", STDOUT_FILENO };
	for (; optind < argc; optind++) {
		int fd = open(argv[optind], flags, 0666);

		if (fd < 0) {
			warn_errno("%s", argv[optind]);
			status = STATUS_FAILED;
			continue;
		}
		outputs[count++] = (struct output){ argv[optind], fd };
	}
	status |= copy(outputs, count);
	for (int i = 0; i < count; i++) {
		if (outputs[i].fd >= 0 && close(outputs[i].fd) < 0) {
			warn_errno("%s", outputs[i].name);
			status = STATUS_FAILED;
		}
	}
	free(outputs);
	return status;
}
