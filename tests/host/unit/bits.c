/*
 * bits.c - bitmaps, arithmetic on bits, bytes at any alignment, pointers that are errors, and the
 * seeded generator (lib/bitmap.h, lib/types.h, lib/err.h, lib/prng.h).
 *
 *	word 0                    word 1
 *	[63 ................. 0]  [127 ............ 64]      bit n is bit n % 64 of word n / 64
 */
#include "lib/bitmap.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "lib/prng.h"
#include "tests/host/test.h"

BARE_TEST(bits_are_set_cleared_and_tested)
{
	unsigned long map[3] = { 0 };

	set_bit(0, map);
	set_bit(63, map);
	set_bit(64, map);
	set_bit(130, map);
	CHECK_EQ(map[0], 1UL << 63 | 1);
	CHECK_EQ(map[1], 1);
	CHECK_EQ(map[2], 4);
	CHECK(test_bit(63, map) && !test_bit(62, map) && test_bit(130, map));
	CHECK_EQ(bitmap_weight(map, 131), 4);
	CHECK_EQ(bitmap_weight(map, 130), 3);
	clear_bit(64, map);
	CHECK_EQ(map[1], 0);
	CHECK_EQ(BITS_TO_LONGS(64), 1);
	CHECK_EQ(BITS_TO_LONGS(65), 2);
}

BARE_TEST(the_next_bit_is_found)
{
	unsigned long map[3] = { 0 }, full[2] = { ~0UL, ~0UL };

	set_bit(5, map);
	set_bit(64, map);
	set_bit(150, map);
	CHECK_EQ(find_next_bit(map, 192, 0), 5);
	CHECK_EQ(find_next_bit(map, 192, 5), 5);
	CHECK_EQ(find_next_bit(map, 192, 6), 64);
	CHECK_EQ(find_next_bit(map, 192, 65), 150);
	CHECK_EQ(find_next_bit(map, 150, 65), 150); /* past the end: the size */
	CHECK_EQ(find_next_bit(map, 100, 65), 100);
	CHECK_EQ(find_next_bit(map, 192, 192), 192);
	CHECK_EQ(find_next_zero_bit(map, 192, 5), 6);
	CHECK_EQ(find_next_zero_bit(full, 128, 0), 128);
	clear_bit(127, full);
	CHECK_EQ(find_next_zero_bit(full, 128, 3), 127);
	CHECK_EQ(find_next_zero_bit(full, 127, 3), 127);
}

BARE_TEST(bits_are_counted)
{
	CHECK_EQ(fls64(0), 0);
	for (unsigned n = 0; n < 64; n++) {
		u64 x = 1UL << n;

		CHECK_EQ(fls64(x), n + 1);
		CHECK_EQ(fls64(x | 1), n + 1);
		CHECK_EQ(__ffs64(x), n);
		CHECK_EQ(__ffs64(x | 1UL << 63), n);
		CHECK_EQ(ilog2(x), n);
		CHECK(is_pow2(x));
		CHECK_EQ(hweight64(x - 1), n);
	}
	CHECK_EQ(hweight64(~0UL), 64);
	CHECK(!is_pow2(0) && !is_pow2(3) && !is_pow2(~0UL));
}

BARE_TEST(bytes_have_two_orders)
{
	const u8 b[9] = { 0xff, 1, 2, 3, 0x84, 5, 6, 7, 0x88 };

	CHECK_EQ(get_le16(b + 1), 0x0201);
	CHECK_EQ(get_le32(b + 1), 0x84030201);
	CHECK_EQ(get_le64(b + 1), 0x8807060584030201);
	CHECK_EQ(get_be32(b + 4), 0x84050607);
	CHECK_EQ(get_be64(b + 1), 0x0102038405060788);
}

BARE_TEST(words_of_the_field)
{
	int a = 1, b = 2;

	swap(a, b);
	CHECK(a == 2 && b == 1);
	CHECK_EQ(min(3, 2) + max(3, 2), 5);
	CHECK_EQ(clamp(7, 1, 5), 5);
	CHECK_EQ(clamp(-7, 1, 5), 1);
	CHECK_EQ(ALIGN_UP(5UL, 4), 8);
	CHECK_EQ(ALIGN_DOWN(7UL, 4), 4);
	CHECK(IS_ALIGNED(8UL, 4) && !IS_ALIGNED(6UL, 4));
	CHECK_EQ(DIV_ROUND_UP(9, 4), 3);
}

BARE_TEST(a_pointer_may_be_an_error)
{
	int x;

	CHECK(!IS_ERR(&x) && !IS_ERR(NULL) && IS_ERR_OR_NULL(NULL) && !IS_ERR_OR_NULL(&x));
	CHECK(IS_ERR(ERR_PTR(-ENOMEM)) && IS_ERR_OR_NULL(ERR_PTR(-1)));
	CHECK(IS_ERR(ERR_PTR(-MAX_ERRNO)) && !IS_ERR(ERR_PTR(-MAX_ERRNO - 1)));
	CHECK_EQ(PTR_ERR(ERR_PTR(-ENOMEM)), -ENOMEM);
}

/* Source: the reference outputs of splitmix64 for the seed 1234567. */
BARE_TEST(the_generator_repeats_itself)
{
	static const u64 expected[] = { 6457827717110365317UL, 3203168211198807973UL,
					9817491932198370423UL, 4593380528125082431UL };
	struct prng prng = { 1234567 };

	for (unsigned i = 0; i < ARRAY_SIZE(expected); i++)
		CHECK_EQ(prng_next(&prng), expected[i]);
	for (unsigned i = 0; i < 1000; i++)
		CHECK(prng_below(&prng, 7) < 7);
}
