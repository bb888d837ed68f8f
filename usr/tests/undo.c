/*
 * undo.c - ravel-only: each allocation of a system call fails in turn, and is undone.
 *
 * fail_each() (usr/lib/failalloc.h) does each operation with its first, second, ... allocation
 * failing; what shared areas and signals add is in undoshared.c.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "usr/lib/failalloc.h"
#include "usr/lib/testmem.h"
#include "usr/lib/testutil.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *area;

static int child_status;

/*
 * Waits for the child at once, in registers only: while it lives, this process's pages are shared,
 * and a store would make a copy and take the allocation that is to fail.
 */
static long do_fork(void)
{
	long pid = raw_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0, 0);

	if (pid == 0)
		raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (pid > 0)
		raw_syscall(SYS_wait4, pid, (long)&child_status, 0, 0, 0, 0);
	return pid;
}

static void after_fork(long pid)
{
	CHECK(pid > 0);
	CHECK_EQ(child_status, 0);
	CHECK_EQ(area[0], 1);
}

TEST(fork)
{
	area = map_anon(64 * PAGE_SIZE);
	memset(area, 1, 64 * PAGE_SIZE);
	CHECK_OK(mprotect(area + PAGE_SIZE, PAGE_SIZE, PROT_READ));
	fail_each("fork", do_fork, after_fork);
}

TEST(fork_of_a_large_address_space)
{
	area = CHECK_OK(mmap(NULL, 512 << 20, RW, ANON | MAP_NORESERVE, -1, 0));
	for (size_t i = 0; i < 512; i += 32)
		area[i << 20] = 1;
	fail_each("fork", do_fork, after_fork);
}

static long do_vfork(void)
{
	long pid = raw_syscall(SYS_clone, SIGCHLD | CLONE_VM, (long)(area + 16 * PAGE_SIZE), 0, 0,
			       0, 0);

	if (pid == 0)
		raw_syscall(SYS_exit_group, 0, 0, 0, 0, 0, 0);
	if (pid > 0)
		raw_syscall(SYS_wait4, pid, (long)&child_status, 0, 0, 0, 0);
	return pid;
}

TEST(clone_vm)
{
	area = map_anon(16 * PAGE_SIZE);
	memset(area, 1, 16 * PAGE_SIZE);
	fail_each("clone(CLONE_VM)", do_vfork, after_fork);
}

static long do_mmap(void)
{
	return raw_syscall(SYS_mmap, 0, 3 * PAGE_SIZE, PROT_READ, ANON, -1, 0);
}

static void after_mmap(long address)
{
	CHECK_OK(munmap((void *)address, 3 * PAGE_SIZE));
}

TEST(mmap)
{
	fail_each("mmap", do_mmap, after_mmap);
}

/* MAP_FIXED over the middle of an area: what was there must survive the failure. */
static long do_mmap_fixed(void)
{
	return raw_syscall(SYS_mmap, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ,
			   ANON | MAP_FIXED, -1, 0);
}

static void restore_area(long result)
{
	(void)result;
	CHECK_OK(mmap(area + PAGE_SIZE, 4 * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK_EQ(area[0], 1);
	CHECK_EQ(area[5 * PAGE_SIZE], 1);
	memset(area, 1, 6 * PAGE_SIZE);
}

TEST(mmap_fixed_in_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mmap(MAP_FIXED)", do_mmap_fixed, restore_area);
}

static int file;

static long do_mmap_file(void)
{
	return raw_syscall(SYS_mmap, 0, 3 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, file, 0);
}

TEST(mmap_of_a_file)
{
	file = CHECK_OK(open(self_path(), O_RDONLY));
	fail_each("mmap(file)", do_mmap_file, after_mmap);
}

static long do_mmap_shared_memory(void)
{
	return raw_syscall(SYS_mmap, 0, 3 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

TEST(mmap_of_shared_memory)
{
	fail_each("mmap(shared)", do_mmap_shared_memory, after_mmap);
}

static long do_memfd(void)
{
	return raw_syscall(SYS_memfd_create, (long)"name", 0, 0, 0, 0, 0);
}

static void after_memfd(long fd)
{
	CHECK_OK(close(fd));
}

TEST(memfd_create)
{
	fail_each("memfd_create", do_memfd, after_memfd);
}

static long do_shmget(void)
{
	return raw_syscall(SYS_shmget, IPC_PRIVATE, PAGE_SIZE, 0600, 0, 0, 0);
}

static void after_shmget(long id)
{
	CHECK_OK(shmctl(id, IPC_RMID, NULL));
}

TEST(shmget)
{
	fail_each("shmget", do_shmget, after_shmget);
}

static int segment;

static long do_shmat(void)
{
	return raw_syscall(SYS_shmat, segment, 0, 0, 0, 0, 0);
}

static void after_shmat(long addr)
{
	struct shmid_ds ds;

	CHECK_OK(shmdt((void *)addr));
	CHECK_OK(shmctl(segment, IPC_STAT, &ds));
	CHECK_EQ(ds.shm_nattch, 0);
}

TEST(shmat)
{
	segment = CHECK_OK(shmget(IPC_PRIVATE, 2 * PAGE_SIZE, 0600));
	fail_each("shmat", do_shmat, after_shmat);
	CHECK_OK(shmctl(segment, IPC_RMID, NULL));
}

/* A system call that writes to a fresh page of a mapping: the fault's allocations fail. */
static long do_write_shared(void)
{
	long pid = raw_syscall(SYS_getcwd, (long)area, 64, 0, 0, 0, 0);

	return pid == -EFAULT ? -ENOMEM : pid;
}

static void forget_shared(long result)
{
	(void)result;
	CHECK_OK(ftruncate(file, 0));
	CHECK_OK(ftruncate(file, PAGE_SIZE));
}

TEST(first_write_to_shared_memory)
{
	file = CHECK_OK(memfd_create("name", 0));
	CHECK_OK(ftruncate(file, PAGE_SIZE));
	area = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, file, 0));
	fail_each("write to shared memory", do_write_shared, forget_shared);
}

static long do_munmap(void)
{
	return raw_syscall(SYS_munmap, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, 0, 0, 0, 0);
}

TEST(munmap_in_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("munmap", do_munmap, restore_area);
}

static long do_mprotect(void)
{
	return raw_syscall(SYS_mprotect, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, PROT_READ, 0, 0, 0);
}

TEST(mprotect_in_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mprotect", do_mprotect, restore_area);
}

static int advice;

static long do_madvise(void)
{
	return raw_syscall(SYS_madvise, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, advice, 0, 0, 0);
}

TEST(madvise_in_the_middle)
{
	static const int marks[] = { MADV_RANDOM, MADV_DONTFORK, MADV_WIPEONFORK };

	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		advice = marks[i];
		fail_each("madvise", do_madvise, restore_area);
	}
}

static long do_populate(void)
{
	return raw_syscall(SYS_madvise, (long)area, 2 * PAGE_SIZE, MADV_POPULATE_WRITE, 0, 0, 0);
}

static void forget_pages(long result)
{
	(void)result;
	CHECK_OK(madvise(area, 2 * PAGE_SIZE, MADV_DONTNEED));
}

/*
 * What was populated before the failure stays, which is no loss: so the pages go after each try. Of
 * the table the neighbour's page sees to it that it stays.
 */
static long do_populate_and_forget(void)
{
	long result = do_populate();

	raw_syscall(SYS_madvise, (long)area, 2 * PAGE_SIZE, MADV_DONTNEED, 0, 0, 0);
	return result;
}

TEST(madvise_populate)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	forget_pages(0);
	fail_each("madvise(MADV_POPULATE_WRITE)", do_populate_and_forget, forget_pages);
}

static long do_mlock(void)
{
	return raw_syscall(SYS_mlock2, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, MLOCK_ONFAULT, 0, 0,
			   0);
}

static void after_mlock(long result)
{
	CHECK_EQ(result, 0);
	CHECK_EQ(status_kb(getpid(), "VmLck"), 4);
	CHECK_OK(munlock(area, 6 * PAGE_SIZE));
}

TEST(mlock_in_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mlock2", do_mlock, after_mlock);
}

static long do_munlock(void)
{
	return raw_syscall(SYS_munlock, (long)area + 2 * PAGE_SIZE, PAGE_SIZE, 0, 0, 0, 0);
}

static void after_munlock(long result)
{
	CHECK_EQ(result, 0);
	CHECK_OK(mlock(area, 6 * PAGE_SIZE));
}

TEST(munlock_in_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	CHECK_OK(mlock(area, 6 * PAGE_SIZE));
	fail_each("munlock", do_munlock, after_munlock);
}

static long do_mmap_locked(void)
{
	return raw_syscall(SYS_mmap, 0, 3 * PAGE_SIZE, PROT_READ, ANON | MAP_LOCKED, -1, 0);
}

TEST(mmap_locked)
{
	fail_each("mmap(MAP_LOCKED)", do_mmap_locked, after_mmap);
}

static long do_mincore(void)
{
	return raw_syscall(SYS_mincore, (long)area, 6 * PAGE_SIZE, (long)area, 0, 0, 0);
}

static void after_mincore(long result)
{
	CHECK_EQ(result, 0);
	CHECK_EQ(area[5], 1);
}

TEST(mincore)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mincore", do_mincore, after_mincore);
}

#define MOVE_PAGES 5

static char *target;

/* The middle of an area with pages to the middle of another: four splits, an area, tables. */
static long do_mremap(void)
{
	return raw_syscall(SYS_mremap, (long)area + PAGE_SIZE, 3 * PAGE_SIZE, 3 * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, (long)target + PAGE_SIZE, 0);
}

static void restore_both(long result)
{
	CHECK_EQ(result, target + PAGE_SIZE);
	for (int i = 1; i < MOVE_PAGES - 1; i++) {
		CHECK_EQ(target[i * PAGE_SIZE], i);
		target[i * PAGE_SIZE] = 0;
	}
	CHECK_OK(mmap(area, MOVE_PAGES * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	CHECK_OK(mmap(target, MOVE_PAGES * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
	for (int i = 0; i < MOVE_PAGES; i++) {
		area[i * PAGE_SIZE] = i;
		target[i * PAGE_SIZE] = 0;
	}
}

/* In page tables of their own, which the move cannot share. */
static void *far_from_all(void)
{
	size_t room = 2UL << 30;
	char *p = CHECK_OK(mmap(NULL, room, PROT_NONE, ANON | MAP_NORESERVE, -1, 0));

	CHECK_OK(munmap(p, room));
	p = (char *)(((uintptr_t)p + room / 2) & -(1UL << 30));
	return CHECK_OK(mmap(p, MOVE_PAGES * PAGE_SIZE, RW, ANON | MAP_FIXED, -1, 0));
}

TEST(mremap_of_the_middle_to_the_middle)
{
	area = map_anon(MOVE_PAGES * PAGE_SIZE);
	target = far_from_all();
	for (int i = 0; i < MOVE_PAGES; i++)
		area[i * PAGE_SIZE] = i;
	fail_each("mremap(MREMAP_FIXED)", do_mremap, restore_both);
}

static long do_mremap_grow(void)
{
	return raw_syscall(SYS_mremap, (long)area, PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0, 0);
}

static void bring_back(long result)
{
	char *p = (char *)result;

	CHECK_EQ(*p, 1);
	CHECK_EQ(mremap(p, 2 * PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, area), area);
	CHECK_EQ(*area, 1);
}

TEST(mremap_that_finds_a_place)
{
	area = map_anon(4 * PAGE_SIZE);
	memset(area, 1, 4 * PAGE_SIZE);
	fail_each("mremap(MREMAP_MAYMOVE)", do_mremap_grow, bring_back);
}

static long do_dontunmap(void)
{
	return raw_syscall(SYS_mremap, (long)area + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0, 0);
}

static void bring_one_back(long result)
{
	char *p = (char *)result;

	CHECK_EQ(*p, 1);
	CHECK_EQ(mremap(p, PAGE_SIZE, PAGE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, area + PAGE_SIZE),
		 area + PAGE_SIZE);
	CHECK_EQ(area[PAGE_SIZE], 1);
}

TEST(mremap_that_leaves_the_old_area)
{
	area = map_anon(3 * PAGE_SIZE);
	memset(area, 1, 3 * PAGE_SIZE);
	fail_each("mremap(MREMAP_DONTUNMAP)", do_dontunmap, bring_one_back);
}

static long do_shrink(void)
{
	return raw_syscall(SYS_mremap, (long)area + PAGE_SIZE, 3 * PAGE_SIZE, PAGE_SIZE, 0, 0, 0);
}

TEST(mremap_that_shrinks_the_middle)
{
	area = map_anon(6 * PAGE_SIZE);
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mremap(shrink)", do_shrink, restore_area);
}

static long do_remap_file_pages(void)
{
	return raw_syscall(SYS_remap_file_pages, (long)area + PAGE_SIZE, PAGE_SIZE, 0, 0,
			   MAP_NONBLOCK, 0);
}

static void in_order(long result)
{
	CHECK_EQ(result, 0);
	CHECK_EQ(area[PAGE_SIZE], area[0]);
	CHECK_EQ(raw_syscall(SYS_remap_file_pages, (long)area + PAGE_SIZE, PAGE_SIZE, 0, 1, 0, 0),
		 0);
	CHECK_EQ(area[PAGE_SIZE], 2);
}

TEST(remap_file_pages)
{
	area = CHECK_OK(mmap(NULL, 3 * PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	for (int i = 0; i < 3; i++)
		area[i * PAGE_SIZE] = i + 1;
	fail_each("remap_file_pages", do_remap_file_pages, in_order);
}

static long do_mprotect_growsdown(void)
{
	return raw_syscall(SYS_mprotect, (long)area + 2 * PAGE_SIZE, PAGE_SIZE,
			   PROT_READ | PROT_GROWSDOWN, 0, 0, 0);
}

static void all_rights(long result)
{
	CHECK_EQ(result, 0);
	CHECK_OK(mprotect(area, 6 * PAGE_SIZE, RW));
	memset(area, 1, 6 * PAGE_SIZE);
}

TEST(mprotect_down_to_the_start)
{
	area = CHECK_OK(mmap(NULL, 6 * PAGE_SIZE, RW, ANON | MAP_GROWSDOWN, -1, 0));
	memset(area, 1, 6 * PAGE_SIZE);
	fail_each("mprotect(PROT_GROWSDOWN)", do_mprotect_growsdown, all_rights);
}

/* A lock in the middle of another one: three of them, and one again. */
static long do_lock(void)
{
	struct flock middle = { .l_type = F_WRLCK, .l_start = 5, .l_len = 1 };

	return raw_syscall(SYS_fcntl, file, F_SETLK, (long)&middle, 0, 0, 0);
}

static void after_lock(long result)
{
	struct flock whole = { .l_type = F_RDLCK, .l_start = 0, .l_len = 10 };

	CHECK_EQ(result, 0);
	CHECK_OK(fcntl(file, F_SETLK, &whole));
}

TEST(a_lock_in_the_middle)
{
	const char *name = tmp_path("locked");

	file = CHECK_OK(open(name, O_RDWR | O_CREAT, 0600));
	CHECK_OK(unlink(name));
	after_lock(0);
	fail_each("fcntl(F_SETLK)", do_lock, after_lock);
}

static const char *path_to_open;
static int open_flags;

static long do_open(void)
{
	return raw_syscall(SYS_openat, AT_FDCWD, (long)path_to_open, open_flags, 0600, 0, 0);
}

static void after_open(long fd)
{
	CHECK_OK(close(fd));
}

TEST(open_of_a_fifo)
{
	path_to_open = tmp_path("fifo");
	open_flags = O_RDONLY | O_NONBLOCK;
	CHECK_OK(mkfifo(path_to_open, 0600));
	fail_each("open(fifo)", do_open, after_open);
	CHECK_OK(unlink(path_to_open));
}

TEST(open_without_a_name)
{
	path_to_open = "/tmp";
	open_flags = O_TMPFILE | O_RDWR;
	fail_each("open(O_TMPFILE)", do_open, after_open);
}

TEST(open_of_a_pipe_by_proc)
{
	char path[40];
	int fds[2];

	CHECK_OK(pipe(fds));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	path_to_open = path;
	open_flags = O_RDONLY;
	fail_each("open(/proc/self/fd)", do_open, after_open);
}

static unsigned long break_before;

static long do_brk(void)
{
	unsigned long wanted = break_before + 4 * PAGE_SIZE;
	unsigned long got = raw_syscall(SYS_brk, wanted, 0, 0, 0, 0, 0);

	return got == wanted ? 0 : -ENOMEM;
}

static void after_brk(long result)
{
	(void)result;
	CHECK_EQ(raw_syscall(SYS_brk, break_before, 0, 0, 0, 0, 0), break_before);
}

TEST(brk)
{
	/* Leave no heap, so that growing needs an area of its own. */
	break_before = raw_syscall(SYS_brk, 0, 0, 0, 0, 0, 0);
	break_before = (break_before + PAGE_SIZE - 1) & -PAGE_SIZE;
	CHECK_EQ(raw_syscall(SYS_brk, break_before, 0, 0, 0, 0, 0), break_before);
	if (count_maps(break_before - PAGE_SIZE, break_before))
		CHECK_OK(mprotect((void *)(break_before - PAGE_SIZE), PAGE_SIZE, PROT_READ));
	fail_each("brk", do_brk, after_brk);
}

CHILD(fine)
{
	return 42;
}

/* Execute the program at path in a child, the nth allocation failing. Returns its wait status. */
static int try_execve(const char *path, int n)
{
	static char *argv[] = { "x", "--child=fine", NULL };
	pid_t pid = CHECK_OK(fork());
	int status;

	if (pid == 0) {
		long result;

		fail_open();
		fail_arm(n);
		result = raw_syscall(SYS_execve, (long)path, (long)argv, 0, 0, 0, 0);
		raw_syscall(SYS_exit_group, fail_is_errno(result) ? 43 : 44, 0, 0, 0, 0, 0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return status;
}

/*
 * execve fails before the point of no return with an errno, after it by a signal.  Each try runs in
 * a child; this process sees no memory lost.
 */
TEST(execve)
{
	const char *path = self_path();
	int refused = 0, killed = 0, fine = 0;

	/* Once without failure: copies this process's own pages that fork() and waitpid() write. */
	CHECK_EQ(try_execve(path, 0), W_EXITCODE(42, 0));
	test_progress();
	testmem_before();
	/* A run may survive its failure (a fault is tried again): three in a row end the loop. */
	for (int n = 1; fine < 3; n++) {
		int status;

		CHECK(n < FAIL_LIMIT);
		status = try_execve(path, n);
		fine = status == W_EXITCODE(42, 0) ? fine + 1 : 0;
		if (WIFSIGNALED(status))
			killed++;
		else if (WEXITSTATUS(status) == 43)
			refused++;
		else
			CHECK_EQ(WEXITSTATUS(status), 42);
		CHECK(testmem_after());
		test_progress();
	}
	test_note("execve: %d refused, %d killed", refused, killed);
	CHECK(refused > 0);
}

static const char *mount_type;

static long do_mount(void)
{
	return raw_syscall(SYS_mount, (long)"none", (long)area, (long)mount_type, 0, 0, 0);
}

static void after_mount(long result)
{
	CHECK_EQ(result, 0);
	CHECK_EQ(raw_syscall(SYS_umount2, (long)area, 0, 0, 0, 0, 0), 0);
}

TEST(mount)
{
	static const char *const types[] = { "tmpfs", "proc", "devfs" };
	static char place[128];
	long long objects = 0;

	snprintf(place, sizeof(place), "%s", tmp_path("undo"));
	CHECK_OK(mkdir(place, 0755));
	area = place;
	for (unsigned i = 0; i < 10 * ARRAY_LEN(types); i++) {
		if (i == ARRAY_LEN(types))
			objects = slab_objects();
		mount_type = types[i % ARRAY_LEN(types)];
		fail_each(mount_type, do_mount, after_mount);
	}
	/* Had one failure lost an object, each round would have. */
	CHECK_RANGE(slab_objects(), objects - 7, objects + 7);
	CHECK_OK(rmdir(place));
}

static char exchange_a[128], exchange_b[128];

static long do_exchange(void)
{
	return raw_syscall(SYS_renameat2, AT_FDCWD, (long)exchange_a, AT_FDCWD, (long)exchange_b, 2,
			   0);
}

static void after_exchange(long result)
{
	CHECK_EQ(result, 0);
}

TEST(exchange)
{
	snprintf(exchange_a, sizeof(exchange_a), "%s", tmp_path("a"));
	snprintf(exchange_b, sizeof(exchange_b), "%s", tmp_path("b"));
	write_file(exchange_a, "a", 1);
	write_file(exchange_b, "b", 1);
	fail_each("exchange", do_exchange, after_exchange);
	CHECK_OK(unlink(exchange_a));
	CHECK_OK(unlink(exchange_b));
}
