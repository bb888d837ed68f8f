/*
 * access.c - the kernel looks into an address space that is not the current one, or into all of it.
 *
 *	exec      strings and auxv onto the stack of an mm that runs nowhere yet
 *	/proc     a process' arguments
 *
 *	handle_mm_fault_or_fail() makes the page present; then its frame is found through the PTE,
 *	with a reference, under the leaf lock. If it has gone meanwhile, once more.
 *
 * Locks: none on entry; mmap_lock for reading, then the leaf lock, while the PTE is read. The copy
 * is made through the direct map with only the reference held.
 */
#include "arch/riscv/hart.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "mm/window.h"

/* The frame that the PTE of @addr grants for @access right now, with a reference; or NULL. */
static struct page *follow(struct mm *mm, unsigned long addr, enum fault_access access)
{
	static const unsigned long needs[] = {
		[FAULT_READ] = PTE_V | PTE_R,
		[FAULT_WRITE] = PTE_V | PTE_W | PTE_D,
		[FAULT_EXEC] = PTE_V | PTE_X,
	};
	struct page *page = NULL;
	struct spinlock *ptl;
	pte_t *ptep, pte;

	down_read(&mm->mmap_lock);
	ptep = pte_find(mm, addr);
	if (ptep) {
		ptl = pte_lockptr(ptep);
		spin_lock(ptl);
		pte = pte_read(ptep);
		if ((pte.val & needs[access]) == needs[access]) {
			page = pfn_to_page(pte_pfn(pte));
			page_get(page);
		}
		spin_unlock(ptl);
	}
	up_read(&mm->mmap_lock);
	return page;
}

struct page *get_user_page(struct mm *mm, unsigned long addr, enum fault_access access,
			   enum fault_result *res)
{
	struct page *page;

	for (;;) {
		*res = handle_mm_fault_or_fail(mm, addr, access);
		if (*res != FAULT_OK)
			return NULL;
		window();
		page = follow(mm, addr, access);
		if (page)
			return page;
		cond_resched();
	}
}

/* Copies @len bytes at @uaddr of @mm to or from @buf, page by page; returns the bytes copied. */
static size_t mm_copy(struct mm *mm, unsigned long uaddr, void *buf, size_t len,
		      enum fault_access access)
{
	size_t done = 0;

	while (done < len) {
		unsigned offset = offset_in_page(uaddr + done);
		size_t n = min(len - done, (size_t)PAGE_SIZE - offset);
		enum fault_result res;
		struct page *page;
		char *user;

		if (uaddr + done >= TASK_SIZE)
			break;
		page = get_user_page(mm, uaddr + done, access, &res);
		if (!page)
			break;
		user = (char *)page_address(page) + offset;
		if (access == FAULT_WRITE)
			memcpy(user, (char *)buf + done, n);
		else
			memcpy((char *)buf + done, user, n);
		page_put(page);
		done += n;
	}
	return done;
}

size_t mm_copy_to(struct mm *mm, unsigned long uaddr, const void *src, size_t len)
{
	return mm_copy(mm, uaddr, (void *)src, len, FAULT_WRITE);
}

size_t mm_copy_from(struct mm *mm, void *dst, unsigned long uaddr, size_t len)
{
	return mm_copy(mm, uaddr, dst, len, FAULT_READ);
}
