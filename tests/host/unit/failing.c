/*
 * failing.c - what an edit may change, as text that can be compared. failing.h has the drawing.
 *
 *	area 0x40002000-0x40004000 prot 3 flags 0 pgoff 0x40002 file -1 ...
 *	table 0x40000000 level 1
 *	pte 0x40002000 0x20084c57 count 1 1
 *	mm areas 1 total 2 ...
 *	frames 3807
 *	objects vm_area 1
 */
#include "tests/host/unit/failing.h"

#include <stdlib.h>
#include <string.h>

#include "mm/anon_root.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/pgtable.h"
#include "mm/slab.h"
#include "tests/host/unit/areas.h"

static void print_areas(FILE *out, struct mm *mm)
{
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		struct file *file = vma->vm_file;

		fprintf(out, "area 0x%lx-0x%lx prot %x flags %x pgoff 0x%lx file %d anon %d",
			vma->vm_start, vma->vm_end, vma->vm_prot, vma->vm_flags, vma->vm_pgoff,
			file ? (int)host_file_nr(file) : -1, vma->vm_anon);
		if (file)
			fprintf(out, " references %d", host_file_refs(file));
		fprintf(out, "\n");
	}
}

static void print_tables(FILE *out, const pte_t *table, unsigned level, unsigned long base)
{
	unsigned nr = level == PT_LEVELS - 1 ? KERNEL_ROOT_IX : PT_ENTRIES;

	for (unsigned i = 0; i < nr; i++) {
		unsigned long addr = base + i * PT_SPAN(level);
		pte_t pte = pte_read(&table[i]);
		struct page *page;

		if (pte_none(pte))
			continue;
		page = pfn_to_page(pte_pfn(pte));
		if (level > 0) {
			fprintf(out, "table 0x%lx level %u\n", addr, level);
			print_tables(out, page_address(page), level - 1, addr);
			continue;
		}
		fprintf(out, "pte 0x%lx 0x%lx count %d %d\n", addr, pte.val,
			atomic_read(&page->refcount), atomic_read(&page->mapcount));
	}
}

static void print_sums(FILE *out, const struct mm *mm)
{
	struct slab_info info;

	fprintf(out, "mm areas %u total %lu data %lu stack %lu exec %lu\n", mm->nr_areas,
		mm->total_vm, mm->data_vm, mm->stack_vm, mm->exec_vm);
	fprintf(out, "mm promised %lu locked %lu future %x\n", mm->committed_vm, mm->locked_vm,
		mm->def_flags);
	fprintf(out, "mm anon %ld file %ld tables %ld users %d peaks %lu %lu\n", mm->rss_anon,
		mm->rss_file, mm->nr_ptes, atomic_read(&mm->users), mm->hiwater_rss,
		mm->hiwater_vm);
	fprintf(out, "mm layout brk 0x%lx-0x%lx stack 0x%lx mmap 0x%lx\n", mm->start_brk, mm->brk,
		mm->start_stack, mm->mmap_base);
	fprintf(out, "family %d\n", atomic_read(&mm->anon_root->refcount));
	fprintf(out, "frames %lu cache %lu\n", nr_free_pages() + slab_nr_pages(),
		filemap_nr_pages());
	for (unsigned i = 0; slab_get_info(i, &info); i++)
		fprintf(out, "objects %s %lu\n", info.name, info.active_objs);
}

char *snapshot(struct mm *mm)
{
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	print_areas(out, mm);
	print_tables(out, mm->pgd, PT_LEVELS - 1, 0);
	print_sums(out, mm);
	fclose(out);
	return text;
}

void snapshot_check(struct mm *mm, const char *before, const char *file, int line, unsigned n)
{
	char *after = snapshot(mm);
	const char *was = before, *is = after;

	for (;;) {
		int was_length = strcspn(was, "\n"), is_length = strcspn(is, "\n");

		if (was_length != is_length || strncmp(was, is, was_length) != 0)
			host_test_fail(file, line,
				       "allocation %u failed; before: %.*s; after: %.*s", n,
				       was_length, was, is_length, is);
		if (!was[was_length])
			break;
		was += was_length + 1;
		is += is_length + 1;
	}
	free(after);
}
