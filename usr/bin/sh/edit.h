/*
 * edit.h - the line editor: keys to lines.
 *
 *	terminal_read() --bytes--> keys --> edit.c --> line.c --> screen.c --> terminal
 *	                                      |
 *	                                      '--> history.c, complete.c
 *
 * Invariants: outside of edit_read() the terminal is as commands want it.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_EDIT_H
#define RAVEL_USR_BIN_SH_EDIT_H

#include <stdbool.h>

enum edit_result {
	EDIT_LINE,
	EDIT_EOF,	  /* ^D on an empty line, or the terminal is gone */
	EDIT_INTERRUPTED, /* ^C */
	EDIT_NO_TERMINAL, /* nothing was shown or read: read the line without an editor */
};

/* Is there a person at a terminal that can be drawn on? */
bool edit_is_possible(void);

/*
 * Show @prompt and let a line be typed. *@text is the line, a newline at its end, and holds until
 * the next call; it is also in the history.
 */
enum edit_result edit_read(const char *prompt, const char **text);

#endif
