/*
 * testutil.c - what several tests need: raw system calls, /proc readers, shared-memory tasks.
 *
 * Invariant: readers use static buffers only, one caller at a time.  Locks: none.
 */
#include "usr/lib/test.h"

#include <ctype.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define TASK_STACK_SIZE (64 * 1024)

#if defined(__riscv)
long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long a7 __asm__("a7") = nr;
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a4 __asm__("a4") = e;
	register long a5 __asm__("a5") = f;

	__asm__ volatile("ecall"
			 : "+r"(a0)
			 : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
			 : "memory");
	return a0;
}
#elif defined(__x86_64__)
long raw_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}
#else
#error "raw_syscall: no such architecture"
#endif

ssize_t read_text(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (length < size - 1 && (n = read(fd, buffer + length, size - 1 - length)) > 0)
		length += n;
	close(fd);
	buffer[length] = 0;
	return n < 0 ? -1 : (ssize_t)length;
}

void write_file(const char *path, const void *bytes, size_t size)
{
	int fd = CHECK_OK(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
	size_t done = 0;

	while (done < size)
		done += CHECK_OK(write(fd, (const char *)bytes + done, size - done));
	CHECK_EQ(close(fd), 0);
}

long long text_number(const char *text, const char *key)
{
	size_t length = strlen(key);

	while (text && *text) {
		if (!strncmp(text, key, length) && (text[length] == ':' || isspace(text[length])))
			return strtoll(text + length + 1, NULL, 10);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return -1;
}

long long slab_objects(void)
{
	static char text[16384];
	long long sum = 0;
	char *line = text;

	if (read_text("/proc/slabinfo", text, sizeof(text)) < 0)
		return 0;
	while ((line = strchr(line, '\n')) && *++line) {
		if (*line != '#')
			sum += strtoll(line + strcspn(line, " "), NULL, 10);
	}
	return sum;
}

long long vmstat(const char *name)
{
	static char text[16384];

	if (read_text("/proc/vmstat", text, sizeof(text)) < 0)
		return -1;
	return text_number(text, name);
}

long long meminfo_kb(const char *key)
{
	static char text[16384];
	long long kb;

	CHECK(read_text("/proc/meminfo", text, sizeof(text)) > 0);
	kb = text_number(text, key);
	if (kb < 0)
		test_fail(__FILE__, __LINE__, "/proc/meminfo has no %s", key);
	return kb;
}

/* The harness looks after a TEST each 16 ms: once in this time. */
#define QUIET_MS 40

static bool is_quiet(void)
{
	long long faults = vmstat("pgfault");

	test_pause(QUIET_MS);
	return vmstat("pgfault") == faults;
}

void wait_until_quiet(void)
{
	WAIT_UNTIL(is_quiet());
}

long long status_kb(pid_t pid, const char *key)
{
	static char text[8192];
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	return text_number(text, key);
}

/* Call visit for every line of /proc/self/maps until it returns false. */
static void walk_maps(bool (*visit)(const struct map_line *, void *), void *arg)
{
	static char chunk[8192];
	size_t have = 0;
	ssize_t n;
	int fd = CHECK_OK(open("/proc/self/maps", O_RDONLY | O_CLOEXEC));
	bool more = true;

	while (more && (n = CHECK_OK(read(fd, chunk + have, sizeof(chunk) - 1 - have))) > 0) {
		char *line = chunk, *end;

		chunk[have + n] = 0;
		while (more && (end = strchr(line, '\n'))) {
			struct map_line map = { 0 };

			*end = 0;
			CHECK(sscanf(line, "%lx-%lx %7s %lx %*x:%*x %lu %255s", &map.start,
				     &map.end, map.prot, &map.offset, &map.inode, map.name) >= 5);
			more = visit(&map, arg);
			line = end + 1;
		}
		have = strlen(line);
		memmove(chunk, line, have);
	}
	close(fd);
}

struct find_request {
	unsigned long start, end;
	int count;
	struct map_line *found;
};

static bool visit_overlap(const struct map_line *map, void *arg)
{
	struct find_request *request = arg;

	if (map->start < request->end && map->end > request->start) {
		request->count++;
		if (request->found)
			*request->found = *map;
	}
	return map->start < request->end;
}

bool find_map(unsigned long address, struct map_line *line)
{
	struct find_request request = { address, address + 1, 0, line };

	walk_maps(visit_overlap, &request);
	return request.count > 0;
}

int count_maps(unsigned long start, unsigned long end)
{
	struct find_request request = { start, end, 0, NULL };

	walk_maps(visit_overlap, &request);
	return request.count;
}

bool range_unmapped(unsigned long start, unsigned long end)
{
	return count_maps(start, end) == 0;
}

void *map_anon(size_t size)
{
	return CHECK_OK(
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

const char *data_path(const char *name)
{
	static const char *const places[] = { "/tests/data", "usr/tests/data" };
	static char path[256];

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], name);
		if (access(path, F_OK) == 0)
			return path;
	}
	test_fail(__FILE__, __LINE__, "expected a data file, found none: %s", name);
}

const char *tmp_path(const char *name)
{
	static char paths[4][128];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_LEN(paths)];

	snprintf(path, sizeof(paths[0]), "/tmp/%s.%d.%s", program_invocation_short_name, getpid(),
		 name);
	return path;
}

pid_t spawn_sharing(int (*fn)(void *), void *arg)
{
	char *stack = map_anon(TASK_STACK_SIZE);

	return CHECK_OK(clone(fn, stack + TASK_STACK_SIZE, CLONE_VM | SIGCHLD, arg));
}

const char *self_path(void)
{
	static char path[256];
	ssize_t length = CHECK_OK(readlink("/proc/self/exe", path, sizeof(path) - 1));

	path[length] = 0;
	return path;
}

pid_t spawn_self(const char *child, const char *arg1, const char *arg2, const char *arg3)
{
	const char *path = self_path();
	char option[64];
	pid_t pid;

	snprintf(option, sizeof(option), "--child=%s", child);
	pid = CHECK_OK(fork());
	if (pid == 0) {
		execl(path, path, option, arg1, arg2, arg3, NULL);
		_exit(126);
	}
	return pid;
}
