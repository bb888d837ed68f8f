/*
 * tree.c - the look-ups: who holds, or follows, this address?
 *
 *	           [ A  )     [ B )[ C  )
 *	find_vma    A A A B B  B B  C C C  none     the first with vm_end above the address
 *	vma_lookup  . A A . .  B B  C C C  .        ... if it holds it
 *	vma_before  . . A A A  A B  B C C  C        the last that begins below the address
 *
 * The oracle walks the list. The hint of the last hit must never be seen.
 */
#include "tests/host/unit/areas.h"

#include "lib/prng.h"

static struct vm_area *walk_find(struct mm *mm, unsigned long addr)
{
	struct vm_area *vma = mm->mmap;

	while (vma && vma->vm_end <= addr)
		vma = vma->vm_next;
	return vma;
}

static struct vm_area *walk_before(struct mm *mm, unsigned long addr)
{
	struct vm_area *best = NULL;

	for (struct vm_area *vma = mm->mmap; vma && vma->vm_start < addr; vma = vma->vm_next)
		best = vma;
	return best;
}

static void check_look_ups(struct mm *mm, unsigned long addr)
{
	struct vm_area *expected = walk_find(mm, addr);

	CHECK(find_vma(mm, addr) == expected);
	CHECK(vma_lookup(mm, addr) == (expected && expected->vm_start <= addr ? expected : NULL));
	CHECK(vma_before(mm, addr) == walk_before(mm, addr));
}

TEST(every_address_of_a_drawing)
{
	static const char *const drawings[] = {
		"",	     "r",	   ".r",	"rr..ww",    "..rrwwxx..",
		"r.w.x.b.n", "rrwwxxbbnn", "R.R..WW.X", "....r...w", "rrrrrrrr",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(drawings); i++) {
		struct mm *mm = areas(drawings[i]);

		for (unsigned column = 0; column < 12; column++) {
			check_look_ups(mm, at(column));
			check_look_ups(mm, at(column) + 1);
			check_look_ups(mm, at(column + 1) - 1);
		}
		check_look_ups(mm, 0);
		check_look_ups(mm, AREAS_BASE - 1);
		check_look_ups(mm, TASK_SIZE - 1);
		check_look_ups(mm, ULONG_MAX);
		areas_done(mm);
	}
}

TEST(the_borders_of_an_area)
{
	struct mm *mm = areas("..rrww");
	struct vm_area *r = mm->mmap, *w = r->vm_next;

	CHECK(find_vma(mm, at(2) - 1) == r);
	CHECK(vma_lookup(mm, at(2) - 1) == NULL);
	CHECK(vma_lookup(mm, at(2)) == r);
	CHECK(vma_lookup(mm, at(4) - 1) == r);
	CHECK(vma_lookup(mm, at(4)) == w);
	CHECK(vma_before(mm, at(2)) == NULL);
	CHECK(vma_before(mm, at(2) + 1) == r);
	CHECK(vma_before(mm, at(4)) == r);
	CHECK(vma_before(mm, at(4) + 1) == w);
	areas_done(mm);
}

/* What was found last answers for itself and for the gaps at its sides. */
TEST(the_last_hit_and_its_neighbours)
{
	struct mm *mm = areas("..wwww..rr..xx");
	struct vm_area *w = mm->mmap, *r = w->vm_next, *x = r->vm_next;

	CHECK(find_vma(mm, at(9)) == r);
	CHECK(mm->last_hit == r);
	CHECK(find_vma(mm, at(6)) == r); /* the gap below it */
	CHECK(mm->last_hit == r);
	CHECK(find_vma(mm, at(10)) == x); /* the gap above it */
	CHECK(mm->last_hit == r);
	CHECK(find_vma(mm, at(12)) == x); /* the next */
	CHECK(mm->last_hit == x);
	CHECK(find_vma(mm, at(8)) == r); /* the one before */
	CHECK(mm->last_hit == r);
	CHECK(find_vma(mm, at(14)) == NULL); /* above all */
	CHECK(find_vma(mm, at(2)) == w);     /* far away */
	CHECK(mm->last_hit == w);
	CHECK(find_vma(mm, at(0)) == w);    /* below all */
	for (unsigned i = 0; i < 16; i++) { /* whichever was last */
		for (unsigned j = 0; j < 16; j++) {
			find_vma(mm, at(i));
			check_look_ups(mm, at(j));
		}
	}
	areas_done(mm);
}

TEST(the_last_hit_is_alive_after_each_edit)
{
	struct mm *mm = areas("..wwwwww..rr");

	CHECK(find_vma(mm, at(5)) == mm->mmap);
	CHECK_EQ(vm_munmap(mm, at(4), pages(2)), 0); /* cut */
	CHECK(mm->last_hit);
	CHECK_AREAS(mm, "..ww..ww..rr"); /* mm_check() looks at it */
	CHECK_EQ(vm_mmap(mm, NULL, at(4), pages(2), RW, ANON | MAP_FIXED, 0), at(4)); /* melted */
	CHECK(mm->last_hit == mm->mmap);
	CHECK_AREAS(mm, "..wwwwww..rr");
	CHECK_EQ(vm_mmap(mm, NULL, at(14), PAGE_SIZE, RW, ANON, 0), at(14)); /* linked */
	CHECK(mm->last_hit == find_vma(mm, at(14)));
	down_write(&mm->mmap_lock);
	vma_resize(mm->mmap, at(1), at(8)); /* grown */
	CHECK(find_vma(mm, at(1)) == mm->mmap);
	up_write(&mm->mmap_lock);
	CHECK_AREAS(mm, ".wwwwwww..rr..w");
	CHECK_EQ(vm_munmap(mm, at(0), pages(8)), 0); /* the hint is the first, and goes */
	CHECK(mm->last_hit == mm->mmap);
	CHECK_AREAS(mm, "..........rr..w");
	CHECK_EQ(vm_munmap(mm, at(0), pages(16)), 0);
	CHECK(!mm->last_hit);
	areas_done(mm);
}

TEST(a_hint_that_is_gone_is_seen)
{
	struct mm *mm = areas("..ww..rr");
	struct vm_area ghost = *mm->mmap;

	mm->last_hit = &ghost;
	CHECK_EQ(vma_tree_check(mm), 1);
	mm->last_hit = NULL;
	CHECK_EQ(vma_tree_check(mm), 0);
	areas_done(mm);
}

/* ---- the tree keeps its promises whatever is done to the list ---- */

/* Random pages come and go; mm_check() has the invariants, the walk the answers. */
TEST(random_edits)
{
	struct prng prng = { 7 };
	struct mm *mm = areas("");

	for (unsigned round = 0; round < 1500; round++) {
		unsigned column = prng_below(&prng, AREAS_COLUMNS - 8);
		unsigned n = 1 + prng_below(&prng, 8);
		u32 prot = prng_below(&prng, 8);

		if (prng_below(&prng, 3) == 0)
			CHECK_EQ(vm_munmap(mm, at(column), pages(n)), 0);
		else
			CHECK_EQ(vm_mmap(mm, NULL, at(column), pages(n), prot, ANON | MAP_FIXED, 0),
				 at(column));
		down_write(&mm->mmap_lock);
		CHECK_EQ(mm_check(mm), 0);
		check_look_ups(mm, at(prng_below(&prng, AREAS_COLUMNS)));
		up_write(&mm->mmap_lock);
	}
	areas_done(mm);
}

/* Enough areas that the tree has many levels, made upwards, downwards and by halves. */
TEST(many_areas)
{
	const unsigned nr = 512;
	struct mm *mm = areas("");

	for (unsigned order = 0; order < 3; order++) {
		for (unsigned i = 0; i < nr; i++) {
			unsigned n = order == 0 ? i : order == 1 ? nr - 1 - i : i * 257 % nr;
			unsigned long addr = at(3 * n);

			CHECK_EQ(vm_mmap(mm, NULL, addr, pages(1 + n % 2), PROT_READ,
					 ANON | MAP_FIXED, 0),
				 addr);
		}
		CHECK_EQ(mm->nr_areas, nr);
		machine_check();
		for (unsigned column = 0; column < 3 * nr; column++)
			check_look_ups(mm, at(column));
		/* Odd ones first, so that nodes with two children go too. */
		for (unsigned i = 0; i < 2 * nr; i++) {
			unsigned n = i < nr ? i | 1 : i - nr;

			CHECK_EQ(vm_munmap(mm, at(3 * n), pages(2)), 0);
		}
		CHECK_EQ(mm->nr_areas, 0);
	}
	areas_done(mm);
}

/* ---- the checker of the index is no ornament ---- */

TEST(a_wrong_gap_is_found)
{
	struct mm *mm = areas("..rr..ww...xx");
	struct vm_area *vma = mm->mmap->vm_next;
	unsigned long gap = vma->vm_gap_max;

	down_write(&mm->mmap_lock);
	CHECK_EQ(vma_tree_check(mm), 0);
	vma->vm_gap_max = gap + PAGE_SIZE;
	CHECK(vma_tree_check(mm) > 0);
	vma->vm_gap_max = gap;
	up_write(&mm->mmap_lock);
	areas_done(mm);
}

TEST(a_list_that_differs_is_found)
{
	struct mm *mm = areas("..rr..ww...xx");
	struct vm_area *last = mm->mmap->vm_next->vm_next;

	down_write(&mm->mmap_lock);
	last->vm_prev->vm_next = NULL;
	CHECK(vma_tree_check(mm) > 0);
	last->vm_prev->vm_next = last;
	mm->mmap = last;
	CHECK(vma_tree_check(mm) > 0);
	mm->mmap = last->vm_prev->vm_prev;
	CHECK_EQ(vma_tree_check(mm), 0);
	up_write(&mm->mmap_lock);
	areas_done(mm);
}

TEST(a_red_root_is_found)
{
	struct mm *mm = areas("r.w.x.b.n.r.w.x.b");
	struct rb_node *root = mm->mm_rb.rb_node, was = *root;

	down_write(&mm->mmap_lock);
	root->parent_color ^= 1; /* the root must be black */
	CHECK(vma_tree_check(mm) > 0);
	*root = was;
	CHECK_EQ(vma_tree_check(mm), 0);
	up_write(&mm->mmap_lock);
	areas_done(mm);
}
