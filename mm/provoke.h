/*
 * provoke.h - faults made on purpose.
 */
#ifndef RAVEL_MM_PROVOKE_H
#define RAVEL_MM_PROVOKE_H

/* Commits the memory fault named @what, which panics; returns if there is none of that name. */
void mm_provoke(const char *what);

#endif
