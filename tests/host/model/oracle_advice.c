/*
 * oracle_advice.c - what madvise(2) and mlock(2) must do, page by page.
 */
#include <string.h>

#include "kernel/task.h"
#include "lib/errno.h"
#include "tests/host/model/oracle.h"

enum {
	NORMAL,
	RANDOM,
	SEQUENTIAL,
	WILLNEED,
	DONTNEED,
	FREE = 8,
	REMOVE,
	DONTFORK,
	DOFORK,
	NOHUGEPAGE = 15,
	DONTDUMP,
	DODUMP,
	WIPEONFORK,
	KEEPONFORK,
	COLD,
	PAGEOUT,
	POPULATE_READ,
	POPULATE_WRITE,
	DONTNEED_LOCKED,
};

static bool is_advice(int advice)
{
	return (advice >= NORMAL && advice <= DONTNEED) || (advice >= FREE && advice <= DOFORK) ||
	       (advice >= NOHUGEPAGE && advice <= DONTNEED_LOCKED);
}

static u32 flags_after(u32 flags, int advice)
{
	switch (advice) {
	case NORMAL:
		return flags & ~(VM_RAND | VM_SEQ);
	case RANDOM:
		return (flags & ~VM_SEQ) | VM_RAND;
	case SEQUENTIAL:
		return (flags & ~VM_RAND) | VM_SEQ;
	case DONTFORK:
		return flags | VM_DONTCOPY;
	case DOFORK:
		return flags & ~VM_DONTCOPY;
	case DONTDUMP:
		return flags | VM_DONTDUMP;
	case DODUMP:
		return flags & ~VM_DONTDUMP;
	case WIPEONFORK:
		return flags | VM_WIPEONFORK;
	case KEEPONFORK:
		return flags & ~VM_WIPEONFORK;
	default:
		return flags;
	}
}

static int populate_page(const struct oracle_page *page, u32 right)
{
	if (!(page->prot & right))
		return -EINVAL;
	return page->own || oracle_backed(page) ? 0 : -EFAULT;
}

static int remove_page(struct oracle_page *page)
{
	struct oracle_file *of = &oracle_files[page->file];

	if (!oracle_shared(page) || !(page->prot & PROT_WRITE))
		return -EACCES;
	if (of->kind != FILE_TMPFS)
		return -EOPNOTSUPP;
	if (page->pgoff < ORACLE_FILE_PAGES)
		memset(of->bytes + page->pgoff * PAGE_SIZE, 0, PAGE_SIZE);
	return 0;
}

static int advise_page(struct oracle_page *page, int advice)
{
	bool locked = page->flags & VM_LOCKED, file = page->file != NO_FILE;

	switch (advice) {
	case FREE:
	case DONTNEED:
	case COLD:
	case PAGEOUT:
		if (locked || (advice == FREE && file))
			return -EINVAL;
		if (advice == FREE || advice == DONTNEED)
			oracle_disown(page);
		return 0;
	case DONTNEED_LOCKED:
		oracle_disown(page);
		return 0;
	case REMOVE:
		return locked || !file ? -EINVAL : remove_page(page);
	case WIPEONFORK:
		if (file)
			return -EINVAL;
		break;
	case POPULATE_READ:
		return populate_page(page, PROT_READ);
	case POPULATE_WRITE:
		return populate_page(page, PROT_WRITE);
	}
	page->flags = flags_after(page->flags, advice);
	return 0;
}

int oracle_madvise(struct oracle_mm *om, unsigned long addr, unsigned long len, int advice)
{
	unsigned long bytes = PAGE_ALIGN(len), at = addr, nr = 0;
	struct oracle_page *page;
	int err;

	if (!is_advice(advice))
		return -EINVAL;
	if (addr % PAGE_SIZE || bytes < len || addr + bytes < addr)
		return -EINVAL;
	for (; (page = oracle_next(om, at, &at)) && at - addr < bytes; at += PAGE_SIZE, nr++) {
		err = advise_page(page, advice);
		if (err)
			return err;
	}
	return nr * PAGE_SIZE == bytes ? 0 : -ENOMEM;
}

/* ---- locks ---- */

static unsigned long nr_locked(struct oracle_mm *om, unsigned long start, unsigned long bytes)
{
	unsigned long nr = 0;

	for (unsigned i = 0; i < ORACLE_PAGES; i++)
		nr += oracle_addr(i) - start < bytes && (om->pages[i].flags & VM_LOCKED);
	return nr;
}

bool oracle_may_lock(struct oracle_mm *om, unsigned long pages)
{
	return current->cred.euid == 0 ||
	       nr_locked(om, 0, TASK_SIZE) + pages <= current->rlim[RLIMIT_MEMLOCK].cur / PAGE_SIZE;
}

bool oracle_may_lock_at_all(void)
{
	return current->cred.euid == 0 || current->rlim[RLIMIT_MEMLOCK].cur > 0;
}

static void set_lock(struct oracle_page *page, u32 lock)
{
	page->flags = (page->flags & ~VM_LOCK_MASK) | lock;
}

int oracle_mlock(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 lock)
{
	unsigned long start = addr & PAGE_MASK, bytes = PAGE_ALIGN(len + addr - start);
	bool root = current->cred.euid == 0;

	if (lock && !oracle_may_lock_at_all())
		return -EPERM;
	if (bytes < len || start + bytes < start)
		return lock && !root ? -ENOMEM : -EINVAL;
	if (lock && bytes && !oracle_may_lock(om, bytes / PAGE_SIZE - nr_locked(om, start, bytes)))
		return -ENOMEM;
	for (unsigned long at = start; at < start + bytes; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at);

		if (!page || !page->mapped)
			return -ENOMEM;
		set_lock(page, lock);
	}
	return 0;
}

int oracle_populate_locked(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	unsigned long at = addr & PAGE_MASK;
	struct oracle_page *page;

	for (; (page = oracle_next(om, at, &at)) && at < addr + len; at += PAGE_SIZE) {
		if (!(page->flags & VM_LOCKONFAULT) && populate_page(page, PROT_MASK))
			return -ENOMEM;
	}
	return 0;
}

int oracle_mlockall(struct oracle_mm *om, int flags)
{
	u32 lock = flags & 4 ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;
	unsigned long nr = 0;

	if (!(flags & 3) || (flags & ~7))
		return -EINVAL;
	if (!oracle_may_lock_at_all())
		return -EPERM;
	for (unsigned i = 0; i < ORACLE_PAGES; i++)
		nr += om->pages[i].mapped;
	if ((flags & 1) && !oracle_may_lock(om, nr - nr_locked(om, 0, TASK_SIZE)))
		return -ENOMEM;
	om->def_flags = flags & 2 ? lock : 0;
	for (unsigned i = 0; i < ORACLE_PAGES && (flags & 1); i++) {
		if (om->pages[i].mapped)
			set_lock(&om->pages[i], lock);
	}
	return 0;
}
