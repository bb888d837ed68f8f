/*
 * areas.c - drawings of area lists: read into an address space, and drawn from one. areas.h has the
 * alphabet.
 */
#include "tests/host/unit/areas.h"

#include <string.h>

#include "mm/pgtable.h"

#define TAG	 0x7a670000u
#define LONGEST	 512
#define DRAWINGS 4 /* that one expression may use */

static const struct area_kind {
	char letter;
	u32 prot, flags;
	int file; /* -1: anonymous */
	unsigned shift;
} kinds[] = {
	{ 'n', PROT_NONE, 0, -1, 0 },
	{ 'r', PROT_READ, 0, -1, 0 },
	{ 'w', RW, 0, -1, 0 },
	{ 'x', PROT_READ | PROT_EXEC, 0, -1, 0 },
	{ 'b', PROT_MASK, 0, -1, 0 },
	{ 'e', PROT_EXEC, 0, -1, 0 },
	{ 'h', RW, VM_HEAP, -1, 0 },
	{ 'o', RW, VM_NORESERVE, -1, 0 },
	{ 's', RW, VM_GROWSDOWN, -1, 0 },
	{ 'p', RW, VM_LOCKED, -1, 0 },
	{ 'k', RW, VM_LOCKED | VM_LOCKONFAULT, -1, 0 },
	{ 'd', RW, VM_DONTCOPY, -1, 0 },
	{ 'u', RW, VM_DONTDUMP, -1, 0 },
	{ 'y', RW, VM_WIPEONFORK, -1, 0 },
	{ 'q', RW, VM_SEQ, -1, 0 },
	{ 'a', RW, VM_RAND, -1, 0 },
	{ 'l', RW, VM_SHARED | VM_MAYWRITE, 0, 0 },
	{ 'N', PROT_NONE, 0, 0, 0 },
	{ 'R', PROT_READ, 0, 0, 0 },
	{ 'W', RW, 0, 0, 0 },
	{ 'X', PROT_READ | PROT_EXEC, 0, 0, 0 },
	{ 'L', RW, VM_LOCKED, 0, 0 },
	{ 'A', PROT_READ, VM_RAND, 0, 0 },
	{ 'S', PROT_READ, 0, 0, AREAS_SHIFT },
	{ 'Q', PROT_READ, 0, 1, 0 },
};

static struct file *files[2];

struct file *area_file(unsigned nr)
{
	if (!files[nr])
		files[nr] = host_file(FILE_DISK, pages(AREA_FILE_PAGES));
	return files[nr];
}

unsigned drawing_columns(const char *drawing)
{
	unsigned n = 0;

	for (; *drawing; drawing++)
		n += *drawing != '|';
	return n;
}

/* ---- reading ---- */

static struct vm_area area_of_kind(char letter, unsigned from, unsigned to)
{
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct area_kind *kind = &kinds[i];
		bool anonymous = kind->file < 0;

		if (kind->letter != letter)
			continue;
		return (struct vm_area){
			.vm_start = at(from),
			.vm_end = at(to),
			.vm_prot = kind->prot,
			.vm_flags = kind->flags,
			.vm_file = anonymous ? NULL : area_file(kind->file),
			.vm_pgoff = anonymous ? at(from) >> PAGE_SHIFT : from + kind->shift,
		};
	}
	host_test_fail(__FILE__, __LINE__, "no kind of area is called '%c'", letter);
}

struct vm_area area_like(const char *drawing, unsigned column)
{
	unsigned from = column, to = column;
	char letter = drawing[column];

	while (from > 0 && drawing[from - 1] == letter)
		from--;
	while (drawing[to] == letter)
		to++;
	return area_of_kind(letter, from, to);
}

struct mm *areas(const char *drawing)
{
	struct mm *mm = mm_alloc();
	unsigned column = 0;

	CHECK(mm);
	down_write(&mm->mmap_lock);
	for (const char *p = drawing; *p;) {
		unsigned run = 1;

		while (p[run] == p[0])
			run++;
		if (*p == '|') {
			CHECK_EQ(vma_split_range(mm, at(column), at(column)), 0);
		} else if (*p != '.') {
			struct vm_area want = area_of_kind(*p, column, column + run);

			vma_insert(mm, &want, vma_prepare());
		}
		column += *p == '|' ? 0 : run;
		p += run;
	}
	up_write(&mm->mmap_lock);
	machine_use_mm(mm);
	return mm;
}

void areas_done(struct mm *mm)
{
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++) {
		if (!files[i])
			continue;
		CHECK_EQ(host_file_refs(files[i]), 1);
		file_put(files[i]);
		files[i] = NULL;
	}
}

/* ---- drawing ---- */

static char *next_text(void)
{
	static char text[DRAWINGS][LONGEST];
	static unsigned turn;

	return text[turn++ % DRAWINGS];
}

static char letter_of(const struct vm_area *vma)
{
	unsigned long column = (vma->vm_start - AREAS_BASE) >> PAGE_SHIFT;

	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct area_kind *kind = &kinds[i];
		bool anonymous = kind->file < 0;

		if (kind->prot == vma->vm_prot && kind->flags == vma->vm_flags &&
		    !vma->vm_file == anonymous &&
		    (anonymous || vma->vm_file == files[kind->file]) &&
		    vma->vm_pgoff ==
			    (anonymous ? vma->vm_start >> PAGE_SHIFT : column + kind->shift))
			return kind->letter;
	}
	return vma->vm_prot == RW && !vma->vm_flags && !vma->vm_file ? 'm' : '?';
}

/* mm_check(), or only the index of a list that is not complete. */
static void check_list(struct mm *mm, bool complete)
{
	bool locked = rwsem_held_write(&mm->mmap_lock);

	if (!locked)
		down_write(&mm->mmap_lock);
	CHECK_EQ(complete ? mm_check(mm) : vma_tree_check(mm), 0);
	if (!locked)
		up_write(&mm->mmap_lock);
}

static char *draw_run(char *p, char letter, unsigned n)
{
	memset(p, letter, n);
	return p + n;
}

const char *areas_drawing(struct mm *mm, unsigned columns)
{
	char *text = next_text(), *p = text, outside[LONGEST / 2] = "";
	unsigned column = 0, length = 0;
	bool complete = true;

	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		bool touches = vma->vm_prev && vma->vm_prev->vm_end == vma->vm_start;
		unsigned from = (vma->vm_start - AREAS_BASE) >> PAGE_SHIFT;
		char letter = letter_of(vma);

		if (vma->vm_start < AREAS_BASE || vma->vm_end > at(AREAS_COLUMNS)) {
			length += snprintf(outside + length, sizeof(outside) - length,
					   " %c:0x%lx-0x%lx", letter, vma->vm_start, vma->vm_end);
			continue;
		}
		p = draw_run(p, '.', from - column);
		if (touches && p > text && p[-1] == letter) {
			*p++ = '|';
			complete = false;
		}
		p = draw_run(p, letter, vma_pages(vma));
		column = from + vma_pages(vma);
	}
	if (columns > column)
		p = draw_run(p, '.', columns - column);
	strcpy(p, outside);
	check_list(mm, complete);
	return text;
}

static char letter_of_page(struct mm *mm, unsigned long addr)
{
	pte_t *ptep = pte_find(mm, addr);
	pte_t pte = ptep ? pte_read(ptep) : (pte_t){ 0 };

	if (pte_none(pte))
		return '.';
	if (!pte_present(pte))
		return '?';
	if (!(pte.val & PTE_V))
		return 'h';
	if (pte_special(pte))
		return 'z';
	if (pfn_to_page(pte_pfn(pte))->type == PAGE_FILE)
		return 'f';
	return pte_write(pte) ? 'A' : 'a';
}

const char *pages_drawing(struct mm *mm, unsigned columns)
{
	char *text = next_text();

	for (unsigned i = 0; i < columns; i++)
		text[i] = letter_of_page(mm, at(i));
	text[columns] = '\0';
	return text;
}

/* ---- what a program does ---- */

void touch(const char *drawing)
{
	for (unsigned i = 0; drawing[i]; i++) {
		unsigned tag = TAG + i;
		u64 word;

		if (drawing[i] == 'w')
			CHECK_EQ(user_write(at(i), &tag, sizeof(tag)), FAULT_OK);
		if (drawing[i] == 'r')
			CHECK_EQ(user_read(at(i), &tag, sizeof(tag)), FAULT_OK);
		if (drawing[i] == 'x')
			CHECK_EQ(user_fetch(at(i), &word), FAULT_OK);
	}
}

bool tag_at(unsigned column)
{
	unsigned tag;

	CHECK_EQ(user_read(at(column), &tag, sizeof(tag)), FAULT_OK);
	return tag == TAG + column;
}

long user_syscall(syscall_fn fn, unsigned long a0, unsigned long a1, unsigned long a2,
		  unsigned long a3, unsigned long a4, unsigned long a5)
{
	struct trap_frame regs = { .a0 = a0, .a1 = a1, .a2 = a2, .a3 = a3, .a4 = a4, .a5 = a5 };

	return fn(&regs);
}
