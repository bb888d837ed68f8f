/*
 * elf.c - loads a static ELF program: its segments are mapped, not read.
 *
 *	file      | header | phdrs | text ............ | data .... |
 *	                       |           |                |
 *	memory    bias + [ text R-X, from the file ] [ data RW-, private | zeros ][ bss, anon ]
 *	                                                          filesz ^   page ^    memsz ^
 *
 * The page in which the file's part of a segment ends is written at once: the rest of it must be
 * zero. Everything else waits for its first touch.
 *
 * Invariants: no field of the file is believed: sizes, offsets and addresses are checked before the
 * first segment is mapped; segments ascend and share no page; none replaces what is there already.
 * Locks: none of its own; vm_mmap() takes the mm's.
 */
#include "kernel/elf.h"

#include "fs/vfs.h"
#include "kernel/printk.h"
#include "kernel/task.h"
#include "lib/elf.h"
#include "lib/string.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define PHDR_TABLE_MAX PAGE_SIZE
/* Where position-independent programs go, as Linux: two thirds of the way up. */
#define ET_DYN_BASE (PAGE_ALIGN(TASK_SIZE / 3 * 2) & ~(PT_SPAN(1) - 1))
#define ALIGN_MAX   PT_SPAN(2)

/* ---- checking ---- */

static bool header_ok(const struct elf64_ehdr *eh)
{
	const u8 *ident = eh->e_ident;

	return memcmp(ident, ELFMAG, SELFMAG) == 0 && ident[EI_CLASS] == ELFCLASS64 &&
	       ident[EI_DATA] == ELFDATA2LSB && ident[EI_VERSION] == EV_CURRENT &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) && eh->e_machine == EM_RISCV &&
	       eh->e_phentsize == sizeof(struct elf64_phdr) && eh->e_phnum > 0 &&
	       eh->e_phnum * sizeof(struct elf64_phdr) <= PHDR_TABLE_MAX &&
	       eh->e_phoff <= LONG_MAX - PHDR_TABLE_MAX;
}

/* Reads all of [pos, pos + len); a shorter file is no program. */
static int read_exactly(struct file *file, void *buf, size_t len, u64 pos)
{
	ssize_t n = file_read_kernel(file, buf, len, pos);

	if (n < 0)
		return n == -ENOMEM || n == -EINTR || n == -EIO ? (int)n : -ENOEXEC;
	return (size_t)n == len ? 0 : -ENOEXEC;
}

/* A segment to load: its numbers must not overflow and must fit the user half of memory. */
static bool segment_ok(const struct elf64_phdr *ph)
{
	if (ph->p_filesz > ph->p_memsz || ph->p_memsz > TASK_SIZE ||
	    ph->p_vaddr > TASK_SIZE - ph->p_memsz)
		return false;
	if (ph->p_offset > (u64)LONG_MAX - ph->p_filesz)
		return false;
	if (ph->p_align > ALIGN_MAX || (ph->p_align & (ph->p_align - 1)))
		return false;
	if (ph->p_filesz && offset_in_page(ph->p_vaddr) != offset_in_page(ph->p_offset))
		return false;
	/* The zeros after the file's part must be written. */
	return ph->p_filesz == 0 || ph->p_filesz == ph->p_memsz || (ph->p_flags & PF_W);
}

/*
 * Checks all headers. *low and *high become the page-aligned bounds of the program, *align the
 * strictest alignment.
 */
static int check_segments(const struct elf64_phdr *phdrs, unsigned n, unsigned long *low,
			  unsigned long *high, unsigned long *align)
{
	bool any = false;

	*high = 0;
	*align = PAGE_SIZE;
	for (unsigned i = 0; i < n; i++) {
		const struct elf64_phdr *ph = &phdrs[i];

		if (ph->p_type == PT_INTERP) {
			printk("%s[%d]: the program wants a dynamic linker: link it with -static\n",
			       current->comm, current->pid);
			return -ENOEXEC;
		}
		if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
			continue;
		if (!segment_ok(ph) || (any && (ph->p_vaddr & PAGE_MASK) < *high))
			return -ENOEXEC;
		if (!any)
			*low = ph->p_vaddr & PAGE_MASK;
		any = true;
		*high = PAGE_ALIGN(ph->p_vaddr + ph->p_memsz);
		*align = max(*align, (unsigned long)ph->p_align);
	}
	return any ? 0 : -ENOEXEC;
}

/* ---- mapping ---- */

static u32 segment_prot(const struct elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
	       (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

static int map_range(struct mm *mm, struct file *file, unsigned long start, unsigned long end,
		     u32 prot, u64 offset)
{
	u32 flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | (file ? 0 : MAP_ANONYMOUS);
	long ret;

	if (start >= end)
		return 0;
	ret = vm_mmap(mm, file, start, end - start, prot, flags, offset);
	if (ret >= 0)
		return 0;
	return ret == -ENOMEM ? -ENOMEM : -ENOEXEC;
}

/* Zeroes [addr, end of its page), which a segment has mapped. */
static int zero_page_tail(struct mm *mm, unsigned long addr)
{
	unsigned offset = offset_in_page(addr);
	enum fault_result res;
	struct page *page;

	if (offset == 0)
		return 0;
	page = get_user_page(mm, addr, FAULT_WRITE, &res);
	if (!page)
		return res == FAULT_OOM ? -ENOMEM : res == FAULT_KILLED ? -EINTR : -ENOEXEC;
	memset((char *)page_address(page) + offset, 0, PAGE_SIZE - offset);
	page_put(page);
	return 0;
}

static int map_segment(struct mm *mm, struct file *file, const struct elf64_phdr *ph,
		       unsigned long bias)
{
	unsigned long start = bias + ph->p_vaddr;
	unsigned long file_end = start + ph->p_filesz, end = start + ph->p_memsz;
	unsigned long bss = ph->p_filesz ? PAGE_ALIGN(file_end) : start & PAGE_MASK;
	int err;

	if (ph->p_filesz) {
		err = map_range(mm, file, start & PAGE_MASK, bss, segment_prot(ph),
				ph->p_offset - offset_in_page(ph->p_offset));
		if (!err && ph->p_memsz > ph->p_filesz)
			err = zero_page_tail(mm, file_end);
		if (err)
			return err;
	}
	return map_range(mm, NULL, bss, PAGE_ALIGN(end), segment_prot(ph), 0);
}

/* Notes what the program's parts are for /proc and brk(). */
static void note_segment(struct elf_info *info, const struct elf64_phdr *ph,
			 const struct elf64_ehdr *eh)
{
	unsigned long start = info->bias + ph->p_vaddr;

	if (eh->e_phoff >= ph->p_offset && eh->e_phoff - ph->p_offset < ph->p_filesz)
		info->phdr = start + (eh->e_phoff - ph->p_offset);
	if (ph->p_flags & PF_X) {
		if (!info->start_code)
			info->start_code = start;
		info->end_code = start + ph->p_filesz;
	}
	if (ph->p_flags & PF_W) {
		if (!info->start_data)
			info->start_data = start;
		info->end_data = start + ph->p_filesz;
	}
	info->brk = PAGE_ALIGN(start + ph->p_memsz);
}

static int load_segments(struct file *file, struct mm *mm, const struct elf64_ehdr *eh,
			 const struct elf64_phdr *phdrs, struct elf_info *info)
{
	unsigned long low, high, align;
	int err = check_segments(phdrs, eh->e_phnum, &low, &high, &align);

	if (err)
		return err;
	if (eh->e_type == ET_DYN) {
		info->bias = ALIGN_UP(ET_DYN_BASE, align) - (low & ~(align - 1));
		if (info->bias + high > TASK_SIZE)
			return -ENOEXEC;
	} else if (low < MMAP_MIN_ADDR) {
		return -ENOEXEC;
	}
	for (unsigned i = 0; i < eh->e_phnum; i++) {
		if (phdrs[i].p_type != PT_LOAD || phdrs[i].p_memsz == 0)
			continue;
		err = map_segment(mm, file, &phdrs[i], info->bias);
		if (err)
			return err;
		note_segment(info, &phdrs[i], eh);
	}
	info->entry = info->bias + eh->e_entry;
	info->phnum = eh->e_phnum;
	return 0;
}

int elf_load(struct file *file, struct mm *mm, struct elf_info *info)
{
	struct elf64_ehdr eh;
	struct elf64_phdr *phdrs;
	size_t size;
	int err;

	memset(info, 0, sizeof(*info));
	err = read_exactly(file, &eh, sizeof(eh), 0);
	if (err)
		return err;
	if (!header_ok(&eh))
		return -ENOEXEC;
	size = eh.e_phnum * sizeof(*phdrs);
	phdrs = kmalloc(size, GFP_KERNEL);
	if (!phdrs)
		return -ENOMEM;
	err = read_exactly(file, phdrs, size, eh.e_phoff);
	if (!err)
		err = load_segments(file, mm, &eh, phdrs, info);
	kfree(phdrs);
	return err;
}
