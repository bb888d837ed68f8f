/*
 * swapoff.c - use swap areas no more: swapoff device..., or -a for all. What lies in them comes
 * back into memory first, which may take a while, or fail for want of memory.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <unistd.h>

#include "usr/lib/swapfile.h"
#include "usr/lib/tool.h"

#define MAX_AREAS 32

struct areas {
	char *name[MAX_AREAS];
	int nr;
};

static bool note(const struct swap_line *line, void *arg)
{
	struct areas *areas = arg;

	areas->name[areas->nr] = strdup(line->name);
	if (!areas->name[areas->nr])
		die(STATUS_FAILED, "no memory");
	return ++areas->nr < MAX_AREAS;
}

static int leave(const char *device)
{
	if (swapoff(device) == 0)
		return 0;
	if (errno == EINVAL)
		warn("%s: not in use as a swap area", device);
	else
		warn_errno("%s", device);
	return STATUS_FAILED;
}

/* The list first: it changes with each that goes. */
static int leave_all(void)
{
	struct areas areas = { .nr = 0 };
	int status = 0;

	if (swap_each(note, &areas) < 0)
		die_errno(STATUS_FAILED, "/proc/swaps");
	for (int i = 0; i < areas.nr; i++) {
		status |= leave(areas.name[i]);
		free(areas.name[i]);
	}
	return status;
}

int main(int argc, char **argv)
{
	int status = 0, all = 0, option;

	while ((option = getopt(argc, argv, "a")) != -1) {
		if (option == '?')
			usage("swapoff -a | device...");
		all = 1;
	}
	if (!all && optind == argc)
		usage("swapoff -a | device...");
	if (all)
		status = leave_all();
	for (; optind < argc; optind++)
		status |= leave(argv[optind]);
	return status;
}
