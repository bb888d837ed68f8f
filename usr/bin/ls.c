/*
 * ls.c - list directories.
 *
 *	-l long, -n long with owners as numbers, -a also names that start with a dot (-A not . and
 *	..), -1 one name a line, -C columns, -R directories below too, -d directories as themselves,
 *	-h sizes in K, M, G, -i inode numbers, -s blocks, -F a mark for the type; sorted by name, or
 *	-t time, -S size, -U not at all, -r backwards
 *
 * Invariants: a listing is read whole, sorted, then printed.  Locks: none.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/ids.h"
#include "usr/lib/mode.h"
#include "usr/lib/path.h"
#include "usr/lib/tool.h"

#define HALF_YEAR (182 * 24 * 3600)

struct entry {
	char *name; /* as it is shown */
	char *path; /* as it is opened */
	struct stat st;
};

struct listing {
	struct entry *entries;
	size_t count;
};

static bool long_format, all, dots, one_column, recursive, directories_plain, human, numeric;
static bool inodes, marks, blocks, reverse;
static int sort_key = 'n'; /* n: name, t: time, S: size, U: none */

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const struct timespec *s = &x->st.st_mtim, *t = &y->st.st_mtim;
	int result = 0;

	if (sort_key == 'S')
		result = (x->st.st_size < y->st.st_size) - (x->st.st_size > y->st.st_size);
	else if (sort_key == 't' && s->tv_sec != t->tv_sec)
		result = s->tv_sec < t->tv_sec ? 1 : -1;
	else if (sort_key == 't')
		result = (s->tv_nsec < t->tv_nsec) - (s->tv_nsec > t->tv_nsec);
	if (!result)
		result = strcmp(x->name, y->name);
	return reverse ? -result : result;
}

/* Add @name, found in @directory (NULL: the name is the path). Returns 0, or 1 after a message. */
static int listing_add(struct listing *listing, const char *directory, const char *name,
		       bool follow)
{
	struct entry *entry;
	char *path = directory ? path_join(directory, name) : xstrdup(name);
	struct stat st;

	if ((!follow || stat(path, &st) < 0) && lstat(path, &st) < 0) {
		warn_errno("%s", path);
		free(path);
		return directory ? 1 : STATUS_TROUBLE;
	}
	listing->entries = xrealloc(listing->entries, (listing->count + 1) * sizeof(*entry));
	entry = &listing->entries[listing->count++];
	entry->name = xstrdup(name);
	entry->path = path;
	entry->st = st;
	return 0;
}

static void listing_free(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++) {
		free(listing->entries[i].name);
		free(listing->entries[i].path);
	}
	free(listing->entries);
}

static void format_size(const struct stat *st, char *out)
{
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		sprintf(out, "%u, %u", major(st->st_rdev), minor(st->st_rdev));
	else if (human)
		format_human(st->st_size, out);
	else
		sprintf(out, "%lld", (long long)st->st_size);
}

static void format_time(time_t when, char *out, size_t size)
{
	time_t now = time(NULL);
	bool recent = when > now - HALF_YEAR && when <= now + 3600;
	struct tm tm;

	if (!localtime_r(&when, &tm))
		snprintf(out, size, "?");
	else
		strftime(out, size, recent ? "%b %e %H:%M" : "%b %e  %Y", &tm);
}

/* What -F puts behind a name. */
static const char *mark_of(const struct stat *st)
{
	if (!marks)
		return "";
	switch (st->st_mode & S_IFMT) {
	case S_IFDIR:
		return "/";
	case S_IFLNK:
		return long_format ? "" : "@";
	case S_IFIFO:
		return "|";
	case S_IFSOCK:
		return "=";
	default:
		return S_ISREG(st->st_mode) && st->st_mode & 0111 ? "*" : "";
	}
}

/* The columns of the long format: what stands in each, and how wide the widest is. */
enum { LINKS, USER, GROUP, SIZE, COLUMNS };

static void format_columns(const struct stat *st, char texts[COLUMNS][64])
{
	sprintf(texts[LINKS], "%lu", (unsigned long)st->st_nlink);
	if (numeric) {
		sprintf(texts[USER], "%u", st->st_uid);
		sprintf(texts[GROUP], "%u", st->st_gid);
	} else {
		snprintf(texts[USER], 64, "%s", user_name(st->st_uid));
		snprintf(texts[GROUP], 64, "%s", group_name(st->st_gid));
	}
	format_size(st, texts[SIZE]);
}

/* Inode and blocks, in front of a name. Returns their width, as snprintf() for a NULL @out. */
static int format_front(const struct stat *st, char *out, size_t size)
{
	char amount[32];
	int length = 0;

	if (inodes)
		length = snprintf(out, size, "%8lu ", (unsigned long)st->st_ino);
	if (!blocks)
		return length;
	if (human)
		format_human(st->st_blocks * 512ULL, amount);
	else
		snprintf(amount, sizeof(amount), "%lu", (unsigned long)st->st_blocks / 2);
	return length +
	       snprintf(out ? out + length : NULL, out ? size - length : 0, "%5s ", amount);
}

static void print_front(const struct stat *st)
{
	char front[64] = "";

	format_front(st, front, sizeof(front));
	fputs(front, stdout);
}

static void print_long(const struct entry *entry, const int *widths)
{
	char mode[12], when[32], texts[COLUMNS][64];
	char *target;

	format_mode(entry->st.st_mode, mode);
	format_columns(&entry->st, texts);
	format_time(entry->st.st_mtime, when, sizeof(when));
	print_front(&entry->st);
	printf("%s %*s %-*s %-*s %*s %s %s%s", mode, widths[LINKS], texts[LINKS], widths[USER],
	       texts[USER], widths[GROUP], texts[GROUP], widths[SIZE], texts[SIZE], when,
	       entry->name, mark_of(&entry->st));
	target = S_ISLNK(entry->st.st_mode) ? read_link(entry->path) : NULL;
	printf("%s%s\n", target ? " -> " : "", target ? target : "");
	free(target);
}

static void print_all_long(const struct listing *listing)
{
	int widths[COLUMNS] = { 0, 0, 0, 0 };
	char texts[COLUMNS][64];

	for (size_t i = 0; i < listing->count; i++) {
		format_columns(&listing->entries[i].st, texts);
		for (int column = 0; column < COLUMNS; column++)
			if ((int)strlen(texts[column]) > widths[column])
				widths[column] = strlen(texts[column]);
	}
	for (size_t i = 0; i < listing->count; i++)
		print_long(&listing->entries[i], widths);
}

static void print_columns(const struct listing *listing)
{
	struct winsize window;
	size_t width = 0, columns = 1, rows;

	for (size_t i = 0; i < listing->count; i++) {
		const struct entry *entry = &listing->entries[i];
		size_t length = strlen(entry->name) + strlen(mark_of(&entry->st)) +
				format_front(&entry->st, NULL, 0);

		width = length > width ? length : width;
	}
	if (!one_column) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0)
			window.ws_col = 80;
		columns = (window.ws_col + 1) / (width + 2);
		if (columns == 0)
			columns = 1;
	}
	rows = (listing->count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < listing->count; i += rows) {
			const struct entry *entry = &listing->entries[i];
			int used = format_front(&entry->st, NULL, 0);

			print_front(&entry->st);
			used += printf("%s%s", entry->name, mark_of(&entry->st));
			if (i + rows < listing->count)
				printf("%*s", (int)width + 2 - used, "");
		}
		putchar('\n');
	}
}

static void print_listing(struct listing *listing)
{
	if (listing->count == 0)
		return;
	if (sort_key != 'U')
		qsort(listing->entries, listing->count, sizeof(*listing->entries), compare);
	if (long_format)
		print_all_long(listing);
	else
		print_columns(listing);
}

static bool is_shown(const char *name)
{
	return name[0] != '.' || (all && (dots || !is_dots(name)));
}

/* "total 24": the blocks of the listing, in KiB. */
static void print_total(const struct listing *listing)
{
	unsigned long long total = 0;
	char text[32];

	for (size_t i = 0; i < listing->count; i++)
		total += listing->entries[i].st.st_blocks * 512ULL;
	if (human)
		format_human(total, text);
	else
		sprintf(text, "%llu", total / 1024);
	printf("total %s\n", text);
}

static int list_directory(const char *path, bool headed)
{
	struct listing listing = { NULL, 0 };
	DIR *dir = opendir(path);
	struct dirent *entry;
	int status = 0;

	if (!dir) {
		warn_errno("%s", path);
		return headed ? STATUS_FAILED : STATUS_TROUBLE;
	}
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		if (is_shown(entry->d_name))
			status |= listing_add(&listing, path, entry->d_name, false);
		errno = 0;
	}
	if (errno) {
		warn_errno("%s", path);
		status = STATUS_FAILED;
	}
	closedir(dir);
	if (headed)
		printf("%s:\n", path);
	if (long_format || blocks)
		print_total(&listing);
	print_listing(&listing);
	for (size_t i = 0; recursive && i < listing.count; i++) {
		if (!S_ISDIR(listing.entries[i].st.st_mode) || is_dots(listing.entries[i].name))
			continue;
		putchar('\n');
		status |= list_directory(listing.entries[i].path, true);
	}
	listing_free(&listing);
	return status;
}

/* The arguments that are files together, then each directory. */
static int list_arguments(char **names, int count)
{
	struct listing files = { NULL, 0 }, directories = { NULL, 0 };
	bool headed = count > 1 || recursive;
	struct stat st;
	int status = 0;

	for (int i = 0; i < count; i++) {
		bool plain = directories_plain ||
			     (long_format && lstat(names[i], &st) == 0 && S_ISLNK(st.st_mode));
		bool is_directory = !plain && stat(names[i], &st) == 0 && S_ISDIR(st.st_mode);

		status |= listing_add(is_directory ? &directories : &files, NULL, names[i], !plain);
	}
	print_listing(&files);
	if (directories.count && sort_key != 'U')
		qsort(directories.entries, directories.count, sizeof(struct entry), compare);
	for (size_t i = 0; i < directories.count; i++) {
		if (i > 0 || files.count)
			putchar('\n');
		status |= list_directory(directories.entries[i].path, headed);
	}
	listing_free(&files);
	listing_free(&directories);
	return status;
}

static void set_option(int option)
{
	switch (option) {
	case 'l':
	case 'n':
		long_format = true;
		numeric |= option == 'n';
		break;
	case 'a':
	case 'A':
		all = true;
		dots = option == 'a';
		break;
	case '1':
	case 'C':
		one_column = option == '1';
		break;
	case 't':
	case 'S':
	case 'U':
		sort_key = option;
		break;
	}
	recursive |= option == 'R';
	directories_plain |= option == 'd';
	human |= option == 'h';
	inodes |= option == 'i';
	blocks |= option == 's';
	marks |= option == 'F';
	reverse |= option == 'r';
}

int main(int argc, char **argv)
{
	char *here[] = { ".", NULL };
	int status, option;

	one_column = !isatty(STDOUT_FILENO);
	while ((option = getopt(argc, argv, "laAn1CRdhisFtSUr")) != -1) {
		if (option == '?')
			usage_status(STATUS_TROUBLE, "ls [-1aACdFhilnrRsStU] [file...]");
		set_option(option);
	}
	if (optind == argc)
		status = list_arguments(here, 1);
	else
		status = list_arguments(argv + optind, argc - optind);
	return close_stdout(status & STATUS_TROUBLE ? STATUS_TROUBLE : status);
}
