/*
 * smaps.c - /proc/<pid>/smaps and smaps_rollup: what they count is what the program touched, page
 * by page, and who it shares it with.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define PAGES 64
#define KB    (PAGE_SIZE / 1024)

static char text[256 * 1024];

/* Anonymous memory without huge pages, which would answer one touch with 2 MiB. */
static char *map_small_pages(size_t pages)
{
	char *p = map_anon(pages * PAGE_SIZE);

	madvise(p, pages * PAGE_SIZE, MADV_NOHUGEPAGE);
	return p;
}

static void check_area(const char *p, long long rss, long long dirty, long long anonymous)
{
	struct smaps area;

	smaps_of(0, p, &area);
	CHECK_EQ(area.rss, rss * KB);
	CHECK_EQ(area.private_dirty + area.shared_dirty, dirty * KB);
	CHECK_EQ(area.anonymous, anonymous * KB);
	CHECK_EQ(area.shared_clean + area.shared_dirty + area.private_clean + area.private_dirty,
		 area.rss);
}

/* Which lines, in which order; Linux has some more in between. */
TEST(each_area_has_linux_s_lines_in_linux_s_order)
{
	static const char *const keys[] = {
		"Size",
		"KernelPageSize",
		"MMUPageSize",
		"Rss",
		"Pss",
		"Shared_Clean",
		"Shared_Dirty",
		"Private_Clean",
		"Private_Dirty",
		"Referenced",
		"Anonymous",
		"LazyFree",
		"AnonHugePages",
		"ShmemPmdMapped",
		"FilePmdMapped",
		"Shared_Hugetlb",
		"Private_Hugetlb",
		"Swap",
		"SwapPss",
		"Locked",
		"THPeligible",
		"VmFlags",
	};
	size_t next = 0, areas = 0, number = sizeof(keys) / sizeof(keys[0]);
	char *line, *save;

	CHECK(read_text("/proc/self/smaps", text, sizeof(text)) > 0);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long start, end;
		char expected[64], unit[8];

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
			CHECK(next == 0 || next == number);
			areas++;
			next = 0;
			continue;
		}
		CHECK(next < number);
		snprintf(expected, sizeof(expected), "%s:", keys[next]);
		if (strncmp(line, expected, strlen(expected)) != 0)
			continue;
		if (sscanf(line, "%*[^:]: %llu %7s", &(unsigned long long){ 0 }, unit) == 2) {
			snprintf(expected, sizeof(expected), "%s:", keys[next]);
			CHECK_EQ(strlen(line), 16 + 8 + 3);
			CHECK_STRING(unit, "kB");
		}
		next++;
	}
	CHECK_EQ(next, number);
	CHECK(areas > 2);
}

TEST(rss_is_what_was_written_page_by_page)
{
	char *p = map_small_pages(PAGES);
	bool touched[PAGES] = {};
	int number = 0;

	check_area(p, 0, 0, 0);
	while (number < PAGES / 2) {
		int page = test_random_below(PAGES);

		p[page * PAGE_SIZE] = 1;
		number += !touched[page];
		touched[page] = true;
		check_area(p, number, number, number);
	}
	CHECK_OK(madvise(p, PAGES * PAGE_SIZE, MADV_DONTNEED));
	check_area(p, 0, 0, 0);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

/* What was only read is the machine's one page of zeros: nobody's. */
TEST(the_zero_page_counts_for_nobody)
{
	volatile char *p = map_small_pages(PAGES);

	for (int page = 0; page < PAGES; page++)
		CHECK_EQ(p[page * PAGE_SIZE], 0);
	check_area((char *)p, 0, 0, 0);
	p[0] = 1;
	check_area((char *)p, 1, 1, 1);
	CHECK_OK(munmap((void *)p, PAGES * PAGE_SIZE));
}

TEST(pages_hidden_by_prot_none_still_count)
{
	char *p = map_small_pages(8);

	memset(p, 1, 8 * PAGE_SIZE);
	CHECK_OK(mprotect(p, 8 * PAGE_SIZE, PROT_NONE));
	check_area(p, 8, 8, 8);
	CHECK_OK(munmap(p, 8 * PAGE_SIZE));
}

/* The pages of a forked process are shared until one of the two writes. */
TEST(a_share_is_the_page_divided_by_who_maps_it)
{
	char *p = map_small_pages(PAGES);
	struct smaps mine, its;
	int ready[2], go[2];
	char byte;
	pid_t pid;

	memset(p, 1, PAGES * PAGE_SIZE);
	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		memset(p, 2, 8 * PAGE_SIZE);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		_exit(read(go[0], &byte, 1) != 1);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	smaps_of(0, p, &mine);
	smaps_of(pid, p, &its);
	CHECK_EQ(mine.rss, PAGES * KB);
	CHECK_EQ(its.rss, PAGES * KB);
	CHECK_EQ(mine.shared_dirty, (PAGES - 8) * KB);
	CHECK_EQ(its.shared_dirty, (PAGES - 8) * KB);
	CHECK_EQ(mine.private_dirty, 8 * KB);
	CHECK_EQ(its.private_dirty, 8 * KB);
	CHECK_EQ(mine.pss, (8 + (PAGES - 8) / 2) * KB);
	CHECK_EQ(its.pss, (8 + (PAGES - 8) / 2) * KB);
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EXIT(pid, 0);
	smaps_of(0, p, &mine);
	CHECK_EQ(mine.pss, PAGES * KB);
	CHECK_EQ(mine.private_dirty, PAGES * KB);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

/* Of a file: clean as long as the file says the same; a private write makes a page of one's own. */
TEST(pages_of_a_file)
{
	static char bytes[PAGES * PAGE_SIZE];
	const char *path = tmp_path("smaps");
	struct smaps area;
	volatile char *p, *q;
	int fd;

	write_file(path, bytes, sizeof(bytes));
	fd = CHECK_OK(open(path, O_RDWR));
	CHECK_OK(fsync(fd));
	p = CHECK_OK(mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	q = CHECK_OK(mmap(NULL, sizeof(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	for (int page = 0; page < PAGES; page++)
		CHECK_EQ(p[page * PAGE_SIZE], 0);
	check_area((char *)p, PAGES, 0, 0);
	for (int page = 0; page < 5; page++)
		p[page * PAGE_SIZE] = 1;
	smaps_of(0, (char *)p, &area);
	CHECK_EQ(area.rss, PAGES * KB);
	CHECK_EQ(area.anonymous, 5 * KB);
	CHECK_EQ(area.private_dirty, 5 * KB);
	CHECK(strstr(area.flags, " sh ") == NULL);
	for (int page = 0; page < 3; page++)
		q[page * PAGE_SIZE] = 2;
	smaps_of(0, (char *)q, &area);
	CHECK_EQ(area.anonymous, 0);
	CHECK(area.shared_dirty + area.private_dirty >= 3 * (long long)KB);
	CHECK(strstr(area.flags, " sh ") != NULL);
	CHECK_OK(munmap((void *)p, sizeof(bytes)));
	CHECK_OK(munmap((void *)q, sizeof(bytes)));
	close(fd);
	CHECK_OK(unlink(path));
}

TEST(shared_memory_is_not_anonymous_and_shared_by_two)
{
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	struct smaps area;
	int fds[2];
	char byte;
	pid_t pid;

	memset(p, 1, PAGES * PAGE_SIZE);
	smaps_of(0, p, &area);
	CHECK_EQ(area.rss, PAGES * KB);
	CHECK_EQ(area.anonymous, 0);
	CHECK_EQ(area.private_dirty, PAGES * KB);
	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		smaps_of(0, p, &area);
		CHECK_EQ(area.rss, 0); /* its page table is filled by faults */
		for (int page = 0; page < 16; page++)
			p[page * PAGE_SIZE] = 2;
		smaps_of(0, p, &area);
		CHECK_RANGE(area.shared_dirty, 16 * KB, PAGES * KB);
		CHECK_RANGE(area.pss, area.rss / 2 - 1, area.rss / 2 + 1);
		_exit(0);
	}
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

TEST(vm_flags_say_what_the_area_may)
{
	char *p = map_small_pages(4), *q;
	struct smaps area;

	smaps_of(0, p, &area);
	CHECK(strncmp(area.flags, " rd wr mr mw me ", 16) == 0);
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_READ));
	smaps_of(0, p, &area);
	CHECK(strncmp(area.flags, " rd mr mw me ", 13) == 0);
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_READ | PROT_EXEC));
	smaps_of(0, p, &area);
	CHECK(strncmp(area.flags, " rd ex mr mw me ", 16) == 0);
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
	q = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	smaps_of(0, q, &area);
	CHECK(strstr(area.flags, " nr ") != NULL);
	CHECK_OK(munmap(q, PAGE_SIZE));
	smaps_of(0, &area, &area);
	CHECK(strstr(area.flags, " gd ") != NULL);
}

TEST(marks_of_an_area_show)
{
	static const struct {
		int advice;
		const char *flag;
	} marks[] = {
		{ MADV_SEQUENTIAL, " sr " }, { MADV_RANDOM, " rr " },	{ MADV_DONTFORK, " dc " },
		{ MADV_WIPEONFORK, " wf " }, { MADV_DONTDUMP, " dd " },
	};
	char *p = map_small_pages(3 * 4);
	struct smaps area;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *q = p + (2 * i + 1) * PAGE_SIZE;

		smaps_of(0, q, &area);
		CHECK(strstr(area.flags, marks[i].flag) == NULL);
		CHECK_OK(madvise(q, PAGE_SIZE, marks[i].advice));
		smaps_of(0, q, &area);
		CHECK(strstr(area.flags, marks[i].flag) != NULL);
	}
	CHECK_OK(munmap(p, 3 * 4 * PAGE_SIZE));
	p = map_small_pages(4);
	smaps_of(0, p, &area);
	CHECK_EQ(area.locked, 0);
	CHECK_OK(mlock(p + PAGE_SIZE, 2 * PAGE_SIZE));
	smaps_of(0, p + PAGE_SIZE, &area);
	CHECK_EQ(area.locked, 2 * KB);
	CHECK(strstr(area.flags, " lo ") != NULL);
	smaps_rollup(0, &area);
	CHECK_EQ(area.locked, 2 * KB);
	CHECK_OK(munlock(p + PAGE_SIZE, 2 * PAGE_SIZE));
	smaps_of(0, p, &area);
	CHECK_EQ(area.locked, 0);
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
}

TEST(rollup_is_the_sum_over_the_areas)
{
	struct smaps sum, all;
	char header[128] = "";

	/* The second time the buffers of the readers have their pages. */
	for (int time = 0; time < 2; time++) {
		smaps_rollup(0, &all);
		smaps_sum(0, &sum);
	}
	CHECK_EQ(sum.anonymous, all.anonymous);
	CHECK_RANGE(sum.rss - all.rss, -64, 64);
	CHECK_EQ(sum.private_dirty, all.private_dirty);
	CHECK(read_text("/proc/self/smaps_rollup", text, sizeof(text)) > 0);
	sscanf(text, "%127[^\n]", header);
	CHECK_EQ(strlen(header), 73 + strlen("[rollup]"));
	CHECK_STRING(header + 73, "[rollup]");
	CHECK(strstr(header, " ---p 00000000 00:00 0 ") != NULL);
}

/* Empty space costs nothing, however much of it there is. */
TEST(a_reservation_of_100_gib_with_eight_pages)
{
	size_t size = 100UL << 30;
	char *p = CHECK_OK(
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	struct smaps area;
	long long rss = 0;

	for (int i = 0; i < 8; i++) {
		char *page = p + (size_t)i * (12UL << 30) + 5 * PAGE_SIZE;

		CHECK_OK(mprotect(page, PAGE_SIZE, PROT_READ | PROT_WRITE));
		*page = 1;
		smaps_of(0, page, &area);
		CHECK_EQ(area.size, KB);
		rss += area.rss;
	}
	CHECK_EQ(rss, 8 * KB);
	CHECK_OK(munmap(p, size));
}

TEST(of_a_process_that_ended)
{
	siginfo_t info;
	char path[64];
	int fd;
	pid_t pid = CHECK_OK(fork());

	if (pid == 0)
		_exit(0);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
	CHECK_EQ(read_text(path, text, sizeof(text)), 0);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	fd = open(path, O_RDONLY);
	if (fd >= 0) {
		CHECK_ERRNO(read(fd, text, sizeof(text)), ESRCH);
		close(fd);
	} else {
		CHECK_EQ(errno, ESRCH);
	}
	CHECK_EXIT(pid, 0);
}

/* Where another user's memory is, is nobody else's business. */
TEST(of_another_user_s_process)
{
	static const char *const files[] = { "maps", "smaps", "smaps_rollup", "pagemap" };
	pid_t parent = getpid();

	CHECK_CHILD({
		CHECK_OK(setgid(100));
		CHECK_OK(setuid(1000));
		for (int i = 0; i < 4; i++) {
			char path[64];

			snprintf(path, sizeof(path), "/proc/%d/%s", parent, files[i]);
			CHECK_ERRNO(open(path, O_RDONLY), EACCES);
		}
		CHECK_ERRNO(open("/proc/kpageflags", O_RDONLY), EACCES);
	});
}
