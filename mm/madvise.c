/*
 * madvise.c - madvise(2): what a program knows of a range, and wants done to its pages.
 *
 *	areas     [A          )[B       )          the table below says which of four kinds it is
 *	              [s .......... e)
 *
 *	flags     [A )[A'      )[B' )[B )    marks the areas: RANDOM, SEQUENTIAL, NORMAL,
 *	                                     DONTFORK, DOFORK, WIPEONFORK, KEEPONFORK, and
 *	                                     DONTDUMP, DODUMP
 *	pages      x  x . .  .    . .   x    takes PTEs away, the areas stay: DONTNEED, FREE
 *	out        x  s . .  s    s x   .    pages to their slots, files' out of the cache: PAGEOUT;
 *	                                     or they are the next to go: COLD
 *	files      x  x r r  x    r x   .    read into the page cache: WILLNEED, which reads what is
 *	                                     in swap, too; made a hole: REMOVE
 *	populate   x  x f f  f    f f   .    faults pages in: POPULATE_READ, POPULATE_WRITE
 *
 *	FREE drops the pages at once: the manual lets the kernel do so at any time before they are
 *	written to again. There are no core dumps: DONTDUMP is only remembered. Huge pages do not
 *	exist: NOHUGEPAGE is what happens anyway, HUGEPAGE and what belongs to it is EINVAL, as is
 *	the merging of equal pages (MERGEABLE) and what injects hardware errors.
 *
 *	A hole in the range: what is mapped is advised, then ENOMEM.
 *
 * Invariant: when the call returns no thread reads what was dropped.
 * Locks: mmap_lock for writing, where flags change, and where pages go: of two threads that drop
 * the same page the second finds its PTE empty, and must not return before the first has flushed.
 * Files, out and populating: for reading, and not while the disk is waited for (piece.h).
 * Source: madvise(2).
 */
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/pageout.h"
#include "mm/piece.h"
#include "mm/tlb.h"
#include "mm/vma.h"

enum {
	MADV_NORMAL = 0,
	MADV_RANDOM = 1,
	MADV_SEQUENTIAL = 2,
	MADV_WILLNEED = 3,
	MADV_DONTNEED = 4,
	MADV_FREE = 8,
	MADV_REMOVE = 9,
	MADV_DONTFORK = 10,
	MADV_DOFORK = 11,
	MADV_NOHUGEPAGE = 15,
	MADV_DONTDUMP = 16,
	MADV_DODUMP = 17,
	MADV_WIPEONFORK = 18,
	MADV_KEEPONFORK = 19,
	MADV_COLD = 20,
	MADV_PAGEOUT = 21,
	MADV_POPULATE_READ = 22,
	MADV_POPULATE_WRITE = 23,
	MADV_DONTNEED_LOCKED = 24,
};

struct advice {
	/* Does it to [start, end): 0 or -errno. Takes the locks. NULL: there is no such advice. */
	int (*advise)(struct mm *mm, unsigned long start, unsigned long end,
		      const struct advice *advice);
	struct flag_change change; /* check() is also what pages of an area must let be done */
	bool drops;
	enum fault_access access;
	int (*advise_piece)(struct mm *mm, const struct area_piece *p);
};

/* ---- flags ---- */

static int advise_flags(struct mm *mm, unsigned long start, unsigned long end,
			const struct advice *advice)
{
	int err;

	down_write(&mm->mmap_lock);
	err = vma_change_flags(mm, start, end, &advice->change);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

static int is_private_anon(const struct vm_area *vma)
{
	return vma->vm_file ? -EINVAL : 0;
}

/* ---- pages ---- */

static int is_not_locked(const struct vm_area *vma)
{
	return vma->vm_flags & VM_LOCKED ? -EINVAL : 0;
}

static int may_free(const struct vm_area *vma)
{
	return is_private_anon(vma) ?: is_not_locked(vma);
}

static void drop_pages(struct vm_area *vma, unsigned long start, unsigned long end)
{
	struct mmu_gather g;

	gather_init(&g, vma->vm_mm);
	zap_range(&g, start, end);
	gather_finish(&g);
}

/* mmap_lock held for writing. */
static int advise_areas(struct mm *mm, unsigned long start, unsigned long end,
			const struct advice *advice)
{
	int (*check)(const struct vm_area *) = advice->change.check;
	int err, hole = 0;

	for (struct vm_area *vma = find_vma(mm, start); start < end; vma = vma->vm_next) {
		if (!vma || vma->vm_start >= end)
			return -ENOMEM;
		if (vma->vm_start > start)
			hole = -ENOMEM;
		start = max(start, vma->vm_start);
		err = check ? check(vma) : 0;
		if (err)
			return err;
		if (advice->drops)
			drop_pages(vma, start, min(end, vma->vm_end));
		start = vma->vm_end;
	}
	return hole;
}

static int advise_pages(struct mm *mm, unsigned long start, unsigned long end,
			const struct advice *advice)
{
	int err;

	down_write(&mm->mmap_lock);
	err = advise_areas(mm, start, end, advice);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	return err;
}

/* ---- files, and what else may sleep ---- */

static int advise_pieces(struct mm *mm, unsigned long start, unsigned long end,
			 const struct advice *advice)
{
	struct area_piece p;
	int err, hole = 0;

	for (; next_piece(mm, start, end, &p); start = p.end) {
		if (p.start > start)
			hole = -ENOMEM;
		err = advice->advise_piece(mm, &p);
		piece_put(&p);
		if (err)
			return err;
	}
	return start < end ? -ENOMEM : hole;
}

static int read_ahead(struct mm *mm, const struct area_piece *p)
{
	mm_swap_in(mm, p);
	if (p->file)
		filemap_read_ahead(file_mapping(p->file), p->first, p->last - p->first + 1);
	return 0;
}

static int make_hole(struct mm *mm __maybe_unused, const struct area_piece *p)
{
	if (!p->file || (p->flags & VM_LOCKED))
		return -EINVAL;
	if (!(p->flags & VM_SHARED) || !(p->prot & PROT_WRITE))
		return -EACCES;
	return file_punch_hole(p->file, p->first, p->last);
}

static int page_out(struct mm *mm, const struct area_piece *p)
{
	if (p->flags & VM_LOCKED)
		return -EINVAL;
	mm_pageout(mm, p);
	return 0;
}

static int make_cold(struct mm *mm, const struct area_piece *p)
{
	if (p->flags & VM_LOCKED)
		return -EINVAL;
	mm_cold(mm, p);
	return 0;
}

/* ---- populate ---- */

static int advise_populate(struct mm *mm, unsigned long start, unsigned long end,
			   const struct advice *advice)
{
	return mm_populate_for(mm, start, end, advice->access);
}

/* ---- the table ---- */

#define FLAGS(clear_, set_) .advise = advise_flags, .change = { .clear = (clear_), .set = (set_) }

static const struct advice advices[] = {
	[MADV_NORMAL] = { FLAGS(VM_SEQ | VM_RAND, 0) },
	[MADV_RANDOM] = { FLAGS(VM_SEQ, VM_RAND) },
	[MADV_SEQUENTIAL] = { FLAGS(VM_RAND, VM_SEQ) },
	[MADV_DONTFORK] = { FLAGS(0, VM_DONTCOPY) },
	[MADV_DOFORK] = { FLAGS(VM_DONTCOPY, 0) },
	[MADV_DONTDUMP] = { FLAGS(0, VM_DONTDUMP) },
	[MADV_DODUMP] = { FLAGS(VM_DONTDUMP, 0) },
	[MADV_WIPEONFORK] = { FLAGS(0, VM_WIPEONFORK), .change.check = is_private_anon },
	[MADV_KEEPONFORK] = { FLAGS(VM_WIPEONFORK, 0) },
	[MADV_DONTNEED] = { advise_pages, .change.check = is_not_locked, .drops = true },
	[MADV_DONTNEED_LOCKED] = { advise_pages, .drops = true },
	[MADV_FREE] = { advise_pages, .change.check = may_free, .drops = true },
	[MADV_COLD] = { advise_pieces, .advise_piece = make_cold },
	[MADV_PAGEOUT] = { advise_pieces, .advise_piece = page_out },
	[MADV_NOHUGEPAGE] = { advise_pages },
	[MADV_WILLNEED] = { advise_pieces, .advise_piece = read_ahead },
	[MADV_REMOVE] = { advise_pieces, .advise_piece = make_hole },
	[MADV_POPULATE_READ] = { advise_populate, .access = FAULT_READ },
	[MADV_POPULATE_WRITE] = { advise_populate, .access = FAULT_WRITE },
};

SYSCALL_DEFINE3(madvise, unsigned long, addr, unsigned long, len, int, nr)
{
	unsigned long bytes = PAGE_ALIGN(len);
	const struct advice *advice;

	if (nr < 0 || (size_t)nr >= ARRAY_SIZE(advices) || !advices[nr].advise)
		return -EINVAL;
	if (offset_in_page(addr) || bytes < len || addr + bytes < addr)
		return -EINVAL;
	if (bytes == 0)
		return 0;
	advice = &advices[nr];
	return advice->advise(current->mm, addr, addr + bytes, advice);
}
