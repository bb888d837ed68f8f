/*
 * remap_file_pages.c - other pages of the file in a part of its shared mapping.
 *
 *	areas  [l  l  l  l  l  l)          file pages  0 1 2 3 4 5
 *	              s     e   pgoff 8
 *	areas  [l  l)[?  ?)[l  l)                      0 1 8 9 4 5
 */
#include "tests/host/unit/areas.h"

#include "lib/errno.h"
#include "mm/filemap.h"
#include "mm/rmap.h"
#include "tests/host/unit/failing.h"

static int remap(struct mm *mm, unsigned from, unsigned n, unsigned long pgoff)
{
	return vm_remap_file_pages(mm, at(from), pages(n), 0, pgoff, MAP_NONBLOCK);
}

/* The page of the file at @column. */
static unsigned long pgoff_at(struct mm *mm, unsigned column)
{
	return vma_pgoff(vma_lookup(mm, at(column)), at(column));
}

TEST(a_part_shows_other_pages)
{
	struct mm *mm = areas("llllll.ll");
	struct address_space *as = host_file_mapping(area_file(0));

	touch("wwwwww.ww");
	CHECK_EQ(remap(mm, 2, 2, 8), 0);
	CHECK_AREAS(mm, "ll??ll.ll");
	CHECK_PAGES(mm, "ff..ff.ff");
	CHECK_EQ(as->nr_writable, 4);
	CHECK_EQ(pgoff_at(mm, 3), 9);
	/* In the order of the file it is one area again. */
	CHECK_EQ(remap(mm, 2, 2, 2), 0);
	CHECK_AREAS(mm, "llllll.ll");
	CHECK_EQ(as->nr_writable, 2);
	/* Of several pieces at once; and what was there is the same pages. */
	CHECK_EQ(remap(mm, 1, 1, 5), 0);
	CHECK_EQ(remap(mm, 0, 4, 0), 0);
	CHECK_AREAS(mm, "llllll.ll");
	CHECK(tag_at(1) && tag_at(3) && tag_at(5));
	areas_done(mm);
}

/* Unless MAP_NONBLOCK says not to, all of it is there afterwards. */
TEST(populates)
{
	struct mm *mm = areas("llllll");

	CHECK_EQ(vm_remap_file_pages(mm, at(1), pages(3), 0, 0, 0), 0);
	CHECK_AREAS(mm, "l???ll");
	CHECK_PAGES(mm, ".fff..");
	CHECK_EQ(vm_remap_file_pages(mm, at(4) + 7, pages(1) + 9, 0, 1, 0xff0ff), 0);
	CHECK_EQ(mm->nr_areas, 4);
	CHECK_EQ(pgoff_at(mm, 4), 1);
	areas_done(mm);
	/* A locked area is there whatever it says. */
	mm = areas("llllll");
	CHECK_EQ(user_syscall(sys_mlock, at(0), pages(3), 0, 0, 0, 0), 0);
	CHECK_EQ(remap(mm, 1, 2, 8), 0);
	CHECK_EQ(remap(mm, 4, 1, 8), 0);
	CHECK_PAGES(mm, "fff...");
	CHECK_EQ(mm->locked_vm, 3);
	areas_done(mm);
}

/* The area had the only reference to its memory. */
TEST(all_of_what_has_no_name)
{
	struct mm *mm = areas("");
	u8 byte = 7;

	CHECK_EQ(vm_mmap(mm, NULL, at(0), pages(4), RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, 0),
		 at(0));
	CHECK_EQ(user_write(at(3), &byte, 1), FAULT_OK);
	CHECK_EQ(remap(mm, 0, 4, 2), 0);
	CHECK_EQ(user_read(at(1), &byte, 1), FAULT_OK);
	CHECK_EQ(byte, 7);
	CHECK_EQ(user_read(at(2), &byte, 1), FAULT_SIGBUS);
	areas_done(mm);
}

/* Sealed against writes by now: what is mapped stays, but no new area may be written. */
TEST(sealed)
{
	struct mm *mm = areas("llll");
	struct address_space *as = host_file_mapping(area_file(0));

	CHECK(!mapping_seal(as, true));
	CHECK(mapping_seal(as, false));
	CHECK_EQ(remap(mm, 1, 1, 3), -EPERM);
	CHECK_AREAS(mm, "llll");
	CHECK_EQ(protect(mm, 0, 4, PROT_READ), 0);
	CHECK_EQ(remap(mm, 1, 1, 3), 0);
	CHECK_EQ(protect(mm, 0, 1, RW), 0);
	CHECK_EQ(protect(mm, 1, 2, RW), -EACCES);
	CHECK_EQ(as->nr_writable, 2);
	as->sealed = false;
	areas_done(mm);
}

TEST(what_is_refused)
{
	struct mm *mm = areas("lllll.ll.RRww");
	const unsigned long most = (unsigned long)LONG_MAX >> PAGE_SHIFT;

	CHECK_EQ(vm_remap_file_pages(mm, at(0), pages(1), PROT_READ, 0, 0), -EINVAL);
	CHECK_EQ(vm_remap_file_pages(mm, at(0), PAGE_SIZE - 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(vm_remap_file_pages(mm, at(0), ~0UL, 0, 0, 0), -EINVAL);
	CHECK_EQ(remap(mm, 0, 2, ~0UL), -EINVAL);
	CHECK_EQ(remap(mm, 0, 2, most - 1), -EOVERFLOW);
	CHECK_EQ(remap(mm, 5, 1, 0), -EINVAL);	/* nothing there */
	CHECK_EQ(remap(mm, 4, 3, 0), -EINVAL);	/* a hole */
	CHECK_EQ(remap(mm, 6, 3, 0), -EINVAL);	/* past its end */
	CHECK_EQ(remap(mm, 9, 1, 0), -EINVAL);	/* private */
	CHECK_EQ(remap(mm, 11, 1, 0), -EINVAL); /* anonymous */
	CHECK_EQ(remap(mm, 60, 1, 0), -EINVAL);
	CHECK_EQ(protect(mm, 3, 4, PROT_READ), 0);
	CHECK_EQ(remap(mm, 2, 2, 0), -EINVAL); /* other rights */
	CHECK_EQ(protect(mm, 3, 4, RW), 0);
	CHECK_AREAS(mm, "lllll.ll.RRww");
	CHECK_EQ(remap(mm, 0, 2, most - 2), 0);
	areas_done(mm);
}

/* A shared mapping of what was not opened for writing is not one that this call knows. */
TEST(a_file_that_may_not_be_written)
{
	struct mm *mm = areas("");

	host_file_mode(area_file(0), true, false, true);
	CHECK_EQ(vm_mmap(mm, area_file(0), at(0), pages(2), PROT_READ, MAP_SHARED | MAP_FIXED, 0),
		 at(0));
	CHECK_EQ(remap(mm, 0, 1, 1), -EINVAL);
	areas_done(mm);
}

TEST(another_file_follows)
{
	struct mm *mm = areas("ll");

	CHECK_EQ(vm_mmap(mm, area_file(1), at(2), pages(2), RW, MAP_SHARED | MAP_FIXED, 0), at(2));
	CHECK_EQ(remap(mm, 1, 2, 0), -EINVAL);
	areas_done(mm);
}

TEST(as_a_system_call)
{
	struct mm *mm = areas("llll");

	CHECK_EQ(user_syscall(sys_remap_file_pages, at(1), pages(1), 0, 3, MAP_NONBLOCK, 0), 0);
	CHECK_AREAS(mm, "l?ll");
	CHECK_EQ(user_syscall(sys_remap_file_pages, at(1), pages(1), 1UL << 32, 3, 0, 0), -EINVAL);
	areas_done(mm);
}

TEST(a_failing_call_changes_nothing)
{
	struct mm *mm = areas("llllll");

	touch("wwwwww");
	CHECK_EQ(FAILING(mm, remap(mm, 2, 2, 8), -ENOMEM), 3);
	CHECK_AREAS(mm, "ll??ll");
	limit(RLIMIT_AS, pages(5)); /* there is more by now than is allowed */
	CHECK_EQ(remap(mm, 2, 2, 2), -ENOMEM);
	CHECK_AREAS(mm, "ll??ll");
	areas_done(mm);
}
