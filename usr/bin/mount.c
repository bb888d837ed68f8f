/*
 * mount.c - list what is mounted, or mount a file system: mount [-t type] [-o options] SOURCE DIR.
 *
 * With only one of the two, for -o remount, the other comes from /proc/mounts. Without -t every
 * type of /proc/filesystems that needs a disk is tried. Options that are no flags of mount(2) go to
 * the file system as they are.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "usr/lib/mounts.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "mount [-rvw] [-t type] [-o options] [source directory]";

struct mounting {
	unsigned long flags;
	char data[512]; /* options for the file system */
};

static const struct {
	const char *name;
	unsigned long set, clear;
} flag_names[] = {
	{ "ro", MS_RDONLY, 0 },
	{ "rw", 0, MS_RDONLY },
	{ "nosuid", MS_NOSUID, 0 },
	{ "suid", 0, MS_NOSUID },
	{ "nodev", MS_NODEV, 0 },
	{ "dev", 0, MS_NODEV },
	{ "noexec", MS_NOEXEC, 0 },
	{ "exec", 0, MS_NOEXEC },
	{ "sync", MS_SYNCHRONOUS, 0 },
	{ "async", 0, MS_SYNCHRONOUS },
	{ "noatime", MS_NOATIME, 0 },
	{ "atime", 0, MS_NOATIME },
	{ "relatime", MS_RELATIME, 0 },
	{ "strictatime", MS_STRICTATIME, 0 },
	{ "nodiratime", MS_NODIRATIME, 0 },
	{ "dirsync", MS_DIRSYNC, 0 },
	{ "remount", MS_REMOUNT, 0 },
	{ "bind", MS_BIND, 0 },
	{ "rbind", MS_BIND | MS_REC, 0 },
	{ "move", MS_MOVE, 0 },
	{ "defaults", 0, 0 },
};

static void add_option(struct mounting *mounting, const char *option)
{
	size_t length = strlen(mounting->data);

	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (strcmp(option, flag_names[i].name) != 0)
			continue;
		mounting->flags |= flag_names[i].set;
		mounting->flags &= ~flag_names[i].clear;
		return;
	}
	if (length + strlen(option) + 2 > sizeof(mounting->data))
		die(STATUS_FAILED, "the options are too long");
	sprintf(mounting->data + length, "%s%s", length ? "," : "", option);
}

static void add_options(struct mounting *mounting, char *text)
{
	char *option;

	while ((option = strsep(&text, ",")) != NULL)
		if (*option)
			add_option(mounting, option);
}

static void list(const char *type)
{
	FILE *file = mounts_open();
	struct mount_line line;

	while (mounts_next(file, &line))
		if (!type || strcmp(type, line.type) == 0)
			printf("%s on %s type %s (%s)\n", line.source, line.target, line.type,
			       line.options);
	fclose(file);
}

/* Try each type for disks. Returns 0, or -1 with errno. */
static int mount_any(const char *source, const char *target, const struct mounting *mounting)
{
	FILE *file = fopen("/proc/filesystems", "re");
	char line[128], type[64];
	int result = -1;

	if (!file) /* a kernel that does not say what it has */
		return mount(source, target, "ext2", mounting->flags, mounting->data);
	errno = ENODEV;
	while (result < 0 && fgets(line, sizeof(line), file)) {
		if (line[0] != '\t' || sscanf(line, "%63s", type) != 1)
			continue;
		result = mount(source, target, type, mounting->flags, mounting->data);
		if (result < 0 && errno != EINVAL && errno != ENODEV)
			break;
	}
	fclose(file);
	return result;
}

int main(int argc, char **argv)
{
	struct mounting mounting = { .flags = 0 };
	const char *type = NULL, *source, *target;
	struct mount_line known;
	bool verbose = false;
	int option, result;

	while ((option = getopt(argc, argv, "rvwt:o:")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'o')
			add_options(&mounting, optarg);
		if (option == 'r' || option == 'w')
			add_option(&mounting, option == 'r' ? "ro" : "rw");
		if (option == 't')
			type = optarg;
		verbose |= option == 'v';
	}
	if (argc == optind) {
		list(type);
		return close_stdout(0);
	}
	source = argv[optind];
	target = argv[argc - 1];
	if (argc - optind > 2 || (argc - optind == 1 && !(mounting.flags & MS_REMOUNT)))
		usage(synopsis);
	if (argc - optind == 1) {
		char *path = realpath(source, NULL);

		if (!mounts_find(path ? path : source, &known))
			die(STATUS_FAILED, "%s: not mounted", source);
		source = known.source;
		target = known.target;
		type = known.type;
	}
	if (type || mounting.flags & (MS_REMOUNT | MS_BIND | MS_MOVE))
		result = mount(source, target, type, mounting.flags, mounting.data);
	else
		result = mount_any(source, target, &mounting);
	if (result < 0)
		die_errno(STATUS_FAILED, "%s on %s", source, target);
	if (verbose)
		printf("%s mounted on %s\n", source, target);
	return close_stdout(0);
}
