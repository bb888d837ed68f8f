/*
 * uaccess.c - range checks before user memory is touched, and the exception table.
 *
 *	__ex_table: { from, to, fixup } ...    made by uaccess.S, a dozen entries
 *
 * A range passes when every byte of it lies below TASK_SIZE: kernel addresses never reach the
 * assembly, so a fault there is always at a user address. The table is read-only; no locks.
 */
#include "arch/riscv/uaccess.h"

#include "arch/riscv/memlayout.h"
#include "arch/riscv/traps.h"

struct ex_entry {
	unsigned long from, to, fixup; /* kernel text addresses */
};

extern const struct ex_entry __start___ex_table[], __stop___ex_table[];

size_t __copy_user(void *dst, const void *src, size_t n);
size_t __clear_user(void *dst, size_t n);
long __strncpy_user(char *dst, const char *src, size_t n);
size_t __strnlen_user(const char *src, size_t n);

static inline bool user_range_ok(const void *uaddr, size_t n)
{
	return n <= TASK_SIZE && (unsigned long)uaddr <= TASK_SIZE - n;
}

size_t copy_from_user(void *dst, const void *user_src, size_t n)
{
	might_fault();
	return likely(user_range_ok(user_src, n)) ? __copy_user(dst, user_src, n) : n;
}

size_t copy_to_user(void *user_dst, const void *src, size_t n)
{
	might_fault();
	return likely(user_range_ok(user_dst, n)) ? __copy_user(user_dst, src, n) : n;
}

size_t clear_user(void *user_dst, size_t n)
{
	might_fault();
	return likely(user_range_ok(user_dst, n)) ? __clear_user(user_dst, n) : n;
}

ssize_t strncpy_from_user(char *dst, const char *user_src, size_t size)
{
	size_t max;
	long len;

	might_fault();
	if ((unsigned long)user_src >= TASK_SIZE)
		return -EFAULT;
	max = min(size, TASK_SIZE - (unsigned long)user_src);
	len = __strncpy_user(dst, user_src, max);
	return (size_t)len == max && max < size ? -EFAULT : len;
}

size_t strnlen_user(const char *user_src, size_t max)
{
	size_t room, len;

	might_fault();
	if ((unsigned long)user_src >= TASK_SIZE)
		return 0;
	room = min(max, TASK_SIZE - (unsigned long)user_src);
	len = __strnlen_user(user_src, room);
	return len > room && room < max ? 0 : len;
}

bool uaccess_fixup(struct trap_frame *regs)
{
	for (const struct ex_entry *e = __start___ex_table; e < __stop___ex_table; e++) {
		if (regs->sepc >= e->from && regs->sepc < e->to) {
			regs->sepc = e->fixup;
			regs->t6 = regs->stval;
			return true;
		}
	}
	return false;
}
