/*
 * info.c - what the heap looks like, in the ways of <malloc.h>; and its tunables.
 *
 * Nothing is counted while blocks come and go: each call walks over the heap.
 */
#define _GNU_SOURCE
#include <malloc.h>
#include <stdio.h>

#include "usr/lib/malloc/heap.h"
#include "usr/lib/malloc/umalloc.h"

#define PUBLIC __attribute__((visibility("default")))
#define NEVER  (SIZE_MAX / 2) /* a trim threshold that no heap reaches */

static void add_run(struct umalloc_info *info, const struct run *run, unsigned int class)
{
	size_t objects = run->used * class * ALIGNMENT;

	info->run_bytes += RUN_BYTES;
	info->used += objects;
	info->free += RUN_BYTES - objects;
}

static void walk(struct umalloc_info *info)
{
	struct block *block = (struct block *)um_heap.base;

	for (; block != um_heap.top; block = block_at(block, block_size(block))) {
		size_t size = block_size(block);

		if (block->head & BLOCK_RUN) {
			add_run(info, block_payload(block), um_run_class(block_payload(block)));
		} else if (block->head & BLOCK_USED) {
			info->used += size;
		} else {
			info->free += size;
			info->free_blocks++;
		}
	}
}

PUBLIC void umalloc_info(struct umalloc_info *info)
{
	bool locked = um_lock();

	*info = (struct umalloc_info){
		.heap = um_heap.base ? um_heap.end + HEAD - um_heap.base : 0,
		.mapped = um_heap.mapped,
		.mapped_blocks = um_heap.mapped_blocks,
		.top = um_top_size(),
		.peak = um_heap.peak,
	};
	walk(info);
	um_unlock(locked);
}

PUBLIC struct mallinfo2 mallinfo2(void)
{
	struct umalloc_info info;

	umalloc_info(&info);
	return (struct mallinfo2){
		.arena = info.heap,
		.ordblks = info.free_blocks + 1,
		.hblks = info.mapped_blocks,
		.hblkhd = info.mapped,
		.usmblks = info.peak,
		.uordblks = info.used,
		.fordblks = info.free + info.top,
		.keepcost = info.top,
	};
}

/* The numbers of mallinfo2(), cut to ints: whoever can calls that. */
PUBLIC struct mallinfo mallinfo(void)
{
	struct mallinfo2 now = mallinfo2();

	return (struct mallinfo){
		.arena = now.arena,
		.ordblks = now.ordblks,
		.hblks = now.hblks,
		.hblkhd = now.hblkhd,
		.usmblks = now.usmblks,
		.uordblks = now.uordblks,
		.fordblks = now.fordblks,
		.keepcost = now.keepcost,
	};
}

PUBLIC void malloc_stats(void)
{
	struct umalloc_info info;

	umalloc_info(&info);
	fprintf(stderr,
		"heap %zu bytes, mapped %zu in %zu blocks, at most %zu together\n"
		"used %zu, free %zu in %zu blocks, top %zu, runs %zu\n",
		info.heap, info.mapped, info.mapped_blocks, info.peak, info.used, info.free,
		info.free_blocks, info.top, info.run_bytes);
}

/* options must be 0.  Returns 0, or -1 if they are not or the stream refuses. */
PUBLIC int malloc_info(int options, FILE *to)
{
	struct umalloc_info info;

	if (options)
		return -1;
	umalloc_info(&info);
	return fprintf(to,
		       "<malloc version=\"1\">\n"
		       "<total type=\"rest\" count=\"%zu\" size=\"%zu\"/>\n"
		       "<total type=\"mmap\" count=\"%zu\" size=\"%zu\"/>\n"
		       "<system type=\"current\" size=\"%zu\"/>\n"
		       "<system type=\"max\" size=\"%zu\"/>\n</malloc>\n",
		       info.free_blocks, info.free, info.mapped_blocks, info.mapped,
		       info.heap + info.mapped, info.peak) < 0 ?
		       -1 :
		       0;
}

PUBLIC int malloc_trim(size_t pad)
{
	bool locked = um_lock();
	bool went = um_trim(pad);

	um_unlock(locked);
	return went;
}

/*
 * M_MMAP_THRESHOLD, M_TRIM_THRESHOLD (-1: never) and M_TOP_PAD, in bytes.  Returns 1, or 0 for
 * options that do not exist here and for values that are impossible.
 */
PUBLIC int mallopt(int option, int value)
{
	bool locked = um_lock();
	int done = value >= 0 || (option == M_TRIM_THRESHOLD && value == -1);

	if (!done)
		goto out;
	switch (option) {
	case M_MMAP_THRESHOLD:
		um_heap.mmap_threshold = value;
		um_heap.dynamic = false;
		break;
	case M_TRIM_THRESHOLD:
		um_heap.trim_threshold = value < 0 ? NEVER : (size_t)value;
		um_heap.dynamic = false;
		break;
	case M_TOP_PAD:
		um_heap.top_pad = ((size_t)value + ALIGNMENT - 1) & -(size_t)ALIGNMENT;
		break;
	default:
		done = 0;
	}
out:
	um_unlock(locked);
	return done;
}
