/*
 * sh.c - the shell's language: each script of data/sh prints what its .out says.
 *
 *   data/sh/NAME.sh  --/bin/sh-->  pipe  ==  data/sh/NAME.out (written by dash, and read by us)
 *
 * On the host the same scripts run with the host's /bin/sh, and prove what the .out files say; SH
 * in the environment names another shell, as a native build of Ravel's own. Then garbage: whatever
 * a script says, the shell does not die of a signal.
 *
 * Locks: none.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testutil.h"

#define OUTPUT_SIZE 8192

static const char *shell_path(void)
{
	const char *path = getenv("SH");

	return path ? path : "/bin/sh";
}

/* Start the shell with @argv; its output goes to @out. Returns its pid. */
static pid_t start_shell(char *const argv[], int out)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execv(shell_path(), argv);
		_exit(126);
	}
	return pid;
}

/* Read all that comes from @fd, up to OUTPUT_SIZE - 1 bytes, as a string. */
static void read_all(int fd, char *buffer)
{
	size_t length = 0;
	ssize_t n;

	while ((n = CHECK_OK(read(fd, buffer + length, OUTPUT_SIZE - 1 - length))) > 0)
		length += n;
	buffer[length] = '\0';
}

/* Run data/sh/@name.sh and compare what it prints with data/sh/@name.out. */
static void check_script(const char *name)
{
	static char script[256], expected[OUTPUT_SIZE], found[OUTPUT_SIZE];
	char *argv[] = { "sh", script, NULL };
	char file[64];
	int ends[2];
	int status;
	pid_t pid;

	snprintf(script, sizeof(script), "sh/%s.out", name);
	CHECK_OK(read_text(data_path(script), expected, sizeof(expected)));
	snprintf(file, sizeof(file), "sh/%s.sh", name);
	snprintf(script, sizeof(script), "%s", data_path(file));
	CHECK_OK(pipe2(ends, O_CLOEXEC));
	pid = start_shell(argv, ends[1]);
	close(ends[1]);
	read_all(ends[0], found);
	close(ends[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	if (strcmp(found, expected) != 0)
		test_fail(__FILE__, __LINE__, "expected of %s:\n%s\nfound:\n%s", name, expected,
			  found);
}

#define SCRIPT(name)                                                                               \
	TEST(name)                                                                                 \
	{                                                                                          \
		check_script(#name);                                                               \
	}

SCRIPT(case)
SCRIPT(function)
SCRIPT(heredoc)
SCRIPT(substitution)
SCRIPT(params)
SCRIPT(ifs)
SCRIPT(arith)
SCRIPT(redirect)
SCRIPT(trap)
SCRIPT(signals)
SCRIPT(options)
SCRIPT(getopts)
SCRIPT(printf)
SCRIPT(test)
SCRIPT(builtins)

/* No command has a null byte in it, and a file of anything may be called a script. */
TEST(null_bytes_are_passed_over)
{
	static const char text[] = "ec\0ho a\0b c\0\n\0\0echo \0'd\0'\0 \0e\0";
	static const char name[] = "/tmp/null-bytes";
	static char found[OUTPUT_SIZE];
	char *argv[] = { "sh", (char *)name, NULL };
	int file = CHECK_OK(open(name, O_CREAT | O_TRUNC | O_WRONLY, 0600));
	int ends[2], status;
	pid_t pid;

	CHECK_EQ(write(file, text, sizeof(text)), sizeof(text));
	close(file);
	CHECK_OK(pipe2(ends, O_CLOEXEC));
	pid = start_shell(argv, ends[1]);
	close(ends[1]);
	read_all(ends[0], found);
	close(ends[0]);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_OK(unlink(name));
	CHECK_STRING(found, "ab c\nd e\n");
}

/* Pieces that mean something to a shell, so that garbage gets further than the first error. */
static const char *const pieces[] = {
	"case",	 "esac", "in",	 ";;",	  "if",	  "then", "fi",	 "while",  "do",     "done",
	"for",	 "x",	 "{",	 "}",	  "(",	  ")",	  "$(",	 "`",	   "\"",     "'",
	"\\",	 "${",	 "${x%", "${x:-", "$((",  "))",	  "<<E", "\nE\n",  "\n",     ";",
	"&&",	 "||",	 "|",	 ">&",	  "<&",	  "<",	  "!",	 "f()",	   " ",	     "$@",
	"$x",	 "*",	 "[",	 "]",	  "#",	  "=",	  "x=1", "local",  "return", "break",
	"eval ", "true", "+",	 "1",	  "? 2:", "-",	  "~",	 "<<-'F'", "\t",     "\377",
};

/* @size bytes at most of random pieces with ends. */
static void make_garbage(unsigned int *seed, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (int i = rand_r(seed) % 40 + 1; i > 0; i--) {
		const char *piece = pieces[rand_r(seed) % ARRAY_LEN(pieces)];

		length += snprintf(text + length, size - length, "%s%s", piece,
				   rand_r(seed) % 3 ? " " : "");
		if (length + 16 > size)
			break;
	}
}

static void check_survives(char *option, char *text)
{
	char *argv[] = { "sh", option, "-c", text, NULL };
	int null = CHECK_OK(open("/dev/null", O_WRONLY | O_CLOEXEC));
	pid_t pid = start_shell(argv, null);
	int status;

	close(null);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		test_fail(__FILE__, __LINE__, "signal %d after: sh %s -c '%s'", WTERMSIG(status),
			  option, text);
}

/* 10,000 pieces and more, only parsed. */
TEST(garbage_is_parsed)
{
	unsigned int seed = test_seed();
	char text[512];

	for (int i = 0; i < 500; i++) {
		make_garbage(&seed, text, sizeof(text));
		check_survives("-n", text);
	}
}

/* The same, run: without globbing, and with no programs to find. */
TEST(garbage_is_run)
{
	unsigned int seed = test_seed() + 1;
	char text[512];

	CHECK_OK(setenv("PATH", "/nonexistent", 1));
	CHECK_OK(chdir("/proc"));
	for (int i = 0; i < 100; i++) {
		make_garbage(&seed, text, sizeof(text));
		if (!strstr(text, "while"))
			check_survives("-f", text);
	}
}
