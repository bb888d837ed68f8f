/*
 * swapon.c - use swap areas: swapon [-p priority] [-d] device...; -s (or nothing) lists those in
 * use, -a takes every disk that has the header of an area and is not in use yet.
 *
 * -d, --discard: the disk is told what is free, all of it at once and clusters of slots when they
 * are given back; --discard=once, --discard=pages: only the one or the other.
 *
 * There is no /etc/fstab: -a looks at the disks.
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <unistd.h>

#include "usr/lib/swapfile.h"
#include "usr/lib/swapheader.h"
#include "usr/lib/tool.h"

static const char synopsis[] =
	"swapon [-as] [-d | --discard[=once|pages]] [-p priority] [device...]";

/* Where the C library's <sys/swap.h> knows only the first. */
#ifndef SWAP_FLAG_DISCARD_ONCE
#define SWAP_FLAG_DISCARD_ONCE	0x20000
#define SWAP_FLAG_DISCARD_PAGES 0x40000
#endif

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "discard", optional_argument, NULL, 'd' },
	{ "priority", required_argument, NULL, 'p' },
	{ "summary", no_argument, NULL, 's' },
	{},
};

static bool print_line(const struct swap_line *line, void *arg)
{
	bool *titles = arg;

	if (!*titles)
		printf("%-39s %-10s %12s %12s %8s\n", "Filename", "Type", "Size", "Used",
		       "Priority");
	*titles = true;
	printf("%-39s %-10s %12lu %12lu %8d\n", line->name, line->type, line->size, line->used,
	       line->priority);
	return true;
}

static int list(void)
{
	bool titles = false;

	if (swap_each(print_line, &titles) < 0)
		die_errno(STATUS_FAILED, "/proc/swaps");
	return 0;
}

/* What is wrong with the header that @device begins with; NULL if it is good. */
static const char *header_fault(const char *device)
{
	static struct swap_header header;
	int fd = open(device, O_RDONLY);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	const char *fault = "cannot be read";

	if (fd >= 0 && pread(fd, &header, sizeof(header), 0) == sizeof(header))
		fault = swap_header_fault(&header, end > 0 ? (uint64_t)end : UINT64_MAX);
	if (fd >= 0)
		close(fd);
	return fault;
}

/* EINVAL has several reasons, and the call does not say which. */
static int use(const char *device, int flags)
{
	struct stat st;
	const char *fault;

	if (swapon(device, flags) == 0)
		return 0;
	if (errno != EINVAL || stat(device, &st) < 0)
		warn_errno("%s", device);
	else if (!S_ISBLK(st.st_mode))
		warn("%s: not a disk", device);
	else if ((fault = header_fault(device)))
		warn("%s: %s (mkswap makes a swap area)", device, fault);
	else
		warn("%s: %s", device, strerror(EINVAL));
	return STATUS_FAILED;
}

/* An area that is in use already is nobody's failure. */
static int use_all(int flags)
{
	char device[] = "/dev/vda";
	int status = 0;

	for (; device[7] <= 'z'; device[7]++) {
		if (!header_fault(device) && swapon(device, flags) < 0 && errno != EBUSY) {
			warn_errno("%s", device);
			status = STATUS_FAILED;
		}
	}
	return status;
}

static int priority_flags(const char *text)
{
	char *end;
	long priority = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || priority < 0 || priority > SWAP_FLAG_PRIO_MASK)
		die(STATUS_FAILED, "'%s' is no priority from 0 to %d", text, SWAP_FLAG_PRIO_MASK);
	return SWAP_FLAG_PREFER | (int)priority;
}

/* @kind NULL: both. */
static int discard_flags(const char *kind)
{
	if (!kind)
		return SWAP_FLAG_DISCARD;
	if (strcmp(kind, "once") == 0)
		return SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_ONCE;
	if (strcmp(kind, "pages") == 0)
		return SWAP_FLAG_DISCARD | SWAP_FLAG_DISCARD_PAGES;
	die(STATUS_FAILED, "'%s' is neither once nor pages", kind);
}

int main(int argc, char **argv)
{
	bool all = false, summary = false;
	int flags = 0, status = 0, option;

	while ((option = getopt_long(argc, argv, "asd::p:", long_options, NULL)) != -1) {
		if (option == '?')
			usage(synopsis);
		all |= option == 'a';
		summary |= option == 's';
		if (option == 'd')
			flags |= discard_flags(optarg);
		if (option == 'p')
			flags |= priority_flags(optarg);
	}
	if (summary || (!all && optind == argc))
		return list();
	if (all)
		status = use_all(flags);
	for (; optind < argc; optind++)
		status |= use(argv[optind], flags);
	return status;
}
