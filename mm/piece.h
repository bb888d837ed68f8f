/*
 * piece.h - the areas of a range one after the other, for what cannot hold mmap_lock all the way.
 *
 *	[A      )  [B   ) [C        )
 *	    [s ................ e)
 *	    [1  )  [2   ) [ 3 )           pieces: what of an area lies in the range
 *
 *	for (at = s; next_piece(mm, at, e, &p); at = p.end) {
 *		... p.start > at: a hole ...
 *		piece_put(&p);
 *	}
 *
 * Between two pieces, and while one is worked on, mmap_lock is free: faults are served, the disk is
 * waited for, and the list may change. So the search goes on by address, and what a piece says was
 * true when it was found.
 */
#ifndef RAVEL_MM_PIECE_H
#define RAVEL_MM_PIECE_H

#include "mm/mm.h"

struct area_piece {
	unsigned long start, end; /* user addresses */
	u32 prot, flags;
	struct file *file;	   /* with a reference, until piece_put(); NULL: anonymous */
	unsigned long first, last; /* pages of the file */
};

/*
 * Finds what of [@start, @end) is in the first area that ends above @start. False: nothing. Takes
 * mmap_lock for reading.
 */
bool next_piece(struct mm *mm, unsigned long start, unsigned long end, struct area_piece *p);
void piece_put(struct area_piece *p);

#endif
