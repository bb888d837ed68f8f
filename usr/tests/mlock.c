/*
 * mlock.c - mlock(2) and its family: what is locked, what that counts, and every errno.
 *
 * Started as root: the limit is tried in children that give that up.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

/* Pages that are locked, as the kernel counts them. */
static long long locked(void)
{
	return status_kb(getpid(), "VmLck") / 4;
}

static char *map(size_t pages, int prot, int flags)
{
	return CHECK_OK(mmap(NULL, pages * PAGE_SIZE, prot, ANON | flags, -1, 0));
}

/* How many pages from p on are in memory. */
static int resident(void *p, size_t pages)
{
	unsigned char vec[64];
	int nr = 0;

	CHECK(pages <= sizeof(vec));
	CHECK_OK(mincore(p, pages * PAGE_SIZE, vec));
	for (size_t i = 0; i < pages; i++)
		nr += vec[i] & 1;
	return nr;
}

/* From here on this process is nobody, with room to lock so many pages. */
static void become_nobody(size_t pages)
{
	struct rlimit limit = { pages * PAGE_SIZE, pages * PAGE_SIZE };

	if (getuid() != 0)
		SKIP("not started as root");
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
	CHECK_OK(setresuid(65534, 65534, 65534));
}

TEST(locked_pages_are_there_and_counted)
{
	char *p = map(8, RW, 0);
	long long before = locked();

	CHECK_EQ(resident(p, 8), 0);
	CHECK_OK(mlock(p + PAGE_SIZE, 3 * PAGE_SIZE));
	CHECK_EQ(resident(p, 8), 3);
	CHECK_EQ(locked() - before, 3);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(p[i * PAGE_SIZE], 0);
	CHECK_OK(munlock(p, 8 * PAGE_SIZE));
	CHECK_EQ(locked(), before);
	CHECK(resident(p + PAGE_SIZE, 3) == 3);
}

TEST(parts_of_pages_lock_the_pages)
{
	char *p = map(4, RW, 0);
	long long before = locked();

	CHECK_OK(mlock(p + PAGE_SIZE + 100, 1));
	CHECK_EQ(locked() - before, 1);
	CHECK_OK(mlock(p + 2 * PAGE_SIZE - 1, 2));
	CHECK_EQ(locked() - before, 2);
	CHECK_OK(mlock(p + 3 * PAGE_SIZE, 0));
	CHECK_EQ(locked() - before, 2);
	CHECK_OK(munlock(p + 2 * PAGE_SIZE - 1, 1));
	CHECK_EQ(locked() - before, 1);
}

/* The lock is the area's: it splits, and merges again. */
TEST(areas_split_and_merge)
{
	char *p = map(6, RW, 0);
	uintptr_t start = (uintptr_t)p, end = start + 6 * PAGE_SIZE;

	/* Between pages that nobody may touch, so that no neighbour merges. */
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_NONE));
	CHECK_OK(mprotect(p + 5 * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_EQ(count_maps(start + PAGE_SIZE, end - PAGE_SIZE), 1);
	CHECK_OK(mlock(p + 2 * PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(count_maps(start + PAGE_SIZE, end - PAGE_SIZE), 3);
	CHECK_OK(mlock(p + 3 * PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(count_maps(start + PAGE_SIZE, end - PAGE_SIZE), 3);
	CHECK_OK(mlock2(p + 3 * PAGE_SIZE, PAGE_SIZE, MLOCK_ONFAULT));
	CHECK_EQ(count_maps(start + PAGE_SIZE, end - PAGE_SIZE), 4);
	CHECK_OK(munlock(p + PAGE_SIZE, 4 * PAGE_SIZE));
	CHECK_EQ(count_maps(start + PAGE_SIZE, end - PAGE_SIZE), 1);
}

TEST(a_lock_is_no_deeper_the_second_time)
{
	char *p = map(2, RW, 0);
	long long before = locked();

	CHECK_OK(mlock(p, 2 * PAGE_SIZE));
	CHECK_OK(mlock(p, 2 * PAGE_SIZE));
	CHECK_EQ(locked() - before, 2);
	CHECK_OK(munlock(p, 2 * PAGE_SIZE));
	CHECK_EQ(locked(), before);
	CHECK_OK(munlock(p, 2 * PAGE_SIZE));
	CHECK_EQ(locked(), before);
}

TEST(locked_on_fault)
{
	char *p = map(4, RW, 0);
	long long before = locked();

	CHECK_OK(mlock2(p, 4 * PAGE_SIZE, MLOCK_ONFAULT));
	CHECK_EQ(locked() - before, 4);
	CHECK_EQ(resident(p, 4), 0);
	p[PAGE_SIZE] = 1;
	CHECK_EQ(resident(p, 4), 1);
	CHECK_ERRNO(madvise(p, 4 * PAGE_SIZE, MADV_DONTNEED), EINVAL);
	CHECK_OK(mlock2(p, 4 * PAGE_SIZE, 0));
	CHECK_EQ(resident(p, 4), 4);
	CHECK_EQ(p[PAGE_SIZE], 1);
}

TEST(private_copies_are_made_and_shared_pages_are_not_dirtied)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	struct rusage before, after;

	CHECK_OK(mlock(p, 2 * PAGE_SIZE));
	CHECK_OK(getrusage(RUSAGE_SELF, &before));
	p[0] = 1;
	p[PAGE_SIZE] = 1;
	CHECK_OK(getrusage(RUSAGE_SELF, &after));
	CHECK_EQ(after.ru_minflt, before.ru_minflt);
	CHECK_EQ(after.ru_majflt, before.ru_majflt);
}

TEST(munmap_unlocks)
{
	long long before = locked();
	char *p = map(4, RW, MAP_LOCKED);

	CHECK_EQ(locked() - before, 4);
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(locked() - before, 3);
	CHECK_OK(mmap(p, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK_EQ(locked() - before, 2);
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
	CHECK_EQ(locked(), before);
}

TEST(a_mapping_that_is_locked_from_the_start)
{
	char *p = map(4, RW, MAP_LOCKED);

	CHECK_EQ(resident(p, 4), 4);
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_DONTNEED), EINVAL);
	p = map(4, PROT_NONE, MAP_LOCKED);
	CHECK_EQ(resident(p, 4), 0);
	/* What could not be reached is there when it can be. */
	CHECK_OK(mprotect(p, 2 * PAGE_SIZE, RW));
	if (on_ravel())
		CHECK_EQ(resident(p, 4), 2);
}

TEST(a_child_locks_nothing)
{
	char *p = map(4, RW, 0);

	CHECK_OK(mlock(p + PAGE_SIZE, 2 * PAGE_SIZE));
	CHECK_OK(mlockall(MCL_FUTURE));
	p[PAGE_SIZE] = 7;
	CHECK_CHILD({
		CHECK_EQ(locked(), 0);
		CHECK_EQ(p[PAGE_SIZE], 7);
		CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_DONTNEED));
		map(4, RW, 0);
		CHECK_EQ(locked(), 0);
	});
	CHECK_EQ(p[PAGE_SIZE], 7);
	CHECK_OK(munlockall());
}

CHILD(exec)
{
	return locked() == 0 ? 0 : 1;
}

TEST(a_new_program_locks_nothing)
{
	CHECK_CHILD({
		CHECK_OK(mlockall(MCL_CURRENT | MCL_FUTURE));
		CHECK_OK(execl(self_path(), "mlock", "--child=exec", NULL));
	});
}

TEST(all_that_is_there_is_locked)
{
	long long size;
	char *p = map(4, RW, 0);

	CHECK_OK(mlockall(MCL_CURRENT));
	size = status_kb(getpid(), "VmSize");
	CHECK_RANGE(status_kb(getpid(), "VmLck"), size - 64, size);
	CHECK_EQ(resident(p, 4), 4);
	p = map(4, RW, 0);
	CHECK_EQ(resident(p, 4), 0);
	CHECK_OK(munlockall());
	CHECK_EQ(locked(), 0);
}

TEST(all_that_will_come_is_locked)
{
	char *p, *top;

	CHECK_OK(mlockall(MCL_FUTURE));
	CHECK_EQ(locked(), 0);
	p = map(4, RW, 0);
	CHECK_EQ(resident(p, 4), 4);
	CHECK_EQ(locked(), 4);
	top = CHECK_OK(sbrk(0));
	CHECK_OK(sbrk(8 * PAGE_SIZE));
	CHECK_EQ(locked(), 12);
	CHECK_EQ(resident((char *)(((uintptr_t)top + PAGE_SIZE - 1) & -PAGE_SIZE), 8), 8);
	CHECK_OK(sbrk(-8 * (long)PAGE_SIZE));
	CHECK_EQ(locked(), 4);
	CHECK_OK(mlockall(MCL_FUTURE | MCL_ONFAULT));
	p = map(4, RW, 0);
	CHECK_EQ(resident(p, 4), 0);
	CHECK_EQ(locked(), 8);
	CHECK_OK(mlockall(MCL_CURRENT)); /* and no more of the future */
	p = map(4, RW, 0);
	CHECK_EQ(resident(p, 4), 0);
	CHECK_OK(munlockall());
}

/* Linux counts the growth likewise; how far it grows at once is its own. */
static int deep(int n)
{
	volatile char room[PAGE_SIZE];

	room[0] = n;
	return n > 0 ? deep(n - 1) + room[0] - n : 0;
}

TEST(a_locked_stack_grows_locked)
{
	long long before;

	CHECK_OK(mlockall(MCL_CURRENT));
	before = locked();
	deep(64);
	CHECK(locked() - before >= 32);
	CHECK_OK(munlockall());
}

TEST(the_limit)
{
	char *p = map(8, RW, 0);

	CHECK_CHILD({
		become_nobody(4);
		CHECK_ERRNO(mlock(p, 5 * PAGE_SIZE), ENOMEM);
		CHECK_EQ(locked(), 0);
		CHECK_OK(mlock(p, 4 * PAGE_SIZE));
		CHECK_ERRNO(mlock(p + 4 * PAGE_SIZE, 1), ENOMEM);
		CHECK_EQ(locked(), 4);
		/* What is locked already costs nothing. */
		CHECK_OK(mlock(p + PAGE_SIZE, 3 * PAGE_SIZE));
		CHECK_OK(munlock(p, PAGE_SIZE));
		CHECK_OK(mlock(p + PAGE_SIZE, 4 * PAGE_SIZE));
		CHECK_ERRNO(mlock(p, 5 * PAGE_SIZE), ENOMEM);
		CHECK_ERRNO(mlock2(p, 5 * PAGE_SIZE, MLOCK_ONFAULT), ENOMEM);
		CHECK_EQ(locked(), 4);
		CHECK_ERRNO(mlock(p, -8 * PAGE_SIZE), ENOMEM);
	});
}

TEST(the_limit_of_mmap)
{
	CHECK_CHILD({
		become_nobody(4);
		CHECK_ERRNO(mmap(NULL, 5 * PAGE_SIZE, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
		map(3, RW, MAP_LOCKED);
		CHECK_ERRNO(mmap(NULL, 2 * PAGE_SIZE, RW, ANON | MAP_LOCKED, -1, 0), EAGAIN);
		map(1, RW, MAP_LOCKED);
		map(1, RW, 0);
		CHECK_EQ(locked(), 4);
	});
}

TEST(the_limit_of_all)
{
	CHECK_CHILD({
		become_nobody(4);
		CHECK_ERRNO(mlockall(MCL_CURRENT), ENOMEM);
		CHECK_ERRNO(mlockall(MCL_CURRENT | MCL_FUTURE), ENOMEM);
		map(8, RW, 0); /* no lock of the future was left */
		CHECK_EQ(locked(), 0);
		CHECK_OK(mlockall(MCL_FUTURE));
		CHECK_ERRNO(mmap(NULL, 5 * PAGE_SIZE, RW, ANON, -1, 0), EAGAIN);
		CHECK_ERRNO(sbrk(8 * PAGE_SIZE), ENOMEM);
		map(4, RW, 0);
		CHECK_EQ(locked(), 4);
		CHECK_OK(munlockall());
		CHECK_OK(sbrk(8 * PAGE_SIZE));
	});
}

TEST(without_a_limit_to_speak_of_nothing_may_be_locked)
{
	char *p = map(2, RW, 0);

	CHECK_CHILD({
		become_nobody(0);
		CHECK_ERRNO(mlock(p, PAGE_SIZE), EPERM);
		CHECK_ERRNO(mlock(p, 0), EPERM);
		CHECK_ERRNO(mlock2(p, PAGE_SIZE, MLOCK_ONFAULT), EPERM);
		CHECK_ERRNO(mlockall(MCL_CURRENT), EPERM);
		CHECK_ERRNO(mlockall(MCL_FUTURE), EPERM);
		CHECK_ERRNO(mlockall(0), EINVAL);
		CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, ANON | MAP_LOCKED, -1, 0), EPERM);
		CHECK_OK(munlock(p, PAGE_SIZE));
		CHECK_OK(munlockall());
	});
}

/* The limit is of an address space: what is locked when it becomes less stays. */
TEST(root_and_who_was_root)
{
	char *p = map(16, RW, 0);

	CHECK_CHILD({
		struct rlimit limit = { 4 * PAGE_SIZE, 4 * PAGE_SIZE };

		if (getuid() != 0)
			SKIP("not started as root");
		CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &limit));
		CHECK_OK(mlock(p, 16 * PAGE_SIZE));
		become_nobody(4);
		CHECK_EQ(locked(), 16);
		CHECK_ERRNO(mlock(p, 16 * PAGE_SIZE), ENOMEM);
		CHECK_EQ(locked(), 16);
		CHECK_OK(munlock(p, 13 * PAGE_SIZE));
		CHECK_OK(mlock(p, PAGE_SIZE));
		CHECK_ERRNO(mlock(p, 2 * PAGE_SIZE), ENOMEM);
	});
}

TEST(wrong_arguments)
{
	char *p = map(4, RW, 0);

	CHECK_ERRNO(mlockall(0), EINVAL);
	CHECK_ERRNO(mlockall(MCL_ONFAULT), EINVAL);
	CHECK_ERRNO(mlockall(8), EINVAL);
	CHECK_ERRNO(mlockall(MCL_CURRENT | 8), EINVAL);
	CHECK_ERRNO(mlockall(-1), EINVAL);
	CHECK_ERRNO(mlock2(p, PAGE_SIZE, 2), EINVAL);
	CHECK_ERRNO(mlock2(p, PAGE_SIZE, -1), EINVAL);
	CHECK_ERRNO(munlock(p, -2 * PAGE_SIZE), EINVAL);
	if (geteuid() == 0)
		CHECK_ERRNO(mlock(p, -2 * PAGE_SIZE), EINVAL);
	if (on_ravel()) { /* Linux takes what rounds up to 0 for 0 */
		CHECK_ERRNO(mlock(p, -1UL), EINVAL);
		CHECK_ERRNO(munlock(p, -1UL), EINVAL);
	}
	CHECK_ERRNO(mlock((void *)KERNEL_ADDRESS, PAGE_SIZE), ENOMEM);
	CHECK_ERRNO(munlock((void *)KERNEL_ADDRESS, PAGE_SIZE), ENOMEM);
	CHECK_OK(mlock((void *)KERNEL_ADDRESS, 0));
	CHECK_EQ(locked(), 0);
}

TEST(a_hole_is_told_and_what_lies_before_it_is_locked)
{
	char *p = map(8, RW, 0);

	CHECK_OK(munmap(p + 3 * PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(mlock(p + PAGE_SIZE, 4 * PAGE_SIZE), ENOMEM);
	CHECK_EQ(locked(), 2);
	CHECK_ERRNO(mlock(p + 3 * PAGE_SIZE, 2 * PAGE_SIZE), ENOMEM);
	CHECK_EQ(locked(), 2);
	CHECK_ERRNO(munlock(p + 2 * PAGE_SIZE, 3 * PAGE_SIZE), ENOMEM);
	CHECK_EQ(locked(), 1);
}

TEST(pages_that_cannot_be_there)
{
	char *none = map(2, PROT_NONE, 0), *file;
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));

	CHECK_ERRNO(mlock(none, PAGE_SIZE), ENOMEM);
	CHECK_EQ(locked(), 1); /* the area is locked all the same */
	CHECK_OK(mlock2(none, 2 * PAGE_SIZE, MLOCK_ONFAULT));
	CHECK_OK(munlock(none, 2 * PAGE_SIZE));
	file = CHECK_OK(mmap(NULL, 3 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_ERRNO(mlock(file, 3 * PAGE_SIZE), ENOMEM); /* past its end */
	CHECK_EQ(file[0], 'R');
	CHECK_OK(mlockall(MCL_CURRENT)); /* forgives that */
	CHECK_OK(munlockall());
}

TEST(memory_that_is_only_executable)
{
	char *p = map(2, PROT_EXEC, 0);

	CHECK_OK(mlock(p, 2 * PAGE_SIZE));
	CHECK_EQ(locked(), 2);
}

TEST(what_locked_memory_is_spared)
{
	static const int spared[] = { MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT };
	char *p = map(4, RW, MAP_LOCKED);

	memset(p, 1, 4 * PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(spared); i++)
		CHECK_ERRNO(madvise(p, PAGE_SIZE, spared[i]), EINVAL);
	CHECK_EQ(p[0], 1);
	CHECK_OK(madvise(p, PAGE_SIZE, MADV_DONTNEED_LOCKED));
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[PAGE_SIZE], 1);
	CHECK_EQ(locked(), 4);
	p = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0));
	CHECK_ERRNO(madvise(p, PAGE_SIZE, MADV_REMOVE), EINVAL);
}
