/*
 * remove.c - remove files and trees; the contract is in remove.h.
 *
 * Invariants: a directory is removed after what is in it.  Locks: none.
 */
#include "usr/lib/remove.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/tool.h"
#include "usr/lib/walk.h"

struct removal {
	const struct remove_options *options;
	int status;
};

static void remove_one(struct removal *removal, const char *path, bool directory)
{
	const char *kind = directory ? "directory " : "";

	if (removal->options->interactive && !ask("remove %s'%s'? ", kind, path))
		return;
	if ((directory ? rmdir(path) : unlink(path)) < 0) {
		warn_errno("%s", path);
		removal->status = STATUS_FAILED;
	} else if (removal->options->verbose) {
		printf("removed %s'%s'\n", kind, path);
	}
}

static bool visit(const struct walk_entry *entry, void *arg)
{
	struct removal *removal = arg;

	if (entry->when == WALK_BEFORE)
		return !removal->options->interactive ||
		       ask("descend into directory '%s'? ", entry->path);
	remove_one(removal, entry->path, entry->when == WALK_AFTER);
	return true;
}

int remove_path(const char *path, const struct remove_options *options)
{
	struct removal removal = { options, 0 };
	struct stat st;

	if (lstat(path, &st) < 0) {
		if (options->force && (errno == ENOENT || errno == ENOTDIR))
			return 0;
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	if (S_ISDIR(st.st_mode) && options->recursive)
		return walk(path, 0, visit, &removal) | removal.status;
	if (S_ISDIR(st.st_mode) && !options->directories) {
		errno = EISDIR;
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	remove_one(&removal, path, S_ISDIR(st.st_mode));
	return removal.status;
}
