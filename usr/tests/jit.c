/*
 * jit.c - code that a program makes at run time, never writable and executable at once (W^X).
 *
 *	rw-  write instructions -> mprotect r-x, make fetches see them -> call -> mprotect rw- ...
 *	a file, mapped twice       rw- to write through, r-x to run
 *
 * "Make fetches see them" is fence.i on every hart of the program: riscv_flush_icache(2), behind
 * __builtin___clear_cache(). The function that is made returns a number.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "usr/lib/testutil.h"

#define RW (PROT_READ | PROT_WRITE)
#define RX (PROT_READ | PROT_EXEC)

typedef int (*function)(void);

/* Instructions that return @number (0 to 2047) at @code; returns their size. */
static size_t emit(void *code, unsigned number)
{
#if defined(__riscv)
	const uint32_t words[] = { number << 20 | 10 << 7 | 0x13 /* li a0 */, 0x8067 /* ret */ };

	memcpy(code, words, sizeof(words));
	return sizeof(words);
#elif defined(__x86_64__)
	const uint8_t bytes[] = { 0xb8, number, number >> 8, 0, 0, 0xc3 }; /* mov eax; ret */

	memcpy(code, bytes, sizeof(bytes));
	return sizeof(bytes);
#else
#error "no instructions for this machine"
#endif
}

/* Without memory's optimizations: the bytes behind the pointer have changed. */
static int call(void *code)
{
	function f = (function)code;

	__asm__ volatile("" : "+r"(f) : : "memory");
	return f();
}

static void emit_and_flush(void *code, unsigned number)
{
	size_t size = emit(code, number);

	__builtin___clear_cache(code, (char *)code + size);
}

TEST(write_protect_run_rewrite)
{
	char *code = map_anon(PAGE_SIZE);

	for (unsigned i = 0; i < 300; i++) {
		CHECK_OK(mprotect(code, PAGE_SIZE, RW));
		emit(code + i % 100 * 16, i);
		CHECK_OK(mprotect(code, PAGE_SIZE, RX));
		__builtin___clear_cache(code, code + PAGE_SIZE);
		CHECK_EQ(call(code + i % 100 * 16), i);
		if (i >= 100)
			CHECK_EQ(call(code + (i + 1) % 100 * 16), i - 99);
		if (i % 50 == 0)
			test_progress();
	}
	CHECK_OK(munmap(code, PAGE_SIZE));
}

TEST(never_both)
{
	char *code = map_anon(PAGE_SIZE);

	emit_and_flush(code, 1);
	CHECK_SIGNAL({ call(code); }, SIGSEGV);
	CHECK_OK(mprotect(code, PAGE_SIZE, RX));
	CHECK_EQ(call(code), 1);
	CHECK_SIGNAL({ *(volatile char *)code = 1; }, SIGSEGV);
	CHECK_OK(mprotect(code, PAGE_SIZE, RW));
	CHECK_SIGNAL({ call(code); }, SIGSEGV);
	CHECK_OK(munmap(code, PAGE_SIZE));
}

TEST(execute_only)
{
	char *code = map_anon(PAGE_SIZE);

	emit_and_flush(code, 7);
	CHECK_OK(mprotect(code, PAGE_SIZE, PROT_EXEC));
	CHECK_EQ(call(code), 7);
	CHECK_SIGNAL({ *(volatile char *)code = 1; }, SIGSEGV);
	CHECK_OK(mprotect(code, PAGE_SIZE, RW));
	emit_and_flush(code, 8);
	CHECK_OK(mprotect(code, PAGE_SIZE, PROT_EXEC));
	CHECK_EQ(call(code), 8);
	CHECK_OK(munmap(code, PAGE_SIZE));
}

/* The two mappings have the same frame: no right ever changes. */
TEST(mapped_twice)
{
	int fd = CHECK_OK(memfd_create("code", 0));
	char *w, *x;

	CHECK_OK(ftruncate(fd, 2 * PAGE_SIZE));
	w = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	x = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, RX, MAP_SHARED, fd, 0));
	for (unsigned i = 0; i < 300; i++) {
		size_t at = i % 2 * PAGE_SIZE + i % 7 * 64;
		size_t size = emit(w + at, i);

		__builtin___clear_cache(x + at, x + at + size);
		CHECK_EQ(call(x + at), i);
	}
	CHECK_OK(munmap(w, 2 * PAGE_SIZE));
	CHECK_OK(munmap(x, 2 * PAGE_SIZE));
	CHECK_OK(close(fd));
}

/* write() to a file whose page is mapped to be run, and code that is mapped anew. */
TEST(written_to_a_file)
{
	char bytes[16], *x;
	int fd = CHECK_OK(memfd_create("code", 0));

	for (unsigned i = 0; i < 50; i++) {
		CHECK_EQ(pwrite(fd, bytes, emit(bytes, i), 0), emit(bytes, i));
		x = CHECK_OK(mmap(NULL, PAGE_SIZE, RX, i % 2 ? MAP_PRIVATE : MAP_SHARED, fd, 0));
		CHECK_EQ(call(x), i);
		CHECK_EQ(pwrite(fd, bytes, emit(bytes, i + 1), 0), emit(bytes, i));
		__builtin___clear_cache(x, x + sizeof(bytes));
		CHECK_EQ(call(x), i + 1);
		CHECK_OK(munmap(x, PAGE_SIZE));
	}
	CHECK_OK(close(fd));
}

/* The child's rewriting is its own, and fetches see which copy is whose. */
TEST(a_childs_code_is_its_own)
{
	char *code = map_anon(PAGE_SIZE);

	emit_and_flush(code, 1);
	CHECK_OK(mprotect(code, PAGE_SIZE, RX));
	for (unsigned i = 0; i < 20; i++) {
		CHECK_CHILD({
			CHECK_EQ(call(code), i + 1);
			CHECK_OK(mprotect(code, PAGE_SIZE, RW));
			emit_and_flush(code, 1000 + i);
			CHECK_OK(mprotect(code, PAGE_SIZE, RX));
			CHECK_EQ(call(code), 1000 + i);
		});
		CHECK_EQ(call(code), i + 1);
		CHECK_OK(mprotect(code, PAGE_SIZE, RW));
		emit_and_flush(code, i + 2);
		CHECK_OK(mprotect(code, PAGE_SIZE, RX));
	}
	CHECK_OK(munmap(code, PAGE_SIZE));
}

static char *shared_code;
static volatile unsigned *turn; /* odd: the runner's */

#define TURNS 100

/* Shares our memory: no errno, no stdio. Each number that it is told of must be what it runs. */
static int runner(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < TURNS; i++) {
		while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 2 * i + 1)
			raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		if (call(shared_code) != (int)i) {
			*turn = 0;
			return 1;
		}
		__atomic_store_n(turn, 2 * i + 2, __ATOMIC_RELEASE);
	}
	return 0;
}

/* The fence reaches the harts of all tasks of the address space. */
TEST(another_task_runs_it)
{
	char *w;
	int fd = CHECK_OK(memfd_create("code", 0));
	pid_t pid;

	CHECK_OK(ftruncate(fd, PAGE_SIZE));
	w = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED, fd, 0));
	shared_code = CHECK_OK(mmap(NULL, PAGE_SIZE, RX, MAP_SHARED, fd, 0));
	turn = map_anon(PAGE_SIZE);
	pid = spawn_sharing(runner, NULL);
	for (unsigned i = 0; i < TURNS; i++) {
		size_t size = emit(w, i);

		__builtin___clear_cache(shared_code, shared_code + size);
		__atomic_store_n(turn, 2 * i + 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) == 2 * i + 1)
			raw_syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
		CHECK_EQ(*turn, 2 * i + 2);
		test_progress();
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(munmap(w, PAGE_SIZE));
	CHECK_OK(munmap(shared_code, PAGE_SIZE));
	CHECK_OK(munmap((void *)turn, PAGE_SIZE));
	CHECK_OK(close(fd));
}
