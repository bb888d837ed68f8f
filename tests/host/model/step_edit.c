/*
 * step_edit.c - steps that edit the list of areas: mmap, munmap, mprotect, brk, mremap.
 *
 * What a call must return is asked before it, since nobody else edits while it holds mmap_lock for
 * writing. If an allocation was made to fail, it may return ENOMEM instead, with nothing changed.
 */
#include "arch/riscv/traps.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/errno.h"
#include "mm/buddy.h"
#include "mm/internal.h"
#include "mm/pgtable.h"
#include "mm/vma.h"
#include "tests/host/model/step.h"

bool step_agrees(const struct step *s, long got, long must)
{
	if (got == must)
		return got >= 0;
	if (got == -ENOMEM && step_alloc_failed())
		return false;
	panic("step: %s(0x%lx, 0x%lx) must return 0x%lx, returned 0x%lx", step_name[s->kind],
	      s->addr, s->len, must, got);
}

/* ---- mmap ---- */

/* Only here is it seen how far MAP_POPULATE came: it may stop at any failure. */
void step_note_populated(struct oracle_mm *om, unsigned long start, unsigned long len)
{
	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		struct oracle_page *page = &om->pages[i];
		unsigned long at = oracle_addr(i);
		pte_t *ptep;

		if (!page->mapped || page->own || page->file == NO_FILE || oracle_shared(page) ||
		    at - start >= len)
			continue;
		ptep = pte_find(om->mm, at);
		if (ptep && pte_present(pte_read(ptep)) &&
		    page_is_anon(pfn_to_page(pte_pfn(pte_read(ptep)))))
			oracle_own(page);
	}
}

/* Writable private pages of files are copied by populating, up to the end of the file. */
static void check_populated(const struct step *s)
{
	if (step_alloc_failed() || step_disk_failed() || outer.nr_inside > 0)
		return;
	for (unsigned long at = outer.start; at < outer.start + outer.len; at += PAGE_SIZE) {
		struct oracle_page *page = oracle_page(outer.om, at);
		pte_t *ptep;

		if (!page || !(s->prot & PROT_MASK) || !(page->own || oracle_backed(page)))
			return;
		ptep = pte_find(outer.om->mm, at);
		if (!ptep || !pte_present(pte_read(ptep)))
			panic("step: 0x%lx is not populated", at);
	}
}

/* What lies outside of the zones goes again. */
static void trim(struct oracle_mm *om, unsigned long start, unsigned long len)
{
	unsigned long end = start + len, at = start;

	while (at < end) {
		unsigned long next = at + PAGE_SIZE;

		if (oracle_page(om, at)) {
			at = next;
			continue;
		}
		next = end;
		for (unsigned z = NR_ZONES; z-- > 0;) {
			if (zones[z].start > at)
				next = min(next, zones[z].start);
		}
		if (vm_munmap(om->mm, at, next - at) != 0)
			panic("step: 0x%lx cannot be unmapped", at);
		at = next;
	}
}

/* New shared memory is what the oracle has room for; else the memory is private. */
static u32 memory_flags(const struct step *s)
{
	struct oracle_page want = { .file = s->file };
	unsigned long len = PAGE_ALIGN(s->len);
	unsigned taken = inside && outer.step->kind == STEP_MMAP && !outer.committed;

	oracle_want_shared(&want, s->flags);
	if (!oracle_makes_memory(&want))
		return s->flags;
	if (oracle_memories_left() > taken &&
	    (len <= ORACLE_FILE_PAGES * PAGE_SIZE || len > nr_managed_pages() * PAGE_SIZE))
		return s->flags;
	return (s->flags & ~MAP_TYPE) | MAP_PRIVATE;
}

static void do_mmap(const struct step *s, struct oracle_mm *om)
{
	struct file *file = s->file == NO_FILE ? NULL : oracle_files[s->file].file;
	struct oracle_page want = {
		.prot = s->prot & PROT_MASK,
		.flags = (s->flags & MAP_NORESERVE ? VM_NORESERVE : 0) |
			 (s->flags & MAP_LOCKED ? VM_LOCKED : 0) |
			 (s->flags & MAP_GROWSDOWN ? VM_GROWSDOWN : 0) | om->def_flags,
		.file = s->file,
		.pgoff = s->pos / PAGE_SIZE,
	};
	unsigned long len = PAGE_ALIGN(s->len);
	u32 flags = memory_flags(s);
	long must, got;

	oracle_want_shared(&want, flags);
	must = oracle_mmap_where(om, &want, s->addr, s->len, flags, s->pos);

	if (must >= 0 && (len > 512 * PAGE_SIZE || !oracle_page(om, must) ||
			  oracle_page(om, must + len - PAGE_SIZE) !=
				  oracle_page(om, must) + len / PAGE_SIZE - 1)) {
		flags &= ~MAP_POPULATE;
		if (want.flags & VM_LOCKED) /* as bad */
			return;
	}
	if (!inside) {
		outer.want = want;
		outer.start = must < 0 ? 0 : must;
		outer.len = must < 0 ? 0 : len;
		outer.populates = must >= 0 && (flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK) &&
				  !(want.flags & VM_LOCKONFAULT);
		outer.file = outer.populates ? s->file : NO_FILE;
	}
	got = vm_mmap(om->mm, file, s->addr, s->len, s->prot, flags, s->pos);
	if (!step_agrees(s, got, must))
		return;
	current->fail_alloc = 0;
	if (inside || !outer.committed)
		oracle_map(om, &want, must, len);
	if ((flags & MAP_POPULATE) || (want.flags & VM_LOCKED))
		step_note_populated(om, must, len);
	if (!inside && outer.populates)
		check_populated(s);
	trim(om, must, len);
}

/* ---- the others ---- */

/*
 * Others may reach the pages by their old addresses until the call returns, and by the new ones
 * soon; run_inside() keeps them away from the latter.
 */
static void do_mremap(const struct step *s, struct oracle_mm *om)
{
	const struct vm_area *vma = vma_lookup(om->mm, s->addr);
	struct oracle_remap r = {
		.addr = s->addr,
		.old_len = PAGE_ALIGN(s->len),
		.new_len = PAGE_ALIGN(s->pos),
		.new_addr = s->to,
		.flags = s->flags,
		.keeps_pgoff = vma && vma->vm_anon,
		.given_back = s->flags & MREMAP_FIXED ?
				      committed_in(om->mm, s->to, s->to + PAGE_ALIGN(s->pos)) :
				      0,
	};
	long must = oracle_mremap_where(om, &r), got;

	if (!inside) {
		outer.to = must < 0 ? 0 : must;
		outer.len = must < 0 ? 0 : r.new_len;
	}
	if (must >= 0 && (vma->vm_flags & VM_LOCKED) && r.new_len > 512 * PAGE_SIZE)
		return; /* too much to be populated */
	got = vm_mremap(om->mm, s->addr, s->len, s->pos, s->flags, s->to);
	if (!step_agrees(s, got, must))
		return;
	current->fail_alloc = 0;
	oracle_mremap(om, &r, must);
	if (om->mm->locked_vm > 0)
		step_note_populated(om, 0, TASK_SIZE);
	if ((unsigned long)must != s->addr || r.new_len > r.old_len)
		trim(om, must, r.new_len);
}

static void do_brk(const struct step *s, struct oracle_mm *om)
{
	unsigned long before = om->brk, got = vm_brk(om->mm, s->addr);

	if (got == before && got != s->addr && step_alloc_failed())
		return;
	if (oracle_brk(om, s->addr) != got)
		panic("step: brk 0x%lx gives 0x%lx, must be 0x%lx", s->addr, got, om->brk);
}

void step_edit(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);
	int got;

	if (!om)
		return;
	switch (s->kind) {
	case STEP_MMAP:
		do_mmap(s, om);
		break;
	case STEP_MUNMAP:
		got = vm_munmap(om->mm, s->addr, s->len);
		if (step_agrees(s, got, oracle_munmap_result(s->addr, s->len)))
			oracle_unmap(om, s->addr, PAGE_ALIGN(s->len));
		break;
	case STEP_MPROTECT:
		got = vm_mprotect(om->mm, s->addr, s->len, s->prot);
		if (got == -ENOMEM && step_alloc_failed())
			break;
		step_agrees(s, got, oracle_mprotect(om, s->addr, s->len, s->prot));
		if (om->mm->locked_vm > 0)
			step_note_populated(om, 0, TASK_SIZE);
		break;
	case STEP_MADVISE:
	case STEP_MLOCK:
	case STEP_MLOCKALL:
		step_advice(s);
		break;
	case STEP_MREMAP:
		do_mremap(s, om);
		break;
	default:
		do_brk(s, om);
		break;
	}
}
