/*
 * random.c - random bytes: ChaCha20, keyed anew after every request.
 *
 *	seed --> key --block--> [ next key | output ] --> next key --block--> ...
 *
 * The key that made an output is gone when the output leaves, so a look at the state tells nothing
 * of what was given before.
 * Locks: random_lock, interrupts off, guards key and counter.
 * Source: RFC 8439, "ChaCha20 and Poly1305 for IETF Protocols".
 */
#include "kernel/random.h"

#include "arch/riscv/machine.h"
#include "arch/riscv/timer.h"
#include "kernel/lock.h"
#include "lib/string.h"

#define KEY_WORDS   8
#define BLOCK_WORDS 16
#define KEY_BYTES   (KEY_WORDS * sizeof(u32))
#define BLOCK_BYTES (BLOCK_WORDS * sizeof(u32))

static struct spinlock random_lock = SPINLOCK_INIT;
static u32 key[KEY_WORDS];
static u64 counter;

static u32 rotl(u32 x, int n)
{
	return x << n | x >> (32 - n);
}

static void quarter_round(u32 *x, int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 7);
}

/* The next block of the stream of `key`. random_lock held. */
static void next_block(u32 out[BLOCK_WORDS])
{
	/* "expand 32-byte k" */
	u32 in[BLOCK_WORDS] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	memcpy(&in[4], key, KEY_BYTES);
	memcpy(&in[12], &counter, sizeof(counter));
	counter++;
	memcpy(out, in, BLOCK_BYTES);
	for (int i = 0; i < 10; i++) {
		quarter_round(out, 0, 4, 8, 12);
		quarter_round(out, 1, 5, 9, 13);
		quarter_round(out, 2, 6, 10, 14);
		quarter_round(out, 3, 7, 11, 15);
		quarter_round(out, 0, 5, 10, 15);
		quarter_round(out, 1, 6, 11, 12);
		quarter_round(out, 2, 7, 8, 13);
		quarter_round(out, 3, 4, 9, 14);
	}
	for (int i = 0; i < BLOCK_WORDS; i++)
		out[i] += in[i];
}

/* Replaces the key by one that depends on it and on all of @data. random_lock held. */
static void mix_in(const void *data, size_t n)
{
	const u8 *bytes = data;
	u32 block[BLOCK_WORDS];

	while (n) {
		size_t part = min(n, KEY_BYTES);

		for (size_t i = 0; i < part; i++)
			((u8 *)key)[i] ^= bytes[i];
		next_block(block);
		memcpy(key, block, KEY_BYTES);
		bytes += part;
		n -= part;
	}
}

void random_init(void)
{
	u64 now = arch_ktime_ns();
	char seed[32];
	unsigned long flags;

	flags = spin_lock_irqsave(&random_lock);
	if (cmdline_option("ravel.seed", seed, sizeof(seed))) {
		mix_in(seed, strlen(seed));
	} else {
		mix_in(machine.rng_seed, machine.rng_seed_len);
		mix_in(&now, sizeof(now));
	}
	spin_unlock_irqrestore(&random_lock, flags);
}

void random_bytes(void *buf, size_t n)
{
	u32 block[BLOCK_WORDS];
	u8 *out = buf;

	while (n) {
		size_t part = min(n, BLOCK_BYTES - KEY_BYTES);
		unsigned long flags = spin_lock_irqsave(&random_lock);

		next_block(block);
		memcpy(key, block, KEY_BYTES);
		spin_unlock_irqrestore(&random_lock, flags);
		memcpy(out, &block[KEY_WORDS], part);
		out += part;
		n -= part;
	}
}
