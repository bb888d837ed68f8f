/*
 * readahead.h - which pages of a file are read before somebody asks. mm/readahead.c has the
 * drawing.
 */
#ifndef RAVEL_MM_READAHEAD_H
#define RAVEL_MM_READAHEAD_H

#include "mm/page.h"

enum readahead_advice { READAHEAD_NORMAL, READAHEAD_RANDOM, READAHEAD_SEQUENTIAL };

/*
 * What one open file has seen. Its users may come at the same time, and nothing is locked: what
 * they leave half written costs a wrong guess, never more than one window of the file.
 */
struct readahead {
	unsigned long start, size; /* the window: pages that were read or are under way; 0: none */
	unsigned long mark;	   /* who uses one from here to its end starts the next window */
	unsigned long prev;	   /* read(): the page used last; faults: the last that missed */
	u8 advice;		   /* of posix_fadvise(2) */
	u8 strays;		   /* faults in a row that were far from the one before */
};

/* Pages [first, end) are to be read; those from @ahead on nobody has asked for, but one. */
struct read_range {
	unsigned long first, end, ahead;
};

/* The largest window, pages; 0: nothing is read ahead. /proc/sys/vm/readahead_pages */
extern unsigned long readahead_pages;
#define READAHEAD_MAX 1024

/* A file that was just opened. */
void readahead_init(struct readahead *ra);

/*
 * read() wants @want pages from @index on, of a file of @nr_pages, and page @index is not cached:
 * what to read now. Holds @index in any case.
 */
struct read_range readahead_read(struct readahead *ra, unsigned long index, unsigned long want,
				 unsigned long nr_pages);
/* The same for a fault on page @index; @advice is the area's. */
struct read_range readahead_fault(struct readahead *ra, unsigned long index,
				  enum readahead_advice advice, unsigned long nr_pages);
/* The window after the one that is in use; empty at the end of the file. */
struct read_range readahead_next(struct readahead *ra, unsigned long nr_pages);

/* True when the use of page @index starts the next window. */
static inline bool readahead_at_mark(const struct readahead *ra, unsigned long index)
{
	unsigned long mark = READ_ONCE(ra->mark);

	return index >= mark && index - READ_ONCE(ra->start) < READ_ONCE(ra->size);
}

#endif
