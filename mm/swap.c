/*
 * swap.c - no area yet: there is no room, and nothing goes out.
 */
#include "mm/swap.h"

bool swap_has_room(void)
{
	return false;
}

unsigned swap_out(struct page **pages __maybe_unused, unsigned nr __maybe_unused)
{
	return 0;
}
