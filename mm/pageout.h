/*
 * pageout.h - pages leave memory because somebody asks for it, or come back.
 */
#ifndef RAVEL_MM_PAGEOUT_H
#define RAVEL_MM_PAGEOUT_H

struct area_piece;
struct mm;

/* What piece @p of @mm maps leaves memory, as far as it can. Sleeps; no lock of mm/ may be held. */
void mm_pageout(struct mm *mm, const struct area_piece *p);

/*
 * What it maps, and nobody else does, goes before anything else when memory is short, unless it is
 * used again. Likewise.
 */
void mm_cold(struct mm *mm, const struct area_piece *p);

/* What it has in swap is read, and mapped when it is touched (mm/willneed.c). Likewise. */
void mm_swap_in(struct mm *mm, const struct area_piece *p);

#endif
