/*
 * uaccess.h - the only ways by which the kernel touches user memory.
 *
 * SUM is set only inside these. A fault inside them goes to handle_mm_fault() like a user's own; if
 * it cannot be served the exception table (__ex_table) sends the copy to its error return. Callers
 * hold no spinlock, no page lock and no mmap_lock, unless page faults are disabled.
 */
#ifndef RAVEL_ARCH_UACCESS_H
#define RAVEL_ARCH_UACCESS_H

#include "kernel/task.h"
#include "lib/errno.h"
#include "lib/types.h"

/* Each returns the number of bytes NOT copied (cleared): 0 is success. Ranges are checked. */
size_t copy_from_user(void *dst, const void *user_src, size_t n);
size_t copy_to_user(void *user_dst, const void *src, size_t n);
size_t clear_user(void *user_dst, size_t n);

/*
 * Copies a NUL-terminated string of at most @size bytes with its NUL. Returns its length without
 * the NUL, -EFAULT, or @size when no NUL was found.
 */
ssize_t strncpy_from_user(char *dst, const char *user_src, size_t size);
/* Length with the NUL of a user string, at most @max + 1; 0 when it faults. */
size_t strnlen_user(const char *user_src, size_t max);

#define get_user(val, uptr) (copy_from_user(&(val), (uptr), sizeof(val)) ? -EFAULT : 0)
#define put_user(val, uptr)                                                                        \
	({                                                                                         \
		__typeof__(*(uptr)) __v = (val);                                                   \
		copy_to_user((uptr), &__v, sizeof(__v)) ? -EFAULT : 0;                             \
	})

/* Between these, a fault on user memory is an error at once: for copies made under a lock. */
static inline void pagefault_disable(void)
{
	current->pagefault_disabled++;
}

static inline void pagefault_enable(void)
{
	current->pagefault_disabled--;
}

#endif
