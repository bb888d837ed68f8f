/*
 * chmod.c - change the modes of files: octal, or u+x,go-w and the like; -R all below directories,
 * -v say what is done.
 *
 * Invariants: symbolic links below -R are left alone, as they have no mode.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/mode.h"
#include "usr/lib/tool.h"
#include "usr/lib/walk.h"

static const char synopsis[] = "chmod [-Rv] mode file...";

struct change {
	const char *mode;
	mode_t mask;
	bool recursive, verbose;
	int status;
};

static bool visit(const struct walk_entry *entry, void *arg)
{
	struct change *change = arg;
	int mode = parse_mode(change->mode, entry->st->st_mode, change->mask);

	if (entry->when == WALK_AFTER || S_ISLNK(entry->st->st_mode))
		return true;
	if (chmod(entry->path, mode) < 0) {
		warn_errno("%s", entry->path);
		change->status = STATUS_FAILED;
	} else if (change->verbose) {
		printf("mode of '%s' is %04o\n", entry->path, mode);
	}
	return change->recursive;
}

int main(int argc, char **argv)
{
	struct change change = { .mask = current_umask() };

	/* No getopt(): -x and -w are modes. */
	for (optind = 1; optind < argc; optind++) {
		if (strcmp(argv[optind], "-R") == 0)
			change.recursive = true;
		else if (strcmp(argv[optind], "-v") == 0)
			change.verbose = true;
		else
			break;
	}
	if (optind < argc && strcmp(argv[optind], "--") == 0)
		optind++;
	if (argc - optind < 2)
		usage(synopsis);
	change.mode = argv[optind++];
	if (parse_mode(change.mode, 0, 0) < 0)
		die(STATUS_FAILED, "%s: not a mode", change.mode);
	for (; optind < argc; optind++)
		change.status |= walk(argv[optind], WALK_FOLLOW_OPERAND, visit, &change);
	return close_stdout(change.status);
}
