/*
 * limit.h - an end for what does not end: limit.c. Needs no header of the kernel.
 */
#ifndef RAVEL_HOST_LIMIT_H
#define RAVEL_HOST_LIMIT_H

/* Aborts after @usec, below a million, of this process's CPU time from now on; 0: never. */
void limit_cpu(unsigned long usec);

#endif
