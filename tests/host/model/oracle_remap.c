/*
 * oracle_remap.c - what mremap(2) must do, page by page.
 *
 *	oracle_mremap_where()   asked before: the address, or the errno
 *	oracle_mremap()         then: pages, with their bytes, go from here to there
 */
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "tests/host/model/oracle_rules.h"

static long mremap_arguments(const struct oracle_remap *r)
{
	bool to = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);

	if ((r->flags & ~7u) || (to && !(r->flags & MREMAP_MAYMOVE)))
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && r->old_len != r->new_len)
		return -EINVAL;
	if (r->addr % PAGE_SIZE || r->new_len == 0)
		return -EINVAL;
	return 0;
}

/* Where it may not go, and what the caller's address must be. */
static long mremap_target(const struct oracle_remap *r)
{
	if (r->new_addr % PAGE_SIZE || r->new_len > TASK_SIZE ||
	    r->new_addr > TASK_SIZE - r->new_len)
		return -EINVAL;
	if (r->addr + r->old_len > r->new_addr && r->new_addr + r->new_len > r->addr)
		return -EINVAL;
	if ((r->flags & MREMAP_FIXED) && r->new_addr < MMAP_MIN_ADDR)
		return -EPERM;
	if (r->old_len > r->new_len && r->old_len > TASK_SIZE - r->addr)
		return -EINVAL;
	return 0;
}

/* All of [addr, addr + len) is one area. */
static bool is_one_area(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	for (unsigned long at = addr; at + PAGE_SIZE < addr + len; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at), *next;

		next = oracle_page(om, at + PAGE_SIZE);
		if (!next || !oracle_same_area(page, next))
			return false;
	}
	return true;
}

/* All that may get frames of its own is: what may be written, or was. */
static bool is_promised(const struct oracle_page *page, bool was_written)
{
	return !(page->flags & (VM_SHARED | VM_NORESERVE)) &&
	       ((page->prot & PROT_WRITE) || was_written);
}

/* @pages more of @like, after what is at the target has gone. */
static bool mremap_within_limits(struct oracle_mm *om, const struct oracle_remap *r,
				 const struct oracle_page *like, unsigned long pages)
{
	unsigned long total = pages, data = pages, at = r->new_addr;
	struct oracle_page *page;

	for (; (r->flags & MREMAP_FIXED) && (page = oracle_next(om, at, &at)) &&
	       at - r->new_addr < r->new_len;
	     at += PAGE_SIZE) {
		total--;
		data -= oracle_is_data(page);
	}
	if (is_promised(like, r->keeps_pgoff) && pages > nr_managed_pages() + r->given_back)
		return false;
	return oracle_within_limits(om, total, oracle_is_data(like) ? data : NO_MORE);
}

static long mremap_resize(struct oracle_mm *om, const struct oracle_remap *r, unsigned long moved)
{
	const struct oracle_page *page = oracle_page(om, r->addr);

	if (moved == 0 && !oracle_shared(page))
		return -EINVAL;
	if (!is_one_area(om, r->addr, moved))
		return -EFAULT;
	if (r->new_len > moved && page->file != NO_FILE &&
	    page->pgoff + r->new_len / PAGE_SIZE > (unsigned long)LONG_MAX / PAGE_SIZE)
		return -EINVAL;
	if ((page->flags & VM_LOCKED) && r->new_len > moved &&
	    !oracle_may_lock(om, (r->new_len - moved) / PAGE_SIZE))
		return -EAGAIN;
	if (r->new_len > moved &&
	    !mremap_within_limits(om, r, page, (r->new_len - moved) / PAGE_SIZE))
		return -ENOMEM;
	if ((r->flags & MREMAP_DONTUNMAP) && !mremap_within_limits(om, r, page, moved / PAGE_SIZE))
		return -ENOMEM;
	return 0;
}

/* The range ends where its area does, and behind it is room. */
static bool grows_in_place(struct oracle_mm *om, const struct oracle_remap *r)
{
	unsigned long end = r->addr + r->old_len;
	struct oracle_page *next = oracle_page(om, end);

	if (r->old_len == 0)
		return false;
	if (next && oracle_same_area(oracle_page(om, end - PAGE_SIZE), next))
		return false;
	return r->new_len <= TASK_SIZE && r->addr <= TASK_SIZE - r->new_len &&
	       oracle_is_free(om, end, r->new_len - r->old_len);
}

long oracle_mremap_where(struct oracle_mm *om, const struct oracle_remap *r)
{
	struct oracle_page *page = oracle_page(om, r->addr);
	bool to = r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
	long err = mremap_arguments(r);

	if (err)
		return err;
	if (!page || !page->mapped)
		return -EFAULT;
	if (!to && r->old_len >= r->new_len)
		return r->old_len > r->new_len && r->old_len > TASK_SIZE - r->addr ? -EINVAL :
										     (long)r->addr;
	if (to)
		err = mremap_target(r);
	/* Of nothing, over itself: then there is nothing to be moved. */
	if (!err && (r->flags & MREMAP_FIXED) && r->addr - r->new_addr < r->new_len)
		err = -EFAULT;
	if (!err)
		err = mremap_resize(om, r, min(r->old_len, r->new_len));
	if (err)
		return err;
	if (r->flags & MREMAP_FIXED)
		return r->new_addr;
	if (to)
		return oracle_place(om, r->new_addr, r->new_len, 0);
	if (grows_in_place(om, r))
		return r->addr;
	return r->flags & MREMAP_MAYMOVE ? oracle_place(om, 0, r->new_len, 0) : -ENOMEM;
}

/* One page, with its bytes, from @from to @to; an old area that stays is as if never touched. */
static void move_page(struct oracle_mm *om, unsigned long from, unsigned long to, bool stays)
{
	struct oracle_page *old = oracle_page(om, from), *new = oracle_page(om, to);

	if (new) {
		new->own = old->own;
		new->was_exec = old->was_exec;
		old->own = NULL;
	} else {
		oracle_disown(old);
	}
	if (stays)
		old->flags &= ~VM_LOCK_MASK;
	else
		oracle_unmap_page(old);
}

void oracle_mremap(struct oracle_mm *om, const struct oracle_remap *r, unsigned long to)
{
	struct oracle_page like = *oracle_page(om, r->addr);
	unsigned long moved = min(r->old_len, r->new_len);
	bool stays = r->flags & MREMAP_DONTUNMAP;

	if (to == r->addr) {
		oracle_unmap(om, r->addr + moved, r->old_len - moved);
		like.pgoff += moved / PAGE_SIZE;
		if (r->new_len > moved)
			oracle_map_pages(om, &like, to + moved, r->new_len - moved);
		return;
	}
	like.flags &= ~VM_HEAP;
	if (like.file == NO_FILE && !r->keeps_pgoff)
		like.pgoff = to / PAGE_SIZE;
	oracle_map_pages(om, &like, to, r->new_len);
	for (unsigned long at = 0; at < moved; at += PAGE_SIZE)
		move_page(om, r->addr + at, to + at, stays);
	if (!stays)
		oracle_unmap(om, r->addr, r->old_len);
}
