/*
 * failing.h - an edit with each of its allocations failing in turn: after every failure nothing has
 * changed.
 *
 *	CHECK_EQ(FAILING(mm, vm_munmap(mm, at(2), PAGE_SIZE), -ENOMEM), 1);
 *
 *	snapshot --> fail_alloc = 1, edit fails --> the same snapshot?
 *	             fail_alloc = 2, edit fails --> the same snapshot?
 *	             ...
 *	             fail_alloc = n, edit succeeds: it has n - 1 allocations
 */
#ifndef RAVEL_HOST_UNIT_FAILING_H
#define RAVEL_HOST_UNIT_FAILING_H

#include "tests/host/test.h"

/*
 * All that an edit may change, as text: areas with every field, PTEs, tables, sums, frames and
 * objects in use, file references. The caller frees it.
 */
char *snapshot(struct mm *mm);
/* Fails the test with the first line in which @mm differs from @before. */
void snapshot_check(struct mm *mm, const char *before, const char *file, int line, unsigned n);

/* Evaluates @edit until it succeeds; it must be @failure whenever an allocation failed. */
#define FAILING(mm, edit, failure)                                                                 \
	({                                                                                         \
		unsigned n_ = 0;                                                                   \
		bool fired_;                                                                       \
		do {                                                                               \
			char *before_ = snapshot(mm);                                              \
			long long result_;                                                         \
			current->fail_fired = 0;                                                   \
			current->fail_alloc = ++n_;                                                \
			result_ = (long long)(edit);                                               \
			current->fail_alloc = 0;                                                   \
			fired_ = current->fail_fired > 0;                                          \
			if (fired_ != (result_ == (long long)(failure)))                           \
				host_test_fail(__FILE__, __LINE__,                                 \
					       "allocation %u %s, result %lld", n_,                \
					       fired_ ? "failed" : "succeeded", result_);          \
			if (fired_)                                                                \
				snapshot_check(mm, before_, __FILE__, __LINE__, n_);               \
			__builtin_free(before_);                                                   \
		} while (fired_);                                                                  \
		n_ - 1;                                                                            \
	})

#endif
