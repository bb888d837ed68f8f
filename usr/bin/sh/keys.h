/*
 * keys.h - what a key sends, as one number.
 *
 * Invariants: a byte that is no part of a sequence is itself.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_KEYS_H
#define RAVEL_USR_BIN_SH_KEYS_H

#define CTRL(letter) ((letter)&0x1f)
#define ALT(letter)  (0x200 + (letter))

enum {
	KEY_GONE = -1,	/* the terminal is */
	KEY_WOKEN = -2, /* see TERMINAL_WOKEN */
	KEY_BACKSPACE = 0x7f,
	KEY_UP = 0x100,
	KEY_DOWN,
	KEY_LEFT,
	KEY_RIGHT,
	KEY_WORD_LEFT,
	KEY_WORD_RIGHT,
	KEY_HOME,
	KEY_END,
	KEY_DELETE,
	KEY_UNKNOWN,
};

/* Wait for the next key. */
int key_read(void);

#endif
