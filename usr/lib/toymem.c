/*
 * toymem.c - the toy machine: made from a seed, and worked.
 *
 *	toy_make()       frames shuffled -> page table -> TLB (copies of PTEs, and stale entries
 *	                                                       that are not valid)
 *	                 memory -> cache (lines of frames that pages have, and others)
 *	toy_translate()  VPN -> TLB, else page table -> PPN -> cache, else memory
 *
 * Invariants: those of struct toy.  Locks: none.
 */
#include "usr/lib/toymem.h"

#include <string.h>

#define FEW_PAGES 40 /* of 256 have a frame: 20 of the shown ones, 20 of the others */

static unsigned bits(unsigned number, int low, int count)
{
	return number >> low & ((1u << count) - 1);
}

/* splitmix64: the next of the sequence, below @limit. */
static unsigned below(struct toy *toy, unsigned limit)
{
	uint64_t z = toy->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % limit;
}

/* 0 to count - 1, shuffled. */
static void shuffle(struct toy *toy, uint8_t *numbers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned j = below(toy, i + 1);

		numbers[i] = numbers[j];
		numbers[j] = i;
	}
}

/* A page of [first, end) that has no frame yet. */
static unsigned free_page(struct toy *toy, unsigned first, unsigned end)
{
	unsigned page;

	do
		page = first + below(toy, end - first);
	while (toy->pages[page].valid);
	return page;
}

static void make_pages(struct toy *toy)
{
	uint8_t frames[TOY_FRAMES];

	shuffle(toy, frames, TOY_FRAMES);
	for (unsigned i = 0; i < FEW_PAGES; i++) {
		unsigned page = i % 2 ? free_page(toy, TOY_SHOWN_PAGES, TOY_PAGES) :
					free_page(toy, 0, TOY_SHOWN_PAGES);

		toy->pages[page] = (struct toy_pte){ .valid = true, .ppn = frames[i] };
	}
}

static bool tlb_has(const struct toy *toy, unsigned set, unsigned tag)
{
	for (unsigned way = 0; way < TOY_TLB_WAYS; way++)
		if (toy->tlb[set][way].tag == tag && toy->tlb[set][way].valid)
			return true;
	return false;
}

/* A third of the entries is left over from somebody else: a tag, a frame, not valid. */
static void make_tlb(struct toy *toy)
{
	for (unsigned i = 0; i < TOY_TLB_SETS * TOY_TLB_WAYS; i++) {
		unsigned set = i % TOY_TLB_SETS, limit = i % 2 ? TOY_PAGES : TOY_SHOWN_PAGES;
		unsigned page = below(toy, limit / TOY_TLB_SETS) * TOY_TLB_SETS + set;
		struct toy_tlb_entry *entry = &toy->tlb[set][i / TOY_TLB_SETS];
		bool stale = below(toy, 3) == 0;

		for (unsigned tries = 0; !stale && !toy->pages[page].valid && tries < 64; tries++)
			page = below(toy, limit / TOY_TLB_SETS) * TOY_TLB_SETS + set;
		entry->tag = page / TOY_TLB_SETS;
		entry->ppn = toy->pages[page].valid && !stale ? toy->pages[page].ppn :
								below(toy, TOY_FRAMES);
		entry->valid = false;
		if (!stale && toy->pages[page].valid && !tlb_has(toy, set, entry->tag))
			entry->valid = true;
	}
}

static void make_cache(struct toy *toy)
{
	for (unsigned i = 0; i < sizeof(toy->memory); i++)
		toy->memory[i] = below(toy, 256);
	for (unsigned i = 0; i < TOY_LINES; i++) {
		struct toy_line *line = &toy->cache[i];
		unsigned page = below(toy, TOY_SHOWN_PAGES);

		line->tag = toy->pages[page].valid ? toy->pages[page].ppn : below(toy, TOY_FRAMES);
		line->valid = below(toy, 4) > 0;
		memcpy(line->bytes, &toy->memory[line->tag << TOY_OFFSET_BITS | i * TOY_LINE_BYTES],
		       TOY_LINE_BYTES);
	}
}

void toy_make(struct toy *toy, uint64_t seed)
{
	memset(toy, 0, sizeof(*toy));
	toy->random = seed;
	make_pages(toy);
	make_tlb(toy);
	make_cache(toy);
}

/* The frame of answer->vpn: from the TLB, else from the page table. */
static void find_frame(const struct toy *toy, struct toy_answer *answer)
{
	const struct toy_tlb_entry *set = toy->tlb[answer->tlbi];
	const struct toy_pte *pte = &toy->pages[answer->vpn];

	for (unsigned way = 0; way < TOY_TLB_WAYS; way++) {
		if (set[way].valid && set[way].tag == answer->tlbt) {
			answer->tlb_hit = true;
			answer->ppn = set[way].ppn;
			return;
		}
	}
	answer->page_fault = !pte->valid;
	answer->ppn = pte->ppn;
}

void toy_translate(const struct toy *toy, unsigned va, struct toy_answer *answer)
{
	const struct toy_line *line;

	memset(answer, 0, sizeof(*answer));
	answer->vpn = bits(va, TOY_OFFSET_BITS, TOY_VA_BITS - TOY_OFFSET_BITS);
	answer->vpo = bits(va, 0, TOY_OFFSET_BITS);
	answer->tlbi = bits(answer->vpn, 0, 2);
	answer->tlbt = bits(answer->vpn, 2, 6);
	find_frame(toy, answer);
	if (answer->page_fault)
		return;
	answer->ppo = answer->vpo;
	answer->pa = answer->ppn << TOY_OFFSET_BITS | answer->ppo;
	answer->co = bits(answer->pa, 0, 2);
	answer->ci = bits(answer->pa, 2, 4);
	answer->ct = bits(answer->pa, 6, 6);
	line = &toy->cache[answer->ci];
	answer->cache_hit = line->valid && line->tag == answer->ct;
	answer->byte = answer->cache_hit ? line->bytes[answer->co] : toy->memory[answer->pa];
}

enum { HIT_HIT, HIT_MISS, MISS_HIT, MISS_MISS, FAULT };

static int kind_of(const struct toy_answer *answer)
{
	if (answer->page_fault)
		return FAULT;
	return (answer->tlb_hit ? HIT_HIT : MISS_HIT) + !answer->cache_hit;
}

#define TRIES 20000 /* of random addresses; a kind that this machine does not have is given up */

unsigned toy_question(struct toy *toy)
{
	unsigned nr = toy->nr_questions++ % TOY_KINDS, va = 0, last = 0;
	struct toy_answer answer;

	if (nr == 0)
		shuffle(toy, toy->kinds, TOY_KINDS);
	for (unsigned i = 0; i < TRIES; i++) {
		va = below(toy, 1u << TOY_VA_BITS);
		toy_translate(toy, va, &answer);
		if (answer.vpn >= TOY_SHOWN_PAGES && !answer.tlb_hit)
			continue;
		if (kind_of(&answer) == toy->kinds[nr])
			return va;
		last = va;
	}
	return last;
}
