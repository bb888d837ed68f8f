/*
 * ln.c - give a file another name; -s a symbolic link.
 *
 *	-f replace what has the name, -n a link to a directory is not that directory, -v say it
 *
 * Invariants: a file is never replaced by a link to itself.  Locks: none.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/copy.h"
#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "ln [-sfnv] target... name";

static bool symbolic, force, verbose;

static int make_link(const char *target, const char *name, void *arg)
{
	struct stat st, old;

	(void)arg;
	if (!symbolic && lstat(target, &st) < 0) {
		warn_errno("%s", target);
		return STATUS_FAILED;
	}
	if (force && lstat(name, &old) == 0) {
		if (!symbolic && same_file(&st, &old)) {
			warn("'%s' and '%s' are the same file", target, name);
			return STATUS_FAILED;
		}
		if (unlink(name) < 0) {
			warn_errno("%s", name);
			return STATUS_FAILED;
		}
	}
	if ((symbolic ? symlink(target, name) : link(target, name)) < 0) {
		warn_errno("%s", name);
		return STATUS_FAILED;
	}
	if (verbose)
		printf("'%s' %s '%s'\n", name, symbolic ? "->" : "=>", target);
	return 0;
}

int main(int argc, char **argv)
{
	bool no_follow = false;
	struct stat st;
	int option, count;
	char *here = ".", *last;

	while ((option = getopt(argc, argv, "sfnv")) != -1) {
		if (option == '?')
			usage(synopsis);
		symbolic |= option == 's';
		force |= option == 'f';
		no_follow |= option == 'n';
		verbose |= option == 'v';
	}
	count = argc - optind;
	if (count < 1)
		usage(synopsis);
	last = count == 1 ? here : argv[argc - 1];
	if (count == 2 && no_follow && lstat(last, &st) == 0 && S_ISLNK(st.st_mode))
		return close_stdout(make_link(argv[optind], last, NULL));
	return close_stdout(
		each_target(argv + optind, count == 1 ? 1 : count - 1, last, make_link, NULL));
}
