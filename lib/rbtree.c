/*
 * rbtree.c - intrusive red-black trees.
 *
 *	        (B)            Invariants (rb_check()):
 *	       /   \           1. the root is black
 *	     (R)   (B)         2. a red node has no red child
 *	    /   \              3. all paths from a node down to NULL pass equally many black nodes
 *	  (B)   (B)            so no path is more than twice as long as another
 *
 * Locks: the caller's.
 * Source: Cormen, Leiserson, Rivest, Stein, "Introduction to Algorithms", chapter 13.
 */
#include "lib/rbtree.h"

static bool is_red(const struct rb_node *node)
{
	return node && !(node->parent_color & 1);
}

static void set_parent(struct rb_node *node, struct rb_node *parent)
{
	node->parent_color = (unsigned long)parent | (node->parent_color & 1);
}

static void set_black(struct rb_node *node)
{
	node->parent_color |= 1;
}

static void set_red(struct rb_node *node)
{
	node->parent_color &= ~1UL;
}

static void copy_color(struct rb_node *to, const struct rb_node *from)
{
	to->parent_color = (to->parent_color & ~1UL) | (from->parent_color & 1);
}

/* Whoever pointed at @old (its parent, or the root) points at @new now. */
static void replace_child(struct rb_root *root, struct rb_node *parent, struct rb_node *old,
			  struct rb_node *new)
{
	if (!parent)
		root->rb_node = new;
	else if (parent->rb_left == old)
		parent->rb_left = new;
	else
		parent->rb_right = new;
}

/*
 *	    x                y
 *	   / \     left     / \
 *	  a   y    --->    x   c
 *	     / \          / \
 *	    b   c        a   b
 */
static void rotate_left(struct rb_node *x, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	struct rb_node *y = x->rb_right;

	x->rb_right = y->rb_left;
	if (y->rb_left)
		set_parent(y->rb_left, x);
	replace_child(root, rb_parent(x), x, y);
	set_parent(y, rb_parent(x));
	y->rb_left = x;
	set_parent(x, y);
	if (augment)
		augment->rotate(x, y);
}

/* The mirror image. */
static void rotate_right(struct rb_node *x, struct rb_root *root,
			 const struct rb_augment_callbacks *augment)
{
	struct rb_node *y = x->rb_left;

	x->rb_left = y->rb_right;
	if (y->rb_right)
		set_parent(y->rb_right, x);
	replace_child(root, rb_parent(x), x, y);
	set_parent(y, rb_parent(x));
	y->rb_right = x;
	set_parent(x, y);
	if (augment)
		augment->rotate(x, y);
}

static void rotate(struct rb_node *x, bool left, struct rb_root *root,
		   const struct rb_augment_callbacks *augment)
{
	if (left)
		rotate_left(x, root, augment);
	else
		rotate_right(x, root, augment);
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment)
{
	struct rb_node *parent, *grand, *uncle;

	/* @node is red; only invariant 2 can be broken, between it and its parent. */
	while ((parent = rb_parent(node)) != NULL && is_red(parent)) {
		bool parent_is_left;

		grand = rb_parent(parent);
		parent_is_left = parent == grand->rb_left;
		uncle = parent_is_left ? grand->rb_right : grand->rb_left;
		if (is_red(uncle)) {
			/* Push the blackness down from the grandparent and look there. */
			set_black(parent);
			set_black(uncle);
			set_red(grand);
			node = grand;
			continue;
		}
		if (node == (parent_is_left ? parent->rb_right : parent->rb_left)) {
			/* An inner grandchild: make it the outer one. */
			rotate(parent, parent_is_left, root, augment);
			parent = node;
		}
		set_black(parent);
		set_red(grand);
		rotate(grand, !parent_is_left, root, augment);
		break;
	}
	set_black(root->rb_node);
}

/* The path through @node (maybe NULL), child of @parent, lacks one black node: mend it. */
static void erase_fixup(struct rb_node *node, struct rb_node *parent, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	while (parent && !is_red(node)) {
		bool left = node == parent->rb_left;
		struct rb_node *sibling = left ? parent->rb_right : parent->rb_left;
		struct rb_node *outer, *inner;

		if (is_red(sibling)) {
			set_black(sibling);
			set_red(parent);
			rotate(parent, left, root, augment);
			sibling = left ? parent->rb_right : parent->rb_left;
		}
		outer = left ? sibling->rb_right : sibling->rb_left;
		inner = left ? sibling->rb_left : sibling->rb_right;
		if (!is_red(outer) && !is_red(inner)) {
			/* The sibling's side can give one black up too: the lack moves up. */
			set_red(sibling);
			node = parent;
			parent = rb_parent(node);
			continue;
		}
		if (!is_red(outer)) {
			set_black(inner);
			set_red(sibling);
			rotate(sibling, !left, root, augment);
			sibling = left ? parent->rb_right : parent->rb_left;
			outer = left ? sibling->rb_right : sibling->rb_left;
		}
		copy_color(sibling, parent);
		set_black(parent);
		set_black(outer);
		rotate(parent, left, root, augment);
		return;
	}
	if (node)
		set_black(node);
}

/*
 * Unlinks @node, which has two children, by putting its successor in its place. Returns the child
 * that moved up where the successor was, and in *fix_parent that child's parent.
 */
static struct rb_node *splice_successor(struct rb_node *node, struct rb_root *root,
					struct rb_node **fix_parent, bool *lost_black,
					const struct rb_augment_callbacks *augment)
{
	struct rb_node *succ = node->rb_right, *child, *parent;

	while (succ->rb_left)
		succ = succ->rb_left;
	child = succ->rb_right;
	parent = rb_parent(succ);
	*lost_black = !is_red(succ);
	if (parent == node) {
		parent = succ;
	} else {
		parent->rb_left = child;
		if (child)
			set_parent(child, parent);
		succ->rb_right = node->rb_right;
		set_parent(succ->rb_right, succ);
	}
	succ->rb_left = node->rb_left;
	set_parent(succ->rb_left, succ);
	replace_child(root, rb_parent(node), node, succ);
	succ->parent_color = node->parent_color;
	if (augment) {
		augment->copy(node, succ);
		if (parent != succ)
			augment->propagate(parent, succ);
		augment->propagate(succ, NULL);
	}
	*fix_parent = parent;
	return child;
}

void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment)
{
	struct rb_node *child, *parent;
	bool lost_black;

	if (node->rb_left && node->rb_right) {
		child = splice_successor(node, root, &parent, &lost_black, augment);
	} else {
		child = node->rb_left ? node->rb_left : node->rb_right;
		parent = rb_parent(node);
		lost_black = !is_red(node);
		replace_child(root, parent, node, child);
		if (child)
			set_parent(child, parent);
		if (augment && parent)
			augment->propagate(parent, NULL);
	}
	if (lost_black)
		erase_fixup(child, parent, root, augment);
}

void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
	rb_insert_augmented(node, root, NULL);
}

void rb_erase(struct rb_node *node, struct rb_root *root)
{
	rb_erase_augmented(node, root, NULL);
}

struct rb_node *rb_first(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_left)
		node = node->rb_left;
	return node;
}

struct rb_node *rb_last(const struct rb_root *root)
{
	struct rb_node *node = root->rb_node;

	while (node && node->rb_right)
		node = node->rb_right;
	return node;
}

struct rb_node *rb_next(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->rb_right) {
		node = node->rb_right;
		while (node->rb_left)
			node = node->rb_left;
		return (struct rb_node *)node;
	}
	while ((parent = rb_parent(node)) != NULL && node == parent->rb_right)
		node = parent;
	return parent;
}

struct rb_node *rb_prev(const struct rb_node *node)
{
	struct rb_node *parent;

	if (node->rb_left) {
		node = node->rb_left;
		while (node->rb_right)
			node = node->rb_right;
		return (struct rb_node *)node;
	}
	while ((parent = rb_parent(node)) != NULL && node == parent->rb_left)
		node = parent;
	return parent;
}

/* Black nodes on each path below @node, itself included; -1 when something is wrong. */
static int black_height(const struct rb_node *node, const struct rb_node *parent)
{
	int left, right;

	if (!node)
		return 0;
	if (rb_parent(node) != parent)
		return -1;
	if (is_red(node) && (is_red(node->rb_left) || is_red(node->rb_right)))
		return -1;
	left = black_height(node->rb_left, node);
	right = black_height(node->rb_right, node);
	if (left < 0 || left != right)
		return -1;
	return left + !is_red(node);
}

bool rb_check(const struct rb_root *root)
{
	return !is_red(root->rb_node) && black_height(root->rb_node, NULL) >= 0;
}
