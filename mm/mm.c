/*
 * mm.c - the life of an address space: made by exec and fork, used by tasks, torn down by the last.
 *
 *	mm_alloc()            users 1, no areas, a root table with only the kernel's half
 *	mm_get()/mm_put()     one user for each task that runs in it, and for who looks into it
 *	last mm_put()   remove all: areas, frames, tables; then the root table; then the mm
 *
 * Invariants: an mm is on mm_list as long as it exists; hart_mask has a bit for exactly the harts
 * whose satp points at pgd, so it is empty when the last user has gone.
 * Locks: mm_list_lock is inside everything but the printk lock and what releasing a lock takes:
 * oom_reaper.c and table_reclaim.c release mmap_lock in it.
 */
#include "mm/mm.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/anon_root.h"
#include "mm/buddy.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "mm/tlb.h"
#include "mm/vma.h"

struct kmem_cache *vma_cache;
struct spinlock mm_list_lock;
struct list_head mm_list = LIST_HEAD_INIT(mm_list);

static struct kmem_cache *mm_cache;

void mm_init(void)
{
	vma_cache = kmem_cache_create("vm_area", sizeof(struct vm_area), 0);
	mm_cache = kmem_cache_create("mm", sizeof(struct mm), 0);
	anon_root_init();
	zero_page = alloc_page(GFP_KERNEL | GFP_ZERO);
	if (!zero_page)
		panic("mm: no memory for the zero page");
}

struct mm *mm_alloc_in_family(struct anon_root *root)
{
	struct mm *mm = kmem_cache_alloc(mm_cache, GFP_KERNEL | GFP_ZERO);

	if (!mm)
		return NULL;
	mm->pgd = pgd_alloc();
	if (!mm->pgd)
		goto out_mm;
	if (root) {
		atomic_inc(&root->refcount);
	} else {
		root = anon_root_alloc();
		if (!root)
			goto out_pgd;
	}
	mm->anon_root = root;
	atomic_set(&mm->users, 1);
	rwsem_init(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	mm->mmap_base = STACK_TOP;
	anon_root_join(mm);
	spin_lock(&mm_list_lock);
	list_add_tail(&mm->all_link, &mm_list);
	spin_unlock(&mm_list_lock);
	return mm;

out_pgd:
	pgd_free(mm->pgd);
out_mm:
	kmem_cache_free(mm_cache, mm);
	return NULL;
}

struct mm *mm_alloc(void)
{
	return mm_alloc_in_family(NULL);
}

void mm_get(struct mm *mm)
{
	atomic_inc(&mm->users);
}

static void count_freed(const struct mm_freed *freed)
{
	count_vm_n(VM_exit_freed_anon, freed->anon);
	count_vm_n(VM_exit_freed_file, freed->file);
	count_vm_n(VM_exit_freed_tables, freed->tables);
	count_vm_n(VM_exit_kept_anon, freed->kept_anon);
	count_vm_n(VM_exit_kept_file, freed->kept_file);
}

/*
 * Nothing is left in @mm. What it had and is not free is somebody else's. (Of a file that is cut
 * off at this moment a page may count as kept: it went a moment before.)
 */
static void remove_all(struct mm *mm, struct mm_freed *freed)
{
	unsigned long anon = mm->rss_anon, file = mm->rss_file, tables = mm->nr_ptes;
	struct gather_freed gone = {};

	vma_remove_all(mm, &gone);
	freed->anon = gone.all - gone.file - tables;
	freed->file = gone.file;
	freed->tables = tables + 1; /* the root goes last */
	freed->kept_anon = anon - freed->anon;
	freed->kept_file = file > gone.file ? file - gone.file : 0;
}

void mm_put(struct mm *mm)
{
	struct mm_freed freed;

	mm_put_freed(mm, &freed);
}

void mm_put_freed(struct mm *mm, struct mm_freed *freed)
{
	*freed = (struct mm_freed){};
	if (!atomic_dec_and_test(&mm->users))
		return;
	BUG_ON(READ_ONCE(mm->hart_mask) != 0);
	down_write(&mm->mmap_lock);
	anon_root_leave(mm); /* before its tables go */
	remove_all(mm, freed);
	BUG_ON(mm->mmap || mm->rss_anon || mm->rss_file || mm->swap_ents || mm->nr_ptes);
	spin_lock(&mm_list_lock);
	list_del(&mm->all_link);
	spin_unlock(&mm_list_lock);
	up_write(&mm->mmap_lock);
	if (mm->exe_file)
		file_put(mm->exe_file);
	anon_root_put(mm->anon_root); /* after mm_list_lock: anon_root_of_page() relies on it */
	pgd_free(mm->pgd);
	kmem_cache_free(mm_cache, mm);
	count_freed(freed);
}

void mm_totals(struct mm_totals *totals)
{
	struct mm *mm;

	*totals = (struct mm_totals){};
	spin_lock(&mm_list_lock);
	list_for_each_entry(mm, &mm_list, all_link) {
		totals->anon += READ_ONCE(mm->rss_anon);
		totals->file += READ_ONCE(mm->rss_file);
		totals->committed += READ_ONCE(mm->committed_vm);
		totals->tables += READ_ONCE(mm->nr_ptes) + 1;
		totals->areas += READ_ONCE(mm->nr_areas);
	}
	spin_unlock(&mm_list_lock);
}

void mm_switch(struct mm *next)
{
	struct hart *hart = this_hart();
	struct mm *prev = hart->active_mm;
	unsigned long bit = 1UL << hart->id;

	if (prev == next)
		return;
	/* In the mask before the first walk: see mm/tlb.c. The AMO is fully ordered. */
	if (next)
		atomic_or_ulong(&next->hart_mask, bit);
	hart->active_mm = next;
	mmu_switch(next ? next->pgd : kernel_root);
	if (prev)
		atomic_and_ulong(&prev->hart_mask, ~bit);
}
