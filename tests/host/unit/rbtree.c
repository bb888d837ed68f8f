/*
 * rbtree.c - red-black trees (lib/rbtree.c), and the values that an augmented one carries along.
 *
 *	        (8)  sum 31
 *	       /    \
 *	  (3) 8      (12) 15        each node carries the sum of its subtree: after every insertion,
 *	  /  \       /              rotation and removal it must be what a walk finds
 *	(1)  (4)   (3)
 */
#include "lib/rbtree.h"

#include "lib/prng.h"
#include "tests/host/test.h"

#define N 200

struct item {
	struct rb_node node;
	unsigned key;
	unsigned long sum; /* of the keys below, its own included */
};

static struct item items[N];
static struct rb_root tree;

static struct item *item_of(struct rb_node *node)
{
	return rb_entry(node, struct item, node);
}

static unsigned long sum_of(struct rb_node *node)
{
	return node ? item_of(node)->sum : 0;
}

static unsigned long sum_now(struct rb_node *node)
{
	return sum_of(node->rb_left) + item_of(node)->key + sum_of(node->rb_right);
}

static void propagate(struct rb_node *node, struct rb_node *stop)
{
	for (; node != stop; node = rb_parent(node))
		item_of(node)->sum = sum_now(node);
}

static void copy(struct rb_node *old, struct rb_node *new)
{
	item_of(new)->sum = item_of(old)->sum;
}

static void rotate(struct rb_node *old, struct rb_node *new)
{
	item_of(new)->sum = item_of(old)->sum;
	item_of(old)->sum = sum_now(old);
}

static const struct rb_augment_callbacks sums = { propagate, copy, rotate };

static void insert(struct item *item, unsigned key, const struct rb_augment_callbacks *augment)
{
	struct rb_node **link = &tree.rb_node, *parent = NULL;

	item->key = key;
	item->sum = key;
	while (*link) {
		parent = *link;
		link = key < item_of(parent)->key ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&item->node, parent, link);
	if (augment) {
		propagate(&item->node, NULL);
		rb_insert_augmented(&item->node, &tree, augment);
	} else {
		rb_insert_color(&item->node, &tree);
	}
}

/* Balanced, in order both ways, @n nodes; the sums are right. */
static void check_tree(unsigned n, bool with_sums)
{
	struct rb_node *node, *prev = NULL;
	unsigned found = 0;

	CHECK(rb_check(&tree));
	for (node = rb_first(&tree); node; node = rb_next(node)) {
		CHECK(!prev || item_of(prev)->key <= item_of(node)->key);
		CHECK(rb_prev(node) == prev);
		if (with_sums)
			CHECK_EQ(item_of(node)->sum, sum_now(node));
		prev = node;
		found++;
	}
	CHECK(rb_last(&tree) == prev);
	CHECK_EQ(found, n);
}

BARE_TEST(an_empty_tree_has_no_ends)
{
	CHECK(rb_first(&tree) == NULL);
	CHECK(rb_last(&tree) == NULL);
	CHECK(rb_check(&tree));
}

BARE_TEST(it_stays_balanced_whatever_the_order)
{
	for (unsigned way = 0; way < 3; way++) {
		struct prng prng = { way };

		tree = RB_ROOT;
		for (unsigned i = 0; i < N; i++) {
			insert(&items[i],
			       way == 0 ? i :
			       way == 1 ? N - i :
					  prng_below(&prng, 50),
			       NULL);
			check_tree(i + 1, false);
		}
		for (unsigned i = 0; i < N; i++) {
			rb_erase(&items[(i * 77) % N].node, &tree);
			check_tree(N - i - 1, false);
		}
		CHECK(tree.rb_node == NULL);
	}
}

BARE_TEST(values_of_subtrees_follow_every_change)
{
	struct prng prng = { 5 };
	bool in[N] = { false };
	unsigned n = 0;

	for (unsigned turn = 0; turn < 5000; turn++) {
		unsigned i = prng_below(&prng, N);

		if (in[i])
			rb_erase_augmented(&items[i].node, &tree, &sums);
		else
			insert(&items[i], prng_below(&prng, 1000), &sums);
		in[i] = !in[i];
		n += in[i] ? 1 : -1;
		check_tree(n, true);
	}
}

/* The height of a tree of 200 nodes is at most 2 log2(201). */
static unsigned height(const struct rb_node *node)
{
	unsigned left, right;

	if (!node)
		return 0;
	left = height(node->rb_left);
	right = height(node->rb_right);
	return 1 + (left > right ? left : right);
}

BARE_TEST(no_path_is_twice_as_long_as_another)
{
	for (unsigned i = 0; i < N; i++)
		insert(&items[i], i, NULL);
	CHECK(height(tree.rb_node) <= 15);
}

BARE_TEST(the_check_sees_what_is_wrong)
{
	struct rb_node *root, *left;

	for (unsigned i = 0; i < 20; i++)
		insert(&items[i], i, NULL);
	root = tree.rb_node;
	left = root->rb_left;
	root->parent_color &= ~1UL; /* a red root */
	CHECK(!rb_check(&tree));
	root->parent_color |= 1;
	left->parent_color ^= 1; /* a path with another number of blacks, or two reds in a row */
	CHECK(!rb_check(&tree));
	left->parent_color ^= 1;
	left->parent_color ^= 64; /* another parent */
	CHECK(!rb_check(&tree));
	left->parent_color ^= 64;
	CHECK(rb_check(&tree));
}
