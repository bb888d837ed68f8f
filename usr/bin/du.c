/*
 * du.c - the space that files take on their disk, directories with all that is in them.
 *
 *	-s only the operands, -d N no deeper than this, -a files too, -h readable, -k KiB (the
 *	default), -c a total, -x no other file systems
 *
 * Invariants: a file with several names is counted once.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "usr/lib/tool.h"
#include "usr/lib/walk.h"

static const char synopsis[] = "du [-achksx] [-d depth] [file...]";

struct counted {
	dev_t dev;
	ino_t ino;
};

static bool files_too, human;
static long long max_depth = 1 << 30;
static unsigned long long total;
static unsigned long long *sums; /* of the directories that are open, by depth */
static int sum_count;
static struct counted *counted;
static size_t counted_count;

static void print(unsigned long long bytes, const char *path)
{
	char text[32];

	if (human)
		format_human(bytes, text);
	else
		sprintf(text, "%llu", (bytes + 1023) / 1024);
	printf("%s\t%s\n", text, path);
}

/* Was this file met before by another of its names? */
static bool is_counted(const struct stat *st)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return false;
	for (size_t i = 0; i < counted_count; i++)
		if (counted[i].dev == st->st_dev && counted[i].ino == st->st_ino)
			return true;
	if ((counted_count & (counted_count - 1)) == 0)
		counted = xrealloc(counted,
				   (counted_count ? 2 * counted_count : 1) * sizeof(*counted));
	counted[counted_count++] = (struct counted){ st->st_dev, st->st_ino };
	return false;
}

static bool visit(const struct walk_entry *entry, void *arg)
{
	unsigned long long bytes;

	(void)arg;
	if (entry->depth >= sum_count) {
		sum_count = entry->depth + 16;
		sums = xrealloc(sums, sum_count * sizeof(*sums));
	}
	if (entry->when != WALK_AFTER) {
		if (is_counted(entry->st))
			return true;
		bytes = entry->st->st_blocks * 512ULL;
		sums[entry->depth] = bytes;
		if (entry->when == WALK_BEFORE)
			return true;
	}
	bytes = sums[entry->depth];
	if (entry->depth)
		sums[entry->depth - 1] += bytes;
	else
		total += bytes;
	if (entry->depth <= max_depth &&
	    (entry->depth == 0 || entry->when == WALK_AFTER || files_too))
		print(bytes, entry->path);
	return true;
}

int main(int argc, char **argv)
{
	bool with_total = false;
	unsigned int flags = 0;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "achksxd:")) != -1) {
		if (option == '?' ||
		    (option == 'd' && parse_number(optarg, 0, 1 << 30, &max_depth) < 0))
			usage(synopsis);
		files_too |= option == 'a';
		with_total |= option == 'c';
		if (option == 'h' || option == 'k')
			human = option == 'h';
		if (option == 's')
			max_depth = 0;
		if (option == 'x')
			flags = WALK_ONE_DEVICE;
	}
	if (optind == argc)
		status = walk(".", flags, visit, NULL);
	for (; optind < argc; optind++)
		status |= walk(argv[optind], flags, visit, NULL);
	if (with_total)
		print(total, "total");
	return close_stdout(status);
}
