/*
 * bitmap.h - arrays of bits in unsigned longs, and arithmetic on bits. Not atomic: the caller
 * locks.
 */
#ifndef RAVEL_LIB_BITMAP_H
#define RAVEL_LIB_BITMAP_H

#include "lib/types.h"

#define BITS_PER_LONG	 64
#define BITS_TO_LONGS(n) DIV_ROUND_UP(n, BITS_PER_LONG)

static inline void set_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] |= 1UL << nr % BITS_PER_LONG;
}

static inline void clear_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] &= ~(1UL << nr % BITS_PER_LONG);
}

static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return map[nr / BITS_PER_LONG] >> nr % BITS_PER_LONG & 1;
}

/*
 * By halves: the base ISA has no instruction for these, and the compiler's own library is built for
 * another floating-point ABI than the kernel's.
 */

/* One more than the index of the highest set bit; 0 for 0. */
static inline unsigned fls64(u64 x)
{
	unsigned n = 0;

	for (unsigned half = 32; half > 0; half /= 2) {
		if (x >> half) {
			x >>= half;
			n += half;
		}
	}
	return n + (x != 0);
}

/* Index of the lowest set bit; @x is not 0. */
static inline unsigned __ffs64(u64 x)
{
	return fls64(x & -x) - 1;
}

static inline unsigned ilog2(u64 x)
{
	return fls64(x) - 1;
}

static inline unsigned hweight64(u64 x)
{
	unsigned n = 0;

	for (; x; x &= x - 1)
		n++;
	return n;
}

static inline bool is_pow2(u64 x)
{
	return x && !(x & (x - 1));
}

/* The first bit at or after @start that is set (or, _zero, clear), below @size; else @size. */
static inline unsigned long find_bit_xor(const unsigned long *map, unsigned long size,
					 unsigned long start, unsigned long flip)
{
	while (start < size) {
		u64 word = (map[start / BITS_PER_LONG] ^ flip) >> start % BITS_PER_LONG;

		if (word) {
			start += __ffs64(word);
			return start < size ? start : size;
		}
		start = (start / BITS_PER_LONG + 1) * BITS_PER_LONG;
	}
	return size;
}

static inline unsigned long find_next_bit(const unsigned long *map, unsigned long size,
					  unsigned long start)
{
	return find_bit_xor(map, size, start, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *map, unsigned long size,
					       unsigned long start)
{
	return find_bit_xor(map, size, start, ~0UL);
}

/* For each bit of @map that is set, below @size, in order. */
#define for_each_set_bit(bit, map, size)                                                           \
	for ((bit) = find_next_bit(map, size, 0); (bit) < (size);                                  \
	     (bit) = find_next_bit(map, size, (bit) + 1))

static inline unsigned bitmap_weight(const unsigned long *map, unsigned long size)
{
	unsigned n = 0;

	for (unsigned long i = 0; i < size; i++)
		n += test_bit(i, map);
	return n;
}

#endif
