/*
 * mounts.h - the table of mounts, from /proc/mounts.
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_MOUNTS_H
#define RAVEL_USR_LIB_MOUNTS_H

#include <stdio.h>

struct mount_line {
	char source[256], target[256], type[64], options[256];
};

/* Open the table. Exits with a message when that is impossible; fclose() ends it. */
FILE *mounts_open(void);

/* Read the next line, \040 and the like turned into what they mean. Returns 1, or 0 at the end. */
int mounts_next(FILE *file, struct mount_line *line);

/* Find the last mount at the directory, or of the source, @name. Returns 1 if there is one. */
int mounts_find(const char *name, struct mount_line *line);

#endif
