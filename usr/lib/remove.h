/*
 * remove.h - remove files and trees of them, for rm and mv.
 *
 * Invariants: symbolic links are removed, never followed.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_REMOVE_H
#define RAVEL_USR_LIB_REMOVE_H

#include <stdbool.h>

struct remove_options {
	bool recursive;	  /* directories with all that is in them */
	bool directories; /* empty directories */
	bool force;	  /* what is not there is no error */
	bool interactive; /* ask first */
	bool verbose;	  /* say what was removed */
};

/* Remove @path. Returns 0, or STATUS_FAILED after a message; it goes on with what it can remove. */
int remove_path(const char *path, const struct remove_options *options);

#endif
