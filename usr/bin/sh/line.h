/*
 * line.h - the line that is being typed: bytes of UTF-8, and a cursor between two characters.
 *
 *	text   e c h o   g r ü ß e
 *	               ^cursor   ^length        (offsets in bytes)
 *
 * A byte that is no UTF-8 is a character of its own, so that nothing a user pastes can be lost.
 *
 * Invariants: cursor <= length < size; text[length] is NUL; the cursor is never inside a character.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_LINE_H
#define RAVEL_USR_BIN_SH_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
	char *text; /* malloc()ed; NULL before the first line_set() */
	size_t length;
	size_t cursor;
	size_t size;
};

/* Read the character at @text, of @length > 0 bytes: its code, or -1. Returns its bytes. */
size_t utf8_decode(const char *text, size_t length, int32_t *code);

/* Make the line a copy of @text, with the cursor at its end. */
void line_set(struct line *line, const char *text);

/* Insert @length bytes of @text before the cursor. */
void line_insert(struct line *line, const char *text, size_t length);

/* Remove the bytes [@from, @to) and leave the cursor where they were. */
void line_remove(struct line *line, size_t from, size_t to);

/* The offsets of the characters before and after @offset; the ends of the line are their own. */
size_t line_before(const struct line *line, size_t offset);
size_t line_after(const struct line *line, size_t offset);

/*
 * Where the word left of the cursor begins, and where the one right of it ends. Words are of
 * letters and digits, or with @by_blanks of everything that is no blank.
 */
size_t line_word_start(const struct line *line, bool by_blanks);
size_t line_word_end(const struct line *line);

/* Exchange the characters around the cursor and step over them; at the end the last two. */
void line_transpose(struct line *line);

#endif
