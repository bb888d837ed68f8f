/*
 * anon_root.c - fork families: in which address spaces, and at which addresses there, an anonymous
 * page may be mapped.
 *
 *	page->mapping --> anon_root --> [parent] - [child] - [grandchild]
 *	                                 shifts:    shifts:    shifts:
 *	                                 0          0, 600     0, 600
 *
 *	page->index       5              5          5, 605     5, 605       pages of the user half
 *
 * An anonymous page's index is the number of the page where it was made: address / page size. Fork
 * copies addresses, so each relative has the page at that very address, or not at all; unless
 * mremap() has moved the area. How far is vma->vm_moved, and all that areas of an address space may
 * have there is kept in a small tree: its shifts. So a page is looked for at one address for each
 * relative and each of its shifts. Most address spaces have none but 0.
 *
 * Areas are not looked at, and need not be listed: mmap, mprotect and munmap pay nothing. mremap()
 * adds its shift before a page is there, and nobody takes it away: when there are too many, a sweep
 * looks which of them areas still have.
 *
 * A walk may miss a page that mremap() is just moving from one address to another, and those of an
 * address space that ends. It misses none that fork is copying, because parents come first.
 *
 * Invariants (mm_check(), vm_check_all()): vm_moved of each area is 0 or a shift of its address
 * space; in all of them together the walk finds as many PTEs as the page's mapcount says.
 * Locks: root->lock guards the list and the shifts; it is inside mmap_lock and page locks, outside
 * page_table_lock. Shifts change with mmap_lock held for writing, too, so with that alone they may
 * be read.
 */
#include "mm/anon_root.h"

#include "lib/errno.h"
#include "mm/internal.h"
#include "mm/slab.h"

static struct kmem_cache *anon_root_cache, *anon_shift_cache;

void anon_root_init(void)
{
	anon_root_cache = kmem_cache_create("anon_root", sizeof(struct anon_root), 0);
	anon_shift_cache = kmem_cache_create("anon_shift", sizeof(struct anon_shift), 0);
}

struct anon_root *anon_root_alloc(void)
{
	struct anon_root *root = kmem_cache_alloc(anon_root_cache, GFP_KERNEL);

	if (!root)
		return NULL;
	atomic_set(&root->refcount, 1);
	spin_lock_init(&root->lock);
	INIT_LIST_HEAD(&root->mms);
	return root;
}

void anon_root_put(struct anon_root *root)
{
	if (atomic_dec_and_test(&root->refcount))
		kmem_cache_free(anon_root_cache, root);
}

/*
 * An address space clears its PTEs, then goes through mm_list_lock, then puts its family. So what
 * is mapped while that lock is held has one.
 */
struct anon_root *anon_root_of_page(const struct page *page)
{
	struct anon_root *root = NULL;

	spin_lock(&mm_list_lock);
	if (atomic_read(&page->mapcount) > 0) {
		root = (void *)((unsigned long)page->mapping & ~PAGE_MAPPING_ANON);
		atomic_inc(&root->refcount);
	}
	spin_unlock(&mm_list_lock);
	return root;
}

void anon_root_join(struct mm *mm)
{
	struct anon_root *root = mm->anon_root;

	spin_lock(&root->lock);
	list_add_tail(&mm->family_link, &root->mms);
	spin_unlock(&root->lock);
}

/* ---- shifts ---- */

/* Room for so many before the first sweep; areas that were never moved cost a sweep time, too. */
#define FEW_SHIFTS	8u
#define AREAS_PER_SHIFT 64

static struct anon_shift *find_shift(const struct mm *mm, long pages)
{
	struct rb_node *node = mm->anon_shifts.tree.rb_node;

	while (node) {
		struct anon_shift *shift = rb_entry(node, struct anon_shift, rb);

		if (shift->pages == pages)
			return shift;
		node = pages < shift->pages ? node->rb_left : node->rb_right;
	}
	return NULL;
}

bool anon_shift_is_known(struct mm *mm, long pages)
{
	return pages == 0 || find_shift(mm, pages);
}

/* Root lock held. */
static void link_shift(struct mm *mm, struct anon_shift *new)
{
	struct rb_root *tree = &mm->anon_shifts.tree;
	struct rb_node **link = &tree->rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->pages < rb_entry(parent, struct anon_shift, rb)->pages ?
			       &parent->rb_left :
			       &parent->rb_right;
	}
	rb_link_node(&new->rb, parent, link);
	rb_insert_color(&new->rb, tree);
	mm->anon_shifts.nr++;
}

/* Forgets those that no sweep has found; with @all, each. Root lock held. */
static void drop_shifts(struct mm *mm, bool all)
{
	struct rb_node *node = rb_first(&mm->anon_shifts.tree), *next;

	for (; node; node = next) {
		struct anon_shift *shift = rb_entry(node, struct anon_shift, rb);

		next = rb_next(node);
		if (shift->found && !all) {
			shift->found = false;
			continue;
		}
		rb_erase(node, &mm->anon_shifts.tree);
		kmem_cache_free(anon_shift_cache, shift);
		mm->anon_shifts.nr--;
	}
}

/* Forgets the shifts that no area has any more. */
static void sweep_shifts(struct mm *mm)
{
	for (struct vm_area *vma = mm->mmap; vma; vma = vma->vm_next) {
		if (vma->vm_moved)
			find_shift(mm, vma->vm_moved)->found = true;
	}
	spin_lock(&mm->anon_root->lock);
	drop_shifts(mm, false);
	spin_unlock(&mm->anon_root->lock);
	/* So late that a sweep costs each of the additions before it little. */
	mm->anon_shifts.max = 2 * mm->anon_shifts.nr + FEW_SHIFTS + mm->nr_areas / AREAS_PER_SHIFT;
}

int anon_shift_prepare(struct mm *mm, long pages, struct anon_shift **newp)
{
	*newp = NULL;
	if (anon_shift_is_known(mm, pages))
		return 0;
	*newp = kmem_cache_alloc(anon_shift_cache, GFP_KERNEL | GFP_ZERO);
	if (!*newp)
		return -ENOMEM;
	(*newp)->pages = pages;
	return 0;
}

void anon_shift_discard(struct anon_shift *new)
{
	if (new)
		kmem_cache_free(anon_shift_cache, new);
}

void anon_shift_insert(struct mm *mm, struct anon_shift *new)
{
	if (!new)
		return;
	if (mm->anon_shifts.nr >= max(mm->anon_shifts.max, FEW_SHIFTS))
		sweep_shifts(mm);
	spin_lock(&mm->anon_root->lock);
	link_shift(mm, new);
	spin_unlock(&mm->anon_root->lock);
}

void anon_root_leave(struct mm *mm)
{
	spin_lock(&mm->anon_root->lock);
	list_del(&mm->family_link);
	drop_shifts(mm, true);
	spin_unlock(&mm->anon_root->lock);
}
