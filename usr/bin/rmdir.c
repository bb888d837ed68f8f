/*
 * rmdir.c - remove empty directories; -p then those above them, as far as the name goes.
 *
 * Invariants: none.  Locks: none.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "rmdir [-p] directory...";

static int remove_directory(const char *path, bool parents)
{
	char *parent;
	int status = 0;

	if (rmdir(path) < 0) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	parent = path_parent(path);
	if (parents && strcmp(parent, ".") != 0 && strcmp(parent, "/") != 0)
		status = remove_directory(parent, true);
	free(parent);
	return status;
}

int main(int argc, char **argv)
{
	bool parents = false;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "p")) != -1) {
		if (option == '?')
			usage(synopsis);
		parents = true;
	}
	if (optind == argc)
		usage(synopsis);
	for (; optind < argc; optind++)
		status |= remove_directory(argv[optind], parents);
	return status;
}
