/*
 * mkdir.c - make directories; -p also those above them, and none that exist is an error.
 *
 * Invariants: none.  Locks: none.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static int make(const char *path, bool may_exist)
{
	struct stat st;
	int error;

	if (mkdir(path, 0777) == 0)
		return 0;
	error = errno;
	if (may_exist && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	errno = error;
	warn_errno("%s", path);
	return STATUS_FAILED;
}

static int make_all(char *path)
{
	int status = 0;

	for (char *slash = path + 1; *path && (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		status = make(path, true);
		*slash = '/';
		if (status)
			return status;
	}
	return make(path, true);
}

int main(int argc, char **argv)
{
	bool parents = false;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "p")) != -1) {
		if (option != 'p')
			usage("mkdir [-p] directory...");
		parents = true;
	}
	if (optind == argc)
		usage("mkdir [-p] directory...");
	for (; optind < argc; optind++)
		status |= parents ? make_all(argv[optind]) : make(argv[optind], false);
	return status;
}
