/*
 * history.h - the lines that were typed, in memory and in a file.
 *
 *	first           first + count
 *	  |  ls  | cd /tmp | make |         numbered from 1, since the shell's first line
 *
 * The file is $HISTFILE, or ~/.sh_history; a line is appended when it is typed, so that nothing is
 * lost with the machine. Whatever goes wrong with the file is silent: a read-only disk is no reason
 * to disturb.
 *
 * Invariants: at most HISTORY_MAX lines; no line twice in a row; none is empty.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_HISTORY_H
#define RAVEL_USR_BIN_SH_HISTORY_H

#include <stddef.h>

#define HISTORY_MAX 500

/* Read the file. Once: later calls do nothing. */
void history_load(void);

/* Add @line (no newline in it), and append it to the file. */
void history_add(const char *line);

/* How many lines there are, and line @index of them: 0 is the oldest. */
size_t history_count(void);
const char *history_line(size_t index);

/* history [-c | N]: the builtin. */
int history_builtin(int argc, char **argv);

#endif
