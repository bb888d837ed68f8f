/*
 * editor.h - the editor's state, for the files that make it up.
 *
 * Invariants: see edit.c.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_EDITOR_H
#define RAVEL_USR_BIN_SH_EDITOR_H

#include "usr/bin/sh/edit.h"
#include "usr/bin/sh/line.h"
#include "usr/bin/sh/screen.h"

struct editor {
	struct line line;
	struct line killed; /* for ^Y; text is NULL before the first kill */
	struct line kept;   /* what was typed before the history was looked at */
	size_t position;    /* in the history; its count: the line that is being typed */
	const char *prompt;
	struct screen screen;
	bool was_kill, is_kill; /* the last key, this key: was it a kill? */
	bool was_tab, is_tab;
	bool done;
	enum edit_result result;
};

/* Show line @position of the history, or what was typed when that is the history's end. */
void editor_show_history(struct editor *editor, size_t position);

/* What one key does. */
void editor_do_key(struct editor *editor, int key);

/* ^R, in search.c: search the history backwards while the text to look for is typed. */
void editor_search(struct editor *editor);

#endif
