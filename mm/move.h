/*
 * move.h - PTEs from one place of an address space to another (mm/move.c has the drawing).
 */
#ifndef RAVEL_MM_MOVE_H
#define RAVEL_MM_MOVE_H

#include "mm/mm.h"

struct table_reserve;

/*
 * How many tables moving [from, from + len) to @to may need: exactly so many when @to_is_mapped is
 * false, at most so many when the tables of what is mapped at @to will be freed before.
 */
unsigned move_nr_tables(struct mm *mm, unsigned long from, unsigned long to, unsigned long len,
			bool to_is_mapped);

/*
 * What the pages [from, from + len) of @vma have in the page tables is at @to afterwards, where
 * there was nothing, and no hart reaches it by the old address. Both ranges are in areas of the
 * same file at the same offset, linked. mmap_lock held for writing; cannot fail: tables come from
 * @reserve.
 */
void move_pages(struct vm_area *vma, unsigned long from, unsigned long to, unsigned long len,
		struct table_reserve *reserve);

#endif
