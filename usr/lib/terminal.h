/*
 * terminal.h - a terminal as a screen: keys as they are typed, its size; for edit and more.
 *
 * Invariants: between terminal_raw() and terminal_restore() nothing is echoed, and ^C is a key.
 * The settings are restored when the program exits.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TERMINAL_H
#define RAVEL_USR_LIB_TERMINAL_H

/* Keys that are no single byte. A byte of 1 to 26 is Ctrl and a letter. */
enum {
	KEY_UP = 1000,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_PAGE_UP,
	KEY_PAGE_DOWN,
	KEY_DELETE,
	KEY_UNKNOWN,
};
#define CTRL(letter) ((letter)&0x1f)
#define KEY_ESCAPE   27

/* Make the terminal @fd give single keys. Returns 0, or -1 with errno when it is no terminal. */
int terminal_raw(int fd);
void terminal_restore(void);

/* Read a key from the raw terminal; an escape sequence is one key. Returns -1 at its end. */
int terminal_key(void);

/* The terminal's rows and columns; 24 and 80 when it does not say. */
void terminal_size(int *rows, int *columns);

#endif
