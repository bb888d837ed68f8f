/*
 * prng.h - a small seeded generator (splitmix64): for tests and placement, never for secrets.
 *
 * Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014.
 */
#ifndef RAVEL_LIB_PRNG_H
#define RAVEL_LIB_PRNG_H

#include "lib/types.h"

struct prng {
	u64 state;
};

static inline u64 prng_next(struct prng *prng)
{
	u64 z = prng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A number below @n, which is not 0. */
static inline u64 prng_below(struct prng *prng, u64 n)
{
	return prng_next(prng) % n;
}

#endif
