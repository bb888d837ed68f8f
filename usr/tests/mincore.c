/*
 * mincore.c - mincore(2): which pages are in memory, and the errno values.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define MANY 12000 /* pages: several rounds of the kernel's buffer */

static unsigned char vec[MANY];

/* "x.x": which pages from p on are in memory. */
static const char *seen(void *p, size_t pages)
{
	static char text[64];

	CHECK(pages < sizeof(text));
	memset(vec, 0xee, sizeof(vec));
	CHECK_OK(mincore(p, pages * PAGE_SIZE, vec));
	for (size_t i = 0; i < pages; i++) {
		CHECK((vec[i] & ~1) == 0);
		text[i] = vec[i] ? 'x' : '.';
	}
	text[pages] = 0;
	CHECK_EQ(vec[pages], 0xee);
	return text;
}

TEST(anonymous_pages_are_there_once_touched)
{
	char *p = map_anon(4 * PAGE_SIZE);

	CHECK_STRING(seen(p, 4), "....");
	p[PAGE_SIZE] = 1;
	CHECK_STRING(seen(p, 4), ".x..");
	CHECK_EQ(p[3 * PAGE_SIZE], 0);
	CHECK_STRING(seen(p, 4), ".x.x");
	CHECK_OK(mprotect(p, 4 * PAGE_SIZE, PROT_NONE));
	CHECK_STRING(seen(p, 4), ".x.x");
	CHECK_OK(madvise(p, 4 * PAGE_SIZE, MADV_DONTNEED));
	CHECK_STRING(seen(p, 4), "....");
}

TEST(part_of_a_page_counts_as_one)
{
	char *p = map_anon(2 * PAGE_SIZE);

	*p = 1;
	memset(vec, 0xee, sizeof(vec));
	CHECK_OK(mincore(p, PAGE_SIZE + 1, vec));
	CHECK_EQ(vec[0], 1);
	CHECK_EQ(vec[1], 0);
	CHECK_EQ(vec[2], 0xee);
	CHECK_OK(mincore(p, 0, vec + 2));
	CHECK_EQ(vec[2], 0xee);
}

TEST(pages_of_a_file_are_there_when_the_page_cache_has_them)
{
	char *p, *copy;
	int fd;

	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_EQ(pwrite(fd, "x", 1, PAGE_SIZE), 1);
	CHECK_OK(ftruncate(fd, 3 * PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	copy = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_PRIVATE, fd, 0));
	CHECK_EQ(seen(p, 4)[1], 'x');
	CHECK_EQ(seen(p, 4)[3], '.'); /* past the end */
	CHECK_EQ(seen(copy, 4)[1], 'x');
	CHECK_OK(munmap(copy, PAGE_SIZE));
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	CHECK_EQ(seen(p, 4)[1], '.');
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
	CHECK_OK(munmap(copy + PAGE_SIZE, 3 * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
}

TEST(shared_memory)
{
	char *p = CHECK_OK(mmap(NULL, 3 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	CHECK_STRING(seen(p, 3), "...");
	CHECK_CHILD({ p[PAGE_SIZE] = 1; });
	CHECK_STRING(seen(p, 3), ".x.");
}

TEST(areas_one_after_the_other)
{
	char *p = map_anon(6 * PAGE_SIZE);

	memset(p + PAGE_SIZE, 1, 4 * PAGE_SIZE);
	CHECK_OK(mprotect(p + 2 * PAGE_SIZE, PAGE_SIZE, PROT_NONE));
	CHECK_OK(mprotect(p + 3 * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	CHECK_STRING(seen(p, 6), ".xxxx.");
}

TEST(many_pages_and_few_tables)
{
	char *p = CHECK_OK(mmap(NULL, MANY * PAGE_SIZE, RW, ANON | MAP_NORESERVE, -1, 0));

	for (size_t i = 0; i < MANY; i += 3000)
		p[i * PAGE_SIZE] = 1;
	CHECK_OK(mincore(p, MANY * PAGE_SIZE, vec));
	for (size_t i = 0; i < MANY; i++)
		CHECK_EQ(vec[i], i % 3000 == 0);
}

/* What is in the page cache of other people's files nobody is told. */
TEST(only_who_may_write_to_a_file_sees)
{
	char *mine, *cached;
	int fd;

	if (getuid() != 0)
		SKIP("not started as root");
	test_dir();
	fd = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	CHECK_OK(ftruncate(fd, 3 * PAGE_SIZE));
	mine = map_anon(2 * PAGE_SIZE);
	cached = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	CHECK_EQ(seen(cached, 4)[3], '.');
	CHECK_CHILD({
		CHECK_OK(setresuid(65534, 65534, 65534));
		CHECK_STRING(seen(cached, 4), "xxxx");
		CHECK_STRING(seen(mine, 2), "..");
	});
	CHECK_OK(fchmod(fd, 0666));
	CHECK_CHILD({
		CHECK_OK(setresuid(65534, 65534, 65534));
		CHECK_EQ(seen(cached, 4)[3], '.');
	});
	CHECK_OK(fchmod(fd, 0600));
	CHECK_OK(fchown(fd, 65534, 65534));
	CHECK_CHILD({
		CHECK_OK(setresuid(65534, 65534, 65534));
		CHECK_EQ(seen(cached, 4)[3], '.');
	});
	CHECK_OK(munmap(cached, 4 * PAGE_SIZE));
	CHECK_OK(close(fd));
	test_dir_leave();
}

TEST(a_hole_is_told_and_bytes_before_it_may_be_there)
{
	char *p = map_anon(4 * PAGE_SIZE);

	memset(p, 1, 4 * PAGE_SIZE);
	CHECK_OK(munmap(p + 2 * PAGE_SIZE, PAGE_SIZE));
	memset(vec, 0xee, sizeof(vec));
	CHECK_ERRNO(mincore(p, 4 * PAGE_SIZE, vec), ENOMEM);
	CHECK_EQ(vec[0], 1);
	CHECK_EQ(vec[1], 1);
	CHECK_EQ(vec[2], 0xee);
	CHECK_ERRNO(mincore(p + 2 * PAGE_SIZE, PAGE_SIZE, vec), ENOMEM);
}

TEST(wrong_arguments)
{
	char *p = map_anon(2 * PAGE_SIZE);
	unsigned char *bytes = map_anon(2 * PAGE_SIZE);

	CHECK_ERRNO(mincore(p + 1, PAGE_SIZE, vec), EINVAL);
	CHECK_ERRNO(mincore((void *)KERNEL_ADDRESS, PAGE_SIZE, vec), ENOMEM);
	CHECK_ERRNO(mincore((void *)KERNEL_ADDRESS, 0, vec), ENOMEM);
	CHECK_ERRNO(mincore(p, -1UL, vec), ENOMEM);
	CHECK_ERRNO(mincore(p, 1UL << 63, vec), ENOMEM);
	CHECK_ERRNO(mincore(NULL, PAGE_SIZE, vec), ENOMEM);
	CHECK_ERRNO(mincore(p, PAGE_SIZE, (void *)8), EFAULT);
	CHECK_ERRNO(mincore(p, PAGE_SIZE, (void *)KERNEL_ADDRESS), EFAULT);
	CHECK_OK(mincore(p, 0, (void *)8));
	/* The second byte has no place. */
	CHECK_OK(munmap(bytes + PAGE_SIZE, PAGE_SIZE));
	CHECK_ERRNO(mincore(p, 2 * PAGE_SIZE, bytes + PAGE_SIZE - 1), EFAULT);
	CHECK_OK(mprotect(bytes, PAGE_SIZE, PROT_READ));
	CHECK_ERRNO(mincore(p, PAGE_SIZE, bytes), EFAULT);
}

/* The bytes go where the answer is about: the page of the answer is touched by the answer. */
TEST(the_answer_may_be_about_its_own_place)
{
	unsigned char *p = map_anon(2 * PAGE_SIZE);

	CHECK_OK(mincore(p, 2 * PAGE_SIZE, p));
	CHECK_EQ(p[0], 0);
	CHECK_OK(mincore(p, 2 * PAGE_SIZE, p));
	CHECK_EQ(p[0], 1);
	CHECK_EQ(p[1], 0);
}
