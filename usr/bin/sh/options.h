/*
 * options.h - the shell's options, as set and the command line give them.
 *
 * Invariants: the options themselves are members of struct shell.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_OPTIONS_H
#define RAVEL_USR_BIN_SH_OPTIONS_H

#include <stdbool.h>

#include "usr/bin/sh/memory.h"

/* Turn the option @letter on or off. Returns false when there is none. */
bool option_set_letter(char letter, bool on);

/* The same for a long name, as of set -o. */
bool option_set_name(const char *name, bool on);

/* $-: the letters of what is on, in @arena. */
char *options_letters(struct arena *arena);

#endif
