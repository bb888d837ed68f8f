/*
 * mmap.c - mmap(2): a new area in the list.
 *
 *	before   [A)        [B)      [C)
 *	mmap     [A)  [new) [B)      [C)      a free place, from mmap_base downwards
 *	MAP_FIXED over B: remove what is there, then insert; equal neighbours merge
 *
 *	Nothing is read and no frame is taken: the first touch of each page does that (fault.c), or
 *	MAP_POPULATE, which touches them all, as is done to a locked area (MAP_LOCKED, mlockall()).
 *
 *	MAP_SHARED | MAP_ANONYMOUS is a mapping of a file without a name (mm/shmem.c): what is said
 *	of shared files is true of it. The area holds its only reference.
 *
 * Invariant: either the whole edit happens, or nothing: memory for it is taken before the list
 * changes.
 * Locks: mmap_lock for writing.
 * Source: mmap(2) of the Linux man-pages, for errno values and flags.
 */
#include "mm/mmap.h"

#include "arch/riscv/hart.h"
#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "lib/err.h"
#include "lib/errno.h"
#include "mm/commit.h"
#include "mm/debug.h"
#include "mm/internal.h"
#include "mm/mlock.h"
#include "mm/rmap.h"
#include "mm/vma.h"

unsigned long mmap_base_below_stack(unsigned long top)
{
	unsigned long gap = current->rlim[RLIMIT_STACK].cur;

	gap = clamp(gap, 128UL << 20, TASK_SIZE / 6 * 5);
	return PAGE_ALIGN(top - gap - STACK_GUARD);
}

int within_limits(unsigned long total, unsigned long data, unsigned long pages,
		  const struct vm_area *like)
{
	const struct rlimit *rlim = current->rlim;

	if (total + pages > rlim[RLIMIT_AS].cur >> PAGE_SHIFT)
		return -ENOMEM;
	if (counts_as_data(like->vm_prot, like->vm_flags) &&
	    data + pages > rlim[RLIMIT_DATA].cur >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

unsigned long committed_in(struct mm *mm, unsigned long start, unsigned long end)
{
	unsigned long pages = 0;

	for (struct vm_area *vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = vma->vm_next)
		if (vma_is_committed(vma))
			pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

int may_expand(struct mm *mm, unsigned long pages, const struct vm_area *like)
{
	int err = within_limits(mm->total_vm, mm->data_vm, pages, like);

	return err || !vma_is_committed(like) ? err : commit_check(pages);
}

/* Nothing of [addr, addr + len) is mapped. */
static bool range_is_free(struct mm *mm, unsigned long addr, unsigned long len)
{
	struct vm_area *vma = find_vma(mm, addr);

	return !vma || vma->vm_start >= addr + len;
}

/* ... and a stack that follows keeps its guard gap: for places that we choose. */
static bool range_is_free_for_us(struct mm *mm, unsigned long addr, unsigned long len)
{
	struct vm_area *vma = find_vma(mm, addr);

	return !vma || vma_start_gap(vma) >= addr + len;
}

static bool range_is_user(unsigned long addr, unsigned long len)
{
	return addr >= MMAP_MIN_ADDR && len <= TASK_SIZE && addr <= TASK_SIZE - len;
}

/* The lowest address that the stack's guard gap reaches down to. */
static unsigned long stack_floor(struct mm *mm)
{
	struct vm_area *stack = find_vma(mm, mm->start_stack - 1);

	if (!stack || !(stack->vm_flags & VM_GROWSDOWN))
		return TASK_SIZE;
	return max(stack->vm_start - STACK_GUARD, mm->mmap_base);
}

long mmap_place(struct mm *mm, unsigned long addr, unsigned long len, u32 flags)
{
	unsigned long gap;

	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		if (addr > TASK_SIZE - len)
			return -ENOMEM;
		if (offset_in_page(addr))
			return -EINVAL;
		if (addr < MMAP_MIN_ADDR)
			return -EPERM;
		if ((flags & MAP_FIXED_NOREPLACE) && !range_is_free(mm, addr, len))
			return -EEXIST;
		return addr;
	}
	/* As Linux: a hint is rounded down, and up to the lowest address that may be mapped. */
	addr &= PAGE_MASK;
	if (addr)
		addr = max(addr, (unsigned long)MMAP_MIN_ADDR);
	if (addr && range_is_user(addr, len) && range_is_free_for_us(mm, addr, len))
		return addr;
	gap = vma_find_gap(mm, len, MMAP_MIN_ADDR, mm->mmap_base);
	if (!gap) /* the space kept for the stack, as far as the stack has not come */
		gap = vma_find_gap(mm, len, mm->mmap_base, stack_floor(mm));
	return gap ? (long)gap : -ENOMEM;
}

/*
 * Pages of [start, end) that are mapped: what MAP_FIXED gives back does not count against limits.
 */
static unsigned long mapped_pages(struct mm *mm, unsigned long start, unsigned long end)
{
	unsigned long pages = 0;

	for (struct vm_area *vma = find_vma(mm, start); vma && vma->vm_start < end;
	     vma = vma->vm_next)
		pages += (min(end, vma->vm_end) - max(start, vma->vm_start)) >> PAGE_SHIFT;
	return pages;
}

long mmap_locked(struct mm *mm, struct vm_area *want, unsigned long addr, unsigned long len,
		 u32 flags)
{
	struct vm_area *spare;
	unsigned long pages, replaced;
	long start = mmap_place(mm, addr, len, flags);
	int err;

	if (start < 0)
		return start;
	want->vm_start = start;
	want->vm_end = start + len;
	if (!want->vm_file)
		want->vm_pgoff = start >> PAGE_SHIFT;
	if (mm->nr_areas >= MAX_MAP_COUNT)
		return -ENOMEM;
	replaced = flags & MAP_FIXED ? mapped_pages(mm, start, start + len) : 0;
	pages = (len >> PAGE_SHIFT) - replaced;
	if (unlikely((want->vm_flags | mm->def_flags) & VM_LOCKED)) {
		want->vm_flags |= mm->def_flags;
		if (!may_lock_pages(mm, len >> PAGE_SHIFT))
			return -EAGAIN;
	}
	if (may_expand(mm, pages, want))
		return -ENOMEM;
	/* What it replaces may be less than what it is: a reservation, that becomes memory. */
	if (replaced && vma_is_committed(want) &&
	    commit_check((len >> PAGE_SHIFT) - committed_in(mm, start, start + len)))
		return -ENOMEM;
	spare = vma_prepare();
	if (!spare)
		return -ENOMEM;
	err = replaced ? vma_remove(mm, start, start + len) : 0;
	if (err) {
		vma_discard(spare);
		return err;
	}
	vma_insert(mm, want, spare);
	return start;
}

/* What MAP_SHARED_VALIDATE knows; MAP_SHARED ignores all else. (MAP_SYNC: no file can it.) */
#define MAP_KNOWN                                                                                  \
	(MAP_TYPE | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_GROWSDOWN |              \
	 MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |              \
	 MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB)

static bool is_shared(u32 flags)
{
	return (flags & MAP_TYPE) != MAP_PRIVATE;
}

/* 0, or the errno for flags that mmap(2) or this kernel does not have. */
static int check_flags(const struct file *file, u32 flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_PRIVATE:
	case MAP_SHARED:
		break;
	case MAP_SHARED_VALIDATE:
		if (!file) /* it is for files */
			return -EINVAL;
		if (flags & ~MAP_KNOWN)
			return -EOPNOTSUPP;
		break;
	default:
		return -EINVAL;
	}
	if (likely(!(flags & (MAP_HUGETLB | MAP_LOCKED | MAP_GROWSDOWN))))
		return 0;
	if (flags & MAP_HUGETLB)
		return -EINVAL;
	if ((flags & MAP_LOCKED) && !may_lock())
		return -EPERM;
	/* What is at an address of a file may not change by growth. */
	if ((flags & MAP_GROWSDOWN) && (file || is_shared(flags)))
		return -EINVAL;
	return 0;
}

static int check_file(struct file *file, u32 prot, u32 flags)
{
	if (!file_can_read(file))
		return -EACCES;
	if (is_shared(flags) && (prot & PROT_WRITE) && !file_can_write(file))
		return -EACCES;
	if ((prot & PROT_EXEC) && !file_can_exec(file))
		return -EPERM;
	return file_mapping(file) ? 0 : -ENODEV;
}

int mmap_start_sharing(struct file *file, struct vm_area *want)
{
	want->vm_flags |= VM_SHARED;
	if (!file_can_write(file))
		return 0;
	if (mapping_hold_writable(file_mapping(file)))
		want->vm_flags |= VM_MAYWRITE;
	else if (want->vm_prot & PROT_WRITE)
		return -EPERM;
	return 0;
}

void mmap_end_sharing(struct file *file, const struct vm_area *want)
{
	if (unlikely(want->vm_flags & VM_MAYWRITE))
		mapping_release_writable(file_mapping(file));
}

/* The checked request for @file, or anonymous memory; @want has its protection. */
static long do_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len,
		    u32 flags, unsigned long off, struct vm_area *want)
{
	long ret;

	if (file) {
		want->vm_file = file;
		want->vm_pgoff = off >> PAGE_SHIFT;
	}
	if ((flags & MAP_NORESERVE) && commit_may_be_skipped())
		want->vm_flags |= VM_NORESERVE;
	if (flags & (MAP_LOCKED | MAP_GROWSDOWN))
		want->vm_flags |= (flags & MAP_LOCKED ? VM_LOCKED : 0) |
				  (flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0);
	if (unlikely(is_shared(flags))) {
		ret = mmap_start_sharing(file, want);
		if (ret)
			return ret;
	}
	down_write(&mm->mmap_lock);
	ret = mmap_locked(mm, want, addr, len, flags);
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
	mmap_end_sharing(file, want);
	return ret;
}

/* Memory that is shared with children: a file that nobody else can open; or ERR_PTR. */
static struct file *make_shared_memory(unsigned long len, u32 flags)
{
	bool promised = !(flags & MAP_NORESERVE) || !commit_may_be_skipped();
	struct file *file;

	if (promised && commit_check(len >> PAGE_SHIFT))
		return ERR_PTR(-ENOMEM);
	file = shared_memory_file(len);
	if (!IS_ERR(file) && promised)
		shmem_commit(file_mapping(file), len >> PAGE_SHIFT);
	return file;
}

long vm_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len, u32 prot,
	     u32 flags, unsigned long off)
{
	unsigned long bytes = PAGE_ALIGN(len);
	struct vm_area want = { .vm_prot = prot & PROT_MASK };
	struct file *memory = NULL;
	long ret;

	ret = check_flags(file, flags);
	if (ret)
		return ret;
	if (len == 0)
		return -EINVAL;
	if (bytes < len || bytes > TASK_SIZE)
		return -ENOMEM;
	if (file && file_is_zero_device(file))
		file = NULL;
	if (file) {
		if (off > (unsigned long)LONG_MAX - bytes)
			return -EOVERFLOW;
		ret = check_file(file, prot, flags);
		if (ret)
			return ret;
	}
	if (!file && unlikely(is_shared(flags))) {
		file = memory = make_shared_memory(bytes, flags);
		if (IS_ERR(memory))
			return PTR_ERR(memory);
		off = 0;
	}
	ret = do_mmap(mm, file, addr, bytes, flags, off, &want);
	if (unlikely(memory))
		file_put(memory);
	/* Failing to populate is not failing to map: the pages come on demand. */
	if (unlikely((flags & MAP_POPULATE) || (want.vm_flags & VM_LOCKED)) && ret >= 0 &&
	    (!(flags & MAP_NONBLOCK) || (want.vm_flags & VM_LOCKED)))
		mm_populate(mm, ret, ret + bytes);
	return ret;
}

SYSCALL_DEFINE6(mmap, unsigned long, addr, unsigned long, len, unsigned long, prot, unsigned long,
		flags, int, fd, unsigned long, off)
{
	struct file *file = NULL;
	long ret;

	if (offset_in_page(off))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = fd_get(fd);
		if (!file)
			return -EBADF;
	}
	ret = vm_mmap(current->mm, file, addr, len, prot, flags, off);
	if (file)
		file_put(file);
	return ret;
}
