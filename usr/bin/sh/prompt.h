/*
 * prompt.h - what the shell asks with.
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_BIN_SH_PROMPT_H
#define RAVEL_USR_BIN_SH_PROMPT_H

#include <stdbool.h>

#include "usr/bin/sh/memory.h"

/*
 * The prompt, PS1 or with @continued PS2, in @arena. In it \w is the working directory (with ~),
 * \W its last part, \u the user, \h the machine, \$ a # for root and a $ for others, \n a new line,
 * \e the escape character, \[ and \] nothing; any other \c is itself.
 */
char *prompt_text(struct arena *arena, bool continued);

#endif
