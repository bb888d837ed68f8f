/*
 * walk.c - visit a tree of files; the contract is in walk.h.
 *
 * Invariants: the chain of struct level goes from the directory being read up to the operand: a
 * directory that is in it already is a circle of links.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/walk.h"

#include <errno.h>
#include <stdlib.h>

#include "usr/lib/path.h"
#include "usr/lib/tool.h"

struct level {
	const struct level *above;
	struct stat st;
};

struct walk {
	unsigned int flags;
	walk_visit *visit;
	void *arg;
	dev_t device; /* of the operand */
};

static int visit_path(struct walk *walk, const char *path, const char *name, int depth,
		      const struct level *above);

static int read_status(const struct walk *walk, const char *path, int depth, struct stat *st)
{
	bool follow =
		walk->flags & WALK_FOLLOW_ALL || (depth == 0 && walk->flags & WALK_FOLLOW_OPERAND);

	if (follow && stat(path, st) == 0)
		return 0;
	return lstat(path, st);
}

static bool is_circle(const struct level *level, const struct stat *st)
{
	while (level && !same_file(&level->st, st))
		level = level->above;
	return level != NULL;
}

static int visit_directory(struct walk *walk, const char *path, int depth,
			   const struct level *level)
{
	struct names names;
	int status = 0;

	if (names_read(&names, path) < 0) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	for (size_t i = 0; i < names.count; i++) {
		char *below = path_join(path, names.names[i]);

		status |= visit_path(walk, below, names.names[i], depth + 1, level);
		free(below);
	}
	names_free(&names);
	return status;
}

static int visit_path(struct walk *walk, const char *path, const char *name, int depth,
		      const struct level *above)
{
	struct level level = { .above = above };
	struct walk_entry entry = { path, name, &level.st, depth, WALK_FILE };
	int status = 0;

	if (read_status(walk, path, depth, &level.st) < 0) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	if (depth == 0)
		walk->device = level.st.st_dev;
	if (S_ISDIR(level.st.st_mode)) {
		if (is_circle(above, &level.st)) {
			warn("%s: a circle of symbolic links", path);
			return STATUS_FAILED;
		}
		entry.when = WALK_BEFORE;
	}
	if (!walk->visit(&entry, walk->arg) || entry.when == WALK_FILE)
		return 0;
	if (!(walk->flags & WALK_ONE_DEVICE) || level.st.st_dev == walk->device)
		status = visit_directory(walk, path, depth, &level);
	entry.when = WALK_AFTER;
	walk->visit(&entry, walk->arg);
	return status;
}

int walk(const char *path, unsigned int flags, walk_visit *visit, void *arg)
{
	struct walk walk = { .flags = flags, .visit = visit, .arg = arg };

	return visit_path(&walk, path, path, 0, NULL);
}
