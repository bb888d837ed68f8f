/*
 * overcommit.c - memory that is promised: Committed_AS counts it exactly, and the three modes of
 * /proc/sys/vm/overcommit_memory refuse what they should.
 *
 * What changes the machine's mode is for Ravel alone; what holds in mode 0, Linux is asked too.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "usr/lib/testutil.h"

#define MB    (1UL << 20)
#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARE (MAP_SHARED | MAP_ANONYMOUS)

static char text[16384];

static long long committed(void)
{
	return meminfo_kb("Committed_AS");
}

/* Write @value to /proc/sys/vm/@name. Returns what write() did. */
static ssize_t set(const char *name, const char *value)
{
	char path[64];
	ssize_t n;
	int fd, saved;

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	fd = CHECK_OK(open(path, O_WRONLY));
	n = write(fd, value, strlen(value));
	saved = errno;
	close(fd);
	errno = saved;
	return n;
}

/* On Ravel others' memory stands still; on Linux it does not. */
static void only_ravel(void)
{
	if (!on_ravel())
		SKIP("changes or counts the whole machine");
	committed(); /* touches the buffers */
}

static void check_promise(long long before, size_t bytes)
{
	CHECK_EQ(committed() - before, bytes / 1024);
}

/* Run the block in @mode, and the machine is in mode 0 again, whatever happens to the child. */
#define IN_MODE(mode, ...)                                                                         \
	do {                                                                                       \
		pid_t mode_pid = CHECK_OK(fork());                                                 \
		int mode_status;                                                                   \
		if (mode_pid == 0) {                                                               \
			CHECK_OK(set("overcommit_memory", mode));                                  \
			__VA_ARGS__;                                                               \
			_exit(0);                                                                  \
		}                                                                                  \
		CHECK_OK(waitpid(mode_pid, &mode_status, 0));                                      \
		CHECK_OK(set("overcommit_memory", "0"));                                           \
		CHECK_EQ(mode_status, 0);                                                          \
	} while (0)

TEST(each_kind_of_memory_and_its_promise)
{
	const char *path = tmp_path("overcommit");
	static char page[PAGE_SIZE];
	long long before;
	char *p;
	int fd;

	only_ravel();
	write_file(path, page, sizeof(page));
	fd = CHECK_OK(open(path, O_RDWR));
	before = committed();
	p = CHECK_OK(mmap(NULL, MB, RW, ANON, -1, 0));
	check_promise(before, MB);
	CHECK_OK(munmap(p, MB / 2));
	check_promise(before, MB / 2);
	CHECK_OK(munmap(p + MB / 2, MB / 2));
	check_promise(before, 0);
	p = CHECK_OK(mmap(NULL, MB, PROT_READ, ANON, -1, 0));
	check_promise(before, 0);
	CHECK_OK(mprotect(p, MB, RW));
	check_promise(before, MB);
	CHECK_OK(munmap(p, MB));
	p = CHECK_OK(mmap(NULL, MB, RW, ANON | MAP_NORESERVE, -1, 0));
	check_promise(before, 0);
	CHECK_OK(munmap(p, MB));
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	check_promise(before, PAGE_SIZE);
	CHECK_OK(munmap(p, PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	check_promise(before, 0);
	CHECK_OK(munmap(p, PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, MB, RW, SHARE, -1, 0));
	check_promise(before, MB);
	CHECK_OK(munmap(p, MB));
	check_promise(before, 0);
	close(fd);
	CHECK_OK(unlink(path));
}

/* What was written stays promised when it becomes read-only: it is still there. */
TEST(written_memory_stays_promised_when_it_is_protected)
{
	long long before;
	char *p;

	only_ravel();
	before = committed();
	p = CHECK_OK(mmap(NULL, MB, RW, ANON, -1, 0));
	*p = 1;
	CHECK_OK(mprotect(p, MB, PROT_READ));
	check_promise(before, MB);
	/* A clean neighbour that melts with it counts too; and goes as a whole. */
	CHECK_OK(munmap(p, MB));
	check_promise(before, 0);
}

TEST(shared_memory_is_promised_with_its_object)
{
	long long before;
	char *p;
	int id, fd;

	only_ravel();
	before = committed();
	id = CHECK_OK(shmget(IPC_PRIVATE, MB, 0600));
	check_promise(before, MB);
	p = CHECK_OK(shmat(id, NULL, 0));
	*p = 1;
	check_promise(before, MB);
	CHECK_OK(shmdt(p));
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	check_promise(before, 0);
	id = CHECK_OK(shmget(IPC_PRIVATE, MB, 0600 | SHM_NORESERVE));
	check_promise(before, 0);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	/* A memfd may be sparse: page by page. */
	fd = CHECK_OK(memfd_create("sparse", 0));
	CHECK_OK(ftruncate(fd, MB));
	check_promise(before, 0);
	CHECK_EQ(pwrite(fd, "x", 1, MB / 2), 1);
	check_promise(before, PAGE_SIZE);
	close(fd);
	check_promise(before, 0);
}

TEST(fork_promises_once_more)
{
	long long before, own;
	int fds[2];
	char byte;
	char *p;
	pid_t pid;

	only_ravel();
	CHECK_OK(pipe(fds));
	before = committed();
	p = CHECK_OK(mmap(NULL, 8 * MB, RW, ANON, -1, 0));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(fds[1]);
		_exit(read(fds[0], &byte, 1));
	}
	own = committed() - before;
	CHECK_RANGE(own, 16 << 10, (16 << 10) + 1024);
	close(fds[1]);
	close(fds[0]);
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap(p, 8 * MB));
	check_promise(before, 0);
}

/* Linux refuses in mode 0, too, what is more than memory and swap together. */
TEST(mode_0_refuses_only_the_obvious)
{
	size_t total = meminfo_kb("MemTotal") * 1024, huge = total * 4;
	char *p;

	if (!on_ravel() && (!read_text("/proc/sys/vm/overcommit_memory", text, 16) || *text != '0'))
		SKIP("not in mode 0");
	CHECK_ERRNO(mmap(NULL, huge, RW, ANON, -1, 0), ENOMEM);
	p = CHECK_OK(mmap(NULL, huge, RW, ANON | MAP_NORESERVE, -1, 0));
	CHECK_OK(munmap(p, huge));
	p = CHECK_OK(mmap(NULL, huge, PROT_READ, ANON, -1, 0));
	CHECK_ERRNO(mprotect(p, huge, RW), ENOMEM);
	CHECK_OK(munmap(p, huge));
	/* More than there is, in pieces that are not. */
	for (int i = 0; i < 4; i++)
		CHECK_OK(mmap(NULL, total / 2, RW, ANON, -1, 0));
}

TEST(mode_1_refuses_nothing)
{
	size_t huge;

	only_ravel();
	huge = meminfo_kb("MemTotal") * 1024 * 4;
	IN_MODE("1", {
		char *p = CHECK_OK(mmap(NULL, huge, RW, ANON, -1, 0));

		CHECK_OK(munmap(p, huge));
		CHECK_OK(shmctl(CHECK_OK(shmget(IPC_PRIVATE, huge, 0600)), IPC_RMID, NULL));
	});
	CHECK_ERRNO(mmap(NULL, huge, RW, ANON, -1, 0), ENOMEM);
}

/* Everything that promises refuses at the same limit, and a refusal promises nothing. */
TEST(mode_2_keeps_the_limit)
{
	only_ravel();
	IN_MODE("2", {
		long long before = committed(), limit = meminfo_kb("CommitLimit");
		size_t left = (limit - before) * 1024;
		char *p;
		char *q;

		CHECK_EQ(limit, meminfo_kb("MemTotal") / 2 / 4 * 4);
		CHECK_ERRNO(mmap(NULL, left + PAGE_SIZE, RW, ANON, -1, 0), ENOMEM);
		CHECK_ERRNO(mmap(NULL, left + PAGE_SIZE, RW, ANON | MAP_NORESERVE, -1, 0), ENOMEM);
		CHECK_ERRNO(mmap(NULL, left + PAGE_SIZE, RW, SHARE, -1, 0), ENOMEM);
		CHECK_ERRNO(shmget(IPC_PRIVATE, left + PAGE_SIZE, 0600 | SHM_NORESERVE), ENOMEM);
		q = CHECK_OK(mmap(NULL, left * 2, PROT_READ, ANON, -1, 0));
		CHECK_ERRNO(mprotect(q, left * 2, RW), ENOMEM);
		CHECK_EQ(committed(), before);
		p = CHECK_OK(mmap(NULL, left - PAGE_SIZE, RW, ANON, -1, 0));
		CHECK_ERRNO(fork(), ENOMEM);
		CHECK_ERRNO(mmap(NULL, 2 * PAGE_SIZE, RW, ANON, -1, 0), ENOMEM);
		CHECK_EQ((long)sbrk(2 * PAGE_SIZE), -1);
		/* A reservation that is replaced by memory is not for nothing. */
		CHECK_ERRNO(mmap(q, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0), ENOMEM);
		/* Memory by memory is. */
		CHECK_OK(mmap(p, 4 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
		CHECK_EQ(committed() - before, (left - PAGE_SIZE) / 1024);
		CHECK_OK(munmap(p, left - PAGE_SIZE));
		CHECK_EQ(committed(), before);
		CHECK_EXIT(CHECK_OK(fork()) ?: (_exit(0), 0), 0);
	});
}

/* Read-only memory that was written counts, so it does when it grows; what it replaces is room. */
TEST(mode_2_and_mremap)
{
	only_ravel();
	IN_MODE("2", {
		int to = MREMAP_MAYMOVE | MREMAP_FIXED;
		long long before = committed();
		size_t left = (meminfo_kb("CommitLimit") - before) * 1024;
		size_t half = left / 2 & -PAGE_SIZE;
		char *room = CHECK_OK(mmap(NULL, 4 * left, PROT_NONE, ANON, -1, 0));
		char *p = CHECK_OK(mmap(room, half, RW, ANON | MAP_FIXED, -1, 0));
		char *q = CHECK_OK(mmap(room + left, 2 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));

		q[0] = 1;
		CHECK_OK(mprotect(q, 2 * PAGE_SIZE, PROT_READ));
		CHECK_OK(munmap(q + 2 * PAGE_SIZE, left));
		check_promise(before, half + 2 * PAGE_SIZE);
		CHECK_ERRNO(mremap(q, 2 * PAGE_SIZE, left, 0), ENOMEM);
		CHECK_ERRNO(mremap(q, 2 * PAGE_SIZE, left, MREMAP_MAYMOVE), ENOMEM);
		CHECK_ERRNO(mremap(q, 2 * PAGE_SIZE, left, to, q + 2 * left), ENOMEM);
		check_promise(before, half + 2 * PAGE_SIZE);
		/* Over p as much as p was is free of charge. */
		CHECK_EQ(mremap(q, 2 * PAGE_SIZE, left - 4 * PAGE_SIZE, to, p), p);
		CHECK_EQ(*p, 1);
		check_promise(before, left - 4 * PAGE_SIZE);
		CHECK_ERRNO(mremap(p, PAGE_SIZE, PAGE_SIZE * 8, MREMAP_MAYMOVE), ENOMEM);
		CHECK_OK(munmap(p, left - 4 * PAGE_SIZE));
		/* What was never written is not promised, and may be of any size. */
		q = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, ANON, -1, 0));
		CHECK_OK(mremap(q, PAGE_SIZE, left * 4, MREMAP_MAYMOVE));
		check_promise(before, 0);
	});
}

TEST(mode_2_and_pages_of_tmpfs)
{
	only_ravel();
	IN_MODE("2", {
		size_t left = (meminfo_kb("CommitLimit") - committed()) * 1024;
		int fd = CHECK_OK(memfd_create("full", 0));
		char *p = CHECK_OK(mmap(NULL, left - 4 * PAGE_SIZE, RW, ANON, -1, 0));
		static char pages[16 * PAGE_SIZE];

		CHECK_RANGE(write(fd, pages, sizeof(pages)), PAGE_SIZE, 8 * PAGE_SIZE);
		CHECK_ERRNO(pwrite(fd, pages, PAGE_SIZE, 64 * PAGE_SIZE), ENOSPC);
		CHECK_OK(munmap(p, left - 4 * PAGE_SIZE));
		CHECK_EQ(pwrite(fd, pages, PAGE_SIZE, 64 * PAGE_SIZE), PAGE_SIZE);
		close(fd);
	});
}

TEST(the_ratio_sets_the_limit)
{
	long long total;

	only_ravel();
	total = meminfo_kb("MemTotal") / 4;
	CHECK_OK(set("overcommit_ratio", "25"));
	CHECK_EQ(meminfo_kb("CommitLimit"), total * 25 / 100 * 4);
	CHECK_OK(set("overcommit_ratio", " 50\n"));
	CHECK_EQ(meminfo_kb("CommitLimit"), total * 50 / 100 * 4);
}

/* A number, and nothing but a number, in its range. */
TEST(bad_text_changes_nothing)
{
	static const char *const bad[] = { "x",
					   "3",
					   "-1",
					   "1x",
					   "1 2",
					   "",
					   "\n",
					   "99999999999999999999",
					   "00000000000000000000000000000000000000000001" };

	only_ravel();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_ERRNO(set("overcommit_memory", bad[i]), EINVAL);
		CHECK(read_text("/proc/sys/vm/overcommit_memory", text, sizeof(text)) > 0);
		CHECK_STRING(text, "0\n");
	}
	CHECK_ERRNO(set("dirty_ratio", "101"), EINVAL);
	CHECK_ERRNO(set("drop_caches", "0"), EINVAL);
	CHECK_ERRNO(set("drop_caches", "8"), EINVAL);
	CHECK_CHILD({
		CHECK_OK(setuid(1000));
		CHECK_ERRNO(open("/proc/sys/vm/overcommit_memory", O_WRONLY), EACCES);
		CHECK_OK(open("/proc/sys/vm/overcommit_memory", O_RDONLY));
		CHECK_ERRNO(open("/proc/sys/vm/drop_caches", O_WRONLY), EACCES);
	});
}

TEST(max_map_count_is_obeyed)
{
	only_ravel();
	CHECK_OK(set("max_map_count", "40"));
	CHECK_CHILD({
		char *p = map_anon(200 * PAGE_SIZE);
		int i;

		for (i = 0; i < 200 && mprotect(p + i * PAGE_SIZE, PAGE_SIZE, PROT_READ) == 0;
		     i += 2)
			;
		CHECK_EQ(errno, ENOMEM);
		CHECK_RANGE(count_maps(0, KERNEL_ADDRESS), 38, 40);
	});
	CHECK_OK(set("max_map_count", "65530"));
}

TEST(dropped_caches_are_free_memory)
{
	long long cached, buffers;

	only_ravel();
	cached = meminfo_kb("Cached");
	CHECK_OK(set("drop_caches", "3"));
	buffers = meminfo_kb("Buffers");
	CHECK(meminfo_kb("Cached") <= cached);
	CHECK(buffers >= 0);
}

/* Kept for when there is swap, and in its range. */
TEST(swappiness_is_a_number_up_to_200)
{
	only_ravel();
	CHECK_OK(set("swappiness", "200"));
	CHECK_ERRNO(set("swappiness", "201"), EINVAL);
	CHECK_OK(set("swappiness", "60"));
}
