/*
 * oracle_check.c - compares an address space with the oracle's, without touching it.
 *
 *	pages that are alike, one after the other  ==  one area of the list
 *	bytes of the oracle's page                 ==  bytes of the frame that its PTE leads to
 *	                                               or, for a swap entry, of its slot
 *	the oracle's page has bytes of its own     ==> the PTE leads to anonymous memory, or swap
 */
#include <string.h>

#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/radix_tree.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/swap.h"
#include "tests/host/model/step.h"
#include "tests/host/swapdisk.h"

static struct file *file_of(const struct oracle_page *page)
{
	return page->file == NO_FILE ? NULL : oracle_files[page->file].file;
}

/* The area after @vma covers page @i of the oracle; checks it and returns how many pages it has. */
static unsigned check_area(const struct oracle_mm *om, unsigned i, const struct vm_area *vma)
{
	const struct oracle_page *page = &om->pages[i];
	unsigned long addr = oracle_addr(i), pgoff, end = addr;
	unsigned nr = 0;

	if (!vma || vma->vm_start != addr)
		panic("oracle: an area must begin at 0x%lx, the next begins at 0x%lx", addr,
		      vma ? vma->vm_start : 0);
	pgoff = page->pgoff;
	if (vma->vm_prot != page->prot || vma->vm_flags != page->flags ||
	    vma->vm_file != file_of(page) || vma->vm_pgoff != pgoff)
		panic("oracle: area 0x%lx: prot %u flags %u pgoff 0x%lx file %d, "
		      "not prot %u flags %u pgoff 0x%lx",
		      addr, page->prot, page->flags, pgoff, page->file, vma->vm_prot, vma->vm_flags,
		      vma->vm_pgoff);
	do {
		nr++;
		end += PAGE_SIZE;
	} while (i + nr < ORACLE_PAGES && oracle_addr(i + nr) == end && page[nr].mapped &&
		 page[nr].prot == page->prot && page[nr].flags == page->flags &&
		 page[nr].file == page->file && page[nr].pgoff == pgoff + nr);
	if (vma->vm_end != end)
		panic("oracle: area 0x%lx must end at 0x%lx, not 0x%lx", addr, end, vma->vm_end);
	return nr;
}

static void check_areas(const struct oracle_mm *om)
{
	const struct vm_area *vma = om->mm->mmap;

	for (unsigned i = 0; i < ORACLE_PAGES;) {
		if (!om->pages[i].mapped) {
			i++;
			continue;
		}
		i += check_area(om, i, vma);
		vma = vma->vm_next;
	}
	if (vma)
		panic("oracle: there must be no area at 0x%lx", vma->vm_start);
	if (om->mm->def_flags != om->def_flags)
		panic("oracle: flags of the future 0x%x, not 0x%x", om->def_flags,
		      om->mm->def_flags);
	if (om->mm->brk != om->brk)
		panic("oracle: brk 0x%lx, not 0x%lx", om->brk, om->mm->brk);
}

bool oracle_raced;

/*
 * A page of a private file area is the file's until somebody writes there. Where others ran in
 * between, a write may have made its copy and then have lost the right to use it, or a fork have
 * shared the copy before it was written to: it has the file's bytes, and is private from now on.
 */
static void note_private_copy(struct oracle_page *page, unsigned long addr)
{
	if (page->file == NO_FILE || page->own)
		return;
	if (oracle_shared(page))
		panic("oracle: 0x%lx: a private copy in a shared area", addr);
	if (!oracle_raced)
		panic("oracle: 0x%lx: a private page that nobody made", addr);
	oracle_own(page);
}

/* What lies in the slot of @entry, or waits to be written there. */
static const u8 *swapped_bytes(pte_t entry)
{
	struct page *page = swap_cache_get(entry);

	if (!page)
		return swapdisk_page(step_swap_disk(), swap_entry_slot(entry));
	page_put(page);
	return page_address(page);
}

static void check_bytes(struct oracle_page *page, unsigned long addr, const u8 *is, bool is_anon)
{
	const u8 *must = oracle_bytes(page);

	if (page->own && !is_anon)
		panic("oracle: 0x%lx: what was written to private memory is gone", addr);
	if (!page->own && !oracle_backed(page))
		panic("oracle: 0x%lx: a page past the end of the file", addr);
	if (memcmp(must, is, PAGE_SIZE) == 0) {
		if (is_anon)
			note_private_copy(page, addr);
		return;
	}
	for (unsigned b = 0; b < PAGE_SIZE; b++) {
		if (must[b] != is[b])
			panic("oracle: byte 0x%lx must be 0x%x, is 0x%x", addr + b, must[b], is[b]);
	}
}

static void check_pages(struct oracle_mm *om)
{
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		struct oracle_page *page = &om->pages[i];
		unsigned long addr = oracle_addr(i);
		pte_t *ptep, pte;

		if (!page->mapped)
			continue;
		ptep = pte_find(om->mm, addr);
		pte = ptep ? pte_read(ptep) : (pte_t){ 0 };
		if (pte_present(pte))
			check_bytes(page, addr, page_address(pfn_to_page(pte_pfn(pte))),
				    page_is_anon(pfn_to_page(pte_pfn(pte))));
		else if (pte_swap(pte))
			check_bytes(page, addr, swapped_bytes(pte), true);
		else if (page->own)
			panic("oracle: 0x%lx: private memory is gone", addr);
	}
}

void oracle_check(struct oracle_mm *om)
{
	down_write(&om->mm->mmap_lock);
	if (mm_check(om->mm) != 0)
		panic("mm_check() found what is printed above");
	up_write(&om->mm->mmap_lock);
	check_areas(om);
	check_pages(om);
}

/* ---- files ---- */

static void settle_page(struct oracle_file *of, unsigned index, bool write_failed)
{
	struct address_space *as = host_file_mapping(of->file);
	const struct page *page = radix_tree_lookup(&as->pages, index);
	u8 *disk = host_file_disk(of->file, index);
	unsigned valid = min(of->size - (u64)index * PAGE_SIZE, (u64)PAGE_SIZE);

	if (page && (page_flags(page) & PG_DIRTY)) {
		of->lossy[index] = false;
		return;
	}
	if (page && (!(page_flags(page) & PG_UPTODATE) || (page_flags(page) & PG_WRITEBACK)))
		return;
	if (memcmp(of->bytes + index * PAGE_SIZE, disk, PAGE_SIZE) == 0) {
		of->lossy[index] = false;
		return;
	}
	if (write_failed)
		of->lossy[index] = true;
	if (!of->lossy[index])
		panic("oracle: page %u of file %u was not written to the disk", index,
		      (unsigned)(of - oracle_files));
	if (page)
		return;
	/* What a lost write should have zeroed past the end would come back: not a rule to test. */
	memset(disk + valid, 0, PAGE_SIZE - valid);
	memcpy(of->bytes + index * PAGE_SIZE, disk, PAGE_SIZE);
}

void oracle_settle_files(bool write_failed)
{
	oracle_settle_tails();
	for (unsigned f = 0; f < ORACLE_ALL_FILES; f++) {
		struct oracle_file *of = &oracle_files[f];

		if (!of->file)
			continue;
		if (host_file_mapping(of->file)->size != of->size)
			panic("oracle: file %u has %llu bytes, not %llu", f,
			      (unsigned long long)host_file_mapping(of->file)->size,
			      (unsigned long long)of->size);
		for (u64 i = 0; of->kind == FILE_DISK && i * PAGE_SIZE < of->size; i++)
			settle_page(of, i, write_failed);
	}
}
