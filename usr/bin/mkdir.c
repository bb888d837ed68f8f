/*
 * mkdir.c - make directories; -p also those above them, and none that exists is an error; -m with
 * this mode, -v say what was made.
 *
 * Invariants: a directory above, made by -p, can be written by its owner.  Locks: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/mode.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "mkdir [-pv] [-m mode] directory...";

static bool verbose;

static int make(const char *path, bool may_exist, int mode)
{
	struct stat st;
	int error;

	if (mkdir(path, 0777) == 0) {
		if (verbose)
			printf("mkdir: created directory '%s'\n", path);
		if (mode < 0 || chmod(path, mode) == 0)
			return 0;
	} else {
		error = errno;
		if (may_exist && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		errno = error;
	}
	warn_errno("%s", path);
	return STATUS_FAILED;
}

static int make_all(char *path, int mode)
{
	int status = 0;

	for (char *slash = path + 1; *path && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		status = make(path, true, -1);
		*slash = '/';
		if (status)
			return status;
	}
	return make(path, true, mode);
}

int main(int argc, char **argv)
{
	bool parents = false;
	int mode = -1;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "pvm:")) != -1) {
		if (option == '?')
			usage(synopsis);
		parents |= option == 'p';
		verbose |= option == 'v';
		if (option == 'm')
			mode = parse_mode(optarg, S_IFDIR | 0777, current_umask());
		if (option == 'm' && mode < 0)
			die(STATUS_FAILED, "%s: not a mode", optarg);
	}
	if (optind == argc)
		usage(synopsis);
	for (; optind < argc; optind++)
		status |= parents ? make_all(argv[optind], mode) : make(argv[optind], false, mode);
	return close_stdout(status);
}
