/*
 * mremap.c - mremap(2): an area gets another size, or another place.
 *
 *	before    [A  a b c)      [B)            a, b, c: pages that are there
 *	shrink    [A  a)          [B)            the rest is unmapped
 *	grow      [A  a b c . .)  [B)            in place, if the area ends where the range does
 *	                                         and enough is free behind it
 *	move                      [B)  [A  a b c . .)     else, with MREMAP_MAYMOVE
 *	FIXED     to an address of the caller's, what is there is unmapped
 *	DONTUNMAP [A . . .)       [B)  [A  a b c)         the old area stays, empty and unlocked
 *	old size 0                the same pages of a shared area once more
 *
 *	A move is split, insert, remove in the words of vma.c, and between the last two the PTEs go
 *	over (move.c). The new area has the old one's vm_pgoff, and knows in vm_moved how far it is
 *	from where its pages were made, so no page needs to be touched; it merges with a neighbour
 *	only if it continues that one. Memory that was never written to has nothing that names its
 *	place, and is as if made at the new one: then it merges with what it lies beside.
 *
 *	What cannot be had is found out before anything is changed: areas and page tables are taken
 *	from a reserve, and the family learns ahead where to look for the pages (anon_root.c).
 *	(Linux unmaps the target first, and it stays so if the rest fails.)
 *
 * Invariants: both areas of a move are on their file's list while PTEs go over, the new one first,
 * so truncation and write-back miss none, and nr_writable never falls to 0 between. On failure
 * nothing has changed.
 * Locks: mmap_lock for writing; move.c has those inside.
 * Source: mremap(2), and Linux 6.1 for the order of its checks.
 */
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/anon_root.h"
#include "mm/commit.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/mlock.h"
#include "mm/move.h"
#include "mm/pgtable.h"
#include "mm/vma.h"

/* A move may add so many areas: splits at both ends of both ranges. Linux's number, too. */
#define MOVE_AREAS 3

struct remap {
	struct mm *mm;
	struct vm_area *vma; /* holds addr; NULL once areas are split */
	unsigned long addr, new_addr;
	unsigned long old_len, new_len; /* bytes, whole pages; old_len: what is moved */
	unsigned long gone;		/* bytes from addr on that are unmapped by a move */
	u32 flags;
};

/* ---- checks ---- */

static int check_arguments(const struct remap *r)
{
	const u32 known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

	if (r->flags & ~known)
		return -EINVAL;
	if ((r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(r->flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((r->flags & MREMAP_DONTUNMAP) && r->old_len != r->new_len)
		return -EINVAL;
	return offset_in_page(r->addr) || r->new_len == 0 ? -EINVAL : 0;
}

/* The address for MREMAP_FIXED, or the hint for MREMAP_DONTUNMAP. */
static int check_target(const struct remap *r)
{
	if (offset_in_page(r->new_addr) || r->new_len > TASK_SIZE ||
	    r->new_addr > TASK_SIZE - r->new_len)
		return -EINVAL;
	if (r->addr + r->old_len > r->new_addr && r->new_addr + r->new_len > r->addr)
		return -EINVAL;
	if (r->mm->nr_areas + 2 + MOVE_AREAS >= MAX_MAP_COUNT)
		return -ENOMEM;
	return (r->flags & MREMAP_FIXED) && r->new_addr < MMAP_MIN_ADDR ? -EPERM : 0;
}

/* 0 when @bytes more of the area may be promised, or need not be: the target is given back. */
static int check_promise(const struct remap *r, unsigned long bytes)
{
	unsigned long pages = bytes >> PAGE_SHIFT, back = 0;

	if (!vma_is_committed(r->vma))
		return 0;
	if (r->flags & MREMAP_FIXED)
		back = committed_in(r->mm, r->new_addr, r->new_addr + r->new_len);
	return pages > back ? commit_check(pages - back) : 0;
}

/* 0 when @bytes more of the area are within the limits, after the target is unmapped. */
static int check_limits(const struct remap *r, unsigned long bytes)
{
	unsigned long total = r->mm->total_vm, data = r->mm->data_vm;
	unsigned long start = r->new_addr, end = start + r->new_len;
	struct vm_area *vma = r->flags & MREMAP_FIXED ? find_vma(r->mm, start) : NULL;

	for (; vma && vma->vm_start < end; vma = vma->vm_next) {
		unsigned long pages = min(end, vma->vm_end) - max(start, vma->vm_start);

		pages >>= PAGE_SHIFT;
		total -= pages;
		data -= counts_as_data(vma->vm_prot, vma->vm_flags) ? pages : 0;
	}
	return within_limits(total, data, bytes >> PAGE_SHIFT, r->vma) ?: check_promise(r, bytes);
}

/* Locked memory counts against a limit of its own. */
static int check_lock(const struct remap *r, unsigned long bytes)
{
	return may_lock_area(r->mm, r->vma->vm_flags, bytes >> PAGE_SHIFT) ? 0 : -EAGAIN;
}

/* May [addr, addr + old_len) become new_len long? */
static int check_resize(const struct remap *r)
{
	const struct vm_area *vma = r->vma;
	unsigned long last = vma_pgoff(vma, r->addr) + (r->new_len >> PAGE_SHIFT);

	/* Of private memory there is nothing to be had twice. */
	if (r->old_len == 0 && !(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (r->old_len > vma->vm_end - r->addr)
		return -EFAULT;
	if (r->new_len == r->old_len)
		return 0;
	if (vma->vm_file && last > (unsigned long)LONG_MAX >> PAGE_SHIFT)
		return -EINVAL;
	return check_lock(r, r->new_len - r->old_len) ?: check_limits(r, r->new_len - r->old_len);
}

/* ---- in place ---- */

static long shrink(const struct remap *r)
{
	int err = 0;

	if (r->old_len > r->new_len) {
		if (r->old_len > TASK_SIZE - r->addr)
			return -EINVAL;
		err = vma_remove(r->mm, r->addr + r->new_len, r->addr + r->old_len);
	}
	return err ? err : (long)r->addr;
}

/* True when the range is the end of its area, and what it wants behind it is free. */
static bool can_grow_in_place(const struct remap *r)
{
	const struct vm_area *vma = r->vma;
	unsigned long more = r->new_len - r->old_len;

	if (r->old_len != vma->vm_end - r->addr || more > TASK_SIZE - vma->vm_end)
		return false;
	return !vma->vm_next || vma->vm_end + more <= vma->vm_next->vm_start;
}

static long grow_in_place(const struct remap *r)
{
	struct vm_area *vma = r->vma;

	vma_resize(vma, vma->vm_start, r->addr + r->new_len);
	vma_merge(r->mm, vma);
	return r->addr;
}

/* ---- moving ---- */

/* Something may be mapped, or be named by vm_pgoff: else the area can as well be a new one. */
static bool has_pages(const struct vm_area *vma)
{
	return vma->vm_file || vma->vm_anon;
}

/* The lock goes with the pages: MREMAP_DONTUNMAP leaves an area without it, as on Linux. */
static void leave_unlocked(const struct remap *r)
{
	struct vm_area *vma = vma_lookup(r->mm, r->addr);

	vma_set_flags(vma, vma->vm_flags & ~VM_LOCK_MASK);
	vma_merge(r->mm, vma);
}

/* The part that cannot fail; @want is the new area. Splits are made. */
static void move_prepared(const struct remap *r, const struct vm_area *want, struct vm_area *spare,
			  struct table_reserve *reserve)
{
	struct mm *mm = r->mm;
	unsigned long peak = mm->hiwater_vm;
	bool moves = has_pages(want);

	if (r->flags & MREMAP_FIXED)
		vma_remove_aligned(mm, r->new_addr, r->new_addr + r->new_len);
	if (r->flags & MREMAP_DONTUNMAP)
		leave_unlocked(r);
	if (!moves && r->gone)
		vma_remove_aligned(mm, r->addr, r->addr + r->gone);
	vma_insert(mm, want, spare);
	if (moves && r->old_len)
		move_pages(vma_lookup(mm, r->addr), r->addr, r->new_addr, r->old_len, reserve);
	if (moves && r->gone)
		vma_remove_aligned(mm, r->addr, r->addr + r->gone);
	/* It was never as large as it was between the two. */
	mm->hiwater_vm = max(peak, mm->total_vm);
	if (r->gone && mm->vdso - r->addr < r->old_len)
		mm->vdso += r->new_addr - r->addr;
}

/* The area as it will be at its new place. */
static struct vm_area moved_area(const struct remap *r)
{
	struct vm_area want = *r->vma;

	want.vm_start = r->new_addr;
	want.vm_end = r->new_addr + r->new_len;
	want.vm_pgoff = has_pages(&want) ? vma_pgoff(r->vma, r->addr) : r->new_addr >> PAGE_SHIFT;
	if (want.vm_anon)
		want.vm_moved += (long)(r->new_addr - r->addr) >> PAGE_SHIFT;
	else
		want.vm_moved = 0;
	want.vm_flags &= ~VM_HEAP; /* brk() will not find it there */
	return want;
}

/* Splits for what goes, and for what it goes to. 0, or -ENOMEM with the list as before. */
static int split_both(const struct remap *r)
{
	unsigned long end = r->addr + r->gone;
	int err = 0;

	if (r->gone)
		err = vma_split_range(r->mm, r->addr, end);
	if (err || !(r->flags & MREMAP_FIXED))
		return err;
	err = vma_split_range(r->mm, r->new_addr, r->new_addr + r->new_len);
	if (err && r->gone) {
		vma_rejoin(r->mm, r->addr);
		vma_rejoin(r->mm, end);
	}
	return err;
}

static long move(struct remap *r)
{
	struct vm_area want = moved_area(r), *spare;
	struct vm_area *there = find_vma(r->mm, r->new_addr);
	struct table_reserve reserve;
	struct anon_shift *shift;
	unsigned nr = 0;
	int err;

	if (r->mm->nr_areas + MOVE_AREAS >= MAX_MAP_COUNT)
		return -ENOMEM;
	spare = vma_prepare();
	if (!spare)
		return -ENOMEM;
	if (has_pages(&want))
		nr = move_nr_tables(r->mm, r->addr, r->new_addr, r->old_len,
				    there && there->vm_start < want.vm_end);
	err = tables_reserve(&reserve, nr);
	if (err)
		goto out_spare;
	err = anon_shift_prepare(r->mm, want.vm_moved, &shift);
	if (err)
		goto out_tables;
	err = split_both(r);
	if (err)
		goto out_shift;
	anon_shift_insert(r->mm, shift);
	move_prepared(r, &want, spare, &reserve);
	tables_release(&reserve);
	return r->new_addr;

out_shift:
	anon_shift_discard(shift);
out_tables:
	tables_release(&reserve);
out_spare:
	vma_discard(spare);
	return err;
}

/* The caller says where: MREMAP_FIXED, or MREMAP_DONTUNMAP, for which it is a hint. */
static long move_to(struct remap *r)
{
	unsigned long tail = r->old_len > r->new_len ? r->old_len - r->new_len : 0;
	bool stays = r->flags & MREMAP_DONTUNMAP;
	long err = check_target(r);

	if (err)
		return err;
	if (tail && r->old_len > TASK_SIZE - r->addr)
		return -EINVAL;
	/* The tail may be of several areas, as in munmap(2); only the rest is moved. */
	r->gone = stays ? 0 : r->old_len;
	r->old_len -= tail;
	/* Twice the same pages, the second over the first: then there is no first. */
	if ((r->flags & MREMAP_FIXED) && r->addr - r->new_addr < r->new_len)
		return -EFAULT;
	err = check_resize(r);
	if (!err && stays)
		err = check_limits(r, r->old_len);
	if (err)
		return err;
	if (!(r->flags & MREMAP_FIXED)) {
		err = mmap_place(r->mm, r->new_addr, r->new_len, 0);
		if (err < 0)
			return err;
		r->new_addr = err;
	}
	return move(r);
}

static long grow(struct remap *r)
{
	long ret = check_resize(r);

	if (ret)
		return ret;
	if (can_grow_in_place(r))
		return grow_in_place(r);
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	ret = mmap_place(r->mm, 0, r->new_len, 0);
	if (ret < 0)
		return ret;
	r->new_addr = ret;
	r->gone = r->old_len;
	return move(r);
}

static long remap_locked(struct remap *r)
{
	r->vma = vma_lookup(r->mm, r->addr);
	if (!r->vma)
		return -EFAULT;
	if (r->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		return move_to(r);
	return r->old_len >= r->new_len ? shrink(r) : grow(r);
}

long vm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
	       u32 flags, unsigned long new_addr)
{
	struct remap r = {
		.mm = mm,
		.addr = addr,
		.new_addr = new_addr,
		.old_len = PAGE_ALIGN(old_len),
		.new_len = PAGE_ALIGN(new_len),
		.flags = flags,
	};
	long ret = check_arguments(&r);

	if (ret)
		return ret;
	down_write(&mm->mmap_lock);
	ret = remap_locked(&r);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	if (unlikely(READ_ONCE(mm->locked_vm)) && ret >= 0 && r.new_len > r.old_len)
		mm_populate_locked(mm, ret + r.old_len, ret + r.new_len);
	return ret;
}

SYSCALL_DEFINE5(mremap, unsigned long, addr, unsigned long, old_len, unsigned long, new_len,
		unsigned long, flags, unsigned long, new_addr)
{
	if (flags >> 32)
		return -EINVAL;
	return vm_mremap(current->mm, addr, old_len, new_len, flags, new_addr);
}
