/*
 * clear_refs.c - Referenced in smaps and /proc/<pid>/clear_refs: after the clearing exactly what is
 * touched again counts, page by page, and the file takes five numbers and nothing else.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define PAGES 64
#define KB    (PAGE_SIZE / 1024)
#define USER  1000
#define RW    (PROT_READ | PROT_WRITE)

static const char *path_of(pid_t pid)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	return path;
}

/* Writes @text; 0, or -1 with errno. */
static int clear_refs(pid_t pid, const char *text)
{
	int fd = CHECK_OK(open(path_of(pid), O_WRONLY));
	ssize_t done = write(fd, text, strlen(text));
	int error = errno;

	CHECK_OK(close(fd));
	errno = error;
	return done == (ssize_t)strlen(text) ? 0 : -1;
}

/*
 * The processor forgets the translations of memory that may be written: Linux leaves them in it, so
 * what is used all the time would go on looking idle. A change of rights brings it to flush them.
 */
static void flush(char *p, size_t size)
{
	if (on_ravel())
		return;
	CHECK_OK(mprotect(p, size, PROT_READ));
	CHECK_OK(mprotect(p, size, RW));
}

static char *map_small_pages(size_t pages)
{
	char *p = map_anon(pages * PAGE_SIZE);

	madvise(p, pages * PAGE_SIZE, MADV_NOHUGEPAGE);
	memset(p, 1, pages * PAGE_SIZE);
	return p;
}

static long long referenced(pid_t pid, const char *p)
{
	struct smaps area;

	smaps_of(pid, p, &area);
	CHECK(area.referenced <= area.rss);
	return area.referenced;
}

TEST(referenced_is_what_was_touched_since_page_by_page)
{
	char *p = map_small_pages(PAGES);
	volatile char *pages = p;
	bool touched[PAGES] = {};
	int number = 0;

	CHECK_EQ(referenced(0, p), PAGES * KB);
	CHECK_OK(clear_refs(getpid(), "1"));
	flush(p, PAGES * PAGE_SIZE);
	CHECK_EQ(referenced(0, p), 0);
	while (number < PAGES / 2) {
		int page = test_random_below(PAGES);

		if (test_random_below(2))
			pages[page * PAGE_SIZE] = 2;
		else
			(void)pages[page * PAGE_SIZE];
		number += !touched[page];
		touched[page] = true;
		CHECK_EQ(referenced(0, p), number * KB);
	}
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

/* Again and again: the processor must notice each time. */
TEST(a_page_in_use_is_seen_after_each_clearing)
{
	char *p = map_small_pages(2);
	volatile char *pages = p;

	for (int round = 0; round < 50; round++) {
		CHECK_OK(clear_refs(getpid(), "1\n"));
		flush(p, 2 * PAGE_SIZE);
		CHECK_EQ(referenced(0, p), 0);
		CHECK_EQ(pages[PAGE_SIZE], 1);
		CHECK_EQ(referenced(0, p), KB);
	}
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
}

TEST(the_kernel_s_accesses_count)
{
	char *p = map_small_pages(4);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_OK(clear_refs(getpid(), "1"));
	flush(p, 4 * PAGE_SIZE);
	CHECK_EQ(write(fds[1], p + PAGE_SIZE, 1), 1);
	CHECK_EQ(referenced(0, p), KB);
	CHECK_EQ(read(fds[0], p + 3 * PAGE_SIZE, 1), 1);
	CHECK_EQ(referenced(0, p), 2 * KB);
	close(fds[0]);
	close(fds[1]);
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
}

/* Two kinds of areas: a page that was copied for a private mapping of a file stays the file's. */
TEST(two_is_anonymous_and_three_of_files)
{
	const char *path = tmp_path("clear_refs");
	static char bytes[4 * PAGE_SIZE];
	char *anon = map_small_pages(4), *mapped;
	int fd;

	write_file(path, bytes, sizeof(bytes));
	fd = CHECK_OK(open(path, O_RDONLY));
	mapped = CHECK_OK(mmap(NULL, sizeof(bytes), RW, MAP_PRIVATE, fd, 0));
	memset(mapped, 1, 4 * PAGE_SIZE);
	CHECK_OK(clear_refs(getpid(), "3"));
	CHECK_EQ(referenced(0, anon), 4 * KB);
	CHECK_EQ(referenced(0, mapped), 0);
	flush(mapped, sizeof(bytes));
	memset(mapped, 2, 2 * PAGE_SIZE);
	CHECK_OK(clear_refs(getpid(), "2"));
	CHECK_EQ(referenced(0, anon), 0);
	CHECK_EQ(referenced(0, mapped), 2 * KB);
	CHECK_OK(clear_refs(getpid(), "1"));
	CHECK_EQ(referenced(0, mapped), 0);
	CHECK_OK(munmap(mapped, sizeof(bytes)));
	CHECK_OK(munmap(anon, 4 * PAGE_SIZE));
	close(fd);
	CHECK_OK(unlink(path));
}

TEST(five_is_the_peak_of_resident_memory)
{
	const long long size = 1024 * KB;
	char *p = map_small_pages(1024);
	long long peak;

	CHECK_OK(munmap(p, 1024 * PAGE_SIZE));
	peak = status_kb(getpid(), "VmHWM");
	CHECK(peak >= size);
	CHECK_OK(clear_refs(getpid(), "5"));
	CHECK_RANGE(status_kb(getpid(), "VmHWM"), status_kb(getpid(), "VmRSS") - size / 2,
		    peak - size / 2);
	p = map_small_pages(1024);
	CHECK(status_kb(getpid(), "VmHWM") >= size);
	CHECK_OK(munmap(p, 1024 * PAGE_SIZE));
}

TEST(nothing_else_is_taken)
{
	static const char *const texts[] = { "0", "6", "-1", "x", "1x", "1 1", "" };
	char *p = map_small_pages(1);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int fd = CHECK_OK(open(path_of(getpid()), O_WRONLY));

		if (texts[i][0])
			CHECK_ERRNO(write(fd, texts[i], strlen(texts[i])), EINVAL);
		CHECK_OK(close(fd));
	}
	/* Soft-dirty bits are a matter of configuration. */
	if (on_ravel())
		CHECK_ERRNO(clear_refs(getpid(), "4"), EINVAL);
	CHECK_EQ(referenced(0, p), KB);
	CHECK_OK(munmap(p, PAGE_SIZE));
}

TEST(bad_pointers)
{
	int fd = CHECK_OK(open(path_of(getpid()), O_WRONLY));

	CHECK_ERRNO(write(fd, (void *)PAGE_SIZE, 1), EFAULT);
	CHECK_ERRNO(write(fd, (void *)KERNEL_ADDRESS, 1), EFAULT);
	CHECK_OK(close(fd));
}

/* Of another process, while it runs. */
TEST(of_a_child)
{
	char *p = map_small_pages(PAGES);
	int ready[2], go[2];
	char byte = 0;
	pid_t pid;

	CHECK_OK(pipe(ready));
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int round = 0; round < 5; round++) {
			CHECK_EQ(read(go[0], &byte, 1), 1);
			flush(p, PAGES * PAGE_SIZE);
			memset(p, round, (8 + round) * PAGE_SIZE);
			CHECK_EQ(write(ready[1], &byte, 1), 1);
		}
		CHECK_EQ(read(go[0], &byte, 1), 1);
		_exit(0);
	}
	for (int round = 0; round < 5; round++) {
		CHECK_OK(clear_refs(pid, "1"));
		CHECK_EQ(referenced(pid, p), 0);
		CHECK_EQ(write(go[1], &byte, 1), 1);
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		CHECK_EQ(referenced(pid, p), (8 + round) * KB);
	}
	CHECK_EQ(write(go[1], &byte, 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap(p, PAGES * PAGE_SIZE));
}

/* A zombie has nothing to forget; who was waited for is gone. */
TEST(of_a_process_that_ended)
{
	siginfo_t info;
	pid_t pid = CHECK_OK(fork());
	int fd;

	if (pid == 0)
		_exit(0);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	fd = CHECK_OK(open(path_of(pid), O_WRONLY));
	CHECK_EQ(write(fd, "1", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(write(fd, "1", 1), ESRCH);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open(path_of(pid), O_WRONLY), ENOENT);
}

TEST(it_is_the_owner_s_and_cannot_be_read)
{
	pid_t parent = getpid();
	char byte;
	int fd = CHECK_OK(open(path_of(parent), O_WRONLY));

	CHECK_ERRNO(read(fd, &byte, 1), EBADF);
	CHECK_OK(close(fd));
	CHECK_CHILD({
		CHECK_OK(setgid(100));
		CHECK_OK(setuid(USER));
		CHECK_ERRNO(open(path_of(parent), O_WRONLY), EACCES);
	});
}
