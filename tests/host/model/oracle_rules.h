/*
 * oracle_rules.h - what the files of the oracle share: when pages are alike, free, and too many.
 */
#ifndef RAVEL_HOST_ORACLE_RULES_H
#define RAVEL_HOST_ORACLE_RULES_H

#include "mm/mmap.h"
#include "tests/host/model/oracle.h"

#define MMAP_TOP (TASK_SIZE - (128UL << 20) - STACK_GUARD) /* below a small stack's place */

/* ---- one page (oracle.c) ---- */

void oracle_unmap_page(struct oracle_page *page);
/* @page may be fetched from, if its rights say so. */
void oracle_note_code(struct oracle_page *page);
/* Fresh pages like *@want, of which the first has its pgoff, over what is there. */
void oracle_map_pages(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		      unsigned long len);

/* ---- many pages (oracle_place.c) ---- */

/* How many pages of [addr, addr + len) are mapped; none; none, nor the gap below a stack. */
unsigned long oracle_nr_mapped(struct oracle_mm *om, unsigned long addr, unsigned long len);
bool oracle_is_free(struct oracle_mm *om, unsigned long addr, unsigned long len);
bool oracle_is_free_for_us(struct oracle_mm *om, unsigned long addr, unsigned long len);
/* @b follows @a in one area. */
bool oracle_same_area(const struct oracle_page *a, const struct oracle_page *b);
/* RLIMIT_DATA counts it. */
bool oracle_is_data(const struct oracle_page *page);
/* @pages more (NO_MORE: as many as now), and @data more that count as data (likewise). */
#define NO_MORE (1UL << 63)
bool oracle_within_limits(struct oracle_mm *om, unsigned long pages, unsigned long data);
/* Where mmap(2) puts @len bytes, or -errno. */
long oracle_place(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 flags);

#endif
