/*
 * parallel.c - several processes at the same files and directories at once.
 *
 * A child that finds something wrong fails; the parent's CHECK_EXIT then fails as well.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define NR_TASKS   4
#define FILE_SIZE  200000
#define RECORDS	   200
#define EXT2_MAGIC 0xef53

static unsigned char buffer[FILE_SIZE], expected[FILE_SIZE];

/* Run body(i) in NR_TASKS children; all must pass. */
static void run_children(void (*body)(int))
{
	pid_t pids[NR_TASKS];

	for (int i = 0; i < NR_TASKS; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0) {
			body(i);
			_exit(0);
		}
	}
	for (int i = 0; i < NR_TASKS; i++)
		CHECK_EXIT(pids[i], 0);
}

static const char *name_of(int i)
{
	static char name[16];

	snprintf(name, sizeof(name), "f%d", i);
	return name;
}

static void check_file(const char *name, unsigned int key, size_t size)
{
	int fd = CHECK_OK(open(name, O_RDONLY));

	CHECK_EQ(read(fd, buffer, sizeof(buffer)), size);
	fill_pattern(expected, size, key, 0);
	CHECK_EQ(memcmp(buffer, expected, size), 0);
	CHECK_OK(close(fd));
}

/* ---- different files ---- */

static void write_own_file(int i)
{
	int fd = CHECK_OK(open(name_of(i), O_RDWR | O_CREAT | O_EXCL, 0644));

	for (int round = 0; round < 3; round++) {
		CHECK_OK(ftruncate(fd, 0));
		for (off_t at = 0; at < FILE_SIZE; at += 5000) {
			fill_pattern(buffer, 5000, i + round, at);
			CHECK_EQ(pwrite(fd, buffer, 5000, at), 5000);
			if (at % 50000 == 0)
				CHECK_OK(fsync(fd));
		}
		check_file(name_of(i), i + round, FILE_SIZE);
		test_progress();
	}
	CHECK_OK(close(fd));
}

TEST(different_files)
{
	test_dir();
	run_children(write_own_file);
	for (int i = 0; i < NR_TASKS; i++)
		check_file(name_of(i), i + 2, FILE_SIZE);
	test_dir_leave();
}

/* ---- one file ---- */

/* Pieces of 1000 bytes, each task every fourth: neighbours share blocks and pages. */
static void write_every_fourth(int i)
{
	int fd = CHECK_OK(open("f", O_RDWR));

	for (off_t at = i * 1000; at < FILE_SIZE; at += NR_TASKS * 1000) {
		fill_pattern(buffer, 1000, 9, at);
		CHECK_EQ(pwrite(fd, buffer, 1000, at), 1000);
		if (at % 32000 == 0)
			CHECK_OK(fsync(fd));
	}
	CHECK_OK(close(fd));
}

TEST(one_file_at_disjoint_ranges)
{
	test_dir();
	CHECK_OK(close(CHECK_OK(open("f", O_RDWR | O_CREAT, 0644))));
	run_children(write_every_fourth);
	check_file("f", 9, FILE_SIZE);
	test_dir_leave();
}

struct record {
	int task, number;
	unsigned char bytes[92];
};

static void append_records(int i)
{
	int fd = CHECK_OK(open("log", O_WRONLY | O_APPEND));
	struct record record = { .task = i };

	for (record.number = 0; record.number < RECORDS; record.number++) {
		fill_pattern(record.bytes, sizeof(record.bytes), i, record.number);
		CHECK_EQ(write(fd, &record, sizeof(record)), sizeof(record));
		if (record.number % 50 == 0)
			CHECK_OK(fsync(fd));
	}
	CHECK_OK(close(fd));
}

TEST(appended_records_are_whole_and_in_order)
{
	int fd, next[NR_TASKS] = { 0 };
	struct record record;

	test_dir();
	fd = CHECK_OK(open("log", O_RDONLY | O_CREAT, 0644));
	run_children(append_records);
	while (read(fd, &record, sizeof(record)) == sizeof(record)) {
		CHECK_RANGE(record.task, 0, NR_TASKS - 1);
		CHECK_EQ(record.number, next[record.task]++);
		fill_pattern(expected, sizeof(record.bytes), record.task, record.number);
		CHECK_EQ(memcmp(record.bytes, expected, sizeof(record.bytes)), 0);
	}
	CHECK_EQ(lseek(fd, 0, SEEK_END), NR_TASKS * RECORDS * sizeof(record));
	for (int i = 0; i < NR_TASKS; i++)
		CHECK_EQ(next[i], RECORDS);
	test_dir_leave();
}

/* ---- one directory ---- */

/* All tasks use the same few names: each call may meet what another did, and nothing else. */
static void edit_names(int i)
{
	for (int n = 0; n < 200; n++) {
		char name[16], other[16];
		int fd;

		snprintf(name, sizeof(name), "n%d", (int)test_random_below(6));
		snprintf(other, sizeof(other), "n%d", (int)((test_random_below(6) + i) % 6));
		fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
		if (fd < 0) {
			CHECK_EQ(errno, EEXIST);
		} else {
			CHECK_EQ(write(fd, "whole", 5), 5);
			CHECK_OK(close(fd));
		}
		if (rename(name, other))
			CHECK_EQ(errno, ENOENT);
		if (link(other, name))
			CHECK(errno == EEXIST || errno == ENOENT);
		if (n % 3 == 0 && unlink(name))
			CHECK_EQ(errno, ENOENT);
		if (n % 32 == 0)
			test_progress();
	}
}

TEST(names_of_one_directory)
{
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	test_dir();
	run_children(edit_names);
	dir = opendir(".");
	CHECK(dir != NULL);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		CHECK_OK(stat(entry->d_name, &st));
		CHECK_EQ(st.st_ino, entry->d_ino);
		CHECK_EQ(st.st_size, 5);
		CHECK_RANGE(st.st_nlink, 1, 6);
	}
	closedir(dir);
	test_dir_leave();
}

/* Two names at once: renames in both directions between two directories must not deadlock. */
static void move_about(int i)
{
	const char *from = i % 2 ? "a" : "b", *to = i % 2 ? "b" : "a";
	char old[32], new[32];

	for (int n = 0; n < 150; n++) {
		snprintf(old, sizeof(old), "%s/d%d", from, n % 3);
		snprintf(new, sizeof(new), "%s/d%d", to, n % 3);
		if (mkdir(old, 0755))
			CHECK_EQ(errno, EEXIST);
		if (rename(old, new))
			CHECK(errno == ENOENT || errno == EEXIST || errno == ENOTEMPTY);
		if (n % 5 == 0 && rmdir(new))
			CHECK_EQ(errno, ENOENT);
	}
}

TEST(directories_move_both_ways)
{
	struct stat st;

	test_dir();
	CHECK_OK(mkdir("a", 0755));
	CHECK_OK(mkdir("b", 0755));
	run_children(move_about);
	for (int i = 0; i < 6; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%s/d%d", i % 2 ? "a" : "b", i / 2);
		if (rmdir(name))
			CHECK_EQ(errno, ENOENT);
	}
	CHECK_OK(stat("a", &st));
	CHECK(st.st_nlink == 2 || !on_ravel());
	CHECK_OK(rmdir("a"));
	CHECK_OK(rmdir("b"));
	test_dir_leave();
}

/* ---- readers beside writers ---- */

/* Even tasks replace their file by a new one, odd ones read that of their neighbour. */
static void replace_or_read(int i)
{
	for (int round = 0; round < 25; round++) {
		const char *name = name_of(i / 2);
		unsigned int key;
		int fd;

		test_progress();
		if (i % 2 == 0) {
			fd = CHECK_OK(open(i ? "new2" : "new0", O_RDWR | O_CREAT, 0644));
			fill_pattern(buffer, 30000, round, 0);
			memcpy(buffer, &round, sizeof(round));
			CHECK_EQ(write(fd, buffer, 30000), 30000);
			if (round % 8 == 0)
				CHECK_OK(fsync(fd));
			CHECK_OK(close(fd));
			CHECK_OK(rename(i ? "new2" : "new0", name));
			continue;
		}
		fd = open(name, O_RDONLY);
		if (fd < 0) {
			CHECK_EQ(errno, ENOENT);
			continue;
		}
		CHECK_EQ(read(fd, buffer, 30000), 30000);
		memcpy(&key, buffer, sizeof(key));
		fill_pattern(expected, 30000, key, 0);
		CHECK_EQ(memcmp(buffer + 4, expected + 4, 30000 - 4), 0);
		CHECK_OK(close(fd));
	}
}

TEST(readers_see_whole_files_while_writers_replace_them)
{
	test_dir();
	run_children(replace_or_read);
	test_dir_leave();
}

/* ---- a fault beside requests ---- */

/* Requests in flight now, the 9th number of the disk's line in /proc/diskstats; -1: no disk. */
static int in_flight(void)
{
	char text[2048], *line;
	int now;

	if (read_text("/proc/diskstats", text, sizeof(text)) <= 0)
		return -1;
	line = strstr(text, " vda ");
	if (!line || sscanf(line, " vda %*u %*u %*u %*u %*u %*u %*u %*u %d", &now) != 1)
		return -1;
	return now;
}

static void write_for_ever(int i)
{
	int fd = CHECK_OK(open(name_of(i), O_RDWR | O_CREAT, 0644));

	fill_pattern(buffer, FILE_SIZE, i, 0);
	for (;;) {
		CHECK_EQ(pwrite(fd, buffer, FILE_SIZE, 0), FILE_SIZE);
		CHECK_OK(fsync(fd));
	}
}

/* Touch all pages of a map of the file; returns how often two requests were in flight then. */
static int fault_and_look(void)
{
	int fd = CHECK_OK(open("mapped", O_RDONLY)), seen = 0;
	unsigned char *p = CHECK_OK(mmap(NULL, FILE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));

	drop_caches();
	fill_pattern(expected, FILE_SIZE, 7, 0);
	for (size_t at = 0; at < FILE_SIZE; at += PAGE_SIZE) {
		bool busy = in_flight() >= 2;

		CHECK_EQ(p[at], expected[at]);
		seen += busy;
	}
	CHECK_OK(munmap(p, FILE_SIZE));
	CHECK_OK(close(fd));
	test_progress();
	return seen;
}

TEST(a_fault_is_served_while_two_requests_are_in_flight)
{
	struct statfs fs;
	pid_t pids[2];
	int fd;

	test_dir();
	CHECK_OK(statfs(".", &fs));
	if (!on_ravel() || fs.f_type != EXT2_MAGIC || in_flight() < 0) {
		test_dir_leave();
		SKIP("looks at Ravel's own disk, where it can be written");
	}
	fd = CHECK_OK(open("mapped", O_RDWR | O_CREAT, 0644));
	fill_pattern(buffer, FILE_SIZE, 7, 0);
	CHECK_EQ(write(fd, buffer, FILE_SIZE), FILE_SIZE);
	CHECK_OK(fsync(fd));
	CHECK_OK(close(fd));
	for (int i = 0; i < 2; i++) {
		pids[i] = CHECK_OK(fork());
		if (pids[i] == 0)
			write_for_ever(i);
	}
	WAIT_UNTIL(fault_and_look() > 0);
	for (int i = 0; i < 2; i++) {
		CHECK_OK(kill(pids[i], SIGKILL));
		CHECK_EQ(waitpid(pids[i], NULL, 0), pids[i]);
	}
	test_dir_leave();
}

TEST(diskstats_has_a_line_for_the_disk)
{
	unsigned long reads, sectors, again;
	char text[2048], *line;

	if (!on_ravel())
		SKIP("the host's disks have other names");
	CHECK(read_text("/proc/diskstats", text, sizeof(text)) > 0);
	line = strstr(text, " vda ");
	CHECK(line != NULL);
	CHECK_EQ(sscanf(line, " vda %lu %*u %lu", &reads, &sectors), 2);
	CHECK(reads > 0 && sectors >= reads);
	CHECK(in_flight() >= 0);
	CHECK(read_text("/proc/diskstats", text, sizeof(text)) > 0);
	CHECK_EQ(sscanf(strstr(text, " vda "), " vda %lu", &again), 1);
	CHECK(again >= reads);
}
