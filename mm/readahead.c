/*
 * readahead.c - how far ahead a file is read: the arithmetic, without pages or disks.
 *
 *	read() in order        miss                         the window doubles: 4, 8, 16, 32 pages
 *	                       v
 *	   window 1            [0 |1  2  3 ]                0 is asked for, the others are ahead
 *	                          ^ mark: the use of a page from here on starts the next window
 *	   window 2                         [4  5  6 ... 11]
 *	                                     ^ mark         all are ahead: while they are read from
 *	   window 3                                          [12 ... 27]    the cache, these come
 *
 *	read() here and there  misses that do not follow what was read before: what is asked for
 *
 *	faults                 a miss reads the cluster of 16 pages around it, for programs jump
 *	                       about in their text; a miss right behind the window: as read() in
 *	                       order; many misses in a row that are far from each other: one page
 *
 * A page of the window that misses was taken away before it was used: memory is short, so the
 * window halves. mm/filemap.c reads what is said here, as far as there is memory that is free, and
 * marks what nobody asked for with PG_READAHEAD until it is used.
 *
 * Invariants: a range holds the page that misses, and has at most readahead_pages otherwise (or one
 * cluster), inside the file.
 * Locks: none (readahead.h).
 */
#include "mm/readahead.h"

#define FIRST_WINDOW 4	/* pages */
#define CLUSTER	     16 /* pages around a fault; a power of two */
#define MAX_STRAYS   16 /* so many clusters are read for somebody who uses one page of each */

unsigned long readahead_pages = 32;

void readahead_init(struct readahead *ra)
{
	*ra = (struct readahead){ .prev = ~0UL }; /* so that page 0 follows */
}

/* ---- sizes ---- */

static unsigned long window_limit(void)
{
	return READ_ONCE(readahead_pages);
}

/* The window of a stream that begins, by one who reads @want pages at a time. */
static unsigned long first_size(unsigned long want, unsigned long limit)
{
	unsigned long size = FIRST_WINDOW;

	while (size < limit && size < 2 * want)
		size *= 2;
	return min(size, limit);
}

/* The window after one of @size. */
static unsigned long next_size(unsigned long size, unsigned long want, unsigned long limit)
{
	return max(min(2 * size, limit), first_size(want, limit));
}

/* ---- windows ---- */

static struct read_range no_window(struct readahead *ra, unsigned long index, unsigned long size)
{
	WRITE_ONCE(ra->size, 0);
	return (struct read_range){ index, index + size, index + size };
}

/*
 * The window is now @size pages from @start on, as far as the file goes, of which @asked were asked
 * for. The mark is behind those, or nowhere if this is the end of the file.
 */
static struct read_range set_window(struct readahead *ra, unsigned long start, unsigned long size,
				    unsigned long asked, unsigned long nr_pages)
{
	unsigned long end = min(start + size, max(nr_pages, start + asked));
	unsigned long ahead = min(start + asked, end);

	WRITE_ONCE(ra->start, start);
	WRITE_ONCE(ra->size, end - start);
	WRITE_ONCE(ra->mark, end >= nr_pages ? end : ahead);
	return (struct read_range){ start, end, ahead };
}

/* The size of the window that begins at @index, which read() wants; 0: there is no stream. */
static unsigned long stream_size(const struct readahead *ra, unsigned long index,
				 unsigned long want, unsigned long limit)
{
	unsigned long start = READ_ONCE(ra->start), size = READ_ONCE(ra->size);

	if (ra->advice == READAHEAD_RANDOM)
		return 0;
	if (ra->advice == READAHEAD_SEQUENTIAL)
		return limit;
	if (size > 0 && index == start + size) /* faster than the disk, or nothing was free */
		return next_size(size, want, limit);
	if (size > 0 && index - start < size)
		return max(min(size, limit) / 2, min(limit, (unsigned long)FIRST_WINDOW));
	if (index == READ_ONCE(ra->prev) + 1)
		return first_size(want, limit);
	return 0;
}

struct read_range readahead_read(struct readahead *ra, unsigned long index, unsigned long want,
				 unsigned long nr_pages)
{
	unsigned long limit = window_limit(), size;

	want = max(min(want, nr_pages > index ? nr_pages - index : 1), 1UL);
	size = stream_size(ra, index, want, limit);
	if (size == 0)
		return no_window(ra, index, max(min(want, limit), 1UL));
	/* Of a long read the second half counts as ahead: the mark must lie somewhere. */
	return set_window(ra, index, size, min(want, max(size / 2, 1UL)), nr_pages);
}

/* Is the fault at @index one of many that have nothing to do with each other? */
static bool is_stray(struct readahead *ra, unsigned long index)
{
	bool near = index / CLUSTER - READ_ONCE(ra->prev) / CLUSTER + 1 <= 2;

	WRITE_ONCE(ra->prev, index);
	if (near)
		WRITE_ONCE(ra->strays, 0);
	else if (ra->strays <= MAX_STRAYS)
		WRITE_ONCE(ra->strays, ra->strays + 1);
	return ra->strays > MAX_STRAYS;
}

/* The cluster around the fault at @index; one behind it goes on from there. */
static struct read_range read_around(struct readahead *ra, unsigned long index,
				     unsigned long nr_pages)
{
	unsigned long first = index & ~(CLUSTER - 1UL);
	unsigned long end = min(first + CLUSTER, max(nr_pages, index + 1));

	WRITE_ONCE(ra->start, first);
	WRITE_ONCE(ra->size, end - first);
	WRITE_ONCE(ra->mark, end);
	return (struct read_range){ first, end, first };
}

struct read_range readahead_fault(struct readahead *ra, unsigned long index,
				  enum readahead_advice advice, unsigned long nr_pages)
{
	unsigned long limit = window_limit(), size = READ_ONCE(ra->size);
	bool stray = is_stray(ra, index);

	if (advice == READAHEAD_NORMAL)
		advice = ra->advice;
	if (advice == READAHEAD_RANDOM || limit < CLUSTER)
		return no_window(ra, index, 1);
	if (advice == READAHEAD_SEQUENTIAL)
		return set_window(ra, index, limit, 1, nr_pages);
	if (size > 0 && index == READ_ONCE(ra->start) + size)
		return set_window(ra, index, next_size(size, 1, limit), 1, nr_pages);
	return stray ? no_window(ra, index, 1) : read_around(ra, index, nr_pages);
}

struct read_range readahead_next(struct readahead *ra, unsigned long nr_pages)
{
	unsigned long first = READ_ONCE(ra->start) + READ_ONCE(ra->size);
	unsigned long size = next_size(READ_ONCE(ra->size), 1, window_limit());

	if (first < nr_pages)
		return set_window(ra, first, size, 0, nr_pages);
	WRITE_ONCE(ra->mark, first);
	return (struct read_range){ first, first, first };
}
