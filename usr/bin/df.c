/*
 * df.c - how full the file systems are: all that have blocks, or those of the files named.
 *
 *	-h readable sizes, -k KiB (the default), -i inodes instead of blocks, -a those without too
 *
 * Invariants: what is used and what is available need not make up the size: some is reserved for
 * root.  Locks: none.
 */
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "usr/lib/mounts.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "df [-ahik] [file...]";

static bool human, inodes, all;

static void print_amount(unsigned long long amount)
{
	char text[32];

	if (!human || inodes)
		sprintf(text, "%llu", inodes ? amount : (amount + 1023) / 1024);
	else
		format_human(amount, text);
	printf(" %*s", human ? 6 : 10, text);
}

static void print(const struct mount_line *line, const struct statvfs *fs)
{
	unsigned long long unit = inodes ? 1 : fs->f_frsize;
	unsigned long long total = inodes ? fs->f_files : fs->f_blocks;
	unsigned long long unused = inodes ? fs->f_ffree : fs->f_bfree;
	unsigned long long available = inodes ? fs->f_favail : fs->f_bavail;
	unsigned long long used = total - unused;

	printf("%-14s", line->source);
	print_amount(total * unit);
	print_amount(used * unit);
	print_amount(available * unit);
	if (used + available)
		printf(" %3llu%%", (used * 100 + used + available - 1) / (used + available));
	else
		printf("    -");
	printf(" %s\n", line->target);
}

static void print_header(void)
{
	int width = human ? 6 : 10;

	printf("%-14s %*s %*s %*s %s Mounted on\n", "Filesystem", width,
	       inodes ? "Inodes" :
	       human  ? "Size" :
			"1K-blocks",
	       width, inodes ? "IUsed" : "Used", width,
	       inodes ? "IFree" :
	       human  ? "Avail" :
			"Available",
	       inodes ? "IUse%" : "Use%");
}

/* The mount that @path is on: the last one whose root has the same device. */
static int print_of(const char *path)
{
	struct mount_line line, found = { "-", "-", "", "" };
	struct stat st, root;
	struct statvfs fs;
	FILE *file;

	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	file = mounts_open();
	while (mounts_next(file, &line))
		if (stat(line.target, &root) == 0 && root.st_dev == st.st_dev)
			found = line;
	fclose(file);
	print(&found, &fs);
	return 0;
}

static void print_all(void)
{
	FILE *file = mounts_open();
	struct mount_line line;
	struct statvfs fs;

	while (mounts_next(file, &line))
		if (statvfs(line.target, &fs) == 0 && (all || fs.f_blocks))
			print(&line, &fs);
	fclose(file);
}

int main(int argc, char **argv)
{
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "ahik")) != -1) {
		if (option == '?')
			usage(synopsis);
		all |= option == 'a';
		inodes |= option == 'i';
		if (option == 'h' || option == 'k')
			human = option == 'h';
	}
	print_header();
	if (optind == argc)
		print_all();
	for (; optind < argc; optind++)
		status |= print_of(argv[optind]);
	return close_stdout(status);
}
