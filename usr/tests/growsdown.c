/*
 * growsdown.c - memory that grows downwards: MAP_GROWSDOWN, its guard gap and its limit; and
 * mprotect() with PROT_GROWSDOWN.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testutil.h"

#define RW    (PROT_READ | PROT_WRITE)
#define ANON  (MAP_PRIVATE | MAP_ANONYMOUS)
#define MIB   (1UL << 20)
#define GUARD (256 * PAGE_SIZE)
#define ROOM  (8 * MIB)

/* A growing area of n pages, with room for it to grow; where the room begins: *room. */
static char *growing(int n, char **room)
{
	char *p = CHECK_OK(mmap(NULL, ROOM, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));

	CHECK_OK(munmap(p, ROOM));
	*room = p;
	p += ROOM - n * PAGE_SIZE;
	return CHECK_OK(mmap(p, n * PAGE_SIZE, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0));
}

static unsigned long start_of(char *p)
{
	struct map_line line;

	CHECK(find_map((uintptr_t)p, &line));
	return line.start;
}

/* Only the stack that a program begins with is called so. */
TEST(it_has_no_name)
{
	char *room, *p = growing(2, &room);
	struct map_line line;

	CHECK(find_map((uintptr_t)p, &line));
	CHECK_STRING(line.name, "");
	CHECK(find_map((uintptr_t)&line, &line));
	CHECK_STRING(line.name, "[stack]");
}

TEST(a_store_below_extends_it)
{
	char *room, *p = growing(2, &room);

	p[0] = 'a';
	p[-1] = 'b';
	CHECK_EQ(start_of(p), p - PAGE_SIZE);
	CHECK_EQ(p[-1], 'b');
	CHECK_EQ(p[-(long)PAGE_SIZE], 0);
	/* Many pages at once, by a load too. */
	CHECK_EQ(*(volatile char *)(p - 100 * PAGE_SIZE + 5), 0);
	CHECK_EQ(start_of(p), p - 100 * PAGE_SIZE);
	CHECK_EQ(p[0], 'a');
	CHECK_EQ(count_maps(start_of(p), (uintptr_t)p), 1);
	CHECK_CHILD({
		p[-200 * (long)PAGE_SIZE] = 1;
		CHECK_EQ(p[0], 'a');
	});
	CHECK_EQ(start_of(p), p - 100 * PAGE_SIZE);
}

/* What is written to a page is named by where it would have been: below address 0 there is none. */
TEST(moved_from_low_addresses_it_grows_as_far_as_there)
{
	const unsigned long low = 512; /* below or behind the program, on either machine */
	char *room, *to = growing(2, &room), *p;

	p = CHECK_OK(mmap((void *)(low * PAGE_SIZE), 2 * PAGE_SIZE, RW,
			  ANON | MAP_GROWSDOWN | MAP_FIXED_NOREPLACE, -1, 0));
	memset(p, 1, 2 * PAGE_SIZE);
	p = CHECK_OK(mremap(p, 2 * PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	CHECK_SIGNAL({ p[-(low + 1) * PAGE_SIZE] = 1; }, SIGSEGV);
	p[-low * PAGE_SIZE] = 1;
	CHECK_EQ(start_of(p), p - low * PAGE_SIZE);
	CHECK_EQ(p[0], 1);
}

TEST(the_kernel_extends_it_too)
{
	char *room, *p = growing(1, &room);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], "k", 1), 1);
	CHECK_EQ(read(fds[0], p - 10 * PAGE_SIZE, 1), 1);
	CHECK_EQ(p[-10 * (long)PAGE_SIZE], 'k');
}

/* Up to the guard gap of what lies below, and not into it. */
TEST(the_guard_gap)
{
	char *room, *p = growing(1, &room);
	char *below = CHECK_OK(mmap(room, PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	char *last = below + PAGE_SIZE + GUARD;

	*below = 'x';
	CHECK_SIGNAL({ last[-1] = 1; }, SIGSEGV);
	*last = 1;
	CHECK_EQ(start_of(p), last);
	CHECK_SIGNAL({ last[-1] = 1; }, SIGSEGV);
	CHECK_EQ(*below, 'x');
	/* A reservation without rights is a guard by itself. */
	CHECK_OK(mprotect(below, PAGE_SIZE, PROT_NONE));
	last[-1] = 1;
	below[PAGE_SIZE] = 2;
	CHECK_EQ(start_of(p), below + PAGE_SIZE);
	CHECK_SIGNAL({ below[PAGE_SIZE - 1] = 1; }, SIGSEGV);
}

/* Who does not say where gets no place in the gap, or right below it. */
TEST(others_keep_away)
{
	char *room, *p = growing(4, &room), *q;

	/* All the room but half a gap is taken; what is left is next to the growing area. */
	CHECK_OK(mmap(room, ROOM - 4 * PAGE_SIZE - GUARD / 2, PROT_READ,
		      ANON | MAP_FIXED | MAP_NORESERVE, -1, 0));
	for (int i = 0; i < 20; i++) {
		q = CHECK_OK(mmap(i % 2 ? p - 2 * PAGE_SIZE : NULL, PAGE_SIZE, RW, ANON, -1, 0));
		CHECK(q + PAGE_SIZE <= p - GUARD || q >= p + 4 * PAGE_SIZE);
	}
	/* By MAP_FIXED one may. */
	q = p - PAGE_SIZE;
	CHECK_EQ(mmap(q, PAGE_SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), q);
	*q = 1;
	CHECK_SIGNAL({ q[-1] = 1; }, SIGSEGV);
}

TEST(the_limit_of_the_stack)
{
	struct rlimit limit = { 16 * PAGE_SIZE, RLIM_INFINITY };
	char *room, *p = growing(2, &room), *end = p + 2 * PAGE_SIZE;

	CHECK_CHILD({
		CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
		end[-16 * (long)PAGE_SIZE] = 1;
		CHECK_SIGNAL({ end[-16 * (long)PAGE_SIZE - 1] = 1; }, SIGSEGV);
		/* What mmap() itself makes may be larger. */
		CHECK_OK(mmap(NULL, 100 * PAGE_SIZE, RW, ANON | MAP_GROWSDOWN, -1, 0));
	});
}

TEST(the_limit_of_address_space)
{
	char *room, *p = growing(2, &room);
	struct rlimit limit = { .rlim_max = RLIM_INFINITY };

	CHECK_CHILD({
		limit.rlim_cur = (status_kb(getpid(), "VmSize") + 16) * 1024;
		CHECK_OK(setrlimit(RLIMIT_AS, &limit));
		CHECK_SIGNAL({ p[-5 * (long)PAGE_SIZE] = 1; }, SIGSEGV);
		p[-4 * (long)PAGE_SIZE] = 1;
		CHECK_SIGNAL({ p[-5 * (long)PAGE_SIZE] = 1; }, SIGSEGV);
	});
}

/* It counts as stack, not as data. */
TEST(sizes)
{
	long long data = status_kb(getpid(), "VmData"), stack = status_kb(getpid(), "VmStk");
	char *room, *p = growing(4, &room);

	CHECK_EQ(status_kb(getpid(), "VmData"), data);
	CHECK_EQ(status_kb(getpid(), "VmStk"), stack + 16);
	p[-1] = 1;
	CHECK_EQ(status_kb(getpid(), "VmStk"), stack + 20);
}

/* What is at an address of a file may not change by growth. */
TEST(files_do_not_grow)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	int zero = CHECK_OK(open("/dev/zero", O_RDWR));
	int down = MAP_GROWSDOWN;

	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | down, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_SHARED | down, fd, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_PRIVATE | down, zero, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | down, -1, 0), EINVAL);
}

/* A part of it is unmapped or protected: what is left grows on. */
TEST(pieces)
{
	char *room, *p = growing(8, &room);

	p[0] = 'a';
	CHECK_OK(munmap(p, 2 * PAGE_SIZE));
	p[PAGE_SIZE] = 'b';
	CHECK_EQ(start_of(p + 3 * PAGE_SIZE), p + PAGE_SIZE);
	p[0] = 'c';
	CHECK_EQ(start_of(p + 3 * PAGE_SIZE), p);
	/* The lowest part loses its rights: below is its growth, without them. */
	CHECK_OK(mprotect(p, PAGE_SIZE, PROT_READ));
	CHECK_EQ(*(volatile char *)(p - 1), 0);
	CHECK_SIGNAL({ p[-1] = 1; }, SIGSEGV);
	CHECK_EQ(p[0], 'c');
}

TEST(protected_down_to_its_start)
{
	char *q = map_anon(4 * PAGE_SIZE), *room, *p = growing(6, &room);
	char *middle = p + 3 * PAGE_SIZE;

	p[-1] = 'a';
	CHECK_EQ(mprotect(middle, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN), 0);
	CHECK_EQ(count_maps((uintptr_t)p - PAGE_SIZE, (uintptr_t)p + 6 * PAGE_SIZE), 2);
	CHECK_SIGNAL({ p[-1] = 1; }, SIGSEGV);
	CHECK_SIGNAL({ *middle = 1; }, SIGSEGV);
	middle[PAGE_SIZE] = 1;
	CHECK_EQ(p[-1], 'a');
	CHECK_EQ(mprotect(middle, PAGE_SIZE, RW | PROT_GROWSDOWN), 0);
	CHECK_EQ(count_maps((uintptr_t)p - PAGE_SIZE, (uintptr_t)p + 6 * PAGE_SIZE), 1);
	p[-1] = 'b';
	/* From where nothing is the area above counts; one that does not grow is refused. */
	CHECK_EQ(mprotect(p - 4 * PAGE_SIZE, 8 * PAGE_SIZE, RW | PROT_GROWSDOWN), 0);
	CHECK_ERRNO(mprotect(p - 4 * PAGE_SIZE, 2 * PAGE_SIZE, RW | PROT_GROWSDOWN), ENOMEM);
	CHECK_ERRNO(mprotect(q, PAGE_SIZE, PROT_READ | PROT_GROWSDOWN), EINVAL);
	CHECK_ERRNO(mprotect(q, PAGE_SIZE, PROT_READ | PROT_GROWSUP), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, PROT_READ | PROT_GROWSUP), EINVAL);
	CHECK_ERRNO(mprotect(p, PAGE_SIZE, RW | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
	CHECK_EQ(mprotect(p, 0, RW | PROT_GROWSDOWN), 0);
	*q = 1;
}

/* It moves, and grows on at its new place. */
TEST(moved)
{
	char *room, *p = growing(3, &room);
	char *q = room + ROOM / 2;

	p[0] = 'a';
	p[-1] = 'b';
	p -= PAGE_SIZE;
	CHECK_EQ(mremap(p, 4 * PAGE_SIZE, 4 * PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, q), q);
	CHECK_EQ(q[PAGE_SIZE], 'a');
	CHECK_EQ(q[PAGE_SIZE - 1], 'b');
	q[-1] = 'c';
	CHECK_EQ(start_of(q), q - PAGE_SIZE);
	CHECK_CHILD({
		CHECK_EQ(q[PAGE_SIZE], 'a');
		CHECK_EQ(q[-1], 'c');
	});
}
