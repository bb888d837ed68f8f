/*
 * report.c - one line for a fault that could not be served: what a person needs to find the bug.
 *
 *	crash[12]: store to 0x10 at pc 0x1056c: no area holds the address (SEGV_MAPERR);
 *	           below: none; above: 0x10000-0x8a000 r-x /bin/crash
 *
 * Locks: mmap_lock for reading while the areas are described; nothing is printed with it held.
 */
#include "fs/mapping.h"
#include "kernel/printk.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/mm.h"
#include "mm/mmap.h"
#include "mm/vma.h"

static const char *const verb[] = {
	[FAULT_READ] = "load from",
	[FAULT_WRITE] = "store to",
	[FAULT_EXEC] = "fetch from",
};

static const char *cause(enum fault_result res)
{
	switch (res) {
	case FAULT_SEGV_MAPERR:
		return "no area holds the address (SEGV_MAPERR)";
	case FAULT_SEGV_ACCERR:
		return "the area forbids it (SEGV_ACCERR)";
	case FAULT_SIGBUS:
		return "past the end of the file, or the disk failed (SIGBUS)";
	case FAULT_OOM:
		return "out of memory";
	default:
		return "not served";
	}
}

static void describe(const struct vm_area *vma, char *buf, size_t size)
{
	char path[64] = "anonymous";

	if (!vma) {
		strlcpy(buf, "none", size);
		return;
	}
	if (vma->vm_file)
		file_path(vma->vm_file, path, sizeof(path));
	else if (vma_is_stack(vma))
		strlcpy(path, "[stack]", sizeof(path));
	else if (vma->vm_flags & VM_HEAP)
		strlcpy(path, "[heap]", sizeof(path));
	snprintf(buf, size, "0x%lx-0x%lx %c%c%c %s", vma->vm_start, vma->vm_end,
		 vma->vm_prot & PROT_READ ? 'r' : '-', vma->vm_prot & PROT_WRITE ? 'w' : '-',
		 vma->vm_prot & PROT_EXEC ? 'x' : '-', path);
}

/* True when @addr is where the stack would have grown to, had its limit allowed it. */
static bool is_stack_overflow(const struct vm_area *above, unsigned long addr)
{
	return above && (above->vm_flags & VM_GROWSDOWN) && above->vm_start > addr &&
	       above->vm_start - addr <= STACK_GUARD &&
	       above->vm_end - addr > current->rlim[RLIMIT_STACK].cur;
}

void fault_report(struct mm *mm, unsigned long addr, unsigned long pc, enum fault_access access,
		  enum fault_result res)
{
	char here[128], above[128];
	bool inside, overflow;
	struct vm_area *vma;

	down_read(&mm->mmap_lock);
	vma = vma_lookup(mm, addr);
	inside = vma;
	describe(inside ? vma : vma_before(mm, addr), here, sizeof(here));
	describe(find_vma(mm, addr), above, sizeof(above));
	overflow = is_stack_overflow(find_vma(mm, addr), addr);
	up_read(&mm->mmap_lock);
	if (inside)
		printk("%s[%d]: %s 0x%lx at pc 0x%lx: %s; area: %s\n", current->comm, current->pid,
		       verb[access], addr, pc, cause(res), here);
	else
		printk("%s[%d]: %s 0x%lx at pc 0x%lx: %s; below: %s; above: %s\n", current->comm,
		       current->pid, verb[access], addr, pc, cause(res), here, above);
	if (overflow)
		printk("%s[%d]: stack overflow: the stack may have %lu KiB (ulimit -s)\n",
		       current->comm, current->pid, current->rlim[RLIMIT_STACK].cur >> 10);
}
