/*
 * damage.h - lies told in the image of an ext2 file system. damage.c has the drawing.
 */
#ifndef RAVEL_HOST_DAMAGE_H
#define RAVEL_HOST_DAMAGE_H

#include <stdio.h>

#include "lib/prng.h"
#include "lib/types.h"

#define DAMAGE_MAX 3

struct damage {
	const char *what; /* the thing that is damaged */
	unsigned nr;	  /* fields of it that are: */
	struct damage_field {
		u32 at, size; /* bytes from the start of the disk; 1, 2 or 4 */
		u32 old, value;
	} fields[DAMAGE_MAX];
};

/* What @prng draws is done to the sound image @disk, and told in *@damage. */
void damage_image(u8 *disk, struct prng *prng, struct damage *damage);
/* Number @i of the damages that were found to do harm once; false: there are no more. */
bool damage_known(u8 *disk, unsigned i, struct damage *damage);

#endif
