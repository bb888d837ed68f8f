/*
 * walk.h - visit a file, and all that is below it when it is a directory.
 *
 *	walk("d") --> d WALK_BEFORE, d/a WALK_FILE, d/e WALK_BEFORE, d/e WALK_AFTER, d WALK_AFTER
 *
 * Invariants: names come sorted; no descriptor stays open; symbolic links are not followed unless
 * asked for.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_WALK_H
#define RAVEL_USR_LIB_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

/* A file that is no directory; a directory before and after what is in it. */
enum walk_when { WALK_FILE, WALK_BEFORE, WALK_AFTER };

/* What a visitor sees. */
struct walk_entry {
	const char *path;      /* as it is opened */
	const char *name;      /* its last component; the whole operand at depth 0 */
	const struct stat *st; /* lstat(), or stat() of a link that is followed */
	int depth;	       /* 0: the operand itself */
	enum walk_when when;
};

#define WALK_FOLLOW_OPERAND 1 /* if the operand is a symbolic link, visit what it points to */
#define WALK_ONE_DEVICE	    2 /* do not enter other file systems */
#define WALK_FOLLOW_ALL	    4 /* follow every symbolic link, but no circles */

/* Returns false, at WALK_BEFORE, to skip the directory: then nothing below, and no WALK_AFTER. */
typedef bool walk_visit(const struct walk_entry *entry, void *arg);

/*
 * Walk @path. What cannot be read is reported on standard error and the walk goes on.
 * Returns 0, or STATUS_FAILED after such a message.
 */
int walk(const char *path, unsigned int flags, walk_visit *visit, void *arg);

#endif
