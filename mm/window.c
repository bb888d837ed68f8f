/*
 * window.c - seeded delays in the unlocked windows of the fault path and of unmapping.
 *
 *	alloc page, read, copy ...   window()   lock the PTE, look again, install
 *	clear PTEs                   window()   flush   window()   free the frames
 *
 * Each hart draws from its own sequence, made of the seed and its number: with one hart a run
 * repeats. Used by the test "race" (make test APPEND=ravel.delay=1).
 * Locks: none; may be called with spinlocks held, so it spins and never sleeps.
 */
#include "mm/window.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/machine.h"
#include "lib/prng.h"
#include "lib/string.h"

#define MAX_SPINS 2000

bool window_open;
static struct prng prng[MAX_HARTS];

void window_init(void)
{
	unsigned long seed;
	char value[24];

	if (!cmdline_option("ravel.delay", value, sizeof(value)) || kstrtoul(value, 0, &seed) != 0)
		return;
	for (unsigned i = 0; i < MAX_HARTS; i++)
		prng[i].state = seed + i * 0x10001;
	window_open = true;
}

void window_wait(void)
{
	struct prng *p = &prng[this_hart()->id];

	/* Most windows stay as short as they are; some become very long. */
	if (prng_below(p, 4) != 0)
		return;
	for (u64 n = prng_below(p, MAX_SPINS); n > 0; n--)
		barrier();
}
