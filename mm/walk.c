/*
 * walk.c - the leaves of a part of an address space, table by table, for who looks at them.
 *
 *	[start ................................................ end)
 *	   root entry empty: on to the next GiB
 *	   level 1 entry empty: on to the next 2 MiB
 *	   leaf table: fn(ptep, addr, end of its part), under the table's lock
 *
 * So a reservation of 100 GiB with eight pages in it takes about a hundred steps and eight calls.
 *
 * Locks: mmap_lock, from the caller, keeps the tables; each leaf table's own lock is taken here.
 */
#include "mm/walk.h"

#include "kernel/panic.h"
#include "mm/pgtable.h"

void walk_range(struct mm *mm, unsigned long start, unsigned long end, walk_leaves_fn fn, void *arg)
{
	unsigned long addr, next;

	for (addr = start; addr < end; addr = next) {
		struct spinlock *ptl;
		pte_t *ptep;

		if (!pte_present(pte_read(&mm->pgd[pt_index(addr, 2)]))) {
			next = pt_addr_end(addr, end, 2);
			continue;
		}
		next = pt_addr_end(addr, end, 1);
		ptep = pte_find(mm, addr);
		if (!ptep)
			continue;
		ptl = pte_lockptr(ptep);
		spin_lock(ptl);
		fn(ptep, addr, next, arg);
		spin_unlock(ptl);
	}
}
