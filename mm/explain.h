/*
 * explain.h - what is known of one address, and what an access to it would do now. mm/explain.c has
 * the drawing.
 */
#ifndef RAVEL_MM_EXPLAIN_H
#define RAVEL_MM_EXPLAIN_H

#include "mm/decide.h"
#include "mm/vmstat.h"

struct rlimit;

/* One step of the hardware's walk. */
struct explained_entry {
	unsigned level, index;
	phys_addr_t at; /* where the entry lies */
	pte_t pte;
};

/* The frame that the leaf names, as it was while the leaf lock was held. */
struct explained_frame {
	bool exists;	/* the leaf names one */
	bool is_ram;	/* it has a struct page: what follows is known */
	bool is_zero;	/* the shared zero page: nobody counts it */
	bool is_family; /* anonymous memory of this mm's fork family */
	unsigned long pfn, index;
	int refcount, mapcount;
	u32 flags;
	u8 type, order;
	const void *mapping; /* to be compared, not to be followed */
};

/* The page of the area's file for this address, in the page cache. */
struct explained_cache {
	bool exists, is_here; /* is_here: up to date */
	unsigned long pfn;
	u32 flags;
};

#define EXPLAIN_CASES 3

/*
 * An access is a row of the fault table, or several: a stack grows, or a page is read in, and then
 * the table is gone through again. The last one decides.
 */
struct explained_access {
	enum fault_case cases[EXPLAIN_CASES];
	unsigned nr;
	/* A place on the disk must be found first: where there is none, it is SIGBUS. */
	bool needs_room;
};

struct explanation {
	unsigned long addr;
	bool is_canonical; /* bits 63 to 39 are as bit 38 */
	bool is_kernel;	   /* canonical, in the upper half */
	/* Areas: valid while mmap_lock is held. */
	struct vm_area *vma;	       /* that holds the address, or NULL */
	struct vm_area *below, *above; /* the nearest others */
	unsigned nr_entries;	       /* the walk ended at a leaf or an entry without V */
	struct explained_entry entries[PT_LEVELS];
	bool is_leaf; /* the last entry is one (PTE_PROTNONE counts: the frame is there) */
	phys_addr_t pa;
	struct explained_frame frame;
	unsigned long file_index; /* page of the area's file, where it has one */
	struct explained_cache cache;
	struct explained_access access[FAULT_EXEC + 1];
};

/*
 * Fills @e with what is true of @addr (any 64 bits) in @mm, whose mmap_lock is held for reading,
 * for a task with the limits @rlim. @look_at_kernel: walk the tables of the kernel half too.
 * Changes nothing and cannot fail.
 */
void mm_explain(struct mm *mm, unsigned long addr, const struct rlimit *rlim, bool look_at_kernel,
		struct explanation *e);

/* "cow_copy" and so on; what /proc/vmstat counts for it; what the access ends with. */
const char *fault_case_name(enum fault_case what);
enum vmstat_event fault_case_counter(enum fault_case what);
enum fault_result fault_case_result(enum fault_case what);

/*
 * The user addresses at which @mm maps the frame of @e, up to @max of them into @addrs, in order;
 * returns how many there are. mmap_lock of @mm held for reading, of no other address space.
 */
unsigned mm_find_frame(struct mm *mm, const struct explanation *e, unsigned long *addrs,
		       unsigned max);

#endif
