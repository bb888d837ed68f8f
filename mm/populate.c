/*
 * populate.c - pages are there before the program touches them.
 *
 *	             [A  rw-     )[B  r-- )   [C  --- )
 *	populate     [s ...................................... e)
 *	              w  w  w  w   r  r  r     (not reachable)      each by the one fault path
 *
 *	mmap(MAP_POPULATE), brk     what cannot be had comes on demand, or fails then
 *	mlock, mlockall             by the strongest right of the area, and the call fails
 *	MADV_POPULATE_READ, _WRITE  by that right
 *
 *	"Strongest": a private writable page is written to, so that its copy is made now; a shared
 *	one is only read, since writing would make it dirty for nothing.
 *
 * An area that is locked on fault (MLOCK_ONFAULT) is not populated.
 *
 * Invariant: none of the areas changes.
 * Locks: mmap_lock for reading, to find an area and to see which of its pages are there already;
 * the fault takes it itself. Between two pages the list may change: a page that is not reachable
 * any more is a failure like another.
 */
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/piece.h"

static enum fault_access strongest_access(const struct area_piece *p)
{
	if ((p->prot & PROT_WRITE) && !(p->flags & VM_SHARED))
		return FAULT_WRITE;
	return p->prot & (PROT_READ | PROT_WRITE) ? FAULT_READ : FAULT_EXEC;
}

/*
 * The first page of [addr, end) that needs a fault; of one leaf table at most. Under its lock: who
 * takes pages away looks there whether they are locked in memory, so after mlock() has said so, and
 * then seen them here, they stay.
 */
static unsigned long skip_present(struct mm *mm, unsigned long addr, unsigned long end,
				  enum fault_access access)
{
	unsigned long need = PTE_V | PTE_A | (access == FAULT_WRITE ? PTE_W | PTE_D : 0);
	struct spinlock *ptl = NULL;
	pte_t *ptep;

	end = pt_addr_end(addr, end, 1);
	down_read(&mm->mmap_lock);
	ptep = pte_find(mm, addr);
	if (ptep) {
		ptl = pte_lockptr(ptep);
		spin_lock(ptl);
	}
	while (ptep && addr < end && (pte_read(ptep).val & need) == need) {
		addr += PAGE_SIZE;
		ptep++;
	}
	if (ptl)
		spin_unlock(ptl);
	up_read(&mm->mmap_lock);
	return addr;
}

static int populate_errno(enum fault_result res)
{
	switch (res) {
	case FAULT_OK:
		return 0;
	case FAULT_OOM:
		return -ENOMEM;
	case FAULT_KILLED:
		return -EINTR;
	default:
		return -EFAULT;
	}
}

/* Touches the pages of a piece until one fails. 0 or -errno. */
static int touch_pages(struct mm *mm, unsigned long addr, unsigned long end,
		       enum fault_access access)
{
	int err = 0;

	while (!err && addr < end) {
		unsigned long next = skip_present(mm, addr, end, access);

		if (current->killed)
			return -EINTR;
		if (next == addr) {
			err = populate_errno(handle_mm_fault_or_fail(mm, addr, access));
			next += PAGE_SIZE;
		}
		addr = next;
		cond_resched();
	}
	return err;
}

/* The areas of [start, end) that have all of @flags; goes on after a failure unless @strict. */
static int populate_areas(struct mm *mm, unsigned long start, unsigned long end, u32 flags,
			  bool strict)
{
	struct area_piece p;
	int err = 0;

	for (; next_piece(mm, start, end, &p); start = p.end) {
		piece_put(&p);
		if ((p.flags & flags) != flags || (p.flags & VM_LOCKONFAULT))
			continue;
		err = -EFAULT;
		if (p.prot != PROT_NONE)
			err = touch_pages(mm, p.start, p.end, strongest_access(&p));
		if (err == -EINTR || (err && strict))
			return err;
	}
	return 0;
}

void mm_populate(struct mm *mm, unsigned long start, unsigned long end)
{
	populate_areas(mm, start, end, 0, false);
}

void mm_populate_locked(struct mm *mm, unsigned long start, unsigned long end)
{
	populate_areas(mm, start, end, VM_LOCKED, false);
}

int mm_populate_or_fail(struct mm *mm, unsigned long start, unsigned long end)
{
	return populate_areas(mm, start, end, 0, true);
}

int mm_populate_for(struct mm *mm, unsigned long start, unsigned long end, enum fault_access access)
{
	u32 right = access == FAULT_WRITE ? PROT_WRITE : PROT_READ;
	struct area_piece p;
	int err, hole = 0;

	for (; next_piece(mm, start, end, &p); start = p.end) {
		piece_put(&p);
		if (p.start > start)
			hole = -ENOMEM;
		if (!(p.prot & right))
			return -EINVAL;
		err = touch_pages(mm, p.start, p.end, access);
		if (err)
			return err;
	}
	return start < end ? -ENOMEM : hole;
}
