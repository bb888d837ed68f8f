/*
 * glob.c - file names from patterns, one path component at a time.
 *
 *   u?r/b*n/x   ->  list the directory "", keep what matches u?r, go on below each with b*n/x
 *
 * Invariants: a name that starts with a dot is matched only by a pattern that does.  Locks: none.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "usr/bin/sh/expand.h"
#include "usr/lib/tool.h"

bool glob_is_pattern(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '\\')
			pattern++;
		else if (strchr("*?[", *pattern))
			return true;
	}
	return false;
}

static void match_below(struct arena *arena, struct strbuf path, const char *pattern,
			struct fields *fields);

/* @path plus @name, one component; then the rest of the pattern, or the end. */
static void descend(struct arena *arena, const struct strbuf *path, const char *name,
		    const char *rest, struct fields *fields)
{
	struct strbuf longer = strbuf_in(arena);
	struct stat st;

	strbuf_add(&longer, path->text, path->length);
	strbuf_add(&longer, name, strlen(name));
	if (lstat(longer.text, &st) < 0)
		return;
	if (!*rest) {
		fields_add(arena, fields, longer.text);
		return;
	}
	if (stat(longer.text, &st) < 0 || !S_ISDIR(st.st_mode))
		return;
	match_below(arena, longer, rest, fields);
}

static void match_directory(struct arena *arena, const struct strbuf *path, const char *component,
			    const char *rest, struct fields *fields)
{
	DIR *dir = opendir(path->length ? path->text : ".");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (fnmatch(component, entry->d_name, FNM_PERIOD) == 0)
			descend(arena, path, entry->d_name, rest, fields);
	closedir(dir);
}

static void match_below(struct arena *arena, struct strbuf path, const char *pattern,
			struct fields *fields)
{
	char *component;
	char *plain;
	size_t length;

	while (*pattern == '/')
		strbuf_add_char(&path, *pattern++);
	length = strcspn(pattern, "/");
	component = arena_copy(arena, pattern, length);
	pattern += length;
	if (!*component) {
		fields_add(arena, fields, path.text);
	} else if (glob_is_pattern(component)) {
		match_directory(arena, &path, component, pattern, fields);
	} else {
		plain = component;
		for (const char *from = component; *from; from++) {
			if (*from == '\\')
				from++;
			*plain++ = *from;
		}
		*plain = '\0';
		descend(arena, &path, component, pattern, fields);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int glob_paths(struct arena *arena, const char *pattern, struct fields *fields)
{
	int before = fields->count;

	match_below(arena, strbuf_in(arena), pattern, fields);
	qsort(fields->list + before, fields->count - before, sizeof(char *), compare);
	return fields->count - before;
}
