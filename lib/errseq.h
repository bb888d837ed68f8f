/*
 * errseq.h - the last error of something shared, told once to each who watches it.
 *
 *	63                13  12     11        0
 *	[ errors so far    ][seen][ errno      ]     0: there never was an error
 *
 * Who watches keeps the value that it saw last; a new error changes the value for all. An error
 * that nobody has seen is told to the next watcher too, though he came later: a program that
 * closed its file before the write failed is not the only one who may care.
 *
 * Any context. Source of the idea: Linux, Documentation/core-api/errseq.rst.
 */
#ifndef RAVEL_LIB_ERRSEQ_H
#define RAVEL_LIB_ERRSEQ_H

#include "lib/types.h"

typedef u64 errseq_t;

#define ERRSEQ_ERRNO 0xfffUL
#define ERRSEQ_SEEN  (ERRSEQ_ERRNO + 1)
#define ERRSEQ_ONE   (ERRSEQ_SEEN << 1)

/* @err: a negative errno. */
static inline void errseq_set(errseq_t *eseq, int err)
{
	errseq_t old = __atomic_load_n(eseq, __ATOMIC_RELAXED), new;

	do {
		new = (old & ~(ERRSEQ_ERRNO | ERRSEQ_SEEN)) + ERRSEQ_ONE + (u32)-err;
	} while (!__atomic_compare_exchange_n(eseq, &old, new, false, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

/* Where a new watcher begins. */
static inline errseq_t errseq_sample(const errseq_t *eseq)
{
	errseq_t now = __atomic_load_n(eseq, __ATOMIC_ACQUIRE);

	return now & ERRSEQ_SEEN ? now : 0;
}

/* Where one begins who only wants what happens from now on. */
static inline errseq_t errseq_now(const errseq_t *eseq)
{
	return __atomic_load_n(eseq, __ATOMIC_ACQUIRE);
}

/* The error since @since, or 0; for the others it stays unseen. */
static inline int errseq_since(const errseq_t *eseq, errseq_t since)
{
	errseq_t now = errseq_now(eseq);

	return (now & ~ERRSEQ_SEEN) == (since & ~ERRSEQ_SEEN) ? 0 : -(int)(now & ERRSEQ_ERRNO);
}

/* The same, and from now on it is seen. Who shares *since brings the lock for it. */
static inline int errseq_check(errseq_t *eseq, errseq_t *since)
{
	int err = errseq_since(eseq, *since);

	if (err)
		*since = __atomic_or_fetch(eseq, ERRSEQ_SEEN, __ATOMIC_ACQ_REL);
	return err;
}

#endif
