/*
 * remap_file_pages.c - remap_file_pages(): other pages of the file in a part of its mapping.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define RW    (PROT_READ | PROT_WRITE)
#define PAGES 8

static int fd;

static char *at(char *base, unsigned long page)
{
	return base + page * PAGE_SIZE;
}

/* A file of PAGES pages, a letter in each, and all of it mapped. */
static char *mapping(int prot, int flags)
{
	const char *name = tmp_path("remap");

	fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
	CHECK_OK(unlink(name));
	CHECK_OK(ftruncate(fd, PAGES * PAGE_SIZE));
	for (int i = 0; i < PAGES; i++) {
		char letter = 'a' + i;

		CHECK_EQ(pwrite(fd, &letter, 1, i * PAGE_SIZE), 1);
	}
	return CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, prot, flags, fd, 0));
}

static void check_pages(char *p, const char *letters)
{
	for (int i = 0; letters[i]; i++)
		CHECK_EQ(*at(p, i), letters[i]);
}

static int areas(char *p)
{
	return count_maps((uintptr_t)p, (uintptr_t)at(p, PAGES));
}

/* glibc's own passes prot; the numbers here are those of the system call. */
static long remap(char *p, size_t size, int prot, size_t pgoff, int flags)
{
	return raw_syscall(SYS_remap_file_pages, (long)p, size, prot, pgoff, flags, 0);
}

TEST(pages_in_another_order)
{
	char *p = mapping(RW, MAP_SHARED);
	char byte;

	check_pages(p, "abcdefgh");
	CHECK_EQ(remap(at(p, 2), 2 * PAGE_SIZE, 0, 5, 0), 0);
	check_pages(p, "abfgefgh");
	CHECK_EQ(areas(p), 3);
	/* Two views of one page, and the file. */
	*at(p, 2) = 'X';
	CHECK_EQ(*at(p, 5), 'X');
	CHECK_EQ(pread(fd, &byte, 1, 5 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 'X');
	*at(p, 2) = 'f';
	CHECK_EQ(remap(p, PAGE_SIZE, 0, 7, 0), 0);
	check_pages(p, "hbfgefgh");
	/* Back in the order of the file it is one area again. */
	CHECK_EQ(remap(p, PAGE_SIZE, 0, 0, 0), 0);
	CHECK_EQ(remap(at(p, 2), 2 * PAGE_SIZE, 0, 2, 0), 0);
	check_pages(p, "abcdefgh");
	CHECK_EQ(areas(p), 1);
}

/* A part of a page is not counted; the range may be several pieces of the same mapping. */
TEST(sizes)
{
	char *p = mapping(RW, MAP_SHARED);

	CHECK_EQ(remap(at(p, 1) + 5, PAGE_SIZE + 7, 0, 3, 0), 0);
	check_pages(p, "adcdefgh");
	CHECK_EQ(remap(at(p, 3), PAGE_SIZE, 0, 0, 0), 0);
	check_pages(p, "adcaefgh");
	CHECK_EQ(remap(p, 6 * PAGE_SIZE, 0, 2, 0), 0);
	check_pages(p, "cdefghgh");
	CHECK_EQ(areas(p), 2);
}

TEST(rights_stay)
{
	char *p = mapping(PROT_READ, MAP_SHARED);

	CHECK_EQ(remap(p, PAGE_SIZE, 0, 3, 0), 0);
	check_pages(p, "dbcdefgh");
	CHECK_SIGNAL({ *p = 1; }, SIGSEGV);
	CHECK_OK(mprotect(p, PAGE_SIZE, RW));
	*p = 'D';
	CHECK_EQ(*at(p, 3), 'D');
}

/* Past the end of the file is SIGBUS as ever; the call itself does not mind. */
TEST(past_the_end_of_the_file)
{
	char *p = mapping(RW, MAP_SHARED);

	CHECK_EQ(remap(p, 2 * PAGE_SIZE, 0, PAGES - 1, 0), 0);
	CHECK_EQ(*p, 'h');
	CHECK_SIGNAL({ (void)*(volatile char *)at(p, 1); }, SIGBUS);
	CHECK_EQ(remap(p, 2 * PAGE_SIZE, 0, 1UL << 40, MAP_NONBLOCK), 0);
	CHECK_SIGNAL({ (void)*(volatile char *)p; }, SIGBUS);
	check_pages(at(p, 2), "cdefgh");
}

/* A hint about the page cache, and what else is in flags is not looked at. */
TEST(flags)
{
	char *p = mapping(RW, MAP_SHARED);

	CHECK_EQ(remap(p, PAGE_SIZE, 0, 1, MAP_NONBLOCK), 0);
	CHECK_EQ(remap(at(p, 2), PAGE_SIZE, 0, 1, MAP_PRIVATE | MAP_ANONYMOUS), 0);
	*p = 'B';
	check_pages(p, "BBBdefgh");
}

/* What is locked is there, whatever flags say. */
TEST(of_a_locked_area)
{
	unsigned char there[PAGES];
	char *p;

	fd = CHECK_OK(memfd_create("sparse", 0));
	CHECK_OK(ftruncate(fd, PAGES * PAGE_SIZE));
	p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	CHECK_OK(mlock(p, 4 * PAGE_SIZE));
	CHECK_EQ(remap(p, PAGE_SIZE, 0, 4, 0), 0);
	CHECK_EQ(remap(at(p, 1), PAGE_SIZE, 0, 5, MAP_NONBLOCK), 0);
	CHECK_OK(mincore(p, 4 * PAGE_SIZE, there));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(there[i], 1);
	CHECK_EQ(status_kb(getpid(), "VmLck"), 4 * PAGE_SIZE / 1024);
	CHECK_OK(munlock(p, 4 * PAGE_SIZE));
	CHECK_OK(madvise(at(p, 1), PAGE_SIZE, MADV_DONTNEED));
	/* Of one that is not, a hint: no page comes. */
	CHECK_EQ(remap(at(p, 1), PAGE_SIZE, 0, 6, MAP_NONBLOCK), 0);
	CHECK_OK(mincore(at(p, 1), PAGE_SIZE, there));
	CHECK_EQ(there[0], 0);
}

TEST(shared_memory_without_a_name)
{
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	for (int i = 0; i < PAGES; i++)
		*at(p, i) = 'a' + i;
	/* All of it at once: the old area had the only reference to it. */
	CHECK_EQ(remap(p, 4 * PAGE_SIZE, 0, 4, 0), 0);
	check_pages(p, "efghefgh");
	CHECK_EQ(remap(at(p, 4), 4 * PAGE_SIZE, 0, 0, 0), 0);
	check_pages(p, "efghabcd");
	CHECK_EQ(munmap(at(p, 4), 4 * PAGE_SIZE), 0);
	CHECK_EQ(remap(p, 4 * PAGE_SIZE, 0, 0, 0), 0);
	check_pages(p, "abcd");
}

TEST(what_is_refused)
{
	char *p = mapping(RW, MAP_SHARED);
	char *shared = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));

	CHECK_EQ(remap(p, PAGE_SIZE, PROT_READ, 1, 0), -EINVAL);
	CHECK_EQ(remap(p, 0, 0, 1, 0), -EINVAL);
	CHECK_EQ(remap(p, PAGE_SIZE - 1, 0, 1, 0), -EINVAL);
	CHECK_EQ(remap(p, -PAGE_SIZE, 0, 1, 0), -EINVAL);
	CHECK_EQ(remap(p, PAGE_SIZE, 0, -1, 0), -EINVAL);
	CHECK_EQ(remap(p, 2 * PAGE_SIZE, 0, -2, 0), -EINVAL);
	CHECK_EQ(remap(p, 2 * PAGE_SIZE, 0, 1UL << 51, 0), -EOVERFLOW);
	CHECK_EQ(remap(p, (PAGES + 1) * PAGE_SIZE, 0, 1, 0), -EINVAL);
	CHECK_EQ(remap(NULL, PAGE_SIZE, 0, 1, 0), -EINVAL);
	CHECK_EQ(remap((char *)KERNEL_ADDRESS, PAGE_SIZE, 0, 1, 0), -EINVAL);
	check_pages(p, "abcdefgh");
	CHECK_EQ(areas(p), 1);
	/* Not all the same mapping: other rights, another file, a hole. */
	CHECK_OK(mprotect(at(p, 4), PAGE_SIZE, PROT_READ));
	CHECK_EQ(remap(at(p, 3), 2 * PAGE_SIZE, 0, 0, 0), -EINVAL);
	CHECK_OK(mprotect(at(p, 4), PAGE_SIZE, RW));
	CHECK_EQ(mremap(shared, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, at(p, 6)),
		 at(p, 6));
	CHECK_EQ(remap(at(p, 5), 2 * PAGE_SIZE, 0, 0, 0), -EINVAL);
	CHECK_OK(munmap(at(p, 6), PAGE_SIZE));
	CHECK_EQ(remap(at(p, 5), 2 * PAGE_SIZE, 0, 0, 0), -EINVAL);
	check_pages(p, "abcdef");
	CHECK_EQ(*at(p, 7), 'h');
}

/* Private memory, and a file that could not be written to. */
TEST(what_is_not_shared)
{
	char *p = mapping(RW, MAP_PRIVATE), *q, *r;
	int read_only;

	CHECK_EQ(remap(p, PAGE_SIZE, 0, 1, 0), -EINVAL);
	check_pages(p, "abcdefgh");
	q = map_anon(PAGE_SIZE);
	CHECK_EQ(remap(q, PAGE_SIZE, 0, 1, 0), -EINVAL);
	read_only = CHECK_OK(open(self_path(), O_RDONLY));
	r = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_SHARED, read_only, 0));
	CHECK_EQ(remap(r, PAGE_SIZE, 0, 1, 0), -EINVAL);
}
