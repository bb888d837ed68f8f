/*
 * memsum.c - where the machine's memory is: the lines of /proc/meminfo, the frames of
 * /proc/kpageflags, what ended processes gave back, what getrusage and sysinfo say.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define PAGES 64

/* Bits of /proc/kpageflags. */
enum {
	FLAG_SLAB = 7,
	FLAG_BUDDY = 10,
	FLAG_MMAP = 11,
	FLAG_ANON = 12,
	FLAG_NOPAGE = 20,
	FLAG_PGTABLE = 26,
	FLAG_RESERVED = 32,
};

static char text[16384];

static long long line(const char *key)
{
	long long kb = text_number(text, key);

	if (kb < 0)
		test_fail(__FILE__, __LINE__, "no line %s", key);
	return kb;
}

static void read_meminfo(void)
{
	CHECK(read_text("/proc/meminfo", text, sizeof(text)) > 0);
}

/* Frames with, and without, a flag. */
static long long count_frames(uint64_t want, uint64_t without)
{
	static uint64_t flags[4096];
	int fd = CHECK_OK(open("/proc/kpageflags", O_RDONLY));
	long long count = 0;
	off_t at = (off_t)(0x80000000UL / PAGE_SIZE) * sizeof(flags[0]);
	ssize_t n;

	/* RAM begins at 2 GiB; below it nothing is. */
	while ((n = CHECK_OK(pread(fd, flags, sizeof(flags), at))) > 0) {
		for (size_t i = 0; i < n / sizeof(flags[0]); i++)
			count += (flags[i] & want) == want && !(flags[i] & without);
		at += n;
	}
	close(fd);
	return count;
}

/* Each frame of the machine is in one line. */
TEST(the_lines_of_meminfo_sum_to_the_ram)
{
	static const char *const parts[] = {
		"MemFree", "Buffers",	 "Cached",	"AnonPages",
		"Slab",	   "PageTables", "KernelStack", "KernelOther",
	};
	static const char *const reserved[] = { "KernelImage", "KernelTables", "PageArray",
						"Firmware" };
	long long sum = 0, ram;

	if (!on_ravel())
		SKIP("Linux does not say where all of it is");
	ram = count_frames(0, 1ULL << FLAG_NOPAGE) * (PAGE_SIZE / 1024);
	read_meminfo();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		sum += line(parts[i]);
	CHECK_EQ(sum, line("MemTotal"));
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		CHECK(line(reserved[i]) > 0);
		sum += line(reserved[i]);
	}
	CHECK_EQ(sum, ram);
	CHECK(line("KernelOther") < 1024);
}

/* The counters, and each frame looked at. */
TEST(frames_are_what_meminfo_says)
{
	long long anon = 0, mapped = 0, reserved = 0, unused = 0, tables = 0, slab = 0;

	if (!on_ravel())
		SKIP("the machine does not stand still");
	/* The first time faults in code and buffers. */
	for (int time = 0; time < 2; time++) {
		anon = count_frames(1ULL << FLAG_ANON | 1ULL << FLAG_MMAP, 0);
		mapped = count_frames(1ULL << FLAG_MMAP, 1ULL << FLAG_ANON);
		reserved = count_frames(1ULL << FLAG_RESERVED, 0);
		unused = count_frames(1ULL << FLAG_BUDDY, 0);
		tables = count_frames(1ULL << FLAG_PGTABLE, 0);
		slab = count_frames(1ULL << FLAG_SLAB, 0);
		read_meminfo();
	}
	CHECK_EQ(anon * 4, line("AnonPages"));
	CHECK_EQ(mapped * 4, line("Mapped"));
	CHECK_EQ(reserved * 4,
		 line("KernelImage") + line("KernelTables") + line("PageArray") + line("Firmware"));
	CHECK_RANGE(unused * 4, line("MemFree") - 256, line("MemFree") + 256);
	CHECK(tables * 4 >= line("PageTables"));
	CHECK(slab * 4 <= line("Slab"));
}

TEST(anonymous_pages_count_once)
{
	char *p = map_anon(PAGES * PAGE_SIZE);
	long long before;
	pid_t pid;

	if (!on_ravel())
		SKIP("the machine does not stand still");
	read_meminfo();
	read_meminfo();
	before = line("AnonPages");
	memset(p, 1, PAGES * PAGE_SIZE);
	read_meminfo();
	CHECK_EQ(line("AnonPages") - before, PAGES * 4);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		read_meminfo();
		/* Its own are some of the stack and the data. */
		CHECK_RANGE(line("AnonPages") - before, PAGES * 4, PAGES * 4 + 128);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
	read_meminfo();
	CHECK_RANGE(line("AnonPages") - before, 0, 32);
}

TEST(status_tells_anonymous_file_and_shared_memory)
{
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	long long shared = status_kb(getpid(), "RssShmem");
	long long file = status_kb(getpid(), "RssFile");

	memset(p, 1, PAGES * PAGE_SIZE);
	/* Linux sums the counters of its processors now and then. */
	CHECK_RANGE(status_kb(getpid(), "RssShmem") - shared, on_ravel() ? PAGES * 4 : 0,
		    PAGES * 4);
	CHECK_RANGE(status_kb(getpid(), "RssFile") - file, 0, on_ravel() ? 64 : 4000);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
	if (on_ravel())
		CHECK_EQ(status_kb(getpid(), "RssShmem"), shared);
}

/* ---- processes that ended ---- */

/* The line of process @pid in /proc/exits. */
static void exit_line(pid_t pid, long *code, long *anon, long *file, long *tables, long *kept)
{
	char *at, *save;

	CHECK(read_text("/proc/exits", text, sizeof(text)) > 0);
	for (at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		if (atoi(at) == pid &&
		    sscanf(at, "%*d %ld %*d %ld %ld %ld %ld", code, anon, file, tables, kept) == 5)
			return;
	test_fail(__FILE__, __LINE__, "no line for process %d", pid);
}

TEST(frames_that_an_exit_gives_back)
{
	long code, anon, file, tables, kept, counted;
	char *p = map_anon(PAGES * PAGE_SIZE);
	pid_t pid;

	if (!on_ravel())
		SKIP("Linux keeps no such book");
	memset(p, 1, PAGES * PAGE_SIZE);
	counted = vmstat("exit_freed_anon");
	pid = CHECK_OK(fork());
	if (pid == 0) {
		/* Ten of its parent's pages become its own, and ten are new. */
		char *mine = map_anon(10 * PAGE_SIZE);

		memset(mine, 1, 10 * PAGE_SIZE);
		memset(p, 2, 10 * PAGE_SIZE);
		_exit(7);
	}
	CHECK_EXIT(pid, 7);
	exit_line(pid, &code, &anon, &file, &tables, &kept);
	CHECK_EQ(code, 7);
	CHECK_RANGE(anon, 20, 20 + 32);
	CHECK_RANGE(kept, PAGES - 10, PAGES - 10 + 64);
	CHECK_RANGE(tables, 4, 16);
	CHECK_EQ(file, 0);
	CHECK_RANGE(vmstat("exit_freed_anon") - counted, anon, anon);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	CHECK_OK(waitpid(pid, NULL, 0));
	exit_line(pid, &code, &anon, &file, &tables, &kept);
	CHECK_EQ(code, -SIGKILL);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

/* ---- what a process used ---- */

TEST(rusage_counts_faults_and_the_peak)
{
	struct rusage before, after;
	char *p = map_anon(PAGES * PAGE_SIZE);

	madvise(p, PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] = 1;
	CHECK_OK(getrusage(RUSAGE_SELF, &after));
	CHECK_RANGE(after.ru_minflt - before.ru_minflt, PAGES, PAGES + 4);
	CHECK(after.ru_maxrss >= before.ru_maxrss);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	CHECK(before.ru_maxrss >= after.ru_maxrss);
	CHECK_ERRNO(getrusage(77, &before), EINVAL);
	CHECK_ERRNO(getrusage(RUSAGE_SELF, (void *)KERNEL_ADDRESS), EFAULT);
}

/* wait4() gives the child's and its children's; RUSAGE_CHILDREN the sum of those waited for. */
TEST(rusage_of_children)
{
	struct rusage used, before, children;
	int status;
	pid_t pid;

	CHECK_OK(getrusage(RUSAGE_CHILDREN, &before));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		char *p = map_anon(4096 * PAGE_SIZE);

		madvise(p, 4096 * PAGE_SIZE, MADV_NOHUGEPAGE);
		for (int i = 0; i < 4096; i++)
			p[i * PAGE_SIZE] = 1;
		CHECK_EXIT(CHECK_OK(fork()) ?: (_exit(0), 0), 0);
		_exit(0);
	}
	CHECK_EQ(wait4(pid, &status, 0, &used), pid);
	CHECK_EQ(status, 0);
	CHECK_RANGE(used.ru_minflt, 4096, 4096 + 2000);
	CHECK(used.ru_maxrss >= 4096 * 4);
	CHECK_OK(getrusage(RUSAGE_CHILDREN, &children));
	CHECK_EQ(children.ru_minflt - before.ru_minflt, used.ru_minflt);
	CHECK(children.ru_maxrss >= used.ru_maxrss);
	CHECK(used.ru_nvcsw >= 1); /* it waited for its child */
}

TEST(switches_are_counted_in_status_too)
{
	struct rusage used;
	long long voluntary;

	test_pause(1);
	CHECK_OK(getrusage(RUSAGE_SELF, &used));
	CHECK(read_text("/proc/self/status", text, sizeof(text)) > 0);
	voluntary = text_number(text, "voluntary_ctxt_switches");
	CHECK_RANGE(voluntary, used.ru_nvcsw, used.ru_nvcsw + 100);
	CHECK(text_number(text, "nonvoluntary_ctxt_switches") >= used.ru_nivcsw);
}

TEST(sysinfo_and_meminfo_agree)
{
	struct sysinfo info;

	CHECK_OK(sysinfo(&info));
	read_meminfo();
	CHECK_EQ(info.totalram * info.mem_unit / 1024, line("MemTotal"));
	CHECK_EQ(info.totalswap * info.mem_unit / 1024, line("SwapTotal"));
	CHECK_RANGE(info.procs, 2, 32768);
	CHECK(info.freeram <= info.totalram);
	if (on_ravel()) {
		CHECK_EQ(info.bufferram / 1024, line("Buffers"));
		CHECK_EQ(info.sharedram / 1024, line("Shmem"));
		CHECK_RANGE(info.loads[0], 1 << 16, 100 << 16);
	}
	CHECK_ERRNO(sysinfo((void *)KERNEL_ADDRESS), EFAULT);
}

/* vmstat's counters: those that a fault moves. */
TEST(counters_of_vmstat)
{
	long long faults = vmstat("pgfault"), pages = vmstat("nr_anon_pages");
	char *p = map_anon(PAGES * PAGE_SIZE);

	madvise(p, PAGES * PAGE_SIZE, MADV_NOHUGEPAGE);
	CHECK(faults > 0 && pages > 0);
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE] = 1;
	/* Linux adds a processor's events up about once a second. */
	if (on_ravel())
		CHECK_RANGE(vmstat("pgfault") - faults, PAGES, PAGES + 32);
	CHECK(vmstat("pgpgin") > 0 || !on_ravel());
	CHECK(vmstat("nr_free_pages") > 0);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

TEST(names_of_the_kernel)
{
	static const char *const names[] = { "ostype", "osrelease", "version", "hostname" };

	for (int i = 0; i < 4; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/sys/kernel/%s", names[i]);
		CHECK(read_text(path, text, sizeof(text)) > 1);
		CHECK_EQ(text[strlen(text) - 1], '\n');
	}
	CHECK(read_text("/proc/sys/kernel/pid_max", text, sizeof(text)) > 0);
	CHECK(atoi(text) > getpid());
}
