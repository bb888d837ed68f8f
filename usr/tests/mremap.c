/*
 * mremap.c - mremap(): shrink, grow, move, what is at the new place, and what it refuses.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testpages.h"
#include "usr/lib/testutil.h"

#define RW	(PROT_READ | PROT_WRITE)
#define ANON	(MAP_PRIVATE | MAP_ANONYMOUS)
#define TO	(MREMAP_MAYMOVE | MREMAP_FIXED)
#define MIB	(1UL << 20)
#define KB	(PAGE_SIZE / 1024)
#define RESERVE (64 * PAGE_SIZE)

static char *at(char *base, unsigned long page)
{
	return base + page * PAGE_SIZE;
}

static void put_letters(char *p, int n)
{
	for (int i = 0; i < n; i++)
		*at(p, i) = 'a' + i;
}

static void check_letters(char *p, int n)
{
	for (int i = 0; i < n; i++)
		CHECK_EQ(*at(p, i), 'a' + i);
}

/* Address space that nothing else will take: n pages of it become rw- at page first. */
static char *reserve(int first, int n)
{
	char *base = CHECK_OK(mmap(NULL, RESERVE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));

	CHECK_OK(munmap(base, RESERVE));
	return CHECK_OK(mmap(at(base, first), n * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
}

static int areas(char *p, int n)
{
	return count_maps((uintptr_t)p, (uintptr_t)at(p, n));
}

/* VmFlags of the area at p has it. */
static bool has_flag(char *p, const char *flag)
{
	struct smaps area;
	char blanks[8];

	smaps_of(0, p, &area);
	snprintf(blanks, sizeof(blanks), " %s ", flag);
	return strstr(area.flags, blanks) != NULL;
}

static bool is_gone(char *p, int n)
{
	return range_unmapped((uintptr_t)p, (uintptr_t)at(p, n));
}

/* ---- in place ---- */

TEST(shrink)
{
	char *p = reserve(0, 6);

	put_letters(p, 6);
	CHECK_EQ(mremap(p, 6 * PAGE_SIZE, 2 * PAGE_SIZE, 0), p);
	check_letters(p, 2);
	CHECK(is_gone(at(p, 2), 4));
	CHECK_EQ(areas(p, 6), 1);
	/* Part of a page is all of it; the middle of an area shrinks too. */
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
	p = reserve(0, 6);
	put_letters(p, 6);
	CHECK_EQ(mremap(at(p, 1), 4 * PAGE_SIZE, 1, 0), at(p, 1));
	check_letters(p, 2);
	CHECK(is_gone(at(p, 2), 3));
	CHECK_EQ(*at(p, 5), 'f');
}

/* What is cut off may be several areas, and holes. */
TEST(shrink_over_other_areas)
{
	char *p = reserve(0, 8);

	put_letters(p, 8);
	CHECK_OK(mprotect(at(p, 3), PAGE_SIZE, PROT_READ));
	CHECK_OK(munmap(at(p, 5), PAGE_SIZE));
	CHECK_EQ(mremap(p, 7 * PAGE_SIZE, 2 * PAGE_SIZE, 0), p);
	check_letters(p, 2);
	CHECK(is_gone(at(p, 2), 5));
	CHECK_EQ(*at(p, 7), 'h');
}

TEST(the_same_size)
{
	char *p = reserve(0, 3);

	put_letters(p, 3);
	CHECK_EQ(mremap(p, 3 * PAGE_SIZE, 3 * PAGE_SIZE, 0), p);
	CHECK_EQ(mremap(at(p, 1), PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE), at(p, 1));
	check_letters(p, 3);
	CHECK_EQ(areas(p, 3), 1);
}

TEST(grow_in_place)
{
	char *p = reserve(0, 2);

	put_letters(p, 2);
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, 0), p);
	check_letters(p, 2);
	for (int i = 2; i < 5; i++)
		CHECK_EQ(*at(p, i), 0);
	put_letters(p, 5);
	CHECK_EQ(areas(p, 5), 1);
	/* Of the end of an area only. */
	CHECK_EQ(mremap(at(p, 4), PAGE_SIZE, 3 * PAGE_SIZE, MREMAP_MAYMOVE), at(p, 4));
	check_letters(p, 5);
	CHECK_EQ(areas(p, 7), 1);
	CHECK_ERRNO(mremap(at(p, 1), PAGE_SIZE, 2 * PAGE_SIZE, 0), ENOMEM);
	CHECK_EQ(areas(p, 7), 1);
	check_letters(p, 5);
}

TEST(grow_up_to_a_neighbour)
{
	char *p = reserve(0, 2), *next = at(p, 4);

	put_letters(p, 2);
	CHECK_OK(mmap(next, PAGE_SIZE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	CHECK_ERRNO(mremap(p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, 0), ENOMEM);
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0), p);
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 5 * PAGE_SIZE, 0), ENOMEM);
	check_letters(p, 2);
	CHECK_EQ(areas(p, 5), 2);
}

/* Filling the hole between two halves of what was one area. */
TEST(grow_into_a_hole_merges)
{
	char *p = reserve(0, 6);

	put_letters(p, 6);
	CHECK_OK(munmap(at(p, 2), 2 * PAGE_SIZE));
	CHECK_EQ(areas(p, 6), 2);
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0), p);
	CHECK_EQ(areas(p, 6), 1);
	check_letters(p, 2);
	CHECK_EQ(*at(p, 2), 0);
	CHECK_EQ(*at(p, 5), 'f');
}

/* ---- moving: every kind of memory ---- */

static char *moved_away(char *p, int old, int new)
{
	char *blocker = mmap(at(p, old), PAGE_SIZE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	char *q = CHECK_OK(mremap(p, old * PAGE_SIZE, new *PAGE_SIZE, MREMAP_MAYMOVE));

	CHECK(q != p);
	CHECK(is_gone(p, old));
	CHECK_SIGNAL({ (void)*(volatile char *)p; }, SIGSEGV);
	if (blocker != MAP_FAILED)
		CHECK_OK(munmap(blocker, PAGE_SIZE));
	return q;
}

TEST(private_memory_moves)
{
	char *p = reserve(0, 4), *q;

	put_letters(p, 3);
	q = moved_away(p, 4, 6);
	check_letters(q, 3);
	for (int i = 3; i < 6; i++)
		CHECK_EQ(*at(q, i), 0);
	put_letters(q, 6);
	check_letters(q, 6);
	CHECK_EQ(areas(q, 6), 1);
}

/* A page that was only read, and one that never was. */
TEST(untouched_memory_moves)
{
	char *p = reserve(0, 4), *q;

	CHECK_EQ(*(volatile char *)at(p, 1), 0);
	q = moved_away(p, 4, 5);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(*at(q, i), 0);
	put_letters(q, 5);
	check_letters(q, 5);
}

TEST(memory_shared_by_fork_moves)
{
	char *p = reserve(0, 4), *q;
	int go[2];
	pid_t pid;
	char byte;

	CHECK_OK(pipe(go));
	put_letters(p, 4);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(go[0], &byte, 1), 1);
		check_letters(p, 4);
		*at(p, 2) = 'X';
		q = moved_away(p, 4, 5);
		CHECK_EQ(*at(q, 2), 'X');
		*at(q, 3) = 'Y';
		_exit(0);
	}
	q = moved_away(p, 4, 5);
	*at(q, 1) = 'Z';
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(*at(q, 1), 'Z');
	*at(q, 1) = 'b';
	check_letters(q, 4);
	/* Again a fork: what was moved is copied on write as ever. */
	CHECK_CHILD({
		check_letters(q, 4);
		put_letters(q + 1, 4);
	});
	for (int i = 0; i < 4; i++)
		CHECK_EQ(at(q, i)[1], 0);
}

static int letters_file(int n)
{
	const char *name = tmp_path("mremap");
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	CHECK_OK(unlink(name));
	CHECK_OK(ftruncate(fd, n * PAGE_SIZE));
	for (int i = 0; i < n; i++) {
		char letter = 'a' + i;

		CHECK_EQ(pwrite(fd, &letter, 1, i * PAGE_SIZE), 1);
	}
	return fd;
}

static char *map_file(int fd, int flags, int n, int first)
{
	char *p = reserve(0, n + 1);

	return CHECK_OK(
		mmap(p, n * PAGE_SIZE, RW, flags | MAP_FIXED, fd, first * (off_t)PAGE_SIZE));
}

TEST(a_private_file_moves)
{
	int fd = letters_file(8);
	char *p = map_file(fd, MAP_PRIVATE, 4, 1), *q;
	char byte;

	*at(p, 1) = 'X';
	CHECK_EQ(*at(p, 2), 'd');
	q = moved_away(p, 4, 6);
	CHECK_EQ(*q, 'b');
	CHECK_EQ(*at(q, 1), 'X');
	/* What is new goes on in the file. */
	for (int i = 2; i < 6; i++)
		CHECK_EQ(*at(q, i), 'b' + i);
	*at(q, 5) = 'Y';
	CHECK_EQ(pread(fd, &byte, 1, 6 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 'g');
}

TEST(a_shared_file_moves)
{
	int fd = letters_file(8);
	char *p = map_file(fd, MAP_SHARED, 4, 2), *q;
	char byte;

	*at(p, 1) = 'X';
	q = moved_away(p, 4, 6);
	CHECK_EQ(*q, 'c');
	CHECK_EQ(*at(q, 1), 'X');
	CHECK_EQ(*at(q, 5), 'h');
	*at(q, 1) = 'Y';
	CHECK_EQ(pread(fd, &byte, 1, 3 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 'Y');
	/* Written back, stored to again, and written back again: W was taken from the new place. */
	CHECK_OK(fsync(fd));
	*at(q, 2) = 'Z';
	CHECK_OK(msync(q, 6 * PAGE_SIZE, MS_SYNC));
	CHECK_EQ(pread(fd, &byte, 1, 4 * PAGE_SIZE), 1);
	CHECK_EQ(byte, 'Z');
	/* And truncation finds it there. */
	CHECK_OK(ftruncate(fd, 5 * PAGE_SIZE));
	CHECK_EQ(*at(q, 2), 'Z');
	CHECK_SIGNAL({ (void)*(volatile char *)at(q, 3); }, SIGBUS);
	CHECK_SIGNAL({ *at(q, 4) = 1; }, SIGBUS);
}

TEST(shared_memory_moves)
{
	char *p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), *q;
	int go[2], done[2];
	char byte;
	pid_t pid;

	CHECK_OK(pipe(go));
	CHECK_OK(pipe(done));
	put_letters(p, 4);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(go[0], &byte, 1), 1);
		CHECK_EQ(*at(p, 1), 'M');
		*at(p, 2) = 'C';
		_exit(0);
	}
	q = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_NONE, ANON, -1, 0));
	CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO, q), q);
	check_letters(q, 4);
	*at(q, 1) = 'M';
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_EXIT(pid, 0);
	CHECK_EQ(*at(q, 2), 'C');
}

TEST(memory_without_rights_moves)
{
	char *p = reserve(0, 3), *q;

	put_letters(p, 3);
	CHECK_OK(mprotect(p, 3 * PAGE_SIZE, PROT_NONE));
	q = CHECK_OK(mmap(NULL, 8 * PAGE_SIZE, RW, ANON, -1, 0));
	CHECK_EQ(mremap(p, 3 * PAGE_SIZE, 3 * PAGE_SIZE, TO, at(q, 2)), at(q, 2));
	CHECK_SIGNAL({ (void)*(volatile char *)at(q, 2); }, SIGSEGV);
	CHECK_OK(mprotect(at(q, 2), 3 * PAGE_SIZE, PROT_READ));
	check_letters(at(q, 2), 3);
	CHECK_SIGNAL({ *at(q, 2) = 1; }, SIGSEGV);
}

/* Where both addresses are at 2 MiB whole page tables move; else page by page. */
TEST(large_memory_moves)
{
	char *room = CHECK_OK(mmap(NULL, 24 * MIB, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));
	char *base = (char *)(((uintptr_t)room + 2 * MIB - 1) & -(2 * MIB));
	static const unsigned long places[] = { 10 * MIB, 16 * MIB + PAGE_SIZE, MIB, 16 * MIB, 0 };
	char *p = CHECK_OK(mmap(base, 5 * MIB, RW, ANON | MAP_FIXED, -1, 0));

	for (unsigned long i = 0; i < 5 * MIB / PAGE_SIZE; i += 7)
		*(unsigned long *)at(p, i) = i + 1;
	for (unsigned n = 0; n < ARRAY_LEN(places); n++) {
		char *to = base + places[n];

		CHECK_EQ(mremap(p, 5 * MIB, 5 * MIB, TO, to), to);
		CHECK(is_gone(p, 1));
		p = to;
		for (unsigned long i = 0; i < 5 * MIB / PAGE_SIZE; i++)
			CHECK_EQ(*(unsigned long *)at(p, i), i % 7 ? 0 : i + 1);
	}
}

/* Part of an area moves, the rest stays where it is. */
TEST(the_middle_moves)
{
	char *p = reserve(0, 6), *q = reserve(0, 4);

	put_letters(p, 6);
	CHECK_EQ(mremap(at(p, 2), 2 * PAGE_SIZE, 3 * PAGE_SIZE, TO, q), q);
	CHECK_EQ(*q, 'c');
	CHECK_EQ(*at(q, 1), 'd');
	CHECK_EQ(*at(q, 2), 0);
	CHECK_EQ(*at(q, 3), 0);
	check_letters(p, 2);
	CHECK_EQ(*at(p, 4), 'e');
	CHECK_EQ(*at(p, 5), 'f');
	CHECK(is_gone(at(p, 2), 2));
}

/* A move that makes it smaller: what is cut off is gone too. */
TEST(move_and_shrink)
{
	char *p = reserve(0, 6), *q = reserve(0, 4);

	put_letters(p, 6);
	CHECK_EQ(mremap(p, 5 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(q, 1)), at(q, 1));
	check_letters(at(q, 1), 2);
	CHECK(is_gone(p, 5));
	CHECK_EQ(*at(p, 5), 'f');
	CHECK_EQ(*q, 0);
	CHECK_EQ(*at(q, 3), 0);
}

TEST(what_is_at_the_target_is_replaced)
{
	int fd = letters_file(8);
	char *p = reserve(0, 2), *q = map_file(fd, MAP_SHARED, 6, 0);

	put_letters(p, 2);
	CHECK_EQ(*at(q, 3), 'd');
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(q, 2)), at(q, 2));
	CHECK_EQ(*at(q, 1), 'b');
	check_letters(at(q, 2), 2);
	CHECK_EQ(*at(q, 4), 'e');
	CHECK(is_gone(p, 2));
	CHECK_EQ(areas(q, 6), 3);
}

/* ---- merging ---- */

/*
 * A page that comes back between the two areas that it was cut out of: one area. From elsewhere it
 * does not continue them, if it was written to.
 */
TEST(one_page_between_two_areas)
{
	char *p = reserve(0, 3), *q = reserve(8, 1), *r = reserve(16, 1);

	put_letters(p, 3);
	*r = 'X';
	CHECK_EQ(areas(p, 3), 1);
	CHECK_EQ(mremap(at(p, 1), PAGE_SIZE, PAGE_SIZE, TO, q), q);
	CHECK_EQ(areas(p, 3), 2);
	CHECK_EQ(*q, 'b');
	CHECK_EQ(mremap(q, PAGE_SIZE, PAGE_SIZE, TO, at(p, 1)), at(p, 1));
	CHECK_EQ(areas(p, 3), 1);
	check_letters(p, 3);
	CHECK_EQ(mremap(r, PAGE_SIZE, PAGE_SIZE, TO, at(p, 1)), at(p, 1));
	CHECK_EQ(areas(p, 3), 3);
	CHECK_EQ(*at(p, 1), 'X');
	CHECK_EQ(*p, 'a');
	CHECK_EQ(*at(p, 2), 'c');
	/* What happens to all three afterwards is right. */
	CHECK_OK(mprotect(p, 3 * PAGE_SIZE, PROT_READ));
	CHECK_CHILD({
		CHECK_EQ(*p, 'a');
		CHECK_EQ(*at(p, 1), 'X');
	});
}

TEST(an_untouched_page_between_two_areas)
{
	char *p = reserve(0, 3), *q = reserve(8, 1);

	CHECK_OK(munmap(at(p, 1), PAGE_SIZE));
	CHECK_EQ(mremap(q, PAGE_SIZE, PAGE_SIZE, TO, at(p, 1)), at(p, 1));
	CHECK_EQ(areas(p, 3), 1);
	put_letters(p, 3);
	check_letters(p, 3);
}

/* To right behind, and right before itself. */
TEST(a_move_by_its_own_length)
{
	char *p = reserve(8, 2);

	for (int touched = 0; touched < 2; touched++) {
		if (touched)
			put_letters(p, 2);
		CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(p, 2)), at(p, 2));
		CHECK(is_gone(p, 2));
		CHECK_EQ(mremap(at(p, 2), 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, p), p);
		CHECK(is_gone(at(p, 2), 2));
		CHECK_EQ(areas(p, 4), 1);
	}
	check_letters(p, 2);
}

/* Pieces of a file come together again in the file's order only. */
TEST(pieces_of_a_file)
{
	int fd = letters_file(6);
	char *p = map_file(fd, MAP_SHARED, 6, 0), *q = reserve(0, 6);

	CHECK_EQ(mremap(at(p, 4), 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(q, 4)), at(q, 4));
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, q), q);
	CHECK_EQ(mremap(at(p, 2), 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(q, 2)), at(q, 2));
	CHECK(is_gone(p, 6));
	CHECK_EQ(areas(q, 6), 1);
	check_letters(q, 6);
}

/* ---- the old area stays ---- */

TEST(dontunmap)
{
	int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	char *p = reserve(0, 4), *q = reserve(0, 4), *r;

	put_letters(p, 4);
	r = CHECK_OK(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, flags, NULL));
	CHECK(r != p);
	check_letters(r, 4);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(*at(p, i), 0);
	put_letters(p, 2);
	CHECK_EQ(*at(r, 1), 'b');
	*at(r, 1) = 'X';
	CHECK_EQ(*at(p, 1), 'b');
	/* With an address, and of a part. */
	CHECK_EQ(mremap(at(r, 1), 2 * PAGE_SIZE, 2 * PAGE_SIZE, flags | MREMAP_FIXED, at(q, 1)),
		 at(q, 1));
	CHECK_EQ(*at(q, 1), 'X');
	CHECK_EQ(*at(q, 2), 'c');
	CHECK_EQ(*r, 'a');
	CHECK_EQ(*at(r, 1), 0);
	CHECK_EQ(*at(r, 2), 0);
	CHECK_EQ(*at(r, 3), 'd');
	CHECK_CHILD({
		CHECK_EQ(*at(q, 1), 'X');
		CHECK_EQ(*at(r, 1), 0);
		*at(r, 1) = 1;
		*at(q, 1) = 2;
	});
	CHECK_EQ(*at(q, 1), 'X');
}

/* A file's pages are found again in both places. */
TEST(dontunmap_of_a_file)
{
	int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	int fd = letters_file(4);
	char *p = map_file(fd, MAP_SHARED, 4, 0), *q;

	*at(p, 1) = 'X';
	q = mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, flags, NULL);
	CHECK_OK(q);
	CHECK_EQ(*at(q, 1), 'X');
	CHECK_EQ(*at(p, 1), 'X');
	*at(p, 2) = 'Y';
	CHECK_EQ(*at(q, 2), 'Y');
	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	CHECK_SIGNAL({ (void)*(volatile char *)at(q, 1); }, SIGBUS);
	CHECK_SIGNAL({ (void)*(volatile char *)at(p, 1); }, SIGBUS);
}

/* What is locked goes along; where the old area stays, that is not locked any more. */
TEST(the_lock_moves)
{
	int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	char *p = reserve(0, 4), *q = reserve(0, 4), *r = reserve(0, 4);
	long long before = status_kb(getpid(), "VmLck");

	put_letters(p, 4);
	CHECK_OK(mlock(p, 4 * PAGE_SIZE));
	CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO, q), q);
	CHECK(has_flag(q, "lo"));
	CHECK_EQ(status_kb(getpid(), "VmLck") - before, 4 * KB);
	CHECK_EQ(mremap(q, 4 * PAGE_SIZE, 4 * PAGE_SIZE, flags | MREMAP_FIXED, r), r);
	check_letters(r, 4);
	CHECK(has_flag(r, "lo"));
	CHECK(!has_flag(q, "lo"));
	/* Now it may be given back, and its new twin may not. */
	CHECK_OK(madvise(q, 4 * PAGE_SIZE, MADV_DONTNEED));
	CHECK_ERRNO(madvise(r, 4 * PAGE_SIZE, MADV_DONTNEED), EINVAL);
	if (on_ravel()) /* Linux counts the pages that moved twice */
		CHECK_EQ(status_kb(getpid(), "VmLck") - before, 4 * KB);
	CHECK_OK(mlock2(q, 4 * PAGE_SIZE, MLOCK_ONFAULT));
	CHECK_EQ(mremap(q, 4 * PAGE_SIZE, 4 * PAGE_SIZE, flags | MREMAP_FIXED, p), p);
	CHECK(has_flag(p, "lf"));
	CHECK(!has_flag(q, "lf"));
	CHECK(!has_flag(q, "lo"));
}

/* Of a part: all of the area that stays is unlocked. */
TEST(the_lock_leaves_with_a_part)
{
	char *p = reserve(0, 5), *q = reserve(0, 2);

	put_letters(p, 5);
	CHECK_OK(mlock(p, 5 * PAGE_SIZE));
	CHECK_EQ(mremap(at(p, 1), 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO | MREMAP_DONTUNMAP, q), q);
	for (int i = 0; i < 5; i++)
		CHECK(!has_flag(at(p, i), "lo"));
	CHECK(has_flag(q, "lo"));
	CHECK_EQ(areas(p, 5), 1);
	if (on_ravel()) /* Linux counts the pages that moved twice */
		CHECK_EQ(status_kb(getpid(), "VmLck"), 2 * KB);
	CHECK_EQ(*at(p, 1), 0);
	CHECK_EQ(*at(p, 3), 'd');
}

static int resident(char *p, int n)
{
	unsigned char vec[16];
	int nr = 0;

	CHECK_OK(mincore(p, n * PAGE_SIZE, vec));
	for (int i = 0; i < n; i++)
		nr += vec[i] & 1;
	return nr;
}

/* What is added to a locked area is locked and there, whether it stays or goes. */
TEST(a_locked_area_grows_locked)
{
	char *p = reserve(0, 2), *q;

	CHECK_OK(mlock(p, 2 * PAGE_SIZE));
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0), p);
	CHECK_EQ(resident(p, 4), 4);
	q = moved_away(p, 4, 7);
	CHECK_EQ(resident(q, 7), 7);
	CHECK(has_flag(q, "lo"));
	CHECK_EQ(status_kb(getpid(), "VmLck"), 7 * KB);
	CHECK_OK(munlock(q, 7 * PAGE_SIZE));
	/* On fault: no page more. */
	CHECK_OK(mlock2(q, 7 * PAGE_SIZE, MLOCK_ONFAULT));
	q = moved_away(q, 7, 9);
	if (on_ravel()) /* Linux populates them, too */
		CHECK_EQ(resident(q, 9), 7);
	CHECK_EQ(mremap(q, 9 * PAGE_SIZE, PAGE_SIZE, 0), q);
	CHECK_EQ(status_kb(getpid(), "VmLck"), KB);
}

/* ---- the same pages once more ---- */

TEST(old_size_0_of_shared_memory)
{
	char *p = CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), *q;
	char *there = reserve(0, 4);

	put_letters(p, 4);
	q = CHECK_OK(mremap(at(p, 1), 0, 3 * PAGE_SIZE, MREMAP_MAYMOVE));
	CHECK_EQ(*q, 'b');
	*q = 'X';
	CHECK_EQ(*at(p, 1), 'X');
	*at(p, 3) = 'Y';
	CHECK_EQ(*at(q, 2), 'Y');
	CHECK_EQ(mremap(p, 0, 2 * PAGE_SIZE, TO, at(there, 1)), at(there, 1));
	CHECK_EQ(*at(there, 2), 'X');
	CHECK_OK(munmap(p, 4 * PAGE_SIZE));
	CHECK_EQ(*at(there, 1), 'a');
	CHECK_EQ(*q, 'X');
	CHECK_ERRNO(mremap(q, 0, PAGE_SIZE, 0), ENOMEM);
}

/* ---- what is refused ---- */

static void check_refused(char *p, int n, int wanted, void *old, size_t old_size, size_t new_size,
			  int flags, void *to)
{
	CHECK_ERRNO(mremap(old, old_size, new_size, flags, to), wanted);
	check_letters(p, n);
	CHECK_EQ(areas(p, n), 1);
}

TEST(wrong_arguments)
{
	char *p = reserve(0, 6), *q = reserve(0, 6);
	char *top = (char *)KERNEL_ADDRESS;
	size_t n = 6 * PAGE_SIZE;

	put_letters(p, 6);
	check_refused(p, 6, EINVAL, p, n, n, 8, NULL);
	check_refused(p, 6, EINVAL, p, n, n, ~7, NULL);
	check_refused(p, 6, EINVAL, p, n, n, MREMAP_FIXED, q);
	check_refused(p, 6, EINVAL, p, n, n, MREMAP_DONTUNMAP, q);
	check_refused(p, 6, EINVAL, p, n, n + 1, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	check_refused(p, 6, EINVAL, p + 1, n, n, 0, NULL);
	check_refused(p, 6, EINVAL, p + 1, n, n, TO, q);
	check_refused(p, 6, EINVAL, p, n, 0, 0, NULL);
	check_refused(p, 6, EINVAL, p, n, 0, TO, q);
	check_refused(p, 6, EINVAL, p, n, -1UL, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, EINVAL, p, n, n, TO, q + 1);
	check_refused(p, 6, EINVAL, p, n, n, TO, top);
	check_refused(p, 6, EINVAL, p, n, n, TO, (void *)-PAGE_SIZE);
	check_refused(p, 6, EINVAL, p, n, 1UL << 62, TO, q);
	/* Nothing is to be had twice of private memory. */
	check_refused(p, 6, EINVAL, p, 0, n, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, EINVAL, p, 0, n, TO, q);
}

TEST(old_and_new_overlap)
{
	char *p = reserve(8, 6);
	size_t n = 6 * PAGE_SIZE;

	put_letters(p, 6);
	check_refused(p, 6, EINVAL, p, n, n, TO, p);
	check_refused(p, 6, EINVAL, p, n, n, TO, at(p, 1));
	check_refused(p, 6, EINVAL, p, n, n, TO, at(p, 5));
	check_refused(p, 6, EINVAL, p, n, n, TO, at(p, -5));
	check_refused(p, 6, EINVAL, p, n, 2 * PAGE_SIZE, TO, at(p, 4));
	check_refused(p, 6, EINVAL, p, PAGE_SIZE, n, TO, at(p, -5));
	check_refused(p, 6, EINVAL, at(p, 2), PAGE_SIZE, PAGE_SIZE, TO, at(p, 2));
	check_refused(p, 6, EINVAL, p, n, n, TO | MREMAP_DONTUNMAP, at(p, 3));
}

TEST(nothing_is_mapped_there)
{
	char *p = reserve(1, 6), *q = reserve(0, 1);

	put_letters(p, 6);
	check_refused(p, 6, EFAULT, at(p, -1), PAGE_SIZE, PAGE_SIZE, 0, NULL);
	check_refused(p, 6, EFAULT, at(p, -1), 2 * PAGE_SIZE, PAGE_SIZE, 0, NULL);
	check_refused(p, 6, EFAULT, at(p, 6), PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, EFAULT, NULL, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, EFAULT, (void *)KERNEL_ADDRESS, PAGE_SIZE, PAGE_SIZE, 0, NULL);
	/* Growing what is not all one area. */
	check_refused(p, 6, EFAULT, p, 7 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, EFAULT, p, 7 * PAGE_SIZE, 8 * PAGE_SIZE, 0, NULL);
	CHECK_EQ(*q, 0);
	CHECK_OK(mprotect(at(p, 3), 3 * PAGE_SIZE, PROT_READ));
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE), EFAULT);
	CHECK_EQ(areas(p, 6), 2);
	check_letters(p, 6);
}

TEST(too_large)
{
	char *p = reserve(0, 6);

	put_letters(p, 6);
	check_refused(p, 6, ENOMEM, p, 6 * PAGE_SIZE, 1UL << 44, MREMAP_MAYMOVE, NULL);
	check_refused(p, 6, ENOMEM, p, 6 * PAGE_SIZE, 1UL << 44, 0, NULL);
}

/* What fails leaves the target alone: here, but not on Linux, which has unmapped it by then. */
TEST(the_target_survives_a_failure)
{
	char *p = reserve(0, 6), *q = reserve(0, 4);

	if (!on_ravel())
		SKIP("Linux unmaps the target first");
	put_letters(q, 4);
	CHECK_OK(mprotect(at(p, 3), 3 * PAGE_SIZE, PROT_READ));
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO, q), EFAULT);
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 5 * PAGE_SIZE, TO, q), EFAULT);
	CHECK_ERRNO(mremap(p, 0, 4 * PAGE_SIZE, TO, q), EINVAL);
	CHECK_ERRNO(mremap(p, PAGE_SIZE, PAGE_SIZE, TO, NULL), EPERM);
	check_letters(q, 4);
	CHECK_EQ(areas(q, 4), 1);
	CHECK_EQ(areas(p, 6), 2);
}

/* ---- limits ---- */

static void set_limit(int resource, rlim_t value)
{
	struct rlimit limit;

	CHECK_OK(getrlimit(resource, &limit));
	limit.rlim_cur = value;
	CHECK_OK(setrlimit(resource, &limit));
}

TEST(the_limit_of_address_space)
{
	char *p = reserve(0, 4), *q = reserve(0, 8);
	rlim_t size = status_kb(getpid(), "VmSize") * 1024;

	put_letters(p, 4);
	set_limit(RLIMIT_AS, size + 2 * PAGE_SIZE);
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 7 * PAGE_SIZE, 0), ENOMEM);
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 7 * PAGE_SIZE, MREMAP_MAYMOVE), ENOMEM);
	CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 6 * PAGE_SIZE, 0), p);
	CHECK_ERRNO(mremap(p, 6 * PAGE_SIZE, 7 * PAGE_SIZE, 0), ENOMEM);
	CHECK_ERRNO(mremap(p, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
		    ENOMEM);
	/* A move needs no more. */
	CHECK_EQ(mremap(p, 6 * PAGE_SIZE, 6 * PAGE_SIZE, TO, q), q);
	check_letters(q, 4);
}

TEST(the_limit_of_data)
{
	char *p = reserve(0, 4), *r = reserve(0, 4);
	rlim_t data = status_kb(getpid(), "VmData") * 1024;

	put_letters(p, 4);
	CHECK_OK(mprotect(r, 4 * PAGE_SIZE, PROT_READ));
	set_limit(RLIMIT_DATA, data - 4 * PAGE_SIZE + 2 * PAGE_SIZE);
	CHECK_ERRNO(mremap(p, 4 * PAGE_SIZE, 7 * PAGE_SIZE, 0), ENOMEM);
	CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 6 * PAGE_SIZE, 0), p);
	CHECK_ERRNO(mremap(p, 6 * PAGE_SIZE, 7 * PAGE_SIZE, MREMAP_MAYMOVE), ENOMEM);
	/* What is not data may grow on. */
	CHECK_EQ(mremap(r, 4 * PAGE_SIZE, 20 * PAGE_SIZE, 0), r);
	check_letters(p, 4);
}

TEST(the_limit_of_locked_memory)
{
	char *p = reserve(0, 2), *q = reserve(0, 8);

	if (getuid() != 0)
		SKIP("not started as root");
	put_letters(p, 2);
	CHECK_CHILD({
		set_limit(RLIMIT_MEMLOCK, 4 * PAGE_SIZE);
		CHECK_OK(setresuid(65534, 65534, 65534));
		CHECK_OK(mlock(p, 2 * PAGE_SIZE));
		check_refused(p, 2, EAGAIN, p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, 0, NULL);
		check_refused(p, 2, EAGAIN, p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, MREMAP_MAYMOVE, NULL);
		if (on_ravel()) /* Linux unmaps the target first */
			check_refused(p, 2, EAGAIN, p, 2 * PAGE_SIZE, 5 * PAGE_SIZE, TO, q);
		CHECK_EQ(status_kb(getpid(), "VmLck"), 2 * KB);
		CHECK_EQ(mremap(p, 2 * PAGE_SIZE, 4 * PAGE_SIZE, 0), p);
		CHECK_EQ(status_kb(getpid(), "VmLck"), 4 * KB);
		/* A move, with or without an area that stays, locks no more than there was. */
		CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO, q), q);
		CHECK_EQ(mremap(q, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO | MREMAP_DONTUNMAP, p), p);
		check_letters(p, 2);
	});
}

/* A move splits and inserts: refused when there could be too many areas, and nothing changes. */
TEST(too_many_areas)
{
	size_t room = 600 * MIB;
	char *p = CHECK_OK(mmap(NULL, room, PROT_READ, ANON | MAP_NORESERVE, -1, 0));
	char *q = reserve(0, 3), *r = reserve(0, 3);
	unsigned long i = 1;

	put_letters(q, 3);
	while (i < room / PAGE_SIZE && mprotect(at(p, i), PAGE_SIZE, PROT_NONE) == 0) {
		i += 2;
		if (i % 4096 == 1)
			test_progress();
	}
	if (i >= room / PAGE_SIZE)
		SKIP("this machine allows more areas");
	CHECK_EQ(errno, ENOMEM);
	CHECK_ERRNO(mremap(at(q, 1), PAGE_SIZE, PAGE_SIZE, TO, at(r, 1)), ENOMEM);
	check_letters(q, 3);
	CHECK_EQ(*at(r, 1), 0);
	/* In place it needs none. */
	CHECK_EQ(mremap(q, 3 * PAGE_SIZE, 4 * PAGE_SIZE, 0), q);
	CHECK_EQ(mremap(q, 4 * PAGE_SIZE, 3 * PAGE_SIZE, 0), q);
	CHECK_OK(munmap(p, room));
	CHECK_EQ(mremap(at(q, 1), PAGE_SIZE, PAGE_SIZE, TO, at(r, 1)), at(r, 1));
}

/* ---- against truncation ---- */

/*
 * Another process truncates the file again and again while its pages move to and fro: none may be
 * overlooked. After the last truncation every page is SIGBUS, wherever the area is.
 */
TEST(truncation_finds_what_moves)
{
	int fd = letters_file(16), rounds = 40;
	char *room[2] = { map_file(fd, MAP_SHARED, 16, 0), reserve(0, 16) };
	size_t n = 16 * PAGE_SIZE;

	for (int round = 0; round < rounds; round++) {
		pid_t pid;

		CHECK_OK(ftruncate(fd, n));
		put_letters(room[0], 16);
		pid = CHECK_OK(fork());
		if (pid == 0)
			_exit(ftruncate(fd, 0) != 0);
		for (int i = 0; i < 4; i++) {
			CHECK_EQ(mremap(room[0], n, n, TO, room[1]), room[1]);
			CHECK_EQ(mremap(room[1], n, n, TO, room[0]), room[0]);
		}
		CHECK_EXIT(pid, 0);
		for (int i = 0; i < 16; i++)
			CHECK_ERRNO(write(fd, at(room[0], i), 1), EFAULT);
		test_progress();
	}
}
