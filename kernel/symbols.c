/*
 * symbols.c - names for kernel addresses, from the tables that scripts/mksyms appends.
 *
 *	.kallsyms:  u64 functions, u64 variables
 *	            functions * { u32 offset from _stext, u32 offset of name }, sorted
 *	            variables * { u32 offset from _sdata, u32 offset of name }, sorted
 *	            names
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

struct tables {
	u64 functions, variables;
	struct symbol symbols[];
};

extern const char __kallsyms_start[], __kallsyms_end[];
extern const char _stext[], _etext[], _sdata[], _ebss[];

/* The last symbol at or below offset @offset; NULL: none. */
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

void symbol_name(unsigned long addr, char *buf, size_t size)
{
	const struct tables *t = (const struct tables *)__kallsyms_start;
	const struct symbol *found = NULL;
	const char *base = NULL, *name;
	unsigned long offset;

	if (__kallsyms_end - __kallsyms_start >= (long)sizeof(*t)) {
		if (addr >= (unsigned long)_stext && addr < (unsigned long)_etext) {
			base = _stext;
			found = find_symbol(t->symbols, t->functions, addr - (unsigned long)base);
		} else if (addr >= (unsigned long)_sdata && addr < (unsigned long)_ebss) {
			base = _sdata;
			found = find_symbol(t->symbols + t->functions, t->variables,
					    addr - (unsigned long)base);
		}
	}
	if (!found) {
		snprintf(buf, size, "0x%lx", addr);
		return;
	}
	name = (const char *)&t->symbols[t->functions + t->variables] + found->name;
	offset = addr - (unsigned long)base - found->offset;
	if (base == _sdata && offset == 0)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%s+0x%lx", name, offset);
}
