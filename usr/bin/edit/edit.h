/*
 * edit.h - a small editor of text files that fills the screen.
 *
 *	main.c keys --> buffer.c the lines --> screen.c what is seen of them
 *	           \--> prompt.c a line of input at the bottom: names, searches, questions
 *
 * Invariants: the buffer has at least one line; cursor.line < count; cursor.byte <= its length.
 * Bytes of 128 and above are parts of UTF-8 characters: the cursor never stands inside of one.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_EDIT_EDIT_H
#define RAVEL_USR_BIN_EDIT_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#define TAB_WIDTH 8

struct line {
	char *text; /* without its newline; NUL at the end */
	size_t length, room;
};

struct position {
	size_t line, byte;
};

struct buffer {
	struct line *lines;
	size_t count, room;
	bool changed;
	bool no_newline; /* the last line of the file has none */
};

struct editor {
	struct buffer buffer;
	struct position cursor;
	size_t top, left; /* the first line and column on the screen */
	size_t goal;	  /* the column that up and down keep to */
	const char *path; /* NULL: no name yet */
	char message[160];
	char search[128];
	struct line *cut; /* lines that ^K took, for ^U */
	size_t cut_count;
};

/* ---- buffer.c */

/*
 * Read @path; a file that is not there is an empty buffer. Returns 0, or -1 with errno.
 */
int buffer_load(struct buffer *buffer, const char *path);

/* Write to @path, by way of a new file that replaces it. Returns 0, or -1 with errno. */
int buffer_save(struct buffer *buffer, const char *path);

/* Insert or delete bytes of one line; insert or delete a line. */
void line_insert(struct buffer *buffer, struct position at, const char *text, size_t length);
void line_delete(struct buffer *buffer, struct position at, size_t length);
void buffer_insert_line(struct buffer *buffer, size_t index, const char *text, size_t length);
void buffer_delete_line(struct buffer *buffer, size_t index);

/* Break the line at @at in two; join line @index with the next. */
void buffer_split(struct buffer *buffer, struct position at);
void buffer_join(struct buffer *buffer, size_t index);

/* Find @text behind *@at, around the end to the start. Returns false when it is nowhere. */
bool buffer_search(const struct buffer *buffer, const char *text, struct position *at);

/* The column of byte @byte in @line, tabs counted; the byte at or before a column. */
size_t column_of(const struct line *line, size_t byte);
size_t byte_of(const struct line *line, size_t column);

/* The bytes of the character that starts, or ends, at @byte. */
size_t next_size(const struct line *line, size_t byte);
size_t previous_size(const struct line *line, size_t byte);

/* ---- screen.c */

/* Show the editor; @prompt, if not NULL, in the last row with the cursor behind it. */
void screen_draw(struct editor *editor, const char *prompt);

/* Rows of text on the screen. */
int screen_rows(void);

/* Clear the screen: the end. */
void screen_clear(void);

/* ---- prompt.c */

/* Ask for a line of text, @text before. Returns false when it was cancelled, or stays empty. */
bool prompt(struct editor *editor, const char *question, char *text, size_t size);

/* Ask a question that is answered by y or n. Returns 'y', 'n', or 0 when it was cancelled. */
int prompt_yes(struct editor *editor, const char *question);

#endif
