/*
 * foretell.h - each access of a fuzzer is foretold by mm_explain(), and must go as it says.
 */
#ifndef RAVEL_HOST_MODEL_FORETELL_H
#define RAVEL_HOST_MODEL_FORETELL_H

#include "mm/explain.h"

struct foretold {
	bool is_told; /* false: nobody can foretell this one */
	struct explained_access access;
	unsigned long before[NR_VMSTAT];
};

/*
 * Asks what @access to @addr by the current hart will do. Not told: other harts may run meanwhile,
 * allocations are to fail, or faults are not served.
 */
void foretell(struct foretold *told, unsigned long addr, enum fault_access access);

/*
 * The access gave @res: panics when that, or what was counted, is not what was told. That memory
 * runs out is never told; neither is a disk that fails: then this is not to be asked.
 */
void foretold_check(const struct foretold *told, unsigned long addr, enum fault_result res);

#endif
