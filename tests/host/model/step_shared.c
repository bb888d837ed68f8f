/*
 * step_shared.c - the step msync, and what stores to shared areas may do in the windows of others.
 *
 *	outer step                          a store to the page that it is at
 *	writes the page, or syncs           any time: what comes after it makes the page dirty again
 *	makes a private copy of it          no: the oracle would have to know which bytes it copied
 *	cuts the file off in it             no: the tail becomes zeros at some time
 *	has it locked                       only by a hart whose MMU grants it, who asks nobody
 */
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/vma.h"
#include "tests/host/model/step.h"

bool step_may_store(const struct oracle_page *page, bool can_wait)
{
	u64 pgoff;

	if (!page->mapped || !oracle_shared(page))
		return true;
	if (outer.step->kind == STEP_TRUNCATE && page->file == outer.step->file &&
	    page->pgoff >= outer.pos / PAGE_SIZE)
		return false;
	if (step_file_being_copied(&pgoff) == page->file &&
	    (pgoff == any_page || pgoff == page->pgoff))
		return false;
	return !can_wait || !step_pages_are_locked(page->file);
}

bool step_may_msync(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);
	u64 pgoff;
	int file;

	if (!om || om->mm->mmap_lock.writer)
		return false;
	file = step_file_being_copied(&pgoff);
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		const struct oracle_page *page = &om->pages[i];

		if (page->mapped && oracle_shared(page) &&
		    (page->file == file || step_pages_are_locked(page->file)))
			return false;
	}
	return true;
}

/* What was synced is not dirty. */
static void check_clean(struct oracle_mm *om, unsigned long addr, unsigned long len)
{
	for (unsigned long at = addr; at < addr + len; at += PAGE_SIZE) {
		const struct oracle_page *page = oracle_page(om, at);
		struct address_space *as;

		if (!page)
			return;
		if (!page->mapped || !oracle_shared(page))
			continue;
		as = host_file_mapping(oracle_files[page->file].file);
		if (radix_tree_tag_get(&as->pages, page->pgoff, RADIX_TAG_DIRTY))
			panic("step: 0x%lx is dirty after an msync", at);
	}
}

void step_msync(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);
	int got, must;

	if (!om)
		return;
	got = vm_msync(om->mm, s->addr, s->len, s->flags);
	must = oracle_msync_result(om, s->addr, s->len, s->flags);
	if (got == -EIO && step_disk_failed())
		return;
	/* Others may have unmapped, or mapped, while it wrote. */
	if (got != must && outer.nr_inside == 0)
		panic("step: msync(0x%lx, 0x%lx, %u) must give %d, gives %d", s->addr, s->len,
		      s->flags, must, got);
	if (got == 0 && s->flags == 4 && outer.nr_inside == 0 && !inside && !step_alloc_failed())
		check_clean(om, s->addr, PAGE_ALIGN(s->len));
}
