/*
 * complete.h - how the word before the cursor may go on.
 *
 * Invariants: candidates are sorted and no two are the same.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_COMPLETE_H
#define RAVEL_USR_BIN_SH_COMPLETE_H

#include <stddef.h>

#include "usr/bin/sh/expand.h"

struct completion {
	size_t start;	      /* what is replaced begins here and ends at the cursor */
	const char *text;     /* what to put there: as much as is certain, quoted as it must be */
	struct fields others; /* the candidates, as names to show */
};

/*
 * Complete the @cursor bytes before the cursor, @line: a command, a file name or a $variable. All
 * that is returned lives in @arena. There may be no candidate: then text is NULL.
 */
struct completion complete(struct arena *arena, const char *line, size_t cursor);

#endif
