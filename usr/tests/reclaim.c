/*
 * reclaim.c - ravel-only: a file that does not fit into what is left of memory is read, mapped and
 * changed, under each policy; page tables that nobody needs go; the numbers that reclaim shows.
 */
#include "usr/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "usr/lib/testdir.h"
#include "usr/lib/testutil.h"

#define MB    (1UL << 20)
#define SIZE  (16 * MB)
#define LEFT  (12 * MB) /* of memory, for the file and all else */
#define CHUNK (64 * 1024)
#define FILES 400 /* small ones */

static unsigned char chunk[CHUNK], expected[CHUNK];
static char text[16384];

/* Write @value to /proc/sys/vm/@name. Returns 0 or errno. */
static int set(const char *name, const char *value)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
	fd = CHECK_OK(open(path, O_WRONLY));
	if (write(fd, value, strlen(value)) < 0)
		err = errno;
	close(fd);
	return err;
}

/* Memory that nobody can take away, until LEFT is available. */
static void *take_memory(size_t *size)
{
	char *p;

	CHECK(drop_caches());
	*size = meminfo_kb("MemAvailable") * 1024 - LEFT;
	p = map_anon(*size);
	CHECK_OK(mlock(p, *size));
	return p;
}

static int make_file(const char *name)
{
	int fd = CHECK_OK(open(name, O_RDWR | O_CREAT | O_EXCL, 0600));

	for (off_t at = 0; at < (off_t)SIZE; at += CHUNK) {
		fill_pattern(chunk, CHUNK, 7, at);
		CHECK_EQ(write(fd, chunk, CHUNK), CHUNK);
	}
	return fd;
}

static void check_by_reading(int fd)
{
	for (off_t at = 0; at < (off_t)SIZE; at += CHUNK) {
		fill_pattern(expected, CHUNK, 7, at);
		CHECK_EQ(pread(fd, chunk, CHUNK, at), CHUNK);
		CHECK(memcmp(chunk, expected, CHUNK) == 0);
	}
}

static void check_mapped(const unsigned char *p, unsigned int key)
{
	for (size_t at = 0; at < SIZE; at += CHUNK) {
		fill_pattern(expected, CHUNK, key, at);
		CHECK(memcmp(p + at, expected, CHUNK) == 0);
	}
}

/* Objects in use of a cache of the kernel's. */
static long long objects(const char *cache)
{
	CHECK(read_text("/proc/slabinfo", text, sizeof(text)) > 0);
	return text_number(text, cache);
}

/* Names and inodes that nobody has open, but somebody may ask for again. */
static void make_small_files(void)
{
	for (int i = 0; i < FILES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "small.%d", i);
		CHECK_OK(close(CHECK_OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600))));
	}
}

TEST(a_file_larger_than_memory_is_read_and_mapped)
{
	long long woken = vmstat("kswapd_wake"), stolen = vmstat("pgsteal_file");
	long long hits = vmstat("cache_hit"), distance = vmstat("workingset_distance_file");
	long long names, inodes;
	size_t size;
	void *taken;
	unsigned char *p;
	int fd;

	test_dir();
	taken = take_memory(&size);
	make_small_files();
	sync();
	names = objects("dentry");
	inodes = objects("ext2_inode");
	fd = make_file("f");
	check_by_reading(fd);
	CHECK(vmstat("cache_hit") > hits);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	check_mapped(p, 7);
	check_mapped(p, 7);
	CHECK(vmstat("kswapd_wake") > woken);
	CHECK(vmstat("pgsteal_file") - stolen > (long long)(SIZE / PAGE_SIZE));
	CHECK(vmstat("workingset_refault_file") > 0);
	CHECK(vmstat("workingset_distance_file") > distance);
	CHECK(objects("dentry") < names - FILES / 2);
	CHECK(objects("ext2_inode") < inodes - FILES / 2);
	CHECK_OK(munmap(p, SIZE));
	CHECK_OK(munmap(taken, size));
	close(fd);
	test_dir_leave();
}

TEST(what_is_stored_through_a_mapping_comes_to_the_file)
{
	size_t size;
	void *taken;
	unsigned char *p;
	int fd;

	test_dir();
	taken = take_memory(&size);
	fd = make_file("f");
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	for (size_t at = 0; at < SIZE; at += CHUNK)
		fill_pattern(p + at, CHUNK, 8, at);
	check_mapped(p, 8);
	for (size_t at = 0; at < SIZE; at += CHUNK)
		fill_pattern(p + at, CHUNK, 7, at);
	CHECK_OK(munmap(p, SIZE));
	check_by_reading(fd);
	CHECK_OK(munmap(taken, size));
	close(fd);
	test_dir_leave();
}

#define SPAN   (2 * MB) /* of one leaf table */
#define TABLES 256

/* One page in each span was used; of every eighth it still is. */
static char *make_empty_tables(void)
{
	char *p = mmap(NULL, TABLES * SPAN, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	CHECK(p != MAP_FAILED);
	for (int i = 0; i < TABLES; i++) {
		p[i * SPAN] = 1;
		if (i % 8)
			CHECK_OK(madvise(p + i * SPAN, PAGE_SIZE, MADV_DONTNEED));
	}
	return p;
}

TEST(empty_page_tables_go)
{
	/* Without reclaim it would be twice as much, and more. */
	const long long half = TABLES * (long long)PAGE_SIZE / 1024 / 2;
	long long reclaimed = vmstat("pgtable_reclaimed");
	size_t size;
	void *taken;
	char *p;
	int fd;

	test_dir();
	taken = take_memory(&size);
	fd = make_file("f");
	p = make_empty_tables();
	/* kswapd is woken many times; what is in use when it comes by stays for the next time. */
	for (int round = 0; round < 20 && status_kb(getpid(), "VmPTE") > half; round++)
		check_by_reading(fd);
	CHECK(status_kb(getpid(), "VmPTE") <= half);
	CHECK(vmstat("pgtable_reclaimed") - reclaimed >= TABLES / 2);
	for (int i = 0; i < TABLES; i++)
		CHECK_EQ(p[i * SPAN], i % 8 ? 0 : 1);
	CHECK_OK(munmap(p, TABLES * SPAN));
	CHECK_OK(munmap(taken, size));
	close(fd);
	test_dir_leave();
	CHECK_EQ(set("check_all", "1"), 0);
}

static const char *const policies[] = { "fifo", "clock", "two-list" };

TEST(the_policy_may_change_at_any_time)
{
	size_t size;
	void *taken;
	pid_t pid;
	int fd, status, n = 0;

	CHECK(read_text("/proc/sys/vm/policy", text, sizeof(text)) > 0);
	CHECK_STRING(text, "[two-list] clock fifo\n");
	test_dir();
	taken = take_memory(&size);
	fd = make_file("f");
	pid = CHECK_OK(fork());
	if (pid == 0) {
		for (int round = 0; round < 3; round++)
			check_by_reading(fd);
		_exit(0);
	}
	while (CHECK_OK(waitpid(pid, &status, WNOHANG)) == 0) {
		CHECK_EQ(set("policy", policies[n++ % ARRAY_LEN(policies)]), 0);
		CHECK_OK(read_text("/proc/sys/vm/policy", text, sizeof(text)));
		usleep(1000);
	}
	CHECK_EQ(status, 0);
	CHECK_EQ(set("policy", " two-list\n"), 0);
	CHECK_OK(munmap(taken, size));
	close(fd);
	test_dir_leave();
	CHECK_EQ(set("check_all", "1"), 0);
}

TEST(a_policy_has_a_name)
{
	CHECK_EQ(set("policy", "lru"), EINVAL);
	CHECK_EQ(set("policy", ""), EINVAL);
	CHECK_EQ(set("policy", "a name that is longer than any of them is"), EINVAL);
	CHECK(read_text("/proc/sys/vm/policy", text, sizeof(text)) > 0);
	CHECK_STRING(text, "[two-list] clock fifo\n");
}

TEST(the_marks_follow_min_free_kbytes)
{
	char old[32];

	snprintf(old, sizeof(old), "%lld", vmstat("mark_min") * (long long)PAGE_SIZE / 1024);
	CHECK_EQ(set("min_free_kbytes", "2048"), 0);
	CHECK_EQ(vmstat("mark_min"), 512);
	CHECK_EQ(vmstat("mark_low"), 1024);
	CHECK_EQ(vmstat("mark_high"), 1536);
	CHECK_EQ(set("min_free_kbytes", "-1"), EINVAL);
	CHECK_EQ(set("min_free_kbytes", "127"), EINVAL);
	CHECK_EQ(set("min_free_kbytes", old), 0);
}

TEST(the_lists_are_in_meminfo)
{
	static const char *const kinds[] = { "Active", "Inactive" };
	size_t size = 4 * MB;
	long long before = meminfo_kb("Inactive(anon)");
	char *p = map_anon(size);

	memset(p, 1, size);
	CHECK(meminfo_kb("Inactive(anon)") >= before + (long long)size / 1024);
	CHECK(read_text("/proc/meminfo", text, sizeof(text)) > 0); /* all of one look */
	for (int i = 0; i < 2; i++) {
		char key[32];
		long long all = text_number(text, kinds[i]), anon, file;

		snprintf(key, sizeof(key), "%s(anon)", kinds[i]);
		anon = text_number(text, key);
		snprintf(key, sizeof(key), "%s(file)", kinds[i]);
		file = text_number(text, key);
		CHECK_EQ(anon + file, all);
	}
	CHECK_OK(munmap(p, size));
}
