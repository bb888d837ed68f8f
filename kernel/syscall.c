/*
 * syscall.c - from the number in a7 to the function: kernel/syscall_table.h, expanded twice.
 *
 * What is not in the table returns -ENOSYS and is counted (/proc/vmstat syscall_unknown).
 * Locks: none; the table is constant.
 */
#include "kernel/syscall.h"

#include "arch/riscv/traps.h"
#include "mm/vmstat.h"

#define SYSCALL(nr, name) long sys_##name(const struct trap_frame *regs);
#include "kernel/syscall_table.h"
#undef SYSCALL

static long (*const syscall_table[])(const struct trap_frame *) = {
#define SYSCALL(nr, name) [nr] = sys_##name,
#include "kernel/syscall_table.h"
#undef SYSCALL
};

void syscall_dispatch(struct trap_frame *regs)
{
	unsigned long nr = regs->a7;

	if (likely(nr < ARRAY_SIZE(syscall_table) && syscall_table[nr])) {
		regs->a0 = syscall_table[nr](regs);
	} else {
		count_vm(VM_syscall_unknown);
		regs->a0 = -ENOSYS;
	}
}
