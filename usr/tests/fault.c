/*
 * fault.c - ravel-only: every row of the fault table, asserted by its counter in /proc/vmstat.
 *
 * The counters are the machine's: a TEST expects at least its own faults and, as nothing else runs,
 * few more.  SLACK covers what the reading of the counters and a fork cost.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "usr/lib/testutil.h"

#define PAGES 64
#define SLACK 24

static const char *const rows[] = {
	"pgfault",
	"pgmajfault",
	"fault_zero_page",
	"fault_demand_zero",
	"fault_file_read",
	"fault_file_around",
	"fault_file_cow",
	"fault_cow_copy",
	"fault_cow_reuse",
	"fault_stack_grow",
	"fault_spurious",
	"fault_access_bits",
	"fault_sigsegv_maperr",
	"fault_sigsegv_accerr",
	"fault_sigbus",
	"fault_oom",
	"fault_io_retry",
	"fault_kernel_fixup",
};

/* Count how a counter grows while a block runs; the first reading warms the reader up. */
#define GROWTH(counter, block)                                                                     \
	({                                                                                         \
		vmstat(counter);                                                                   \
		long long growth_before = vmstat(counter);                                         \
		block;                                                                             \
		vmstat(counter) - growth_before;                                                   \
	})

static void touch(volatile char *p, int pages)
{
	for (int i = 0; i < pages; i++)
		p[i * PAGE_SIZE] = 1;
}

static int sum(volatile char *p, int pages)
{
	int total = 0;

	for (int i = 0; i < pages; i++)
		total += p[i * PAGE_SIZE];
	return total;
}

TEST(every_row_has_a_counter)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (vmstat(rows[i]) < 0)
			test_fail(__FILE__, __LINE__, "expected %s in /proc/vmstat, got none",
				  rows[i]);
}

TEST(zero_page)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	CHECK_RANGE(GROWTH("fault_zero_page", { CHECK_EQ(sum(p, PAGES), 0); }), PAGES,
		    PAGES + SLACK);
}

TEST(demand_zero)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	CHECK_RANGE(GROWTH("fault_demand_zero", { touch(p, PAGES); }), PAGES, PAGES + SLACK);
}

TEST(each_page_faults_once)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	touch(p, PAGES);
	CHECK_RANGE(GROWTH("pgfault", { touch(p, PAGES); }), 0, SLACK);
}

/* The zero page gives way to a page of one's own, without a third fault. */
TEST(write_after_zero_page)
{
	char *p = map_anon(PAGES * PAGE_SIZE);

	sum(p, PAGES);
	CHECK_RANGE(GROWTH("pgfault", { touch(p, PAGES); }), PAGES, PAGES + SLACK);
	CHECK_EQ(sum(p, PAGES), PAGES);
}

TEST(file_read_around)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	long long read = vmstat("fault_file_read"), around = vmstat("fault_file_around");

	CHECK_RANGE(GROWTH("pgfault", { sum(p, PAGES); }), 1, PAGES / 2);
	CHECK(vmstat("fault_file_read") + vmstat("fault_file_around") > read + around);
}

TEST(file_absent_from_the_cache_is_a_major_fault)
{
	int fd = CHECK_OK(open(data_path("cold"), O_RDONLY));
	char *p = CHECK_OK(mmap(NULL, 16 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));
	long long major = vmstat("pgmajfault"), retry = vmstat("fault_io_retry");

	CHECK(major > 0);
	CHECK_EQ(p[0], 'R');
	if (vmstat("pgmajfault") == major)
		SKIP("the file was read before in this boot");
	CHECK(vmstat("fault_io_retry") > retry);
}

static long major_faults(void)
{
	struct rusage usage;

	CHECK_OK(getrusage(RUSAGE_SELF, &usage));
	return usage.ru_majflt;
}

/* A page that is made, not read, is nobody's wait. */
TEST(memory_without_a_disk_has_no_major_faults)
{
	int fd = CHECK_OK(memfd_create("fault", 0));
	long before = major_faults();
	char *p = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char *q;

	CHECK_OK(ftruncate(fd, PAGES * PAGE_SIZE));
	q = CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	memset(p, 1, PAGES * PAGE_SIZE);
	memset(q, 1, PAGES * PAGE_SIZE);
	CHECK_EQ(major_faults(), before);
	CHECK_OK(close(fd));
}

TEST(file_private_write_copies_at_once)
{
	int fd = CHECK_OK(open(self_path(), O_RDONLY));
	char *p =
		CHECK_OK(mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));

	CHECK_RANGE(GROWTH("fault_file_cow", { touch(p, PAGES); }), PAGES, PAGES + SLACK);
}

TEST(copy_on_write_copies_for_the_child)
{
	char *p = map_anon(PAGES * PAGE_SIZE);
	long long growth;

	touch(p, PAGES);
	growth = GROWTH("fault_cow_copy", { CHECK_CHILD({ touch(p, PAGES); }); });
	CHECK_RANGE(growth, PAGES, PAGES + 3 * SLACK);
}

TEST(the_last_owner_reuses)
{
	char *p = map_anon(PAGES * PAGE_SIZE);
	long long copies;

	touch(p, PAGES);
	CHECK_CHILD({ (void)0; });
	copies = vmstat("fault_cow_copy");
	CHECK_RANGE(GROWTH("fault_cow_reuse", { touch(p, PAGES); }), PAGES, PAGES + SLACK);
	CHECK_RANGE(vmstat("fault_cow_copy") - copies, 0, SLACK);
}

/* One page of stack a call; the last use keeps it from being a loop. */
static __attribute__((noinline)) int use_stack(int pages)
{
	volatile char frame[PAGE_SIZE];

	frame[0] = pages;
	return pages ? use_stack(pages - 1) + frame[0] : 0;
}

TEST(stack_growth)
{
	CHECK_RANGE(GROWTH("fault_stack_grow", { use_stack(4 * PAGES); }), 1, 4 * PAGES + SLACK);
}

static volatile char *shared_pages;
static volatile int shared_go;

static int toucher(void *arg)
{
	(void)arg;
	while (!shared_go)
		;
	for (int i = 0; i < 512; i++)
		shared_pages[i * PAGE_SIZE] = 1;
	return 0;
}

/* Two harts touch the same pages at the same time: one of them comes second. */
TEST(spurious)
{
	if (test_harts() < 2)
		SKIP("needs two harts");
	for (int round = 0; round < 200; round++) {
		long long before = vmstat("fault_spurious");
		pid_t pid;

		shared_pages = map_anon(512 * PAGE_SIZE);
		shared_go = 0;
		pid = spawn_sharing(toucher, NULL);
		test_pause(1);
		shared_go = 1;
		toucher(NULL);
		CHECK_EXIT(pid, 0);
		CHECK_OK(munmap((void *)shared_pages, 512 * PAGE_SIZE));
		if (vmstat("fault_spurious") > before)
			return;
		test_progress();
	}
	CHECK(!"one spurious fault in 200 rounds");
}

TEST(segv_maperr)
{
	volatile char *volatile low = (char *)0x20;

	CHECK_RANGE(GROWTH("fault_sigsegv_maperr", { CHECK_SIGNAL({ *low = 1; }, SIGSEGV); }), 1,
		    1);
	CHECK_RANGE(GROWTH("fault_sigsegv_maperr",
			   { CHECK_SIGNAL({ (void)*(volatile char *)KERNEL_ADDRESS; }, SIGSEGV); }),
		    1, 1);
}

TEST(segv_accerr)
{
	volatile char *p =
		CHECK_OK(mmap(NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	CHECK_RANGE(GROWTH("fault_sigsegv_accerr", { CHECK_SIGNAL({ *p = 1; }, SIGSEGV); }), 1, 1);
}

TEST(sigbus_past_the_end)
{
	int fd = CHECK_OK(open(data_path("small"), O_RDONLY));
	volatile char *p = CHECK_OK(mmap(NULL, 2 * PAGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0));

	CHECK_RANGE(GROWTH("fault_sigbus", { CHECK_SIGNAL({ (void)p[PAGE_SIZE]; }, SIGBUS); }), 1,
		    1);
}

/* The kernel's own access to a bad user address is fixed up and becomes EFAULT. */
TEST(kernel_fixup)
{
	char *p = map_anon(PAGE_SIZE);
	int fds[2];

	CHECK_OK(pipe(fds));
	CHECK_OK(munmap(p, PAGE_SIZE));
	CHECK_RANGE(GROWTH("fault_kernel_fixup", { CHECK_ERRNO(write(fds[1], p, 1), EFAULT); }), 1,
		    2);
}

/* The kernel's access to a good address that was never touched is served as a user's would be. */
TEST(kernel_access_takes_the_same_path)
{
	char *p = map_anon(PAGES * PAGE_SIZE);
	int fd = CHECK_OK(open("/dev/zero", O_RDONLY));

	CHECK_RANGE(GROWTH("fault_demand_zero",
			   { CHECK_EQ(read(fd, p, PAGES * PAGE_SIZE), PAGES * PAGE_SIZE); }),
		    PAGES, PAGES + SLACK);
}

/* One failing allocation with memory to be had: the fault is tried again, or ends the process. */
TEST(an_allocation_that_fails_once)
{
	volatile char *p = map_anon(PAGE_SIZE);
	long long before = vmstat("alloc_fail_injected");
	pid_t pid = CHECK_OK(fork());
	int status;

	if (pid == 0) {
		int fd = CHECK_OK(open("/proc/self/fail_alloc", O_WRONLY));

		CHECK_EQ(write(fd, "1", 1), 1);
		*p = 1;
		_exit(*p == 1 ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
	CHECK(vmstat("alloc_fail_injected") > before);
	CHECK_EQ(p[0], 0);
}

/* More memory than the machine has: the OOM killer takes the process that took it. */
TEST(out_of_memory)
{
	long long before = vmstat("fault_oom") + vmstat("oom_kill");
	long long total_kb = meminfo_kb("MemTotal");

	if (total_kb > 600 << 10)
		SKIP("filling so much memory takes too long");
	CHECK_SIGNAL(
		{
			size_t size = (total_kb << 10) + (8 << 20);
			volatile char *p =
				CHECK_OK(mmap(NULL, size, PROT_READ | PROT_WRITE,
					      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

			touch(p, size / PAGE_SIZE);
		},
		SIGKILL);
	CHECK(vmstat("fault_oom") + vmstat("oom_kill") > before);
}
