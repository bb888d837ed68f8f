/*
 * pageout.h - pages leave memory because somebody asks for it.
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

#endif
