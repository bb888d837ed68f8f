/*
 * crashload.c - work for the power-cut test: changes a disk at random, and says what must survive.
 *
 *   crashload DIRECTORY MARKERS WORKERS ROUNDS SEED      (started by scripts/powercut.py)
 *
 *   worker 0 -- DIRECTORY/w0, block 0 of MARKERS --.
 *   worker 1 -- DIRECTORY/w1, block 1 of MARKERS --+-- pipe --> parent --> console
 *
 * Lines, each beginning with the worker's number:
 *   KEEP TYPE SIZE CRC PATH   fsync, msync or sync has returned for it: the disk has it so.
 *                             TYPE: f a file, l a link (CRC of its target), - no such name.
 *   CONFIRMED N               all KEEP lines so far hold since marker N was written.
 *   TOUCH PATH                it is about to change: what was said of it holds no longer.
 *   MOVE PATH OTHER           it loses this name and has the other: it is there under one of them.
 *
 * Marker N is a record in the worker's block of MARKERS, a file whose blocks exist already, written
 * with O_DSYNC after the fsync that it speaks of: whoever finds marker N in the record of the disk
 * knows that everything up to CONFIRMED N was promised before.
 *
 * Invariants: a name is kept only when its file was synced and, since it got this name, its
 * directory; a TOUCH line goes out before the first system call that may change what it names.
 * Locks: none. Workers share only the disk.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/tool.h"

#define MAX_WORKERS  8
#define DIRECTORIES  3
#define NAMES	     8 /* in each directory */
#define SLOTS	     (DIRECTORIES * NAMES)
#define MARKER_BYTES 512
#define MARKER_STEP  4096 /* from one worker's record to the next: the largest block */
#define FILE_MAX     (96 * 1024)
#define FAR_OFFSET   (5 * 1024 * 1024) /* behind a hole, under the double indirect block */

/* One name that may exist. Names of one inode have the same object number. */
struct slot {
	int object; /* 0: there is no such name */
	bool link;  /* a symbolic link */
	bool kept;  /* a KEEP line holds */
	bool said;  /* a KEEP or a MOVE line that names it holds */
	bool named; /* the directory on the disk has this name of this file */
};

/* What is written to the marker file; little-endian. */
struct marker {
	char magic[8];
	uint32_t worker, number;
	uint32_t crc; /* of all above */
};

static struct slot slots[SLOTS];
static const char *const directories[DIRECTORIES] = { "", "a/", "b/" };
static int worker, marker_fd, objects;
static uint32_t confirmed;
static uint64_t state;

static uint64_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL >> 16;
}

static unsigned int pick(unsigned int below)
{
	return next_random() % below;
}

static uint32_t crc32_add(uint32_t crc, const void *bytes, size_t length)
{
	static uint32_t table[256];
	const unsigned char *byte = bytes;

	if (!table[1])
		for (uint32_t i = 0; i < 256; i++) {
			table[i] = i;
			for (int bit = 0; bit < 8; bit++)
				table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
		}
	crc = ~crc;
	while (length--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 255];
	return ~crc;
}

static void __attribute__((noreturn)) fail(const char *what, const char *path)
{
	die_errno(STATUS_FAILED, "worker %d: %s %s", worker, what, path);
}

/* One line to the console; a pipe keeps lines of this size whole. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	char line[256];
	int length = snprintf(line, sizeof(line), "%d ", worker);
	va_list arguments;

	va_start(arguments, format);
	length += vsnprintf(line + length, sizeof(line) - length, format, arguments);
	va_end(arguments);
	line[length++] = '\n';
	if (write_all(STDOUT_FILENO, line, length) < 0)
		fail("write", "stdout");
}

static const char *name_of(int slot)
{
	static char names[2][32]; /* two at a time: rename and link need both */
	static int turn;

	turn = !turn;
	sprintf(names[turn], "%sf%d", directories[slot / NAMES], slot % NAMES);
	return names[turn];
}

static const char *directory_of(int slot)
{
	return slot / NAMES ? directories[slot / NAMES] : ".";
}

static void touch(int slot)
{
	if (slots[slot].said)
		say("TOUCH %s", name_of(slot));
	slots[slot].kept = slots[slot].said = false;
}

/* @from is about to go, and its file has, or gets by this, the name @to. */
static void move(int from, int to)
{
	if (!slots[from].said || slots[to].kept) {
		touch(from);
		return;
	}
	say("MOVE %s %s", name_of(from), name_of(to));
	slots[from].kept = slots[from].said = false;
	slots[to].said = true;
}

/* @slot's file is about to change, or to appear: so do all its names. */
static void touch_object(int slot)
{
	touch(slot);
	for (int other = 0; slots[slot].object && other < SLOTS; other++)
		if (slots[other].object == slots[slot].object)
			touch(other);
}

/* ---- promises */

static void sync_path(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		fail("open", path);
	if (fsync(fd) < 0)
		fail("fsync", path);
	close(fd);
}

/* The file's bytes, by one of three calls. */
static void sync_file(const char *path)
{
	int fd = open(path, O_RDONLY), how = pick(4);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0)
		fail("open", path);
	if (how < 2 && st.st_size > 0) {
		p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED || msync(p, st.st_size, MS_SYNC) < 0)
			fail("mmap or msync", path);
		munmap(p, st.st_size);
	} else if ((how == 2 ? fdatasync(fd) : fsync(fd)) < 0) {
		fail("fsync", path);
	}
	close(fd);
}

static uint32_t crc_of_file(const char *path, long long *size)
{
	static char buffer[65536];
	int fd = open(path, O_RDONLY);
	uint32_t crc = 0;
	ssize_t length;

	if (fd < 0)
		fail("open", path);
	for (*size = 0; (length = read(fd, buffer, sizeof(buffer))) > 0; *size += length)
		crc = crc32_add(crc, buffer, length);
	if (length < 0)
		fail("read", path);
	close(fd);
	return crc;
}

static void keep(int slot)
{
	const char *path = name_of(slot);
	char target[64];
	long long size = 0;
	uint32_t crc = 0;

	slots[slot].kept = slots[slot].said = true;
	slots[slot].named = slots[slot].object;
	if (!slots[slot].object) {
		say("KEEP - 0 0 %s", path);
		return;
	}
	if (slots[slot].link) {
		size = readlink(path, target, sizeof(target));
		if (size < 0)
			fail("readlink", path);
		crc = crc32_add(0, target, size);
	} else {
		crc = crc_of_file(path, &size);
	}
	say("KEEP %c %lld %08x %s", slots[slot].link ? 'l' : 'f', size, crc, path);
}

static void confirm(void)
{
	char record[MARKER_BYTES] = "";
	struct marker marker = { "RAVELMRK", worker, ++confirmed, 0 };

	marker.crc = crc32_add(0, &marker, offsetof(struct marker, crc));
	memcpy(record, &marker, sizeof(marker));
	if (pwrite(marker_fd, record, sizeof(record), worker * MARKER_STEP) != sizeof(record))
		fail("pwrite", "marker");
	say("CONFIRMED %u", confirmed);
}

/* Make one name durable: its file, and if it is new there its directory; those above stay. */
static void promise_one(int slot)
{
	if (slots[slot].object && !slots[slot].link)
		sync_file(name_of(slot));
	if (!slots[slot].named)
		sync_path(directory_of(slot));
	if (slots[slot].link) /* nobody can open a link itself */
		sync();
	keep(slot);
	confirm();
}

static void promise_all(void)
{
	int fd = open(".", O_RDONLY);

	if (fd < 0)
		fail("open", ".");
	if (pick(2))
		sync();
	else if (syncfs(fd) < 0)
		fail("syncfs", ".");
	close(fd);
	for (int slot = 0; slot < SLOTS; slot++)
		if (!slots[slot].kept)
			keep(slot);
	confirm();
}

/* ---- changes */

/* As pwrite(), through a mapping. */
static void store_some(int fd, const char *path, const char *data, size_t length, off_t offset)
{
	off_t start = offset & -4096L;
	struct stat st;
	char *p;

	if (fstat(fd, &st) < 0)
		fail("fstat", path);
	if (st.st_size < offset + (off_t)length && ftruncate(fd, offset + length) < 0)
		fail("ftruncate", path);
	p = mmap(NULL, offset - start + length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, start);
	if (p == MAP_FAILED)
		fail("mmap", path);
	memcpy(p + (offset - start), data, length);
	munmap(p, offset - start + length);
}

static void write_some(int fd, const char *path)
{
	static char data[FILE_MAX];
	size_t length = 1 + pick(pick(4) ? 6000 : sizeof(data));
	off_t offset = pick(12) ? pick(FILE_MAX) : FAR_OFFSET + pick(FILE_MAX);

	for (size_t i = 0; i < length; i++)
		data[i] = (state >> i % 48) + i * 7;
	if (pick(2))
		store_some(fd, path, data, length, offset);
	else if (pwrite(fd, data, length, offset) != (ssize_t)length)
		fail("pwrite", path);
	next_random();
}

static void change_file(int slot)
{
	const char *path = name_of(slot);
	int fd;

	if (slots[slot].link)
		return;
	touch_object(slot);
	fd = open(path, O_RDWR | O_CREAT | (pick(5) ? 0 : O_TRUNC), 0644);
	if (fd < 0)
		fail("open", path);
	if (!slots[slot].object)
		slots[slot].object = ++objects;
	write_some(fd, path);
	if (pick(4) == 0 && ftruncate(fd, pick(FILE_MAX)) < 0)
		fail("ftruncate", path);
	if (pick(3) == 0) /* data on its way, nothing flushed: a promise of nothing */
		sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	close(fd);
}

static void remove_name(int slot)
{
	int other = 0;

	if (!slots[slot].object)
		return;
	while (other < SLOTS && (other == slot || slots[other].object != slots[slot].object))
		other++;
	if (other < SLOTS)
		move(slot, other);
	else
		touch(slot);
	if (unlink(name_of(slot)) < 0)
		fail("unlink", name_of(slot));
	slots[slot].object = 0;
	slots[slot].link = slots[slot].named = false;
}

static void rename_name(int from, int to)
{
	if (!slots[from].object || slots[from].object == slots[to].object)
		return;
	touch(to);
	move(from, to);
	if (rename(name_of(from), name_of(to)) < 0)
		fail("rename", name_of(from));
	slots[to].object = slots[from].object;
	slots[to].link = slots[from].link;
	slots[to].named = false;
	slots[from] = (struct slot){ 0 };
}

static void link_name(int from, int to)
{
	if (!slots[from].object || slots[from].link || slots[to].object)
		return;
	touch(to);
	if (link(name_of(from), name_of(to)) < 0)
		fail("link", name_of(from));
	slots[to].object = slots[from].object;
}

static void symlink_name(int slot)
{
	static const char far[] =
		"a/target/so/long/that/an/inode/has/no/room/for/it/xxxxxxxxxxxxxx";

	if (slots[slot].object)
		return;
	touch(slot);
	if (symlink(far + (pick(2) ? 0 : 50), name_of(slot)) < 0)
		fail("symlink", name_of(slot));
	slots[slot].object = ++objects;
	slots[slot].link = true;
}

/* Directories come and go beside the names; nothing is promised of them. */
static void directory_comes_or_goes(void)
{
	char path[16];

	sprintf(path, "%sd%u", directories[pick(DIRECTORIES)], pick(4));
	if (mkdir(path, 0755) < 0 && (errno != EEXIST || rmdir(path) < 0))
		fail("mkdir or rmdir", path);
}

/* Names so long that directories grow by blocks; nothing is promised of what is in them. */
static void long_name_comes(void)
{
	static int made;
	char path[256];
	int fd;

	sprintf(path, "%sl%d", directories[pick(DIRECTORIES)], made++);
	memset(path + strlen(path), 'x', 200);
	path[200] = '\0';
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	if (fd < 0)
		fail("open", path);
	if (write(fd, path, 1) != 1) /* e2fsck lets empty files without a name go */
		fail("write", path);
	close(fd);
}

/* One change at random; returns the name that it was about. */
static int one_change(void)
{
	int slot = pick(SLOTS), other = pick(SLOTS);

	switch (pick(11)) {
	case 0:
		remove_name(slot);
		break;
	case 1:
		rename_name(slot, other);
		return other;
	case 2:
		link_name(slot, other);
		return other;
	case 3:
		symlink_name(slot);
		break;
	case 4:
		directory_comes_or_goes();
		break;
	case 5:
		long_name_comes();
		break;
	default:
		change_file(slot);
	}
	return slot;
}

static int work(const char *top, int rounds)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/w%d", top, worker);
	if (mkdir(path, 0755) < 0 || chdir(path) < 0)
		fail("mkdir", path);
	for (int i = 1; i < DIRECTORIES; i++)
		if (mkdir(directories[i], 0755) < 0)
			fail("mkdir", directories[i]);
	promise_all();
	for (int round = 0; round < rounds; round++) {
		int slot = one_change();

		if (pick(3) == 0)
			promise_one(pick(4) ? slot : (int)pick(SLOTS));
		if (pick(40) == 0)
			promise_all();
	}
	promise_all();
	return 0;
}

/* In the parent: the workers' lines to the console, until the last of them has ended. */
static int pass_on(int fd, int workers)
{
	char buffer[4096];
	int failed = 0, status;
	ssize_t length;

	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		if (write_all(STDOUT_FILENO, buffer, length) < 0)
			return STATUS_FAILED;
	while (workers-- > 0)
		if (wait(&status) < 0 || status)
			failed = STATUS_FAILED;
	return failed;
}

int main(int argc, char **argv)
{
	long long workers, rounds, seed;
	int ends[2];

	if (argc != 6 || parse_number(argv[3], 1, MAX_WORKERS, &workers) < 0 ||
	    parse_number(argv[4], 1, 1000000, &rounds) < 0 ||
	    parse_number(argv[5], 1, 1LL << 62, &seed) < 0)
		usage("crashload directory markers workers rounds seed");
	marker_fd = open(argv[2], O_WRONLY | O_DSYNC);
	if (marker_fd < 0 || pipe(ends) < 0)
		die_errno(STATUS_FAILED, "%s", argv[2]);
	for (worker = 0; worker < workers; worker++) {
		pid_t pid = fork();

		if (pid < 0)
			die_errno(STATUS_FAILED, "fork");
		if (pid == 0) {
			dup2(ends[1], STDOUT_FILENO);
			close(ends[0]);
			close(ends[1]);
			state = seed * MAX_WORKERS + worker + 1;
			return work(argv[1], rounds);
		}
	}
	close(ends[1]);
	return pass_on(ends[0], workers);
}
