/*
 * toy.c - the toy machine of toymem(1) against a model that works with divisions and searches
 * everything: no bit of the one is in the other.
 */
#include "usr/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "usr/lib/testutil.h"
#include "usr/lib/toymem.h"

#define ADDRESSES 16384

static struct toy toy;

/* ---- the model ---- */

/* The PPN that some valid entry of the TLB has for page @vpn, in its set; -1: none has. */
static int tlb_search(unsigned vpn)
{
	int found = -1;

	for (unsigned set = 0; set < 4; set++) {
		for (unsigned way = 0; way < 4; way++) {
			const struct toy_tlb_entry *entry = &toy.tlb[set][way];

			if (!entry->valid || entry->tag * 4u + set != vpn)
				continue;
			CHECK_EQ(found, -1);
			found = entry->ppn;
		}
	}
	return found;
}

/* The byte at @pa that some valid line of the cache has; -1: none has. */
static int cache_search(unsigned pa)
{
	int found = -1;

	for (unsigned index = 0; index < 16; index++) {
		for (unsigned byte = 0; byte < 4; byte++) {
			const struct toy_line *line = &toy.cache[index];

			if (!line->valid || (line->tag * 16u + index) * 4 + byte != pa)
				continue;
			CHECK_EQ(found, -1);
			found = line->bytes[byte];
		}
	}
	return found;
}

static void compare(unsigned va)
{
	unsigned vpn = va / 64, pa;
	struct toy_answer a;
	int ppn, byte;

	toy_translate(&toy, va, &a);
	CHECK_EQ(a.vpn, vpn);
	CHECK_EQ(a.vpo, va % 64);
	CHECK_EQ(a.tlbt * 4 + a.tlbi, vpn);
	CHECK(a.tlbi < 4);
	ppn = tlb_search(vpn);
	CHECK_EQ(a.tlb_hit, ppn >= 0);
	if (ppn < 0 && toy.pages[vpn].valid)
		ppn = toy.pages[vpn].ppn;
	CHECK_EQ(a.page_fault, ppn < 0);
	if (ppn < 0)
		return;
	pa = ppn * 64 + va % 64;
	CHECK_EQ(a.ppn, ppn);
	CHECK_EQ(a.ppo, va % 64);
	CHECK_EQ(a.pa, pa);
	CHECK_EQ(a.co, pa % 4);
	CHECK_EQ(a.ci, pa / 4 % 16);
	CHECK_EQ(a.ct, pa / 64);
	byte = cache_search(pa);
	CHECK_EQ(a.cache_hit, byte >= 0);
	CHECK_EQ(a.byte, toy.memory[pa]);
	if (byte >= 0)
		CHECK_EQ(a.byte, byte);
}

TEST(every_address_of_some_machines)
{
	for (int round = 0; round < 20; round++) {
		toy_make(&toy, test_random());
		for (unsigned va = 0; va < ADDRESSES; va++)
			compare(va);
		test_progress();
	}
}

/* ---- what a machine is ---- */

TEST(copies_agree)
{
	for (int round = 0; round < 500; round++) {
		bool taken[TOY_FRAMES] = { false };
		int valid = 0;

		toy_make(&toy, test_random());
		for (unsigned page = 0; page < TOY_PAGES; page++) {
			if (!toy.pages[page].valid)
				continue;
			CHECK(toy.pages[page].ppn < TOY_FRAMES && !taken[toy.pages[page].ppn]);
			taken[toy.pages[page].ppn] = true;
		}
		for (unsigned i = 0; i < 16; i++) {
			const struct toy_tlb_entry *entry = &toy.tlb[i % 4][i / 4];
			const struct toy_pte *pte = &toy.pages[entry->tag * 4 + i % 4];

			CHECK(entry->tag < 64 && entry->ppn < TOY_FRAMES);
			if (entry->valid)
				CHECK(pte->valid && pte->ppn == entry->ppn);
			valid += entry->valid;
			CHECK(toy.cache[i].tag < TOY_FRAMES);
		}
		CHECK_RANGE(valid, 1, 16);
	}
}

/* ---- questions ---- */

TEST(questions_can_be_answered_and_are_mixed)
{
	int kinds[5] = { 0 };

	for (int round = 0; round < 200; round++) {
		toy_make(&toy, test_random());
		for (unsigned nr = 0; nr < 10; nr++) {
			unsigned va = toy_question(&toy);
			struct toy_answer a;

			CHECK(va < ADDRESSES);
			toy_translate(&toy, va, &a);
			CHECK(a.tlb_hit || a.vpn < TOY_SHOWN_PAGES);
			kinds[a.page_fault ? 4 : a.tlb_hit * 2 + a.cache_hit]++;
		}
	}
	/* A machine may lack a kind; most have all. */
	for (int i = 0; i < 5; i++)
		CHECK_RANGE(kinds[i], 200, 800);
}

TEST(a_seed_repeats)
{
	unsigned first[20], differ = 0;
	struct toy again;

	toy_make(&toy, 42);
	toy_make(&again, 42);
	CHECK(memcmp(&toy, &again, sizeof(toy)) == 0);
	for (int i = 0; i < 20; i++)
		first[i] = toy_question(&toy);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(toy_question(&again), first[i]);
	toy_make(&again, 43);
	for (int i = 0; i < 20; i++)
		differ += toy_question(&again) != first[i];
	CHECK(differ > 10);
	/* The same on every machine and in every year. */
	toy_make(&toy, 7);
	CHECK_EQ(toy_question(&toy), 0x00ba);
}

/* ---- the program ---- */

static char output[16384];

/* The tool is in /bin, or natively in bin/ beside the directory of the tests. */
static void set_path(void)
{
	char path[512], *slash;

	snprintf(path, sizeof(path), "%s", self_path());
	slash = strrchr(path, '/');
	snprintf(slash, sizeof(path) - (slash - path), "/../bin:/usr/bin:/bin");
	CHECK_OK(setenv("PATH", on_ravel() ? "/bin" : path, 1));
}

/* What a line of the shell prints; its exit status is checked. */
static const char *run(const char *line, int status)
{
	FILE *pipe;
	size_t length;

	set_path();
	pipe = popen(line, "r");
	CHECK(pipe != NULL);
	length = fread(output, 1, sizeof(output) - 1, pipe);
	output[length] = '\0';
	CHECK_EQ(WEXITSTATUS(pclose(pipe)), status);
	return output;
}

#define CHECK_HAS(text, words) CHECK(strstr(text, words) != NULL)

TEST(it_shows_and_works)
{
	static char first[sizeof(output)];
	char va[64];

	snprintf(first, sizeof(first), "%s", run("toymem -a -s 7 -n 3", 0));
	CHECK_STRING(run("toymem -n 3 -s 7 -a", 0), first);
	toy_make(&toy, 7);
	for (int nr = 1; nr <= 3; nr++) {
		snprintf(va, sizeof(va), "\n%d. virtual address 0x%04x = ", nr, toy_question(&toy));
		CHECK_HAS(first, va);
	}
	CHECK(strstr(first, "\n4. ") == NULL);
	CHECK_HAS(first, "The machine of seed 7");
	CHECK_HAS(first, "TLB: 16 entries");
	run("toymem -n 0 2>&1", 1);
	CHECK_HAS(run("toymem -s x 2>&1", 1), "usage: toymem");
	CHECK_HAS(run("toymem 5 2>&1", 1), "usage: toymem");
}

/* All answers to the question about @va, as lines for printf(1). */
static int answer_lines(char *out, size_t size, unsigned va)
{
	struct toy_answer a;

	toy_translate(&toy, va, &a);
	if (a.page_fault)
		return snprintf(out, size, "%x\\n%x\\n%x\\n%x\\nn\\ny\\n", a.vpn, a.vpo, a.tlbi,
				a.tlbt);
	return snprintf(out, size,
			"0x%X\\n%X\\n%x\\n%x\\n%c\\nn\\n%x\\n%x\\n%x\\n%x\\n%x\\n%c\\n%x\\n", a.vpn,
			a.vpo, a.tlbi, a.tlbt, a.tlb_hit ? 'y' : 'n', a.ppn, a.ppo, a.co, a.ci,
			a.ct, a.cache_hit ? 'y' : 'n', a.byte);
}

TEST(it_asks_and_counts)
{
	char line[400], answers[300];
	struct toy_answer a;
	unsigned va;

	toy_make(&toy, 7);
	va = toy_question(&toy);
	toy_translate(&toy, va, &a);
	answer_lines(answers, sizeof(answers), va);
	snprintf(line, sizeof(line), "printf '%s' | toymem -s 7 -n 1", answers);
	run(line, 0);
	CHECK_HAS(output, a.page_fault ? "right: 6 of 6" :
			  a.cache_hit  ? "right: 13 of 13" :
					 "right: 12 of 12");
	CHECK(strstr(output, "no: ") == NULL);
	/* Wrong, given up, and gone. */
	snprintf(line, sizeof(line), "printf 'fff\\n\\nq\\n' | toymem -s 7 -n 1");
	run(line, 1);
	snprintf(answers, sizeof(answers), "no: 0x%X\n", a.vpn);
	CHECK_HAS(output, answers);
	CHECK_HAS(output, "right: 0 of 2");
	run("toymem -s 7 -n 2 </dev/null", 1);
	CHECK_HAS(output, "right: 0 of 0");
}
