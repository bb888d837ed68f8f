/*
 * exec.c - execve(): arguments, environment, auxiliary vector, scripts, and its errno values.
 */
#include "usr/lib/test.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testutil.h"

extern char **environ;

static char *const no_env[] = { NULL };

/* Fork and execve; the child's exit status is 200 + errno when execve fails. */
static pid_t spawn(const char *path, char *const argv[], char *const envp[])
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		execve(path, argv, envp);
		_exit(200 + errno);
	}
	return pid;
}

/* execve in this process must fail. */
static int exec_errno(const char *path)
{
	char *argv[] = { "name", NULL };

	return execve(path, argv, no_env) == -1 ? errno : 0;
}

static int compare_args(int argc, char **argv, const char *const expected[])
{
	int i;

	for (i = 0; i < argc && expected[i]; i++)
		if (strcmp(argv[i], expected[i])) {
			test_note("argument %d: expected %s, got %s", i, expected[i], argv[i]);
			return 1;
		}
	return i == argc && !expected[i] && !argv[argc] ? 42 : 2;
}

CHILD(args)
{
	const char *const expected[] = { "zero", "--child=args", "", "two words", "three", NULL };

	return compare_args(argc, argv, expected);
}

TEST(arguments)
{
	char *argv[] = { "zero", "--child=args", "", "two words", "three", NULL };

	CHECK_EXIT(spawn(self_path(), argv, no_env), 42);
}

CHILD(environment)
{
	const char *const expected[] = { "A=1", "EMPTY=", "B=two words", NULL };
	int count = 0;

	while (environ[count])
		count++;
	return compare_args(count, environ, expected);
}

TEST(environment)
{
	char *argv[] = { "x", "--child=environment", NULL };
	char *envp[] = { "A=1", "EMPTY=", "B=two words", NULL };

	CHECK_EXIT(spawn(self_path(), argv, envp), 42);
}

/* The stack as Linux lays it out: argc, argv, NULL, envp, NULL, auxv; strings above. */
CHILD(layout)
{
	char **envp = argv + argc + 1;
	Elf64_auxv_t *auxv;
	unsigned long seen = 0;

	CHECK_EQ(((long *)argv)[-1], argc);
	CHECK_EQ((uintptr_t)((long *)argv - 1) % 16, 0);
	CHECK_EQ((uintptr_t)envp, (uintptr_t)environ);
	while (*envp)
		envp++;
	for (auxv = (Elf64_auxv_t *)(envp + 1); auxv->a_type != AT_NULL; auxv++)
		if (auxv->a_type < 64)
			seen |= 1UL << auxv->a_type;
	for (int type = AT_PHDR; type <= AT_ENTRY; type++)
		if (type != AT_NOTELF)
			CHECK(seen >> type & 1);
	CHECK((char *)auxv < argv[0]);
	CHECK(seen >> AT_RANDOM & 1);
	CHECK(seen >> AT_SECURE & 1);
	return 42;
}

TEST(stack_layout)
{
	CHECK_EXIT(spawn_self("layout", "a", "bb", NULL), 42);
}

TEST(auxiliary_vector)
{
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)getauxval(AT_PHDR);
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	bool any = false, load = false;

	CHECK_EQ(getauxval(AT_PAGESZ), PAGE_SIZE);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK_EQ(getauxval(AT_UID), getuid());
	CHECK_EQ(getauxval(AT_EUID), geteuid());
	CHECK_EQ(getauxval(AT_GID), getgid());
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK(getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_ENTRY) != 0);
	for (size_t i = 0; i < getauxval(AT_PHNUM); i++)
		load |= phdr[i].p_type == PT_LOAD;
	CHECK(load);
	for (int i = 0; i < 16; i++)
		any |= random[i] != 0;
	CHECK(any);
}

CHILD(random_bytes)
{
	unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);

	return write(STDOUT_FILENO, random, 16) == 16 ? 0 : 1;
}

TEST(at_random_differs_each_time)
{
	char bytes[2][16];

	for (int i = 0; i < 2; i++) {
		int fds[2], out = CHECK_OK(dup(STDOUT_FILENO));
		pid_t pid;

		CHECK_OK(pipe(fds));
		CHECK_OK(dup2(fds[1], STDOUT_FILENO));
		pid = spawn_self("random_bytes", NULL, NULL, NULL);
		CHECK_OK(dup2(out, STDOUT_FILENO));
		close(fds[1]); /* a child that could not be started is the end of the pipe */
		CHECK_EQ(read(fds[0], bytes[i], 16), 16);
		CHECK_EXIT(pid, 0);
	}
	CHECK(memcmp(bytes[0], bytes[1], 16) != 0);
}

CHILD(long_argument)
{
	size_t length = strlen(argv[2]);

	for (size_t i = 0; i < length; i++)
		if (argv[2][i] != 'a' + (char)(i % 26))
			return 1;
	return length == 100000 ? 42 : 2;
}

TEST(a_long_argument_arrives_whole)
{
	static char text[100001];
	char *argv[] = { "x", "--child=long_argument", text, NULL };

	for (int i = 0; i < 100000; i++)
		text[i] = 'a' + i % 26;
	CHECK_EXIT(spawn(self_path(), argv, no_env), 42);
}

CHILD(many_arguments)
{
	return argc == 3002 && !strcmp(argv[3001], "argument") ? 42 : 1;
}

TEST(many_arguments)
{
	static char *argv[3003] = { "x", "--child=many_arguments" };

	for (int i = 2; i < 3002; i++)
		argv[i] = "argument";
	CHECK_EXIT(spawn(self_path(), argv, no_env), 42);
}

TEST(too_long_is_e2big)
{
	size_t size = 200000;
	char *text = map_anon(size);
	static char *argv[400] = { "x" };

	memset(text, 'x', size - 1);
	argv[1] = text;
	CHECK_ERRNO(execve(self_path(), argv, no_env), E2BIG);
	CHECK_ERRNO(execve(self_path(), no_env, argv), E2BIG);
	text[100000] = 0;
	for (int i = 1; i < 399; i++)
		argv[i] = text;
	CHECK_ERRNO(execve(self_path(), argv, no_env), E2BIG);
}

TEST(paths_that_are_not_there)
{
	static char path[5000];

	CHECK_EQ(exec_errno("/tmp/no such file"), ENOENT);
	CHECK_EQ(exec_errno(""), ENOENT);
	CHECK_EQ(exec_errno("/no/such/directory"), ENOENT);
	CHECK_EQ(exec_errno("/dev/null/x"), ENOTDIR);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	CHECK_EQ(exec_errno(path), ENAMETOOLONG);
	path[300] = 0;
	CHECK_EQ(exec_errno(path), ENAMETOOLONG);
}

TEST(what_may_not_be_executed_is_eacces)
{
	const char *path = tmp_path("plain");

	CHECK_EQ(exec_errno("/tmp"), EACCES);
	CHECK_EQ(exec_errno("/dev/null"), EACCES);
	write_file(path, "\177ELF", 4);
	CHECK_OK(chmod(path, 0644));
	CHECK_EQ(exec_errno(path), EACCES);
	CHECK_OK(unlink(path));
}

TEST(not_a_program_is_enoexec)
{
	static const char *const texts[] = { "", "x", "hello, world\n", "#!\n", "#!  \n", "#\n" };
	const char *path = tmp_path("text");

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		write_file(path, texts[i], strlen(texts[i]));
		CHECK_EQ(exec_errno(path), ENOEXEC);
		CHECK_OK(unlink(path));
	}
}

CHILD(script)
{
	const char *const expected[] = {
		self_path(), "--child=script", argv[2], "one", "two", NULL
	};

	return strstr(argv[2], "script") ? compare_args(argc, argv, expected) : 3;
}

static void write_script(const char *path, const char *format, const char *interpreter)
{
	char text[600];

	snprintf(text, sizeof(text), format, interpreter);
	write_file(path, text, strlen(text));
}

TEST(a_script_runs_its_interpreter)
{
	static const char *const forms[] = {
		"#!%s --child=script\nrest\n",
		"#! %s   --child=script  \n",
		"#!\t%s\t--child=script",
	};
	const char *path = tmp_path("script");
	char *argv[] = { "ignored", "one", "two", NULL };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		write_script(path, forms[i], self_path());
		CHECK_EXIT(spawn(path, argv, no_env), 42);
		CHECK_OK(unlink(path));
	}
}

CHILD(one)
{
	return argc == 5 && !strcmp(argv[3], argv[4]) ? 42 : argc;
}

/* The interpreter of a script may be a script; each adds its own path in front. */
TEST(nested_scripts)
{
	const char *path = tmp_path("inner");
	char outer[128], *argv[] = { "x", outer, NULL };

	snprintf(outer, sizeof(outer), "%s.outer", path);
	write_script(path, "#!%s --child=one\n", self_path());
	write_script(outer, "#!%s\n", path);
	CHECK_EXIT(spawn(outer, argv, no_env), 42);
	CHECK_OK(unlink(path));
	CHECK_OK(unlink(outer));
}

TEST(a_script_that_is_its_own_interpreter_is_eloop)
{
	const char *path = tmp_path("loop");

	write_script(path, "#!%s\n", path);
	CHECK_EQ(exec_errno(path), ELOOP);
	CHECK_OK(unlink(path));
}

TEST(bad_interpreters)
{
	const char *path = tmp_path("bad");
	char long_path[400];

	write_script(path, "#!%s\n", "/no/such/interpreter");
	CHECK_EQ(exec_errno(path), ENOENT);
	write_script(path, "#!%s\n", "/tmp");
	CHECK_EQ(exec_errno(path), EACCES);
	memset(long_path, 'i', sizeof(long_path) - 1);
	long_path[0] = '/';
	long_path[sizeof(long_path) - 1] = 0;
	write_script(path, "#!%s\n", long_path);
	CHECK_EQ(exec_errno(path), ENOEXEC);
	CHECK_OK(unlink(path));
}

CHILD(descriptors)
{
	char byte;

	CHECK_ERRNO(read(atoi(argv[2]), &byte, 1), EBADF);
	CHECK_EQ(read(atoi(argv[3]), &byte, 1), 1);
	return byte == 'k' ? 42 : 1;
}

TEST(close_on_exec)
{
	int closed[2], kept[2];
	char arg1[16], arg2[16];

	CHECK_OK(pipe2(closed, O_CLOEXEC));
	CHECK_OK(pipe(kept));
	CHECK_EQ(write(kept[1], "k", 1), 1);
	snprintf(arg1, sizeof(arg1), "%d", closed[0]);
	snprintf(arg2, sizeof(arg2), "%d", kept[0]);
	CHECK_EXIT(spawn_self("descriptors", arg1, arg2, NULL), 42);
}

CHILD(memory)
{
	return count_maps(atol(argv[2]), atol(argv[2]) + PAGE_SIZE) ? 1 : 42;
}

TEST(the_old_memory_is_gone)
{
	char *p = CHECK_OK(mmap((void *)0x2345670000, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	char address[32];

	snprintf(address, sizeof(address), "%ld", (long)p);
	CHECK_EXIT(spawn_self("memory", address, NULL, NULL), 42);
}

CHILD(same_pid)
{
	return getpid() == atoi(argv[2]) ? 42 : 1;
}

TEST(the_pid_stays)
{
	pid_t pid = CHECK_OK(fork());

	if (pid == 0) {
		char text[16];

		snprintf(text, sizeof(text), "%d", getpid());
		execl(self_path(), "x", "--child=same_pid", text, NULL);
	}
	CHECK_EXIT(pid, 42);
}

TEST(a_failed_exec_changes_nothing)
{
	const char *path = tmp_path("bad");
	char *p = map_anon(PAGE_SIZE);

	*p = 3;
	write_file(path, "nonsense", 8);
	CHECK_EQ(exec_errno(path), ENOEXEC);
	CHECK_OK(unlink(path));
	CHECK_EQ(*p, 3);
}

TEST(the_vfork_way)
{
	for (int i = 0; i < 20; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execl("/proc/self/exe", "x", "--child=none", NULL);
			_exit(1);
		}
		CHECK_EXIT(pid, 125);
	}
}

CHILD(again)
{
	char left[16];

	if (argc < 3 || !atoi(argv[2]))
		return 42;
	snprintf(left, sizeof(left), "%d", atoi(argv[2]) - 1);
	execl(self_path(), argv[0], argv[1], left, NULL);
	return 1;
}

TEST(exec_twenty_times_in_a_row)
{
	CHECK_EXIT(spawn_self("again", "20", NULL, NULL), 42);
}

TEST(heap_and_mmap_are_not_executable)
{
#if defined(__riscv)
	static const unsigned int ret[2] = { 0x00008067, 0 };
#else
	static const unsigned char ret[2] = { 0xc3, 0 };
#endif
	char *heap = malloc(64), *map = map_anon(PAGE_SIZE);

	memcpy(heap, ret, sizeof(ret));
	memcpy(map, ret, sizeof(ret));
	CHECK_SIGNAL({ ((void (*)(void))heap)(); }, SIGSEGV);
	CHECK_SIGNAL({ ((void (*)(void))map)(); }, SIGSEGV);
	CHECK_OK(mprotect(map, PAGE_SIZE, PROT_READ | PROT_EXEC));
	__builtin___clear_cache(map, map + 64);
	((void (*)(void))map)();
}

TEST(text_is_not_writable_and_rodata_not_executable)
{
	static const char constant[] = "constant";
	volatile uintptr_t text = (uintptr_t)&spawn;
	struct map_line line;

	CHECK(find_map(text, &line));
	CHECK_STRING(line.prot, "r-xp");
	CHECK(find_map((uintptr_t)constant, &line));
	CHECK_EQ(line.prot[1], '-');
	CHECK_SIGNAL({ *(volatile char *)text = 0; }, SIGSEGV);
}
