/*
 * buddy.c - free memory: blocks of 2^order frames.
 *
 *	free_list[0]  [ ] - [ ]           one list per order; a block of order n is 2^n frames whose
 *	free_list[1]  [    ]              first pfn is a multiple of 2^n
 *	...                               the buddy of a block: pfn ^ 2^n. Two free buddies are
 *	free_list[10] [        ...    ]   always melted into one block of the next order.
 *
 *	alloc(0) from [    ]      split: the lower half is taken, the upper half goes on its list
 *	free_run [   |  |][ ]     frames in a row go back as the largest blocks that they make up
 *
 * Who wants pages asks mm/page_alloc.c, which keeps some single pages at hand for each hart.
 *
 * Invariants (buddy_check(), tests/mm "check"): a page is PAGE_FREE exactly when it lies in a block
 * on a list here or on a hart's list; only a block's first page has PG_BUDDY, with the block's
 * order; no two free buddies of one order below MAX_ORDER; counts equal the lists; refcount and
 * mapcount of free pages are 0.
 * Locks: buddy_lock, inside a hart's. It is not taken by interrupt handlers.
 * Source: Knuth, TAOCP vol. 1, 2.5 "buddy system".
 */
#include "mm/buddy.h"

#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/blocks.h"
#include "mm/debug.h"
#include "mm/vmstat.h"

struct spinlock buddy_lock;

static struct list_head free_list[MAX_ORDER + 1];
static unsigned long nr_free[MAX_ORDER + 1];
static unsigned long nr_free_total, nr_total; /* pages; nr_free_total: on free_list */

static void block_push(struct page *page, unsigned order)
{
	page->order = order;
	page->flags = PG_BUDDY;
	list_add(&page->lru, &free_list[order]);
	nr_free[order]++;
	nr_free_total += 1UL << order;
}

static void block_pull(struct page *page, unsigned order)
{
	page->flags = 0;
	list_del(&page->lru);
	nr_free[order]--;
	nr_free_total -= 1UL << order;
}

/* The free buddy of the block at @pfn, or NULL when it is not free as a whole. */
static struct page *free_buddy(unsigned long pfn, unsigned order)
{
	unsigned long buddy_pfn = pfn ^ (1UL << order);
	struct page *buddy;

	if (!pfn_valid(buddy_pfn))
		return NULL;
	buddy = pfn_to_page(buddy_pfn);
	return (buddy->flags & PG_BUDDY) && buddy->order == order ? buddy : NULL;
}

void block_free(struct page *page, unsigned order)
{
	unsigned long pfn = page_to_pfn(page);
	struct page *buddy;

	while (order < MAX_ORDER && (buddy = free_buddy(pfn, order)) != NULL) {
		block_pull(buddy, order);
		pfn &= ~(1UL << order);
		order++;
		count_vm(VM_buddy_merge);
	}
	block_push(pfn_to_page(pfn), order);
}

struct page *block_alloc(unsigned order)
{
	unsigned o = order;
	struct page *page;

	while (o <= MAX_ORDER && list_empty(&free_list[o]))
		o++;
	if (o > MAX_ORDER)
		return NULL;
	page = list_first_entry(&free_list[o], struct page, lru);
	block_pull(page, o);
	while (o > order) { /* keep the lower half, give the upper half back */
		o--;
		block_push(page + (1UL << o), o);
		count_vm(VM_buddy_split);
	}
	return page;
}

unsigned block_smallest(void)
{
	unsigned order = 0;

	while (order <= MAX_ORDER && list_empty(&free_list[order]))
		order++;
	return order;
}

/* A page that comes off a list must look as free_pages() left it: anything else is corruption. */
static void check_free(struct page *page)
{
	if (likely(page->type == PAGE_FREE && atomic_read(&page->refcount) == 0 &&
		   atomic_read(&page->mapcount) == 0))
		return;
	page_story(page, "a page on the free list is in use");
	panic("BUG: free list corrupted");
}

/*
 * The block changes hands under the lock of the list that it leaves, as it does in free_pages(): so
 * whoever stops the machine finds every page that is marked free on a list.
 */
void prepare_block(struct page *page, unsigned order)
{
	for (unsigned long i = 0; i < (1UL << order); i++) {
		check_free(&page[i]);
		page[i].flags = 0;
		page[i].type = PAGE_KERNEL;
		page[i].mapping = NULL;
	}
	page->order = order;
	atomic_set(&page->refcount, 1);
}

static void mark_free(struct page *page, unsigned order)
{
	for (unsigned long i = 0; i < (1UL << order); i++) {
		page[i].type = PAGE_FREE;
		page[i].flags = 0;
	}
}

void free_run(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		unsigned order = 0;

		while (order < MAX_ORDER && (pfn & ((2UL << order) - 1)) == 0 &&
		       pfn + (2UL << order) <= end)
			order++;
		mark_free(pfn_to_page(pfn), order);
		block_free(pfn_to_page(pfn), order);
		pfn += 1UL << order;
	}
}

/* ---- the interface ---- */

void buddy_add_range(unsigned long pfn, unsigned long end_pfn)
{
	static bool ready;

	if (!ready) {
		for (unsigned o = 0; o <= MAX_ORDER; o++)
			INIT_LIST_HEAD(&free_list[o]);
		pcp_init();
		ready = true;
	}
	for (unsigned long i = pfn; i < end_pfn; i++)
		debug_pages_freed(pfn_to_page(i), 0);
	nr_total += end_pfn - pfn;
	free_run(pfn, end_pfn);
}

void buddy_get_stats(struct buddy_stats *stats)
{
	stats->total = nr_total;
	stats->pcp = pcp_nr_pages();
	spin_lock(&buddy_lock);
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		stats->nr_free[o] = nr_free[o];
	stats->free = nr_free_total + stats->pcp;
	spin_unlock(&buddy_lock);
}

unsigned long nr_block_pages(void)
{
	return READ_ONCE(nr_free_total);
}

unsigned long nr_free_pages(void)
{
	return READ_ONCE(nr_free_total) + pcp_nr_pages();
}

unsigned long nr_managed_pages(void)
{
	return nr_total;
}

/* ---- checking: every other hart is paused ---- */

static int complain(const struct page *page, const char *why)
{
	page_story(page, why);
	return 1;
}

static int check_block(const struct page *page, unsigned order)
{
	unsigned long pfn = page_to_pfn(page);
	int faults = 0;

	if (pfn & ((1UL << order) - 1))
		faults += complain(page, "free block not aligned to its order");
	if (!(page->flags & PG_BUDDY) || page->order != order)
		faults += complain(page, "free block's head does not say so");
	if (order < MAX_ORDER && free_buddy(pfn, order))
		faults += complain(page, "two free buddies were not melted");
	for (unsigned long i = 0; i < (1UL << order); i++) {
		if (page[i].type != PAGE_FREE || atomic_read(&page[i].refcount) != 0)
			faults += complain(&page[i], "page in a free block is in use");
	}
	return faults;
}

int buddy_check(void)
{
	unsigned long listed = 0, marked = 0, blocks;
	struct page *page;
	int faults = 0;

	for (unsigned o = 0; o <= MAX_ORDER; o++) {
		blocks = 0;
		list_for_each_entry(page, &free_list[o], lru) {
			faults += check_block(page, o);
			blocks++;
		}
		if (blocks != nr_free[o]) {
			printk("buddy: order %u: %lu blocks listed, %lu counted\n", o, blocks,
			       nr_free[o]);
			faults++;
		}
		listed += blocks << o;
	}
	faults += pcp_check(&listed);
	for (unsigned long i = 0; i < mem_map_nr; i++)
		marked += mem_map[i].type == PAGE_FREE;
	if (marked != listed) {
		printk("buddy: %lu pages are marked free, %lu are on the lists\n", marked, listed);
		faults++;
	}
	return faults;
}
