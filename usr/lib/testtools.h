/*
 * testtools.h - running the programs of usr/bin from a test.
 *
 * Invariants: nothing here keeps state but the environment.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTTOOLS_H
#define RAVEL_USR_LIB_TESTTOOLS_H

#include <stddef.h>

/*
 * Set PATH to where the tools are: /bin, or bin/ beside the directory of the native tests, before
 * the host's own. Messages in English, times in UTC.
 */
void tools_path(void);

/*
 * Run @command by /bin/sh and gather what it prints, its errors too, as text in @output, which has
 * @size bytes. Returns its exit status, or -1 for a signal.
 */
int run_line(const char *command, char *output, size_t size);

#endif
