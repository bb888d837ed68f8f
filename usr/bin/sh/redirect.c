/*
 * redirect.c - file descriptors of a command; see redirect.h.
 *
 * Invariants: the list of saved descriptors is last-in first-out.  Locks: none.
 */
#include "usr/bin/sh/redirect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/sh/eval.h"
#include "usr/bin/sh/expand.h"
#include "usr/lib/tool.h"

#define FIRST_SAVED_FD 10

static int open_flags(enum token_type type)
{
	switch (type) {
	case TOKEN_GREAT:
	case TOKEN_CLOBBER:
		return O_WRONLY | O_CREAT | O_TRUNC;
	case TOKEN_DOUBLE_GREAT:
		return O_WRONLY | O_CREAT | O_APPEND;
	case TOKEN_LESS_GREAT:
		return O_RDWR | O_CREAT;
	default:
		return O_RDONLY;
	}
}

static bool is_heredoc(const struct redirect *redirect)
{
	return redirect->type == TOKEN_DOUBLE_LESS || redirect->type == TOKEN_DOUBLE_LESS_DASH;
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The descriptor that @redirect opens or names; -2 for "&-" (close); -1 after a message. */
static int find_source(struct arena *arena, const struct redirect *redirect, const char *target)
{
	long long number;
	int fd;

	if (is_heredoc(redirect))
		return heredoc_open(arena, redirect);

	if (redirect->type == TOKEN_GREAT && shell.no_clobber && is_regular(target)) {
		warn("%s: file exists", target);
		return -1;
	}
	if (redirect->type != TOKEN_LESS_AND && redirect->type != TOKEN_GREAT_AND) {
		fd = open(target, open_flags(redirect->type), 0666);
		if (fd < 0)
			warn_errno("%s", target);
		return fd;
	}
	if (strcmp(target, "-") == 0)
		return -2;
	if (parse_number(target, 0, 9999, &number) < 0) {
		warn("%s: bad file descriptor number", target);
		return -1;
	}
	if (fcntl(number, F_GETFD) < 0) {
		warn_errno("%s", target);
		return -1;
	}
	return number;
}

static int save(struct arena *arena, int fd, struct saved_fd **saved)
{
	struct saved_fd *entry = arena_alloc(arena, sizeof(*entry));

	entry->fd = fd;
	entry->copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_SAVED_FD);
	if (entry->copy < 0 && errno != EBADF) {
		warn_errno("%d", fd);
		return -1;
	}
	entry->next = *saved;
	*saved = entry;
	return 0;
}

static int apply_one(struct arena *arena, const struct redirect *redirect, struct saved_fd **saved)
{
	bool opens = redirect->type != TOKEN_LESS_AND && redirect->type != TOKEN_GREAT_AND;
	const char *target = is_heredoc(redirect) ? "" : expand_string(arena, redirect->target);
	int source = -1;
	int result = 0;

	if (!target)
		return -1;
	/* Saved first: a file opened by a free number would else look like what was there. */
	if (saved && save(arena, redirect->fd, saved) < 0)
		return -1;
	source = find_source(arena, redirect, target);
	if (source == -1)
		return -1;
	if (source == -2) {
		close(redirect->fd);
		return 0;
	}
	if (source == redirect->fd)
		return 0;
	if (dup2(source, redirect->fd) < 0) {
		warn_errno("%d", redirect->fd);
		result = -1;
	}
	if (opens)
		close(source);
	return result;
}

int redirect_apply(struct arena *arena, const struct redirect *redirects, struct saved_fd **saved)
{
	fflush(stdout);
	for (; redirects; redirects = redirects->next)
		if (apply_one(arena, redirects, saved) < 0)
			return -1;
	return 0;
}

void redirect_undo(struct saved_fd *saved)
{
	fflush(stdout);
	for (; saved; saved = saved->next) {
		if (saved->copy < 0) {
			close(saved->fd);
			continue;
		}
		dup2(saved->copy, saved->fd);
		close(saved->copy);
	}
}
