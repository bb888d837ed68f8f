/*
 * screen.h - the prompt and the line as rows of a terminal.
 *
 *	       0        columns
 *	row 0  ravel# cp a.c a|
 *	row 1  bc/ _          |      _ the cursor
 *
 * The rows are laid out here and ended by "\r\n", never by the terminal's own wrapping: that also
 * works on a serial line, where the terminal may be wider than the kernel believes. Only what
 * changed since the last screen_draw() is written. A line of more rows than the terminal has is
 * seen through a window that the cursor moves.
 *
 * Invariants: `drawn` is what is on the terminal after the prompt, `at` where its cursor is.
 * Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_SCREEN_H
#define RAVEL_USR_BIN_SH_SCREEN_H

#include "usr/bin/sh/line.h"

/* A place in the layout: row 0, column 0 is where the prompt begins. */
struct place {
	int row;
	int column;
};

struct screen {
	const char *prompt; /* one line of it; escape sequences in it take no room */
	int columns;
	int rows;
	int top; /* the first row that is seen */
	struct place at;
	struct place text_start; /* after the prompt */
	struct line drawn;	 /* its cursor is not used */
};

/* Ask the terminal for its size (80 x 24 when it does not know), and draw @prompt from here on. */
void screen_begin(struct screen *screen, const char *prompt);

/* Make the terminal show @line and its cursor. */
void screen_draw(struct screen *screen, const struct line *line);

/* Put another prompt in the place of the old one. Draws nothing but it. */
void screen_change_prompt(struct screen *screen, const char *prompt);

/* Go to a new row below the line, so that something else can be written. */
void screen_leave(struct screen *screen);

/* Empty the whole terminal and draw the prompt at its top. */
void screen_clear(struct screen *screen);

/* Columns that @text takes, for lists; control characters are shown as ^X. */
int screen_width(const char *text);

/* Write @text below a line that was left: in a column of @width, or @last of its row. */
void screen_print(const char *text, int width, bool last);

void screen_bell(void);

#endif
