/*
 * shmemswap.c - shared memory that was sent to swap is what it was, whoever looks, and however.
 *
 *	mapping of the parent   [ 1  2  3  4  - ]
 *	mapping of the child    [ 1  2  3  4  - ]       MADV_PAGEOUT, then each touches
 *	read(2), write(2)         ...
 *
 * On Ravel each TEST has a swap area, to which the pages must really go. On Linux MADV_PAGEOUT
 * promises nothing, and all of it holds, too.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "usr/lib/testswap.h"
#include "usr/lib/testutil.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define PAGES 40
#define LEN   (PAGES * PAGE_SIZE)
#define RW    (PROT_READ | PROT_WRITE)

static void fill(volatile unsigned char *p, unsigned tag)
{
	for (unsigned i = 0; i < PAGES; i++)
		p[i * PAGE_SIZE + i] = tag + i;
}

static void check_filled(const volatile unsigned char *p, unsigned tag)
{
	for (unsigned i = 0; i < PAGES; i++) {
		CHECK_EQ(p[i * PAGE_SIZE + i], (unsigned char)(tag + i));
		CHECK_EQ(p[i * PAGE_SIZE + i + 1], 0);
	}
}

static unsigned nr_resident(volatile void *p)
{
	unsigned char vec[PAGES];
	unsigned nr = 0;

	CHECK_OK(mincore((void *)p, LEN, vec));
	for (unsigned i = 0; i < PAGES; i++)
		nr += vec[i] & 1;
	return nr;
}

static void start(void)
{
	if (on_ravel())
		swap_start();
}

static void finish(void)
{
	if (on_ravel())
		swap_finish();
}

/* On Ravel nothing is left; Linux leaves alone what others map. */
static void page_out(volatile unsigned char *p)
{
	for (unsigned i = 0; i < PAGES; i++)
		(void)p[i * PAGE_SIZE]; /* only what is mapped there goes */
	CHECK_OK(madvise((void *)p, LEN, MADV_PAGEOUT));
	if (on_ravel())
		CHECK_EQ(nr_resident(p), 0);
}

static volatile unsigned char *map(int fd, int flags)
{
	void *p = mmap(NULL, LEN, RW, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

TEST(anonymous_memory_of_relatives)
{
	volatile unsigned char *p = map(-1, MAP_SHARED | MAP_ANONYMOUS);
	int status;
	pid_t pid;

	start();
	fill(p, 1);
	page_out(p);
	check_filled(p, 1);
	page_out(p);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		check_filled(p, 1);
		fill(p, 50);
		page_out(p);
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	check_filled(p, 50);
	CHECK_OK(munmap((void *)p, LEN));
	finish();
}

static long major_faults(void)
{
	struct rusage usage;

	CHECK_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_majflt;
}

TEST(only_what_is_read_back_is_a_major_fault)
{
	volatile unsigned char *p = map(-1, MAP_SHARED | MAP_ANONYMOUS);
	long before = major_faults();

	start();
	fill(p, 1);
	CHECK_EQ(major_faults(), before);
	page_out(p);
	if (on_ravel()) {
		(void)p[PAGE_SIZE];
		CHECK_EQ(major_faults(), before + 1);
	}
	check_filled(p, 1);
	CHECK_OK(munmap((void *)p, LEN));
	finish();
}

TEST(files_of_memory_are_read_and_written)
{
	int fd = CHECK_OK(memfd_create("swapped", 0));
	volatile unsigned char *p, *copy;
	unsigned char byte = 99;

	start();
	CHECK_OK(ftruncate(fd, LEN));
	p = map(fd, MAP_SHARED);
	copy = map(fd, MAP_PRIVATE);
	fill(p, 1);
	copy[5 * PAGE_SIZE] = 77;
	page_out(p);
	CHECK_EQ(pread(fd, &byte, 1, 3 * PAGE_SIZE + 3), 1);
	CHECK_EQ(byte, 4);
	CHECK_EQ(pwrite(fd, "x", 1, 4 * PAGE_SIZE), 1);
	page_out(p);
	CHECK_EQ(p[4 * PAGE_SIZE], 'x');
	CHECK_EQ(p[4 * PAGE_SIZE + 4], 5);
	CHECK_EQ(copy[5 * PAGE_SIZE], 77);
	CHECK_EQ(copy[5 * PAGE_SIZE + 5], 6);
	CHECK_EQ(copy[6 * PAGE_SIZE + 6], 7);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), LEN);
	page_out(p);
	CHECK_OK(ftruncate(fd, 10 * PAGE_SIZE + 10));
	CHECK_OK(ftruncate(fd, LEN));
	CHECK_EQ(p[10 * PAGE_SIZE + 10], 0);
	CHECK_EQ(p[11 * PAGE_SIZE + 11], 0);
	CHECK_EQ(p[9 * PAGE_SIZE + 9], 10);
	CHECK_OK(close(fd));
	CHECK_OK(munmap((void *)p, LEN));
	CHECK_OK(munmap((void *)copy, LEN));
	finish();
}

TEST(holes_are_punched_in_it)
{
	int fd = CHECK_OK(memfd_create("swapped", 0));
	volatile unsigned char *p;

	start();
	CHECK_OK(ftruncate(fd, LEN));
	p = map(fd, MAP_SHARED);
	fill(p, 1);
	page_out(p);
	CHECK_OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE_SIZE + 100,
			   3 * PAGE_SIZE));
	CHECK_EQ(p[2 * PAGE_SIZE + 2], 3);
	CHECK_EQ(p[3 * PAGE_SIZE + 3], 0);
	CHECK_EQ(p[4 * PAGE_SIZE + 4], 0);
	CHECK_EQ(p[5 * PAGE_SIZE + 5], 0);
	CHECK_EQ(p[6 * PAGE_SIZE + 6], 7);
	CHECK_OK(close(fd));
	CHECK_OK(munmap((void *)p, LEN));
	finish();
}

TEST(system_v_segments)
{
	int id = CHECK_OK(shmget(IPC_PRIVATE, LEN, 0600));
	volatile unsigned char *p = shmat(id, NULL, 0);

	start();
	CHECK(p != (void *)-1);
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
	fill(p, 1);
	page_out(p);
	check_filled(p, 1);
	page_out(p);
	CHECK_OK(shmdt((void *)p));
	finish();
}

/* Two processes count in the same words while a third sends the pages away all the time. */
TEST(nothing_is_lost_while_it_comes_and_goes)
{
	enum { ROUNDS = 100, COUNTERS = 2 };
	volatile unsigned char *p = map(-1, MAP_SHARED | MAP_ANONYMOUS);
	pid_t pid[COUNTERS];
	int status;

	start();
	for (unsigned who = 0; who < COUNTERS; who++) {
		pid[who] = CHECK_OK(fork());
		if (pid[who] > 0)
			continue;
		for (unsigned i = 0; i < ROUNDS * PAGES; i++) {
			unsigned long *word = (void *)(p + i % PAGES * PAGE_SIZE);

			__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
			word[who + 1]++;
		}
		_exit(0);
	}
	for (unsigned done = 0; done < COUNTERS;) {
		CHECK_OK(madvise((void *)p, LEN, MADV_PAGEOUT));
		while (done < COUNTERS && waitpid(pid[done], &status, WNOHANG) == pid[done]) {
			CHECK_EQ(status, 0);
			done++;
		}
	}
	for (unsigned i = 0; i < PAGES; i++) {
		const volatile unsigned long *word = (void *)(p + i * PAGE_SIZE);

		CHECK_EQ(word[0], COUNTERS * ROUNDS);
		CHECK_EQ(word[1], ROUNDS);
		CHECK_EQ(word[2], ROUNDS);
	}
	CHECK_OK(munmap((void *)p, LEN));
	finish();
}
