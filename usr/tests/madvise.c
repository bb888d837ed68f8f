/*
 * madvise.c - madvise(2): pages go and come, the areas stay or are marked; and the errno values.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)

/* Which of n pages from p on are in memory: "x.x". */
static const char *seen(void *p, size_t n)
{
	static char text[64];
	unsigned char vec[64];

	CHECK(n < sizeof(vec));
	CHECK_OK(mincore(p, n * PAGE_SIZE, vec));
	for (size_t i = 0; i < n; i++)
		text[i] = vec[i] & 1 ? 'x' : '.';
	text[n] = 0;
	return text;
}

static long faults(void)
{
	struct rusage usage;

	CHECK_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_minflt + usage.ru_majflt;
}

/* Memory of so many pages between others that nobody may touch: no neighbour merges with it. */
static char *map_apart(size_t pages)
{
	char *p = CHECK_OK(
		mmap(NULL, (pages + 2) * PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK_OK(mprotect(p + PAGE_SIZE, pages * PAGE_SIZE, RW));
	return p + PAGE_SIZE;
}

static int areas(char *p, size_t pages)
{
	return count_maps((uintptr_t)p, (uintptr_t)p + pages * PAGE_SIZE);
}

TEST(anonymous_pages_come_back_zero)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_EQ(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(p[PAGE_SIZE - 1], 1);
	CHECK_EQ(p[PAGE_SIZE], 0);
	CHECK_EQ(p[3 * PAGE_SIZE - 1], 0);
	CHECK_EQ(p[3 * PAGE_SIZE], 1);
	CHECK_EQ(count_maps((uintptr_t)p, (uintptr_t)p + 4 * PAGE_SIZE), 1);
}

TEST(private_file_pages_come_back_from_the_file)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));

	p[0] = 'X';
	CHECK_EQ(madvise(p, PAGE_SIZE, MADV_DONTNEED), 0);
	CHECK_EQ(p[0], 0x7f);
}

TEST(memory_is_given_back)
{
	char *p = map_anon(4 << 20);
	long long before;

	memset(p, 1, 4 << 20);
	before = status_kb(getpid(), "VmRSS");
	CHECK_EQ(madvise(p, 4 << 20, MADV_DONTNEED), 0);
	CHECK_RANGE(status_kb(getpid(), "VmRSS"), 1, before - 3072);
}

TEST(the_parents_copy_stays)
{
	char *p = map_anon(PAGE_SIZE);

	*p = 7;
	CHECK_CHILD({
		CHECK_EQ(madvise(p, PAGE_SIZE, MADV_DONTNEED), 0);
		CHECK_EQ(*p, 0);
	});
	CHECK_EQ(*p, 7);
}

TEST(a_hole_is_enomem_but_the_rest_is_done)
{
	char *p = map_anon(3 * PAGE_SIZE);

	memset(p, 1, 3 * PAGE_SIZE);
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(madvise(p, 3 * PAGE_SIZE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[2 * PAGE_SIZE], 0);
}

TEST(errors)
{
	char *p = map_anon(PAGE_SIZE);

	CHECK_ERRNO(madvise(p + 1, PAGE_SIZE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(p, PAGE_SIZE, 12345), EINVAL);
	CHECK_ERRNO(madvise(p, SIZE_MAX - PAGE_SIZE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise((void *)KERNEL_ADDRESS, PAGE_SIZE, MADV_DONTNEED), ENOMEM);
	CHECK_EQ(madvise(p, 0, MADV_DONTNEED), 0);
}

TEST(every_wrong_advice)
{
	static const int wrong[] = { -1, 5, 6, 7, 99, 1 << 30 };
	static const int not_here[] = { MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE,
					MADV_HWPOISON };
	char *p = map_anon(2 * PAGE_SIZE);

	memset(p, 1, 2 * PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		CHECK_ERRNO(madvise(p, PAGE_SIZE, wrong[i]), EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(not_here) && on_ravel(); i++)
		CHECK_ERRNO(madvise(p, PAGE_SIZE, not_here[i]), EINVAL);
	CHECK_EQ(p[0] + p[PAGE_SIZE], 2);
}

/* Each advice: the same rules for the range. */
TEST(every_advice_and_its_range)
{
	static const int all[] = {
		MADV_NORMAL,	     MADV_RANDOM,	   MADV_SEQUENTIAL,
		MADV_WILLNEED,	     MADV_DONTNEED,	   MADV_FREE,
		MADV_DONTFORK,	     MADV_DOFORK,	   MADV_DONTDUMP,
		MADV_DODUMP,	     MADV_WIPEONFORK,	   MADV_KEEPONFORK,
		MADV_COLD,	     MADV_PAGEOUT,	   MADV_POPULATE_READ,
		MADV_POPULATE_WRITE, MADV_DONTNEED_LOCKED,
	};
	char *p = map_apart(4);

	CHECK_OK(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE));
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		CHECK_ERRNO(madvise(p + 1, PAGE_SIZE, all[i]), EINVAL);
		CHECK_ERRNO(madvise(p, -1UL, all[i]), EINVAL);
		CHECK_ERRNO(madvise(p, -PAGE_SIZE, all[i]), EINVAL);
		CHECK_ERRNO(madvise((void *)KERNEL_ADDRESS, PAGE_SIZE, all[i]), ENOMEM);
		CHECK_ERRNO(madvise(p, 4 * PAGE_SIZE, all[i]), ENOMEM);
		CHECK_ERRNO(madvise(p + 2 * PAGE_SIZE, PAGE_SIZE, all[i]), ENOMEM);
		CHECK_OK(madvise(p, 0, all[i]));
		CHECK_OK(madvise(p, 1, all[i]));
		CHECK_OK(madvise(p, 2 * PAGE_SIZE, all[i]));
	}
}

TEST(advice_that_marks_areas_splits_and_merges_them)
{
	static const int marks[][2] = {
		{ MADV_RANDOM, MADV_NORMAL },	{ MADV_SEQUENTIAL, MADV_NORMAL },
		{ MADV_DONTFORK, MADV_DOFORK }, { MADV_WIPEONFORK, MADV_KEEPONFORK },
		{ MADV_DONTDUMP, MADV_DODUMP },
	};
	char *p = map_apart(4);

	memset(p, 1, 4 * PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		CHECK_EQ(areas(p, 4), 1);
		CHECK_OK(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, marks[i][0]));
		CHECK_EQ(areas(p, 4), 3);
		CHECK_OK(madvise(p, 2 * PAGE_SIZE, marks[i][1]));
		CHECK_EQ(areas(p, 4), 3);
		CHECK_OK(madvise(p, 4 * PAGE_SIZE, marks[i][1]));
	}
	CHECK_EQ(areas(p, 4), 1);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(p[i * PAGE_SIZE], 1);
}

TEST(a_child_does_not_get_it)
{
	char *p = map_apart(4);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_OK(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, MADV_DONTFORK));
	CHECK_CHILD({
		CHECK(range_unmapped((uintptr_t)p + PAGE_SIZE, (uintptr_t)p + 3 * PAGE_SIZE));
		CHECK_EQ(p[0] + p[3 * PAGE_SIZE], 2);
		CHECK_SIGNAL({ (void)*(volatile char *)(p + PAGE_SIZE); }, SIGSEGV);
	});
	CHECK_EQ(p[PAGE_SIZE], 1);
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_DOFORK));
	CHECK_CHILD({ CHECK_EQ(p[PAGE_SIZE], 1); });
}

TEST(a_child_finds_zeros)
{
	char *p = map_apart(4);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_OK(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, MADV_WIPEONFORK));
	CHECK_CHILD({
		CHECK_EQ(p[0], 1);
		CHECK_EQ(p[PAGE_SIZE], 0);
		CHECK_EQ(p[3 * PAGE_SIZE], 1);
		p[PAGE_SIZE] = 2;
		/* and so does its own */
		CHECK_CHILD({ CHECK_EQ(p[PAGE_SIZE], 0); });
		CHECK_EQ(p[PAGE_SIZE], 2);
	});
	CHECK_EQ(p[PAGE_SIZE], 1);
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_KEEPONFORK));
	CHECK_CHILD({ CHECK_EQ(p[PAGE_SIZE], 1); });
}

TEST(only_private_anonymous_memory_is_wiped_or_freed)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *file = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	char *shared = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	file[0] = 'X';
	shared[0] = 'X';
	CHECK_ERRNO(madvise(file, PAGE_SIZE, MADV_WIPEONFORK), EINVAL);
	CHECK_ERRNO(madvise(shared, PAGE_SIZE, MADV_WIPEONFORK), EINVAL);
	CHECK_ERRNO(madvise(file, PAGE_SIZE, MADV_FREE), EINVAL);
	CHECK_ERRNO(madvise(shared, PAGE_SIZE, MADV_FREE), EINVAL);
	CHECK_EQ(file[0], 'X');
	CHECK_EQ(shared[0], 'X');
	CHECK_OK(madvise(file, PAGE_SIZE, MADV_KEEPONFORK));
}

/* Before it is written to again it may be as it was or zeros; after that it is what was written. */
TEST(freed_memory_can_be_used_again)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_FREE));
	CHECK_RANGE(p[0], 0, 1);
	p[PAGE_SIZE] = 5;
	CHECK_EQ(p[PAGE_SIZE], 5);
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_NONE));
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_FREE));
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_DONTNEED));
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_READ));
	CHECK_EQ(p[PAGE_SIZE], 0);
}

TEST(cold_pages_keep_what_they_hold)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 3, 4 * PAGE_SIZE);
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_COLD));
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_PAGEOUT));
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK_EQ(p[i], 3);
}

TEST(willneed_brings_a_file_in)
{
	char *p;
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	for (int i = 0; i < 24; i++)
		CHECK_EQ(pwrite(fd, "data", 4, i * PAGE_SIZE), 4);
	CHECK_OK(fsync(fd));
	if (on_ravel())
		write_file("/proc/sys/vm/drop_caches", "1", 1);
	p = CHECK_OK(mmap(NULL, 32 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0));
	if (on_ravel())
		CHECK_STRING(seen(p, 32), "................................");
	CHECK_OK(madvise(p + PAGE_SIZE, 30 * PAGE_SIZE, MADV_WILLNEED));
	WAIT_UNTIL(strncmp(seen(p, 24) + 1, "xxxxxxxxxxxxxxxxxxxxxxx", 23) == 0);
	CHECK_EQ(seen(p, 32)[24], '.'); /* past its end */
	CHECK_EQ(p[20 * PAGE_SIZE], 'd');
	CHECK_OK(munmap(p, 32 * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
	p = map_anon(PAGE_SIZE);
	CHECK_OK(madvise(p, PAGE_SIZE, MADV_WILLNEED));
	CHECK_STRING(seen(p, 1), ".");
}

TEST(random_touches_bring_one_page_in)
{
	char *p;
	int fd;

	if (!on_ravel())
		SKIP("what Linux reads ahead is its own");
	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_EQ(pwrite(fd, "x", 1, 15 * PAGE_SIZE), 1);
	CHECK_OK(fsync(fd));
	write_file("/proc/sys/vm/drop_caches", "1", 1);
	p = CHECK_OK(mmap(NULL, 16 * PAGE_SIZE, PROT_READ, MAP_SHARED, fd, 0));
	CHECK_OK(madvise(p, 16 * PAGE_SIZE, MADV_RANDOM));
	CHECK_EQ(p[3 * PAGE_SIZE], 0);
	CHECK_STRING(seen(p, 16), "...x............");
	CHECK_OK(madvise(p, 16 * PAGE_SIZE, MADV_NORMAL));
	CHECK_EQ(p[15 * PAGE_SIZE], 'x');
	CHECK_STRING(seen(p, 16), "xxxxxxxxxxxxxxxx");
	CHECK_OK(munmap(p, 16 * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
}

TEST(remove_makes_a_hole)
{
	int fd = CHECK_OK(memfd_create("hole", 0));
	char *p, *private, buf[4];

	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	private = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	memset(p, 7, 4 * PAGE_SIZE);
	private[PAGE_SIZE] = 9; /* a copy of its own */
	CHECK_EQ(private[2 * PAGE_SIZE], 7);
	CHECK_OK(madvise(p + PAGE_SIZE, 2 * PAGE_SIZE, MADV_REMOVE));
	CHECK_STRING(seen(p, 4), "x..x");
	CHECK_EQ(p[PAGE_SIZE], 0);
	CHECK_EQ(p[3 * PAGE_SIZE], 7);
	CHECK_EQ(private[PAGE_SIZE], 9);
	CHECK_EQ(private[2 * PAGE_SIZE], 0);
	CHECK_EQ(pread(fd, buf, 4, 2 * PAGE_SIZE), 4);
	CHECK_EQ(buf[0], 0);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 4 * PAGE_SIZE);
}

TEST(remove_is_refused)
{
	int fd = CHECK_OK(memfd_create("hole", MFD_ALLOW_SEALING)), reader, disk;
	char *p = map_anon(PAGE_SIZE), *shared;
	char path[32];

	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_REMOVE), EINVAL);
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_REMOVE), EACCES);
	shared = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	*shared = 1;
	CHECK_OK(mlock(shared, PAGE_SIZE));
	CHECK_ERRNO(madvise(shared, PAGE_SIZE, MADV_REMOVE), EINVAL);
	CHECK_OK(munlock(shared, PAGE_SIZE));
	CHECK_OK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	CHECK_ERRNO(madvise(shared, PAGE_SIZE, MADV_REMOVE), EPERM);
	CHECK_EQ(*shared, 1);
	strcpy(path, "/proc/self/fd/0");
	path[14] += fd;
	reader = CHECK_OK(open(path, O_RDONLY));
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, reader, 0));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_REMOVE), EACCES);
	if (!on_ravel())
		return; /* its file systems have holes */
	test_dir();
	disk = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_OK(ftruncate(disk, PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, disk, 0));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_REMOVE), EOPNOTSUPP);
	CHECK_OK(munmap(p, PAGE_SIZE));
	CHECK_OK(close(disk));
	test_dir_leave();
}

/* fallocate() has the same hole, with edges inside pages. */
TEST(a_punched_hole)
{
	int fd = CHECK_OK(memfd_create("hole", 0));
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	char *p;

	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	memset(p, 7, 4 * PAGE_SIZE);
	CHECK_OK(fallocate(fd, punch, 100, 2 * PAGE_SIZE));
	for (size_t i = 0; i < 4 * PAGE_SIZE; i++)
		CHECK_EQ(p[i], i < 100 || i >= 2 * PAGE_SIZE + 100 ? 7 : 0);
	CHECK_OK(fallocate(fd, punch, 3 * PAGE_SIZE, 100 * PAGE_SIZE)); /* past the end */
	CHECK_EQ(lseek(fd, 0, SEEK_END), 4 * PAGE_SIZE);
	CHECK_EQ(p[3 * PAGE_SIZE], 0);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE_SIZE), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, punch, -1, PAGE_SIZE), EINVAL);
	CHECK_ERRNO(fallocate(fd, punch, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, punch, LONG_MAX - PAGE_SIZE, 2 * PAGE_SIZE), EFBIG);
	CHECK_EQ(p[0], 7);
}

TEST(populated_pages_cost_no_fault_later)
{
	char *p = map_anon(64 * PAGE_SIZE);
	long before;

	CHECK_OK(madvise(p, 64 * PAGE_SIZE, MADV_POPULATE_WRITE));
	before = faults();
	for (int i = 0; i < 64; i++)
		p[i * PAGE_SIZE] = 1;
	CHECK_RANGE(faults() - before, 0, 4);
	/* What is there stays. */
	CHECK_OK(madvise(p, 64 * PAGE_SIZE, MADV_POPULATE_WRITE));
	CHECK_OK(madvise(p, 64 * PAGE_SIZE, MADV_POPULATE_READ));
	CHECK_EQ(p[63 * PAGE_SIZE], 1);
}

TEST(populating_wants_the_right_and_the_page)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	char *p = map_apart(3), *file;

	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_READ));
	CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_OK(madvise(p, PAGE_SIZE, MADV_POPULATE_READ));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_ERRNO(madvise(p + PAGE_SIZE, PAGE_SIZE, MADV_POPULATE_READ), EINVAL);
	CHECK_ERRNO(madvise(p + PAGE_SIZE, PAGE_SIZE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_OK(mprotect(p + PAGE_SIZE, PAGE_SIZE, PROT_EXEC));
	CHECK_ERRNO(madvise(p + PAGE_SIZE, PAGE_SIZE, MADV_POPULATE_READ), EINVAL);
	file = CHECK_OK(mmap(NULL, 3 * PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	CHECK_ERRNO(madvise(file, 3 * PAGE_SIZE, MADV_POPULATE_READ), EFAULT);
	CHECK_ERRNO(madvise(file, 3 * PAGE_SIZE, MADV_POPULATE_WRITE), EFAULT);
	CHECK_OK(madvise(file, PAGE_SIZE, MADV_POPULATE_WRITE));
	CHECK_EQ(file[0], 'R');
}

/* Another process gives no advice here. */
TEST(process_madvise_does_not_exist)
{
	if (!on_ravel())
		SKIP("Linux has it");
	CHECK_EQ(raw_syscall(440, 0, 0, 0, 0, 0, 0), -ENOSYS);
}
