/*
 * test.c - runs the unit tests: unit [FILE[.NAME]...]. Prints KTAP as usr/bin/runtests does.
 *
 *	parent --fork--> child: machine_boot(), the test, machine_check_rest(), exit 0
 *
 * Each child has a limit of time. Exit status 0: all passed; 1: some failed; 2: no such test.
 */
#include "tests/host/test.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECONDS_EACH 60
#define MAX_TESTS    1024
#define NAME_SIZE    256

static struct host_test *tests[MAX_TESTS];
static unsigned nr_tests;

void host_test_add(struct host_test *test)
{
	if (nr_tests == MAX_TESTS)
		abort();
	tests[nr_tests++] = test;
}

void host_test_fail(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("  # %s:%d: ", file, line);
	vprintf(fmt, ap);
	printf("\n");
	fflush(NULL);
	_exit(1);
}

/* "vma" of "tests/host/unit/vma.c". */
static void suite_name(const struct host_test *test, char *buf, size_t size)
{
	const char *slash = strrchr(test->file, '/');

	snprintf(buf, size, "%s", slash ? slash + 1 : test->file);
	buf[strcspn(buf, ".")] = '\0';
}

static bool matches(const struct host_test *test, const char *word)
{
	char suite[NAME_SIZE], full[2 * NAME_SIZE];

	suite_name(test, suite, sizeof(suite));
	snprintf(full, sizeof(full), "%s.%s", suite, test->name);
	return strcmp(word, suite) == 0 || strcmp(word, full) == 0;
}

static void child(const struct host_test *test)
{
	/* The output of a failing test is remarks: lines of its own begin with a #. */
	dup2(STDOUT_FILENO, STDERR_FILENO);
	alarm(SECONDS_EACH);
	if (!test->bare)
		machine_boot(TEST_PAGES, TEST_HARTS);
	test->fn();
	if (!test->bare)
		machine_check_rest();
	host_exit();
}

static bool run(const struct host_test *test, unsigned number)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0)
		child(test);
	waitpid(pid, &status, 0);
	if (status == 0)
		printf("  ok %u - %s\n", number, test->name);
	else if (WIFSIGNALED(status))
		printf("  not ok %u - %s # %s\n", number, test->name,
		       WTERMSIG(status) == SIGALRM ? "timed out" : strsignal(WTERMSIG(status)));
	else
		printf("  not ok %u - %s # exit %d\n", number, test->name, WEXITSTATUS(status));
	return status == 0;
}

/* Runs those of @word, which are neighbours when a suite; returns false if one failed. */
static bool run_word(const char *word, unsigned number)
{
	unsigned planned = 0, done = 0, failed = 0;

	for (unsigned i = 0; i < nr_tests; i++)
		planned += matches(tests[i], word);
	printf("  KTAP version 1\n  1..%u\n", planned);
	for (unsigned i = 0; i < nr_tests; i++) {
		if (matches(tests[i], word))
			failed += !run(tests[i], ++done);
	}
	printf("%s %u - %s\n", failed ? "not ok" : "ok", number, word);
	return !failed;
}

static int by_place(const void *a, const void *b)
{
	return strcmp((*(struct host_test *const *)a)->file, (*(struct host_test *const *)b)->file);
}

int main(int argc, char **argv)
{
	static char words[MAX_TESTS][NAME_SIZE];
	char symbol[NAME_SIZE];
	unsigned nr = 0;
	bool good = true;

	for (int i = 1; i < argc; i++)
		snprintf(words[nr++], sizeof(words[0]), "%s", argv[i]);
	/* Without words: every file, in order of its name; its tests stay in theirs. */
	qsort(tests, nr_tests, sizeof(tests[0]), by_place);
	for (unsigned i = 0; argc == 1 && i < nr_tests; i++) {
		char suite[NAME_SIZE];

		suite_name(tests[i], suite, sizeof(suite));
		if (nr == 0 || strcmp(words[nr - 1], suite) != 0)
			strcpy(words[nr++], suite);
	}
	for (unsigned w = 0; w < nr; w++) {
		bool known = false;

		for (unsigned i = 0; i < nr_tests; i++)
			known |= matches(tests[i], words[w]);
		if (!known) {
			fprintf(stderr, "unit: there is no test %s\n", words[w]);
			return 2;
		}
	}
	printf("KTAP version 1\n1..%u\n", nr);
	/* Reads the debug information once, instead of in each child (lockdep asks for names). */
	host_symbol((unsigned long)main, symbol, sizeof(symbol));
	for (unsigned w = 0; w < nr; w++)
		good &= run_word(words[w], w + 1);
	return good ? 0 : 1;
}
