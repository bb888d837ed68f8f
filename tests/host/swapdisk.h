/*
 * swapdisk.h - disks for swap on the host machine. swapdisk.c has the drawing.
 */
#ifndef RAVEL_HOST_SWAPDISK_H
#define RAVEL_HOST_SWAPDISK_H

#include "lib/types.h"

struct block_device;

/* A new disk of so many pages, with the header of a swap area on it. It is never given back. */
struct block_device *swapdisk_new(unsigned long pages);
/* The bytes of a page of it. */
u8 *swapdisk_page(struct block_device *bdev, unsigned long page);
/* Ends all requests under way; false: there were none. */
bool swapdisk_complete(void);

/* Requests that touch this page of any such disk fail; 0: none do, SWAPDISK_ALL: each does. */
#define SWAPDISK_ALL (~0UL)
extern unsigned long swapdisk_bad_read, swapdisk_bad_write, swapdisk_bad_discard;
/* Discards are of so many sectors at most; what was discarded reads as bytes of this. */
#define SWAPDISK_MAX_DISCARD 100
#define SWAPDISK_DISCARDED   0xdd
/* So many came. */
extern unsigned swapdisk_requests;
/* Called once, when the next request is under way: other harts, who need not wait for it. */
extern void (*swapdisk_meanwhile)(void);

#endif
