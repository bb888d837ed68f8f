/*
 * vma_tree.c - the index over the area list: "who holds, or follows, this address?" and "where is a
 * gap of this size?" in O(log n).
 *
 *	              [C] gap_max = largest of all below and its own
 *	            /     \
 *	        [A]         [E]          in order, the tree is the list. A node's gap is the free
 *	           \       /             space right before it; vm_gap_max is the largest gap in
 *	           [B]   [D]             its subtree, so a search goes only where it can succeed.
 *	                                 Before an area that grows down its guard gap is not free.
 *
 * A look-up begins at the area that the last one found, or that the last edit left there.
 *
 * Invariants (vma_tree_check()): vm_gap is what lies before the area; vm_gap_max == max(vm_gap,
 * children's vm_gap_max); last_hit is an area of the list, or NULL.
 * Locks: mmap_lock; for writing where the tree changes.
 */
#include "mm/vma.h"

#include "kernel/printk.h"

static struct vm_area *vma_of(struct rb_node *node)
{
	return rb_entry(node, struct vm_area, vm_rb);
}

static unsigned long subtree_gap(struct rb_node *node)
{
	return node ? vma_of(node)->vm_gap_max : 0;
}

static unsigned long computed_gap(const struct vm_area *vma)
{
	unsigned long gap = max(vma->vm_gap, subtree_gap(vma->vm_rb.rb_left));

	return max(gap, subtree_gap(vma->vm_rb.rb_right));
}

/* From @node up to, not including, @stop; ends early where nothing changes any more. */
static void gap_propagate(struct rb_node *node, struct rb_node *stop)
{
	while (node != stop) {
		struct vm_area *vma = vma_of(node);
		unsigned long gap = computed_gap(vma);

		if (vma->vm_gap_max == gap)
			break;
		vma->vm_gap_max = gap;
		node = rb_parent(node);
	}
}

static void gap_copy(struct rb_node *old, struct rb_node *new)
{
	vma_of(new)->vm_gap_max = vma_of(old)->vm_gap_max;
}

static void gap_rotate(struct rb_node *old, struct rb_node *new)
{
	gap_copy(old, new);
	vma_of(old)->vm_gap_max = computed_gap(vma_of(old));
}

static const struct rb_augment_callbacks gap_callbacks = {
	.propagate = gap_propagate,
	.copy = gap_copy,
	.rotate = gap_rotate,
};

/*
 * The new node comes between its neighbours in order: below the one or the other there is room, so
 * the next in the list, whose gap is smaller now, is on the way up from it. All up to there is
 * computed anew, and then as far as something changes; before the rotations, which copy gaps.
 */
void vma_tree_insert(struct mm *mm, struct vm_area *vma)
{
	struct rb_node *prev = vma->vm_prev ? &vma->vm_prev->vm_rb : NULL;
	struct rb_node *next = vma->vm_next ? &vma->vm_next->vm_rb : NULL;
	struct rb_node *parent = prev && !prev->rb_right ? prev : next;

	if (!parent)
		rb_link_node(&vma->vm_rb, NULL, &mm->mm_rb.rb_node);
	else
		rb_link_node(&vma->vm_rb, parent,
			     parent == prev ? &parent->rb_right : &parent->rb_left);
	vma->vm_gap = vma->vm_gap_max = vma_gap(vma);
	if (next) {
		vma->vm_next->vm_gap = vma_gap(vma->vm_next);
		for (; parent != next; parent = rb_parent(parent))
			vma_of(parent)->vm_gap_max = computed_gap(vma_of(parent));
	}
	gap_propagate(parent, NULL);
	rb_insert_augmented(&vma->vm_rb, &mm->mm_rb, &gap_callbacks);
}

void vma_tree_erase(struct mm *mm, struct vm_area *vma)
{
	rb_erase_augmented(&vma->vm_rb, &mm->mm_rb, &gap_callbacks);
}

void vma_tree_gap_changed(struct vm_area *vma)
{
	vma->vm_gap = vma_gap(vma);
	gap_propagate(&vma->vm_rb, NULL);
}

/*
 * The answer is found beside that of the last time: @addr lies in @hint, in a neighbour, or in the
 * gap between two of them. Edits look up one place again and again, and programs fault where they
 * faulted last. False: it is no help.
 */
static inline bool find_near(struct vm_area *hint, unsigned long addr, struct vm_area **found)
{
	struct vm_area *prev, *next;

	if (addr >= hint->vm_end) {
		*found = next = hint->vm_next;
		return !next || addr < next->vm_end;
	}
	*found = hint;
	if (addr >= hint->vm_start)
		return true;
	prev = hint->vm_prev;
	if (!prev || addr >= prev->vm_end)
		return true;
	*found = prev;
	return addr >= prev->vm_start;
}

static struct vm_area *find_in_tree(struct mm *mm, unsigned long addr)
{
	struct rb_node *node = mm->mm_rb.rb_node;
	struct vm_area *best = NULL;

	while (node) {
		struct vm_area *vma = vma_of(node);

		if (addr < vma->vm_end) {
			best = vma;
			if (addr >= vma->vm_start)
				break;
			node = node->rb_left;
		} else {
			node = node->rb_right;
		}
	}
	return best;
}

struct vm_area *find_vma(struct mm *mm, unsigned long addr)
{
	struct vm_area *hint = READ_ONCE(mm->last_hit), *vma;

	if (unlikely(!hint) || !find_near(hint, addr, &vma))
		vma = find_in_tree(mm, addr);
	/* Readers race here, each with an area that cannot go away while they hold mmap_lock. */
	if (vma != hint && vma && vma->vm_start <= addr)
		WRITE_ONCE(mm->last_hit, vma);
	return vma;
}

/* The last node in order, under @node, whose own gap is at least @len; there is one. */
static struct rb_node *last_gap_below(struct rb_node *node, unsigned long len)
{
	for (;;) {
		if (subtree_gap(node->rb_right) >= len)
			node = node->rb_right;
		else if (vma_of(node)->vm_gap >= len)
			return node;
		else
			node = node->rb_left;
	}
}

/* The last area at or before @vma, in list order, with a gap of at least @len before it. */
static struct vm_area *last_gap_at_or_before(struct vm_area *vma, unsigned long len)
{
	struct rb_node *node = &vma->vm_rb;

	for (;;) {
		struct rb_node *child;

		if (vma_of(node)->vm_gap >= len)
			return vma_of(node);
		if (subtree_gap(node->rb_left) >= len)
			return vma_of(last_gap_below(node->rb_left, len));
		/* Up to the first ancestor that precedes this subtree. */
		do {
			child = node;
			node = rb_parent(node);
		} while (node && child == node->rb_left);
		if (!node)
			return NULL;
	}
}

unsigned long vma_find_gap(struct mm *mm, unsigned long len, unsigned long low, unsigned long high)
{
	struct vm_area *vma = vma_before(mm, high), *next = vma ? vma->vm_next : mm->mmap;
	unsigned long top = vma ? vma->vm_end : 0;

	top = max(top, low);
	if (next)
		high = min(high, vma_start_gap(next));
	if (high >= top && high - top >= len)
		return high - len;
	if (!vma)
		return 0;
	vma = last_gap_at_or_before(vma, len);
	if (!vma)
		return 0;
	/*
	 * Only the lowest gaps reach below @low; if this one does not hold enough, none below does.
	 */
	top = vma->vm_prev ? vma->vm_prev->vm_end : 0;
	top = max(top, low);
	high = vma_start_gap(vma);
	return high >= top && high - top >= len ? high - len : 0;
}

int vma_tree_check(struct mm *mm)
{
	struct rb_node *node = rb_first(&mm->mm_rb);
	struct vm_area *vma = mm->mmap;
	bool hint_lives = !mm->last_hit;
	int faults = 0;

	if (!rb_check(&mm->mm_rb)) {
		printk("mm_check: area tree is not balanced\n");
		faults++;
	}
	for (; node && vma; node = rb_next(node), vma = vma->vm_next) {
		if (vma_of(node) != vma)
			break;
		if (vma->vm_gap != vma_gap(vma) || vma->vm_gap_max != computed_gap(vma)) {
			printk("mm_check: area 0x%lx: gap index is 0x%lx, should be 0x%lx\n",
			       vma->vm_start, vma->vm_gap_max, computed_gap(vma));
			faults++;
		}
		hint_lives |= mm->last_hit == vma;
	}
	if (node || vma) {
		printk("mm_check: area tree and list differ\n");
		faults++;
	} else if (!hint_lives) {
		printk("mm_check: look-ups begin at an area that is gone\n");
		faults++;
	}
	return faults;
}
