/*
 * overfill.c - a working set of any size, which must be right after all: for machines with less
 * memory than that.
 *
 *	overfill [-flv] [-p N] [-r N] MB
 *
 *	MB    megabytes of memory, all of them written, then read and changed again and again
 *	-f    half of it is a shared mapping of a file in the current directory instead
 *	-p N  as N processes, each with its share of MB
 *	-r N  N rounds (2)
 *	-l    in order, a loop; else every page once a round, in an order that looks random
 *	-v    a line after each 32 MB of a round
 *
 * Each word of a page says which page and round it is; a word that is wrong ends it with status 1.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096UL
#define WORDS (PAGE / sizeof(uint64_t))

#define MAX_PROCESSES 256
#define MAX_ROUNDS    1000000
#define MAX_MB	      (1UL << 20)
#define TOLD_PAGES    ((32UL << 20) / PAGE)

static unsigned long rounds = 2;
static int in_order, with_file, verbose;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A number below the power of two @n, each once for all @i below it: the order of a round. */
static unsigned long shuffle(unsigned long i, unsigned long n, unsigned long round)
{
	return (i * 2654435761UL + round * 40503) & (n - 1);
}

static uint64_t word(unsigned long page, unsigned long at, unsigned long round)
{
	return (page * WORDS + at) * 0x9e3779b97f4a7c15UL + round;
}

static void fill(uint64_t *page, unsigned long nr, unsigned long round)
{
	for (unsigned long at = 0; at < WORDS; at++)
		page[at] = word(nr, at, round);
}

static void check(const uint64_t *page, unsigned long nr, unsigned long round)
{
	for (unsigned long at = 0; at < WORDS; at++) {
		if (page[at] == word(nr, at, round))
			continue;
		printf("overfill: page %lu word %lu round %lu: 0x%lx, expected 0x%lx\n", nr, at,
		       round, (unsigned long)page[at], (unsigned long)word(nr, at, round));
		exit(1);
	}
}

/* Where @done pages of @round are at a whole number of them. */
static void tell(unsigned long done, unsigned long round)
{
	if (verbose && done % TOLD_PAGES == 0)
		printf("overfill: round %lu, %lu MB\n", round, done * PAGE >> 20);
}

/* One round over @pages pages at @base; every third is changed. Page @i has changed rounds[i]. */
static void one_round(uint64_t *base, unsigned long pages, unsigned long round)
{
	unsigned long size = 1, done = 0;

	while (size < pages)
		size *= 2;
	for (unsigned long i = 0; i < size; i++) {
		unsigned long nr = in_order ? i : shuffle(i, size, round);
		unsigned long last = nr % 3 == 0 && round > 0 ? round - 1 : 0;

		if (nr >= pages)
			continue;
		if (round > 0)
			check(base + nr * WORDS, nr, last);
		if (round == 0 || nr % 3 == 0)
			fill(base + nr * WORDS, nr, round);
		tell(++done, round);
	}
}

static void work(unsigned long pages, int id)
{
	unsigned long file_pages = with_file ? pages / 2 : 0;
	uint64_t *anon, *file = NULL;
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "overfill.%d", id);
	if (with_file) {
		fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || ftruncate(fd, file_pages * PAGE))
			die(name);
		file = mmap(NULL, file_pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		unlink(name);
	}
	anon = mmap(NULL, (pages - file_pages) * PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (anon == MAP_FAILED || file == MAP_FAILED)
		die("mmap");
	for (unsigned long round = 0; round <= rounds; round++) {
		one_round(anon, pages - file_pages, round);
		if (with_file)
			one_round(file, file_pages, round);
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: overfill [-flv] [-p N] [-r N] MB\n");
	exit(2);
}

/* A whole number from 1 to @max, and nothing behind it. */
static unsigned long number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > max)
		usage();
	return n;
}

int main(int argc, char **argv)
{
	int opt, nr = 1, status, bad = 0;
	unsigned long mb;

	while ((opt = getopt(argc, argv, "flvp:r:")) != -1) {
		if (opt == 'f')
			with_file = 1;
		else if (opt == 'l')
			in_order = 1;
		else if (opt == 'v')
			verbose = 1;
		else if (opt == 'p')
			nr = number(optarg, MAX_PROCESSES);
		else if (opt == 'r')
			rounds = number(optarg, MAX_ROUNDS);
		else
			usage();
	}
	if (optind + 1 != argc)
		usage();
	mb = number(argv[optind], MAX_MB);
	for (int i = 0; i < nr; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0) {
			work((mb << 20) / PAGE / nr, i);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status != 0;
	printf("overfill: %lu MB, %lu rounds, %d processes: %s\n", mb, rounds, nr,
	       bad ? "FAILED" : "all words right");
	return bad;
}
