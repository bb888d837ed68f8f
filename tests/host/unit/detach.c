/*
 * detach.c - vm_unmap_file(): shmdt(2) takes the areas of one file, as one mapping left them.
 */
#include "mm/rmap.h"
#include "tests/host/unit/areas.h"

#include "lib/err.h"
#include "lib/errno.h"

static struct file *ours, *other;
static struct mm *mm;

static bool any_file(const struct file *file)
{
	(void)file;
	return true;
}

static bool is_ours(const struct file *file)
{
	return file == ours;
}

static void start(void)
{
	ours = host_file(FILE_TMPFS, pages(16));
	other = host_file(FILE_TMPFS, pages(16));
	mm = mm_alloc();
	machine_use_mm(mm);
}

static void finish(void)
{
	machine_check();
	machine_use_mm(NULL);
	mm_put(mm);
	CHECK_EQ(host_file_refs(ours), 1);
	CHECK_EQ(host_file_refs(other), 1);
	file_put(ours);
	file_put(other);
}

/* Columns [first, last] show @file from its page @pgoff on. */
static void attach(struct file *file, unsigned first, unsigned last, unsigned pgoff)
{
	CHECK_EQ(vm_mmap(mm, file, at(first), pages(last - first + 1), RW, MAP_SHARED | MAP_FIXED,
			 pages(pgoff)),
		 at(first));
}

static unsigned long nr_areas(struct file *file)
{
	return mapping_nr_areas(host_file_mapping(file));
}

static bool is_mapped(unsigned column)
{
	u8 byte;

	return user_read(at(column), &byte, 1) == FAULT_OK;
}

/* A detach at @column that finds @file. */
static void detach(unsigned column, bool (*is_it)(const struct file *), struct file *file)
{
	int refs = host_file_refs(file) - nr_areas(file);
	struct file *found = vm_unmap_file(mm, at(column), is_it);

	CHECK(found == file);
	CHECK_EQ(host_file_refs(file), refs + nr_areas(file) + 1);
	file_put(found);
}

TEST(all_pieces_of_the_mapping_go)
{
	u8 byte = 1;

	start();
	attach(ours, 0, 7, 0);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQ(user_write(at(i), &byte, 1), FAULT_OK);
	CHECK_EQ(vm_munmap(mm, at(2), pages(1)), 0);
	CHECK_EQ(vm_mprotect(mm, at(5), pages(1), PROT_READ), 0);
	CHECK_EQ(nr_areas(ours), 4);
	detach(0, is_ours, ours);
	CHECK_EQ(nr_areas(ours), 0);
	for (unsigned i = 0; i < 8; i++)
		CHECK(!is_mapped(i));
	finish();
}

TEST(its_first_page_may_be_gone)
{
	start();
	attach(ours, 0, 3, 0);
	CHECK_EQ(vm_munmap(mm, at(0), pages(1)), 0);
	detach(0, is_ours, ours);
	CHECK(!is_mapped(1) && !is_mapped(3));
	finish();
}

TEST(what_another_mapping_made_stays)
{
	start();
	attach(ours, 0, 1, 0);
	attach(other, 2, 2, 2); /* would be the same mapping, if it were the same file */
	CHECK_EQ(map_anon(mm, at(3), 1, RW, MAP_FIXED), at(3));
	attach(ours, 4, 4, 4); /* this is as if it were a piece */
	attach(ours, 5, 5, 4);
	attach(ours, 20, 22, 0);
	CHECK_EQ(nr_areas(ours), 4);
	detach(0, any_file, ours);
	CHECK(!is_mapped(0) && !is_mapped(1) && !is_mapped(4));
	CHECK(is_mapped(2) && is_mapped(3) && is_mapped(5) && is_mapped(20) && is_mapped(22));
	CHECK_EQ(nr_areas(ours), 2);
	CHECK_EQ(nr_areas(other), 1);
	finish();
}

TEST(a_file_that_is_not_asked_for_is_passed_over)
{
	start();
	attach(other, 0, 0, 0);
	attach(ours, 1, 1, 1);
	detach(0, is_ours, ours);
	CHECK(is_mapped(0) && !is_mapped(1));
	finish();
}

TEST(nothing_there_is_EINVAL)
{
	start();
	CHECK_EQ(PTR_ERR(vm_unmap_file(mm, at(0), any_file)), -EINVAL);
	attach(ours, 0, 1, 0);
	attach(ours, 4, 5, 1);
	CHECK_EQ(map_anon(mm, at(8), 1, RW, MAP_FIXED), at(8));
	CHECK_EQ(PTR_ERR(vm_unmap_file(mm, at(0) + 1, any_file)), -EINVAL);
	CHECK_EQ(PTR_ERR(vm_unmap_file(mm, at(1), any_file)), -EINVAL);
	CHECK_EQ(PTR_ERR(vm_unmap_file(mm, at(4), any_file)), -EINVAL);
	CHECK_EQ(PTR_ERR(vm_unmap_file(mm, at(8), any_file)), -EINVAL);
	CHECK(is_mapped(0) && is_mapped(1) && is_mapped(4) && is_mapped(5) && is_mapped(8));
	finish();
}

TEST(areas_are_counted_in_all_address_spaces)
{
	struct mm *child;

	start();
	attach(ours, 0, 0, 0);
	child = mm_fork(mm);
	CHECK_EQ(nr_areas(ours), 2);
	detach(0, is_ours, ours);
	CHECK_EQ(nr_areas(ours), 1);
	mm_put(child);
	CHECK_EQ(nr_areas(ours), 0);
	finish();
}
