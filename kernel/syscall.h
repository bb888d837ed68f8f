/*
 * syscall.h - how a system call is defined.
 *
 *	SYSCALL_DEFINE3(read, int, fd, char *, buf, size_t, count)
 *	{
 *		...
 *	}
 *
 * makes `long sys_read(const struct trap_frame *)`, which takes the arguments from the registers
 * of the Linux riscv64 ABI (a0..a5, number in a7). The entry in kernel/syscall_table.h is the
 * only other place to touch. A function returns a value >= 0 or -errno.
 */
#ifndef RAVEL_KERNEL_SYSCALL_H
#define RAVEL_KERNEL_SYSCALL_H

#include "arch/riscv/trap.h"

#define SYSCALL_DEFINE0(name)                                                                      \
	long sys_##name(const struct trap_frame *regs);                                            \
	long sys_##name(const struct trap_frame *regs __maybe_unused)

#define SYSCALL_BODY(name, params, args)                                                           \
	static inline long do_sys_##name params;                                                   \
	long sys_##name(const struct trap_frame *regs);                                            \
	long sys_##name(const struct trap_frame *regs)                                             \
	{                                                                                          \
		return do_sys_##name args;                                                         \
	}                                                                                          \
	static inline long do_sys_##name params

#define SYSCALL_DEFINE1(name, t0, n0) SYSCALL_BODY(name, (t0 n0), ((t0)regs->a0))
#define SYSCALL_DEFINE2(name, t0, n0, t1, n1)                                                      \
	SYSCALL_BODY(name, (t0 n0, t1 n1), ((t0)regs->a0, (t1)regs->a1))
#define SYSCALL_DEFINE3(name, t0, n0, t1, n1, t2, n2)                                              \
	SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2), ((t0)regs->a0, (t1)regs->a1, (t2)regs->a2))
#define SYSCALL_DEFINE4(name, t0, n0, t1, n1, t2, n2, t3, n3)                                      \
	SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3),                                           \
		     ((t0)regs->a0, (t1)regs->a1, (t2)regs->a2, (t3)regs->a3))
#define SYSCALL_DEFINE5(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)                              \
	SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4),                                    \
		     ((t0)regs->a0, (t1)regs->a1, (t2)regs->a2, (t3)regs->a3, (t4)regs->a4))
#define SYSCALL_DEFINE6(name, t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)                      \
	SYSCALL_BODY(name, (t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5),                             \
		     ((t0)regs->a0, (t1)regs->a1, (t2)regs->a2, (t3)regs->a3, (t4)regs->a4,        \
		      (t5)regs->a5))

#endif
