/*
 * oom_reaper.c - takes a victim's memory although the victim does not end: it sleeps, or holds or
 * waits for locks.
 *
 *	killer             reaper                             task of the victim
 *	------             ------                             ------------------
 *	SIGKILL to all     each round (kernel/oomreaper.c):
 *	oom_victim = true    mmap_lock, tried, for reading
 *	                     oom_reaped = true; fence         fault: leaf lock, PTE empty,
 *	                     each private area: zap_range()          oom_reaped? FAULT_KILLED
 *	                   not to be had OOM_TRIES times:            else the PTE is set,
 *	                     given up, the next one is chosen        which the zap finds
 *
 * What was taken must not come back as zeros, or as what the file says: a page that a fault brought
 * before the mark is zapped, for its PTE was set under the leaf lock that the zap takes after; a
 * fault that comes later sees the mark under that lock. Where the leaf table itself is new, the
 * fences in table_alloc() and here order the two, as for truncation. Such a fault ends in
 * FAULT_KILLED: in user mode the task dies of its SIGKILL before its next instruction; a copy of
 * the kernel ends short, with EFAULT.
 *
 * Who else may use the address space meanwhile: a task of it that is in the kernel (above); fork,
 * exec, mmap and so on, which hold mmap_lock for writing, so they are before or after; /proc and
 * get_user_page(), which read PTEs under the leaf lock and hold references of the pages they found;
 * reclaim's and write-back's reverse walks, which look again under the leaf lock. Nobody else zaps
 * with mmap_lock for reading (MADV_DONTNEED has it for writing): so whoever has it for reading and
 * goes by what a PTE was compares it once more under the leaf lock.
 *
 * Shared areas stay mapped: unmapping them would free nothing that the file does not have. Locked
 * areas (mlock) are taken like others, as by Linux since 5.18.
 *
 * Invariant: an mm is looked at while it is on mm_list and mmap_lock is ours; its last user takes
 * that lock for writing before it takes the mm off the list. So it needs no user of ours, and its
 * end, with all that may sleep in it, stays with its last task.
 * Locks: mm_list_lock to find a victim; inside it mmap_lock is tried, and released at the end, so
 * that who frees the mm comes after.
 */
#include "kernel/printk.h"
#include "mm/internal.h"
#include "mm/oom.h"
#include "mm/tlb.h"
#include "mm/vma.h"

void oom_mark_victim(struct mm *mm)
{
	/* After the signals: pairs with is_pending_victim(). */
	smp_store_release(&mm->oom_victim, true);
}

static bool is_pending_victim(const struct mm *mm)
{
	return smp_load_acquire(&mm->oom_victim) && !READ_ONCE(mm->oom_done);
}

bool oom_victim_is_dying(void)
{
	const struct mm *mm;
	bool dying = false;

	spin_lock(&mm_list_lock);
	list_for_each_entry(mm, &mm_list, all_link)
		dying |= is_pending_victim(mm);
	spin_unlock(&mm_list_lock);
	return dying;
}

/* ---- one victim ---- */

/* mmap_lock held for reading. */
static void reap_areas(struct mm *mm)
{
	struct mmu_gather g;

	WRITE_ONCE(mm->oom_reaped, true);
	smp_mb(); /* the mark before the look for tables: pairs with table_alloc() */
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		if (vma->vm_flags & VM_SHARED)
			continue;
		gather_init(&g, mm);
		zap_range(&g, vma->vm_start, vma->vm_end);
		gather_finish(&g);
		cond_resched();
	}
}

static void reap(struct mm *mm)
{
	unsigned long before = mm_rss(mm) + mm_swapped(mm), after;

	reap_areas(mm);
	after = mm_rss(mm) + mm_swapped(mm);
	printk("oom: reaped %lu pages of a victim that has not ended, %lu stay\n",
	       before > after ? before - after : 0, after);
	count_vm_n(VM_oom_reaped, before > after ? before - after : 0);
}

/*
 * The next victim, mmap_lock held for reading; NULL: none that could be had. Each asks once more of
 * one that could not, and *@left tells that there is one.
 */
static struct mm *take_victim(bool *left)
{
	struct mm *mm, *found = NULL;

	spin_lock(&mm_list_lock);
	list_for_each_entry(mm, &mm_list, all_link) {
		if (!is_pending_victim(mm))
			continue;
		if (down_read_trylock(&mm->mmap_lock)) {
			found = mm;
			break;
		}
		*left = true;
	}
	spin_unlock(&mm_list_lock);
	return found;
}

static void release_victim(struct mm *mm)
{
	spin_lock(&mm_list_lock);
	WRITE_ONCE(mm->oom_done, true);
	up_read(&mm->mmap_lock);
	spin_unlock(&mm_list_lock);
}

/* Those that could not be had are a round older; who is too old is nobody to wait for any more. */
static bool give_up_old(void)
{
	struct mm *mm;
	bool left = false;

	spin_lock(&mm_list_lock);
	list_for_each_entry(mm, &mm_list, all_link) {
		if (!is_pending_victim(mm))
			continue;
		if (++mm->oom_tries < OOM_TRIES) {
			left = true;
			continue;
		}
		WRITE_ONCE(mm->oom_done, true);
		printk("oom: a victim with %lu pages neither ends nor can be reaped\n", mm_rss(mm));
	}
	spin_unlock(&mm_list_lock);
	return left;
}

bool oom_reap_round(void)
{
	bool left = false;
	struct mm *mm;

	while ((mm = take_victim(&left))) {
		reap(mm);
		release_victim(mm);
	}
	return left && give_up_old();
}
