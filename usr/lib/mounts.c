/*
 * mounts.c - the table of mounts; the contracts are in mounts.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/mounts.h"

#include <string.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

FILE *mounts_open(void)
{
	FILE *file = fopen("/proc/mounts", "re");

	if (!file)
		die_errno(STATUS_FAILED, "/proc/mounts");
	return file;
}

int mounts_next(FILE *file, struct mount_line *line)
{
	char text[2048];

	while (fgets(text, sizeof(text), file)) {
		if (sscanf(text, "%255s %255s %63s %255s", line->source, line->target, line->type,
			   line->options) != 4)
			continue;
		path_unescape(line->source);
		path_unescape(line->target);
		return 1;
	}
	return 0;
}

int mounts_find(const char *name, struct mount_line *found)
{
	FILE *file = mounts_open();
	struct mount_line line;
	int result = 0;

	while (mounts_next(file, &line)) {
		if (strcmp(line.target, name) == 0 || strcmp(line.source, name) == 0) {
			*found = line;
			result = 1;
		}
	}
	fclose(file);
	return result;
}
