/*
 * runtests.c - runs the programs of a directory as the subtests of one KTAP report.
 *
 *	runtests [-d directory] [program | program.TEST]...	(no names: every program, sorted)
 *
 *	KTAP version 1
 *	1..2
 *	  KTAP version 1        <- a program's output, indented by two spaces
 *	  1..1
 *	  ok 1 - name
 *	ok 1 - brk
 *	not ok 2 - fork # exit 1
 *
 * Exit status: 0 all passed, 1 some failed, 2 an unknown name or no program at all, 3 some could
 * not be started.
 * Invariant: holds still while a program runs (fixed buffers, no allocation), because the programs
 * compare the machine's free memory.  Locks: none.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROGRAMS 256
#define NAME_SIZE    256
#define PATH_SIZE    512
#define NOT_STARTED  127 /* exit status of the child whose execve() failed */

static const char *directory = "/tests";
static char *names[MAX_PROGRAMS];
static int nr_names;

static void write_all(const char *bytes, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			exit(1);
		bytes += n;
		length -= n;
	}
}

static void say(const char *line)
{
	write_all(line, strlen(line));
}

static void program_path(char *path, const char *name)
{
	snprintf(path, PATH_SIZE, "%s/%s", directory, name);
}

/* Is there a regular file of this name that can be executed? */
static int is_program(const char *name)
{
	char path[PATH_SIZE];
	struct stat st;

	program_path(path, name);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Fill names[] with every program of the directory. Returns 0, or -1 after a message. */
static int find_all(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir) {
		fprintf(stderr, "runtests: %s: %s\n", directory, strerror(errno));
		return -1;
	}
	while ((entry = readdir(dir)) && nr_names < MAX_PROGRAMS)
		if (is_program(entry->d_name)) {
			names[nr_names] = strdup(entry->d_name);
			if (!names[nr_names++])
				return -1;
		}
	closedir(dir);
	qsort(names, nr_names, sizeof(names[0]), compare_names);
	return 0;
}

/* Copy fd to our output until its end, each line indented. */
static void pass_through(int fd)
{
	static char in[2048], out[3 * sizeof(in) + 2];
	int line_start = 1;
	ssize_t n;

	while ((n = read(fd, in, sizeof(in))) > 0 || (n < 0 && errno == EINTR)) {
		size_t length = 0;

		for (ssize_t i = 0; i < n; i++) {
			if (line_start) {
				out[length++] = ' ';
				out[length++] = ' ';
			}
			line_start = in[i] == '\n';
			out[length++] = in[i];
		}
		write_all(out, length);
	}
	if (!line_start)
		say("\n");
}

/* Run one program, "name" or "name.TEST". Returns its wait status, or -1. */
static int run(const char *name)
{
	char program[NAME_SIZE], path[PATH_SIZE], *test;
	int fds[2], status;
	pid_t pid;

	snprintf(program, sizeof(program), "%s", name);
	test = strchr(program, '.');
	if (test)
		*test++ = 0;
	program_path(path, program);
	if (pipe(fds) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(path, path, test, NULL);
		_exit(NOT_STARTED);
	}
	close(fds[1]);
	if (pid > 0)
		pass_through(fds[0]);
	close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static int could_not_start(int status)
{
	return status == -1 || (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED);
}

/* Print the result line of program number n. Returns our exit status, were it the only one. */
static int report(int n, const char *name, int status)
{
	char line[PATH_SIZE + 64];

	if (status == 0)
		snprintf(line, sizeof(line), "ok %d - %s\n", n, name);
	else if (could_not_start(status))
		snprintf(line, sizeof(line), "not ok %d - %s # could not start\n", n, name);
	else if (WIFSIGNALED(status))
		snprintf(line, sizeof(line), "not ok %d - %s # killed by signal %d\n", n, name,
			 WTERMSIG(status));
	else
		snprintf(line, sizeof(line), "not ok %d - %s # exit %d\n", n, name,
			 WEXITSTATUS(status));
	say(line);
	return could_not_start(status) ? 3 : status != 0;
}

/* Take the names of the command line. Returns 0, or -1 after a message. */
static int take_names(int argc, char **argv)
{
	for (int i = 0; i < argc && nr_names < MAX_PROGRAMS; i++) {
		char program[NAME_SIZE];

		snprintf(program, sizeof(program), "%s", argv[i]);
		program[strcspn(program, ".")] = 0;
		if (!is_program(program)) {
			fprintf(stderr, "runtests: no program %s in %s\n", program, directory);
			return -1;
		}
		names[nr_names++] = argv[i];
	}
	return 0;
}

int main(int argc, char **argv)
{
	char line[64];
	int worst = 0, first = 1;

	if (argc > 2 && !strcmp(argv[1], "-d")) {
		directory = argv[2];
		first = 3;
	}
	if (first < argc ? take_names(argc - first, argv + first) : find_all())
		return 2;
	if (!nr_names) {
		fprintf(stderr, "runtests: no programs in %s\n", directory);
		return 2;
	}
	snprintf(line, sizeof(line), "KTAP version 1\n1..%d\n", nr_names);
	say(line);
	for (int i = 0; i < nr_names; i++) {
		int status = report(i + 1, names[i], run(names[i]));

		worst = status > worst ? status : worst;
	}
	return worst;
}
