/*
 * toymem.h - a toy machine whose memory system fits on a page, as textbooks have it: for toymem(1)
 * and its test.
 *
 *	virtual address, 14 bits    | VPN 8 bits: TLBT 6, TLBI 2 | VPO 6 bits |
 *	physical address, 12 bits         | PPN 6 bits: CT       | PPO: CI 4, CO 2 |
 *
 *	pages of 64 bytes; TLB of 16 entries, 4 ways in 4 sets; cache of 16 lines of 4 bytes, direct
 *	mapped by physical address
 *
 * Everything in it is made from a seed: the same on every machine.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TOYMEM_H
#define RAVEL_USR_LIB_TOYMEM_H

#include <stdbool.h>
#include <stdint.h>

#define TOY_VA_BITS	14
#define TOY_PA_BITS	12
#define TOY_OFFSET_BITS 6
#define TOY_PAGES	256 /* virtual */
#define TOY_FRAMES	64
#define TOY_TLB_SETS	4
#define TOY_TLB_WAYS	4
#define TOY_LINES	16
#define TOY_LINE_BYTES	4
#define TOY_KINDS	5
#define TOY_SHOWN_PAGES 32 /* of the page table: what questions need of it */

struct toy_pte {
	bool valid;
	uint8_t ppn;
};

struct toy_tlb_entry {
	bool valid;
	uint8_t tag, ppn;
};

struct toy_line {
	bool valid;
	uint8_t tag, bytes[TOY_LINE_BYTES];
};

/*
 * Invariants: a valid TLB entry is a valid PTE, and the only one of its page; no two pages have one
 * frame; a valid line is what memory holds.
 */
struct toy {
	uint64_t random; /* state of the generator */
	unsigned nr_questions;
	uint8_t kinds[TOY_KINDS]; /* of the five questions that come now, shuffled */
	struct toy_pte pages[TOY_PAGES];
	struct toy_tlb_entry tlb[TOY_TLB_SETS][TOY_TLB_WAYS];
	struct toy_line cache[TOY_LINES];
	uint8_t memory[1 << TOY_PA_BITS];
};

/* A virtual address, worked. After a page fault nothing below it means anything. */
struct toy_answer {
	unsigned vpn, vpo, tlbi, tlbt;
	bool tlb_hit, page_fault;
	unsigned ppn, ppo, pa, co, ci, ct;
	bool cache_hit;
	unsigned byte; /* from the cache, or from memory */
};

/* The machine of @seed. */
void toy_make(struct toy *toy, uint64_t seed);

/* Works virtual address @va, 0 to 16383, out. Nothing in the machine changes. */
void toy_translate(const struct toy *toy, unsigned va, struct toy_answer *answer);

/*
 * The next address to ask about: one that the TLB and the first TOY_SHOWN_PAGES entries of the page
 * table answer. Each five are a hit and a miss of the cache after a hit of the TLB, the same after
 * a miss, and a page fault, in random order, if the machine has all these.
 */
unsigned toy_question(struct toy *toy);

#endif
