/*
 * rmapanon.c - from an anonymous page to all who map it (mm/rmap.c, mm/anon_root.c), after every
 * edit that moves, cuts or joins the areas which show it.
 *
 *	column      0  1  2  3  4  5  6     page 1 of the parent is shared after fork:
 *	parent     [.  a  .  .  .)          the walk finds parent and child,
 *	child            [.  a  .  .  .)    wherever mremap has put it
 */
#include "lib/errno.h"
#include "mm/anon_root.h"
#include "mm/internal.h"
#include "mm/rmap.h"
#include "mm/vma.h"
#include "tests/host/unit/console.h"
#include "tests/host/unit/failing.h"
#include "tests/host/unit/space.h"

#define TO (MREMAP_MAYMOVE | MREMAP_FIXED)

static unsigned long at(unsigned column)
{
	return 0x40000000UL + (unsigned long)column * PAGE_SIZE;
}

static void map(struct mm *mm, unsigned column, unsigned n)
{
	CHECK_EQ(vm_mmap(mm, NULL, at(column), n * PAGE_SIZE, RW, ANON | MAP_FIXED, 0), at(column));
}

static void move(struct mm *mm, unsigned from, unsigned n, unsigned to, u32 flags)
{
	CHECK_EQ(vm_mremap(mm, at(from), n * PAGE_SIZE, n * PAGE_SIZE, TO | flags, at(to)), at(to));
}

static void put_as(struct mm *mm, unsigned column, u8 byte)
{
	machine_use_mm(mm);
	CHECK_EQ(user_put(at(column), byte), FAULT_OK);
}

static int byte_as(struct mm *mm, unsigned column)
{
	machine_use_mm(mm);
	return user_byte(at(column));
}

/* ---- who maps a page ---- */

struct sighting {
	struct mm *mm;
	unsigned long addr;
};

static struct sighting seen[16];
static unsigned nr_seen, wanted;

static bool note(struct mm *mm, unsigned long addr, pte_t *ptep, void *arg)
{
	CHECK(arg == seen);
	CHECK(ptep == pte_find(mm, addr));
	CHECK(nr_seen < ARRAY_SIZE(seen));
	seen[nr_seen++] = (struct sighting){ mm, addr };
	return nr_seen != wanted;
}

static unsigned look_for(struct page *page, u32 flags)
{
	struct rmap_walk walk = { .flags = flags, .visit = note, .arg = seen };
	bool all;

	nr_seen = 0;
	all = rmap_walk(page, &walk);
	CHECK_EQ(all, nr_seen != wanted || wanted == 0);
	return nr_seen;
}

static bool saw(const struct mm *mm, unsigned column)
{
	for (unsigned i = 0; i < nr_seen; i++) {
		if (seen[i].mm == mm && seen[i].addr == at(column))
			return true;
	}
	return false;
}

/* The page at @column of @mm is found there, and @others times elsewhere; all is well. */
static void check_found(struct mm *mm, unsigned column, unsigned others)
{
	struct page *page = page_at(mm, at(column));

	CHECK(page != NULL);
	CHECK_EQ(look_for(page, 0), others + 1);
	CHECK(saw(mm, column));
	CHECK_EQ(rmap_count(page), atomic_read(&page->mapcount));
	CHECK_EQ(vm_check_all(), 0);
}

/* ---- one address space ---- */

TEST(pages_of_an_area_that_is_cut_and_joined)
{
	struct mm *mm = space_new();

	map(mm, 0, 9);
	for (unsigned i = 0; i < 9; i++)
		put_as(mm, i, i);
	CHECK_EQ(vm_mprotect(mm, at(3), 3 * PAGE_SIZE, RO), 0);
	for (unsigned i = 0; i < 9; i++)
		check_found(mm, i, 0);
	CHECK_EQ(vm_mprotect(mm, at(3), 3 * PAGE_SIZE, RW), 0);
	CHECK_EQ(mm->nr_areas, 1);
	for (unsigned i = 0; i < 9; i++)
		check_found(mm, i, 0);
	CHECK_EQ(vm_munmap(mm, at(4), PAGE_SIZE), 0);
	check_found(mm, 3, 0);
	check_found(mm, 8, 0);
	CHECK_EQ(vm_mprotect(mm, at(0), 4 * PAGE_SIZE, PROT_NONE), 0);
	check_found(mm, 3, 0); /* hidden is not gone */
	space_end(mm);
}

/* Only one of two that become one had pages: the other way round each time. */
TEST(what_merges_takes_over)
{
	for (unsigned touched = 0; touched < 3; touched++) {
		struct mm *mm = space_new();

		map(mm, 0, 6);
		CHECK_EQ(vm_mprotect(mm, at(2), 2 * PAGE_SIZE, RO), 0);
		if (touched != 1)
			put_as(mm, touched * 2, 1);
		CHECK_EQ(vm_mprotect(mm, at(2), 2 * PAGE_SIZE, RW), 0);
		CHECK_EQ(mm->nr_areas, 1);
		put_as(mm, 2, 1);
		check_found(mm, 2, 0);
		map(mm, 6, 2); /* grows at its end, */
		put_as(mm, 7, 1);
		check_found(mm, 7, 0);
		CHECK_EQ(vm_munmap(mm, at(0), PAGE_SIZE), 0);
		map(mm, 0, 1); /* and at its start */
		put_as(mm, 0, 1);
		check_found(mm, 0, 0);
		CHECK_EQ(mm->nr_areas, 1);
		space_end(mm);
	}
}

TEST(pages_that_move_both_ways)
{
	struct mm *mm = space_new();

	map(mm, 0, 4);
	for (unsigned i = 0; i < 4; i++)
		put_as(mm, i, i);
	move(mm, 1, 2, 600, 0); /* another leaf table */
	check_found(mm, 600, 0);
	check_found(mm, 601, 0);
	check_found(mm, 3, 0);
	map(mm, 1, 2); /* the same indices, once more */
	put_as(mm, 1, 9);
	check_found(mm, 1, 0);
	check_found(mm, 600, 0);
	move(mm, 600, 2, 1, 0);
	check_found(mm, 1, 0);
	CHECK_EQ(byte_as(mm, 1), 1);
	CHECK_EQ(mm->nr_areas, 1);
	space_end(mm);
}

TEST(twins_of_dontunmap)
{
	struct mm *mm = space_new();
	struct page *page;

	map(mm, 0, 4);
	put_as(mm, 2, 7);
	page = page_at(mm, at(2));
	move(mm, 0, 4, 10, MREMAP_DONTUNMAP);
	CHECK(page_at(mm, at(12)) == page);
	check_found(mm, 12, 0);
	put_as(mm, 2, 8); /* the old area has another page of the same index */
	CHECK(page_at(mm, at(2)) != page);
	CHECK_EQ(page_at(mm, at(2))->index, page->index);
	check_found(mm, 2, 0);
	check_found(mm, 12, 0);
	CHECK_EQ(vm_munmap(mm, at(0), 4 * PAGE_SIZE), 0);
	check_found(mm, 12, 0);
	space_end(mm);
}

/* ---- a family ---- */

TEST(a_chain_of_children_each_of_whom_moves_it)
{
	struct mm *mm[6];
	struct page *page;

	mm[0] = space_new();
	map(mm[0], 0, 4);
	put_as(mm[0], 1, 7);
	page = page_at(mm[0], at(1));
	for (unsigned i = 1; i < 6; i++) {
		unsigned last = i > 1 ? i * 10 - 9 : 1;

		mm[i] = mm_fork(mm[i - 1]);
		check_found(mm[i], last, i);
		move(mm[i], last - 1, 4, i * 10, 0);
		check_found(mm[i], i * 10 + 1, i);
	}
	for (unsigned i = 0; i < 6; i++)
		CHECK(saw(mm[i], i * 10 + 1));
	put_as(mm[2], 21, 8); /* a copy of its own */
	CHECK_EQ(look_for(page, 0), 5);
	CHECK(!saw(mm[2], 21));
	check_found(mm[2], 21, 0);
	machine_use_mm(NULL);
	mm_put(mm[0]); /* the parent dies first */
	check_found(mm[5], 51, 3);
	for (unsigned i = 1; i < 6; i++) {
		mm_put(mm[i]);
		CHECK_EQ(vm_check_all(), 0);
	}
}

/* Relatives edit on their own: what one cuts, moves or unmaps is not the other's. */
TEST(relatives_edit_their_own)
{
	struct mm *parent = space_new(), *child;

	map(parent, 0, 8);
	for (unsigned i = 0; i < 8; i++)
		put_as(parent, i, i);
	child = mm_fork(parent);
	CHECK_EQ(vm_munmap(parent, at(0), 4 * PAGE_SIZE), 0);
	check_found(child, 3, 0);
	check_found(child, 4, 1);
	CHECK_EQ(vm_mprotect(child, at(5), PAGE_SIZE, RO), 0);
	check_found(parent, 5, 1);
	check_found(child, 7, 1);
	CHECK_EQ(vm_mprotect(child, at(5), PAGE_SIZE, RW), 0);
	move(parent, 6, 2, 20, 0);
	check_found(parent, 21, 1);
	CHECK(saw(child, 7));
	CHECK_EQ(vm_munmap(child, at(7), PAGE_SIZE), 0);
	check_found(parent, 21, 0);
	machine_use_mm(NULL);
	space_end(child);
	space_end(parent);
}

/* A new family (exec) has nothing of the old one, and strangers show the same indices. */
TEST(strangers_are_not_asked)
{
	struct mm *parent = space_new(), *stranger = mm_alloc();

	map(parent, 0, 2);
	map(stranger, 0, 2);
	put_as(parent, 1, 1);
	put_as(stranger, 1, 2);
	check_found(parent, 1, 0);
	check_found(stranger, 1, 0);
	CHECK(parent->anon_root != stranger->anon_root);
	machine_use_mm(NULL);
	space_end(parent);
	check_found(stranger, 1, 0);
	space_end(stranger);
}

TEST(private_copies_of_a_files_pages)
{
	struct mm *mm = space_new(), *child;
	struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
	unsigned long addr = map_file(mm, file, 4, RW, 0);
	struct page *copy, *cached;

	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	CHECK(user_byte(addr) >= 0);
	child = mm_fork(mm);
	machine_use_mm(child);
	CHECK(user_byte(addr) >= 0);
	copy = page_at(mm, addr + PAGE_SIZE);
	cached = page_at(mm, addr);
	CHECK_EQ(look_for(copy, 0), 2);
	CHECK_EQ(look_for(cached, 0), 2);
	CHECK_EQ(look_for(cached, VM_SHARED), 0);
	CHECK_EQ(vm_check_all(), 0);
	machine_use_mm(NULL);
	space_end(child);
	CHECK_EQ(look_for(copy, 0), 1);
	CHECK_EQ(look_for(cached, 0), 1);
	space_end(mm);
	file_put(file);
}

/* ---- the walk itself ---- */

TEST(a_visitor_ends_the_walk)
{
	struct mm *parent = space_new(), *child;

	map(parent, 0, 1);
	put_as(parent, 0, 1);
	child = mm_fork(parent);
	wanted = 1;
	CHECK_EQ(look_for(page_at(parent, at(0)), 0), 1);
	wanted = 0;
	space_end(child);
	space_end(parent);
}

TEST(what_nobody_maps_has_no_family)
{
	struct mm *mm = space_new();
	struct page *page, *kernels = alloc_page(GFP_KERNEL);

	map(mm, 0, 1);
	put_as(mm, 0, 1);
	page = page_at(mm, at(0));
	page_get(page);
	space_end(mm);
	CHECK(anon_root_of_page(page) == NULL);
	CHECK_EQ(rmap_count(page), 0);
	CHECK_EQ(rmap_count(kernels), 0);
	CHECK_EQ(rmap_count(zero_page), 0);
	page_put(page);
	page_put(kernels);
}

/* ---- locked in memory ---- */

/* True if the walk that ends at locked places gets past all of them. */
static bool may_take(struct page *page)
{
	nr_seen = 0;
	return rmap_walk(page,
			 &(struct rmap_walk){ .stop_at_locked = true, .visit = note, .arg = seen });
}

static void lock_in_memory(struct mm *mm, unsigned long start, unsigned n)
{
	struct flag_change change = { .set = VM_LOCKED };

	down_write(&mm->mmap_lock);
	CHECK_EQ(vma_change_flags(mm, start, start + n * PAGE_SIZE, &change), 0);
	up_write(&mm->mmap_lock);
}

TEST(locked_places_end_the_walk)
{
	struct mm *parent = space_new(), *child;
	struct page *page;

	map(parent, 0, 4);
	put_as(parent, 1, 1);
	put_as(parent, 3, 1);
	page = page_at(parent, at(1));
	lock_in_memory(parent, at(3), 1);
	CHECK(may_take(page) && nr_seen == 1);
	CHECK(!may_take(page_at(parent, at(3))) && nr_seen == 0);
	child = mm_fork(parent); /* which has nothing locked */
	CHECK(!may_take(page_at(parent, at(3))) && nr_seen == 0);
	put_as(child, 3, 2);
	CHECK(may_take(page_at(child, at(3))) && nr_seen == 1);
	CHECK(may_take(page) && nr_seen == 2);
	down_write(&parent->mmap_lock); /* an edit: who knows? */
	CHECK(!may_take(page));
	up_write(&parent->mmap_lock);
	lock_in_memory(child, at(0), 2);
	CHECK(!may_take(page));
	CHECK_EQ(look_for(page, 0), 2);
	machine_use_mm(NULL);
	space_end(child);
	CHECK(may_take(page));
	space_end(parent);
}

TEST(locked_areas_of_files)
{
	struct mm *mm = space_new();
	struct file *file = host_file(FILE_DISK, 2 * PAGE_SIZE);
	unsigned long addr = map_file(mm, file, 2, RO, 0);

	CHECK(user_byte(addr) >= 0);
	CHECK(user_byte(addr + PAGE_SIZE) >= 0);
	lock_in_memory(mm, addr + PAGE_SIZE, 1);
	CHECK(may_take(page_at(mm, addr)) && nr_seen == 1);
	CHECK(!may_take(page_at(mm, addr + PAGE_SIZE)) && nr_seen == 0);
	CHECK_EQ(vm_munmap(mm, addr + PAGE_SIZE, PAGE_SIZE), 0);
	space_end(mm);
	file_put(file);
}

/* ---- shifts ---- */

/* Moved so often that most places are out of use: they are forgotten, those in use are not. */
TEST(shifts_out_of_use_are_forgotten)
{
	struct mm *mm = space_new(), *child;

	map(mm, 0, 3);
	for (unsigned i = 0; i < 3; i++)
		put_as(mm, i, i);
	move(mm, 2, 1, 1000, 0);
	for (unsigned i = 1; i < 100; i++) {
		move(mm, i == 1 ? 0 : i * 4, 2, i * 4 + 4, 0);
		check_found(mm, i * 4 + 5, 0);
		CHECK(mm->anon_shifts.nr <= 12);
	}
	check_found(mm, 1000, 0);
	CHECK(mm->anon_shifts.nr > 2);
	child = mm_fork(mm); /* those in use only */
	CHECK_EQ(child->anon_shifts.nr, 2);
	check_found(child, 1000, 1);
	check_found(child, 401, 1);
	machine_use_mm(NULL);
	space_end(mm);
	check_found(child, 401, 0);
	machine_use_mm(NULL);
	space_end(child);
}

/* What comes home has no shift; what is past the end of the user half is not looked for. */
TEST(far_and_home_again)
{
	struct mm *mm = space_new(), *child;
	unsigned top = (TASK_SIZE - at(0)) / PAGE_SIZE - 2;

	map(mm, 0, 2);
	put_as(mm, 1, 1);
	put_as(mm, 0, 1);
	child = mm_fork(mm);
	move(mm, 0, 1, top, 0);
	CHECK_EQ(vma_lookup(mm, at(top))->vm_moved, top);
	check_found(mm, top, 1);
	check_found(mm, 1, 1); /* at(1) plus that is the last page */
	map(mm, 2, 3);
	put_as(mm, 4, 1);
	check_found(mm, 4, 0);
	move(mm, top, 1, 0, 0);
	CHECK_EQ(vma_lookup(mm, at(0))->vm_moved, 0);
	CHECK_EQ(mm->nr_areas, 1);
	check_found(mm, 0, 1);
	space_end(mm);
	space_end(child);
}

/* Private copies of a file's pages are found by where they were made, not by the file's offset. */
TEST(moved_copies_of_a_files_pages)
{
	struct mm *mm = space_new(), *child;
	struct file *file = host_file(FILE_DISK, 8 * PAGE_SIZE);
	unsigned long addr = map_file(mm, file, 4, RW, 3);
	struct page *copy;

	CHECK_EQ(user_put(addr + PAGE_SIZE, 1), FAULT_OK);
	copy = page_at(mm, addr + PAGE_SIZE);
	CHECK_EQ(copy->index, (addr >> PAGE_SHIFT) + 1);
	CHECK_EQ(vm_mremap(mm, addr, 4 * PAGE_SIZE, 4 * PAGE_SIZE, TO, at(20)), at(20));
	check_found(mm, 21, 0);
	CHECK(page_at(mm, at(21)) == copy);
	child = mm_fork(mm);
	check_found(child, 21, 1);
	put_as(child, 22, 1); /* a new one in the moved area */
	check_found(child, 22, 0);
	CHECK_EQ(page_at(child, at(22))->index, (addr >> PAGE_SHIFT) + 2);
	machine_use_mm(NULL);
	space_end(mm);
	check_found(child, 21, 0);
	machine_use_mm(NULL);
	space_end(child);
	file_put(file);
}

/* Parts of one file that lie side by side again, but whose pages were moved differently. */
TEST(neighbours_that_were_moved_differently)
{
	for (unsigned touched = 0; touched < 4; touched++) {
		struct mm *mm = space_new();
		struct file *file = host_file(FILE_DISK, 4 * PAGE_SIZE);
		unsigned long low = map_file(mm, file, 2, RW, 0);
		unsigned long high = map_file(mm, file, 2, RW, 2);

		if (touched & 1)
			CHECK_EQ(user_put(low, 1), FAULT_OK);
		if (touched & 2)
			CHECK_EQ(user_put(high, 1), FAULT_OK);
		CHECK_EQ(vm_mremap(mm, low, 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(20)), at(20));
		CHECK_EQ(vm_mremap(mm, high, 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(22)), at(22));
		CHECK_EQ(mm->nr_areas, touched == 3 ? 2 : 1);
		for (unsigned i = 20; i < 24; i++) {
			put_as(mm, i, i);
			check_found(mm, i, 0);
		}
		space_end(mm);
		file_put(file);
	}
}

/* While it ends, its pages are not found in it any more, and not in tables that are going. */
TEST(who_ends_has_left_the_family)
{
	struct mm *parent = space_new(), *child;
	struct page *page;

	map(parent, 0, 1);
	put_as(parent, 0, 1);
	page = page_at(parent, at(0));
	child = mm_fork(parent);
	anon_root_leave(child);
	CHECK_EQ(look_for(page, 0), 1);
	CHECK(saw(parent, 0));
	anon_root_join(child);
	CHECK_EQ(look_for(page, 0), 2);
	machine_use_mm(NULL);
	space_end(child);
	space_end(parent);
}

TEST(a_move_without_memory_for_its_shift)
{
	struct mm *mm = space_new();

	map(mm, 0, 4);
	put_as(mm, 1, 1);
	CHECK_EQ(
		FAILING(mm, vm_mremap(mm, at(0), 2 * PAGE_SIZE, 2 * PAGE_SIZE, TO, at(9)), -ENOMEM),
		4); /* the area, a table at the worst, the shift, a split */
	check_found(mm, 10, 0);
	space_end(mm);
}

/* ---- what the checker says ---- */

static int check_mm(struct mm *mm)
{
	int faults;

	down_write(&mm->mmap_lock);
	faults = mm_check(mm);
	up_write(&mm->mmap_lock);
	return faults;
}

TEST(a_family_knows_how_far_its_areas_were_moved)
{
	struct mm *mm = space_new(), *child;
	struct vm_area *vma;

	map(mm, 0, 4);
	put_as(mm, 1, 1);
	move(mm, 0, 4, 10, 0);
	child = mm_fork(mm);
	vma = child->mmap;
	CHECK_EQ(vma->vm_moved, 10);
	CHECK_EQ(vm_check_all(), 0);
	vma->vm_moved++;
	CHECK_PRINTS(CHECK(check_mm(child) > 0), "its offset says otherwise");
	vma->vm_pgoff--;
	CHECK_PRINTS(CHECK(check_mm(child) > 0), "does not look where it was moved");
	vma->vm_pgoff++;
	vma->vm_moved--;
	CHECK_EQ(vm_check_all(), 0);
	space_end(child);
	space_end(mm);
}

/* mm_check() sees that an area is on a list; only the walk sees that it is on the right one. */
TEST(each_mapped_frame_is_found)
{
	struct mm *mm = space_new();
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct file *other = host_file(FILE_DISK, PAGE_SIZE);
	unsigned long addr = map_file(mm, file, 1, RO, 0);
	struct list_head *link = &vma_lookup(mm, addr)->vm_mapping_link;

	CHECK(user_byte(addr) >= 0);
	CHECK_EQ(vm_check_all(), 0);
	list_del(link);
	list_add(link, &host_file_mapping(other)->areas);
	CHECK_EQ(check_mm(mm), 0);
	CHECK_PRINTS(CHECK(vm_check_all() > 0), "0 PTEs found of 1");
	list_del(link);
	list_add(link, &host_file_mapping(file)->areas);
	CHECK_EQ(vm_check_all(), 0);
	space_end(mm);
	file_put(other);
	file_put(file);
}
