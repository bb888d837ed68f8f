/*
 * history.c - what was typed before; see history.h.
 *
 * Invariants: lines[0..count) are malloc()ed.  Locks: none; two shells may append to one file.
 */
#define _GNU_SOURCE
#include "usr/bin/sh/history.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/sh/memory.h"
#include "usr/bin/sh/vars.h"
#include "usr/lib/tool.h"

/* A file of more lines than this is cut to the last HISTORY_MAX when it is read. */
#define FILE_MAX (4 * HISTORY_MAX)

static char *lines[HISTORY_MAX];
static size_t count;
static size_t nr_dropped; /* lines that had to go: the numbers go on */

/* The file's name in @arena, or NULL. */
static const char *file_name(struct arena *arena)
{
	const char *name = var_get("HISTFILE");
	const char *home = var_get("HOME");
	struct strbuf path;

	if (name)
		return *name ? name : NULL;
	if (!home)
		return NULL;
	path = strbuf_in(arena);
	strbuf_add(&path, home, strlen(home));
	strbuf_add(&path, "/.sh_history", strlen("/.sh_history"));
	return path.text;
}

/* Returns false when @line is none to keep. */
static bool remember(const char *line)
{
	if (!line[strspn(line, " \t")] || (count && strcmp(lines[count - 1], line) == 0))
		return false;
	if (count == HISTORY_MAX) {
		free(lines[0]);
		memmove(lines, lines + 1, (HISTORY_MAX - 1) * sizeof(lines[0]));
		count--;
		nr_dropped++;
	}
	lines[count++] = xstrdup(line);
	return true;
}

/* Write what is in memory as a new file, which then takes the place of @path. */
static void rewrite(struct arena *arena, const char *path)
{
	struct strbuf new_path = strbuf_in(arena);
	FILE *file;
	int fd;

	strbuf_add(&new_path, path, strlen(path));
	strbuf_add(&new_path, ".new", strlen(".new"));
	fd = open(new_path.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!file)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(file, "%s\n", lines[i]);
	if (ferror(file) | fclose(file) || rename(new_path.text, path) < 0)
		unlink(new_path.text);
}

void history_load(void)
{
	static bool loaded;
	struct arena arena = { NULL };
	const char *path = loaded ? NULL : file_name(&arena);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t nr_lines = 0;
	char *line = NULL;
	size_t size = 0;
	struct stat st;

	loaded = true;
	if (file && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		while (getline(&line, &size, file) >= 0) {
			line[strcspn(line, "\n")] = '\0';
			remember(line);
			nr_lines++;
		}
		if (nr_lines > FILE_MAX)
			rewrite(&arena, path);
	}
	if (file)
		fclose(file);
	free(line);
	arena_free(&arena);
}

void history_add(const char *line)
{
	struct arena arena = { NULL };
	const char *path = remember(line) ? file_name(&arena) : NULL;
	struct strbuf text;
	int fd = -1;

	if (path)
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd >= 0) {
		text = strbuf_in(&arena);
		strbuf_add(&text, line, strlen(line));
		strbuf_add_char(&text, '\n');
		write_all(fd, text.text, text.length);
		close(fd);
	}
	arena_free(&arena);
}

size_t history_count(void)
{
	return count;
}

const char *history_line(size_t index)
{
	return lines[index];
}

int history_builtin(int argc, char **argv)
{
	long long last = HISTORY_MAX;

	if (argc == 2 && strcmp(argv[1], "-c") == 0) {
		while (count)
			free(lines[--count]);
		nr_dropped = 0;
		return 0;
	}
	if (argc > 2 || (argc == 2 && parse_number(argv[1], 0, INT_MAX, &last) < 0)) {
		warn("history: usage: history [-c | n]");
		return 2;
	}
	for (size_t i = count > (size_t)last ? count - last : 0; i < count; i++)
		printf("%5zu  %s\n", nr_dropped + i + 1, lines[i]);
	return 0;
}
