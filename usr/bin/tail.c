/*
 * tail.c - the end of files: the last ten lines, -n N lines, -c N bytes; with +N all from the Nth.
 *
 *	-f go on with what is appended; -q no headers, -v always headers
 *
 * A file is read from its end in growing windows; what cannot seek, or says that it has no size (as
 * /proc does), is read whole, and only what may be the end is kept.
 *
 * Invariants: none.  Locks: none.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define CHUNK (64 * 1024)

static const char synopsis[] = "tail [-fqv] [-n [+]lines | -c [+]bytes] [file...]";

static bool bytes, from_start, follow;
static long long amount = 10;

static int failed(const char *name)
{
	warn_errno("%s", name);
	return STATUS_FAILED;
}

static void put(const char *text, size_t length)
{
	if (write_all(STDOUT_FILENO, text, length) < 0)
		die_errno(STATUS_FAILED, "write error");
}

/* The offset of the end that is wanted in @text; *@whole: is it all of it, or more? */
static size_t find_end(const char *text, size_t length, bool *whole)
{
	long long left = amount;
	size_t at = length;

	*whole = false;
	if (bytes || amount == 0) {
		*whole = (unsigned long long)amount > length;
		return *whole ? 0 : length - amount;
	}
	if (at > 0 && text[at - 1] == '\n')
		at--;
	for (; at > 0; at--)
		if (text[at - 1] == '\n' && --left == 0)
			return at;
	*whole = true;
	return 0;
}

/* Read up to @size bytes at the file's offset. Returns what came, or -1 with errno. */
static ssize_t read_full(int fd, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, buffer + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += n;
	}
	return done;
}

/* The end of a file that can seek: twice the window until the end is in it. */
static int tail_file(int fd, const char *name, off_t size)
{
	off_t window = CHUNK;

	for (;; window *= 2) {
		char *text;
		ssize_t n;
		size_t at;
		bool whole;

		if (window > size)
			window = size;
		text = xmalloc(window);
		n = lseek(fd, size - window, SEEK_SET) < 0 ? -1 : read_full(fd, text, window);
		if (n < 0) {
			free(text);
			return failed(name);
		}
		at = find_end(text, n, &whole);
		if (!whole || window == size)
			put(text + at, n - at);
		free(text);
		if (!whole || window == size)
			return 0;
	}
}

/* The end of a stream: forget what cannot be in it each time that twice as much has come. */
static int tail_stream(int fd, const char *name)
{
	size_t room = 2 * CHUNK, length = 0, at;
	char *text = xmalloc(room);
	ssize_t n;
	bool whole;

	while ((n = read_full(fd, text + length, room - length)) > 0) {
		length += n;
		if (length < room)
			continue;
		at = find_end(text, length, &whole);
		length -= at;
		memmove(text, text + at, length);
		if (length > room / 2) {
			room *= 2;
			text = xrealloc(text, room);
		}
	}
	at = find_end(text, length, &whole);
	put(text + at, length - at);
	free(text);
	return n < 0 ? failed(name) : 0;
}

/* Copy all that is left, after @skip bytes or lines. */
static int copy_rest(int fd, const char *name, long long skip)
{
	static char buffer[CHUNK];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) != 0) {
		ssize_t at = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(name);
		for (; at < n && skip > 0; at++)
			skip -= bytes || buffer[at] == '\n';
		put(buffer + at, n - at);
	}
	return 0;
}

static int tail(int fd, const char *name)
{
	struct stat st;
	bool seeks;
	int status;

	if (from_start)
		return copy_rest(fd, name, amount > 0 ? amount - 1 : 0);
	seeks = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lseek(fd, 0, SEEK_CUR) >= 0;
	if (seeks && st.st_size > 0)
		return tail_file(fd, name, st.st_size);
	status = tail_stream(fd, name);
	if (seeks)
		lseek(fd, 0, SEEK_SET); /* -f compares the offset with the size, 0 */
	return status;
}

/* Show what is appended to the open files, for ever. A file that became shorter starts anew. */
static void follow_files(const int *fds, char **names, int count)
{
	static const struct timespec pause = { .tv_nsec = 200000000 };
	int last = count - 1;
	struct stat st;

	for (;; nanosleep(&pause, NULL)) {
		for (int i = 0; i < count; i++) {
			if (fds[i] < 0 || fstat(fds[i], &st) < 0 || !S_ISREG(st.st_mode))
				continue;
			if (st.st_size < lseek(fds[i], 0, SEEK_CUR)) {
				warn("%s: file truncated", names[i]);
				lseek(fds[i], 0, SEEK_SET);
			}
			if (st.st_size == lseek(fds[i], 0, SEEK_CUR))
				continue;
			if (i != last)
				dprintf(STDOUT_FILENO, "\n==> %s <==\n", names[i]);
			last = i;
			copy_rest(fds[i], names[i], 0);
		}
	}
}

static int tail_all(char **names, int count, bool headers)
{
	int *fds = xmalloc(count * sizeof(*fds));
	const char *gap = "";
	int status = 0;

	for (int i = 0; i < count; i++) {
		bool standard = strcmp(names[i], "-") == 0;

		fds[i] = standard ? STDIN_FILENO : open(names[i], O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0) {
			status = failed(names[i]);
			continue;
		}
		if (headers) {
			dprintf(STDOUT_FILENO, "%s==> %s <==\n", gap,
				standard ? "standard input" : names[i]);
			gap = "\n";
		}
		status |= tail(fds[i], names[i]);
		if (!follow && !standard)
			close(fds[i]);
	}
	if (follow)
		follow_files(fds, names, count);
	free(fds);
	return status;
}

static void set_amount(const char *text, bool in_bytes)
{
	bytes = in_bytes;
	from_start = *text == '+';
	if (*text == '+' || *text == '-')
		text++;
	if (parse_size(text, &amount) < 0)
		die(STATUS_FAILED, "%s: not a number", text);
}

int main(int argc, char **argv)
{
	char *standard[] = { "-", NULL };
	int headers = 0;
	int option;

	/* tail -5 and tail +5 are old ways to say -n 5 and -n +5. */
	if (argc > 1 && (argv[1][0] == '-' || argv[1][0] == '+') && argv[1][1] >= '0' &&
	    argv[1][1] <= '9') {
		set_amount(argv[1], false);
		argv++;
		argc--;
	}
	while ((option = getopt(argc, argv, "fqvn:c:")) != -1) {
		if (option == '?')
			usage(synopsis);
		if (option == 'n' || option == 'c')
			set_amount(optarg, option == 'c');
		follow |= option == 'f';
		if (option == 'q' || option == 'v')
			headers = option;
	}
	if (optind == argc)
		return tail_all(standard, 1, headers == 'v');
	return tail_all(argv + optind, argc - optind,
			headers == 'v' || (headers == 0 && argc - optind > 1));
}
