/*
 * mallocrecord.c - a shared object for LD_PRELOAD that records what a program allocates.
 *
 *	MALLOC_RECORD=FILE LD_PRELOAD=./mallocrecord.so program ...
 *
 * FILE gets a line for each operation: "a ADDRESS BYTES", "r OLD NEW BYTES", "f ADDRESS".
 * scripts/malloctrace.py makes a trace of it.  Only the first process is recorded, not its
 * children: the variables leave the environment.  For programs with one thread, on the host's
 * glibc, whose own malloc() (__libc_malloc() and so on) does the work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_realloc(void *payload, size_t bytes);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_memalign(size_t alignment, size_t bytes);
extern void __libc_free(void *payload);

static int fd = -1;
static pid_t recorded;
static char buffer[1 << 16];
static size_t length;

static void flush(void)
{
	for (size_t done = 0; done < length;) {
		ssize_t written = write(fd, buffer + done, length - done);

		if (written <= 0)
			break;
		done += written;
	}
	length = 0;
}

__attribute__((constructor)) static void begin(void)
{
	const char *file = getenv("MALLOC_RECORD");

	if (!file)
		return;
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	recorded = getpid();
	unsetenv("MALLOC_RECORD");
	unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
	if (fd >= 0 && getpid() == recorded)
		flush();
}

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	int saved = errno;
	va_list arguments;

	if (fd < 0 || getpid() != recorded)
		return;
	if (length > sizeof(buffer) - 128)
		flush();
	va_start(arguments, format);
	length += vsnprintf(buffer + length, 128, format, arguments);
	va_end(arguments);
	errno = saved;
}

void *malloc(size_t bytes)
{
	void *payload = __libc_malloc(bytes);

	note("a %p %zu\n", payload, bytes);
	return payload;
}

void *calloc(size_t count, size_t size)
{
	void *payload = __libc_calloc(count, size);

	note("a %p %zu\n", payload, count * size);
	return payload;
}

void *realloc(void *old, size_t bytes)
{
	void *payload = __libc_realloc(old, bytes);

	note("r %p %p %zu\n", old, payload, bytes);
	return payload;
}

void free(void *payload)
{
	if (payload)
		note("f %p\n", payload);
	__libc_free(payload);
}

void *memalign(size_t alignment, size_t bytes)
{
	void *payload = __libc_memalign(alignment, bytes);

	note("a %p %zu\n", payload, bytes);
	return payload;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
	return memalign(alignment, bytes);
}

int posix_memalign(void **payload, size_t alignment, size_t bytes)
{
	*payload = memalign(alignment, bytes);
	return *payload ? 0 : ENOMEM;
}
