/*
 * rbtree.h - intrusive red-black trees, with optional augmentation.
 *
 * The caller finds the place and links the node (rb_link_node), then asks for rebalancing. An
 * augmented tree keeps in each node a value computed from its subtree; three callbacks keep it
 * right:
 *
 *	propagate(node, stop)  recompute from @node upwards, to but not including @stop (NULL: past
 *	the
 *	                       root); may end early where a value does not change
 *	copy(old, new)         @new takes the place of @old: it gets old's value
 *	rotate(old, new)       @new was rotated above @old: new gets old's value, old is recomputed
 *
 * Locks: the caller's.
 */
#ifndef RAVEL_LIB_RBTREE_H
#define RAVEL_LIB_RBTREE_H

#include "lib/types.h"

struct rb_node {
	unsigned long parent_color; /* the parent's address; bit 0: 1 black, 0 red */
	struct rb_node *rb_left, *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT ((struct rb_root){ NULL })

struct rb_augment_callbacks {
	void (*propagate)(struct rb_node *node, struct rb_node *stop);
	void (*copy)(struct rb_node *old, struct rb_node *new);
	void (*rotate)(struct rb_node *old, struct rb_node *new);
};

#define rb_entry(ptr, type, member) container_of(ptr, type, member)

static inline struct rb_node *rb_parent(const struct rb_node *node)
{
	return (struct rb_node *)(node->parent_color & ~1UL);
}

/* Hangs @node, red and without children, at @link, which is a child pointer of @parent. */
static inline void rb_link_node(struct rb_node *node, struct rb_node *parent, struct rb_node **link)
{
	node->parent_color = (unsigned long)parent;
	node->rb_left = NULL;
	node->rb_right = NULL;
	*link = node;
}

void rb_insert_augmented(struct rb_node *node, struct rb_root *root,
			 const struct rb_augment_callbacks *augment);
void rb_erase_augmented(struct rb_node *node, struct rb_root *root,
			const struct rb_augment_callbacks *augment);
void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);

/* In order; NULL at the ends. */
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

/* True when colours, black heights and parent links are as they must be. */
bool rb_check(const struct rb_root *root);

#endif
