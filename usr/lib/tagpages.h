/*
 * tagpages.h - memory whose pages say which they are, so that one that gets lost, or comes back
 * from a disk as another, is noticed by who reads it.
 *
 *	page 0 | tag 0 ...  |  page 1 | tag 1 ...  |  ...        tags have all bits in use
 *
 * Invariants: nothing here keeps state but the caller's.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TAGPAGES_H
#define RAVEL_USR_LIB_TAGPAGES_H

#include <stddef.h>
#include <stdint.h>

#define TAG_PAGE_SIZE  4096UL
#define STATUS_CORRUPT 3 /* exit status: a page held something else */

struct tagged_pages {
	volatile uint64_t *words;
	size_t pages;
};

/* Private anonymous memory, in small pages, none of them written yet. Exits if there is none. */
void tagged_map(struct tagged_pages *memory, size_t pages);
void tagged_unmap(struct tagged_pages *memory);

static inline volatile uint64_t *tagged_word(const struct tagged_pages *memory, size_t page)
{
	return memory->words + page * (TAG_PAGE_SIZE / sizeof(uint64_t));
}

static inline uint64_t tagged_value(size_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15;
}

static inline void tagged_write(const struct tagged_pages *memory, size_t page)
{
	*tagged_word(memory, page) = tagged_value(page);
}

/* Exits with STATUS_CORRUPT and a message when a page that was written holds @found. */
void tagged_complain(size_t page, uint64_t found) __attribute__((noreturn));

/* Reads a page that was written. */
static inline void tagged_check(const struct tagged_pages *memory, size_t page)
{
	uint64_t found = *tagged_word(memory, page);

	if (__builtin_expect(found != tagged_value(page), 0))
		tagged_complain(page, found);
}

/* All pages. */
void tagged_write_all(const struct tagged_pages *memory);
void tagged_check_all(const struct tagged_pages *memory);

#endif
