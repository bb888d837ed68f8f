/*
 * ls.c - list directories.
 *
 *	-l long, -a also names that start with a dot, -1 one name a line, -R directories below too,
 *	-d directories as themselves, -h sizes in K, M, G
 *
 * Owners are shown as numbers: there is no user data base.
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

static bool long_format, all, one_column, recursive, directories_plain, human;

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Add @name, found in @directory (NULL: the name is the path). Returns 0, or 1 after a message. */
static int listing_add(struct listing *listing, const char *directory, const char *name,
		       bool follow)
{
	struct entry *entry;
	char *path;
	struct stat st;

	if (directory) {
		path = xmalloc(strlen(directory) + strlen(name) + 2);
		sprintf(path, "%s%s%s", directory,
			directory[strlen(directory) - 1] == '/' ? "" : "/", name);
	} else {
		path = xstrdup(name);
	}
	if ((!follow || stat(path, &st) < 0) && lstat(path, &st) < 0) {
		warn_errno("%s", path);
		free(path);
		return STATUS_FAILED;
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

static void format_mode(mode_t mode, char *out)
{
	static const char types[16] = "?pc?d?b?-?l?s???";

	out[0] = types[(mode & S_IFMT) >> 12];
	for (int i = 0; i < 9; i++)
		out[1 + i] = mode & (0400 >> i) ? "rwx"[i % 3] : '-';
	if (mode & S_ISUID)
		out[3] = mode & S_IXUSR ? 's' : 'S';
	if (mode & S_ISGID)
		out[6] = mode & S_IXGRP ? 's' : 'S';
	if (mode & S_ISVTX)
		out[9] = mode & S_IXOTH ? 't' : 'T';
	out[10] = '\0';
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

	if (!gmtime_r(&when, &tm))
		snprintf(out, size, "?");
	else
		strftime(out, size, recent ? "%b %e %H:%M" : "%b %e  %Y", &tm);
}

static void print_long(const struct entry *entry, int size_width, int links_width)
{
	char mode[12], size[40], when[32], target[4096];
	ssize_t n;

	format_mode(entry->st.st_mode, mode);
	format_size(&entry->st, size);
	format_time(entry->st.st_mtime, when, sizeof(when));
	printf("%s %*lu %u %u %*s %s %s", mode, links_width, (unsigned long)entry->st.st_nlink,
	       entry->st.st_uid, entry->st.st_gid, size_width, size, when, entry->name);
	if (S_ISLNK(entry->st.st_mode)) {
		n = readlink(entry->path, target, sizeof(target) - 1);
		if (n >= 0)
			printf(" -> %.*s", (int)n, target);
	}
	putchar('\n');
}

static void print_all_long(const struct listing *listing)
{
	int size_width = 0, links_width = 0;
	char text[40];
	int width;

	for (size_t i = 0; i < listing->count; i++) {
		format_size(&listing->entries[i].st, text);
		width = strlen(text);
		if (width > size_width)
			size_width = width;
		width = sprintf(text, "%lu", (unsigned long)listing->entries[i].st.st_nlink);
		if (width > links_width)
			links_width = width;
	}
	for (size_t i = 0; i < listing->count; i++)
		print_long(&listing->entries[i], size_width, links_width);
}

static void print_columns(const struct listing *listing)
{
	struct winsize window;
	size_t width = 0, columns = 1, rows;

	for (size_t i = 0; i < listing->count; i++)
		if (strlen(listing->entries[i].name) > width)
			width = strlen(listing->entries[i].name);
	if (!one_column) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0)
			window.ws_col = 80;
		columns = window.ws_col / (width + 2);
		if (columns == 0)
			columns = 1;
	}
	rows = (listing->count + columns - 1) / columns;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < listing->count; i += rows) {
			if (i + rows < listing->count)
				printf("%-*s", (int)width + 2, listing->entries[i].name);
			else
				puts(listing->entries[i].name);
		}
	}
}

static void print_listing(struct listing *listing)
{
	if (listing->count == 0)
		return;
	qsort(listing->entries, listing->count, sizeof(*listing->entries), compare);
	if (long_format)
		print_all_long(listing);
	else
		print_columns(listing);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int list_directory(const char *path, bool headed)
{
	struct listing listing = { NULL, 0 };
	DIR *dir = opendir(path);
	struct dirent *entry;
	int status = 0;

	if (!dir) {
		warn_errno("%s", path);
		return STATUS_FAILED;
	}
	errno = 0;
	while ((entry = readdir(dir)) != NULL) {
		if (all || entry->d_name[0] != '.')
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
	if (directories.count)
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

int main(int argc, char **argv)
{
	char *here[] = { ".", NULL };
	int option;

	one_column = !isatty(STDOUT_FILENO);
	while ((option = getopt(argc, argv, "la1Rdh")) != -1) {
		if (option == '?')
			usage("ls [-la1Rdh] [file...]");
		long_format |= option == 'l';
		all |= option == 'a';
		one_column |= option == '1';
		recursive |= option == 'R';
		directories_plain |= option == 'd';
		human |= option == 'h';
	}
	if (optind == argc)
		return close_stdout(list_arguments(here, 1));
	return close_stdout(list_arguments(argv + optind, argc - optind));
}
