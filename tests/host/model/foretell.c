/*
 * foretell.c - see foretell.h.
 *
 *	counters, mm_explain()  -->  the access, by MMU and handler  -->  counters again
 *
 * Every counter of the fault table must have grown as often as a row of the answer names it. Where
 * the PTE already grants the access a TLB may be stale (one spurious fault), and a hart may set A
 * and D by itself. Any access may come back once as a spurious fault: a hart that remembers that
 * there was no table is not reached by the flush of one address (fault_flush_local()).
 */
#include "tests/host/model/foretell.h"

#include "kernel/panic.h"
#include "kernel/task.h"
#include "tests/host/host.h"

void foretell(struct foretold *told, unsigned long addr, enum fault_access access)
{
	struct explanation e;

	told->is_told = current->mm && addr < TASK_SIZE && !machine_meanwhile &&
			!current->fail_alloc && !current->pagefault_disabled;
	if (!told->is_told)
		return;
	down_read(&current->mm->mmap_lock);
	mm_explain(current->mm, addr, current->rlim, true, &e);
	up_read(&current->mm->mmap_lock);
	told->access = e.access[access];
	for (unsigned i = 0; i < NR_VMSTAT; i++)
		told->before[i] = vmstat_sum(i);
}

/* The most and the fewest times that @event may have been counted. */
static unsigned long most(const struct foretold *told, enum vmstat_event event)
{
	unsigned long n = event == VM_fault_spurious;

	for (unsigned i = 0; i < told->access.nr; i++)
		n += fault_case_counter(told->access.cases[i]) == event;
	return n;
}

static unsigned long fewest(const struct foretold *told, enum vmstat_event event)
{
	return event == VM_fault_spurious || event == VM_fault_access_bits ? 0 : most(told, event);
}

void foretold_check(const struct foretold *told, unsigned long addr, enum fault_result res)
{
	enum fault_case end;

	if (!told->is_told || res == FAULT_OOM)
		return;
	end = told->access.cases[told->access.nr - 1];
	if (res != fault_case_result(end))
		panic("explain: 0x%lx: %s was foretold, the result is %u", addr,
		      fault_case_name(end), res);
	for (unsigned i = VM_fault_zero_page; i <= VM_fault_raced; i++) {
		unsigned long grown = vmstat_sum(i) - told->before[i];

		if (i == VM_fault_file_around)
			continue;
		if (grown > most(told, i) || grown < fewest(told, i))
			panic("explain: 0x%lx: %s was foretold, %s counted %lu times", addr,
			      fault_case_name(end), vmstat_name[i], grown);
	}
}
