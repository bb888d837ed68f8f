/*
 * rmap.h - from pages back to the address spaces that map them. mm/rmap.c has the drawing.
 */
#ifndef RAVEL_MM_RMAP_H
#define RAVEL_MM_RMAP_H

#include "lib/types.h"

#include "arch/riscv/pte.h"

struct address_space;
struct mm;
struct page;

/* What rmap_walk() does to each PTE that maps the page. */
struct rmap_walk {
	u32 flags; /* a file's page: only in areas that have all of these vm_flags */
	/* A place that is locked in memory (mlock), or may be, is not visited and ends the walk. */
	bool stop_at_locked;
	/*
	 * The leaf lock of @ptep is held, and locks outside it: nothing that sleeps. It may change
	 * or take the PTE, and flushes what it changed before it returns. False ends the walk.
	 */
	bool (*visit)(struct mm *mm, unsigned long addr, pte_t *ptep, void *arg);
	void *arg;
};

/*
 * Visits every PTE that maps @page, in all address spaces, whether it is anonymous or a file's; any
 * other page has none. False: the walk was ended before, by visit() or by a locked place. The
 * caller has a reference, and the page lock. Edits may go on meanwhile: the PTE of an anonymous
 * page that mremap() is just moving, or whose address space ends, may be missed, and what faults
 * set meanwhile is seen or not; so whoever wants the page unmapped looks at its mapcount
 * afterwards.
 */
bool rmap_walk(const struct page *page, const struct rmap_walk *walk);
/* How many PTEs that finds. */
unsigned rmap_count(const struct page *page);

/* Clears every PTE, in any address space, that maps page index @first or above through @as. */
void unmap_mapping_from(struct address_space *as, unsigned long first);
/*
 * No shared mapping lets @page of @as be written, on any hart, when this returns: the next write to
 * it is a fault. @page is referenced.
 */
void unmap_page_writes(struct address_space *as, struct page *page);

/* How many areas, in all address spaces, map @as. */
unsigned long mapping_nr_areas(struct address_space *as);
/* Somebody is about to make a shared writable area of @as; false: they are sealed off. */
bool mapping_hold_writable(struct address_space *as);
void mapping_release_writable(struct address_space *as);

/*
 * Clears every PTE that maps @page of @as, and no other. A fault may set a new one as long as the
 * page is in the cache.
 */
void unmap_page(struct address_space *as, struct page *page);
/* The same, but for places that are locked in memory: false if there is one. */
bool unmap_page_unless_locked(struct address_space *as, struct page *page);

#endif
