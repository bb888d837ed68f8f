/*
 * types.h - the words everybody uses: fixed-size integers, and the small macros of the field.
 */
#ifndef RAVEL_LIB_TYPES_H
#define RAVEL_LIB_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#if !defined(__STDC_HOSTED__) || __STDC_HOSTED__ == 0
typedef long ssize_t;
typedef s64 loff_t;
typedef s64 off_t;
typedef int pid_t;
typedef u32 mode_t;
typedef u64 dev_t;
typedef u64 ino_t;

/* The compiler's own limits.h would pull in the C library's. */
#define INT_MAX	  __INT_MAX__
#define INT_MIN	  (-INT_MAX - 1)
#define LONG_MAX  __LONG_MAX__
#define ULONG_MAX (__LONG_MAX__ * 2UL + 1)
#else
#include <limits.h>
#include <sys/types.h>
#endif

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier()   __asm__ volatile("" : : : "memory")

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#define BIT(n)		   (1UL << (n))
#define ARRAY_SIZE(a)	   (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)   ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	   ALIGN_DOWN((x) + (a)-1, a)
#define IS_ALIGNED(x, a)   (((x) & ((__typeof__(x))(a)-1)) == 0)
#define DIV_ROUND_UP(x, d) (((x) + (d)-1) / (d))

#define container_of(ptr, type, member)                                                            \
	({                                                                                         \
		const __typeof__(((type *)0)->member) *__mptr = (ptr);                             \
		(type *)((char *)__mptr - offsetof(type, member));                                 \
	})

#define min(a, b)                                                                                  \
	({                                                                                         \
		__typeof__((a) + (b)) __min_a = (a);                                               \
		__typeof__((a) + (b)) __min_b = (b);                                               \
		__min_a < __min_b ? __min_a : __min_b;                                             \
	})
#define max(a, b)                                                                                  \
	({                                                                                         \
		__typeof__((a) + (b)) __max_a = (a);                                               \
		__typeof__((a) + (b)) __max_b = (b);                                               \
		__max_a > __max_b ? __max_a : __max_b;                                             \
	})
#define clamp(x, lo, hi) min(max(x, lo), hi)
#define swap(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) __swap = (a);                                                        \
		(a) = (b);                                                                         \
		(b) = __swap;                                                                      \
	} while (0)

#ifndef __packed
#define __packed __attribute__((packed))
#endif
#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
#define __aligned(n)	   __attribute__((aligned(n)))
#define __noreturn	   __attribute__((noreturn))
#define __printf(a, b)	   __attribute__((format(printf, a, b)))
#define __must_check	   __attribute__((warn_unused_result))
#define __section(s)	   __attribute__((section(s)))
#define __maybe_unused	   __attribute__((unused))
#define __noinline	   __attribute__((noinline))
#define BUILD_BUG_ON(cond) _Static_assert(!(cond), "must not be: " #cond)

/* Bytes at any alignment, little and big endian. */
static inline u16 get_le16(const void *p)
{
	const u8 *b = p;

	return b[0] | b[1] << 8;
}

static inline u32 get_le32(const void *p)
{
	const u8 *b = p;

	return get_le16(b) | (u32)get_le16(b + 2) << 16;
}

static inline u64 get_le64(const void *p)
{
	const u8 *b = p;

	return get_le32(b) | (u64)get_le32(b + 4) << 32;
}

static inline u32 get_be32(const void *p)
{
	const u8 *b = p;

	return (u32)b[0] << 24 | (u32)b[1] << 16 | (u32)b[2] << 8 | b[3];
}

static inline u64 get_be64(const void *p)
{
	const u8 *b = p;

	return (u64)get_be32(b) << 32 | get_be32(b + 4);
}

#endif
