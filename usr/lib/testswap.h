/*
 * testswap.h - a swap area for a TEST, on the second disk: that of SWAP= (docs/build.md), and what
 * it holds is lost. Ravel only: on the host it would cost somebody his disk.  Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTSWAP_H
#define RAVEL_USR_LIB_TESTSWAP_H

#define SWAP_DISK "/dev/vdb"

/*
 * The header of an area of @pages (0: all of the disk) is on it, and it is not in use. Returns the
 * pages of the area. The TEST is skipped where there is no second disk, or it is in use otherwise.
 */
unsigned long swap_area_make(unsigned long pages);

/* swap_area_make() and swapon(). */
void swap_start(void);

/* swapoff(), of an area from which everything has been given back by now; else the TEST fails. */
void swap_finish(void);

#endif
