/*
 * rm.c - remove files; -r directories with all that is in them, -f without complaint if absent.
 *
 * Invariants: symbolic links are removed, never followed.  Locks: none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static bool recursive, force;

static int remove_path(const char *path);

static int remove_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int status = 0;

	if (!dir) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	while ((entry = readdir(dir)) != NULL) {
		char *below;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		below = xmalloc(strlen(path) + strlen(entry->d_name) + 2);
		sprintf(below, "%s/%s", path, entry->d_name);
		status |= remove_path(below);
		free(below);
	}
	closedir(dir);
	return status;
}

static int remove_path(const char *path)
{
	struct stat st;
	int status = 0;

	if (lstat(path, &st) < 0) {
		if (force && errno == ENOENT)
			return 0;
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	if (!S_ISDIR(st.st_mode) || !recursive) {
		if (unlink(path) == 0)
			return 0;
	} else {
		status = remove_entries(path);
		if (rmdir(path) == 0)
			return status;
	}
	warn_errno("%s", path);
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "rRf")) != -1) {
		if (option == '?')
			usage("rm [-rf] file...");
		recursive |= option != 'f';
		force |= option == 'f';
	}
	if (optind == argc && !force)
		usage("rm [-rf] file...");
	for (; optind < argc; optind++)
		status |= remove_path(argv[optind]);
	return status;
}
