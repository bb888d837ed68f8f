/*
 * redirect.h - opening, moving and putting back file descriptors.
 *
 * Invariants: saved descriptors are >= 10 and close-on-exec.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_REDIRECT_H
#define RAVEL_USR_BIN_SH_REDIRECT_H

#include "usr/bin/sh/tree.h"

struct saved_fd {
	int fd;
	int copy; /* -1: it was closed */
	struct saved_fd *next;
};

/*
 * Do @redirects in order. With @saved (NULL in a child, or for exec) what was there before is kept
 * in it, in @arena, also when the result is -1, after a message.
 */
int redirect_apply(struct arena *arena, const struct redirect *redirects, struct saved_fd **saved);

/* heredoc.c: a descriptor to read the body of @redirect from; -1 after a message. */
int heredoc_open(struct arena *arena, const struct redirect *redirect);

/* Put back what redirect_apply() kept, the last first. */
void redirect_undo(struct saved_fd *saved);

#endif
