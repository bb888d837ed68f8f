/*
 * step_advice.c - steps that mark areas, and make pages come or go: madvise, mlock, mlockall.
 *
 * Where an allocation of mlock was made to fail, it may have been one for the areas, and nothing
 * has changed, or one for the pages, and the areas are locked: then the areas are believed.
 */
#include "arch/riscv/traps.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/vma.h"
#include "tests/host/model/step.h"

#define WILLNEED       3
#define REMOVE	       9
#define POPULATE_READ  22
#define POPULATE_WRITE 23
#define MLOCK_ONFAULT  1
#define MCL_CURRENT    1
#define MCL_ONFAULT    4

long sys_madvise(const struct trap_frame *regs);
long sys_mlock2(const struct trap_frame *regs);
long sys_munlock(const struct trap_frame *regs);
long sys_mlockall(const struct trap_frame *regs);
long sys_munlockall(const struct trap_frame *regs);

bool step_populates(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);

	switch (s->kind) {
	case STEP_MADVISE:
		return s->flags == WILLNEED || s->flags == REMOVE || s->flags == POPULATE_READ ||
		       s->flags == POPULATE_WRITE;
	case STEP_MLOCK:
		return s->flags == 0;
	case STEP_MLOCKALL:
		return (s->flags & (MCL_CURRENT | MCL_ONFAULT)) == MCL_CURRENT;
	case STEP_MMAP:
		if (s->flags & MAP_LOCKED)
			return true;
		return om && om->def_flags;
	case STEP_BRK:
	case STEP_MPROTECT:
	case STEP_MREMAP:
		return om && om->mm && (om->def_flags || om->mm->locked_vm > 0);
	default:
		return false;
	}
}

static void do_madvise(const struct step *s, struct oracle_mm *om)
{
	struct trap_frame regs = { .a0 = s->addr, .a1 = s->len, .a2 = s->flags };
	bool populates = s->flags == POPULATE_READ || s->flags == POPULATE_WRITE;
	int got = sys_madvise(&regs);

	if (got == (populates ? -ENOMEM : -EAGAIN) && step_alloc_failed())
		goto out;
	if (populates && got == -EFAULT && step_disk_failed())
		goto out;
	step_agrees(s, got, oracle_madvise(om, s->addr, s->len, s->flags));
out:
	if (populates)
		step_note_populated(om, s->addr, PAGE_ALIGN(s->len));
}

/* The oracle's locks of [start, end) become those that there are. */
static void believe_locks(struct oracle_mm *om, unsigned long start, unsigned long end)
{
	for (unsigned long at = start; at < end; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(om, at);
		const struct vm_area *vma = vma_lookup(om->mm, at);

		if (!page || !vma)
			return;
		page->flags = (page->flags & ~VM_LOCK_MASK) | (vma->vm_flags & VM_LOCK_MASK);
	}
}

static void do_mlock(const struct step *s, struct oracle_mm *om)
{
	bool onfault = s->flags & MLOCK_ONFAULT, unlock = s->flags & STEP_MUNLOCK;
	struct trap_frame regs = { .a0 = s->addr, .a1 = s->len, .a2 = s->flags };
	u32 lock = onfault ? VM_LOCKED | VM_LOCKONFAULT : VM_LOCKED;
	int got = unlock ? sys_munlock(&regs) : sys_mlock2(&regs), must;

	if (!unlock && (s->flags & ~MLOCK_ONFAULT)) {
		step_agrees(s, got, -EINVAL);
		return;
	}
	if ((got == -ENOMEM || got == -EAGAIN) && step_alloc_failed()) {
		believe_locks(om, s->addr & PAGE_MASK, s->addr + s->len);
	} else {
		must = oracle_mlock(om, s->addr, s->len, unlock ? 0 : lock);
		if (!must && !unlock && !onfault && !(got == -ENOMEM && step_disk_failed()))
			must = oracle_populate_locked(om, s->addr, s->len);
		if (got != must && !(got == -ENOMEM && step_disk_failed()))
			step_agrees(s, got, must);
	}
	if (!unlock && !onfault)
		step_note_populated(om, 0, TASK_SIZE);
}

static void do_mlockall(const struct step *s, struct oracle_mm *om)
{
	struct trap_frame regs = { .a0 = s->flags };

	if (s->flags & STEP_MUNLOCK) {
		step_agrees(s, sys_munlockall(&regs), 0);
		om->def_flags = 0;
		for (unsigned i = 0; i < ORACLE_PAGES; i++)
			om->pages[i].flags &= ~VM_LOCK_MASK;
		return;
	}
	step_agrees(s, sys_mlockall(&regs), oracle_mlockall(om, s->flags));
	step_note_populated(om, 0, TASK_SIZE);
}

void step_advice(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);

	if (s->kind == STEP_MADVISE)
		do_madvise(s, om);
	else if (s->kind == STEP_MLOCK)
		do_mlock(s, om);
	else
		do_mlockall(s, om);
}
