/*
 * symbols.c - names for kernel text addresses, from the table that scripts/mksyms appends.
 *
 *	.kallsyms:  u64 count | { u32 offset from _stext, u32 offset of name } sorted | names
 *
 * The first link of the kernel has no table: then addresses are shown as they are. Read-only data,
 * no locks; callable in a panic.
 */
#include "kernel/panic.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"

struct symbol {
	u32 offset, name;
};

extern const char __kallsyms_start[], __kallsyms_end[];
extern const char _stext[], _etext[];

/* The last symbol at or below text offset @offset; NULL: none. */
static const struct symbol *find_symbol(const struct symbol *table, u64 count, u32 offset)
{
	u64 low = 0, high = count;

	while (low < high) {
		u64 mid = (low + high) / 2;

		if (table[mid].offset <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &table[low - 1] : NULL;
}

void symbol_name(unsigned long pc, char *buf, size_t size)
{
	const char *start = __kallsyms_start;
	const struct symbol *table, *found = NULL;
	u64 count = 0;

	if (__kallsyms_end - start >= (long)sizeof(count))
		count = get_le64(start);
	table = (const struct symbol *)(start + sizeof(count));
	if (pc >= (unsigned long)_stext && pc < (unsigned long)_etext)
		found = find_symbol(table, count, pc - (unsigned long)_stext);
	if (found)
		snprintf(buf, size, "%s+0x%lx", (const char *)&table[count] + found->name,
			 pc - (unsigned long)_stext - found->offset);
	else
		snprintf(buf, size, "0x%lx", pc);
}
