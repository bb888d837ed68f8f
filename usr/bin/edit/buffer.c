/*
 * buffer.c - the lines of the file that is edited; the contracts are in edit.h.
 *
 * Invariants: a save leaves the old file or the new one, never a part.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/bin/edit/edit.h"
#include "usr/lib/tool.h"

void buffer_insert_line(struct buffer *buffer, size_t index, const char *text, size_t length)
{
	struct line line = { xstrndup(text, length), length, length + 1 };

	if (buffer->count == buffer->room) {
		buffer->room = buffer->room ? 2 * buffer->room : 256;
		buffer->lines = xrealloc(buffer->lines, buffer->room * sizeof(line));
	}
	memmove(buffer->lines + index + 1, buffer->lines + index,
		(buffer->count - index) * sizeof(line));
	buffer->lines[index] = line;
	buffer->count++;
	buffer->changed = true;
}

void buffer_delete_line(struct buffer *buffer, size_t index)
{
	free(buffer->lines[index].text);
	buffer->count--;
	memmove(buffer->lines + index, buffer->lines + index + 1,
		(buffer->count - index) * sizeof(struct line));
	if (buffer->count == 0)
		buffer_insert_line(buffer, 0, "", 0);
	buffer->changed = true;
}

void line_insert(struct buffer *buffer, struct position at, const char *text, size_t length)
{
	struct line *line = &buffer->lines[at.line];

	if (line->length + length + 1 > line->room) {
		line->room = 2 * (line->length + length + 1);
		line->text = xrealloc(line->text, line->room);
	}
	memmove(line->text + at.byte + length, line->text + at.byte, line->length - at.byte + 1);
	memcpy(line->text + at.byte, text, length);
	line->length += length;
	buffer->changed = true;
}

void line_delete(struct buffer *buffer, struct position at, size_t length)
{
	struct line *line = &buffer->lines[at.line];

	memmove(line->text + at.byte, line->text + at.byte + length,
		line->length - at.byte - length + 1);
	line->length -= length;
	buffer->changed = true;
}

void buffer_split(struct buffer *buffer, struct position at)
{
	struct line *line = &buffer->lines[at.line];

	buffer_insert_line(buffer, at.line + 1, line->text + at.byte, line->length - at.byte);
	line = &buffer->lines[at.line];
	line->length = at.byte;
	line->text[at.byte] = '\0';
}

void buffer_join(struct buffer *buffer, size_t index)
{
	struct line *next = &buffer->lines[index + 1];
	struct position end = { index, buffer->lines[index].length };

	line_insert(buffer, end, next->text, next->length);
	buffer_delete_line(buffer, index + 1);
}

int buffer_load(struct buffer *buffer, const char *path)
{
	FILE *file = path ? fopen(path, "re") : NULL;
	char *text = NULL;
	size_t room = 0;
	ssize_t length;
	int error = 0;

	if (!file && path && errno != ENOENT)
		return -1;
	while (file && (length = getline(&text, &room, file)) > 0) {
		buffer->no_newline = text[length - 1] != '\n';
		buffer_insert_line(buffer, buffer->count, text, length - !buffer->no_newline);
	}
	if (file && ferror(file))
		error = errno;
	if (file)
		fclose(file);
	free(text);
	if (buffer->count == 0)
		buffer_insert_line(buffer, 0, "", 0);
	buffer->changed = false;
	errno = error;
	return error ? -1 : 0;
}

static int write_lines(const struct buffer *buffer, int fd)
{
	FILE *file = fdopen(fd, "w");
	bool failed;

	if (!file) {
		close(fd);
		return -1;
	}
	for (size_t i = 0; i < buffer->count; i++) {
		const struct line *line = &buffer->lines[i];
		bool last = i + 1 == buffer->count;

		fwrite(line->text, 1, line->length, file);
		/* An empty last line is what a newline at the end looks like in an empty file. */
		if (!last || (!buffer->no_newline && (line->length || i)))
			putc('\n', file);
	}
	failed = fflush(file) != 0 || (fsync(fd) < 0 && errno != EINVAL && errno != ENOSYS);
	return fclose(file) != 0 || failed ? -1 : 0;
}

int buffer_save(struct buffer *buffer, const char *path)
{
	char *real = realpath(path, NULL); /* a link stays one */
	struct stat st = { .st_mode = 0 };
	bool exists = real && stat(real, &st) == 0;
	char *new = NULL;
	int fd, result = -1, error;

	/* A device, or a name that others share, is written in place. */
	if (exists && (!S_ISREG(st.st_mode) || st.st_nlink > 1)) {
		fd = open(real, O_WRONLY | O_TRUNC | O_CLOEXEC);
		result = fd < 0 ? -1 : write_lines(buffer, fd);
		goto out;
	}
	if (asprintf(&new, "%s.edit%d", real ? real : path, getpid()) < 0)
		die(STATUS_FAILED, "out of memory");
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		goto out;
	if (exists &&
	    (fchown(fd, st.st_uid, st.st_gid) < 0 || fchmod(fd, st.st_mode & 07777) < 0)) {
		close(fd);
	} else {
		result = write_lines(buffer, fd);
	}
	if (result == 0)
		result = rename(new, real ? real : path);
	if (result < 0) {
		error = errno;
		unlink(new);
		errno = error;
	}
out:
	error = errno;
	free(new);
	free(real);
	if (result == 0)
		buffer->changed = false;
	errno = error;
	return result;
}

/* Find @text in @line at or behind @from. Returns its byte, or -1. */
static long line_search(const struct line *line, const char *text, size_t from)
{
	char *found = NULL;

	if (from <= line->length)
		found = memmem(line->text + from, line->length - from, text, strlen(text));
	return found ? found - line->text : -1;
}

bool buffer_search(const struct buffer *buffer, const char *text, struct position *at)
{
	for (size_t i = 0; i <= buffer->count; i++) {
		size_t index = (at->line + i) % buffer->count;
		long byte = line_search(&buffer->lines[index], text, i ? 0 : at->byte + 1);

		if (byte >= 0) {
			*at = (struct position){ index, byte };
			return true;
		}
	}
	return false;
}

static bool is_continuation(char c)
{
	return (c & 0xc0) == 0x80;
}

size_t next_size(const struct line *line, size_t byte)
{
	size_t size = byte < line->length;

	while (byte + size < line->length && is_continuation(line->text[byte + size]))
		size++;
	return size;
}

size_t previous_size(const struct line *line, size_t byte)
{
	size_t size = byte > 0;

	while (size < byte && is_continuation(line->text[byte - size]))
		size++;
	return size;
}

size_t column_of(const struct line *line, size_t byte)
{
	size_t column = 0;

	for (size_t i = 0; i < byte; i++) {
		if (line->text[i] == '\t')
			column += TAB_WIDTH - column % TAB_WIDTH;
		else
			column += !is_continuation(line->text[i]);
	}
	return column;
}

size_t byte_of(const struct line *line, size_t column)
{
	size_t byte = 0, size;

	while ((size = next_size(line, byte)) > 0 && column_of(line, byte + size) <= column)
		byte += size;
	return byte;
}
