/*
 * refpattern.c - the reference patterns of refpattern.h, as scripts/refpatterns.py has them.
 *
 * Invariants: nothing here keeps state but the caller's.  Locks: none.
 */
#include "usr/lib/refpattern.h"

#include <stddef.h>
#include <string.h>

/* splitmix64 (Steele, Lea and Flood, 2014). */
static uint64_t number(struct refpattern *pattern)
{
	uint64_t z = pattern->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static uint32_t below(struct refpattern *pattern, uint32_t limit)
{
	return ((number(pattern) >> 32) * limit) >> 32;
}

static uint32_t loop(struct refpattern *pattern)
{
	uint32_t page = pattern->depth;

	pattern->depth = (page + 1) % pattern->pages;
	return page;
}

static uint32_t uniform(struct refpattern *pattern)
{
	return below(pattern, pattern->pages);
}

static uint32_t eighty_twenty(struct refpattern *pattern)
{
	uint32_t hot = pattern->pages >= 5 ? pattern->pages / 5 : 1;

	if (hot == pattern->pages || below(pattern, 100) < 80)
		return below(pattern, hot);
	return hot + below(pattern, pattern->pages - hot);
}

static uint32_t bit_length(uint32_t number)
{
	return 32 - __builtin_clz(number);
}

static uint32_t stack(struct refpattern *pattern)
{
	uint32_t depth = pattern->depth, top = pattern->pages - 1;

	if (depth == pattern->target) {
		uint32_t length = 1U << below(pattern, bit_length(pattern->pages));

		if (below(pattern, 2))
			pattern->target = length < top - depth ? depth + length : top;
		else
			pattern->target = length < depth ? depth - length : 0;
	}
	pattern->depth += (depth < pattern->target) - (depth > pattern->target);
	return pattern->depth;
}

bool refpattern_start(struct refpattern *pattern, const char *kind, uint32_t pages, uint64_t seed)
{
	static const struct {
		const char *kind;
		uint32_t (*next)(struct refpattern *pattern);
	} kinds[] = {
		{ "loop", loop },
		{ "random", uniform },
		{ "80-20", eighty_twenty },
		{ "stack", stack },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, kind) != 0)
			continue;
		*pattern = (struct refpattern){
			.next = kinds[i].next,
			.pages = pages,
			.state = seed,
		};
		return true;
	}
	return false;
}

uint32_t refpattern_next(struct refpattern *pattern)
{
	return pattern->next(pattern);
}

uint64_t refpattern_check(uint64_t check, uint32_t page)
{
	return check * 31 + page + 1;
}
