/*
 * mincore.c - mincore(2): which pages of a range are in memory, a byte for each.
 *
 *	[A  anonymous  )[B  file            )
 *	  x  .  x         .  x  c  .             x: mapped here   c: in the page cache only
 *	  1  0  1         0  1  1  0
 *
 *	What is in a slot is there if the swap cache has it.
 *
 *	A page of a file is there when the page cache has it, whoever brought it in. What others
 *	have read of a file is their business: who neither owns it nor may write to it is told 1.
 *	(Linux since 5.2, because of "Page Cache Attacks", Gruss et al., 2019.)
 *
 *	Done in chunks of PAGE_SIZE pages: into a page of the kernel's under mmap_lock, from there
 *	to the program without it, since that may fault.
 *
 * Invariant: nothing changes, but that the bytes before a hole are filled when it is found.
 * Locks: mmap_lock for reading, inside it as->lock; neither while user memory is touched.
 * Source: mincore(2).
 */
#include "arch/riscv/uaccess.h"
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/pgtable.h"
#include "mm/swap.h"
#include "mm/vma.h"

#define CHUNK PAGE_SIZE /* pages: one byte of the buffer each */

/* What is mapped of [start, end), which lies in one area; others keep their byte. */
static void note_mapped(struct mm *mm, unsigned long start, unsigned long end, u8 *vec)
{
	unsigned long addr, next;

	for (addr = start; addr < end; addr = next) {
		const pte_t *ptep = pte_find(mm, addr);

		next = pt_addr_end(addr, end, 1);
		for (; ptep && addr < next; addr += PAGE_SIZE, ptep++) {
			pte_t pte = pte_read(ptep);

			if (pte_present(pte) || (pte_swap(pte) && swap_is_cached(pte)))
				vec[(addr - start) >> PAGE_SHIFT] = 1;
		}
	}
}

/* Bytes for the pages from @start on, up to @nr, as far as one area goes; how many, or -ENOMEM. */
static long look(struct mm *mm, unsigned long start, unsigned long nr, u8 *vec)
{
	struct vm_area *vma = vma_lookup(mm, start);

	if (!vma)
		return -ENOMEM;
	nr = min(nr, (vma->vm_end - start) >> PAGE_SHIFT);
	if (vma->vm_file && !file_shows_cache(vma->vm_file)) {
		memset(vec, 1, nr);
		return nr;
	}
	memset(vec, 0, nr);
	if (vma->vm_file)
		filemap_note_cached(file_mapping(vma->vm_file), vma_pgoff(vma, start), nr, vec);
	note_mapped(mm, start, start + (nr << PAGE_SHIFT), vec);
	return nr;
}

static int look_at_all(struct mm *mm, unsigned long start, unsigned long nr, u8 *uvec, u8 *buf)
{
	while (nr > 0) {
		long done;

		down_read(&mm->mmap_lock);
		done = look(mm, start, min(nr, CHUNK), buf);
		up_read(&mm->mmap_lock);
		if (done < 0)
			return done;
		if (copy_to_user(uvec, buf, done))
			return -EFAULT;
		start += done << PAGE_SHIFT;
		uvec += done;
		nr -= done;
		if (current->killed)
			return -EINTR;
		cond_resched();
	}
	return 0;
}

SYSCALL_DEFINE3(mincore, unsigned long, addr, unsigned long, len, u8 *, uvec)
{
	unsigned long nr = len / PAGE_SIZE + (offset_in_page(len) != 0);
	struct page *page;
	int err;

	if (offset_in_page(addr))
		return -EINVAL;
	if (addr > TASK_SIZE || len > TASK_SIZE - addr)
		return -ENOMEM;
	if ((unsigned long)uvec > TASK_SIZE - nr)
		return -EFAULT;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -EAGAIN;
	err = look_at_all(current->mm, addr, nr, uvec, page_address(page));
	page_put(page);
	return err;
}
