/*
 * explained.c - ravel-only: what /proc/<pid>/explain tells beside what an access does: the walk,
 * the frame, who else maps it; who may ask; and the tools that make sentences of it.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/explanation.h"
#include "usr/lib/testutil.h"

static struct answer answer;
static char before[8192], after[8192];
static void *volatile nowhere = (void *)8;

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

static char *map_shared(int fd)
{
	return CHECK_OK(mmap(NULL, 4 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
}

TEST(who_else_maps_the_frame)
{
	char *anon = map_anon(PAGE_SIZE), *shared, *again, name[16];
	int fd = CHECK_OK(memfd_create("f", 0)), go[2];
	pid_t pid;
	char byte;

	CHECK_OK(ftruncate(fd, 4 * PAGE_SIZE));
	shared = map_shared(fd);
	again = map_shared(fd);
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
	CHECK_STRING(answer_rows(&answer, "store"), "ok cow_copy");
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
	CHECK_OK(ask_address("self", (unsigned long)anon, &answer));
	CHECK_EQ(number("mapcount"), 1);
	CHECK_STRING(answer_rows(&answer, "store"), "ok cow_reuse");
}

/* What the other process is told to do: the page to touch, from 1, and whether to store. */
struct orders {
	volatile int page, store, done;
};

static void obey(struct orders *orders, volatile char *p)
{
	for (;;) {
		while (orders->page == 0)
			sched_yield();
		if (orders->store)
			p[(orders->page - 1) * PAGE_SIZE] = 2;
		else
			(void)p[(orders->page - 1) * PAGE_SIZE];
		orders->page = 0;
		orders->done++;
	}
}

TEST(another_process_does_what_was_foretold)
{
	static const struct {
		int page, store;
		const char *rows, *counter;
		int growth;
	} acts[] = {
		{ 1, 1, "ok cow_copy", "fault_cow_copy", 1 },
		{ 1, 1, "ok allowed", "pgfault", 0 },
		{ 2, 0, "ok zero_page", "fault_zero_page", 1 },
		{ 2, 1, "ok cow_zero", "fault_demand_zero", 1 },
		{ 3, 1, "ok demand_zero", "fault_demand_zero", 1 },
		{ 3, 0, "ok allowed", "pgfault", 0 },
	};
	struct orders *orders = CHECK_OK(
		mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char *p = map_anon(3 * PAGE_SIZE), name[16];
	pid_t pid;

	*p = 1;
	orders->done = 0;
	pid = CHECK_OK(fork());
	if (pid == 0)
		obey(orders, p);
	snprintf(name, sizeof(name), "%d", pid);
	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		volatile char *page = p + (acts[i].page - 1) * PAGE_SIZE;
		long long count;

		wait_until_quiet();
		CHECK_OK(ask_address(name, (unsigned long)page, &answer));
		CHECK_STRING(answer_rows(&answer, acts[i].store ? "store" : "load"), acts[i].rows);
		count = vmstat(acts[i].counter);
		orders->store = acts[i].store;
		orders->page = acts[i].page;
		WAIT_UNTIL(orders->done == (int)i + 1);
		CHECK_EQ(vmstat(acts[i].counter) - count, acts[i].growth);
	}
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

/* Where a stack may grow to is for its own process' limit to say, not for the asker's. */
TEST(the_limit_is_that_of_the_process)
{
	struct rlimit limit = { .rlim_cur = 64 * PAGE_SIZE, .rlim_max = RLIM_INFINITY };
	unsigned long below = (unsigned long)__builtin_frame_address(0) - 256 * PAGE_SIZE;
	int ready[2];
	char byte, name[16];
	pid_t pid;

	CHECK_OK(pipe(ready));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		CHECK_OK(setrlimit(RLIMIT_STACK, &limit));
		close(ready[0]);
		close(ready[1]);
		pause();
	}
	close(ready[1]);
	CHECK_EQ(read(ready[0], &byte, 1), 0);
	snprintf(name, sizeof(name), "%d", pid);
	CHECK_OK(ask_address("self", below, &answer));
	CHECK_STRING(answer_rows(&answer, "store"), "ok stack_grow demand_zero");
	CHECK_OK(ask_address(name, below, &answer));
	CHECK_STRING(answer_rows(&answer, "store"), "SIGSEGV:SEGV_MAPERR no_area");
	CHECK_OK(kill(pid, SIGKILL));
	CHECK_EQ(waitpid(pid, NULL, 0), pid);
}

TEST(asking_changes_nothing)
{
	char *p = map_anon(64 * PAGE_SIZE);
	char maps_before[8192], maps_after[8192];

	for (int i = 0; i < 64; i += 3)
		p[i * PAGE_SIZE] = 1;
	memset(maps_before, 0, sizeof(maps_before));
	memset(maps_after, 0, sizeof(maps_after));
	CHECK_OK(ask_address("self", (unsigned long)p, &answer));
	/* Both buffers are touched before they count. */
	memset(before, 0, sizeof(before));
	memset(after, 0, sizeof(after));
	wait_until_quiet();
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
	CHECK_STRING(answer_rows(&answer, "load"), "SIGSEGV:SEGV_MAPERR no_area");
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
