/*
 * condition.c - the conditions of test and [, for the shell's builtins and the programs.
 *
 *   or    : and { -o and }      and : not { -a not }
 *   not   : ! not | ( or ) | -op word | word op word | word
 *
 * Invariants: `next` <= `end`; an error is printed once and makes the status 2.  Locks: none.
 */
#include "usr/lib/condition.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "usr/lib/tool.h"

struct test {
	char **next;
	char **end;
	bool failed;
};

static bool test_or(struct test *test);

static bool fail(struct test *test, const char *what, const char *why)
{
	if (!test->failed)
		warn("test: %s: %s", what, why);
	test->failed = true;
	test->next = test->end;
	return false;
}

static bool at(const struct test *test, const char *word)
{
	return test->next < test->end && strcmp(*test->next, word) == 0;
}

static bool is_binary(const char *word)
{
	static const char *const operators[] = {
		"=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
	};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (strcmp(word, operators[i]) == 0)
			return true;
	return false;
}

static bool is_unary(const char *word)
{
	return word[0] == '-' && word[1] && !word[2] && strchr("bcdefghkLprsStuwxnz", word[1]);
}

static bool file_newer(const char *a, const char *b)
{
	struct stat sa, sb;

	if (stat(a, &sa) < 0)
		return false;
	if (stat(b, &sb) < 0)
		return true;
	return sa.st_mtim.tv_sec != sb.st_mtim.tv_sec ? sa.st_mtim.tv_sec > sb.st_mtim.tv_sec :
							sa.st_mtim.tv_nsec > sb.st_mtim.tv_nsec;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

static bool binary(struct test *test, const char *a, const char *op, const char *b)
{
	long long x, y;

	if (op[0] != '-')
		return (strcmp(a, b) == 0) == (op[0] == '=');
	if (strcmp(op, "-ef") == 0)
		return same_file(a, b);
	if (strcmp(op, "-nt") == 0)
		return file_newer(a, b);
	if (strcmp(op, "-ot") == 0)
		return file_newer(b, a);
	if (parse_number(a, LLONG_MIN, LLONG_MAX, &x) < 0)
		return fail(test, a, "not a number");
	if (parse_number(b, LLONG_MIN, LLONG_MAX, &y) < 0)
		return fail(test, b, "not a number");
	switch (op[1] << 8 | op[2]) {
	case 'e' << 8 | 'q':
		return x == y;
	case 'n' << 8 | 'e':
		return x != y;
	case 'l' << 8 | 't':
		return x < y;
	case 'l' << 8 | 'e':
		return x <= y;
	case 'g' << 8 | 't':
		return x > y;
	default:
		return x >= y;
	}
}

static bool unary(struct test *test, char op, const char *word)
{
	struct stat st;
	long long fd;

	switch (op) {
	case 'n':
		return *word;
	case 'z':
		return !*word;
	case 'r':
		return access(word, R_OK) == 0;
	case 'w':
		return access(word, W_OK) == 0;
	case 'x':
		return access(word, X_OK) == 0;
	case 'h':
	case 'L':
		return lstat(word, &st) == 0 && S_ISLNK(st.st_mode);
	case 't':
		if (parse_number(word, 0, INT_MAX, &fd) < 0)
			return fail(test, word, "not a descriptor");
		return isatty(fd);
	}
	if (stat(word, &st) < 0)
		return false;
	switch (op) {
	case 'b':
		return S_ISBLK(st.st_mode);
	case 'c':
		return S_ISCHR(st.st_mode);
	case 'd':
		return S_ISDIR(st.st_mode);
	case 'f':
		return S_ISREG(st.st_mode);
	case 'p':
		return S_ISFIFO(st.st_mode);
	case 's':
		return st.st_size > 0;
	case 'u':
		return st.st_mode & S_ISUID;
	case 'g':
		return st.st_mode & S_ISGID;
	case 'k':
		return st.st_mode & S_ISVTX;
	case 'S':
		return S_ISSOCK(st.st_mode);
	default:
		return true;
	}
}

static bool test_not(struct test *test)
{
	char **word = test->next;
	long left = test->end - word;
	bool result;

	if (left == 0)
		return fail(test, "condition", "expected");
	if (left >= 3 && is_binary(word[1])) {
		test->next += 3;
		return binary(test, word[0], word[1], word[2]);
	}
	if (left >= 2 && at(test, "!")) {
		test->next++;
		return !test_not(test);
	}
	if (left >= 3 && at(test, "(")) {
		test->next++;
		result = test_or(test);
		if (!at(test, ")"))
			return fail(test, ")", "expected");
		test->next++;
		return result;
	}
	if (left >= 2 && is_unary(word[0])) {
		test->next += 2;
		return unary(test, word[0][1], word[1]);
	}
	test->next++;
	return **word;
}

static bool test_and(struct test *test)
{
	bool result = test_not(test);

	while (at(test, "-a")) {
		test->next++;
		result &= test_not(test);
	}
	return result;
}

static bool test_or(struct test *test)
{
	bool result = test_and(test);

	while (at(test, "-o")) {
		test->next++;
		result |= test_and(test);
	}
	return result;
}

int test_condition(int argc, char **argv)
{
	struct test test = { .next = argv + 1, .end = argv + argc };
	bool result;

	if (strcmp(argv[0], "[") == 0) {
		if (argc < 2 || strcmp(argv[argc - 1], "]") != 0) {
			warn("[: missing ]");
			return STATUS_TROUBLE;
		}
		test.end--;
	}
	if (test.next == test.end)
		return 1;
	result = test_or(&test);
	if (test.next < test.end)
		fail(&test, *test.next, "unexpected");
	return test.failed ? STATUS_TROUBLE : !result;
}
