/*
 * tools.c - the programs of usr/bin: what a line of the shell prints, and its status.
 *
 * Each TEST runs lines of sh in an empty directory of its own under /tmp. On the host the tools are
 * the native builds in build/oracle/bin, and sh is the host's.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "usr/lib/testline.h"
#include "usr/lib/testutil.h"

#define OUTPUT_SIZE 8192

/* A line, what it prints (its errors too), and its exit status. */
struct line {
	const char *command;
	const char *output;
	int status;
};

static char directory[128];

static void check_line(const struct line *line)
{
	static char output[OUTPUT_SIZE];
	int status = run_line(line->command, output, sizeof(output));

	test_progress();
	if (status != line->status)
		test_fail(__FILE__, __LINE__, "expected status %d, got %d and \"%s\" (%s)",
			  line->status, status, output, line->command);
	if (strcmp(output, line->output))
		test_fail(__FILE__, __LINE__, "expected \"%s\", got \"%s\" (%s)", line->output,
			  output, line->command);
}

/* Run all lines in one new directory, and remove it. */
static void check_lines(const struct line *lines, size_t count)
{
	static char output[OUTPUT_SIZE];
	char command[200];

	set_tools_path();
	umask(022);
	snprintf(directory, sizeof(directory), "%s", tmp_path("d"));
	CHECK_OK(mkdir(directory, 0755));
	CHECK_OK(chdir(directory));
	for (size_t i = 0; i < count; i++)
		check_line(&lines[i]);
	CHECK_OK(chdir("/"));
	snprintf(command, sizeof(command), "rm -r %s", directory);
	CHECK_EQ(run_line(command, output, sizeof(output)), 0);
	CHECK_STRING(output, "");
}

#define CHECK_LINES(...)                                                                           \
	do {                                                                                       \
		static const struct line lines[] = { __VA_ARGS__ };                                \
		check_lines(lines, ARRAY_LEN(lines));                                              \
	} while (0)

TEST(copying)
{
	CHECK_LINES({ "echo one >a; cp a b && cat b", "one\n", 0 },
		    { "cp a a", "cp: 'a' and 'a' are the same file\n", 1 },
		    { "cp nope a b", "cp: b: not a directory\n", 1 },
		    { "mkdir d; cp nope a d; ls d", "cp: nope: No such file or directory\na\n", 0 },
		    { "cp nope d", "cp: nope: No such file or directory\n", 1 },
		    { "cp d e", "cp: -r not given: leaving out directory 'd'\n", 1 },
		    { "mkdir d/s; ln -s ../a d/s/l; cp -rv d e",
		      "'d' -> 'e'\n'd/a' -> 'e/a'\n'd/s' -> 'e/s'\n'd/s/l' -> 'e/s/l'\n", 0 },
		    { "readlink e/s/l", "../a\n", 0 },
		    { "cp -r d d/x", "cp: cannot copy directory 'd' into itself, 'd/x'\n", 1 },
		    { "cp d/a e/s; cp -rL e f; cat f/s/l", "one\n", 0 },
		    { "echo two >c; cp -n c b; cat b", "one\n", 0 },
		    { "echo n | cp -i c b; cat b", "cp: overwrite 'b'? one\n", 0 },
		    { "echo y | cp -i c b; cat b", "cp: overwrite 'b'? two\n", 0 },
		    { "chmod 776 c; cp c m; cp -p c p; stat -c %a m p", "754\n776\n", 0 },
		    { "touch -d @1000 c; cp -p c p; stat -c '%n %a %Y' c p",
		      "c 776 1000\np 776 1000\n", 0 },
		    { "ln c h; mkdir t; cp -a c h t; stat -c %h t/c", "2\n", 0 },
		    { "cp a d/s/nodir/x", "cp: d/s/nodir/x: No such file or directory\n", 1 });
}

TEST(copies_keep_holes)
{
	CHECK_LINES({ "dd if=/dev/zero of=s bs=1 count=1 seek=1M status=none", "", 0 },
		    { "echo x | dd of=s bs=1 seek=512K conv=notrunc status=none; cp s t; cmp s t",
		      "", 0 },
		    { "stat -c %s t; test $(stat -c %b t) -lt 100", "1048577\n", 0 });
}

TEST(moving_and_removing)
{
	CHECK_LINES({ "echo 1 >a; mv -v a b; cat b", "renamed 'a' -> 'b'\n1\n", 0 },
		    { "mv nope x", "mv: nope: No such file or directory\n", 1 },
		    { "mkdir d; mv b d; ls d", "b\n", 0 },
		    { "mkdir d/e; mv d d/e", "mv: 'd' to 'd/e/d': Invalid argument\n", 1 },
		    { "echo 2 >c; mv -n c d/b; cat c d/b", "2\n1\n", 0 },
		    { "mv c ./c", "mv: 'c' and './c' are the same file\n", 1 },
		    { "ln c h; ln c k; mv k c; ls", "c\nd\nh\n", 0 }, { "mv c d", "", 0 },
		    { "rm d", "rm: d: Is a directory\n", 1 },
		    { "rm -d d", "rm: d: Directory not empty\n", 1 },
		    { "rm nope; rm -f nope", "rm: nope: No such file or directory\n", 0 },
		    { "rm -r . d/..", "rm: refusing to remove '.'\nrm: refusing to remove 'd/..'\n",
		      1 },
		    { "echo n | rm -i h; ls h", "rm: remove 'h'? h\n", 0 },
		    { "ln -s ../h d/l; rm -rv d",
		      "removed 'd/b'\nremoved 'd/c'\nremoved directory 'd/e'\nremoved 'd/l'\n"
		      "removed directory 'd'\n",
		      0 },
		    { "ls", "h\n", 0 }, { "mkdir -p a/b/c; rmdir -p a/b/c; ls", "h\n", 0 },
		    { "mkdir h", "mkdir: h: File exists\n", 1 },
		    { "rm \"$(printf 'a\\r\\033')\"", "rm: a^M^[: No such file or directory\n", 1 },
		    { "mkdir -m 700 p; stat -c %A p", "drwx------\n", 0 });
}

TEST(links_and_times)
{
	CHECK_LINES({ "echo x >a; ln a b; stat -c %h a", "2\n", 0 },
		    { "ln a b", "ln: b: File exists\n", 1 },
		    { "ln -f a b", "ln: 'a' and 'b' are the same file\n", 1 },
		    { "ln -s a l; ln -sf b l; readlink l", "b\n", 0 },
		    { "mkdir d; ln -s d m; ln -sfn a m; readlink m; ls d", "a\n", 0 },
		    { "readlink a", "readlink: a: Invalid argument\n", 1 },
		    { "basename $(readlink -f l); basename /x/y.c .c; dirname /x/y/ z",
		      "b\ny\n/x\n.\n", 0 },
		    { "touch -d 2024-02-29 a; stat -c %y a",
		      "2024-02-29 00:00:00.000000000 +0000\n", 0 },
		    { "touch -m -t 202401020304.05 a; stat -c '%X %Y' a", "1709164800 1704164645\n",
		      0 },
		    { "touch -r a n; stat -c %Y n", "1704164645\n", 0 },
		    { "touch -c nope; ls nope", "ls: nope: No such file or directory\n", 2 },
		    { "touch -d 2024-02-30 a", "touch: 2024-02-30: not a date\n", 1 },
		    { "date -d @86399 '+%F %T'", "1970-01-01 23:59:59\n", 0 },
		    { "chmod 640 a; chmod u+x,g-r,o=r a; stat -c %A a", "-rwx---r--\n", 0 });
}

TEST(listing)
{
	CHECK_LINES({ "mkdir d; touch -d @0 d/old; touch -d @86400 d/new; touch d/.h; "
		      "echo 12345 >d/big; touch -d @5 d/big; ls d",
		      "big\nnew\nold\n", 0 },
		    { "ls -A d", ".h\nbig\nnew\nold\n", 0 },
		    { "ls -t d; ls -Sr d", "new\nbig\nold\nold\nnew\nbig\n", 0 },
		    { "ls -C d", "big  new  old\n", 0 },
		    { "chmod +x d/big; ln -s old d/z; mkdir d/s; ls -F d",
		      "big*\nnew\nold\ns/\nz@\n", 0 },
		    { "ls -n d/big", "-rwxr-xr-x 1 0 0 6 Jan  1  1970 d/big\n", 0 },
		    { "ls -R d/s d/old", "d/old\n\nd/s:\n", 0 },
		    { "ls -d d nope", "ls: nope: No such file or directory\nd\n", 2 });
}

TEST(parts_of_files)
{
	CHECK_LINES(
		{ "seq 20 >n; tail -n 2 n; tail -n +20 n; tail -c 3 n", "19\n20\n20\n20\n", 0 },
		{ "seq 30000 | tail -n 1; cat n | tail -n 1", "30000\n20\n", 0 },
		{ "seq 30000 >m; tail -n 29999 m | head -n 1", "2\n", 0 },
		{ "head -n 1 n m; head -c 2 n", "==> n <==\n1\n\n==> m <==\n1\n1\n", 0 },
		{ "tail -n 1 /proc/stat | wc -l; tail -c 4 /proc/meminfo", "1\n kB\n", 0 },
		{ "tail nope", "tail: nope: No such file or directory\n", 1 },
		{ "printf 'a\\nb' | cat -n -", "     1\ta\n     2\tb", 0 },
		{ "wc -l <n; wc n", "20\n20 20 51 n\n", 0 },
		{ "cp n o; cat n >>n", "cat: n: input file is output file\n", 1 },
		{ "echo x | tee a b; cat a b; echo y | tee -a a >b; cat a", "x\nx\nx\nx\ny\n", 0 },
		{ "dd if=n bs=3 skip=1 count=2 status=none", "\n3\n4\n5", 0 },
		{ "printf abc | dd of=o bs=1 seek=2 conv=notrunc status=none; head -n 2 o",
		  "1\nabc\n", 0 },
		{ "dd if=n of=p bs=50 2>&1 | head -n 2; cmp n p",
		  "1+1 records in\n1+1 records out\n", 0 },
		{ "cmp n m", "cmp: EOF on n after byte 51, line 20\n", 1 },
		{ "cmp n o", "n o differ: byte 3, line 2\n", 1 },
		{ "cmp -s n nope", "cmp: nope: No such file or directory\n", 2 });
}

TEST(grep_chooses_lines)
{
	CHECK_LINES({ "printf 'foo bar\\nFoo\\nbarfoo\\n\\nx.y\\nxzy\\n' >a; grep foo a",
		      "foo bar\nbarfoo\n", 0 },
		    { "grep -in FOO a", "1:foo bar\n2:Foo\n3:barfoo\n", 0 },
		    { "grep -vc o a; grep -w foo a; grep -x Foo a", "3\nfoo bar\nFoo\n", 0 },
		    { "grep x.y a; grep -F x.y a", "x.y\nxzy\nx.y\n", 0 },
		    { "grep -E '^(F|x)' a; grep -o 'o*' a", "Foo\nx.y\nxzy\noo\noo\noo\n", 0 },
		    { "grep -e bar -e z -h a a | sort -u", "barfoo\nfoo bar\nxzy\n", 0 },
		    { "mkdir d; cp a d/b; grep -rl foo d; grep -H Foo a", "d/b\na:Foo\n", 0 },
		    { "grep nothing a", "", 1 }, { "grep -q foo a", "", 0 },
		    { "grep foo nope", "grep: nope: No such file or directory\n", 2 },
		    { "grep -s foo nope a", "a:foo bar\na:barfoo\n", 2 });
}

TEST(sorting)
{
	CHECK_LINES({ "printf 'b 2\\na 10\\nB 1\\na 2\\n' >s; sort s", "B 1\na 10\na 2\nb 2\n", 0 },
		    { "sort -k 2n s", "B 1\na 2\nb 2\na 10\n", 0 },
		    { "sort -u -k 1,1 s", "B 1\na 10\nb 2\n", 0 },
		    { "sort -f -r s", "b 2\nB 1\na 2\na 10\n", 0 },
		    { "sort -t ' ' -k 2,2nr -k 1,1 s", "a 10\na 2\nb 2\nB 1\n", 0 },
		    { "sort -o s s; sort -c s", "", 0 },
		    { "printf '10\\n-1\\n 9\\nx\\n' | sort -n", "-1\nx\n 9\n10\n", 0 },
		    { "printf 'b\\na\\n' | sort -c", "sort: -:2: disorder: a\n", 1 },
		    { "sort nope", "sort: nope: No such file or directory\n", 2 });
}

TEST(words_and_columns)
{
	CHECK_LINES(
		{ "printf 'a:b:c\\n' | cut -d : -f 1,3; echo hello | cut -c 2-3", "a:c\nel\n", 0 },
		{ "echo Hello | tr a-z A-Z; echo aabb | tr -s a; echo abc | tr -d b",
		  "HELLO\nabb\nac\n", 0 },
		{ "printf 'a\\na\\nb\\n' | uniq -c", "      2 a\n      1 b\n", 0 },
		{ "seq 3 -1 1; seq -w 9 10; seq -s , 3", "3\n2\n1\n09\n10\n1,2,3\n", 0 },
		{ "printf '%s=%03d\\n' a 1 b 2", "a=001\nb=002\n", 0 },
		{ "env printf %d x", "printf: x: not a number\n0", 1 },
		{ "seq 4 | xargs -n 3 echo +", "+ 1 2 3\n+ 4\n", 0 },
		{ "seq 2 | xargs -I @ echo a@b", "a1b\na2b\n", 0 },
		{ "echo a | xargs false", "", 123 }, { "yes | head -n 1", "y\n", 0 },
		{ "seq 9 >a; sed 5d a >b; echo x >>b; diff a b", "5d4\n< 5\n9a9\n> x\n", 1 },
		{ "diff -u a b | tail -n +3",
		  "@@ -2,8 +2,8 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n 9\n+x\n", 0 },
		{ "diff a a", "", 0 },
		{ "diff a nope", "diff: nope: No such file or directory\n", 2 },
		{ "which nope", "", 1 });
}

TEST(sed_changes_lines)
{
	CHECK_LINES(
		{ "printf 'one two\\nthree\\nfour one one\\n' >a; sed s/one/X/2 a",
		  "one two\nthree\nfour one X\n", 0 },
		{ "sed -n '2,$s/\\(o\\)\\(.\\)/<\\2\\1&>/gp' a", "f<uoou>r <noon>e <noon>e\n", 0 },
		{ "sed -e '/three/d' -e 1q a; sed '2!d' a; sed -n '$=' a", "one two\nthree\n3\n",
		  0 },
		{ "sed 's/e*/-/g;3d' a", "-o-n- -t-w-o-\n-t-h-r-\n", 0 },
		{ "sed y a", "sed: bad script at: y\n", 1 });
}

TEST(find_walks)
{
	CHECK_LINES(
		{ "mkdir -p d/e; echo x >d/a.c; touch d/e/b.c d/e/c; ln -s a.c d/l; find d",
		  "d\nd/a.c\nd/e\nd/e/b.c\nd/e/c\nd/l\n", 0 },
		{ "find d -name '*.c' -size 1", "d/a.c\n", 0 },
		{ "find d -type f ! -name '*.c' -o -type l", "d/e/c\nd/l\n", 0 },
		{ "find d -empty -exec echo {}: \\;", "d/e/b.c:\nd/e/c:\n", 0 },
		{ "find d \\( -name c -o -name l \\) -exec echo + {} +", "+ d/e/c d/l\n", 0 },
		{ "find d -maxdepth 1 -type d; find d -mindepth 2 -perm 644 -name b.c",
		  "d\nd/e\nd/e/b.c\n", 0 },
		{ "find d -name e -prune -o -print", "d\nd/a.c\nd/l\n", 0 },
		{ "touch -d @0 d/a.c; find d -mtime +100; find d -newer d/a.c -type f",
		  "d/a.c\nd/e/b.c\nd/e/c\n", 0 },
		{ "find d -name '*.c' -delete; find d -type f -print0 | tr '\\0' ,", "d/e/c,", 0 },
		{ "find nope", "find: nope: No such file or directory\n", 1 },
		{ "find d -nope", "find: -nope: no such test or action\n", 1 },
		{ "find d -name '('  -exec", "find: -exec: no command, or no ; or {} + behind it\n",
		  1 });
}

TEST(conditions)
{
	CHECK_LINES({ "echo >f; env test -s f -a -d .", "", 0 }, { "env [ 1 -gt 2 ]", "", 1 },
		    { "env test", "", 1 }, { "env test a -lt 2 2>/dev/null", "", 2 });
}

TEST(wrong_options)
{
	CHECK_LINES(
		{ "for t in cp mv ln rm rmdir mkdir touch tail head cat tee cut tr uniq seq "
		  "stat df du find chmod chown; do $t -@ 2>/dev/null; echo $?; done | uniq -c",
		  "     21 1\n", 0 },
		{ "for t in ls grep sort cmp diff; do $t -@ 2>/dev/null; echo $?; done | uniq -c",
		  "      5 2\n", 0 },
		{ "time -@ 2>/dev/null", "", 125 },
		{ "env time sh -c 'exit 3' 2>/dev/null", "", 3 });
}

TEST(a_full_disk_is_an_error)
{
	set_tools_path();
	if (access("/dev/full", F_OK) < 0)
		SKIP("no /dev/full");
	CHECK_LINES({ "seq 9 >a; for t in 'cat a' 'head a' 'tail a' 'cut -c 1 a' 'uniq a' 'wc a' "
		      "'sort a' 'grep 1 a' 'ls' 'stat a' 'find a' 'du a' 'seq 3' 'echo a' 'date' "
		      "'basename a' 'dd if=a'; do $t >/dev/full 2>/dev/null </dev/null; "
		      "echo $?; done | uniq -c",
		      "     17 1\n", 0 },
		    { "cp a /dev/full", "cp: /dev/full: No space left on device\n", 1 });
}

/* Start edit on @path with a new terminal. Returns the terminal's other side. */
static int start_edit(const char *path, pid_t *pid)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY);

	if (fd < 0) {
		CHECK_OK(unlink(path)); /* its pages count as memory */
		SKIP("no pseudo terminals");
	}
	CHECK_OK(grantpt(fd));
	CHECK_OK(unlockpt(fd));
	*pid = CHECK_OK(fork());
	if (*pid == 0) {
		int terminal = open(ptsname(fd), O_RDWR | O_NOCTTY);

		dup2(terminal, STDIN_FILENO);
		dup2(terminal, STDOUT_FILENO);
		close(fd);
		execlp("edit", "edit", path, NULL);
		_exit(126);
	}
	return fd;
}

TEST(edit_saves_what_was_typed)
{
	/* Right, delete, end, a line more; find "two" and cut that line; save, quit. */
	static const char keys[] = "\x1b[C\x7f\x05!\rnew\x06two\r\x0b\x13\x11";
	char screen[4096], text[64];
	char *path = strdup(tmp_path("text"));
	pid_t pid;
	int fd;

	set_tools_path();
	write_file(path, "one\ntwo\n3", 9);
	fd = start_edit(path, &pid);
	/* The first picture tells that the keys are its own now. */
	CHECK(read(fd, screen, sizeof(screen)) > 0);
	CHECK_EQ(write(fd, keys, sizeof(keys) - 1), sizeof(keys) - 1);
	while (read(fd, screen, sizeof(screen)) > 0)
		test_progress();
	CHECK_EXIT(pid, 0);
	CHECK(read_text(path, text, sizeof(text)) >= 0);
	CHECK_STRING(text, "ne!\nnew\n3");
	CHECK_OK(unlink(path));
	free(path);
}

TEST(memory_of_processes)
{
	/* The sum of the areas is the total; smaps and pmap agree; each has its lines. */
	CHECK_LINES({ "pmap -q $$ | wc -l >a; pmap $$ | wc -l >b; "
		      "test $(cat b) -gt $(cat a) && echo more",
		      "more\n", 0 },
		    { "pmap $$ | tail -n 1 | cut -c1-6", " total\n", 0 },
		    { "pmap -x $$ | head -n 2 | tail -n 1",
		      "Address           Kbytes     RSS   Dirty Mode  Mapping\n", 0 },
		    { "pmap -x $$ | tail -n 1 | cut -c1-8", "total kB\n", 0 },
		    { "pmap -X $$ | head -n 2 | tail -n 1 | cut -c1-30",
		      "         Address Perm   Offset\n", 0 },
		    { "pmap $$ | grep -c '\\[ stack \\]'", "1\n", 0 }, { "pmap 4999999", "", 42 },
		    { "pmap -x -X 1 2>&1 | head -n 1", "usage: pmap [-x | -X] [-pq] pid...\n", 0 });
}

TEST(the_machine_in_a_line)
{
	CHECK_LINES({ "vmstat | head -n 1",
		      "procs -----------memory---------- ---swap-- -----io---- -system-- "
		      "------cpu-----\n",
		      0 },
		    { "vmstat 1 2 | wc -l", "4\n", 0 },
		    { "vmstat -s | grep -c 'K total memory'", "1\n", 0 },
		    { "vmstat x 2>&1", "usage: vmstat [-s] [-n] [delay [count]]\n", 1 },
		    { "top -b -n 1 | grep -c '%CPU *%MEM'", "1\n", 0 },
		    { "top -b -n 2 -d 0 | grep -c '^Tasks:'", "2\n", 0 },
		    { "top -b -n 1 -o PID | grep -c ' top$'", "1\n", 0 },
		    { "top </dev/null", "top: no terminal (use -b)\n", 1 },
		    { "top -n 0 2>&1 | head -c 10", "usage: top", 0 });
}

TEST(tail_follows)
{
	static char output[OUTPUT_SIZE];
	int fds[2], fd;
	pid_t pid;
	char *path = strdup(tmp_path("log"));
	size_t length = 0;

	set_tools_path();
	fd = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_APPEND, 0644));
	CHECK_EQ(write(fd, "one\n", 4), 4);
	CHECK_OK(pipe(fds));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execlp("tail", "tail", "-f", path, NULL);
		_exit(126);
	}
	while (length < 4)
		length += CHECK_OK(read(fds[0], output + length, sizeof(output) - length));
	CHECK_EQ(write(fd, "two\n", 4), 4);
	while (length < 8)
		length += CHECK_OK(read(fds[0], output + length, sizeof(output) - length));
	CHECK_STRING(output, "one\ntwo\n");
	CHECK_OK(kill(pid, SIGTERM));
	test_check_signal(__FILE__, __LINE__, pid, SIGTERM);
	CHECK_OK(unlink(path));
	free(path);
}
