/*
 * explanation.h - asking the kernel about an address: /proc/<pid>/explain, for explain(1),
 * translate(1) and their tests.
 *
 *	ask_address("self", 0x10000, &answer);
 *	answer_number(&answer, "pfn", &pfn)
 *
 * The answer is lines `key value...`; docs/explain.md lists the keys.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_EXPLANATION_H
#define RAVEL_USR_LIB_EXPLANATION_H

#include <stdbool.h>
#include <stddef.h>

#define ANSWER_SIZE 16384

struct answer {
	char text[ANSWER_SIZE];
};

/* One level of the walk. */
struct answer_entry {
	unsigned long index, at, value; /* at: physical address of the entry */
};

/* Bits of a page-table entry of Sv39. */
#define PTE_V	    0x1UL
#define PTE_R	    0x2UL
#define PTE_W	    0x4UL
#define PTE_X	    0x8UL
#define PTE_U	    0x10UL
#define PTE_A	    0x40UL
#define PTE_D	    0x80UL
#define PTE_SPECIAL 0x100UL

/* The frame number in an entry. */
static inline unsigned long entry_ppn(unsigned long value)
{
	return (value >> 10) & ((1UL << 44) - 1);
}

/*
 * Ask about @addr of process @pid ("self" or a number; its user address, or any 64 bits).
 * Returns 0, or -1 with the errno of open, write or read.
 */
int ask_address(const char *pid, unsigned long addr, struct answer *answer);

/*
 * The value of the line @key, without the key, into @value, at most @size - 1 bytes; false: there
 * is no such line.  answer_next() is for keys that may have several lines: it goes on after *at,
 * which is NULL at first.
 */
bool answer_value(const struct answer *answer, const char *key, char *value, size_t size);
bool answer_next(const struct answer *answer, const char **at, const char *key, char *value,
		 size_t size);

/* The number that the line @key begins with, 0x or decimal; false: there is none. */
bool answer_number(const struct answer *answer, const char *key, unsigned long *value);

/* The entry of @level (2, 1, 0); false: the walk ended above it. */
bool answer_entry(const struct answer *answer, int level, struct answer_entry *entry);

/*
 * What @kind ("load", "store", "fetch") would do, without the counters: "ok read_in file_copy".
 * One static buffer; "" when the answer does not say.
 */
const char *answer_rows(const struct answer *answer, const char *kind);

/* "00 0 1 0 1 0 0 1 1": the bits RSW D A G U X W R V of @value, for a table; one static buffer. */
const char *entry_bits(unsigned long value);
#define ENTRY_BITS_TITLE "RSW D A G U X W R V"

/* Parse an address as the user writes it: hexadecimal, 0x or not. Returns 0, or -1. */
int parse_address(const char *text, unsigned long *addr);

#endif
