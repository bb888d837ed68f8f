/*
 * testutil.h - what several tests need: raw system calls, /proc readers, shared-memory tasks.
 *
 * Readers fill a buffer of the caller and allocate nothing, so that a test may compare memory
 * from before and after.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTUTIL_H
#define RAVEL_USR_LIB_TESTUTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Make system call nr; returns what the kernel returned, -errno included; errno is untouched. */
long raw_syscall(long nr, long a, long b, long c, long d, long e, long f);

/*
 * Read a whole small file, or as much as fits in size - 1 bytes, and end it with NUL.
 * Returns the number of bytes, or -1 with errno.
 */
ssize_t read_text(const char *path, char *buffer, size_t size);

/* Create path with these bytes and mode 0755; fails the test when that is impossible. */
void write_file(const char *path, const void *bytes, size_t size);

/* "key: 123" or "key 123" in a text of lines: the number, or -1 when there is no such line. */
long long text_number(const char *text, const char *key);

/* Active objects in all of the kernel's caches (/proc/slabinfo); 0 where that is not told. */
long long slab_objects(void);

/* The counter of this name in /proc/vmstat, a line of /proc/self/status in kB; -1: absent. */
long long vmstat(const char *name);
/* The line of this name in /proc/meminfo, KiB; fails the test when there is none. */
long long meminfo_kb(const char *key);
long long status_kb(pid_t pid, const char *key);

/*
 * Wait until nobody has faulted for a while: after fork() the parent copies what it writes, and
 * counters of /proc/vmstat are the machine's.
 */
void wait_until_quiet(void);

/* One line of /proc/self/maps. */
struct map_line {
	unsigned long start, end, offset, inode;
	char prot[8];
	char name[256];
};

/* Find the area that holds address. Returns false when there is none. */
bool find_map(unsigned long address, struct map_line *line);

/* Count the areas that touch [start, end). */
int count_maps(unsigned long start, unsigned long end);

/* True when all of [start, end) is unmapped. */
bool range_unmapped(unsigned long start, unsigned long end);

/* mmap of private anonymous memory, readable and writable, at an address the kernel chooses. */
void *map_anon(size_t size);

/* The path of a file in usr/tests/data, on Ravel and in the host's tree. */
const char *data_path(const char *name);

/* A name under /tmp which belongs to this process: one static buffer per call site's use. */
const char *tmp_path(const char *name);

/*
 * Start fn(arg) in a new task that shares this mm (clone(CLONE_VM | SIGCHLD)) on a stack of its
 * own.  The task must not use errno or stdio: it shares the caller's thread pointer.
 * Returns its pid.  The stack stays mapped till the caller unmaps or exits.
 */
pid_t spawn_sharing(int (*fn)(void *), void *arg);

/* Fork and execute this very program as CHILD(name) with up to three arguments; returns pid. */
pid_t spawn_self(const char *child, const char *arg1, const char *arg2, const char *arg3);

/* The absolute path of this program. */
const char *self_path(void);

#endif
