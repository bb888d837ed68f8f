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

/* The answer about @kind without the counters: "ok read_in file_copy". */
static const char *told(enum kind kind)
{
	static char text[256];
	char *save, *word = words_of(kind, &save);
	size_t length = snprintf(text, sizeof(text), "%s", word);

	while ((word = strtok_r(NULL, " ", &save)) != NULL)
		length += snprintf(text + length, sizeof(text) - length, " %.*s",
				   (int)strcspn(word, ":"), word);
	return text;
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
		if (growth != foretold_growth(kind, name))
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

/* No fault for a while: the parent has copied what it writes since fork(). */
static bool is_quiet(void)
{
	long long faults = vmstat("pgfault");

	test_pause(2);
	return vmstat("pgfault") == faults;
}

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
	WAIT_UNTIL(is_quiet());
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
	CHECK_FORETOLD(p + 2 * PAGE_SIZE, FETCH, "ok allowed"); /* its neighbour */
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

/* ---- what else is told ---- */

static unsigned long number(const char *key)
{
	unsigned long n;

	if (!answer_number(&answer, key, &n))
		test_fail(__FILE__, __LINE__, "expected a line %s in:\n%s", key, answer.text);
	return n;
}

TEST(the_walk_and_the_frame)
{
	struct answer_entry entry[3];
	char *p = map_anon(2 * PAGE_SIZE), text[256];
	unsigned long addr = (unsigned long)p;

	*p = 1;
	CHECK_OK(ask_address("self", addr + 5, &answer));
	CHECK_EQ(number("address"), addr + 5);
	for (int level = 2; level >= 0; level--) {
		CHECK(answer_entry(&answer, level, &entry[level]));
		CHECK_EQ(entry[level].index, addr >> (12 + 9 * level) & 511);
		CHECK_EQ(entry[level].at & 4095, entry[level].index * 8);
	}
	CHECK_EQ(entry[2].at & ~4095UL, number("root"));
	CHECK_EQ(entry[1].at >> 12, entry_ppn(entry[2].value));
	CHECK_EQ(entry[0].at >> 12, entry_ppn(entry[1].value));
	CHECK_EQ(entry[0].value & 0x1ff, PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D);
	CHECK_EQ(number("pfn"), entry_ppn(entry[0].value));
	CHECK_EQ(number("physical"), number("pfn") * PAGE_SIZE + 5);
	CHECK_EQ(number("refcount"), 1);
	CHECK_EQ(number("mapcount"), 1);
	CHECK(answer_value(&answer, "owner", text, sizeof(text)));
	CHECK_STRING(text, "family");
	/* The area is told by its line of /proc/self/maps. */
	CHECK(read_text("/proc/self/maps", before, sizeof(before)) > 0);
	CHECK(answer_value(&answer, "area", text, sizeof(text)));
	CHECK(strstr(before, text) != NULL);
	CHECK_OK(ask_address("self", addr + PAGE_SIZE, &answer));
	CHECK(answer_entry(&answer, 0, &entry[0]));
	CHECK_EQ(entry[0].value, 0);
	CHECK(!answer_value(&answer, "pfn", text, sizeof(text)));
}

/* How many lines `mapper PID ADDRESS` the answer has for this one. */
static int nr_mappers(pid_t pid, void *p)
{
	char value[64], expected[64];
	const char *at = NULL;
	int nr = 0;

	snprintf(expected, sizeof(expected), "%d 0x%lx", pid, (unsigned long)p);
	while (answer_next(&answer, &at, "mapper", value, sizeof(value)))
		nr += strcmp(value, expected) == 0;
	return nr;
}

TEST(who_else_maps_the_frame)
{
	char *anon = map_anon(PAGE_SIZE), *shared, *again, name[16];
	int fd = CHECK_OK(memfd_create("f", 0)), go[2];
	pid_t pid;
	char byte;

	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	shared = map_prot(RW, MAP_SHARED, fd, 4);
	again = map_prot(RW, MAP_SHARED, fd, 4);
	*anon = shared[PAGE_SIZE] = 1;
	(void)*(volatile char *)(again + PAGE_SIZE);
	CHECK_OK(pipe(go));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		(void)*(volatile char *)(shared + PAGE_SIZE);
		close(go[0]);
		close(go[1]);
		pause();
	}
	close(go[1]);
	CHECK_EQ(read(go[0], &byte, 1), 0); /* it has touched */
	snprintf(name, sizeof(name), "%d", pid);
	CHECK_OK(ask_address(name, (unsigned long)shared + PAGE_SIZE + 7, &answer));
	CHECK_EQ(number("mapcount"), 3);
	CHECK_EQ(nr_mappers(getpid(), shared + PAGE_SIZE), 1);
	CHECK_EQ(nr_mappers(getpid(), again + PAGE_SIZE), 1);
	CHECK_EQ(nr_mappers(pid, shared + PAGE_SIZE), 1);
	CHECK_EQ(nr_mappers(pid, again + PAGE_SIZE), 0); /* not faulted in there */
	CHECK_OK(ask_address("self", (unsigned long)anon, &answer));
	CHECK_EQ(number("mapcount"), 2);
	CHECK_EQ(nr_mappers(getpid(), anon), 1);
	CHECK_EQ(nr_mappers(pid, anon), 1);
	CHECK_STRING(told(STORE), "ok cow_copy");
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_OK(ask_address("self", (unsigned long)anon, &answer));
	CHECK_EQ(number("mapcount"), 1);
	CHECK_STRING(told(STORE), "ok cow_reuse");
}

TEST(asking_changes_nothing)
{
	char *p = map_anon(64 * PAGE_SIZE);
	char maps_before[8192], maps_after[8192];

	rehearse();
	for (int i = 0; i < 64; i += 3)
		p[i * PAGE_SIZE] = 1;
	memset(maps_before, 0, sizeof(maps_before));
	memset(maps_after, 0, sizeof(maps_after));
	CHECK_OK(ask_address("self", (unsigned long)p, &answer));
	CHECK(read_text("/proc/self/maps", maps_before, sizeof(maps_before)) > 0);
	CHECK(read_text("/proc/vmstat", before, sizeof(before)) > 0);
	for (int i = 0; i < 200; i++)
		CHECK_OK(ask_address("self", (unsigned long)p + (i - 50) * PAGE_SIZE, &answer));
	CHECK(read_text("/proc/vmstat", after, sizeof(after)) > 0);
	CHECK_EQ(text_number(after, "pgfault"), text_number(before, "pgfault"));
	CHECK_EQ(text_number(after, "nr_anon_pages"), text_number(before, "nr_anon_pages"));
	CHECK_EQ(text_number(after, "nr_page_table_pages"),
		 text_number(before, "nr_page_table_pages"));
	CHECK(read_text("/proc/self/maps", maps_after, sizeof(maps_after)) > 0);
	CHECK_STRING(maps_after, maps_before);
}

/* ---- who may ask, and what is no question ---- */

TEST(bad_questions)
{
	static const char *const bad[] = {
		"",
		"\n",
		"zz",
		"0x",
		"-1",
		"10 20",
		"0x1g",
		"1,",
		"0x0x1",
		"123456789abcdef01",
		"99999999999999999999999",
		"0x00000000000000000000001",
	};
	int fd = CHECK_OK(open("/proc/self/explain", O_RDWR));
	char first[64], again[64];

	CHECK_EQ(read(fd, first, sizeof(first)), 0); /* nothing was asked */
	CHECK_EQ(write(fd, "10000\n", 6), 6);
	CHECK_EQ(read(fd, first, 16), 16);
	CHECK(memcmp(first, "address 0x10000\n", 16) == 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_ERRNO(write(fd, bad[i], strlen(bad[i])), EINVAL);
	CHECK_ERRNO(write(fd, (void *)KERNEL_ADDRESS, 5), EFAULT);
	CHECK_ERRNO(write(fd, nowhere, 5), EFAULT);
	/* The last answer is still there, from where it was read to. */
	CHECK_EQ(pread(fd, again, 16, 0), 16);
	CHECK(memcmp(first, again, 16) == 0);
	/* Any 64 bits are an address; blanks and a line's end may be around it. */
	CHECK_EQ(write(fd, " 0XFFFFFFFFFFFFFFFF \n", 21), 21);
	CHECK_EQ(read(fd, again, 27), 27);
	CHECK(memcmp(again, "address 0xffffffffffffffff\n", 27) == 0);
	CHECK_OK(close(fd));
	CHECK_ERRNO(open("/proc/1/explain", O_RDWR | O_DIRECTORY), ENOTDIR);
}

TEST(processes_without_memory)
{
	pid_t pid = CHECK_OK(fork());
	siginfo_t info;
	char name[16];

	if (pid == 0)
		_exit(0);
	CHECK_OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
	snprintf(name, sizeof(name), "%d", pid);
	CHECK_ERRNO(ask_address(name, 0x10000, &answer), ESRCH);
	CHECK_EXIT(pid, 0);
	CHECK_ERRNO(ask_address(name, 0x10000, &answer), ENOENT);
	CHECK_ERRNO(ask_address("2", 0x10000, &answer), ESRCH); /* the kernel's own */
}

static void become_user(void)
{
	CHECK_OK(setresgid(1000, 1000, 1000));
	CHECK_OK(setresuid(1000, 1000, 1000));
}

TEST(users_may_ask_about_their_own)
{
	int fd = CHECK_OK(open("/proc/1/explain", O_RDWR));
	char value[64];

	CHECK_OK(ask_address("self", KERNEL_ADDRESS, &answer));
	CHECK_EQ(number("pfn"), 0x80200);
	CHECK_EQ(write(fd, "10000", 5), 5);
	become_user();
	CHECK_ERRNO(write(fd, "10000", 5), EACCES);
	CHECK_ERRNO(ask_address("1", 0x10000, &answer), EACCES);
	/* One's own, but not the kernel half. */
	CHECK_OK(ask_address("self", 0x10000, &answer));
	CHECK(number("pfn") > 0);
	CHECK_OK(ask_address("self", KERNEL_ADDRESS, &answer));
	CHECK(!answer_value(&answer, "root", value, sizeof(value)));
	CHECK(!answer_value(&answer, "pfn", value, sizeof(value)));
	CHECK_STRING(told(LOAD), "SIGSEGV:SEGV_MAPERR no_area");
	CHECK_OK(close(fd));
}

/* A relative that may not be looked at is only counted. */
TEST(mappers_of_others_are_hidden)
{
	char *p = map_anon(PAGE_SIZE);
	char value[64];

	*p = 1;
	CHECK_CHILD({
		become_user();
		CHECK_OK(ask_address("self", (unsigned long)p, &answer));
		CHECK_EQ(nr_mappers(getpid(), p), 1);
		CHECK_EQ(nr_mappers(getppid(), p), 0);
		CHECK(answer_value(&answer, "mappers_hidden", value, sizeof(value)));
		CHECK_STRING(value, "1");
	});
}

TEST(each_allocation_may_fail)
{
	int control = CHECK_OK(open("/proc/self/fail_alloc", O_RDWR)), fd, n;
	char text[32];

	fd = CHECK_OK(open("/proc/self/explain", O_RDWR));
	for (n = 1; n < 100; n++) {
		int length = snprintf(text, sizeof(text), "%d", n);

		CHECK_EQ(pwrite(control, text, length, 0), length);
		errno = 0;
		if (write(fd, "10000", 5) == 5)
			break;
		CHECK_EQ(errno, ENOMEM);
		CHECK_EQ(pread(fd, text, sizeof(text), 0), 0); /* no half answer */
	}
	CHECK_EQ(pwrite(control, "0", 1, 0), 1);
	CHECK_RANGE(n, 3, 20);
	close(fd);
	close(control);
}

/* ---- the tools ---- */

static void check_output(const char *command, const char *const *words, size_t nr)
{
	static char text[16384];
	FILE *pipe = popen(command, "r");
	size_t length;

	CHECK(pipe != NULL);
	length = fread(text, 1, sizeof(text) - 1, pipe);
	text[length] = '\0';
	CHECK_EQ(pclose(pipe), 0);
	for (size_t i = 0; i < nr; i++)
		if (!strstr(text, words[i]))
			test_fail(__FILE__, __LINE__, "expected \"%s\" from %s, got:\n%s", words[i],
				  command, text);
}

TEST(explain_makes_sentences)
{
	static const char *const stack[] = {
		"in the user half",
		"[stack]",
		"growsdown",
		"RSW D A G U X W R V",
		"a leaf",
		"anonymous memory",
		"refcount 1, mapcount 1",
		"a fetch  SIGSEGV:SEGV_ACCERR",
	};
	static const char *const hole[] = {
		"no area holds it",
		"the gap: 0x0 to 0x10000, 16 pages",
		"  none",
		"a store  SIGSEGV:SEGV_MAPERR",
	};

	check_output("explain self 3fffffe000", stack, ARRAY_LEN(stack));
	check_output("explain self 0", hole, ARRAY_LEN(hole));
}

TEST(translate_works_it_out)
{
	static const char *const text[] = {
		"VPN[2]       000000000 = 0",
		"VPN[0]       000010000 = 16",
		"offset       101010111100 = 0xabc",
		"+ 16 * 8 = ",
		"V=1 and one of R W X is set: a leaf",
		"a store  needs V, U and W: page fault (scause 15), that bit is clear",
		"|| offset 0xabc = 0x",
	};
	static const char *const kernel[] = {
		"VPN[2]       100000010 = 258",
		"U is clear: the kernel's page",
		"= 0x80200123\n",
	};
	static const char *const hole[] = { "V=0, the entry is empty: a page fault" };
	static const char *const none[] = { "not canonical: a page fault" };

	check_output("translate 10abc", text, ARRAY_LEN(text));
	check_output("translate -p 1 0xffffffc080200123", kernel, ARRAY_LEN(kernel));
	check_output("translate 4000000", hole, ARRAY_LEN(hole));
	check_output("translate 8000000000", none, ARRAY_LEN(none));
}
