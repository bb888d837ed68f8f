/*
 * filebench.c - the page cache and the disk: filebench [-d DIR] [-m MIB]
 *
 *	file_read_cold      a file of MIB (64), read from its start by 64 KiB, nothing of it cached
 *	raw_read_cold       the same blocks of the disk, through /dev/vda
 *	read_16M_hot/cold   16 MiB by read(), 64 KiB at a time, each page's first word then added up
 *	mmap_16M_hot/cold   the same through a private mapping
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

static int make_file(const char *path, unsigned long bytes)
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
	return fd;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (fd < 0 || write(fd, "3\n", 2) != 2)
		die("/proc/sys/vm/drop_caches");
	close(fd);
}

static unsigned long time_read(int fd, off_t at, unsigned long bytes)
{
	unsigned long start = now_ns();

	for (unsigned long done = 0; done < bytes; done += CHUNK) {
		if (pread(fd, buffer, CHUNK, at + (off_t)done) != CHUNK)
			die("read");
		for (unsigned i = 0; i < CHUNK; i += PAGE)
			sum += *(unsigned long *)(buffer + i);
	}
	return now_ns() - start;
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

/* Reads what lies on the disk from the file's first block on; 0 when there is no such disk. */
static void bench_raw(int fd, unsigned long bytes)
{
	int disk = open("/dev/vda", O_RDONLY), block = 0;

	if (disk < 0 || ioctl(fd, IOC_FIBMAP, &block) < 0 || block == 0) {
		printf("raw_read_cold\tn/a\n");
	} else {
		drop_caches();
		report("raw_read_cold", time_read(disk, (off_t)block * PAGE, bytes), bytes);
	}
	if (disk >= 0)
		close(disk);
}

static void bench_small(int fd)
{
	drop_caches();
	report("read_16M_cold", time_read(fd, 0, SMALL), SMALL);
	report("read_16M_hot", time_read(fd, 0, SMALL), SMALL);
	drop_caches();
	report("mmap_16M_cold", time_mmap(fd, SMALL), SMALL);
	report("mmap_16M_hot", time_mmap(fd, SMALL), SMALL);
}

int main(int argc, char **argv)
{
	const char *dir = "/root";
	unsigned long bytes = 64 * MIB;
	char path[256];
	int c, fd;

	while ((c = getopt(argc, argv, "d:m:")) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'm' && strtoul(optarg, NULL, 10) >= SMALL / MIB)
			bytes = strtoul(optarg, NULL, 10) * MIB;
		else
			return 2;
	}
	snprintf(path, sizeof(path), "%s/filebench.dat", dir);
	fd = make_file(path, bytes);
	drop_caches();
	report("file_read_cold", time_read(fd, 0, bytes), bytes);
	bench_raw(fd, bytes);
	bench_small(fd);
	if (unlink(path))
		die(path);
	return 0;
}
