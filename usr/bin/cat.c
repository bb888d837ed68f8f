/*
 * cat.c - copy files to standard output; "-" is standard input, -n numbers the lines.
 *
 * Invariants: nothing is buffered across reads, so that cat shows a terminal's lines at once.
 * Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static bool number;

static void die_writing(void)
{
	die_errno(STATUS_FAILED, "write error");
}

/* Write a buffer with a number before each line; a line may go on from the buffer before. */
static void put_numbered(const char *text, size_t length)
{
	static bool inside;
	static unsigned long line;

	for (size_t i = 0; i < length; i++) {
		if (!inside)
			printf("%6lu\t", ++line);
		putchar(text[i]);
		inside = text[i] != '\n';
	}
	if (fflush(stdout) != 0)
		die_writing();
}

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
		if (number)
			put_numbered(buffer, n);
		else if (write_all(STDOUT_FILENO, buffer, n) < 0)
			die_writing();
	}
}

/* Is what is read the very file that is written, and not behind its end? It would never end. */
static bool is_output(int fd)
{
	struct stat in, out;

	return fstat(fd, &in) == 0 && fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) &&
	       same_file(&in, &out) && lseek(fd, 0, SEEK_CUR) < out.st_size;
}

static int cat(const char *name)
{
	int status = STATUS_FAILED;
	int fd = STDIN_FILENO;

	if (strcmp(name, "-") == 0)
		name = "standard input";
	else
		fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		warn_errno("%s", name);
		return STATUS_FAILED;
	}
	if (is_output(fd))
		warn("%s: input file is output file", name);
	else
		status = copy(fd, name);
	if (fd != STDIN_FILENO)
		close(fd);
	return status;
}

int main(int argc, char **argv)
{
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "nu")) != -1) {
		if (option == '?')
			usage("cat [-n] [file...]");
		number |= option == 'n';
	}
	if (optind == argc)
		status = cat("-");
	for (; optind < argc; optind++)
		status |= cat(argv[optind]);
	return close_stdout(status);
}
