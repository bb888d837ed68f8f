/*
 * list.c - the linked lists (lib/list.h), and errors that are told once to each (lib/errseq.h).
 *
 *	head <-> [a] <-> [b] <-> [c] <-> head
 */
#include "lib/list.h"

#include "lib/errno.h"
#include "lib/errseq.h"
#include "tests/host/test.h"

struct item {
	char name;
	struct list_head link;
	struct hlist_node hash;
};

static struct item a = { .name = 'a' }, b = { .name = 'b' }, c = { .name = 'c' };
static LIST_HEAD(head);
static LIST_HEAD(other);

/* The names in order; both directions must agree. */
static const char *names(struct list_head *list)
{
	static char text[2][8];
	static unsigned turn;
	unsigned n = 0, back;
	struct item *item;

	turn ^= 1;
	list_for_each_entry(item, list, link)
		text[turn][n++] = item->name;
	text[turn][n] = '\0';
	back = n;
	list_for_each_entry_reverse(item, list, link)
		CHECK_EQ(item->name, text[turn][--back]);
	CHECK_EQ(back, 0);
	return text[turn];
}

static void abc(void)
{
	list_add_tail(&b.link, &head);
	list_add_tail(&c.link, &head);
	list_add(&a.link, &head);
}

BARE_TEST(entries_come_at_both_ends)
{
	CHECK(list_empty(&head));
	CHECK(list_first_entry_or_null(&head, struct item, link) == NULL);
	abc();
	CHECK_STRING(names(&head), "abc");
	CHECK(list_first_entry(&head, struct item, link) == &a);
	CHECK(list_first_entry_or_null(&head, struct item, link) == &a);
	CHECK(list_last_entry(&head, struct item, link) == &c);
	CHECK(list_next_entry(&a, link) == &b && list_prev_entry(&c, link) == &b);
}

BARE_TEST(and_go_from_anywhere)
{
	struct item *item, *next;

	abc();
	list_del(&b.link);
	CHECK_STRING(names(&head), "ac");
	CHECK(b.link.next == LIST_POISON && b.link.prev == LIST_POISON);
	list_del_init(&a.link);
	CHECK(list_empty(&a.link));
	CHECK_STRING(names(&head), "c");
	list_add(&a.link, &head);
	list_for_each_entry_safe(item, next, &head, link)
		list_del(&item->link);
	CHECK(list_empty(&head));
}

BARE_TEST(they_move)
{
	abc();
	list_move(&c.link, &head);
	CHECK_STRING(names(&head), "cab");
	list_move_tail(&c.link, &head);
	CHECK_STRING(names(&head), "abc");
	list_move(&b.link, &other);
	CHECK_STRING(names(&head), "ac");
	CHECK_STRING(names(&other), "b");
	list_splice_init(&other, &head);
	CHECK_STRING(names(&head), "bac");
	CHECK(list_empty(&other));
	list_splice_tail_init(&other, &head); /* nothing */
	CHECK_STRING(names(&head), "bac");
}

BARE_TEST(one_list_behind_another)
{
	list_add(&a.link, &head);
	list_add(&b.link, &other);
	list_add_tail(&c.link, &other);
	list_splice_tail_init(&other, &head);
	CHECK_STRING(names(&head), "abc");
	CHECK(list_empty(&other));
}

BARE_TEST(chains_of_a_hash_table)
{
	struct hlist_head chain = { NULL };
	struct hlist_node *next;
	struct item *item;
	unsigned n = 0;

	CHECK(hlist_unhashed(&a.hash));
	hlist_del_init(&a.hash); /* not on any: nothing happens */
	hlist_add_head(&a.hash, &chain);
	hlist_add_head(&b.hash, &chain);
	hlist_add_head(&c.hash, &chain);
	hlist_del(&b.hash);
	CHECK(hlist_unhashed(&b.hash));
	hlist_for_each_entry(item, &chain, hash)
		CHECK(item == (n++ == 0 ? &c : &a));
	CHECK_EQ(n, 2);
	hlist_for_each_entry_safe(item, next, &chain, hash)
		hlist_del(&item->hash);
	CHECK(chain.first == NULL);
}

/* ---- errseq ---- */

BARE_TEST(an_error_is_told_once_to_each_who_watched)
{
	errseq_t error = 0, mine = errseq_sample(&error), yours = errseq_sample(&error);

	CHECK_EQ(errseq_check(&error, &mine), 0);
	errseq_set(&error, -EIO);
	CHECK_EQ(errseq_check(&error, &mine), -EIO);
	CHECK_EQ(errseq_check(&error, &mine), 0);
	CHECK_EQ(errseq_check(&error, &yours), -EIO);
	errseq_set(&error, -EIO); /* the same again is another one */
	CHECK_EQ(errseq_check(&error, &mine), -EIO);
	errseq_set(&error, -ENOSPC);
	errseq_set(&error, -EIO); /* of several the last */
	CHECK_EQ(errseq_check(&error, &mine), -EIO);
}

BARE_TEST(who_comes_later_hears_what_nobody_has_heard)
{
	errseq_t error = 0, late, later;

	errseq_set(&error, -EIO);
	late = errseq_sample(&error);
	CHECK_EQ(errseq_check(&error, &late), -EIO);
	later = errseq_sample(&error);
	CHECK_EQ(errseq_check(&error, &later), 0);
}

BARE_TEST(looking_does_not_count_as_hearing)
{
	errseq_t error = 0, now = errseq_now(&error), mine = errseq_sample(&error);

	errseq_set(&error, -EIO);
	CHECK_EQ(errseq_since(&error, now), -EIO);
	CHECK_EQ(errseq_since(&error, now), -EIO);
	CHECK_EQ(errseq_since(&error, errseq_now(&error)), 0);
	CHECK_EQ(errseq_check(&error, &mine), -EIO);
}
