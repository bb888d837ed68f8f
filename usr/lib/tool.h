/*
 * tool.h - what the programs of usr/bin share: messages, allocation that cannot fail, numbers,
 * signal names, small files.  Every message goes to standard error and starts with the name of the
 * program.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TOOL_H
#define RAVEL_USR_LIB_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Exit statuses: the work failed, or the command line was wrong; and that of the tools whose 1 has
 * a meaning of its own (cmp, diff, grep, ls, sort, test).
 */
#define STATUS_FAILED  1
#define STATUS_TROUBLE 2

/* Print "program: message" (warn), or "program: message: strerror(errno)" (warn_errno). */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then exit with @status. */
void die(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void die_errno(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Print "usage: @synopsis" and exit with STATUS_FAILED (usage), or with @status. */
void usage(const char *synopsis) __attribute__((noreturn));
void usage_status(int status, const char *synopsis) __attribute__((noreturn));

/* As malloc, realloc, strdup, strndup, but exit with STATUS_FAILED when memory is out. */
void *xmalloc(size_t bytes);
void *xrealloc(void *old, size_t bytes);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t length);

/*
 * Parse the whole of @text as a decimal number in [@min, @max].
 * Returns 0 with the number in *@value, or -1 when @text is not one.
 */
int parse_number(const char *text, long long min, long long max, long long *value);

/*
 * The same for a size of at least 0: a number with an optional suffix, b (512), c (1), k or K, M, G
 * or T (powers of 1024), kB, MB, GB (powers of 1000).
 */
int parse_size(const char *text, long long *value);

/* "INT", "SIGINT" or "2" to 2; -1 when there is no such signal. */
int signal_number(const char *name);

/* 2 to "INT"; NULL when the signal has no name. */
const char *signal_name(int number);

/*
 * Read the file @path into @buffer, at most @size - 1 bytes, and end it with a NUL.
 * Returns the bytes read, or -1 with errno.
 */
long read_small_file(const char *path, char *buffer, size_t size);

/* What of this process is in memory, KiB; 0 when nobody says. */
long resident_kb(void);

/*
 * Find the line "@key:  NUMBER" in @text (as in /proc/meminfo and /proc/<pid>/status) and return
 * its number, or -1 when there is none.
 */
long long field_of(const char *text, const char *key);

/* Open @name for reading, "-" being standard input. Returns NULL after a message. */
FILE *open_input(const char *name);

/* Close what open_input() gave. Returns 0, or STATUS_FAILED after a message if reading failed. */
int close_input(FILE *file, const char *name);

/* Ask on standard error and read a line from standard input: does it start with y or Y? */
bool ask(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Write @bytes into @out (at least 8 bytes) as "123", "4.0K", "12M": powers of 1024. */
void format_human(uint64_t bytes, char *out);

/* Write all @length bytes to @fd. Returns 0, or -1 with errno. */
int write_all(int fd, const void *bytes, size_t length);

/*
 * Flush and close standard output, and exit with STATUS_FAILED when anything was lost
 * (a full disk must not look like success).  Otherwise returns @status, for main() to return.
 */
int close_stdout(int status);

#endif
