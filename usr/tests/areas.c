/*
 * areas.c - many areas: 10,000 in one address space, merged back to one; random edits of the list
 * against a model with one entry per page.
 */
#include "usr/lib/test.h"

#include <sys/mman.h>

#include "usr/lib/testutil.h"

#define MANY 10000
#define RW   (PROT_READ | PROT_WRITE)

static int areas(char *p, size_t pages)
{
	return count_maps((uintptr_t)p, (uintptr_t)p + pages * PAGE_SIZE);
}

TEST(ten_thousand_areas_and_back_to_one)
{
	char *p = map_anon(MANY * PAGE_SIZE);

	/* The first touch settles the owner of anonymous pages, which Linux's merge compares. */
	p[0] = 1;
	for (int i = 0; i < MANY; i += 2)
		CHECK_OK(mprotect(p + i * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	CHECK_EQ(areas(p, MANY), MANY);
	test_progress();
	for (int i = 1; i < MANY; i += 500)
		p[i * PAGE_SIZE] = 1;
	for (int i = 0; i < MANY; i += 2)
		CHECK_OK(mprotect(p + i * PAGE_SIZE, PAGE_SIZE, RW));
	CHECK_EQ(areas(p, MANY), 1);
	CHECK_EQ(p[501 * PAGE_SIZE], 1);
}

TEST(ten_thousand_holes)
{
	char *p = map_anon(2 * MANY * PAGE_SIZE);

	for (int i = 0; i < MANY; i++)
		CHECK_OK(munmap(p + (2 * i + 1) * PAGE_SIZE, PAGE_SIZE));
	CHECK_EQ(areas(p, 2 * MANY), MANY);
	test_progress();
	for (int i = 0; i < MANY; i++)
		CHECK_OK(mmap(p + (2 * i + 1) * PAGE_SIZE, PAGE_SIZE, RW,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	CHECK_EQ(areas(p, 2 * MANY), 1);
}

TEST(many_areas_are_forked_and_dropped)
{
	char *p = map_anon(2000 * PAGE_SIZE);

	for (int i = 0; i < 2000; i += 2)
		CHECK_OK(mprotect(p + i * PAGE_SIZE, PAGE_SIZE, PROT_READ));
	p[PAGE_SIZE] = 3;
	CHECK_CHILD({
		CHECK_EQ(areas(p, 2000), 2000);
		CHECK_EQ(p[PAGE_SIZE], 3);
		CHECK_OK(munmap(p, 2000 * PAGE_SIZE));
	});
	CHECK_EQ(areas(p, 2000), 2000);
}

#define MODEL_PAGES 48
#define UNMAPPED    99

struct model {
	unsigned char prot[MODEL_PAGES];
	unsigned char value[MODEL_PAGES];
};

/* What the kernel says of every page, through the pipe's copy in and out: no fault kills us. */
static void compare(const struct model *model, char *base, int fds[2])
{
	int runs = 0;

	for (int i = 0; i < MODEL_PAGES; i++) {
		char *page = base + i * PAGE_SIZE, byte;
		ssize_t n = write(fds[1], page, 1);
		bool readable = model->prot[i] != UNMAPPED && model->prot[i] != PROT_NONE;

		CHECK_EQ(n, readable ? 1 : -1);
		if (n == 1) {
			CHECK_EQ(read(fds[0], &byte, 1), 1);
			CHECK_EQ((unsigned char)byte, model->value[i]);
		}
		if (model->prot[i] != UNMAPPED && (i == 0 || model->prot[i] != model->prot[i - 1]))
			runs++;
	}
	/* Linux keeps neighbours apart that differ only in what it accounts. */
	CHECK_RANGE(areas(base, MODEL_PAGES), runs, on_ravel() ? runs : MODEL_PAGES);
}

static void random_edit(struct model *model, char *base, int step)
{
	static const int prots[] = { PROT_NONE, PROT_READ, RW };
	int first = test_random_below(MODEL_PAGES);
	int count = 1 + test_random_below(MODEL_PAGES - first);
	int prot = prots[test_random_below(ARRAY_LEN(prots))];
	char *p = base + first * PAGE_SIZE;
	bool hole = false;

	switch (test_random_below(4)) {
	case 0:
		CHECK_EQ(mmap(p, count * PAGE_SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			      -1, 0),
			 p);
		memset(model->prot + first, prot, count);
		memset(model->value + first, 0, count);
		break;
	case 1:
		CHECK_EQ(munmap(p, count * PAGE_SIZE), 0);
		memset(model->prot + first, UNMAPPED, count);
		break;
	case 2:
		for (int i = first; i < first + count && !hole; i++) {
			hole = model->prot[i] == UNMAPPED;
			if (!hole)
				model->prot[i] = prot;
		}
		CHECK_EQ(mprotect(p, count * PAGE_SIZE, prot), hole ? -1 : 0);
		break;
	default:
		for (int i = first; i < first + count; i++)
			if (model->prot[i] == RW)
				base[i * PAGE_SIZE] = model->value[i] = step + 1;
	}
}

TEST(random_edits_against_a_model)
{
	char *base = CHECK_OK(mmap(NULL, (MODEL_PAGES + 2) * PAGE_SIZE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct model model;
	int fds[2];

	/* A hole on both sides, so that nothing outside merges with the range. */
	CHECK_OK(munmap(base, (MODEL_PAGES + 2) * PAGE_SIZE));
	base += PAGE_SIZE;
	memset(model.prot, UNMAPPED, sizeof(model.prot));
	memset(model.value, 0, sizeof(model.value));
	CHECK_OK(pipe(fds));
	for (int step = 0; step < 250; step++) {
		random_edit(&model, base, step);
		if (step % 5 == 0)
			compare(&model, base, fds);
	}
}
