/*
 * tool.c - what the programs of usr/bin share; the contracts are in tool.h.
 *
 * Invariants: nothing here keeps state.  Locks: none.
 */
#define _GNU_SOURCE
#include "usr/lib/tool.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/*
 * One message; @error is the errno to add, or 0. A name that is in it may hold anything, as the
 * carriage return of a script from elsewhere: control characters are shown as ^M and the like.
 */
static void message(int error, const char *format, va_list args)
{
	char *text;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	for (const char *c = text; c && *c; c++) {
		if (iscntrl((unsigned char)*c) && *c != '\n' && *c != '\t')
			fprintf(stderr, "^%c", *c ^ '@');
		else
			fputc(*c, stderr);
	}
	free(text);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
}

void warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(0, format, args);
	va_end(args);
}

void warn_errno(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	message(error, format, args);
	va_end(args);
}

void die(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message(0, format, args);
	va_end(args);
	exit(status);
}

void die_errno(int status, const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	message(error, format, args);
	va_end(args);
	exit(status);
}

void usage_status(int status, const char *synopsis)
{
	fflush(stdout);
	fprintf(stderr, "usage: %s\n", synopsis);
	exit(status);
}

void usage(const char *synopsis)
{
	usage_status(STATUS_FAILED, synopsis);
}

void *xmalloc(size_t bytes)
{
	return xrealloc(NULL, bytes);
}

void *xrealloc(void *old, size_t bytes)
{
	void *new = realloc(old, bytes ? bytes : 1);

	if (!new)
		die(STATUS_FAILED, "out of memory");
	return new;
}

char *xstrdup(const char *text)
{
	size_t bytes = strlen(text) + 1;

	return memcpy(xmalloc(bytes), text, bytes);
}

char *xstrndup(const char *text, size_t length)
{
	char *copy = xmalloc(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

int parse_number(const char *text, long long min, long long max, long long *value)
{
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '-' && *text != '+')
		return -1;
	errno = 0;
	*value = strtoll(text, &end, 10);
	if (end == text || *end || errno || *value < min || *value > max)
		return -1;
	return 0;
}

int parse_size(const char *text, long long *value)
{
	static const struct {
		const char *suffix;
		long long factor;
	} units[] = {
		{ "", 1 },	    { "c", 1 },		{ "b", 512 },	      { "k", 1 << 10 },
		{ "K", 1 << 10 },   { "M", 1 << 20 },	{ "G", 1 << 30 },     { "T", 1LL << 40 },
		{ "kB", 1000 },	    { "MB", 1000000 },	{ "GB", 1000000000 }, { "KiB", 1 << 10 },
		{ "MiB", 1 << 20 }, { "GiB", 1 << 30 },
	};
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	*value = strtoll(text, &end, 10);
	for (size_t i = 0; !errno && i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].suffix) == 0)
			return __builtin_mul_overflow(*value, units[i].factor, value) ? -1 : 0;
	return -1;
}

int signal_number(const char *name)
{
	long long number;

	if (parse_number(name, 0, SIGRTMAX, &number) == 0)
		return number;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int sig = 1; sig < 32; sig++) {
		const char *candidate = signal_name(sig);

		if (candidate && strcasecmp(candidate, name) == 0)
			return sig;
	}
	return -1;
}

const char *signal_name(int number)
{
	return number > 0 ? sigabbrev_np(number) : NULL;
}

long read_small_file(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t n = 0;
	int error;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while (length < size - 1) {
		n = read(fd, buffer + length, size - 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += n;
	}
	buffer[length] = '\0';
	error = errno;
	close(fd);
	errno = error;
	return n < 0 ? -1 : (long)length;
}

long resident_kb(void)
{
	char text[128];
	long pages = 0;

	if (read_small_file("/proc/self/statm", text, sizeof(text)) > 0)
		sscanf(text, "%*s %ld", &pages);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

long long field_of(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, key, length) == 0 && line[length] == ':')
			return strtoll(line + length + 1, NULL, 10);
	}
	return -1;
}

FILE *open_input(const char *name)
{
	FILE *file = strcmp(name, "-") == 0 ? stdin : fopen(name, "re");

	if (!file)
		warn_errno("%s", name);
	return file;
}

int close_input(FILE *file, const char *name)
{
	int status = 0;

	if (ferror(file)) {
		warn_errno("%s", name);
		status = STATUS_FAILED;
	}
	if (file != stdin)
		fclose(file);
	return status;
}

bool ask(const char *format, ...)
{
	va_list args;
	int first, c;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	for (first = c = getchar(); c != EOF && c != '\n';)
		c = getchar();
	return first == 'y' || first == 'Y';
}

void format_human(uint64_t bytes, char *out)
{
	static const char units[] = "BKMGTPE";
	uint64_t tenths;
	int unit = 0;

	if (bytes < 1024) {
		sprintf(out, "%d", (int)bytes);
		return;
	}
	for (tenths = bytes; tenths >= 1024 * 1024; tenths /= 1024)
		unit++;
	unit++;
	tenths = (tenths * 10 + 1023) / 1024;
	if (tenths < 100)
		sprintf(out, "%d.%d%c", (int)(tenths / 10), (int)(tenths % 10), units[unit]);
	else
		sprintf(out, "%d%c", (int)((tenths + 9) / 10), units[unit]);
}

int write_all(int fd, const void *bytes, size_t length)
{
	const char *next = bytes;

	while (length) {
		ssize_t n = write(fd, next, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		next += n;
		length -= n;
	}
	return 0;
}

int close_stdout(int status)
{
	bool pending = __fpending(stdout) > 0;
	bool failed = ferror(stdout);

	/* A closed standard output is an error only if something was written to it. */
	if (fclose(stdout) != 0 && (pending || errno != EBADF))
		failed = true;
	if (failed)
		die_errno(STATUS_FAILED, "write error");
	return status;
}
