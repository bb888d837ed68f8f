/*
 * cow.c - copy-on-write: neither side of a fork sees what the other writes.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define PAGES 32

static void fill(char *p, char value)
{
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE + i] = value + i;
}

static void check(char *p, char value)
{
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE_SIZE + i], value + i);
}

TEST(the_childs_writes_are_its_own)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	fill(p, 1);
	CHECK_CHILD({
		check(p, 1);
		fill(p, 2);
		check(p, 2);
	});
	check(p, 1);
}

TEST(the_parents_writes_are_its_own)
{
	char *p = map_anon(PAGES * PAGE_SIZE), byte;
	int fds[2];
	pid_t pid;

	fill(p, 1);
	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		check(p, 1);
		_exit(0);
	}
	fill(p, 3);
	CHECK_EQ(write(fds[1], "", 1), 1);
	CHECK_EXIT(pid, 0);
	check(p, 3);
}

/* Three generations share a page; each writes while the others still hold it. */
TEST(grandchildren)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	fill(p, 1);
	CHECK_CHILD({
		CHECK_CHILD({
			check(p, 1);
			fill(p, 3);
			check(p, 3);
		});
		check(p, 1);
		fill(p, 2);
		CHECK_CHILD({
			check(p, 2);
			fill(p, 4);
		});
		check(p, 2);
	});
	check(p, 1);
}

TEST(pages_never_touched_before_fork)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	CHECK_CHILD({ fill(p, 5); });
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE_SIZE + i], 0);
}

TEST(the_zero_page_stays_zero)
{
	volatile char *p = map_anon(PAGES * PAGE_SIZE);
	volatile char *q = map_anon(PAGE_SIZE);

	CHECK_EQ(p[0] + q[0], 0);
	CHECK_CHILD({
		p[0] = 1;
		CHECK_EQ(q[0], 0);
	});
	CHECK_EQ(p[0] + q[0], 0);
}

TEST(the_kernels_writes_copy_too)
{
	char *p = map_anon(PAGE_SIZE);
	int fds[2];

	*p = 'a';
	CHECK_OK(pipe(fds));
	CHECK_EQ(write(fds[1], "b", 1), 1);
	CHECK_CHILD({
		CHECK_EQ(read(fds[0], p, 1), 1);
		CHECK_EQ(*p, 'b');
	});
	CHECK_EQ(*p, 'a');
}

TEST(private_file_pages_already_written)
{
	int fd = CHECK_OK(open(data_path("big"), O_RDONLY));
	char *p =
		CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));

	fill(p, 1);
	CHECK_CHILD({
		check(p, 1);
		fill(p, 2);
	});
	check(p, 1);
}

TEST(data_bss_and_stack)
{
	static int data = 1, bss;
	volatile int stack = 2;

	CHECK_CHILD({
		data = 10;
		bss = 11;
		stack = 12;
	});
	CHECK_EQ(data, 1);
	CHECK_EQ(bss, 0);
	CHECK_EQ(stack, 2);
}

/* The child that outlives its parent is the last owner and keeps the contents. */
TEST(an_orphan_keeps_its_pages)
{
	char *p = map_anon(PAGES * PAGE_SIZE), result = 0;
	int go[2], done[2];

	fill(p, 6);
	CHECK_OK(pipe(go));
	CHECK_OK(pipe(done));
	CHECK_CHILD({
		pid_t pid = CHECK_OK(fork());

		if (pid == 0) {
			CHECK_EQ(read(go[0], &result, 1), 1);
			check(p, 6);
			fill(p, 7);
			check(p, 7);
			CHECK_EQ(write(done[1], "!", 1), 1);
			_exit(0);
		}
		fill(p, 8);
	});
	fill(p, 9);
	CHECK_EQ(write(go[1], "", 1), 1);
	CHECK_OK(close(done[1]));
	CHECK_EQ(read(done[0], &result, 1), 1);
	check(p, 9);
}

/* Random writes in a family of processes against a model kept in registers and pipes. */
TEST(random_family)
{
	unsigned char *p = map_anon(PAGES * PAGE_SIZE), model[PAGES] = { 0 };

	for (int round = 0; round < 40; round++) {
		int page = test_random_below(PAGES);

		CHECK_CHILD({
			for (int i = 0; i < 8; i++)
				p[test_random_below(PAGES) * PAGE_SIZE] = 200;
		});
		for (int i = 0; i < PAGES; i++)
			CHECK_EQ(p[i * PAGE_SIZE], model[i]);
		p[page * PAGE_SIZE] = model[page] = round + 1;
	}
}
