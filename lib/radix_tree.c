/*
 * radix_tree.c - a radix tree of 64 slots per node, as high as its largest index needs.
 *
 *	height 2    [ node: 64 slots ]             index bits 11..6 choose the slot here
 *	              |          |
 *	height 1    [ node ]   [ node ]            bits 5..0 choose the item
 *	              | | |
 *	            items
 *
 *	tags: one bit per slot and tag; set in a node when set for any item below, so a search for
 *	tagged items goes only where there are some.
 *
 * Invariants (radix_tree_check()): no node is empty; count equals the slots in use; an inner node's
 * tag bit equals "any bit of that tag in the child"; the root node is no higher than it must be.
 * Locks: the caller's.
 */
#include "lib/radix_tree.h"

#include "lib/bitmap.h"
#include "lib/errno.h"

#define MAX_HEIGHT DIV_ROUND_UP(64, RADIX_BITS)

void radix_tree_init(struct radix_tree_root *root, void *(*alloc)(void), void (*free)(void *))
{
	root->node = NULL;
	root->alloc = alloc;
	root->free = free;
}

static unsigned slot_of(unsigned long index, unsigned height)
{
	return index >> (height - 1) * RADIX_BITS & (RADIX_SLOTS - 1);
}

/* True when a tree of @height levels has a place for @index. */
static bool reaches(unsigned height, unsigned long index)
{
	return height >= MAX_HEIGHT || index >> height * RADIX_BITS == 0;
}

static void node_link(struct radix_node *parent, unsigned slot, struct radix_node *child)
{
	parent->slots[slot] = child;
	parent->count++;
	child->parent = parent;
	child->offset = slot;
}

static struct radix_node *node_new(struct radix_tree_root *root, unsigned height)
{
	struct radix_node *node = root->alloc();

	if (node)
		node->height = height;
	return node;
}

/* Frees @node and its ancestors as far as they are empty. */
static void prune(struct radix_tree_root *root, struct radix_node *node)
{
	while (node && node->count == 0) {
		struct radix_node *parent = node->parent;

		if (parent) {
			parent->slots[node->offset] = NULL;
			parent->count--;
		} else {
			root->node = NULL;
		}
		root->free(node);
		node = parent;
	}
}

/* Takes levels off the top while only their slot 0 is used. */
static void shrink(struct radix_tree_root *root)
{
	struct radix_node *node = root->node;

	while (node && node->height > 1 && node->count == 1 && node->slots[0]) {
		root->node = node->slots[0];
		root->node->parent = NULL;
		root->free(node);
		node = root->node;
	}
}

/* Puts levels on top until @index has a place; 0 or -ENOMEM. */
static int grow(struct radix_tree_root *root, unsigned long index)
{
	while (!reaches(root->node->height, index)) {
		struct radix_node *top = node_new(root, root->node->height + 1), *old = root->node;

		if (!top)
			return -ENOMEM;
		for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++)
			top->tags[tag] = old->tags[tag] ? 1 : 0;
		node_link(top, 0, old);
		root->node = top;
	}
	return 0;
}

static int first_node(struct radix_tree_root *root, unsigned long index)
{
	unsigned height = 1;

	while (!reaches(height, index))
		height++;
	root->node = node_new(root, height);
	return root->node ? 0 : -ENOMEM;
}

int radix_tree_insert(struct radix_tree_root *root, unsigned long index, void *item)
{
	struct radix_node *node, *child;
	unsigned slot;
	int err;

	err = root->node ? grow(root, index) : first_node(root, index);
	if (err)
		goto out_shrink;
	node = root->node;
	while (node->height > 1) {
		slot = slot_of(index, node->height);
		child = node->slots[slot];
		if (!child) {
			child = node_new(root, node->height - 1);
			if (!child) {
				err = -ENOMEM;
				goto out_prune;
			}
			node_link(node, slot, child);
		}
		node = child;
	}
	slot = slot_of(index, 1);
	if (node->slots[slot])
		return -EEXIST;
	node->slots[slot] = item;
	node->count++;
	return 0;

out_prune:
	prune(root, node);
out_shrink:
	shrink(root);
	return err;
}

/* The lowest node that holds or would hold @index, or NULL. */
static struct radix_node *find_leaf(const struct radix_tree_root *root, unsigned long index)
{
	struct radix_node *node = root->node;

	if (!node || !reaches(node->height, index))
		return NULL;
	while (node && node->height > 1)
		node = node->slots[slot_of(index, node->height)];
	return node;
}

void *radix_tree_lookup(const struct radix_tree_root *root, unsigned long index)
{
	struct radix_node *node = find_leaf(root, index);

	return node ? node->slots[slot_of(index, 1)] : NULL;
}

void *radix_tree_delete(struct radix_tree_root *root, unsigned long index)
{
	struct radix_node *node = find_leaf(root, index);
	unsigned slot = slot_of(index, 1);
	void *item = node ? node->slots[slot] : NULL;

	if (!item)
		return NULL;
	for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++)
		radix_tree_tag_clear(root, index, tag);
	node->slots[slot] = NULL;
	node->count--;
	prune(root, node);
	shrink(root);
	return item;
}

void *radix_tree_replace(struct radix_tree_root *root, unsigned long index, void *item)
{
	struct radix_node *node = find_leaf(root, index);
	unsigned slot = slot_of(index, 1);
	void *old = node ? node->slots[slot] : NULL;

	if (old)
		node->slots[slot] = item;
	return old;
}

/* ---- many at once ---- */

/* The slots of @node worth visiting: all, or those with @tag (negative: no tag asked for). */
static bool worth(const struct radix_node *node, unsigned slot, int tag)
{
	return node->slots[slot] && (tag < 0 || (node->tags[tag] >> slot & 1));
}

struct gang {
	void **items;
	unsigned long *indexes;
	unsigned found, max;
	int tag;
};

/*
 * Collects from @node, whose lowest index is @base, what is >= @first. Depth is at most MAX_HEIGHT.
 */
static void collect(const struct radix_node *node, unsigned long base, unsigned long first,
		    struct gang *gang)
{
	unsigned shift = (node->height - 1) * RADIX_BITS;
	unsigned slot = first > base ? (first - base) >> shift : 0;

	for (; slot < RADIX_SLOTS && gang->found < gang->max; slot++) {
		unsigned long index = base + ((unsigned long)slot << shift);

		if (!worth(node, slot, gang->tag))
			continue;
		if (node->height > 1) {
			collect(node->slots[slot], index, first, gang);
			continue;
		}
		gang->items[gang->found] = node->slots[slot];
		gang->indexes[gang->found++] = index;
	}
}

static unsigned gang_lookup(const struct radix_tree_root *root, unsigned long first,
			    struct gang *gang)
{
	if (root->node && reaches(root->node->height, first))
		collect(root->node, 0, first, gang);
	return gang->found;
}

unsigned radix_tree_gang_lookup(const struct radix_tree_root *root, void **items,
				unsigned long *indexes, unsigned long first, unsigned max)
{
	struct gang gang = { items, indexes, 0, max, -1 };

	return gang_lookup(root, first, &gang);
}

unsigned radix_tree_gang_lookup_tag(const struct radix_tree_root *root, void **items,
				    unsigned long *indexes, unsigned long first, unsigned max,
				    enum radix_tag tag)
{
	struct gang gang = { items, indexes, 0, max, tag };

	return gang_lookup(root, first, &gang);
}

/* ---- tags ---- */

void radix_tree_tag_set(struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_node *node = find_leaf(root, index);
	unsigned slot = slot_of(index, 1);

	if (!node || !node->slots[slot])
		return;
	while (node) {
		node->tags[tag] |= 1UL << slot;
		slot = node->offset;
		node = node->parent;
	}
}

void radix_tree_tag_clear(struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_node *node = find_leaf(root, index);
	unsigned slot = slot_of(index, 1);

	while (node) {
		node->tags[tag] &= ~(1UL << slot);
		if (node->tags[tag])
			return; /* others below keep the ancestors' bits */
		slot = node->offset;
		node = node->parent;
	}
}

bool radix_tree_tag_get(const struct radix_tree_root *root, unsigned long index, enum radix_tag tag)
{
	struct radix_node *node = find_leaf(root, index);

	return node && (node->tags[tag] >> slot_of(index, 1) & 1);
}

bool radix_tree_tagged(const struct radix_tree_root *root, enum radix_tag tag)
{
	return root->node && root->node->tags[tag];
}

/* ---- checking ---- */

static bool check_tags(const struct radix_node *node, const struct radix_node *child, unsigned slot)
{
	for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++) {
		if ((node->tags[tag] >> slot & 1) != (child->tags[tag] != 0))
			return false;
	}
	return true;
}

static bool check_node(const struct radix_node *node)
{
	unsigned count = 0;

	for (unsigned slot = 0; slot < RADIX_SLOTS; slot++) {
		struct radix_node *child = node->slots[slot];

		if (!child) {
			for (unsigned tag = 0; tag < RADIX_NR_TAGS; tag++) {
				if (node->tags[tag] >> slot & 1)
					return false;
			}
			continue;
		}
		count++;
		if (node->height == 1)
			continue;
		if (child->parent != node || child->offset != slot ||
		    child->height != node->height - 1 || !check_tags(node, child, slot) ||
		    !check_node(child))
			return false;
	}
	return count > 0 && count == node->count;
}

bool radix_tree_check(const struct radix_tree_root *root)
{
	const struct radix_node *node = root->node;

	if (!node)
		return true;
	if (node->parent || (node->height > 1 && node->count == 1 && node->slots[0]))
		return false;
	return check_node(node);
}
