/*
 * mmcheck.c - the checker itself: every promise is broken once, by hand, and it must tell.
 *
 *	a good list --> one field is made wrong --> mm_check() says which --> made good again
 *
 * Each row also shows that what is told is that promise and not another. vm_check_all() is for what
 * no address space can know by itself: counts of frames over all of them.
 */
#include "tests/host/unit/areas.h"
#include "tests/host/unit/console.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/pgtable.h"

/* mm_check() finds nothing; with @field as @value it says @words; and with what it was nothing. */
#define BREAKS(mm, field, value, words)                                                            \
	do {                                                                                       \
		__typeof__(field) was_ = (field);                                                  \
		int faults_;                                                                       \
		down_write(&(mm)->mmap_lock);                                                      \
		CHECK_EQ(mm_check(mm), 0);                                                         \
		(field) = (value);                                                                 \
		CHECK_PRINTS(faults_ = mm_check(mm), words);                                       \
		CHECK(faults_ > 0);                                                                \
		(field) = was_;                                                                    \
		CHECK_EQ(mm_check(mm), 0);                                                         \
		up_write(&(mm)->mmap_lock);                                                        \
	} while (0)

/* The same for vm_check_all(), which looks at all of memory. */
#define BREAKS_ALL(field, value, words)                                                            \
	do {                                                                                       \
		__typeof__(field) was_ = (field);                                                  \
		int faults_;                                                                       \
		CHECK_EQ(vm_check_all(), 0);                                                       \
		(field) = (value);                                                                 \
		CHECK_PRINTS(faults_ = vm_check_all(), words);                                     \
		CHECK(faults_ > 0);                                                                \
		(field) = was_;                                                                    \
		CHECK_EQ(vm_check_all(), 0);                                                       \
	} while (0)

static pte_t *slot(struct mm *mm, unsigned column)
{
	return pte_find(mm, at(column));
}

static struct page *page_at(struct mm *mm, unsigned column)
{
	return pfn_to_page(pte_pfn(pte_read(slot(mm, column))));
}

/* ---- the list ---- */

TEST(an_areas_borders)
{
	struct mm *mm = areas("..rr..ww..RR");
	struct vm_area *r = mm->mmap, *w = r->vm_next;

	BREAKS(mm, w->vm_mm, NULL, "belongs to another mm");
	BREAKS(mm, w->vm_end, w->vm_start, "is empty or unaligned");
	BREAKS(mm, w->vm_end, w->vm_start - PAGE_SIZE, "is empty or unaligned");
	BREAKS(mm, w->vm_end, w->vm_end - 1, "is empty or unaligned");
	BREAKS(mm, w->vm_start, w->vm_start + 8, "is empty or unaligned");
	BREAKS(mm, r->vm_start, MMAP_MIN_ADDR - PAGE_SIZE, "leaves the user half");
	BREAKS(mm, w->vm_next->vm_end, TASK_SIZE + PAGE_SIZE, "leaves the user half");
	BREAKS(mm, r->vm_end, w->vm_start + PAGE_SIZE, "order or links");
	areas_done(mm);
}

TEST(the_lists_links)
{
	struct mm *mm = areas("..rr..ww..RR");
	struct vm_area *r = mm->mmap, *w = r->vm_next;

	BREAKS(mm, mm->mmap, w, "area tree and list differ");
	BREAKS(mm, w->vm_prev, NULL, "list head is wrong");
	BREAKS(mm, w->vm_prev, w->vm_next, "order or links");
	BREAKS(mm, r->vm_next, w->vm_next, "2 areas listed, 3 counted");
	BREAKS(mm, mm->nr_areas, 2, "3 areas listed, 2 counted");
	areas_done(mm);
}

TEST(neighbours_that_should_be_one)
{
	struct mm *mm = areas("rrww");

	/* Made read-only without a merge; the sums are told as well. */
	BREAKS(mm, mm->mmap->vm_next->vm_prot, PROT_READ, "should be one");
	areas_done(mm);
}

TEST(sums)
{
	struct mm *mm = areas("wwxxss");

	BREAKS(mm, mm->total_vm, 5, "sizes: total 5/6");
	BREAKS(mm, mm->data_vm, 3, "data 3/2");
	BREAKS(mm, mm->stack_vm, 0, "stack 0/2");
	BREAKS(mm, mm->exec_vm, 1, "exec 1/2");
	BREAKS(mm, mm->start_brk, at(9), "brk below its start");
	areas_done(mm);
}

/* ---- page tables ---- */

TEST(a_pte_where_no_area_is)
{
	struct mm *mm = areas("ww..");
	pte_t *ptep;

	touch("ww..");
	ptep = slot(mm, 2);
	BREAKS(mm, *ptep, pte_read(slot(mm, 0)), "0x40002000: PTE outside every area");
	BREAKS(mm, *ptep, ((pte_t){ 0x5000 }), "0x40002000: stray PTE 0x5000");
	areas_done(mm);
}

TEST(a_pte_that_grants_too_much)
{
	struct mm *mm = areas("rwxR");
	static const unsigned long added[] = { PTE_W, PTE_X, PTE_W };

	touch("rwxr");
	for (unsigned column = 0; column < 3; column++) {
		pte_t *ptep = slot(mm, column), more = { ptep->val | added[column] };

		BREAKS(mm, *ptep, more, "grants more than the area");
	}
	areas_done(mm);
}

TEST(what_a_pte_maps)
{
	struct mm *mm = areas("wwRRWw");
	pte_t *anon, *file, *zero, *writable, bad;

	touch("w.r.rr");
	anon = slot(mm, 0), file = slot(mm, 2), writable = slot(mm, 4), zero = slot(mm, 5);
	bad.val = zero->val | PTE_W;
	BREAKS(mm, *zero, bad, "bad zero-page PTE");
	bad.val = anon->val | PTE_SPECIAL;
	BREAKS(mm, *anon, bad, "bad zero-page PTE");
	bad = pte_make(7, anon->val & (PTE_LEAF | PTE_V | PTE_U));
	BREAKS(mm, *anon, bad, "names no frame");
	bad.val = writable->val | PTE_W;
	BREAKS(mm, *writable, bad, "private file page is writable");
	BREAKS(mm, *anon, *file, "file page in an anonymous area");
	bad = pte_make(pte_pfn(*anon), file->val & (PTE_LEAF | PTE_V | PTE_U));
	BREAKS(mm, *file, bad, "page has index");
	BREAKS(mm, *slot(mm, 3), *file, "page of another file or offset");
	BREAKS(mm, page_at(mm, 0)->type, PAGE_TABLE, "a page that is not user memory");
	areas_done(mm);
}

TEST(whose_page_it_is)
{
	struct mm *mm = areas("wwRR"), *other = mm_alloc();
	struct page *anon, *file;

	touch("w.r.");
	anon = page_at(mm, 0), file = page_at(mm, 2);
	BREAKS(mm, anon->mapping, (void *)((unsigned long)other->anon_root | PAGE_MAPPING_ANON),
	       "anonymous page of another family");
	BREAKS(mm, anon->index, anon->index + 1, "page has index");
	BREAKS(mm, file->index, file->index + 1, "page of another file or offset");
	BREAKS(mm, file->mapping, host_file_mapping(area_file(1)), "page of another file");
	BREAKS(mm, file->mapping, NULL, "page of another file");
	BREAKS(mm, mm->mmap->vm_anon, false, "does not know of its anonymous page");
	BREAKS(mm, anon->mapcount.counter, 5, "more mappings than references");
	mm_put(other);
	areas_done(mm);
}

/* A truncation takes the pages out of the cache first, and the PTEs afterwards. */
TEST(a_truncation_on_its_way_is_no_fault)
{
	struct mm *mm = areas("RR");
	struct address_space *as = host_file_mapping(area_file(0));
	u64 size = as->size;
	struct page *page;

	touch("r.");
	page = page_at(mm, 0);
	BREAKS(mm, page->mapping, NULL, "page of another file or offset");
	as->size = 0;
	page->mapping = NULL;
	down_write(&mm->mmap_lock);
	CHECK_EQ(mm_check(mm), 0);
	up_write(&mm->mmap_lock);
	page->mapping = as;
	as->size = size;
	areas_done(mm);
}

TEST(counts_of_pages_and_tables)
{
	struct mm *mm = areas("wwRR");
	pte_t *root = &mm->pgd[pt_index(at(0), 2)];

	touch("w.r.");
	BREAKS(mm, mm->rss_anon, 2, "anon 2 counted, 1 found");
	BREAKS(mm, mm->rss_file, 7, "file 7 counted");
	BREAKS(mm, mm->nr_ptes, 3, "3 tables counted, 2 found");
	BREAKS(mm, root->val, root->val | PTE_R, "a leaf at level 2");
	areas_done(mm);
}

/* ---- all of memory ---- */

TEST(one_broken_space_is_told_of_all)
{
	struct mm *mm = areas("wwxx");

	BREAKS_ALL(mm->total_vm, 9, "sizes: total 9/4");
	areas_done(mm);
}

TEST(a_shared_page_that_is_writable)
{
	struct mm *mm = areas("ww"), *child;
	pte_t *ptep;

	touch("ww");
	child = mm_fork(mm);
	ptep = slot(mm, 1);
	BREAKS_ALL(ptep->val, ptep->val | PTE_W, "writable, but copy-on-write still shares");
	mm_put(child);
	areas_done(mm);
}

TEST(frames_and_their_counts)
{
	struct mm *mm = areas("wwRR");
	struct page *anon, *file, *table;

	touch("w.r.");
	anon = page_at(mm, 0), file = page_at(mm, 2), table = virt_to_page(slot(mm, 0));
	BREAKS_ALL(file->mapcount.counter, 0, "mapcount does not equal the PTEs");
	BREAKS_ALL(anon->refcount.counter, 0, "too few references");
	BREAKS_ALL(table->mapcount.counter, 1, "mapped, but not user memory");
	BREAKS_ALL(table->mapping, NULL, "frames are page tables");
	BREAKS_ALL(file->mapping, NULL, "pages are cache");
	BREAKS_ALL(file->flags, file->flags | PG_DIRTY, "pages are dirty");
	areas_done(mm);
}

/* A page that no PTE maps and somebody has a reference to: nobody will ever free it. */
TEST(a_leaked_page)
{
	struct mm *mm = areas("w");
	struct page *page;

	touch("w");
	page = page_at(mm, 0);
	page_get(page);
	CHECK_EQ(vm_munmap(mm, at(0), PAGE_SIZE), 0);
	CHECK_PRINTS(CHECK(vm_check_all() > 0), "anonymous memory that nobody maps: leaked");
	page_put(page);
	areas_done(mm);
}

/* ---- it waits for who edits ---- */

static struct mm *busy;

static void finish_the_edit(bool locked)
{
	if (locked || busy->mmap_lock.writer != &host_tasks[1])
		return;
	machine_run_on(1);
	up_write(&busy->mmap_lock);
}

TEST(a_half_done_edit_is_not_looked_at)
{
	struct mm *first = areas("rr"), *mm = areas("ww");

	busy = mm;
	machine_run_on(1);
	down_write(&mm->mmap_lock);
	mm->total_vm++; /* in the middle of something */
	mm->total_vm--;
	machine_run_on(0);
	machine_meanwhile = finish_the_edit;
	CHECK_EQ(vm_check_all(), 0);
	machine_meanwhile = NULL;
	CHECK(!mm->mmap_lock.writer);
	mm_put(first);
	areas_done(mm);
}
