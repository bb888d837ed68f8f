/*
 * ubsan.c - what the debug kernel says when it has just done what C leaves undefined.
 *
 * The compiler (-fsanitize=undefined) puts a test before each operation and calls one of these when
 * it is about to go wrong, with what it knew when it compiled and the operands:
 *
 *	a << n   --->   if (n >= 64) __ubsan_handle_shift_out_of_bounds(&{ where, types }, a, n)
 *
 * Each place is reported once, as a WARNING, which the test runner counts as a failure; then the
 * operation is done after all. The names and the structures are the compiler's (GCC 12 and Clang).
 * Locks: none; the mark of a place that was reported is an atomic exchange, made before anything is
 * printed, so that a report from inside printk() ends.
 */
#ifdef CONFIG_DEBUG

#include "kernel/panic.h"
#include "lib/vsnprintf.h"

#define TYPE_INTEGER 0
#define TEXT_MAX     32

struct location {
	const char *file;
	u32 line;
	u32 column; /* ~0 once it was reported */
};

struct type {
	u16 kind;
	u16 info; /* integers: 2 * log2(bits), + 1 when signed */
	char name[];
};

/* What each handler is given: begins with the place, then the types it has to do with. */
struct overflow {
	struct location where;
	const struct type *type;
};

struct shift {
	struct location where;
	const struct type *left, *right;
};

struct bounds {
	struct location where;
	const struct type *array, *index;
};

struct mismatch {
	struct location where;
	const struct type *type;
	u8 log_align;
	u8 access; /* index of access_names */
};

static const char *const access_names[] = {
	"load",		 "store",   "reference binding",
	"member access", "call",    "call",
	"call",		 "cast",    "cast",
	"cast",		 "cast",    "non-null binding",
	"upcast",	 "dynamic",
};

/* True for the first report of a place. */
static bool first_time(struct location *where)
{
	return __atomic_exchange_n(&where->column, ~0u, __ATOMIC_RELAXED) != ~0u;
}

#define report(where, fmt, ...)                                                                    \
	do {                                                                                       \
		if (first_time(where))                                                             \
			warn("UBSan: kernel %s:%u: " fmt, (where)->file, (where)->line,            \
			     ##__VA_ARGS__);                                                       \
	} while (0)

static unsigned type_bits(const struct type *type)
{
	return type->kind == TYPE_INTEGER ? 1u << (type->info >> 1) : 0;
}

/* @value, which is one of @type or points to it, as a number in @buf. */
static const char *number(char *buf, const struct type *type, unsigned long value)
{
	unsigned bits = type_bits(type);

	if (bits == 0 || bits > 64)
		snprintf(buf, TEXT_MAX, "a %s", type->name);
	else if (type->info & 1)
		snprintf(buf, TEXT_MAX, "%ld", (long)(value << (64 - bits)) >> (64 - bits));
	else
		snprintf(buf, TEXT_MAX, "%lu", value << (64 - bits) >> (64 - bits));
	return buf;
}

static void arithmetic(struct overflow *at, unsigned long a, unsigned long b, const char *op)
{
	char left[TEXT_MAX], right[TEXT_MAX];

	report(&at->where, "%s %s %s does not fit into %s", number(left, at->type, a), op,
	       number(right, at->type, b), at->type->name);
}

void __ubsan_handle_add_overflow(struct overflow *at, unsigned long a, unsigned long b)
{
	arithmetic(at, a, b, "+");
}

void __ubsan_handle_sub_overflow(struct overflow *at, unsigned long a, unsigned long b)
{
	arithmetic(at, a, b, "-");
}

void __ubsan_handle_mul_overflow(struct overflow *at, unsigned long a, unsigned long b)
{
	arithmetic(at, a, b, "*");
}

void __ubsan_handle_divrem_overflow(struct overflow *at, unsigned long a, unsigned long b)
{
	arithmetic(at, a, b, "/");
}

void __ubsan_handle_negate_overflow(struct overflow *at, unsigned long a)
{
	char text[TEXT_MAX];

	report(&at->where, "-(%s) does not fit into %s", number(text, at->type, a), at->type->name);
}

void __ubsan_handle_shift_out_of_bounds(struct shift *at, unsigned long a, unsigned long by)
{
	char left[TEXT_MAX], right[TEXT_MAX];

	report(&at->where, "shift of %s, %u bits, by %s", number(left, at->left, a),
	       type_bits(at->left), number(right, at->right, by));
}

void __ubsan_handle_out_of_bounds(struct bounds *at, unsigned long index)
{
	char text[TEXT_MAX];

	report(&at->where, "index %s is outside of %s", number(text, at->index, index),
	       at->array->name);
}

void __ubsan_handle_type_mismatch_v1(struct mismatch *at, unsigned long addr)
{
	unsigned long align = 1UL << at->log_align;
	const char *access =
		at->access < ARRAY_SIZE(access_names) ? access_names[at->access] : "access";

	if (addr == 0)
		report(&at->where, "%s of %s at the null pointer", access, at->type->name);
	else if (addr & (align - 1))
		report(&at->where, "%s of %s at 0x%lx, not a multiple of %lu", access,
		       at->type->name, addr, align);
	else
		report(&at->where, "%s of %s at 0x%lx, where there is not room for it", access,
		       at->type->name, addr);
}

void __ubsan_handle_pointer_overflow(struct location *where, unsigned long base, unsigned long sum)
{
	report(where, "pointer 0x%lx moved to 0x%lx", base, sum);
}

void __ubsan_handle_load_invalid_value(struct overflow *at, unsigned long value)
{
	report(&at->where, "%lu is no value of %s", value, at->type->name);
}

void __ubsan_handle_nonnull_arg(struct location *where)
{
	report(where, "a null pointer for an argument that must not be one");
}

void __ubsan_handle_vla_bound_not_positive(struct overflow *at, unsigned long bound)
{
	report(&at->where, "an array of %ld elements", (long)bound);
}

void __ubsan_handle_invalid_builtin(struct location *where)
{
	report(where, "count of zeros of 0");
}

void __ubsan_handle_builtin_unreachable(struct location *where)
{
	panic("UBSan: kernel %s:%u: a place that is never reached", where->file, where->line);
}

void __ubsan_handle_missing_return(struct location *where)
{
	panic("UBSan: kernel %s:%u: the end of a function that returns a value", where->file,
	      where->line);
}

#endif
