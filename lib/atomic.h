/*
 * atomic.h - atomic counters and the memory barriers of the RISC-V memory model (RVWMO).
 *
 * Everything is a compiler builtin, so the same header serves the host build of mm/. Without a
 * suffix an operation is fully ordered; _relaxed orders nothing and is for statistics.
 */
#ifndef RAVEL_LIB_ATOMIC_H
#define RAVEL_LIB_ATOMIC_H

#include "lib/types.h"

#define smp_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define smp_wmb() __atomic_thread_fence(__ATOMIC_RELEASE)

#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

typedef struct {
	int counter;
} atomic_t;

static inline int atomic_read(const atomic_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic_set(atomic_t *v, int i)
{
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);
}

static inline int atomic_add_return(atomic_t *v, int i)
{
	return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST);
}

/* What the counter was before. */
static inline int atomic_inc_old(atomic_t *v)
{
	return __atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED);
}

static inline int atomic_dec_old(atomic_t *v)
{
	return __atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELAXED);
}

static inline void atomic_inc(atomic_t *v)
{
	__atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED);
}

static inline void atomic_dec(atomic_t *v)
{
	__atomic_fetch_sub(&v->counter, 1, __ATOMIC_RELAXED);
}

/* True when the counter fell to zero: everything the other holders did is visible to the caller. */
static inline bool atomic_dec_and_test(atomic_t *v)
{
	return __atomic_sub_fetch(&v->counter, 1, __ATOMIC_ACQ_REL) == 0;
}

/* Takes a reference only from an object that still has one; false when it was already dying. */
static inline bool atomic_inc_not_zero(atomic_t *v)
{
	int old = atomic_read(v);

	do {
		if (old == 0)
			return false;
	} while (!__atomic_compare_exchange_n(&v->counter, &old, old + 1, true, __ATOMIC_ACQUIRE,
					      __ATOMIC_RELAXED));
	return true;
}

static inline void atomic_or_ulong(unsigned long *p, unsigned long bits)
{
	__atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}

static inline void atomic_and_ulong(unsigned long *p, unsigned long bits)
{
	__atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST);
}

static inline void atomic_add_long(long *p, long n)
{
	__atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

#endif
