/*
 * piece.c - the areas of a range one after the other; piece.h has the drawing.
 *
 * Locks: mmap_lock for reading while a piece is looked for; none after.
 */
#include "mm/piece.h"

#include "fs/mapping.h"
#include "mm/vma.h"

bool next_piece(struct mm *mm, unsigned long start, unsigned long end, struct area_piece *p)
{
	struct vm_area *vma;

	if (start >= end) /* an area may go on behind the range */
		return false;
	down_read(&mm->mmap_lock);
	vma = find_vma(mm, start);
	if (!vma || vma->vm_start >= end) {
		up_read(&mm->mmap_lock);
		return false;
	}
	p->start = max(start, vma->vm_start);
	p->end = min(end, vma->vm_end);
	p->prot = vma->vm_prot;
	p->flags = vma->vm_flags;
	p->first = vma_pgoff(vma, p->start);
	p->last = vma_pgoff(vma, p->end) - 1;
	p->file = vma->vm_file ? file_get(vma->vm_file) : NULL;
	up_read(&mm->mmap_lock);
	return true;
}

void piece_put(struct area_piece *p)
{
	if (p->file)
		file_put(p->file);
}
