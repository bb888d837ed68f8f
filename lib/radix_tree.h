/*
 * radix_tree.h - from an unsigned long to a pointer, with tags. lib/radix_tree.c has the drawing.
 *
 * Locks: the caller's.
 */
#ifndef RAVEL_LIB_RADIX_TREE_H
#define RAVEL_LIB_RADIX_TREE_H

#include "lib/types.h"

#define RADIX_BITS  6
#define RADIX_SLOTS (1 << RADIX_BITS)

enum radix_tag {
	RADIX_TAG_DIRTY,
	RADIX_TAG_WRITEBACK,
	RADIX_TAG_TOWRITE,
	RADIX_NR_TAGS,
	RADIX_TAG_SWAPPED = RADIX_TAG_TOWRITE, /* of memory without a disk, which nobody writes */
};

struct radix_node {
	struct radix_node *parent;
	u8 height;		 /* levels from here down to the items: 1 is the lowest */
	u8 offset;		 /* of this node in its parent */
	u8 count;		 /* slots in use */
	u64 tags[RADIX_NR_TAGS]; /* bit per slot: something tagged is there or below */
	void *slots[RADIX_SLOTS];
};

#define RADIX_NODE_SIZE sizeof(struct radix_node)

struct radix_tree_root {
	struct radix_node *node;
	void *(*alloc)(void); /* RADIX_NODE_SIZE zeroed bytes, or NULL */
	void (*free)(void *);
};

void radix_tree_init(struct radix_tree_root *root, void *(*alloc)(void), void (*free)(void *));
/* 0, -EEXIST or -ENOMEM; @item is not NULL. A failure changes nothing that can be seen. */
int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item);
void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index);
/* Removes and returns the item, with its tags; NULL: there was none. */
void *radix_tree_delete(struct radix_tree_root *root, unsigned long index);
/*
 * Puts @item in place of the present one, which is returned; NULL (and no change): there was none.
 */
void *radix_tree_replace(struct radix_tree_root *root, unsigned long index, void *item);

/* Up to @max items with index >= @first, in order, into @items and @indexes; returns how many. */
unsigned radix_tree_gang_lookup(const struct radix_tree_root *root, void **items,
				unsigned long *indexes, unsigned long first, unsigned max);
unsigned radix_tree_gang_lookup_tag(const struct radix_tree_root *root, void **items,
				    unsigned long *indexes, unsigned long first, unsigned max,
				    enum radix_tag tag);

/* The index is in the tree; else nothing happens. */
void radix_tree_tag_set(struct radix_tree_root *root, unsigned long index, enum radix_tag tag);
void radix_tree_tag_clear(struct radix_tree_root *root, unsigned long index, enum radix_tag tag);
bool radix_tree_tag_get(const struct radix_tree_root *root, unsigned long index,
			enum radix_tag tag);
bool radix_tree_tagged(const struct radix_tree_root *root, enum radix_tag tag);

/* True when counts, heights, parents and tags are as they must be. */
bool radix_tree_check(const struct radix_tree_root *root);

#endif
