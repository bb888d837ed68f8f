/*
 * copy.c - copy files and trees of them; the contracts are in copy.h.
 *
 *	copy_path --> refuses what cannot be --> copy_directory --> copy_path of each name
 *	                                     \-> copy_regular, copy_link, copy_node --> preserve
 *
 * Invariants: a new directory is writable for its owner until it is full.  Locks: none; the table
 * of hard links is the one state.
 */
#define _GNU_SOURCE
#include "usr/lib/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/mode.h"
#include "usr/lib/path.h"
#include "usr/lib/tool.h"

#define HOLE_SIZE 4096 /* the smallest run of zeros that becomes a hole */

/* Files with several names that were copied already: where the first copy is. */
static struct copied {
	struct copied *next;
	dev_t dev;
	ino_t ino;
	char *path;
} * copied_links;

static int copy_below(const char *from, const char *to, const struct copy_options *options,
		      int depth);

static int failed(const char *path)
{
	warn_errno("%s", path);
	return STATUS_FAILED;
}

static bool is_zero(const char *bytes, size_t length)
{
	return length > 0 && bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Write a buffer, its blocks of zeros as holes. Returns 0, or -1 with errno. */
static int write_sparse(int out, const char *bytes, size_t length)
{
	while (length) {
		size_t step = length < HOLE_SIZE ? length : HOLE_SIZE;

		if (is_zero(bytes, step) ? lseek(out, step, SEEK_CUR) < 0 :
					   write_all(out, bytes, step) < 0)
			return -1;
		bytes += step;
		length -= step;
	}
	return 0;
}

/* Copy the bytes of one open file. Returns 0, or STATUS_FAILED after a message. */
static int copy_bytes(int in, const char *from, int out, const char *to, bool sparse)
{
	static char buffer[64 * 1024];
	off_t size = 0;
	ssize_t n;

	while ((n = read(in, buffer, sizeof(buffer))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(from);
		if ((sparse ? write_sparse(out, buffer, n) : write_all(out, buffer, n)) < 0)
			return failed(to);
		size += n;
	}
	/* A hole at the end is one only if the size says so. */
	if (sparse && ftruncate(out, size) < 0)
		return failed(to);
	return 0;
}

static int open_target(const char *to, mode_t mode, bool exists, const struct copy_options *options)
{
	int fd = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC | (exists ? 0 : O_CREAT | O_EXCL), mode);

	if (fd < 0 && exists && options->force && unlink(to) == 0)
		fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	return fd;
}

static int copy_regular(const char *from, const char *to, const struct stat *st, bool exists,
			const struct copy_options *options)
{
	bool sparse = S_ISREG(st->st_mode) && st->st_blocks * 512 < st->st_size;
	/* What is to be preserved may be private: nobody else reads it meanwhile. */
	mode_t mode = options->preserve ? 0600 : st->st_mode & 0777;
	int status;
	int in, out;

	in = open(from, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return failed(from);
	out = open_target(to, mode, exists, options);
	if (out < 0) {
		status = failed(to);
		goto out;
	}
	status = copy_bytes(in, from, out, to, sparse);
	if (close(out) < 0)
		status = failed(to);
out:
	close(in);
	return status;
}

static int copy_link(const char *from, const char *to)
{
	char *target = read_link(from);
	int status = 0;

	if (!target)
		return failed(from);
	if (symlink(target, to) < 0)
		status = failed(to);
	free(target);
	return status;
}

/* Give @to what belongs to @st: owner, mode, times. The mode comes last: chown takes bits off. */
static int preserve(const char *to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };
	int status = 0;

	if (lchown(to, st->st_uid, st->st_gid) < 0 && geteuid() == 0)
		status = failed(to);
	if (!S_ISLNK(st->st_mode) && chmod(to, st->st_mode & 07777) < 0)
		status = failed(to);
	if (utimensat(AT_FDCWD, to, times, AT_SYMLINK_NOFOLLOW) < 0)
		status = failed(to);
	return status;
}

/* Make @to another name of an earlier copy of the same file. Returns false if there is none. */
static bool link_to_copy(const char *to, const struct stat *st, int *status)
{
	struct copied *copied = copied_links;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return false;
	while (copied && (copied->dev != st->st_dev || copied->ino != st->st_ino))
		copied = copied->next;
	if (copied) {
		*status = link(copied->path, to) < 0 ? failed(to) : 0;
		return true;
	}
	copied = xmalloc(sizeof(*copied));
	*copied = (struct copied){ copied_links, st->st_dev, st->st_ino, xstrdup(to) };
	copied_links = copied;
	return false;
}

bool is_below(const char *directory, const struct stat *st)
{
	char *path = xstrdup(directory);
	struct stat here, last = { .st_ino = 0 };
	bool found = false;

	while (!found && stat(path, &here) == 0 && !same_file(&here, &last)) {
		char *up = path_join(path, "..");

		found = same_file(&here, st);
		last = here;
		free(path);
		path = up;
	}
	free(path);
	return found;
}

static int copy_directory(const char *from, const char *to, const struct stat *st, bool exists,
			  const struct copy_options *options, int depth)
{
	mode_t mode = st->st_mode & (options->preserve ? 07777 : 0777 & ~current_umask());
	struct names names;
	int status = 0;

	if (names_read(&names, from) < 0)
		return failed(from);
	if (!exists && mkdir(to, (st->st_mode & 0777) | 0700) < 0) {
		names_free(&names);
		return failed(to);
	}
	for (size_t i = 0; i < names.count; i++) {
		char *source = path_join(from, names.names[i]);
		char *target = path_join(to, names.names[i]);

		status |= copy_below(source, target, options, depth + 1);
		free(source);
		free(target);
	}
	names_free(&names);
	if (!exists && !options->preserve && chmod(to, mode) < 0)
		status = failed(to);
	return status;
}

/* May @to, which exists, be overwritten? Returns 0 (yes), 1 after a message, -1: silently not. */
static int check_target(const char *from, const char *to, const struct stat *source,
			const struct stat *target, const struct copy_options *options)
{
	struct stat behind;

	if (options->keep && !S_ISDIR(source->st_mode))
		return -1;
	/* A link to the source is the source, unless it is the links that are copied. */
	if (same_file(source, target) ||
	    (!S_ISLNK(source->st_mode) && stat(to, &behind) == 0 && same_file(source, &behind))) {
		warn("'%s' and '%s' are the same file", from, to);
		return STATUS_FAILED;
	}
	if (S_ISLNK(target->st_mode) && stat(to, &behind) == 0 && S_ISDIR(behind.st_mode))
		target = &behind;
	if (S_ISDIR(source->st_mode) != S_ISDIR(target->st_mode)) {
		warn("cannot overwrite %s '%s' with %s '%s'",
		     S_ISDIR(target->st_mode) ? "directory" : "non-directory", to,
		     S_ISDIR(source->st_mode) ? "directory" : "non-directory", from);
		return STATUS_FAILED;
	}
	if (options->interactive && !S_ISDIR(source->st_mode) && !ask("overwrite '%s'? ", to))
		return -1;
	return 0;
}

static int copy_contents(const char *from, const char *to, const struct stat *st, bool exists,
			 const struct copy_options *options, int depth)
{
	bool follows = S_ISREG(st->st_mode) || !options->recursive;
	struct stat behind;
	int status;

	if (S_ISDIR(st->st_mode))
		return copy_directory(from, to, st, exists, options, depth);
	if (options->hard_links && link_to_copy(to, st, &status))
		return status;
	if (S_ISLNK(st->st_mode))
		return copy_link(from, to);
	if (!follows)
		return mknod(to, st->st_mode, st->st_rdev) < 0 ? failed(to) : 0;
	if (exists && stat(to, &behind) < 0) {
		warn("%s: not writing through a dangling symbolic link", to);
		return STATUS_FAILED;
	}
	return copy_regular(from, to, st, exists, options);
}

static int copy_below(const char *from, const char *to, const struct copy_options *options,
		      int depth)
{
	bool follow = options->links == COPY_FOLLOW ||
		      (options->links == COPY_FOLLOW_OPERANDS && depth == 0);
	struct stat st, target;
	bool exists;
	int status;

	if ((follow ? stat(from, &st) : lstat(from, &st)) < 0)
		return failed(from);
	if (S_ISDIR(st.st_mode) && !options->recursive) {
		warn("-r not given: leaving out directory '%s'", from);
		return STATUS_FAILED;
	}
	exists = lstat(to, &target) == 0;
	if (exists) {
		status = check_target(from, to, &st, &target, options);
		if (status)
			return status < 0 ? 0 : status;
	}
	/* Only the bytes of a regular file go into what exists. */
	if (exists && !S_ISDIR(st.st_mode) &&
	    (S_ISLNK(st.st_mode) || options->hard_links ||
	     (options->recursive && !S_ISREG(st.st_mode)))) {
		if (unlink(to) < 0)
			return failed(to);
		exists = false;
	}
	if (options->verbose)
		printf("'%s' -> '%s'\n", from, to);
	status = copy_contents(from, to, &st, exists, options, depth);
	if (status == 0 && options->preserve)
		status = preserve(to, &st);
	return status;
}

int copy_path(const char *from, const char *to, const struct copy_options *options)
{
	struct stat st;
	bool inside = false;

	if (options->recursive && lstat(from, &st) == 0 && S_ISDIR(st.st_mode)) {
		char *parent = path_parent(to);

		inside = is_below(parent, &st);
		free(parent);
	}
	if (inside) {
		warn("cannot copy directory '%s' into itself, '%s'", from, to);
		return STATUS_FAILED;
	}
	return copy_below(from, to, options, 0);
}

int each_target(char **sources, int count, const char *target, each_target_fn *one, void *arg)
{
	bool directory;
	struct stat st;
	int status = 0;

	directory = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
	if (!directory && count > 1) {
		warn("%s: not a directory", target);
		return STATUS_FAILED;
	}
	for (int i = 0; i < count; i++) {
		char *base = path_base(sources[i]);
		char *to = directory ? path_join(target, base) : xstrdup(target);

		status |= one(sources[i], to, arg);
		free(base);
		free(to);
	}
	return status;
}
