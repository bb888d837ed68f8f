/*
 * check.c - the checkers themselves (mm/check.c, buddy_check(), slab_check(), vma_tree_check()):
 * every promise is broken by hand, once, and must be missed.
 *
 *	good state --break one thing--> the checker says so --mend it--> good state again
 *
 * The machine verifies all after each test, so what was mended must be what was broken.
 */
#include "arch/riscv/mmu.h"
#include "lib/string.h"
#include "mm/blocks.h"
#include "mm/internal.h"
#include "mm/shmem.h"
#include "mm/slab.h"
#include "tests/host/unit/breaking.h"
#include "tests/host/unit/space.h"

static struct mm *mm;
static unsigned long addr; /* of three areas: rw-, hole, r--, rw- */
static struct vm_area *area[3];
static struct file *file;

static int check_mm(void)
{
	int faults;

	down_write(&mm->mmap_lock);
	faults = mm_check(mm);
	up_write(&mm->mmap_lock);
	return faults;
}

/* mm_check() finds something and says @words. */
#define MM_SAYS(words) CHECK_PRINTS(CHECK(check_mm() > 0), words)

static void good_state(void)
{
	mm = space_new();
	addr = map_anon(mm, 6, RW);
	CHECK_EQ(vm_munmap(mm, addr + 2 * PAGE_SIZE, PAGE_SIZE), 0);
	CHECK_EQ(vm_mprotect(mm, addr + 3 * PAGE_SIZE, PAGE_SIZE, RO), 0);
	for (unsigned i = 0; i < 3; i++)
		area[i] = i ? area[i - 1]->vm_next : mm->mmap;
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	CHECK_EQ(user_byte(addr + PAGE_SIZE), 0);
	CHECK_EQ(check_mm(), 0);
	CHECK_EQ(vm_check_all(), 0);
}

static void good_file_state(void)
{
	good_state();
	file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	addr = map_file(mm, file, 4, RW, 0);
	CHECK(user_byte(addr) >= 0);
	CHECK_EQ(user_put(addr + 3 * PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(vm_check_all(), 0);
}

static void end(void)
{
	CHECK_EQ(check_mm(), 0);
	CHECK_EQ(vm_check_all(), 0);
	space_end(mm);
	if (file)
		file_put(file);
}

/* The PTE of @at is another one for a moment. */
static void break_pte(unsigned long at, unsigned long val, const char *words)
{
	pte_t *ptep = pte_find(mm, at);

	mmu_sfence(0, NULL, NULL);
	BREAK(ptep->val, val, MM_SAYS, words);
}

/* ---- the list ---- */

TEST(areas_are_sorted_linked_and_aligned)
{
	good_state();
	BREAK(area[1]->vm_mm, NULL, MM_SAYS, "belongs to another mm");
	BREAK(area[0]->vm_end, area[0]->vm_end + 1, MM_SAYS, "empty or unaligned");
	BREAK(area[0]->vm_end, area[0]->vm_start, MM_SAYS, "empty or unaligned");
	BREAK(area[0]->vm_start, MMAP_MIN_ADDR - PAGE_SIZE, MM_SAYS, "leaves the user half");
	BREAK(area[2]->vm_end, TASK_SIZE + PAGE_SIZE, MM_SAYS, "leaves the user half");
	BREAK(area[0]->vm_end, area[1]->vm_end, MM_SAYS, "order or links");
	BREAK(area[1]->vm_prev, area[2], MM_SAYS, "order or links");
	BREAK(area[1]->vm_prev, NULL, MM_SAYS, "list head is wrong");
	end();
}

TEST(flags_of_an_area_make_sense)
{
	u32 flags;

	good_file_state();
	flags = area[0]->vm_flags;
	BREAK(area[0]->vm_flags, flags | VM_LOCKONFAULT, MM_SAYS, "VM_LOCKONFAULT without");
	flags = vma_lookup(mm, addr)->vm_flags;
	BREAK(vma_lookup(mm, addr)->vm_flags, flags | VM_WIPEONFORK, MM_SAYS, "wiped on fork");
	end();
}

TEST(a_file_knows_its_areas)
{
	struct list_head *link;

	good_file_state();
	link = &vma_lookup(mm, addr)->vm_mapping_link;
	list_del(link);
	MM_SAYS("its file does not know of it");
	BREAK(link->next, NULL, MM_SAYS, "its file does not know of it");
	list_add(link, &host_file_mapping(file)->areas);
	end();
}

TEST(equal_neighbours_are_one)
{
	good_state();
	BREAK(area[1]->vm_prot, RW, MM_SAYS, "should be one");
	end();
}

TEST(the_tree_agrees_with_the_list)
{
	static struct vm_area gone;

	good_state();
	BREAK(area[0]->vm_gap_max, area[0]->vm_gap_max + 1, MM_SAYS, "gap index is");
	BREAK(area[1]->vm_gap, area[1]->vm_gap + 1, MM_SAYS, "gap index is");
	BREAK(mm->last_hit, &gone, MM_SAYS, "look-ups begin at an area that is gone");
	BREAK(mm->mm_rb.rb_node->parent_color, 0, MM_SAYS, "not balanced"); /* a red root */
	BREAK(mm->mm_rb.rb_node->rb_left, NULL, MM_SAYS, "tree and list differ");
	end();
}

TEST(sums_are_the_sums)
{
	good_state();
	BREAK(mm->nr_areas, 4, MM_SAYS, "3 areas listed, 4 counted");
	BREAK(mm->total_vm, 6, MM_SAYS, "sizes: total 6/5");
	BREAK(mm->data_vm, 5, MM_SAYS, "data 5/4");
	BREAK(mm->stack_vm, 1, MM_SAYS, "stack 1/0");
	BREAK(mm->exec_vm, 1, MM_SAYS, "exec 1/0");
	BREAK(mm->committed_vm, 5, MM_SAYS, "committed: 5 counted, 4 found");
	BREAK(mm->locked_vm, 1, MM_SAYS, "locked pages: 1 counted, 0 in areas");
	BREAK(mm->start_brk, mm->brk + 1, MM_SAYS, "brk below its start");
	BREAK(mm->rss_anon, 2, MM_SAYS, "anon 2 counted, 1 found");
	BREAK(mm->rss_file, 1, MM_SAYS, "file 1 counted, 0 found");
	BREAK(mm->nr_ptes, 3, MM_SAYS, "3 tables counted, 2 found");
	end();
}

BARE_TEST(who_checks_holds_the_lock)
{
	machine_boot(TEST_PAGES, 1);
	mm = mm_alloc();
	CHECK_PANIC(mm_check(mm), "rwsem_held_write");
}

/* ---- PTEs ---- */

TEST(ptes_lie_in_areas_and_grant_no_more)
{
	unsigned long zero;

	good_state();
	zero = pte_at(mm, addr + PAGE_SIZE);
	break_pte(addr + 2 * PAGE_SIZE, zero, "PTE outside every area");
	break_pte(addr, 0x100, "stray PTE 0x100");
	break_pte(addr, swap_entry(3, 17).val, "names no slot in use");
	break_pte(addr + 2 * PAGE_SIZE, swap_entry(3, 17).val, "swap entry outside every area");
	break_pte(addr, pte_at(mm, addr) | PTE_X, "grants more than the area");
	break_pte(addr + 3 * PAGE_SIZE, zero | PTE_W, "grants more than the area");
	break_pte(addr + PAGE_SIZE, zero | PTE_W, "bad zero-page PTE");
	break_pte(addr, pte_at(mm, addr) | PTE_SPECIAL, "bad zero-page PTE");
	break_pte(addr, pte_make(1, PTE_V | PTE_U | PTE_R).val, "names no frame");
	break_pte(addr, pte_make(page_to_pfn(virt_to_page(mm->pgd)), PTE_V | PTE_U | PTE_R).val,
		  "not user memory");
	end();
}

TEST(a_leaf_is_at_level_0)
{
	pte_t *slot;

	good_state();
	slot = &mm->pgd[pt_index(addr, 2)];
	mmu_sfence(0, NULL, NULL);
	BREAK(slot->val, slot->val | PTE_R, MM_SAYS, "a leaf at level 2");
	end();
}

TEST(anonymous_pages_name_their_family_and_place)
{
	struct page *page;

	good_state();
	page = page_at(mm, addr);
	BREAK(page->mapping, NULL, MM_SAYS, "of another family");
	BREAK(page->index, page->index + 1, MM_SAYS, "page has index");
	BREAK(area[0]->vm_anon, false, MM_SAYS, "does not know of its anonymous page");
	BREAK(page->mapcount.counter, 2, MM_SAYS, "more mappings than references");
	end();
}

TEST(file_pages_are_the_files)
{
	unsigned long first;

	good_file_state();
	first = pte_at(mm, addr);
	break_pte(addr, pte_at(mm, addr + PAGE_SIZE), "page of another file or offset");
	break_pte(area[0]->vm_start + PAGE_SIZE, first, "file page in an anonymous area");
	break_pte(addr, first | PTE_W | PTE_D, "private file page is writable");
	BREAK(page_at(mm, addr)->mapping, NULL, MM_SAYS, "page of another file or offset");
	end();
}

TEST(a_shared_page_that_may_be_written_is_dirty)
{
	unsigned long shared;

	good_file_state();
	shared = vm_mmap(mm, file, 0, PAGE_SIZE, RW, MAP_SHARED, 0);
	CHECK(user_byte(shared) >= 0);
	break_pte(shared, pte_at(mm, shared) | PTE_W | PTE_D, "writable, but not dirty");
	CHECK_EQ(user_put(shared, 1), FAULT_OK);
	BREAK(page_at(mm, shared)->flags, page_flags(page_at(mm, shared)) & ~PG_DIRTY, MM_SAYS,
	      "writable, but not dirty");
	end();
}

/* ---- all of memory ---- */

TEST(mapcounts_are_the_ptes)
{
	struct page *page;

	good_state();
	page = page_at(mm, addr);
	page_get(page);
	BREAK(page->mapcount.counter, 2, ALL_SAYS, "mapcount does not equal the PTEs");
	page_put(page);
	BREAK(zero_page->mapcount.counter, 1, ALL_SAYS, "mapped, but not user memory");
	end();
}

TEST(a_shared_page_is_not_writable)
{
	struct mm *child;
	pte_t *ptep;

	good_state();
	child = mm_fork(mm);
	ptep = pte_find(mm, addr);
	BREAK(ptep->val, ptep->val | PTE_W, ALL_SAYS, "copy-on-write still shares the page");
	mm_put(child);
	end();
}

TEST(every_frame_has_its_references)
{
	struct page *page;

	good_file_state();
	page = page_at(mm, addr);
	BREAK(page->refcount.counter, 0, ALL_SAYS, "too few references");
	page = alloc_page(GFP_KERNEL);
	BREAK(page->type, PAGE_ANON, ALL_SAYS, "nobody maps: leaked");
	page_put(page);
	end();
}

TEST(kinds_of_frames_are_counted)
{
	struct page *page = alloc_page(GFP_KERNEL);

	good_state();
	page->mapping = mm;
	BREAK(page->type, PAGE_TABLE, ALL_SAYS, "3 pages are page tables, 2 are counted");
	page->mapping = NULL;
	BREAK(mm->nr_ptes, 3, ALL_SAYS, "2 pages are page tables, 3 are counted");
	page_put(page);
	end();
}

TEST(cache_pages_are_counted)
{
	struct page *page = alloc_page(GFP_KERNEL);

	good_file_state();
	page->mapping = host_file_mapping(file);
	page->index = 77;
	BREAK(page->type, PAGE_FILE, ALL_SAYS, "5 pages are cache, 4 are counted");
	BREAK(page->type, PAGE_FILE, ALL_SAYS, "5 pages are buffers, 4 are counted");
	page->mapping = NULL;
	page_put(page);
	end();
}

TEST(pages_of_shared_memory_are_counted)
{
	good_state();
	file = host_file(FILE_TMPFS, 4 * PAGE_SIZE);
	addr = map_file(mm, file, 4, RW, 0);
	CHECK(user_byte(addr) >= 0);
	shmem_account(host_file_mapping(file), 1);
	ALL_SAYS("1 pages are of shared memory, 2 are counted");
	shmem_account(host_file_mapping(file), -1);
	end();
}

TEST(dirty_flags_and_tags_agree)
{
	struct page *page;

	good_file_state();
	page = page_at(mm, addr);
	BREAK(page->flags, page->flags | PG_DIRTY, ALL_SAYS, "flag and tag disagree");
	BREAK(page->flags, page->flags | PG_WRITEBACK, ALL_SAYS, "without the tag");
	filemap_set_dirty(host_file_mapping(file), page);
	BREAK(page->flags, page->flags & ~PG_DIRTY, ALL_SAYS, "flag and tag disagree");
	BREAK(page->flags, page->flags & ~PG_UPTODATE, ALL_SAYS, "dirty, but not up to date");
	BREAK(nr_dirty_pages, 2, ALL_SAYS, "1 pages are dirty, 2 are counted");
	CHECK_EQ(filemap_write_all(host_file_mapping(file)), 0);
	page = alloc_page(GFP_KERNEL);
	page->type = PAGE_FILE;
	BREAK(page->flags, PG_WRITEBACK, ALL_SAYS, "but of no file");
	page->type = PAGE_KERNEL;
	page_put(page);
	end();
}

/* ---- the allocators ---- */

/* A free block of @order that is on a list. */
static struct page *listed_block(unsigned order)
{
	for (unsigned long i = 0; i < mem_map_nr; i++) {
		if ((mem_map[i].flags & PG_BUDDY) && mem_map[i].order == order)
			return &mem_map[i];
	}
	CHECK(!"there is a block");
	return NULL;
}

TEST(free_blocks_are_free_aligned_and_melted)
{
	struct page *block = listed_block(MAX_ORDER), *page, *buddy;

	BREAK(block->flags, 0, ALL_SAYS, "head does not say so");
	BREAK(block->order, 3, ALL_SAYS, "head does not say so");
	BREAK(block[5].type, PAGE_KERNEL, ALL_SAYS, "page in a free block is in use");
	BREAK(block[5].refcount.counter, 1, ALL_SAYS, "page in a free block is in use");

	/* Two buddies are both on the list. */
	page = alloc_pages(1, GFP_KERNEL);
	buddy = page + 1;
	page->order = 0;
	page_put(page);
	buddy_drain_local();
	CHECK(page->flags & PG_BUDDY);
	*buddy = (struct page){ .flags = PG_BUDDY, .type = PAGE_FREE };
	list_add(&buddy->lru, &page->lru);
	ALL_SAYS("two free buddies were not melted");
	ALL_SAYS("blocks listed");
	/* One of them is a page further than a block of its order may be. */
	buddy->order = 1;
	ALL_SAYS("free block's head does not say so");
	list_del(&buddy->lru);
	*buddy = (struct page){ .type = PAGE_KERNEL, .refcount = { 1 } };
	free_pages(buddy, 0);
}

TEST(a_block_of_another_alignment_is_none)
{
	struct page *block = listed_block(MAX_ORDER);
	struct list_head *prev = block->lru.prev;

	/* Its list entry is that of the second page for a moment. */
	list_del(&block->lru);
	block[1].flags = PG_BUDDY;
	block[1].order = MAX_ORDER;
	list_add(&block[1].lru, prev);
	ALL_SAYS("free block not aligned to its order");
	list_del(&block[1].lru);
	block[1].flags = 0;
	block[1].order = 0;
	list_add(&block->lru, prev);
}

TEST(pages_at_hand_are_free_and_counted)
{
	struct page *page = alloc_page(GFP_KERNEL);
	struct list_head *prev;
	char words[64];

	page_put(page);
	prev = page->lru.prev;
	list_del(&page->lru);
	snprintf(words, sizeof(words), "hart 0: %lu pages listed, %lu counted", pcp_nr_pages() - 1,
		 pcp_nr_pages());
	ALL_SAYS(words);
	list_add(&page->lru, prev);
	BREAK(page->flags, 0, ALL_SAYS, "page on a hart's list is not free");
	BREAK(page->type, PAGE_KERNEL, ALL_SAYS, "page on a hart's list is not free");
}

TEST(what_is_marked_free_is_on_a_list)
{
	struct page *page = alloc_page(GFP_KERNEL);

	BREAK(page->type, PAGE_FREE, ALL_SAYS, "pages are marked free");
	page_put(page);
}

TEST(slabs_add_up)
{
	struct kmem_cache *cache = kmem_cache_create("test", 64, 0);
	void *obj = kmem_cache_alloc(cache, GFP_KERNEL);
	struct page *slab = virt_to_page(obj);
	void **first = (void **)slab->index;

	BREAK(slab->inuse, slab->inuse + 1, ALL_SAYS, "objects of a slab do not add up");
	BREAK(slab->index, 0, ALL_SAYS, "objects of a slab do not add up");
	BREAK(slab->index, slab->index + 8, ALL_SAYS, "free chain of a slab is corrupt");
	BREAK(*first, first, ALL_SAYS, "free chain of a slab is corrupt"); /* for ever round */
	BREAK(*first, (void *)page_address(slab + 1), ALL_SAYS, "free chain of a slab is corrupt");
	kmem_cache_free(cache, obj);
}

/* ---- in the middle of an edit ---- */

ONCE_MEANWHILE(the_writer_ends)
{
	machine_run_on(1);
	up_write(&mm->mmap_lock);
}

TEST(an_edit_is_waited_for)
{
	struct mm *other = mm_alloc();

	good_state();
	machine_run_on(1);
	down_write(&mm->mmap_lock);
	machine_run_on(0);
	machine_meanwhile = the_writer_ends;
	CHECK_EQ(vm_check_all(), 0);
	CHECK(the_writer_ends_happened);
	machine_meanwhile = NULL;
	mm_put(other);
	end();
}
