/*
 * radix_tree.c - from an index to a pointer, with tags (lib/radix_tree.c).
 *
 *	index 0 alone     height 1      [x.......]
 *	and index 64      height 2      [|][|]......        grown at the top: the old root is slot 0
 *	                                 x  x
 *	without 64        height 1      [x.......]          and shrunk again
 */
#include "lib/radix_tree.h"

#include <stdlib.h>

#include "lib/errno.h"
#include "tests/host/test.h"

static struct radix_tree_root tree;
static int nodes, nodes_left;

static void *node_alloc(void)
{
	if (nodes_left == 0)
		return NULL;
	nodes_left--;
	nodes++;
	return calloc(1, RADIX_NODE_SIZE);
}

static void node_free(void *node)
{
	nodes--;
	free(node);
}

static void start(void)
{
	nodes_left = 1000;
	radix_tree_init(&tree, node_alloc, node_free);
}

/* The item at an index is its number. */
static void *item(unsigned long index)
{
	return (void *)(index * 2 + 1000);
}

static int put(unsigned long index)
{
	int err = radix_tree_insert(&tree, index, item(index));

	CHECK(radix_tree_check(&tree));
	return err;
}

static void take(unsigned long index)
{
	CHECK(radix_tree_delete(&tree, index) == item(index));
	CHECK(radix_tree_check(&tree));
}

static const unsigned long many[] = { 0,    1,	       63,	  64,	    65,	 4095,
				      4096, 1UL << 20, 1UL << 40, ~0UL - 1, ~0UL };

BARE_TEST(what_was_put_in_is_found_and_nothing_else)
{
	start();
	CHECK(radix_tree_lookup(&tree, 0) == NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		CHECK_EQ(put(many[i]), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		CHECK(radix_tree_lookup(&tree, many[i]) == item(many[i]));
		CHECK_EQ(put(many[i]), -EEXIST);
	}
	CHECK(radix_tree_lookup(&tree, 2) == NULL);
	CHECK(radix_tree_lookup(&tree, 1UL << 41) == NULL);
	for (unsigned i = ARRAY_SIZE(many); i-- > 0;)
		take(many[i]);
	CHECK_EQ(nodes, 0);
	CHECK(radix_tree_delete(&tree, 5) == NULL);
}

BARE_TEST(it_is_as_high_as_its_largest_index_needs)
{
	start();
	put(0);
	CHECK_EQ(tree.node->height, 1);
	put(63);
	CHECK_EQ(tree.node->height, 1);
	put(64);
	CHECK_EQ(tree.node->height, 2);
	CHECK_EQ(nodes, 3);
	put(4096);
	CHECK_EQ(tree.node->height, 3);
	take(4096);
	CHECK_EQ(tree.node->height, 2);
	take(64);
	CHECK_EQ(tree.node->height, 1);
	CHECK_EQ(nodes, 1);
	take(0);
	take(63);
	CHECK_EQ(nodes, 0);
	put(~0UL); /* at once as high as it gets: 64 bits, 6 a level */
	CHECK_EQ(tree.node->height, 11);
	CHECK_EQ(nodes, 11);
	take(~0UL);
	CHECK_EQ(nodes, 0);
}

BARE_TEST(without_memory_nothing_changes)
{
	int most = 0;

	/* Ten levels on top of the one that is there, ten down to the place. */
	for (;; most++) {
		int before;

		start();
		put(5);
		before = nodes;
		nodes_left = most;
		if (put(~0UL - 7) == 0)
			break;
		CHECK_EQ(nodes, before);
		CHECK_EQ(tree.node->height, 1);
		CHECK(radix_tree_lookup(&tree, 5) == item(5));
		CHECK(radix_tree_lookup(&tree, ~0UL - 7) == NULL);
	}
	CHECK_EQ(most, 20);
	start();
	nodes_left = 0;
	CHECK_EQ(put(0), -ENOMEM);
	CHECK(tree.node == NULL);
}

BARE_TEST(an_item_can_be_replaced)
{
	start();
	put(70);
	CHECK(radix_tree_replace(&tree, 70, item(1)) == item(70));
	CHECK(radix_tree_lookup(&tree, 70) == item(1));
	CHECK(radix_tree_replace(&tree, 71, item(1)) == NULL);
	CHECK(radix_tree_replace(&tree, 1UL << 30, item(1)) == NULL);
	CHECK(radix_tree_lookup(&tree, 71) == NULL);
}

BARE_TEST(many_come_in_order)
{
	void *items[16];
	unsigned long at[16];

	start();
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, 0, 16), 0);
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		put(many[i]);
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, 0, 16), ARRAY_SIZE(many));
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		CHECK_EQ(at[i], many[i]);
		CHECK(items[i] == item(many[i]));
	}
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, 2, 3), 3);
	CHECK_EQ(at[0], 63);
	CHECK_EQ(at[2], 65);
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, ~0UL, 3), 1);
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, 0, 0), 0);
	take(~0UL);
	take(~0UL - 1);
	CHECK_EQ(radix_tree_gang_lookup(&tree, items, at, 1UL << 41, 3), 0);
}

/* ---- tags ---- */

BARE_TEST(tags_lead_to_what_is_tagged)
{
	void *items[16];
	unsigned long at[16];

	start();
	for (unsigned i = 0; i < ARRAY_SIZE(many); i++)
		put(many[i]);
	CHECK(!radix_tree_tagged(&tree, RADIX_TAG_DIRTY));
	radix_tree_tag_set(&tree, 65, RADIX_TAG_DIRTY);
	radix_tree_tag_set(&tree, 64, RADIX_TAG_DIRTY);
	radix_tree_tag_set(&tree, 1UL << 40, RADIX_TAG_DIRTY);
	radix_tree_tag_set(&tree, 2, RADIX_TAG_DIRTY);	       /* not in the tree */
	radix_tree_tag_set(&tree, 1UL << 50, RADIX_TAG_DIRTY); /* neither */
	CHECK(radix_tree_check(&tree));
	CHECK(radix_tree_tag_get(&tree, 64, RADIX_TAG_DIRTY));
	CHECK(!radix_tree_tag_get(&tree, 63, RADIX_TAG_DIRTY));
	CHECK(!radix_tree_tag_get(&tree, 64, RADIX_TAG_WRITEBACK));
	CHECK_EQ(radix_tree_gang_lookup_tag(&tree, items, at, 0, 16, RADIX_TAG_DIRTY), 3);
	CHECK_EQ(at[0], 64);
	CHECK_EQ(at[2], 1UL << 40);
	CHECK_EQ(radix_tree_gang_lookup_tag(&tree, items, at, 66, 16, RADIX_TAG_DIRTY), 1);
	radix_tree_tag_clear(&tree, 64, RADIX_TAG_DIRTY);
	radix_tree_tag_clear(&tree, 64, RADIX_TAG_DIRTY);
	CHECK(radix_tree_check(&tree));
	take(65); /* its tag goes with it */
	CHECK_EQ(radix_tree_gang_lookup_tag(&tree, items, at, 0, 16, RADIX_TAG_DIRTY), 1);
	radix_tree_tag_clear(&tree, 1UL << 40, RADIX_TAG_DIRTY);
	CHECK(!radix_tree_tagged(&tree, RADIX_TAG_DIRTY));
	CHECK(radix_tree_check(&tree));
}

BARE_TEST(tags_outlive_growing_and_shrinking)
{
	start();
	put(3);
	radix_tree_tag_set(&tree, 3, RADIX_TAG_TOWRITE);
	put(1UL << 30);
	CHECK(radix_tree_tagged(&tree, RADIX_TAG_TOWRITE));
	CHECK(radix_tree_tag_get(&tree, 3, RADIX_TAG_TOWRITE));
	take(1UL << 30);
	CHECK_EQ(tree.node->height, 1);
	CHECK(radix_tree_tag_get(&tree, 3, RADIX_TAG_TOWRITE));
}

BARE_TEST(the_check_sees_what_is_wrong)
{
	struct radix_node *root, *leaf;

	start();
	put(3);
	put(70);
	root = tree.node;
	leaf = root->slots[1];
	root->count++;
	CHECK(!radix_tree_check(&tree));
	root->count--;
	root->tags[0] = 2; /* nothing below has it */
	CHECK(!radix_tree_check(&tree));
	root->tags[0] = 1UL << 60; /* nor is anything there */
	CHECK(!radix_tree_check(&tree));
	root->tags[0] = 0;
	leaf->offset = 2;
	CHECK(!radix_tree_check(&tree));
	leaf->offset = 1;
	leaf->height = 2;
	CHECK(!radix_tree_check(&tree));
	leaf->height = 1;
	root->parent = leaf;
	CHECK(!radix_tree_check(&tree));
	root->parent = NULL;
	leaf->parent = leaf;
	CHECK(!radix_tree_check(&tree));
	leaf->parent = root;
	CHECK(radix_tree_check(&tree));
}
