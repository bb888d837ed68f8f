/*
 * rmap.c - from a file's pages back to the address spaces that map them.
 *
 *	address_space.areas -> [area of mm 1] - [area of mm 2] - [area of mm 1] ...
 *	                        pgoff 0..7      pgoff 4..9       pgoff 20..20
 *
 *	Truncation visits every area that covers the pages which go, and clears their PTEs there,
 *	private copies included (as Linux does: SIGBUS past the end of file is for all).
 *
 * Invariant (mm_check()): an area with a file is on its mapping's list.
 * Locks: address_space.mmap_lock guards the list and the borders of the areas on it. It is inside
 * mmap_lock and outside page-table locks. An area leaves the list before its tables are freed, so
 * who holds this lock may walk the tables of the areas that he finds.
 */
#include "fs/mapping.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/rmap.h"
#include "mm/tlb.h"
#include "mm/vma.h"

void mapping_lock_area(struct vm_area *vma)
{
	if (vma->vm_file)
		spin_lock(&file_mapping(vma->vm_file)->mmap_lock);
}

void mapping_unlock_area(struct vm_area *vma)
{
	if (vma->vm_file)
		spin_unlock(&file_mapping(vma->vm_file)->mmap_lock);
}

void mapping_link_area(struct vm_area *vma)
{
	if (!vma->vm_file)
		return;
	mapping_lock_area(vma);
	list_add_tail(&vma->vm_mapping_link, &file_mapping(vma->vm_file)->areas);
	mapping_unlock_area(vma);
}

void mapping_unlink_area(struct vm_area *vma)
{
	if (!vma->vm_file)
		return;
	mapping_lock_area(vma);
	list_del(&vma->vm_mapping_link);
	mapping_unlock_area(vma);
}

void unmap_mapping_from(struct address_space *as, unsigned long first)
{
	struct vm_area *vma;

	spin_lock(&as->mmap_lock);
	list_for_each_entry(vma, &as->areas, vm_mapping_link) {
		unsigned long start = vma->vm_start;
		struct mmu_gather g;

		if (vma->vm_pgoff + vma_pages(vma) <= first)
			continue;
		if (first > vma->vm_pgoff)
			start += (first - vma->vm_pgoff) << PAGE_SHIFT;
		gather_init(&g, vma->vm_mm);
		zap_range(&g, start, vma->vm_end);
		gather_finish(&g);
	}
	spin_unlock(&as->mmap_lock);
}
