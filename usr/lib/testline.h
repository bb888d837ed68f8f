/*
 * testline.h - tests that run lines of the shell: where the tools are, and what a line printed.
 *
 * Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTLINE_H
#define RAVEL_USR_LIB_TESTLINE_H

#include <stddef.h>

/*
 * Let PATH lead to the tools: /bin, or on the host bin/ beside the directory of the native tests;
 * and let messages and times be the same everywhere (LC_ALL, TZ).
 */
void set_tools_path(void);

/*
 * Run @command by /bin/sh and gather what it prints, its errors too, in the @size bytes of @output.
 * Returns its exit status, or -1 when a signal ended the shell.
 */
int run_line(const char *command, char *output, size_t size);

#endif
