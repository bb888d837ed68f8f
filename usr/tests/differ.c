/*
 * differ.c - the same random calls on Ravel and on Linux, compared step by step: scripts/differ.py
 * runs `differ --child=log SEED STEPS` on both, and reads the two logs side by side.
 *
 *	arena    64 pages at a fixed address, in which everything happens
 *	files    a file, the same opened for reading only, a memfd
 *	a line   number, call = result, signals, and the hash of all that can be seen afterwards:
 *		 each page's rights and first byte, the files' sizes and bytes
 *
 * What the two systems may do differently is not asked for: addresses of their choice, areas that
 * could merge, and bytes past the end of a file in its last page (so stores go to byte 0 of a page,
 * and sizes are whole pages, or one byte more).
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define ARENA	   ((char *)0x1000000000)
#define PAGES	   64
#define FILE_PAGES 24
#define RW	   (PROT_READ | PROT_WRITE)

enum { DISK, DISK_RO, MEMFD, NR_FILES };
static const char *const file_name[] = { "disk", "read-only", "memfd" };
static int files[NR_FILES], probe[2];

/* ---- numbers that are the same everywhere ---- */

static uint64_t state;

static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

static uint32_t hash;

static void mix(const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const unsigned char *)bytes)[i]) * 16777619u;
}

/* ---- what can be seen ---- */

/* Rights of each page as /proc/self/maps tells them, without how the areas are cut. */
static void mix_rights(void)
{
	static char text[65536];
	char rights[PAGES][5] = { 0 };
	unsigned long start, end;
	char prot[8];

	CHECK(read_text("/proc/self/maps", text, sizeof(text)) > 0);
	for (char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, prot) != 3)
			continue;
		for (int i = 0; i < PAGES; i++) {
			unsigned long at = (unsigned long)ARENA + i * PAGE_SIZE;

			if (at >= start && at < end)
				memcpy(rights[i], prot, 4);
		}
	}
	mix(rights, sizeof(rights));
}

static void mix_pages(void)
{
	for (int i = 0; i < PAGES; i++) {
		char byte = 0;

		if (write(probe[1], ARENA + i * PAGE_SIZE, 1) == 1)
			CHECK_EQ(read(probe[0], &byte, 1), 1);
		else
			mix(strerrorname_np(errno), 6);
		mix(&byte, 1);
	}
}

static void mix_files(void)
{
	static char bytes[FILE_PAGES * PAGE_SIZE + 1];
	struct stat st;

	for (int f = DISK; f < NR_FILES; f++) {
		CHECK_OK(fstat(files[f], &st));
		mix(&st.st_size, sizeof(st.st_size));
		mix(bytes, CHECK_OK(pread(files[f], bytes, sizeof(bytes), 0)));
	}
}

static uint32_t look(void)
{
	hash = 2166136261u;
	mix_rights();
	mix_pages();
	mix_files();
	return hash;
}

/* ---- accesses ---- */

static sigjmp_buf jump;
static volatile siginfo_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	fault = *info;
	siglongjmp(jump, 1);
}

/* Stores @byte (0: loads) at byte 0 of page @page; says what came of it. */
static const char *touch(unsigned page, char byte, char *text, size_t size)
{
	volatile char *p = ARENA + page * PAGE_SIZE;

	if (sigsetjmp(jump, 1)) {
		snprintf(text, size, "signal %d code %d page %ld", fault.si_signo, fault.si_code,
			 ((char *)fault.si_addr - ARENA) / (long)PAGE_SIZE);
		return text;
	}
	if (byte)
		*p = byte;
	snprintf(text, size, "%d", *p);
	return text;
}

/* ---- steps ---- */

static char line[512];

static void say(const char *format, ...)
{
	size_t length = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + length, sizeof(line) - length, format, args);
	va_end(args);
}

static const char *result(long value)
{
	return value == -1 ? strerrorname_np(errno) : value ? "fine" : "0";
}

static unsigned first, count;

static void draw_range(void)
{
	first = draw(PAGES);
	count = 1 + draw(draw(3) ? 6 : PAGES);
	if (count > PAGES - first)
		count = PAGES - first;
	say("(%u, %u", first, count);
}

static char *at(void)
{
	return ARENA + first * PAGE_SIZE;
}

static int draw_prot(void)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW, RW, RW, PROT_READ | PROT_EXEC };
	int prot = prots[draw(ARRAY_LEN(prots))];

	say(", prot %d", prot);
	return prot;
}

static void do_mmap(void)
{
	int flags = draw(2) ? MAP_SHARED : MAP_PRIVATE, prot, fd = -1, file = draw(NR_FILES + 2);
	unsigned offset = draw(FILE_PAGES);

	say("mmap");
	draw_range();
	prot = draw_prot();
	say(flags == MAP_SHARED ? ", shared" : ", private");
	if (file < NR_FILES)
		fd = files[file];
	else
		flags |= MAP_ANONYMOUS;
	say(file < NR_FILES ? " %s +%u" : "", file_name[file % NR_FILES], offset);
	/* Of two errors at once each system tells another: what may be written has one. */
	flags |= draw(8) || file == DISK_RO ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	flags |= draw(4) ? 0 : MAP_POPULATE;
	say(", flags 0x%x) = %s", flags,
	    result((long)mmap(at(), count * PAGE_SIZE, prot, flags, fd,
			      file < NR_FILES ? offset * PAGE_SIZE : 0)));
}

static void do_edit(void)
{
	static const int advices[] = { MADV_NORMAL, MADV_WILLNEED, MADV_DONTNEED, MADV_DONTNEED };
	static const int syncs[] = { MS_SYNC, MS_ASYNC, MS_INVALIDATE, MS_SYNC | MS_ASYNC };
	size_t size;
	int flag;

	switch (draw(4)) {
	case 0:
		say("munmap");
		draw_range();
		say(") = %s", result(munmap(at(), count * PAGE_SIZE)));
		break;
	case 1:
		say("madvise");
		draw_range();
		size = count * PAGE_SIZE;
		flag = advices[draw(ARRAY_LEN(advices))];
		say(", %d) = %s", flag, result(madvise(at(), size, flag)));
		break;
	case 2:
		say("msync");
		draw_range();
		size = count * PAGE_SIZE;
		flag = syncs[draw(ARRAY_LEN(syncs))];
		say(", %d) = %s", flag, result(msync(at(), size, flag)));
		break;
	default:
		say("mprotect");
		draw_range();
		flag = draw_prot();
		say(") = %s", result(mprotect(at(), count * PAGE_SIZE, flag)));
		break;
	}
}

static void do_file(void)
{
	static char bytes[3 * PAGE_SIZE];
	int file = draw(2) ? DISK : MEMFD;
	unsigned page = draw(FILE_PAGES), size;

	if (draw(2)) {
		size = page * PAGE_SIZE + draw(2);
		say("ftruncate(%s, %u) = %s", file_name[file], size,
		    result(ftruncate(files[file], size)));
		return;
	}
	size = draw(2) ? PAGE_SIZE : 1;
	memset(bytes, 'a' + draw(26), sizeof(bytes));
	if (page * PAGE_SIZE + size > FILE_PAGES * PAGE_SIZE)
		size = 1;
	say("pwrite(%s, %u, %u) = %s", file_name[file], page, size,
	    result(pwrite(files[file], bytes, size, page * PAGE_SIZE)));
}

static void do_touches(void)
{
	char text[128];

	say("touch");
	for (unsigned n = 1 + draw(6); n > 0; n--) {
		unsigned page = draw(PAGES);
		char byte = draw(2) ? 'A' + draw(26) : 0;

		say(" %u%c: %s;", page, byte ? byte : '?', touch(page, byte, text, sizeof(text)));
	}
}

/* read(2) into the arena, and write(2) from it: the kernel's own accesses. */
static void do_copies(void)
{
	int file = draw(2) ? DISK : MEMFD;
	unsigned page = draw(FILE_PAGES), in = draw(2);
	struct stat st;
	ssize_t got;

	/* Some file systems of Linux let a file grow by a write that failed: not past the end. */
	CHECK_OK(fstat(files[file], &st));
	page %= st.st_size / PAGE_SIZE + 1;
	say(in ? "pread" : "pwrite");
	draw_range();
	if (in)
		got = pread(files[file], at(), 1, page * PAGE_SIZE);
	else
		got = pwrite(files[file], at(), 1, page * PAGE_SIZE);
	say(", %s +%u) = %s", file_name[file], page, result(got));
}

/* A child does some of all this too: what is shared of it stays. */
static void do_fork(void)
{
	uint32_t seen;
	int ends[2];
	pid_t pid;

	CHECK_OK(pipe(ends));
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (unsigned i = 0; i < 4; i++) {
			line[0] = '\0';
			if (draw(2))
				do_touches();
			else
				do_edit();
			seen = look();
			CHECK_EQ(write(ends[1], &seen, sizeof(seen)), sizeof(seen));
		}
		_exit(0);
	}
	CHECK_OK(close(ends[1])); /* so that its end is seen, should it fail */
	say("fork:");
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQ(read(ends[0], &seen, sizeof(seen)), sizeof(seen));
		say(" %08x", seen);
	}
	CHECK_EXIT(pid, 0);
	CHECK_OK(close(ends[0]));
	draw(1);
}

static void do_step(void)
{
	static void (*const steps[])(void) = { do_mmap, do_mmap,   do_mmap,    do_edit,
					       do_edit, do_edit,   do_touches, do_touches,
					       do_file, do_copies, do_copies,  do_fork };

	steps[draw(ARRAY_LEN(steps))]();
}

static void start(uint64_t seed)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	state = seed;
	test_dir();
	files[DISK] = CHECK_OK(open("f", O_RDWR | O_CREAT | O_EXCL, 0644));
	files[DISK_RO] = CHECK_OK(open("f", O_RDONLY));
	files[MEMFD] = CHECK_OK(memfd_create("m", 0));
	CHECK_OK(pipe(probe));
	CHECK_OK(sigaction(SIGSEGV, &action, NULL));
	CHECK_OK(sigaction(SIGBUS, &action, NULL));
}

static uint32_t run(uint64_t seed, unsigned nr, bool print)
{
	uint32_t seen = 0;

	start(seed);
	for (unsigned i = 0; i < nr; i++) {
		line[0] = '\0';
		do_step();
		seen = look();
		if (print)
			printf("%u %s -> %08x\n", i, line, seen);
		if (i % 50 == 0)
			test_progress();
	}
	test_dir_leave();
	return seen;
}

CHILD(log)
{
	run(argc > 2 ? strtoull(argv[2], NULL, 10) : 1, argc > 3 ? atoi(argv[3]) : 200, true);
	return 0;
}

/* What a log says does not depend on chance: only then can two be compared. */
TEST(the_same_seed_gives_the_same_log)
{
	uint32_t *seen = CHECK_OK(mmap(NULL, PAGE_SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	uint64_t seed = test_random_below(1000000);

	for (int i = 0; i < 2; i++)
		CHECK_CHILD({ seen[i] = run(seed, 60, false); });
	CHECK_EQ(seen[0], seen[1]);
}
