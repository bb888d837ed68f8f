/*
 * sync.c - write what is in memory to the disks: all of it, or some files; -d only the data of a
 * file, -f all of the file system that the file is on.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static int sync_file(const char *path, int how)
{
	/* A file that may not be read may be written, and a FIFO must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int result;

	if (fd < 0)
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	result = fd;
	if (fd >= 0)
		result = how == 'd' ? fdatasync(fd) : how == 'f' ? syncfs(fd) : fsync(fd);
	if (result < 0)
		warn_errno("%s", path);
	if (fd >= 0)
		close(fd);
	return result < 0 ? STATUS_FAILED : 0;
}

int main(int argc, char **argv)
{
	int how = 0, status = 0;
	int option;

	while ((option = getopt(argc, argv, "df")) != -1) {
		if (option == '?')
			usage("sync [-d | -f] [file...]");
		how = option;
	}
	if (optind == argc)
		sync();
	for (; optind < argc; optind++)
		status |= sync_file(argv[optind], how);
	return status;
}
