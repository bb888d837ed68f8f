/*
 * mv.c - rename files and directories; to another file system by copying and removing.
 *
 *	-f never ask (the default), -i ask before overwriting, -n never do, -v say what is done
 *
 * Invariants: a source is removed only after all of it was copied.  Locks: none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/copy.h"
#include "usr/lib/path.h"
#include "usr/lib/remove.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "mv [-finv] source... target";

static int mode;
static bool verbose;

static int move_across(const char *from, const char *to)
{
	static const struct copy_options copying = {
		.recursive = true, .preserve = true, .hard_links = true, .links = COPY_LINKS
	};
	static const struct remove_options removing = { .recursive = true };
	struct stat st;

	/* As rename() would: a directory replaces an empty one, a file replaces a file. */
	if (lstat(to, &st) == 0 && (S_ISDIR(st.st_mode) ? rmdir(to) : unlink(to)) < 0) {
		warn_errno("%s", to);
		return STATUS_FAILED;
	}
	if (copy_path(from, to, &copying) != 0)
		return STATUS_FAILED;
	return remove_path(from, &removing);
}

/* Do two paths of one file name the same entry of the same directory? */
static bool is_same_name(const char *from, const char *to)
{
	char *parents[] = { path_parent(from), path_parent(to) };
	char *bases[] = { path_base(from), path_base(to) };
	struct stat a, b;
	bool same = strcmp(bases[0], bases[1]) == 0 && stat(parents[0], &a) == 0 &&
		    stat(parents[1], &b) == 0 && same_file(&a, &b);

	for (int i = 0; i < 2; i++) {
		free(parents[i]);
		free(bases[i]);
	}
	return same;
}

/* rename(), but of two names of one file the first goes too: the second is all that shall stay. */
static int rename_or_unlink(const char *from, const char *to, const struct stat *source)
{
	struct stat target;

	if (!S_ISDIR(source->st_mode) && lstat(to, &target) == 0 && same_file(source, &target))
		return unlink(from);
	return rename(from, to);
}

/* What must be said before rename(). Returns 0: go on, 1 after a message, -1: leave it. */
static int check(const char *from, const char *to, const struct stat *source)
{
	struct stat target;

	if (lstat(to, &target) < 0)
		return 0;
	if (mode == 'n' || (mode == 'i' && !ask("overwrite '%s'? ", to)))
		return -1;
	/* rename() does nothing for two names of one file, and calls it success; see move(). */
	if (same_file(source, &target) && is_same_name(from, to)) {
		warn("'%s' and '%s' are the same file", from, to);
		return STATUS_FAILED;
	}
	if (S_ISDIR(source->st_mode) != S_ISDIR(target.st_mode)) {
		warn("cannot overwrite %s '%s' with %s '%s'",
		     S_ISDIR(target.st_mode) ? "directory" : "non-directory", to,
		     S_ISDIR(source->st_mode) ? "directory" : "non-directory", from);
		return STATUS_FAILED;
	}
	return 0;
}

static int move(const char *from, const char *to, void *arg)
{
	struct stat st;
	int status;

	(void)arg;
	if (lstat(from, &st) < 0) {
		warn_errno("%s", from);
		return STATUS_FAILED;
	}
	status = check(from, to, &st);
	if (status)
		return status > 0 ? status : 0;
	if (rename_or_unlink(from, to, &st) < 0) {
		if (errno == EXDEV) {
			status = move_across(from, to);
		} else {
			warn_errno("'%s' to '%s'", from, to);
			status = STATUS_FAILED;
		}
	}
	if (verbose && status == 0)
		printf("renamed '%s' -> '%s'\n", from, to);
	return status;
}

int main(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "finv")) != -1) {
		if (option == '?')
			usage(synopsis);
		else if (option == 'v')
			verbose = true;
		else
			mode = option;
	}
	if (argc - optind < 2)
		usage(synopsis);
	return close_stdout(
		each_target(argv + optind, argc - optind - 1, argv[argc - 1], move, NULL));
}
