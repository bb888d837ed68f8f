/*
 * line.c - a line of UTF-8 and its cursor; see line.h.
 *
 * Invariants: those of line.h.  Locks: none.
 * Source: RFC 3629 for UTF-8.
 */
#include "usr/bin/sh/line.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "usr/lib/tool.h"

#define FIRST_SIZE 128

size_t utf8_decode(const char *text, size_t length, int32_t *code)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = text[0];
	size_t bytes = first < 0x80 ? 1 :
		       first < 0xc2 ? 0 :
		       first < 0xe0 ? 2 :
		       first < 0xf0 ? 3 :
				      4;
	int32_t value = bytes > 1 ? first & (0x7f >> bytes) : first;

	*code = -1;
	if (bytes == 0 || bytes > length || first > 0xf4)
		return 1;
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (text[i] & 0x3f);
	}
	if (value < least[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 1;
	*code = value;
	return bytes;
}

static void make_room(struct line *line, size_t length)
{
	if (length < line->size)
		return;
	line->size = 2 * length + FIRST_SIZE;
	line->text = xrealloc(line->text, line->size);
}

void line_set(struct line *line, const char *text)
{
	size_t length = strlen(text);

	make_room(line, length);
	memmove(line->text, text, length + 1);
	line->length = line->cursor = length;
}

void line_insert(struct line *line, const char *text, size_t length)
{
	make_room(line, line->length + length);
	memmove(line->text + line->cursor + length, line->text + line->cursor,
		line->length - line->cursor + 1);
	memcpy(line->text + line->cursor, text, length);
	line->length += length;
	line->cursor += length;
}

void line_remove(struct line *line, size_t from, size_t to)
{
	memmove(line->text + from, line->text + to, line->length - to + 1);
	line->length -= to - from;
	line->cursor = from;
}

size_t line_after(const struct line *line, size_t offset)
{
	int32_t code;

	if (offset == line->length)
		return offset;
	return offset + utf8_decode(line->text + offset, line->length - offset, &code);
}

/* A character has four bytes at most: the one that ends at @offset begins at one of four places. */
size_t line_before(const struct line *line, size_t offset)
{
	for (size_t bytes = 4; bytes > 1; bytes--)
		if (bytes <= offset && line_after(line, offset - bytes) == offset)
			return offset - bytes;
	return offset ? offset - 1 : 0;
}

/* Does the byte at @offset belong to a word? Whatever is not ASCII does. */
static bool in_word(const struct line *line, size_t offset, bool by_blanks)
{
	unsigned char c = line->text[offset];

	return by_blanks ? c != ' ' && c != '\t' : c >= 0x80 || isalnum(c);
}

size_t line_word_start(const struct line *line, bool by_blanks)
{
	size_t offset = line->cursor;

	while (offset && !in_word(line, offset - 1, by_blanks))
		offset--;
	while (offset && in_word(line, offset - 1, by_blanks))
		offset--;
	return offset;
}

size_t line_word_end(const struct line *line)
{
	size_t offset = line->cursor;

	while (offset < line->length && !in_word(line, offset, false))
		offset++;
	while (offset < line->length && in_word(line, offset, false))
		offset++;
	return offset;
}

void line_transpose(struct line *line)
{
	size_t middle =
		line->cursor == line->length ? line_before(line, line->cursor) : line->cursor;
	size_t start = line_before(line, middle);
	size_t end = line_after(line, middle);
	char moved[4];

	if (start == middle)
		return;
	memcpy(moved, line->text + start, middle - start);
	memmove(line->text + start, line->text + middle, end - middle);
	memcpy(line->text + end - (middle - start), moved, middle - start);
	line->cursor = end;
}
