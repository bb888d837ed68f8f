/*
 * explain.c - ravel-only: /proc/<pid>/explain foretells what an access does; then it is done.
 *
 *	ask --> "store ok read_in:fault_io_retry file_copy:fault_file_cow"
 *	/proc/vmstat --> the store --> /proc/vmstat     these counters grew by one, and no other
 *
 * The counters are the machine's, and nothing else runs: so that asking and looking cause no fault
 * themselves, each TEST rehearses both once.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/explanation.h"
#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

enum kind { LOAD, STORE, FETCH };
static const char *const kinds[] = { "load", "store", "fetch" };

static struct answer answer;
static char before[8192], after[8192];
static void *volatile nowhere = (void *)8;
static sigjmp_buf jump;
static volatile int jump_code;

static void jump_out(int signal, siginfo_t *info, void *context __attribute__((unused)))
{
	jump_code = info->si_code;
	siglongjmp(jump, signal);
}

/* ---- making the access ---- */

/* What became of it, in the words of the answer. Zeros are no instruction: they were fetched. */
static const char *do_access(volatile char *p, enum kind kind)
{
	int signal = sigsetjmp(jump, 1);

	if (signal == SIGBUS)
		return jump_code == BUS_ADRERR ? "SIGBUS:BUS_ADRERR" : "SIGBUS";
	if (signal == SIGSEGV)
		return jump_code == SEGV_MAPERR ? "SIGSEGV:SEGV_MAPERR" : "SIGSEGV:SEGV_ACCERR";
	if (signal)
		return "ok";
	if (kind == LOAD)
		(void)*p;
	else if (kind == STORE)
		*p = (char)0x82;
	else
		((void (*)(void))p)();
	return "ok";
}

/* The words of the answer about @kind: the result, then the rows with their counters. */
static char *words_of(enum kind kind, char **save)
{
	static char value[256];

	CHECK(answer_value(&answer, kinds[kind], value, sizeof(value)));
	return strtok_r(value, " ", save);
}

static const char *told(enum kind kind)
{
	return answer_rows(&answer, kinds[kind]);
}

/* How often the answer says that @counter will grow. */
static int foretold_growth(enum kind kind, const char *counter)
{
	char *save, *word = words_of(kind, &save);
	int growth = 0;

	while ((word = strtok_r(NULL, " ", &save)) != NULL)
		if (strncmp(word, "allowed:", 8) != 0)
			growth += strcmp(strchrnul(word, ':') + 1, counter) == 0;
	return growth;
}

/* A hart that sets A and D itself, as QEMU's does, takes no fault to have them set. */
static bool is_hardwares(const char *counter, long long growth)
{
	return growth == 0 && strcmp(counter, "fault_access_bits") == 0;
}

/* Compare the counters of the fault table, of before and after. */
static void compare_counters(int line, enum kind kind)
{
	char name[64];
	int checked = 0, length;

	for (const char *at = after; *at; at = strchrnul(at, '\n') + 1) {
		long long growth;

		if (sscanf(at, "%63s%n", name, &length) != 1)
			break;
		if (strncmp(name, "fault_", 6) != 0 || strcmp(name, "fault_file_around") == 0)
			continue;
		growth = text_number(after, name) - text_number(before, name);
		if (growth != foretold_growth(kind, name) && !is_hardwares(name, growth))
			test_fail(__FILE__, line, "%s: foretold \"%s\", but %s grew by %lld",
				  kinds[kind], told(kind), name, growth);
		checked++;
	}
	CHECK_RANGE(checked, 15, 100);
}

/* Ask, and do it. */
static void check(int line, volatile void *p, enum kind kind, const char *expected)
{
	const char *result;

	CHECK_OK(ask_address("self", (unsigned long)p, &answer));
	CHECK(read_text("/proc/vmstat", before, sizeof(before)) > 0);
	result = do_access(p, kind);
	CHECK(read_text("/proc/vmstat", after, sizeof(after)) > 0);
	if (!expected)
		return;
	if (strcmp(told(kind), expected) != 0)
		test_fail(__FILE__, line, "foretold \"%s\", expected \"%s\"", told(kind), expected);
	if (strncmp(told(kind), result, strlen(result)) != 0)
		test_fail(__FILE__, line, "foretold \"%s\", was %s", told(kind), result);
	compare_counters(line, kind);
}

#define CHECK_FORETOLD(p, kind, expected) check(__LINE__, p, kind, expected)

/* Handlers, and all that check() touches, once; then quiet. */
static void rehearse(void)
{
	struct sigaction action = { .sa_sigaction = jump_out, .sa_flags = SA_SIGINFO };
	char *p;

	CHECK_OK(sigaction(SIGSEGV, &action, NULL));
	CHECK_OK(sigaction(SIGBUS, &action, NULL));
	CHECK_OK(sigaction(SIGILL, &action, NULL));
	p = map_anon(PAGE_SIZE);
	for (int i = 0; i < 2; i++) {
		check(__LINE__, p, STORE, NULL);
		check(__LINE__, NULL, STORE, NULL);
	}
	CHECK_OK(munmap(p, PAGE_SIZE));
	wait_until_quiet();
	check(__LINE__, NULL, LOAD, "SIGSEGV:SEGV_MAPERR no_area");
}

static char *map_prot(int prot, int flags, int fd, int pages)
{
	return CHECK_OK(mmap(NULL, pages * PAGE_SIZE, prot, flags, fd, 0));
}

/* ---- rows without a file ---- */

TEST(anonymous_memory)
{
	char *p = map_anon(4 * PAGE_SIZE);

	rehearse();
	*p = 1; /* the tables are there */
	CHECK_FORETOLD(p + PAGE_SIZE, LOAD, "ok zero_page");
	CHECK_FORETOLD(p + PAGE_SIZE, LOAD, "ok allowed");
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok cow_zero");
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok allowed");
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, STORE, "ok demand_zero");
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, LOAD, "ok allowed");
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, FETCH, "SIGSEGV:SEGV_ACCERR forbidden");
}

TEST(protections)
{
	char *none = map_prot(PROT_NONE, ANON, -1, 1), *ro = map_prot(PROT_READ, ANON, -1, 1);
	char *rx = map_prot(PROT_READ | PROT_EXEC, ANON, -1, 2);

	rehearse();
	for (enum kind kind = LOAD; kind <= FETCH; kind++)
		CHECK_FORETOLD(none, kind, "SIGSEGV:SEGV_ACCERR forbidden");
	CHECK_FORETOLD(ro, STORE, "SIGSEGV:SEGV_ACCERR forbidden");
	CHECK_FORETOLD(ro, LOAD, "ok zero_page");
	CHECK_FORETOLD(ro, STORE, "SIGSEGV:SEGV_ACCERR forbidden");
	CHECK_FORETOLD(rx, FETCH, "ok zero_page");
	CHECK_FORETOLD(rx, FETCH, "ok allowed");
	CHECK_FORETOLD(rx, STORE, "SIGSEGV:SEGV_ACCERR forbidden");
}

TEST(addresses_without_an_area)
{
	char *p = map_anon(3 * PAGE_SIZE);

	rehearse();
	CHECK_OK(munmap(p + PAGE_SIZE, PAGE_SIZE));
	for (enum kind kind = LOAD; kind <= FETCH; kind++) {
		CHECK_FORETOLD(p + PAGE_SIZE, kind, "SIGSEGV:SEGV_MAPERR no_area");
		CHECK_FORETOLD(NULL, kind, "SIGSEGV:SEGV_MAPERR no_area");
		CHECK_FORETOLD((void *)KERNEL_ADDRESS, kind, "SIGSEGV:SEGV_MAPERR no_area");
		CHECK_FORETOLD((void *)USER_TOP, kind, "SIGSEGV:SEGV_MAPERR no_area");
	}
	CHECK_FORETOLD((void *)(USER_TOP - 1), LOAD, "SIGSEGV:SEGV_MAPERR no_area");
}

TEST(copy_on_write)
{
	char *p = map_anon(3 * PAGE_SIZE);
	int go[2];
	pid_t pid;
	char byte;

	memset(p, 1, 3 * PAGE_SIZE);
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &byte, 1) == 0 ? 0 : 1);
	}
	rehearse();
	CHECK_FORETOLD(p, LOAD, "ok allowed");
	CHECK_FORETOLD(p, STORE, "ok cow_copy");
	CHECK_FORETOLD(p, STORE, "ok allowed");
	CHECK_OK(close(go[1]));
	CHECK_EXIT(pid, 0);
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok cow_reuse");
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok allowed");
}

/* How many pages [stack] has at least grown by now is not known: below its area. */
static char *below_stack(unsigned long pages)
{
	struct map_line line;

	CHECK(find_map((unsigned long)__builtin_frame_address(0), &line));
	return (char *)line.start - pages * PAGE_SIZE;
}

TEST(a_stack_that_grows)
{
	struct rlimit limit = { .rlim_cur = 256 * PAGE_SIZE, .rlim_max = RLIM_INFINITY };
	char *p;

	rehearse();
	p = below_stack(4);
	CHECK_FORETOLD(p + 8, STORE, "ok stack_grow demand_zero");
	CHECK_FORETOLD(p + PAGE_SIZE, LOAD, "ok zero_page");
	CHECK_FORETOLD(p - 4 * PAGE_SIZE, LOAD, "ok stack_grow zero_page");
	/* The area grows, and then its protection forbids what it has grown for. */
	CHECK_FORETOLD(p - 8 * PAGE_SIZE, FETCH, "SIGSEGV:SEGV_ACCERR stack_grow forbidden");
	CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
	CHECK_FORETOLD(p - 256 * PAGE_SIZE, STORE, "SIGSEGV:SEGV_MAPERR no_area");
}

/* ---- rows of files ---- */

/* A file of @pages pages of return instructions, on the disk and not in the cache. */
static int cold_file(const char *name, int pages)
{
	static unsigned short code[PAGE_SIZE / 2];
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (size_t i = 0; i < ARRAY_LEN(code); i++)
		code[i] = 0x8082;
	for (int i = 0; i < pages; i++)
		CHECK_EQ(write(fd, code, sizeof(code)), sizeof(code));
	CHECK_OK(fsync(fd));
	CHECK(drop_caches());
	return fd;
}

TEST(a_private_file)
{
	int fd, prot = RW | PROT_EXEC;
	char *p;

	test_dir();
	fd = cold_file("f", 4);
	p = map_prot(prot, MAP_PRIVATE, fd, 6);
	rehearse();
	CHECK(drop_caches());
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok read_in file_copy");
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok allowed");
	CHECK_FORETOLD(p, LOAD, "ok file_map");
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, FETCH, "ok access_bits"); /* a neighbour */
	CHECK_FORETOLD(p, STORE, "ok cow_copy");
	CHECK_FORETOLD(p + 4 * PAGE_SIZE, LOAD, "SIGBUS:BUS_ADRERR past_end");
	CHECK_FORETOLD(p + 4 * PAGE_SIZE, FETCH, "SIGBUS:BUS_ADRERR past_end");
	CHECK_OK(ftruncate(fd, 2 * PAGE_SIZE));
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, LOAD, "SIGBUS:BUS_ADRERR past_end");
	CHECK_OK(munmap(p, 6 * PAGE_SIZE));
	fd = cold_file("g", 1);
	p = map_prot(PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 1);
	CHECK_FORETOLD(p, FETCH, "ok read_in file_map");
	test_dir_leave();
}

TEST(a_shared_file)
{
	unsigned long room;
	char *p, *q;
	int fd;

	test_dir();
	fd = cold_file("f", 4);
	CHECK_OK(ftruncate(fd, 8 * PAGE_SIZE));
	p = map_prot(RW, MAP_SHARED, fd, 8);
	q = map_prot(RW, MAP_SHARED, fd, 8);
	rehearse();
	CHECK(drop_caches());
	CHECK_FORETOLD(p, STORE, "ok read_in shared_write");
	CHECK_FORETOLD(p, STORE, "ok allowed");
	CHECK_FORETOLD(q, LOAD, "ok file_map");
	CHECK_FORETOLD(q, STORE, "ok shared_write");
	CHECK_OK(msync(p, PAGE_SIZE, MS_SYNC));
	CHECK_FORETOLD(p, LOAD, "ok allowed");
	CHECK_FORETOLD(p, STORE, "ok shared_write");
	/* A hole: the file system must find a block first. */
	CHECK_FORETOLD(p + 6 * PAGE_SIZE, LOAD, "ok file_map");
	CHECK_FORETOLD(p + 6 * PAGE_SIZE, STORE, "ok shared_write");
	CHECK(answer_number(&answer, "store_needs_room", &room));
	CHECK_OK(ftruncate(fd, 0));
	CHECK_FORETOLD(p, STORE, "SIGBUS:BUS_ADRERR past_end");
	test_dir_leave();
}

TEST(shared_memory)
{
	char *p = map_prot(RW, MAP_SHARED | MAP_ANONYMOUS, -1, 4);

	rehearse();
	CHECK_FORETOLD(p, LOAD, "ok read_in file_map");
	CHECK_FORETOLD(p, STORE, "ok allowed");
	CHECK_FORETOLD(p + PAGE_SIZE, STORE, "ok read_in file_map");
}
