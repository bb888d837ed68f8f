/*
 * tool.h - what the programs of usr/bin share: messages, allocation that cannot fail, numbers,
 * signal names, small files.  Every message goes to standard error and starts with the name of the
 * program.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TOOL_H
#define RAVEL_USR_LIB_TOOL_H

#include <stddef.h>
#include <stdint.h>

/* Exit statuses of the tools: the work failed; the command line was wrong. */
#define STATUS_FAILED 1
#define STATUS_USAGE  2

/* Print "program: message" (warn), or "program: message: strerror(errno)" (warn_errno). */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void warn_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, then exit with @status. */
void die(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));
void die_errno(int status, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

/* Print "usage: @synopsis" and exit with STATUS_USAGE. */
void usage(const char *synopsis) __attribute__((noreturn));

/* As malloc, realloc and strdup, but exit with STATUS_FAILED and a message when memory is out. */
void *xmalloc(size_t bytes);
void *xrealloc(void *old, size_t bytes);
char *xstrdup(const char *text);

/*
 * Parse the whole of @text as a decimal number in [@min, @max].
 * Returns 0 with the number in *@value, or -1 when @text is not one.
 */
int parse_number(const char *text, long long min, long long max, long long *value);

/* "INT", "SIGINT" or "2" to 2; -1 when there is no such signal. */
int signal_number(const char *name);

/* 2 to "INT"; NULL when the signal has no name. */
const char *signal_name(int number);

/*
 * Read the file @path into @buffer, at most @size - 1 bytes, and end it with a NUL.
 * Returns the bytes read, or -1 with errno.
 */
long read_small_file(const char *path, char *buffer, size_t size);

/*
 * Find the line "@key:  NUMBER" in @text (as in /proc/meminfo and /proc/<pid>/status) and return
 * its number, or -1 when there is none.
 */
long long field_of(const char *text, const char *key);

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
