/*
 * path.c - names of files; the contracts are in path.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/tool.h"

char *path_join(const char *directory, const char *name)
{
	size_t length = strlen(directory);
	char *path = xmalloc(length + strlen(name) + 2);
	bool slash = length > 0 && directory[length - 1] != '/';

	sprintf(path, "%s%s%s", directory, slash ? "/" : "", name);
	return path;
}

/* The length of @path without slashes at its end; a lone slash stays. */
static size_t trimmed(const char *path)
{
	size_t length = strlen(path);

	while (length > 1 && path[length - 1] == '/')
		length--;
	return length;
}

char *path_base(const char *path)
{
	size_t end = trimmed(path), start = end;

	while (start > 0 && path[start - 1] != '/')
		start--;
	if (start == end && end > 0)
		start--; /* "/" itself */
	return xstrndup(path + start, end - start);
}

char *path_parent(const char *path)
{
	size_t end = trimmed(path);

	while (end > 0 && path[end - 1] != '/')
		end--;
	while (end > 1 && path[end - 1] == '/')
		end--;
	return end ? xstrndup(path, end) : xstrdup(".");
}

bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

char *read_link(const char *path)
{
	size_t size = 128;
	char *target = NULL;
	ssize_t n;

	do {
		size *= 2;
		target = xrealloc(target, size);
		n = readlink(path, target, size);
	} while (n == (ssize_t)size);
	if (n < 0) {
		free(target);
		return NULL;
	}
	target[n] = '\0';
	return target;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_read(struct names *names, const char *path)
{
	DIR *dir = opendir(path);
	size_t room = 0;
	struct dirent *entry;
	int error;

	names->names = NULL;
	names->count = 0;
	if (!dir)
		return -1;
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		if (is_dots(entry->d_name))
			continue;
		if (names->count == room) {
			room = room ? room * 2 : 32;
			names->names = xrealloc(names->names, room * sizeof(char *));
		}
		names->names[names->count++] = xstrdup(entry->d_name);
	}
	error = errno;
	closedir(dir);
	if (error) {
		names_free(names);
		errno = error;
		return -1;
	}
	if (names->count)
		qsort(names->names, names->count, sizeof(char *), compare);
	return 0;
}

void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
	free(names->names);
	names->names = NULL;
	names->count = 0;
}

void path_unescape(char *text)
{
	unsigned int byte;
	char *out = text;

	while (*text) {
		if (*text == '\\' && sscanf(text + 1, "%3o", &byte) == 1) {
			*out++ = byte;
			text += 4;
		} else {
			*out++ = *text++;
		}
	}
	*out = '\0';
}
