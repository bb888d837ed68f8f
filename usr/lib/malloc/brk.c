/*
 * brk.c - where the heap of libumalloc ends: it grows by brk(), and gives memory back.
 *
 *	base                          top              end      break
 *	| blocks                     | top             | HEAD   |
 *	                             ^ merged blocks   ^ moves by whole steps
 *
 * The heap grows by what is needed, but by no less than a 64th of itself: few system calls for a
 * large heap, little waste for a small one.  When top has become large the break moves back
 * (um_trim_top()); pages inside large free blocks go back by madvise(), after some megabytes have
 * come free in such blocks.  Both cost more than they bring if the pages are soon wanted again:
 * each time as many bytes came back as trim_threshold says it doubles.
 *
 * If somebody else has moved the break, what lies between our old end and the new start becomes one
 * used block that nobody will ever free: the fence.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "usr/lib/malloc/bins.h"

#define TRIM_MAX   (64UL << 20)
#define STEP_MIN   512		  /* bytes that a small heap grows by */
#define BIG_BLOCK  (256 * 1024UL) /* of these the pages go back */
#define PURGE_STEP (8 << 20)

static size_t heap_bytes(void)
{
	return um_heap.base ? um_heap.end + HEAD - um_heap.base : 0;
}

void um_note_peak(void)
{
	size_t now = heap_bytes() + um_heap.mapped;

	if (now > um_heap.peak)
		um_heap.peak = now;
}

/* A new top begins at start: what is left of the old one becomes a free block, then the fence. */
static void fence_off(char *start)
{
	struct block *fence = um_heap.top;
	size_t rest = um_top_size();
	size_t prev_used = BLOCK_PREV_USED;

	if (rest >= MIN_BLOCK) {
		block_set_free(fence, rest);
		um_bin_insert(fence, rest);
		fence = block_at(fence, rest);
		prev_used = 0;
	}
	fence->head = (start - (char *)fence) | BLOCK_USED | prev_used;
}

/* Bytes that were given back are taken again: too often, and they are kept longer. */
static void note_regrown(size_t bytes)
{
	if (!um_heap.trimmed || !um_heap.dynamic)
		return;
	if (bytes > um_heap.trimmed)
		bytes = um_heap.trimmed;
	um_heap.trimmed -= bytes;
	um_heap.regrown += bytes;
	if (um_heap.regrown < um_heap.trim_threshold || um_heap.trim_threshold >= TRIM_MAX)
		return;
	um_heap.trim_threshold *= 2;
	um_heap.regrown = 0;
}

/*
 * Make top at least so many bytes large.  False: the system has no more; nothing has changed.
 */
bool um_grow(size_t size)
{
	char *now = sbrk(0);
	bool ours = um_heap.base && now == um_heap.end + HEAD;
	/* A new top starts with a head at 8 modulo 16. */
	size_t pad = ours ? 0 : (-(uintptr_t)now & (ALIGNMENT - 1)) + 2 * HEAD;
	size_t need = ours ? size - um_top_size() : size;
	size_t step = need;
	size_t usual = (heap_bytes() / 64 & -(size_t)ALIGNMENT) + STEP_MIN + um_heap.top_pad;

	if (step < usual)
		step = usual;
	if (sbrk(pad + step) != now) {
		step = need;
		if (sbrk(pad + step) != now)
			return false;
	}
	if (!ours) {
		char *start = now + pad - HEAD;

		if (um_heap.base)
			fence_off(start);
		else
			um_heap.base = start;
		um_heap.top = (struct block *)start;
		um_heap.end = start;
	}
	um_heap.end += step;
	note_regrown(step);
	um_note_peak();
	return true;
}

/* Move the break back until top has pad bytes left; returns the bytes that went. */
size_t um_trim_top(size_t pad)
{
	size_t top = um_top_size();

	if (top < PAGE || pad > top - PAGE || sbrk(0) != um_heap.end + HEAD)
		return 0;

	size_t bytes = (top - pad) & -PAGE;

	if (sbrk(-(intptr_t)bytes) == (void *)-1)
		return 0;
	um_heap.end -= bytes;
	um_heap.trimmed += bytes;
	return bytes;
}

/* The whole pages of a free block, without its head, links and foot, become zero pages. */
static void purge(struct block *block)
{
	uintptr_t from = ((uintptr_t)block + sizeof(*block) + PAGE - 1) & -PAGE;
	uintptr_t to = ((uintptr_t)block + block_size(block) - HEAD) & -PAGE;

	if (from < to)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

/* Give back all that can be, but for pad bytes of top.  Returns whether something went. */
bool um_trim(size_t pad)
{
	um_runs_release();
	um_bins_each(4 * PAGE, purge);
	um_heap.freed_big = 0;
	return um_trim_top(pad) != 0;
}

/*
 * So many bytes came free, as a part of this free block or, if it is NULL, of top.  Leaves errno
 * alone, as free() must: madvise() refuses pages that mlock() keeps.
 */
void um_note_freed(struct block *block, size_t bytes)
{
	int saved = errno;

	if (!block) {
		if (um_top_size() >= um_heap.trim_threshold + heap_bytes() / 8)
			um_trim_top(um_heap.trim_threshold / 4 + um_heap.top_pad);
	} else if ((um_heap.freed_big += bytes) >= PURGE_STEP + heap_bytes() / 4) {
		um_bins_each(BIG_BLOCK, purge);
		um_heap.freed_big = 0;
	}
	errno = saved;
}
