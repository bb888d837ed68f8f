/*
 * syscall.c - from the number in a7 to the function: kernel/syscall_table.h, expanded twice.
 *
 * What is not in the table returns -ENOSYS and is counted (/proc/vmstat syscall_unknown).
 * Locks: none; the table is constant.
 */
#include "kernel/syscall.h"

#include "arch/riscv/traps.h"
#include "kernel/stackwatch.h"
#include "mm/vmstat.h"

#define SYSCALL(nr, name) long sys_##name(const struct trap_frame *regs);
#include "kernel/syscall_table.h"
#undef SYSCALL

static long (*const syscall_table[])(const struct trap_frame *) = {
#define SYSCALL(nr, name) [nr] = sys_##name,
#include "kernel/syscall_table.h"
#undef SYSCALL
};

#ifdef CONFIG_DEBUG
/* Nothing of the call may be left: no lock, no stack deeper than it should be. */
static void syscall_done(unsigned long nr)
{
	static const char *const names[] = {
#define SYSCALL(nr, name) [nr] = #name,
#include "kernel/syscall_table.h"
#undef SYSCALL
	};

	lockdep_check_none("at the end of a system call");
	stack_check(current, nr < ARRAY_SIZE(names) && names[nr] ? names[nr] : "unknown call");
}
#else
#define syscall_done(nr) ((void)0)
#endif

void syscall_dispatch(struct trap_frame *regs)
{
	unsigned long nr = regs->a7;

	if (likely(nr < ARRAY_SIZE(syscall_table) && syscall_table[nr])) {
		regs->a0 = syscall_table[nr](regs);
	} else {
		count_vm(VM_syscall_unknown);
		regs->a0 = -ENOSYS;
	}
	syscall_done(nr);
}
