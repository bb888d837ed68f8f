/*
 * stat.c - what the kernel knows of files; -L of what links point to, -f of their file systems,
 * -c FORMAT just this, a line for each file.
 *
 *	%n name %N with link %F type %s size %b blocks %B their size %o best size of reads %i inode
 *	%h links %a %A mode %u %U user %g %G group %d device %t %T device's numbers
 *	%x %X access %y %Y change %z %Z change of the inode (words, seconds)
 *
 * Invariants: none.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/ids.h"
#include "usr/lib/mode.h"
#include "usr/lib/path.h"
#include "usr/lib/tool.h"

static const char synopsis[] = "stat [-L] [-f] [-c format] file...";

static const char long_format[] = "  File: %N\n"
				  "  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\n"
				  "Device: %D\tInode: %-11i Links: %h%R\n"
				  "Access: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n"
				  "Access: %x\nModify: %y\nChange: %z\n";

static const char long_fs_format[] = "  File: \"%n\"\n"
				     "    ID: %-8i Namelen: %-7l Type: %T\n"
				     "Block size: %-10s Fundamental block size: %S\n"
				     "Blocks: Total: %-10b Free: %-10f Available: %a\n"
				     "Inodes: Total: %-10c Free: %d\n";

static const char *type_name(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return st->st_size ? "regular file" : "regular empty file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symbolic link";
	case S_IFCHR:
		return "character special file";
	case S_IFBLK:
		return "block special file";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}

static void format_time(const struct timespec *when, char *out, size_t size)
{
	char zone[16] = "", date[64] = "?";
	struct tm tm;

	if (localtime_r(&when->tv_sec, &tm)) {
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
	}
	snprintf(out, size, "%s.%09ld %s", date, when->tv_nsec, zone);
}

/* 'name', or 'name' -> 'target'. */
static void quoted_name(const char *path, const struct stat *st, bool quotes, char *out,
			size_t size)
{
	const char *quote = quotes ? "'" : "";
	char *target = S_ISLNK(st->st_mode) ? read_link(path) : NULL;

	snprintf(out, size, target ? "%s%s%s -> %s%s%s" : "%s%s%s", quote, path, quote, quote,
		 target ? target : "", quote);
	free(target);
}

/* A directive that is a text, into @out. Returns false when it is none of them. */
static bool text_of(char directive, const char *path, const struct stat *st, bool quotes, char *out,
		    size_t size)
{
	*out = '\0';
	switch (directive) {
	case 'n':
		snprintf(out, size, "%s", path);
		return true;
	case 'N':
		quoted_name(path, st, quotes, out, size);
		return true;
	case 'F':
		snprintf(out, size, "%s", type_name(st));
		return true;
	case 'A':
		format_mode(st->st_mode, out);
		return true;
	case 'U':
		snprintf(out, size, "%s", user_name(st->st_uid));
		return true;
	case 'G':
		snprintf(out, size, "%s", group_name(st->st_gid));
		return true;
	case 'D':
		snprintf(out, size, "%u,%u", major(st->st_dev), minor(st->st_dev));
		return true;
	case 'R': /* of a device only; just for the long format */
		if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
			snprintf(out, size, "     Device type: %u,%u", major(st->st_rdev),
				 minor(st->st_rdev));
		return true;
	case 'x':
		format_time(&st->st_atim, out, size);
		return true;
	case 'y':
		format_time(&st->st_mtim, out, size);
		return true;
	case 'z':
		format_time(&st->st_ctim, out, size);
		return true;
	}
	return false;
}

/* A directive that is a number, and the conversion that prints it: d, o or x; 0: no such one. */
static char number_of(char directive, const struct stat *st, long long *number)
{
	const struct {
		char directive, conversion;
		long long number;
	} table[] = {
		{ 's', 'd', st->st_size },
		{ 'b', 'd', st->st_blocks },
		{ 'B', 'd', 512 },
		{ 'o', 'd', st->st_blksize },
		{ 'i', 'd', st->st_ino },
		{ 'h', 'd', st->st_nlink },
		{ 'u', 'd', st->st_uid },
		{ 'g', 'd', st->st_gid },
		{ 'd', 'd', st->st_dev },
		{ 'a', 'o', st->st_mode & 07777 },
		{ 'f', 'x', st->st_mode },
		{ 't', 'x', major(st->st_rdev) },
		{ 'T', 'x', minor(st->st_rdev) },
		{ 'X', 'd', st->st_atime },
		{ 'Y', 'd', st->st_mtime },
		{ 'Z', 'd', st->st_ctime },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].directive != directive)
			continue;
		*number = table[i].number;
		return table[i].conversion;
	}
	return 0;
}

static char fs_number_of(char directive, const struct statfs *fs, long long *number)
{
	const struct {
		char directive, conversion;
		long long number;
	} table[] = {
		{ 'b', 'd', fs->f_blocks }, { 'f', 'd', fs->f_bfree },
		{ 'a', 'd', fs->f_bavail }, { 's', 'd', fs->f_bsize },
		{ 'S', 'd', fs->f_frsize }, { 'c', 'd', fs->f_files },
		{ 'd', 'd', fs->f_ffree },  { 'l', 'd', fs->f_namelen },
		{ 't', 'x', fs->f_type },   { 'i', 'x', 0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].directive != directive)
			continue;
		*number = table[i].number;
		if (directive == 'i')
			memcpy(number, &fs->f_fsid, sizeof(*number));
		return table[i].conversion;
	}
	return 0;
}

static const char *fs_type_name(const struct statfs *fs)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} types[] = {
		{ 0xef53, "ext2/ext3" },
		{ 0x01021994, "tmpfs" },
		{ 0x9fa0, "proc" },
		{ 0x1373, "devfs" },
	};
	static char number[32];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((unsigned long)fs->f_type == types[i].magic)
			return types[i].name;
	snprintf(number, sizeof(number), "UNKNOWN (0x%lx)", (unsigned long)fs->f_type);
	return number;
}

/* One directive with its flags and width; exactly one of @st and @fs is not NULL. */
static void print_directive(const char *flags, char directive, const char *path,
			    const struct stat *st, const struct statfs *fs, bool quotes)
{
	char format[40], text[8300];
	char conversion;
	long long number = 0;

	conversion = st ? number_of(directive, st, &number) : fs_number_of(directive, fs, &number);
	if (conversion) {
		snprintf(format, sizeof(format), "%%%sll%c", flags, conversion);
		printf(format, number);
		return;
	}
	if (fs && (directive == 'T' || directive == 'n'))
		snprintf(text, sizeof(text), "%s", directive == 'n' ? path : fs_type_name(fs));
	else if (!st || !text_of(directive, path, st, quotes, text, sizeof(text)))
		snprintf(text, sizeof(text), directive == '%' ? "%%" : "?");
	snprintf(format, sizeof(format), "%%%ss", flags);
	printf(format, text);
}

static void print(const char *format, const char *path, const struct stat *st,
		  const struct statfs *fs)
{
	bool quotes = format != long_format;
	char flags[16];

	while (*format) {
		size_t length;

		if (*format != '%' || !format[1]) {
			putchar(*format++);
			continue;
		}
		length = strspn(++format, "-0 +#123456789.");
		if (length >= sizeof(flags) || !format[length])
			die(STATUS_FAILED, "a format ends in a %% without its letter");
		memcpy(flags, format, length);
		flags[length] = '\0';
		print_directive(flags, format[length], path, st, fs, quotes);
		format += length + 1;
	}
}

static int show(const char *path, const char *format, bool follow, bool file_system)
{
	struct statfs fs;
	struct stat st;

	if (file_system ? statfs(path, &fs) < 0 : (follow ? stat : lstat)(path, &st) < 0) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	if (format) {
		print(format, path, file_system ? NULL : &st, file_system ? &fs : NULL);
		putchar('\n');
	} else if (file_system) {
		print(long_fs_format, path, NULL, &fs);
	} else {
		print(long_format, path, &st, NULL);
	}
	return 0;
}

int main(int argc, char **argv)
{
	bool follow = false, file_system = false;
	const char *format = NULL;
	int status = 0;
	int option;

	while ((option = getopt(argc, argv, "Lfc:")) != -1) {
		if (option == '?')
			usage(synopsis);
		follow |= option == 'L';
		file_system |= option == 'f';
		if (option == 'c')
			format = optarg;
	}
	if (optind == argc)
		usage(synopsis);
	for (; optind < argc; optind++)
		status |= show(argv[optind], format, follow, file_system);
	return close_stdout(status);
}
