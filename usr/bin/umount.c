/*
 * umount.c - unmount file systems, by their directories or their devices; -l as soon as nobody uses
 * it any more, -f though a server does not answer.
 *
 * Exits with 1 for wrong options and 32 when something could not be unmounted, as util-linux does.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/mounts.h"
#include "usr/lib/tool.h"

#define STATUS_NOT_UNMOUNTED 32

static int unmount(const char *name, int flags)
{
	struct mount_line line;
	char *path = realpath(name, NULL);
	struct stat st;
	int status = 0;

	/* A device stands for what it is mounted on. */
	if (stat(name, &st) == 0 && !S_ISDIR(st.st_mode) && mounts_find(name, &line))
		name = line.target;
	else if (path)
		name = path;
	if (umount2(name, flags) < 0) {
		warn_errno("%s", name);
		status = STATUS_NOT_UNMOUNTED;
	}
	free(path);
	return status;
}

int main(int argc, char **argv)
{
	int flags = 0, status = 0;
	int option;

	while ((option = getopt(argc, argv, "fl")) != -1) {
		if (option == '?')
			usage("umount [-fl] directory...");
		flags |= option == 'f' ? MNT_FORCE : MNT_DETACH;
	}
	if (optind == argc)
		usage("umount [-fl] directory...");
	for (; optind < argc; optind++)
		status |= unmount(argv[optind], flags);
	return status;
}
