/*
 * step_access.c - steps that touch user memory: by the MMU of a hart, or by the kernel's copies.
 *
 *	page by page: the real access, then what the oracle says to it
 *
 * The oracle is asked afterwards because other harts may have edited while the access waited.
 */
#include <string.h>

#include "arch/riscv/mmu.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "mm/vma.h"
#include "tests/host/model/foretell.h"
#include "tests/host/model/step.h"

enum fault_access step_access_of(const struct step *s)
{
	switch (s->kind) {
	case STEP_WRITE:
	case STEP_COPY_TO:
		return FAULT_WRITE;
	case STEP_FETCH:
		return FAULT_EXEC;
	default:
		return FAULT_READ;
	}
}

static void compare(const struct oracle_page *page, unsigned long addr, const u8 *got, size_t len)
{
	const u8 *must = oracle_bytes(page) + offset_in_page(addr);

	for (size_t i = 0; i < len; i++) {
		if (must[i] != got[i])
			panic("step: byte 0x%lx must be 0x%x, is read as 0x%x", addr + i, must[i],
			      got[i]);
	}
}

/* A program that writes what it will execute does what makes fetches see it. */
static void wrote(struct oracle_page *page, unsigned long addr, const u8 *bytes, size_t len)
{
	memcpy(oracle_own(page) + offset_in_page(addr), bytes, len);
	if (oracle_is_code(page))
		flush_icache_all();
}

/*
 * While the outer step truncates, its pages past the end may still be there, or not, and the rest
 * of the last page may be zeros already.
 */
static bool being_truncated(const struct oracle_page *page)
{
	return inside && outer.step->kind == STEP_TRUNCATE && page && page->mapped && !page->own &&
	       page->file == outer.step->file &&
	       (!oracle_backed(page) || page->pgoff == outer.pos / PAGE_SIZE);
}

/* @res of the access to @addr is what must be; true if it was served. */
static bool agrees(struct oracle_mm *om, unsigned long addr, enum fault_access access,
		   enum fault_result res)
{
	enum fault_result must;

	/* A read failed, and what it was for may have gone meanwhile. */
	if (res == FAULT_SIGBUS && step_disk_failed() &&
	    (outer.nr_inside > 0 || oracle_allows(om, addr, access) == FAULT_OK))
		return false;
	must = oracle_touch(om, addr, access);
	if (res == must)
		return res == FAULT_OK;
	/* Memory failed, and what it was for may have gone meanwhile. */
	if ((must == FAULT_OK || outer.nr_inside > 0) && res == FAULT_OOM && step_alloc_failed())
		return false;
	panic("step: access %u to 0x%lx must give %u, gave %u", access, addr, must, res);
}

static enum fault_result do_touch(const struct step *s, unsigned long addr, u8 *buf, size_t len)
{
	switch (s->kind) {
	case STEP_WRITE:
		return user_write(addr, buf, len);
	case STEP_FETCH:
		return user_fetch(addr, (u64 *)buf);
	default:
		return user_read(addr, buf, len);
	}
}

/* Before each access the kernel says what it will do (mm/explain.c); then it is done. */
static enum fault_result touch(const struct step *s, unsigned long addr, u8 *buf, size_t len)
{
	struct foretold told = {};
	enum fault_result res;

	if (!inside)
		foretell(&told, addr, step_access_of(s));
	res = do_touch(s, addr, buf, len);
	if (!step_disk_failed())
		foretold_check(&told, addr, res);
	return res;
}

/* What the access has done, for the oracle. */
static void done(const struct step *s, struct oracle_mm *om, unsigned long addr, const u8 *buf,
		 size_t len)
{
	if (step_access_of(s) == FAULT_WRITE)
		wrote(oracle_page(om, addr), addr, buf, len);
	else
		compare(oracle_page(om, addr), addr, buf, len);
}

static void access_pages(const struct step *s, struct oracle_mm *om)
{
	unsigned long addr = s->kind == STEP_FETCH ? s->addr & ~7UL : s->addr, n;
	size_t left = s->kind == STEP_FETCH ? 8 : min(s->len, 2 * PAGE_SIZE);
	u8 buf[PAGE_SIZE];

	for (; left > 0; addr += n, left -= n) {
		enum fault_result res;

		n = min(left, PAGE_SIZE - offset_in_page(addr));
		if (step_access_of(s) == FAULT_WRITE)
			step_fill(buf, n);
		if (!inside)
			outer.start = addr;
		res = touch(s, addr, buf, n);
		if (being_truncated(oracle_page(om, addr)))
			return;
		if (!agrees(om, addr, step_access_of(s), res))
			return;
		done(s, om, addr, buf, n);
	}
}

static bool is_mapped(struct oracle_mm *om, unsigned long addr)
{
	const struct oracle_page *page = oracle_page(om, addr);

	return page && page->mapped;
}

/* The kernel's copies say how far they came. */
static void copy(const struct step *s, struct oracle_mm *om)
{
	size_t len = step_piece(s->addr, min(s->len, 2 * PAGE_SIZE)), got, n;
	u8 buf[2 * PAGE_SIZE];

	step_fill(buf, len);
	if (!inside)
		outer.start = s->addr;
	if (s->kind == STEP_COPY_TO)
		got = mm_copy_to(om->mm, s->addr, buf, len);
	else
		got = mm_copy_from(om->mm, buf, s->addr, len);
	for (size_t at = 0; at < len; at += n) {
		unsigned long addr = s->addr + at;
		enum fault_result res;

		n = min(len - at, PAGE_SIZE - offset_in_page(addr));
		if (being_truncated(oracle_page(om, addr)))
			return;
		/* A read that failed was for something that may have gone meanwhile. */
		if (got < at + n && step_disk_failed() && !vma_lookup(om->mm, addr))
			return;
		res = oracle_touch(om, addr, step_access_of(s));
		if (got < at + n) {
			if (got != at ||
			    (res == FAULT_OK && !step_alloc_failed() && !step_disk_failed()))
				panic("step: copy at 0x%lx ends after %zu bytes of %zu", s->addr,
				      got, len);
			return;
		}
		if (res != FAULT_OK && outer.nr_inside == 0)
			panic("step: copy at 0x%lx goes on after %zu bytes", s->addr, at);
		/* The page was reached; its rights may have gone before the bytes were copied. */
		if (res != FAULT_OK && (!is_mapped(om, addr) || s->kind == STEP_COPY_FROM))
			return;
		done(s, om, addr, buf + at, n);
	}
}

void step_access(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);

	if (s->kind == STEP_COPY_TO || s->kind == STEP_COPY_FROM) {
		om = &oracle_mms[s->slot];
		if (om->mm)
			copy(s, om);
	} else if (om) {
		access_pages(s, om);
	}
}

/*
 * The outer step holds the locks that a fault needs. What the MMU still grants must be the bytes
 * from before the step: it has not returned. If it edits this address space, rights are between the
 * old and the new.
 */
void step_access_unlocked(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);
	unsigned long addr = s->kind == STEP_FETCH ? s->addr & ~7UL : s->addr;
	size_t n = s->kind == STEP_FETCH ? 8 : min(s->len, PAGE_SIZE - offset_in_page(addr));
	struct oracle_page *page;
	enum fault_result res;
	u8 buf[PAGE_SIZE];

	if (!om || s->kind == STEP_COPY_TO || s->kind == STEP_COPY_FROM || n == 0)
		return;
	page = oracle_page(om, addr);
	if (s->kind == STEP_WRITE && page && !step_may_store(page, false))
		return;
	if (s->kind == STEP_WRITE)
		step_fill(buf, n);
	current->pagefault_disabled = 1;
	res = s->kind == STEP_FETCH ? FAULT_SEGV_MAPERR : touch(s, addr, buf, n);
	current->pagefault_disabled = 0;
	if (res != FAULT_OK || being_truncated(page))
		return;
	if (!page || !page->mapped)
		panic("step: 0x%lx is reached, but not mapped", addr);
	/* A truncation took the page meanwhile; the outer step has its PTE, and is yet to flush. */
	if (outer.nr_inside > 0 && page->file != NO_FILE && !page->own && !oracle_backed(page) &&
	    !(s->kind == STEP_WRITE && oracle_shared(page)))
		return;
	if (!om->mm->mmap_lock.writer && oracle_allows(om, addr, step_access_of(s)) != FAULT_OK)
		panic("step: access %u to 0x%lx is granted", step_access_of(s), addr);
	if (s->kind == STEP_WRITE && page->file != NO_FILE && !page->own && !oracle_shared(page))
		panic("step: 0x%lx of a file is written to", addr);
	done(s, om, addr, buf, n);
}
