/*
 * dd.c - copy in blocks, from and to any place of files and devices.
 *
 *	if= of= bs= (or ibs= obs=) count= skip= seek= status=none
 *	conv=notrunc keep what is behind, sync pad blocks with zeros, noerror go on after errors,
 *	fsync or fdatasync write to the disk at the end; oflag=sync or append
 *
 * Invariants: what is reported was copied; whole blocks + others.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "usr/lib/tool.h"

static const char synopsis[] =
	"dd [if=file] [of=file] [bs=n] [count=n] [skip=n] [seek=n] [conv=word,...] [status=none]";

enum { NOTRUNC = 1, SYNC = 2, NOERROR = 4, FSYNC = 8, FDATASYNC = 16, EXCL = 32 };

static const char *input, *output;
static long long in_size = 512, out_size = 512, count = -1, skip, seek;
static unsigned int conversions;
static int out_flags;
static bool quiet;
static unsigned long long in_whole, in_part, out_whole, out_part, bytes;
static struct timespec start;

static void report(void)
{
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = now.tv_sec - start.tv_sec + (now.tv_nsec - start.tv_nsec) / 1e9;
	if (quiet)
		return;
	fprintf(stderr, "%llu+%llu records in\n%llu+%llu records out\n", in_whole, in_part,
		out_whole, out_part);
	fprintf(stderr, "%llu bytes copied, %.6f s, %.1f MB/s\n", bytes, seconds,
		seconds > 0 ? bytes / seconds / 1e6 : 0.0);
}

static void fail(const char *name)
{
	warn_errno("%s", name);
	report();
	exit(STATUS_FAILED);
}

static void parse_words(char *text, bool flags)
{
	static const struct {
		const char *name;
		unsigned int conversion;
		int flag;
	} words[] = {
		{ "notrunc", NOTRUNC, 0 }, { "sync", SYNC, O_SYNC }, { "noerror", NOERROR, 0 },
		{ "fsync", FSYNC, 0 },	   { "excl", EXCL, 0 },	     { "fdatasync", FDATASYNC, 0 },
		{ "append", 0, O_APPEND }, { "dsync", 0, O_DSYNC },  { "direct", 0, O_DIRECT },
	};
	char *word;

	while ((word = strsep(&text, ",")) != NULL) {
		bool found = false;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (strcmp(word, words[i].name) != 0)
				continue;
			found = flags ? words[i].flag != 0 : words[i].conversion != 0;
			conversions |= flags ? 0 : words[i].conversion;
			out_flags |= flags ? words[i].flag : 0;
		}
		if (!found)
			die(STATUS_FAILED, "%s: not a %s", word, flags ? "flag" : "conversion");
	}
}

static void parse_amount(const char *text, long long min, long long *value)
{
	if (parse_size(text, value) < 0 || *value < min)
		die(STATUS_FAILED, "%s: not a number", text);
}

static void parse_operand(char *operand)
{
	char *value = strchr(operand, '=');

	if (!value)
		usage(synopsis);
	*value++ = '\0';
	if (strcmp(operand, "if") == 0)
		input = value;
	else if (strcmp(operand, "of") == 0)
		output = value;
	else if (strcmp(operand, "count") == 0)
		parse_amount(value, 0, &count);
	else if (strcmp(operand, "skip") == 0 || strcmp(operand, "iseek") == 0)
		parse_amount(value, 0, &skip);
	else if (strcmp(operand, "seek") == 0 || strcmp(operand, "oseek") == 0)
		parse_amount(value, 0, &seek);
	else if (strcmp(operand, "conv") == 0)
		parse_words(value, false);
	else if (strcmp(operand, "oflag") == 0)
		parse_words(value, true);
	else if (strcmp(operand, "status") == 0)
		quiet = strcmp(value, "none") == 0;
	else if (strcmp(operand, "bs") == 0)
		parse_amount(value, 1, &in_size), out_size = in_size;
	else if (strcmp(operand, "ibs") == 0)
		parse_amount(value, 1, &in_size);
	else if (strcmp(operand, "obs") == 0)
		parse_amount(value, 1, &out_size);
	else
		usage(synopsis);
}

static ssize_t read_block(char *buffer, size_t size)
{
	ssize_t n;

	do {
		n = read(STDIN_FILENO, buffer, size);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Skip blocks of the input: by lseek(), or by reading what cannot seek. */
static void skip_input(char *buffer)
{
	if (!skip || lseek(STDIN_FILENO, skip * in_size, SEEK_CUR) >= 0)
		return;
	for (; skip > 0; skip--)
		if (read_block(buffer, in_size) <= 0)
			fail(input);
}

static void open_files(void)
{
	int flags = O_WRONLY | O_CREAT | out_flags | (conversions & EXCL ? O_EXCL : 0);
	struct stat st;
	int fd;

	if (input) {
		fd = open(input, O_RDONLY);
		if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
			die_errno(STATUS_FAILED, "%s", input);
	}
	if (output) {
		fd = open(output, flags | (conversions & NOTRUNC || seek ? 0 : O_TRUNC), 0666);
		if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
			die_errno(STATUS_FAILED, "%s", output);
	}
	input = input ? input : "standard input";
	output = output ? output : "standard output";
	if (!seek)
		return;
	/* Cut where the copy starts, as O_TRUNC would have done without seek=. */
	if (!(conversions & NOTRUNC) && fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    ftruncate(STDOUT_FILENO, seek * out_size) < 0)
		fail(output);
	if (lseek(STDOUT_FILENO, seek * out_size, SEEK_CUR) < 0)
		fail(output);
}

/* Write all of @buffer in blocks; @flush: a part of one too. Returns what is left. */
static size_t write_blocks(char *buffer, size_t length, bool flush)
{
	size_t done = 0;

	while (length - done >= (size_t)out_size || (flush && done < length)) {
		size_t size = length - done < (size_t)out_size ? length - done : (size_t)out_size;

		if (write_all(STDOUT_FILENO, buffer + done, size) < 0)
			fail(output);
		if (size == (size_t)out_size)
			out_whole++;
		else
			out_part++;
		bytes += size;
		done += size;
	}
	memmove(buffer, buffer + done, length - done);
	return length - done;
}

/* With one size for both, a short read is a short write; otherwise blocks are put together. */
static int copy(char *buffer)
{
	bool one_size = in_size == out_size;
	size_t pending = 0;
	int status = 0;

	for (; count != 0; count -= count > 0) {
		ssize_t n = read_block(buffer + pending, in_size);

		if (n == 0)
			break;
		if (n < 0) {
			if (!(conversions & NOERROR))
				fail(input);
			warn_errno("%s", input);
			status = STATUS_FAILED;
			lseek(STDIN_FILENO, in_size, SEEK_CUR);
			n = 0;
		} else if (n == in_size) {
			in_whole++;
		} else {
			in_part++;
		}
		if (n < in_size && conversions & SYNC) {
			memset(buffer + pending + n, 0, in_size - n);
			n = in_size;
		}
		pending = write_blocks(buffer, pending + n, one_size);
	}
	write_blocks(buffer, pending, true);
	return status;
}

int main(int argc, char **argv)
{
	char *buffer;
	int status;

	for (int i = 1; i < argc; i++)
		parse_operand(argv[i]);
	clock_gettime(CLOCK_MONOTONIC, &start);
	/* Aligned, for O_DIRECT. */
	buffer = aligned_alloc(4096, (in_size + out_size + 4095) & ~4095LL);
	if (!buffer)
		die(STATUS_FAILED, "out of memory");
	open_files();
	skip_input(buffer);
	status = copy(buffer);
	if ((conversions & FSYNC && fsync(STDOUT_FILENO) < 0) ||
	    (conversions & FDATASYNC && fdatasync(STDOUT_FILENO) < 0) || close(STDOUT_FILENO) < 0)
		fail(output);
	report();
	return status;
}
