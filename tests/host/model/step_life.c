/*
 * step_life.c - steps that make, copy, leave and end address spaces.
 */
#include "kernel/panic.h"
#include "kernel/task.h"
#include "mm/stack.h"
#include "tests/host/model/step.h"

#define STACK_PAGES 4

static void leave(struct oracle_mm *om, struct mm *next)
{
	unsigned self = current->hart->id;

	for (unsigned hart = 0; hart < nr_harts; hart++) {
		machine_run_on(hart);
		if (current->mm == om->mm)
			machine_use_mm(next);
	}
	machine_run_on(self);
}

static void do_fork(struct oracle_mm *om, struct oracle_mm *parent)
{
	struct mm *mm = mm_fork(parent->mm);

	if (!mm && !step_alloc_failed())
		panic("step: fork failed");
	if (!mm)
		return;
	oracle_fork(om, parent);
	om->mm = mm;
}

static void do_exec(struct oracle_mm *om)
{
	static const struct oracle_page stack = {
		.prot = PROT_READ | PROT_WRITE,
		.flags = VM_GROWSDOWN,
		.file = NO_FILE,
	};
	struct mm *mm = mm_alloc();
	int err;

	if (!mm && !step_alloc_failed())
		panic("step: no address space");
	if (!mm)
		return;
	err = vm_make_stack(mm, STACK_TOP, STACK_PAGES * PAGE_SIZE, stack.prot);
	if (err) {
		if (!step_alloc_failed())
			panic("step: no stack");
		mm_put(mm);
		return;
	}
	mm->start_brk = mm->brk = zones[ZONE_HEAP].start + 5 * PAGE_SIZE + 0x123;
	om->mm = mm;
	om->brk = mm->brk;
	oracle_map(om, &stack, STACK_TOP - STACK_PAGES * PAGE_SIZE, STACK_PAGES * PAGE_SIZE);
}

static void do_exit(struct oracle_mm *om)
{
	struct oracle_mm *other = NULL;
	struct mm *mm = om->mm;

	for (unsigned i = 0; i < ORACLE_MMS; i++) {
		if (oracle_mms[i].mm && &oracle_mms[i] != om)
			other = &oracle_mms[i];
	}
	if (!other || !mm)
		return;
	leave(om, other->mm);
	oracle_drop(om);
	mm_put(mm);
}

void step_life(const struct step *s)
{
	struct oracle_mm *om = &oracle_mms[s->slot % ORACLE_MMS], *own = oracle_of(s->hart);

	switch (s->kind) {
	case STEP_FORK:
	case STEP_EXEC:
		if (s->kind == STEP_FORK && !own)
			break;
		if (om == own || (om->mm && inside))
			break;
		do_exit(om);
		if (om->mm) /* the last stays */
			break;
		if (s->kind == STEP_FORK)
			do_fork(om, own);
		else
			do_exec(om);
		break;
	case STEP_EXIT:
		do_exit(om);
		break;
	default:
		if (s->slot == ORACLE_MMS || om->mm)
			machine_use_mm(s->slot == ORACLE_MMS ? NULL : om->mm);
		break;
	}
}
