/*
 * prompt.c - a line of input in the last row of the screen; the contracts are in edit.h.
 *
 * Invariants: what was asked is cleared when it is answered.  Locks: none.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "usr/bin/edit/edit.h"
#include "usr/lib/terminal.h"

bool prompt(struct editor *editor, const char *question, char *text, size_t size)
{
	size_t length = strlen(text);
	char shown[512];

	editor->message[0] = '\0';
	for (;;) {
		int key;

		snprintf(shown, sizeof(shown), "%s%s", question, text);
		screen_draw(editor, shown);
		key = terminal_key();
		if (key == '\r' || key == '\n')
			return length > 0;
		if (key < 0 || key == KEY_ESCAPE || key == CTRL('c'))
			return false;
		if ((key == 127 || key == CTRL('h')) && length > 0)
			text[--length] = '\0';
		if (key == CTRL('u'))
			text[length = 0] = '\0';
		if (key >= ' ' && key < 256 && key != 127 && length + 1 < size) {
			text[length++] = key;
			text[length] = '\0';
		}
	}
}

int prompt_yes(struct editor *editor, const char *question)
{
	editor->message[0] = '\0';
	screen_draw(editor, question);
	for (;;) {
		int key = terminal_key();

		if (key == 'y' || key == 'Y')
			return 'y';
		if (key == 'n' || key == 'N')
			return 'n';
		if (key < 0 || key == KEY_ESCAPE || key == CTRL('c'))
			return 0;
	}
}
