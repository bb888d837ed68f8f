/*
 * touch.c - set the times of files, and make those that are not there.
 *
 *	-a only the time of access, -m only that of change, -c make no file,
 *	-d DATE, -t [[CC]YY]MMDDhhmm[.ss], -r FILE: this time instead of now
 *
 * Invariants: none.  Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/date.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "touch [-acm] [-d date | -t time | -r file] file...";

static int touch(const char *path, const struct timespec times[2], bool create)
{
	int fd;

	if (utimensat(AT_FDCWD, path, times, 0) == 0)
		return 0;
	if (errno == ENOENT && !create)
		return 0;
	if (errno == ENOENT) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd >= 0 && futimens(fd, times) == 0 && close(fd) == 0)
			return 0;
	}
	warn_errno("%s", path);
	return STATUS_FAILED;
}

/* The times of another file, or one date for both. */
static void read_times(int option, const char *text, struct timespec times[2])
{
	struct stat st;

	if (option == 'r') {
		if (stat(text, &st) < 0)
			die_errno(STATUS_FAILED, "%s", text);
		times[0] = st.st_atim;
		times[1] = st.st_mtim;
		return;
	}
	if ((option == 'd' ? parse_date(text, times) : parse_stamp(text, times)) < 0)
		die(STATUS_FAILED, "%s: not a date", text);
	times[1] = times[0];
}

int main(int argc, char **argv)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	bool access = false, change = false, create = true;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "acmd:t:r:")) != -1) {
		if (option == '?')
			usage(synopsis);
		access |= option == 'a';
		change |= option == 'm';
		create &= option != 'c';
		if (optarg && option != 'a' && option != 'c' && option != 'm')
			read_times(option, optarg, times);
	}
	if (optind == argc)
		usage(synopsis);
	if (access && !change)
		times[1].tv_nsec = UTIME_OMIT;
	if (change && !access)
		times[0].tv_nsec = UTIME_OMIT;
	for (; optind < argc; optind++)
		status |= touch(argv[optind], times, create);
	return status;
}
