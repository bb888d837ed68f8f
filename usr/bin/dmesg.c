/*
 * dmesg.c - the kernel's messages, from /proc/kmsg: all that its ring still has.
 *
 * Invariants: none.  Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "usr/lib/tool.h"

int main(int argc, char **argv)
{
	static char buffer[65536];
	ssize_t n;
	int fd;

	(void)argv;
	if (argc > 1)
		usage("dmesg");
	/* Linux's /proc/kmsg waits for more; Ravel's ends. */
	fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die_errno(STATUS_FAILED, "/proc/kmsg");
	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			die_errno(STATUS_FAILED, "/proc/kmsg");
		if (write_all(STDOUT_FILENO, buffer, n) < 0)
			die_errno(STATUS_FAILED, "write error");
	}
	return close_stdout(0);
}
