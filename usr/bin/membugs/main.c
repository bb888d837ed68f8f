/*
 * main.c - membugs: the ten classic memory bugs, to be watched.
 *
 *   membugs            what there is
 *   membugs N          makes mistake N in a child, and tells how that ends
 *
 * The allocator is in the first lines: what becomes of a bug depends on it. With libumalloc the
 * environment chooses how closely it looks: UMALLOC=check, UMALLOC=fence. docs/membugs.md explains
 * each bug with its output.
 *
 * Invariants: status 0, whatever became of the child.  Locks: none.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usr/bin/membugs/membugs.h"
#include "usr/lib/tool.h"

struct bug {
	const char *title, *wrong, *right;
	void (*run)(void);
};

static const struct bug bugs[] = {
	{ "a bad pointer through scanf", "scanf(\"%d\", val)", "scanf(\"%d\", &val)", bad_pointer },
	{ "reading uninitialised heap memory", "y = malloc(n * sizeof(int))",
	  "y = calloc(n, sizeof(int))", uninitialised_read },
	{ "a stack buffer overflows", "gets(line)", "fgets(line, sizeof(line), stdin)",
	  buffer_overflow },
	{ "the size of a pointer is not that of what it points to",
	  "int **array = malloc(n * sizeof(int))", "malloc(n * sizeof(int *))", pointer_size },
	{ "off by one", "for (i = 0; i <= n; i++)", "for (i = 0; i < n; i++)", off_by_one },
	{ "operator precedence", "*size--", "(*size)--", operator_precedence },
	{ "pointer arithmetic counts objects, not bytes", "p += sizeof(int)", "p++",
	  pointer_arithmetic },
	{ "the address of a local variable", "return &val", "a variable of the caller, or malloc()",
	  dangling_address },
	{ "use after free", "free(x); ... x[i]++", "free(x) after the last use", use_after_free },
	{ "a leak", "x = malloc(n); return", "free(x); return", leak },
};

#define NR_BUGS ((int)(sizeof(bugs) / sizeof(bugs[0])))

/* Is there if this program was linked with libumalloc. */
extern void umalloc_info(void *info) __attribute__((weak));

static const char *allocator(void)
{
	static char text[64];
	const char *mode = getenv("UMALLOC");

	if (!umalloc_info)
		return "the C library's";
	snprintf(text, sizeof(text), "libumalloc, %s%s", mode ? "UMALLOC=" : "as usual",
		 mode ? mode : "");
	return text;
}

static void list_bugs(void)
{
	for (int i = 0; i < NR_BUGS; i++)
		printf("%2d  %-56s %s\n", i + 1, bugs[i].title, bugs[i].wrong);
}

static void tell_end(int status)
{
	if (WIFSIGNALED(status))
		printf("--- killed by SIG%s\n", signal_name(WTERMSIG(status)));
	else
		printf("--- exited with status %d\n", WEXITSTATUS(status));
}

static void run_bug(int nr)
{
	const struct bug *bug = &bugs[nr - 1];
	int status;
	pid_t pid;

	printf("bug %d: %s\n  wrong: %s\n  right: %s\n", nr, bug->title, bug->wrong, bug->right);
	printf("  malloc: %s\n---\n", allocator());
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die_errno(STATUS_FAILED, "fork");
	if (pid == 0) {
		explain_faults();
		bug->run();
		exit(close_stdout(0));
	}
	if (waitpid(pid, &status, 0) < 0)
		die_errno(STATUS_FAILED, "wait");
	tell_end(status);
}

int main(int argc, char **argv)
{
	long long nr;

	if (argc == 1)
		list_bugs();
	else if (argc == 2 && parse_number(argv[1], 1, NR_BUGS, &nr) == 0)
		run_bug(nr);
	else
		usage("membugs [1-10]");
	return close_stdout(0);
}
