/*
 * mode.h - file modes as people write them: "rwxr-xr-x", "644", "u+x,go-w".
 *
 * Invariants: none.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_MODE_H
#define RAVEL_USR_LIB_MODE_H

#include <sys/stat.h>

/* Write @mode as ls -l does into @out (11 bytes). */
void format_mode(mode_t mode, char *out);

/*
 * Apply @text, octal or symbolic ([ugoa]*[+-=][rwxXst]*, or one of ugo; by commas), to @old, the
 * mode of a file with its type; @mask is taken off where no "who" is named.
 * Returns the permission bits, or -1 when @text is not a mode.
 */
int parse_mode(const char *text, mode_t old, mode_t mask);

/* The umask of this process. */
mode_t current_umask(void);

#endif
