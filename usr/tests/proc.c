/*
 * proc.c - /proc: Linux's formats, and numbers that fit the process they tell of.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testutil.h"

static char text[65536];

/* The kernel's line must be what Linux prints from the same values, columns included. */
TEST(maps_lines_have_linux_s_format)
{
	char *line, *save;

	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, end, offset, inode;
		unsigned int major, minor;
		char prot[8], name[256] = "", expected[512];
		int length;

		CHECK(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %255[^\n]", &start, &end, prot,
			     &offset, &major, &minor, &inode, name) >= 7);
		length = snprintf(expected, sizeof(expected), "%08lx-%08lx %s %08lx %02x:%02x %lu ",
				  start, end, prot, offset, major, minor, inode);
		if (name[0])
			snprintf(expected + length, sizeof(expected) - length, "%*s%s",
				 length < 73 ? 73 - length : 0, "", name);
		CHECK_STRING(line, expected);
		CHECK(start < end);
		CHECK(strspn(prot, "rwxps-") == 4);
	}
}

TEST(maps_are_sorted_and_disjoint)
{
	unsigned long last = 0;
	char *line, *save;

	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, end;

		CHECK_EQ(sscanf(line, "%lx-%lx", &start, &end), 2);
		CHECK(start >= last);
		CHECK(start % PAGE_SIZE == 0 && end % PAGE_SIZE == 0);
		last = end;
	}
}

/* Reading in small pieces gives the same as reading at once. */
TEST(maps_in_small_pieces)
{
	static char pieces[65536];
	int fd = CHECK_OK(open("/proc/self/maps", O_RDONLY));
	size_t done = 0;
	ssize_t n;

	while ((n = CHECK_OK(read(fd, pieces + done, 10))) > 0)
		done += n;
	pieces[done] = 0;
	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	CHECK_STRING(pieces, text);
}

TEST(status_knows_the_process)
{
	char expected[64];

	CHECK(read_text("/proc/self/status", text, sizeof(text)) > 0);
	snprintf(expected, sizeof(expected), "Name:\t%s\n", program_invocation_short_name);
	CHECK_EQ(strncmp(text, expected, strlen(expected)), 0);
	CHECK_EQ(text_number(text, "Pid"), getpid());
	CHECK_EQ(text_number(text, "PPid"), getppid());
	CHECK(strstr(text, "State:\tR") != NULL);
}

TEST(resident_memory_follows_touching)
{
	char *p = map_anon(8 << 20);
	long long size = status_kb(getpid(), "VmSize"), rss = status_kb(getpid(), "VmRSS");

	memset(p, 1, 8 << 20);
	CHECK_EQ(status_kb(getpid(), "VmSize"), size);
	CHECK_RANGE(status_kb(getpid(), "VmRSS") - rss, 8192 - 600, 8192 + 600);
	CHECK_OK(munmap(p, 8 << 20));
	CHECK_EQ(status_kb(getpid(), "VmSize"), size - 8192);
	CHECK_RANGE(status_kb(getpid(), "VmRSS") - rss, -600, 600);
}

TEST(vmsize_is_the_sum_of_the_areas)
{
	unsigned long sum = 0;
	char *line, *save;
	long long size = status_kb(getpid(), "VmSize");

	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, end;

		CHECK_EQ(sscanf(line, "%lx-%lx", &start, &end), 2);
		if (start < KERNEL_ADDRESS && !strstr(line, "[v"))
			sum += end - start;
	}
	CHECK_RANGE(size - (long long)(sum / 1024), 0, 64);
}

TEST(statm_agrees_with_status)
{
	long size, resident;

	/* The first time faults in the code and the buffers of both. */
	for (int time = 0; time < 2; time++) {
		CHECK(read_text("/proc/self/statm", text, sizeof(text)) > 0);
		CHECK_EQ(sscanf(text, "%ld %ld", &size, &resident), 2);
		CHECK(status_kb(getpid(), "VmRSS") > 0);
	}
	CHECK_EQ(size * 4, status_kb(getpid(), "VmSize"));
	/* Linux sums the counters of its processors exactly in one of the two only. */
	CHECK_RANGE(resident * 4 - status_kb(getpid(), "VmRSS"), on_ravel() ? -64 : -4000,
		    on_ravel() ? 64 : 4000);
}

TEST(stat_of_oneself)
{
	int pid, ppid, group;
	char name[64], state, *end;

	CHECK(read_text("/proc/self/stat", text, sizeof(text)) > 0);
	CHECK_EQ(sscanf(text, "%d (%63[^)]) %c %d %d", &pid, name, &state, &ppid, &group), 5);
	CHECK_EQ(pid, getpid());
	CHECK_EQ(ppid, getppid());
	CHECK_EQ(group, getpgrp());
	CHECK_EQ(state, 'R');
	/* Fifty-two fields, as ps expects. */
	end = strrchr(text, ')');
	pid = 2;
	for (; *end; end++)
		pid += *end == ' ';
	CHECK(pid >= 24);
}

TEST(cmdline_and_exe)
{
	char path[256] = "";

	CHECK(read_text("/proc/self/cmdline", text, sizeof(text)) > 0);
	CHECK_STRING(text, program_invocation_name);
	CHECK_OK(readlink("/proc/self/exe", path, sizeof(path) - 1));
	CHECK_EQ(path[0], '/');
	CHECK(strstr(path, program_invocation_short_name) != NULL);
}

TEST(meminfo_adds_up)
{
	long long total, available;

	CHECK(read_text("/proc/meminfo", text, sizeof(text)) > 0);
	total = text_number(text, "MemTotal");
	available = text_number(text, "MemFree");
	CHECK_RANGE(total, 8 << 10, 1LL << 40);
	CHECK_RANGE(available, 1, total);
	CHECK_RANGE(text_number(text, "Cached"), 0, total);
	CHECK_RANGE(text_number(text, "Slab"), 0, total);
	CHECK_RANGE(text_number(text, "PageTables"), 1, total);
	CHECK_RANGE(text_number(text, "KernelStack"), 1, total);
}

TEST(another_process_is_listed_until_reaped)
{
	char path[64];
	int fds[2];
	pid_t pid;
	struct stat st;
	char byte;

	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1));
	}
	snprintf(path, sizeof(path), "/proc/%d", pid);
	CHECK_OK(stat(path, &st));
	CHECK(S_ISDIR(st.st_mode));
	close(fds[1]);
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(stat(path, &st), ENOENT);
}

TEST(a_zombie_has_a_state_and_no_memory)
{
	siginfo_t info;
	char path[64];
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(0);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	CHECK(read_text(path, text, sizeof(text)) > 0);
	CHECK(strstr(text, "State:\tZ") != NULL);
	CHECK_EQ(text_number(text, "VmRSS"), -1);
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	CHECK_EQ(read_text(path, text, sizeof(text)), 0);
	CHECK_EXIT(pid, 0);
}

/* A reader of /proc/PID/maps races with that process's edits and its exit. */
TEST(reading_a_process_that_changes_and_goes)
{
	for (int round = 0; round < 10; round++) {
		char path[64];
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			for (int i = 0; i < 20; i++) {
				char *p = map_anon(4 * PAGE_SIZE);

				CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_NONE));
				CHECK_OK(munmap(p, 4 * PAGE_SIZE));
			}
			_exit(0);
		}
		snprintf(path, sizeof(path), "/proc/%d/maps", pid);
		for (int i = 0; i < 5; i++)
			read_text(path, text, sizeof(text));
		CHECK_EXIT(pid, 0);
	}
}

TEST(the_root_lists_processes)
{
	bool self = false;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	CHECK(dir != NULL);
	while ((entry = readdir(dir)))
		self |= atoi(entry->d_name) == getpid();
	closedir(dir);
	CHECK(self);
}

TEST(uptime_runs)
{
	double first, second;

	CHECK(read_text("/proc/uptime", text, sizeof(text)) > 0);
	first = atof(text);
	test_pause(30);
	CHECK(read_text("/proc/uptime", text, sizeof(text)) > 0);
	second = atof(text);
	CHECK(second > first);
}

/* Who reads it twice subtracts: also while processes end that nobody waits for. */
TEST(the_time_of_the_harts_never_falls)
{
	unsigned long long last[4] = {}, now[4];

	for (int round = 0; round < 60; round++) {
		CHECK_CHILD({
			if (fork() == 0)
				for (volatile int i = 0; i < 2000000; i++)
					;
		});
		CHECK(read_text("/proc/stat", text, sizeof(text)) > 0);
		CHECK_EQ(
			sscanf(text, "cpu %llu %llu %llu %llu", &now[0], &now[1], &now[2], &now[3]),
			4);
		for (int i = 0; i < 4; i++) {
			CHECK(now[i] >= last[i]);
			last[i] = now[i];
		}
		test_progress();
	}
}
