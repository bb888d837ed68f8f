/*
 * fragment.c - ravel-only: /proc/unusable_index and extfrag_index, worked out again from
 * /proc/buddyinfo.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define ORDERS 11

/* The numbers of a file's one line, after "zone   Normal". */
static void read_numbers(const char *path, double *numbers)
{
	char text[512], *at;

	CHECK(read_text(path, text, sizeof(text)) > 0);
	at = strstr(text, "Normal");
	CHECK(strncmp(text, "Node 0, zone ", 13) == 0 && at);
	at += strlen("Normal");
	for (int order = 0; order < ORDERS; order++) {
		char *start = at;

		numbers[order] = strtod(start, &at);
		CHECK(at > start);
	}
	CHECK_STRING(at, " \n");
}

/* Both files and, before and after them, the same free lists. */
static void read_all(double *blocks, double *unusable, double *extfrag)
{
	double again[ORDERS];

	for (int tries = 0; tries < 100; tries++) {
		read_numbers("/proc/buddyinfo", blocks);
		read_numbers("/proc/unusable_index", unusable);
		read_numbers("/proc/extfrag_index", extfrag);
		read_numbers("/proc/buddyinfo", again);
		if (memcmp(blocks, again, sizeof(again)) == 0)
			return;
	}
	CHECK(!"the free lists stand still for once");
}

static bool is_close(double got, double expected)
{
	return got > expected - 0.0021 && got < expected + 0.0021;
}

/* Pages in all these blocks. */
static double sum(const double *blocks)
{
	double pages = 0;

	for (int order = 0; order < ORDERS; order++)
		pages += blocks[order] * (1 << order);
	return pages;
}

static void check_indexes(void)
{
	double blocks[ORDERS], unusable[ORDERS], extfrag[ORDERS], all, nr = 0, small = 0;

	read_all(blocks, unusable, extfrag);
	all = sum(blocks);
	CHECK(all > 0);
	for (int order = 0; order < ORDERS; order++)
		nr += blocks[order];
	for (int order = 0; order < ORDERS; order++) {
		double missing = 1 - (1 + all / (1 << order)) / nr;

		CHECK(is_close(unusable[order], small / all));
		if (small < all)
			CHECK(extfrag[order] == -1);
		else
			CHECK(is_close(extfrag[order], missing > 0 ? missing : 0));
		small += blocks[order] * (1 << order);
	}
}

TEST(as_the_free_lists_say)
{
	check_indexes();
}

/* Every second page of this process goes back: what is free now is in pieces. */
TEST(pieces_make_the_index_grow)
{
	double blocks[ORDERS], quiet[ORDERS], broken[ORDERS], after[ORDERS], extfrag[ORDERS];
	size_t pages;
	char *p;

	read_all(blocks, quiet, extfrag);
	pages = sum(blocks) / 8 < 32768 ? sum(blocks) / 8 : 32768;
	p = map_anon(pages * PAGE_SIZE);
	memset(p, 1, pages * PAGE_SIZE);
	for (size_t i = 0; i < pages; i += 2)
		CHECK_OK(munmap(p + i * PAGE_SIZE, PAGE_SIZE));
	read_all(blocks, broken, extfrag);
	test_note("unusable for order 3: %.3f, then %.3f", quiet[3], broken[3]);
	CHECK(broken[1] > quiet[1] + 0.01);
	CHECK(broken[3] > quiet[3] + 0.01);
	check_indexes();
	/* Neighbours melt again; a few pieces stay, in slabs and on the harts' lists. */
	CHECK_OK(munmap(p, pages * PAGE_SIZE));
	read_all(blocks, after, extfrag);
	CHECK(after[3] - quiet[3] < (broken[3] - quiet[3]) / 2);
}
