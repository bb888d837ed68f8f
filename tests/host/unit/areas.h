/*
 * areas.h - area lists and page tables as drawings: one letter is one page, from AREAS_BASE on.
 *
 *	mm = areas("..rrww..RR");        four areas: nothing is mapped at the dots
 *	vm_munmap(mm, at(3), 2 * PAGE_SIZE);
 *	CHECK_AREAS(mm, "..r..w..RR");
 *
 *	areas                            .  nothing
 *	  anonymous, by protection       n  none    r  r--    w  rw-    x  r-x    b  rwx    e  --x
 *	  the same with other flags      h  heap, rw-    o  noreserve, rw-    s  stack, rw-
 *	    of mlock(2), rw-             p  locked       k  locked on fault
 *	    of madvise(2), rw-           d  not for a child   y  wiped for a child   u  not dumped
 *	                                 q  read in sequence  a  touched at random
 *	                                 m  moved, rw-: vm_pgoff is that of another address
 *	  file 0, column = its page      N  none    R  r--    W  rw-    X  r-x
 *	    with flags                   l  shared, rw-         L  locked, rw-
 *	                                 A  r--, touched at random
 *	  file 0, but other pages of it  S  r--                (column + AREAS_SHIFT)
 *	  file 1                         Q  r--
 *	                                 ?  none of these: pages of a file at another column
 *	  |                              a border between two areas that look the same
 *
 *	pages                            .  nothing   z  the zero page   f  a page of a file
 *	                                 a  anonymous, A  the same and writable at once
 *	                                 h  there, but hidden by PROT_NONE
 *
 * A list without a | is complete: CHECK_AREAS runs mm_check() on it. What lies outside the columns
 * is drawn as text behind them, so that nothing is overlooked.
 */
#ifndef RAVEL_HOST_UNIT_AREAS_H
#define RAVEL_HOST_UNIT_AREAS_H

#include "fs/mapping.h"
#include "kernel/syscall.h"
#include "mm/vma.h"
#include "tests/host/test.h"

#define AREAS_BASE	0x40000000UL
#define AREAS_COLUMNS	64
#define AREAS_SHIFT	16
#define AREA_FILE_PAGES 96

#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW   (PROT_READ | PROT_WRITE)

/* The user address of a column. */
static inline unsigned long at(unsigned column)
{
	return AREAS_BASE + column * PAGE_SIZE;
}

static inline unsigned long pages(unsigned n)
{
	return n * (unsigned long)PAGE_SIZE;
}

/* A new address space with the areas of @drawing, which the current hart uses. */
struct mm *areas(const char *drawing);
/* Verifies all of the machine, then puts @mm and the files of the drawings away. */
void areas_done(struct mm *mm);
/* The area at @column of @drawing, its borders included: as vma_insert() wants it. */
struct vm_area area_like(const char *drawing, unsigned column);
/* File 0 or 1 of the drawings; the reference is theirs. */
struct file *area_file(unsigned nr);

/* The areas of @mm, from column 0 to the last, or to @columns if that is more. */
const char *areas_drawing(struct mm *mm, unsigned columns);
/* What the page tables of @mm hold for these columns. */
const char *pages_drawing(struct mm *mm, unsigned columns);
/* How many columns @drawing has. */
unsigned drawing_columns(const char *drawing);

/*
 * The program touches these pages: w writes a tag into the page, r reads, x fetches, any other
 * letter leaves the page alone. Each must succeed.
 */
void touch(const char *drawing);
/* The program reads the page at @column: is the tag there that touch() wrote? */
bool tag_at(unsigned column);

/* System call @fn of mm/ as a program makes it. */
typedef long (*syscall_fn)(const struct trap_frame *regs);
long user_syscall(syscall_fn fn, unsigned long a0, unsigned long a1, unsigned long a2,
		  unsigned long a3, unsigned long a4, unsigned long a5);
long sys_brk(const struct trap_frame *regs);
long sys_madvise(const struct trap_frame *regs);
long sys_mincore(const struct trap_frame *regs);
long sys_mlock(const struct trap_frame *regs);
long sys_mlock2(const struct trap_frame *regs);
long sys_mlockall(const struct trap_frame *regs);
long sys_mmap(const struct trap_frame *regs);
long sys_mprotect(const struct trap_frame *regs);
long sys_mremap(const struct trap_frame *regs);
long sys_msync(const struct trap_frame *regs);
long sys_munlock(const struct trap_frame *regs);
long sys_munlockall(const struct trap_frame *regs);
long sys_munmap(const struct trap_frame *regs);
long sys_remap_file_pages(const struct trap_frame *regs);

/* Anonymous memory, as programs ask for it. */
static inline long map_anon(struct mm *mm, unsigned long addr, unsigned n, u32 prot, u32 flags)
{
	return vm_mmap(mm, NULL, addr, pages(n), prot, ANON | flags, 0);
}

static inline int protect(struct mm *mm, unsigned start, unsigned end, u32 prot)
{
	return vm_mprotect(mm, at(start), pages(end - start), prot);
}

/* A limit of the current task, in bytes. */
static inline void limit(unsigned resource, unsigned long bytes)
{
	current->rlim[resource].cur = bytes;
}

#define CHECK_AREAS(mm, drawing) CHECK_STRING(areas_drawing(mm, drawing_columns(drawing)), drawing)
#define CHECK_PAGES(mm, drawing) CHECK_STRING(pages_drawing(mm, drawing_columns(drawing)), drawing)

/* Of a table's row: says which one fails. */
#define CHECK_ROW(row, got, expected)                                                              \
	do {                                                                                       \
		const char *got_ = (got), *expected_ = (expected);                                 \
		if (__builtin_strcmp(got_, expected_) != 0)                                        \
			host_test_fail(__FILE__, __LINE__, "row %u: expected \"%s\", got \"%s\"",  \
				       (unsigned)(row), expected_, got_);                          \
	} while (0)

#endif
