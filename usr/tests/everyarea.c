/*
 * everyarea.c - fork(2) with every kind of area: who sees whose stores, afterwards.
 *
 *	parent   fills 'p' | fork |                  looks, stores 'q' |              looks
 *	child              |      | looks, stores 'c' |                | looks, ends
 *
 *	private   the child finds 'p'; then each has its own
 *	shared    each sees what the other stored last
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testsignal.h"
#include "usr/lib/testutil.h"

#define RW    (PROT_READ | PROT_WRITE)
#define ANON  MAP_ANONYMOUS
#define PAGES 3

struct area {
	const char *name;
	bool shared;
	volatile char *at; /* PAGES pages: stores go to the first and the last byte of each */
};

static char in_data[PAGES * PAGE_SIZE] = { 1 };
static char in_bss[PAGES * PAGE_SIZE];

static struct area areas[32];
static unsigned nr_areas;

static void add(const char *name, bool shared, void *at)
{
	CHECK(at != MAP_FAILED && at != NULL);
	areas[nr_areas++] = (struct area){ name, shared, at };
}

static void add_map(const char *name, int flags, int fd)
{
	add(name, flags & MAP_SHARED, mmap(NULL, PAGES * PAGE_SIZE, RW, flags, fd, 0));
}

/* A new file of PAGES pages of 'f'. */
static int new_file(const char *name)
{
	static char page[PAGE_SIZE];
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));

	memset(page, 'f', sizeof(page));
	for (int i = 0; i < PAGES; i++)
		CHECK_EQ(write(fd, page, sizeof(page)), sizeof(page));
	return fd;
}

static int files[3], segment;

static void make_areas(char *on_stack)
{
	int zero = CHECK_OK(open("/dev/zero", O_RDWR));

	test_dir();
	files[0] = new_file("f");
	files[1] = new_file(tmp_path("everyarea"));
	files[2] = CHECK_OK(memfd_create("m", 0));
	CHECK_OK(ftruncate(files[2], PAGES * PAGE_SIZE));
	segment = CHECK_OK(shmget(IPC_PRIVATE, PAGES * PAGE_SIZE, 0600));

	add_map("private anonymous", MAP_PRIVATE | ANON, -1);
	add_map("private, not reserved", MAP_PRIVATE | ANON | MAP_NORESERVE, -1);
	add_map("private of /dev/zero", MAP_PRIVATE, zero);
	add_map("private of a file", MAP_PRIVATE, files[0]);
	add_map("private of a file in /tmp", MAP_PRIVATE, files[1]);
	add_map("private of a memfd", MAP_PRIVATE, files[2]);
	add_map("shared anonymous", MAP_SHARED | ANON, -1);
	add_map("shared of /dev/zero", MAP_SHARED, zero);
	add_map("shared file", MAP_SHARED, files[0]);
	add_map("the same file again", MAP_SHARED, files[0]);
	add_map("shared file in /tmp", MAP_SHARED, files[1]);
	add_map("memfd", MAP_SHARED, files[2]);
	add("System V", true, shmat(segment, NULL, 0));
	add("data", false, in_data);
	add("bss", false, in_bss);
	/* The break may be anywhere in a page. */
	add("heap", false,
	    (void *)(((uintptr_t)sbrk((PAGES + 1) * PAGE_SIZE) + PAGE_SIZE - 1) & -PAGE_SIZE));
	add("stack", false, on_stack);
	CHECK_OK(close(zero));
}

static void remove_files(void)
{
	CHECK_OK(shmctl(segment, IPC_RMID, NULL));
	CHECK_OK(unlink(tmp_path("everyarea")));
	for (int i = 0; i < 3; i++)
		CHECK_OK(close(files[i]));
	test_dir_leave();
}

static void store_all(char byte)
{
	for (unsigned i = 0; i < nr_areas; i++) {
		for (unsigned page = 0; page < PAGES; page++) {
			areas[i].at[page * PAGE_SIZE] = byte;
			areas[i].at[(page + 1) * PAGE_SIZE - 1] = byte;
		}
	}
}

/* Private areas hold @own, shared ones @common. */
static void check_all(const char *who, char own, char common)
{
	for (unsigned i = 0; i < nr_areas; i++) {
		char must = areas[i].shared ? common : own;

		for (unsigned b = 0; b < PAGES * PAGE_SIZE;
		     b += b % PAGE_SIZE ? 1 : PAGE_SIZE - 1) {
			if (areas[i].at[b] != must)
				test_fail(__FILE__, __LINE__,
					  "%s: %s, byte %u: expected %c, got %c", who,
					  areas[i].name, b, must, areas[i].at[b]);
		}
	}
}

static int to_child[2], to_parent[2];

static void tell(int *ends)
{
	CHECK_EQ(write(ends[1], "x", 1), 1);
}

static void wait_for(int *ends)
{
	char byte;

	CHECK_EQ(read(ends[0], &byte, 1), 1);
}

static char maps_parent[32768], maps_child[32768];

static void in_child(void)
{
	CHECK(read_text("/proc/self/maps", maps_child, sizeof(maps_child)) > 0);
	CHECK_STRING(maps_child, maps_parent);
	check_all("child", 'p', 'p');
	store_all('c');
	check_all("child", 'c', 'c');
	tell(to_parent);
	wait_for(to_child);
	check_all("child, later", 'c', 'q');
}

TEST(each_sees_what_it_should)
{
	char on_stack[PAGES * PAGE_SIZE];
	pid_t pid;

	make_areas(on_stack);
	CHECK_OK(pipe(to_child));
	CHECK_OK(pipe(to_parent));
	store_all('p');
	CHECK(read_text("/proc/self/maps", maps_parent, sizeof(maps_parent)) > 0);
	/* Reading may have grown an area: now it has not. */
	CHECK(read_text("/proc/self/maps", maps_parent, sizeof(maps_parent)) > 0);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		in_child();
		_exit(0);
	}
	wait_for(to_parent);
	check_all("parent", 'p', 'c');
	store_all('q');
	check_all("parent", 'q', 'q');
	tell(to_child);
	CHECK_EXIT(pid, 0);
	check_all("parent, alone", 'q', 'q');
	remove_files();
}

/* A child of a child, and the one between them gone. */
TEST(a_grandchild_alone)
{
	char on_stack[PAGES * PAGE_SIZE];
	pid_t pid;

	make_areas(on_stack);
	CHECK_OK(pipe(to_parent));
	store_all('p');
	pid = CHECK_OK(fork());
	if (pid == 0) {
		pid_t middle = getpid();

		store_all('c');
		if (CHECK_OK(fork()) > 0)
			_exit(0);
		WAIT_UNTIL(getppid() != middle);
		check_all("grandchild", 'c', 'c');
		store_all('g');
		check_all("grandchild", 'g', 'g');
		tell(to_parent);
		_exit(0);
	}
	CHECK_EXIT(pid, 0);
	wait_for(to_parent);
	check_all("parent", 'p', 'g');
	remove_files();
}

/* What may not be written or not even be read is there all the same. */
TEST(with_fewer_rights)
{
	volatile char *none = map_anon(PAGE_SIZE), *ro = map_anon(PAGE_SIZE);
	volatile char *shared = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | ANON, -1, 0));

	none[0] = 'n';
	ro[0] = 'r';
	shared[0] = 's';
	CHECK_OK(mprotect((void *)none, PAGE_SIZE, PROT_NONE));
	CHECK_OK(mprotect((void *)ro, PAGE_SIZE, PROT_READ));
	CHECK_OK(mprotect((void *)shared, PAGE_SIZE, PROT_NONE));
	CHECK_CHILD({
		CHECK_EQ(ro[0], 'r');
		CHECK_SIGNAL({ ro[0] = 1; }, SIGSEGV);
		CHECK_SIGNAL({ (void)none[0]; }, SIGSEGV);
		CHECK_SIGNAL({ (void)shared[0]; }, SIGSEGV);
		CHECK_OK(mprotect((void *)none, PAGE_SIZE, RW));
		CHECK_EQ(none[0], 'n');
		none[0] = 'c';
		CHECK_OK(mprotect((void *)ro, PAGE_SIZE, RW));
		ro[0] = 'c';
		CHECK_OK(mprotect((void *)shared, PAGE_SIZE, RW));
		CHECK_EQ(shared[0], 's');
		shared[0] = 'c';
	});
	CHECK_SIGNAL({ (void)none[0]; }, SIGSEGV);
	CHECK_OK(mprotect((void *)none, PAGE_SIZE, PROT_READ));
	CHECK_EQ(none[0], 'n');
	CHECK_EQ(ro[0], 'r');
	CHECK_OK(mprotect((void *)shared, PAGE_SIZE, PROT_READ));
	CHECK_EQ(shared[0], 'c');
}

/* The page to which handlers return is code like other code. */
TEST(a_handler_in_the_child)
{
	on_signal(SIGUSR1, 0);
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(signal_calls, 1);
	CHECK_CHILD({
		CHECK_OK(raise(SIGUSR1));
		CHECK_EQ(signal_calls, 2);
	});
	CHECK_OK(raise(SIGUSR1));
	CHECK_EQ(signal_calls, 2);
}

/* Edits of the child's list are the child's. */
TEST(unmapping_in_the_child)
{
	char on_stack[PAGES * PAGE_SIZE];

	make_areas(on_stack);
	store_all('p');
	CHECK_CHILD({
		for (unsigned i = 0; i < nr_areas; i++) {
			if (areas[i].at != in_data && areas[i].at != in_bss &&
			    areas[i].at != on_stack)
				CHECK_OK(munmap((void *)areas[i].at, PAGES * PAGE_SIZE));
		}
	});
	check_all("parent", 'p', 'p');
	store_all('q');
	check_all("parent", 'q', 'q');
	remove_files();
}
