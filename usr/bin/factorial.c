/*
 * factorial.c - a recursion a million deep: how the stack grows, who pays, and what comes back.
 *
 *   factorial [-p] [depth]	-p: runs ps and pmap -x at the deepest point
 *
 *	[stack]  main()            the top, where exec put it
 *	         factorial(n)      a frame for each number, each a few words further down;
 *	         factorial(n-1)    a store into a page below the area is a page fault: the kernel
 *	         ...               lets the area grow down to it, as far as RLIMIT_STACK, and maps a
 *	         factorial(0)      page of zeros
 *	         |                 from here on the calls return; the pages stay the process's
 *	         v
 *	  guard gap, then what mmap placed below
 *
 * The work is done by a child, so that the parent sees what comes back when a process ends. The
 * factorial is taken modulo a prime, 1000000007.
 *
 * RLIMIT_STACK counts at each growth, so it may be raised at any time; but where mmap begins to
 * place areas below the stack is chosen by exec. If there is too little room the program raises the
 * limit and executes itself again.
 *
 * Invariants: the machine's free memory is the child's doing only if nothing else runs.
 * Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/lib/procinfo.h"
#include "usr/lib/run.h"
#include "usr/lib/tool.h"

#define PRIME	  1000000007UL
#define MARGIN	  (256 << 10) /* bytes of stack beside the frames: main, printf, the guard gap */
#define ENV_AGAIN "FACTORIAL_AGAIN"

static bool run_ps;
static unsigned long deepest; /* address in the last frame */

/* ---- what is looked at ---- */

/* The area of the stack, from smaps: KiB. */
struct stack_info {
	unsigned long start, end, below; /* its addresses; where the area before it ends */
	long long size, rss;
};

static void read_stack_info(struct stack_info *info)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long start, end, before = 0;
	bool inside = false;
	char line[512];

	memset(info, 0, sizeof(*info));
	if (!file)
		die_errno(STATUS_FAILED, "/proc/self/smaps");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx", &start, &end) == 2) {
			inside = strstr(line, "[stack]");
			if (inside)
				*info = (struct stack_info){ start, end, before, 0, 0 };
			before = end;
		} else if (inside) {
			sscanf(line, "Size: %lld", &info->size);
			sscanf(line, "Rss: %lld", &info->rss);
		}
	}
	fclose(file);
}

static long long status_field(const char *key)
{
	static char text[8192];

	if (read_small_file("/proc/self/status", text, sizeof(text)) < 0)
		return 0;
	return field_of(text, key);
}

static void print_titles(void)
{
	printf("%-22s%12s%12s%12s%12s%10s%14s\n", "", "stack area", "of it here", "process",
	       "its tables", "faults", "machine free");
}

static void print_machine(const char *when)
{
	struct memory_info memory;

	read_memory_info(&memory);
	printf("%-22s%12s%12s%12s%12s%10s%10lld KiB\n", when, "-", "-", "-", "-", "-",
	       memory.unused);
}

static void print_all(const char *when)
{
	struct memory_info memory;
	struct stack_info stack;
	struct rusage usage;

	read_memory_info(&memory);
	read_stack_info(&stack);
	getrusage(RUSAGE_SELF, &usage);
	printf("%-22s%8lld KiB%8lld KiB%8lld KiB%8lld KiB%10ld%10lld KiB\n", when, stack.size,
	       stack.rss, status_field("VmRSS"), status_field("VmPTE"), usage.ru_minflt,
	       memory.unused);
	fflush(stdout);
}

static void run_tools(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	run((char *[]){ "ps", NULL });
	run((char *[]){ "pmap", "-x", pid, NULL });
}

/* ---- the recursion ---- */

static void (*at_bottom)(void); /* called by the deepest call */

static void note_depth(void)
{
	deepest = (unsigned long)__builtin_frame_address(0);
}

static void tell_depth(void)
{
	note_depth();
	print_all("at the deepest call");
	if (run_ps)
		run_tools();
}

/*
 * One call is one frame: the compiler may not make a loop of it, nor keep `mine` in a register.
 */
__attribute__((noipa)) static unsigned long factorial(unsigned long n)
{
	volatile unsigned long mine = n;

	if (n == 0) {
		at_bottom();
		return 1;
	}
	return factorial(n - 1) * mine % PRIME;
}

/* Bytes of a frame, measured. */
static unsigned long frame_size(void)
{
	unsigned long first;

	at_bottom = note_depth;
	factorial(0);
	first = deepest;
	factorial(128);
	return (first - deepest) / 128;
}

/* ---- room for it ---- */

/* Raise RLIMIT_STACK to @need bytes if it is less. */
static void raise_limit(rlim_t need)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit))
		die_errno(STATUS_FAILED, "getrlimit");
	if (limit.rlim_cur >= need) {
		printf("RLIMIT_STACK is %llu KiB: enough.\n",
		       (unsigned long long)limit.rlim_cur / 1024);
		return;
	}
	printf("RLIMIT_STACK is %llu KiB; ", (unsigned long long)limit.rlim_cur / 1024);
	limit.rlim_cur = need;
	if (setrlimit(RLIMIT_STACK, &limit))
		die_errno(STATUS_FAILED, "cannot raise it to %llu KiB",
			  (unsigned long long)need / 1024);
	printf("raised to %llu KiB.\n", (unsigned long long)need / 1024);
}

/* If an area is in the way of @need bytes: execute this program again, with the limit as it is. */
static void make_room(unsigned long need, char **argv)
{
	struct stack_info stack;

	read_stack_info(&stack);
	if (stack.end - stack.below >= need)
		return;
	if (getenv(ENV_AGAIN))
		die(STATUS_FAILED, "%lu KiB of addresses for the stack are not enough",
		    (stack.end - stack.below) / 1024);
	printf("An area ends %lu KiB below the stack's top: executing again with the new limit.\n",
	       (stack.end - stack.below) / 1024);
	fflush(stdout);
	setenv(ENV_AGAIN, "1", 1);
	execv("/proc/self/exe", argv);
	die_errno(STATUS_FAILED, "/proc/self/exe");
}

/* ---- the child, and what is left of it ---- */

static void work(unsigned long depth)
{
	unsigned long result, top = (unsigned long)__builtin_frame_address(0);

	print_all("before");
	at_bottom = tell_depth;
	result = factorial(depth);
	print_all("after the last return");
	printf("%lu frames took %lu KiB; factorial(%lu) mod %lu = %lu\n", depth + 1,
	       (top - deepest) / 1024, depth, PRIME, result);
	exit(close_stdout(0));
}

/* The line that /proc/exits of Ravel has about @pid. */
static void print_exit(pid_t pid)
{
	FILE *file = fopen("/proc/exits", "r");
	char line[256], title[256] = "";

	while (file && fgets(line, sizeof(line), file)) {
		if (!*title)
			strcpy(title, line);
		else if (atoi(line) == pid)
			printf("\n/proc/exits, in pages:\n%s%s", title, line);
	}
	if (file)
		fclose(file);
}

static int run_child(unsigned long depth)
{
	int status;
	pid_t pid;

	print_titles();
	print_machine("before the child");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die_errno(STATUS_FAILED, "fork");
	if (pid == 0)
		work(depth);
	if (waitpid(pid, &status, 0) < 0)
		die_errno(STATUS_FAILED, "wait");
	print_machine("when it has ended");
	if (WIFSIGNALED(status)) {
		printf("The child was killed by SIG%s.\n", signal_name(WTERMSIG(status)));
		return STATUS_FAILED;
	}
	print_exit(pid);
	return WEXITSTATUS(status);
}

#define SYNOPSIS "factorial [-p] [depth]"

int main(int argc, char **argv)
{
	long long depth = 1000000;
	unsigned long need;
	int option;

	while ((option = getopt(argc, argv, "p")) != -1) {
		if (option == '?')
			usage(SYNOPSIS);
		run_ps = true;
	}
	if (argc - optind > 1 ||
	    (optind < argc && parse_number(argv[optind], 1, 1000000000, &depth)))
		usage(SYNOPSIS);
	need = ((depth + 1) * frame_size() + MARGIN + 4095) & -4096UL;
	printf("%lld calls deep, with frames of %lu bytes: %lu KiB of stack.\n", depth,
	       frame_size(), need / 1024);
	raise_limit(need);
	make_room(need, argv);
	return close_stdout(run_child(depth));
}
