/*
 * filebench.c - the page cache and the disk: filebench [-d DIR] [-m MIB]
 *
 *	file_read_cold      a file of MIB (64), read from its start by 64 KiB, nothing of it cached
 *	raw_read_cold       the same blocks of the disk, through /dev/vda
 *	file_read_small     that file by 4 KiB
 *	random_read_cold    4 KiB at 1024 places of it that have no order, nothing of it cached
 *	random_fault_cold   the same through a private mapping
 *	read_16M_hot/cold   16 MiB by read(), 64 KiB at a time, each page's first word then added up
 *	mmap_16M_hot/cold   the same through a private mapping
 *
 * A row ...:requests and a row ...:pages after each cold one tell what the disk was asked for, per
 * 1000 pages that were wanted.
 *
 * Prints name<TAB>nanoseconds per 4096 bytes. With ICOUNT=1 those are instructions, but for the
 * cold rows, where the machine waits: those want a real clock. scripts/bench.py runs both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE	   4096
#define CHUNK	   (16 * PAGE)
#define MIB	   (1UL << 20)
#define SMALL	   (16 * MIB)
#define NR_RANDOM  1024
#define IOC_FIBMAP 1 /* <linux/fs.h>: the number of a file's block on the disk */

static char buffer[CHUNK];
static volatile unsigned long sum;

static void die(const char *what)
{
	fprintf(stderr, "filebench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000UL + t.tv_nsec;
}

static void report(const char *name, unsigned long ns, unsigned long bytes)
{
	printf("%s\t%.1f\n", name, (double)ns / (double)(bytes / PAGE));
	fflush(stdout);
}

/* What vda was asked for so far: reads, and pages read. */
struct traffic {
	unsigned long requests, pages;
};

static struct traffic traffic_now(void)
{
	FILE *stats = fopen("/proc/diskstats", "r");
	struct traffic t = { 0, 0 };
	unsigned long reads, merged, sectors;
	char line[256], name[32];

	while (stats && fgets(line, sizeof(line), stats)) {
		if (sscanf(line, "%*u %*u %31s %lu %lu %lu", name, &reads, &merged, &sectors) ==
			    4 &&
		    strcmp(name, "vda") == 0)
			t = (struct traffic){ reads, sectors / (PAGE / 512) };
	}
	if (stats)
		fclose(stats);
	return t;
}

static void report_cold(const char *name, unsigned long ns, unsigned long bytes,
			struct traffic before)
{
	struct traffic now = traffic_now();
	double wanted = (double)(bytes / PAGE) / 1000;

	report(name, ns, bytes);
	printf("%s:requests\t%.0f\n", name, (double)(now.requests - before.requests) / wanted);
	printf("%s:pages\t%.0f\n", name, (double)(now.pages - before.pages) / wanted);
}

static void make_file(const char *path, unsigned long bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0)
		die(path);
	for (unsigned long done = 0; done < bytes; done += CHUNK) {
		memset(buffer, (int)(done / CHUNK), sizeof(buffer));
		if (write(fd, buffer, CHUNK) != CHUNK)
			die(path);
	}
	if (fsync(fd))
		die("fsync");
	close(fd);
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3\n", 2) != 2)
		die("/proc/sys/vm/drop_caches");
	close(fd);
}

static unsigned long time_read(int fd, off_t at, unsigned long bytes, unsigned chunk)
{
	unsigned long start = now_ns();

	for (unsigned long done = 0; done < bytes; done += chunk) {
		if (pread(fd, buffer, chunk, at + (off_t)done) != (ssize_t)chunk)
			die("read");
		for (unsigned i = 0; i < chunk; i += PAGE)
			sum += *(unsigned long *)(buffer + i);
	}
	return now_ns() - start;
}

/* The n-th of many pages in no order: the multiplier has no factor in common with a power of 2. */
static unsigned long scattered(unsigned long n, unsigned long bytes)
{
	return (n * 2654435761UL) % (bytes / PAGE);
}

static unsigned long time_random_read(int fd, unsigned long bytes)
{
	unsigned long start = now_ns();

	for (unsigned long n = 0; n < NR_RANDOM; n++) {
		if (pread(fd, buffer, PAGE, (off_t)(scattered(n, bytes) * PAGE)) != PAGE)
			die("read");
		sum += *(unsigned long *)buffer;
	}
	return now_ns() - start;
}

static unsigned long time_random_fault(int fd, unsigned long bytes)
{
	char *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	unsigned long start = now_ns();

	if (map == MAP_FAILED)
		die("mmap");
	for (unsigned long n = 0; n < NR_RANDOM; n++)
		sum += *(unsigned long *)(map + scattered(n, bytes) * PAGE);
	start = now_ns() - start;
	munmap(map, bytes);
	return start;
}

static unsigned long time_mmap(int fd, unsigned long bytes)
{
	unsigned long start = now_ns();
	char *map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);

	if (map == MAP_FAILED)
		die("mmap");
	for (unsigned long i = 0; i < bytes; i += PAGE)
		sum += *(unsigned long *)(map + i);
	munmap(map, bytes);
	return now_ns() - start;
}

/* A descriptor of its own, with nothing cached: what was read before is forgotten everywhere. */
static int open_cold(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	drop_caches();
	return fd;
}

/* Reads what lies on the disk from the file's first block on; 0 when there is no such disk. */
static void bench_raw(const char *path, unsigned long bytes)
{
	int fd = open_cold(path), disk = open("/dev/vda", O_RDONLY), block = 0;

	if (disk < 0 || ioctl(fd, IOC_FIBMAP, &block) < 0 || block == 0)
		printf("raw_read_cold\tn/a\n");
	else
		report("raw_read_cold", time_read(disk, (off_t)block * PAGE, bytes, CHUNK), bytes);
	if (disk >= 0)
		close(disk);
	close(fd);
}

static void bench_cold(const char *path, unsigned long bytes)
{
	int fd = open_cold(path);
	struct traffic before = traffic_now();

	report_cold("file_read_cold", time_read(fd, 0, bytes, CHUNK), bytes, before);
	close(fd);
	bench_raw(path, bytes);
	fd = open_cold(path);
	before = traffic_now();
	report_cold("file_read_small", time_read(fd, 0, bytes, PAGE), bytes, before);
	close(fd);
	fd = open_cold(path);
	before = traffic_now();
	report_cold("random_read_cold", time_random_read(fd, bytes), NR_RANDOM * PAGE, before);
	close(fd);
	fd = open_cold(path);
	before = traffic_now();
	report_cold("random_fault_cold", time_random_fault(fd, bytes), NR_RANDOM * PAGE, before);
	close(fd);
}

static void bench_small(const char *path)
{
	int fd = open_cold(path);
	struct traffic before = traffic_now();

	report_cold("read_16M_cold", time_read(fd, 0, SMALL, CHUNK), SMALL, before);
	report("read_16M_hot", time_read(fd, 0, SMALL, CHUNK), SMALL);
	close(fd);
	fd = open_cold(path);
	before = traffic_now();
	report_cold("mmap_16M_cold", time_mmap(fd, SMALL), SMALL, before);
	report("mmap_16M_hot", time_mmap(fd, SMALL), SMALL);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *dir = "/root";
	unsigned long bytes = 64 * MIB;
	char path[256];
	int c;

	while ((c = getopt(argc, argv, "d:m:")) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'm' && strtoul(optarg, NULL, 10) >= SMALL / MIB)
			bytes = strtoul(optarg, NULL, 10) * MIB;
		else
			return 2;
	}
	snprintf(path, sizeof(path), "%s/filebench.dat", dir);
	make_file(path, bytes);
	bench_cold(path, bytes);
	bench_small(path);
	if (unlink(path))
		die(path);
	return 0;
}
