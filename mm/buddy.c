/*
 * buddy.c - the page allocator: blocks of 2^order frames, with single pages at hand for each hart.
 *
 *	alloc_page() --> pcp[hart]: up to PCP_HIGH single pages, last freed first
 *	                   |  ^     refilled and drained PCP_BATCH at a time
 *	                   v  |
 *	free_list[0]  [ ] - [ ]           one list per order; a block of order n is 2^n frames whose
 *	free_list[1]  [    ]              first pfn is a multiple of 2^n
 *	...                               the buddy of a block: pfn ^ 2^n. Two free buddies are
 *	free_list[10] [        ...    ]   always melted into one block of the next order.
 *
 * Invariants (buddy_check(), tests/mm "check"): a page is PAGE_FREE exactly when it lies in a block
 * on a list here or on a pcp list; only a block's first page has PG_BUDDY, with the block's order;
 * no two free buddies of one order below MAX_ORDER; counts equal the lists; refcount and mapcount
 * of free pages are 0.
 * Locks: pcp lock, then buddy lock. Neither is taken by interrupt handlers, which must not
 * allocate.
 * Source: Knuth, TAOCP vol. 1, 2.5 "buddy system".
 */
#include "mm/buddy.h"

#include "arch/riscv/hart.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/debug.h"
#include "mm/filemap.h"
#include "mm/vmstat.h"

#define PCP_BATCH 16
#define PCP_HIGH  64

struct pcp {
	struct spinlock lock;
	unsigned count;
	struct list_head pages;
};

static struct pcp pcp[MAX_HARTS];
static struct spinlock buddy_lock;
static struct list_head free_list[MAX_ORDER + 1];
static unsigned long nr_free[MAX_ORDER + 1];
static unsigned long nr_free_total, nr_total; /* pages; nr_free_total: on free_list */

extern char _stext[];

static u32 pc_offset(const void *pc)
{
	return (u32)((unsigned long)pc - (unsigned long)_stext);
}

/* ---- blocks; buddy_lock held ---- */

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

static void block_free(struct page *page, unsigned order)
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

static struct page *block_alloc(unsigned order)
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
static void prepare_block(struct page *page, unsigned order)
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
	for (unsigned long i = 0; i < (1UL << order); i++)
		page[i].type = PAGE_FREE;
}

/* ---- single pages of a hart; its pcp lock held ---- */

static void pcp_refill(struct pcp *p)
{
	spin_lock(&buddy_lock);
	for (unsigned i = 0; i < PCP_BATCH; i++) {
		struct page *page = block_alloc(0);

		if (!page)
			break;
		page->flags = PG_PCP;
		list_add_tail(&page->lru, &p->pages);
		p->count++;
	}
	spin_unlock(&buddy_lock);
	count_vm(VM_pcp_refill);
}

/* Gives back the @n pages that were freed longest ago. */
static void pcp_drain(struct pcp *p, unsigned n)
{
	spin_lock(&buddy_lock);
	while (n-- > 0 && p->count > 0) {
		struct page *page = list_last_entry(&p->pages, struct page, lru);

		list_del(&page->lru);
		p->count--;
		block_free(page, 0);
	}
	spin_unlock(&buddy_lock);
	count_vm(VM_pcp_drain);
}

static struct page *pcp_alloc(void)
{
	struct pcp *p = &pcp[this_hart()->id];
	struct page *page = NULL;

	spin_lock(&p->lock);
	if (unlikely(p->count == 0))
		pcp_refill(p);
	if (likely(p->count > 0)) {
		page = list_first_entry(&p->pages, struct page, lru);
		list_del(&page->lru);
		p->count--;
		prepare_block(page, 0);
	}
	spin_unlock(&p->lock);
	return page;
}

static void pcp_free(struct page *page)
{
	struct pcp *p = &pcp[this_hart()->id];

	spin_lock(&p->lock);
	mark_free(page, 0);
	page->flags = PG_PCP;
	list_add(&page->lru, &p->pages);
	if (unlikely(++p->count > PCP_HIGH))
		pcp_drain(p, PCP_HIGH / 2);
	spin_unlock(&p->lock);
}

static void drain_all_harts(void)
{
	for (unsigned i = 0; i < MAX_HARTS; i++) {
		spin_lock(&pcp[i].lock);
		pcp_drain(&pcp[i], pcp[i].count);
		spin_unlock(&pcp[i].lock);
	}
}

/* ---- the interface ---- */

bool alloc_should_fail(void)
{
	if (current->fail_alloc == 0 || --current->fail_alloc > 0)
		return false;
	current->fail_fired++;
	count_vm(VM_alloc_fail_injected);
	return true;
}

static struct page *alloc_block_locked(unsigned order)
{
	struct page *page;

	spin_lock(&buddy_lock);
	page = block_alloc(order);
	if (page)
		prepare_block(page, order);
	spin_unlock(&buddy_lock);
	return page;
}

/* Nothing free at first sight: collect what lies about on the harts, then what caches can spare. */
static struct page *alloc_slow(unsigned order, gfp_t gfp)
{
	struct page *page;

	drain_all_harts();
	while ((page = alloc_block_locked(order)) == NULL) {
		if ((gfp & GFP_ATOMIC) || shrink_page_cache(32UL << order) + fs_shrink(32) == 0)
			break;
		drain_all_harts();
	}
	return page;
}

struct page *alloc_pages(unsigned order, gfp_t gfp)
{
	struct page *page;

	might_alloc(gfp);
	if (unlikely(current->fail_alloc) && alloc_should_fail())
		return NULL;
	if (order > MAX_ORDER)
		return NULL;
	page = order == 0 ? pcp_alloc() : alloc_block_locked(order);
	if (unlikely(!page))
		page = alloc_slow(order, gfp);
	if (unlikely(!page)) {
		count_vm(VM_alloc_fail);
		return NULL;
	}
	debug_pages_allocated(page, order);
	page->alloc_pc = pc_offset(__builtin_return_address(0));
	if (gfp & GFP_ZERO) {
		for (unsigned long i = 0; i < (1UL << order); i++)
			clear_page(page_address(&page[i]));
	}
	count_vm_n(VM_pgalloc, 1UL << order);
	return page;
}

void page_set_owner(struct page *page, const void *caller)
{
	page->alloc_pc = pc_offset(caller);
}

/* Why @page must not be freed as a block of @order; NULL when it may. */
static const char *free_fault(const struct page *page, unsigned order)
{
	if (page->type == PAGE_FREE || (page->flags & (PG_BUDDY | PG_PCP)))
		return "double free";
	if (page->type == PAGE_RESERVED)
		return "freeing a reserved page";
	if (atomic_read(&page->mapcount) != 0)
		return "freeing a mapped page";
	if (atomic_read(&page->refcount) != 0)
		return "freeing a page that others use";
	if (page->order != order)
		return "freeing with a wrong order";
	if (page->flags & PG_LOCKED)
		return "freeing a locked page";
	return NULL;
}

static void __noreturn refuse_free(const struct page *page, const char *fault)
{
	page_story(page, fault);
	panic("BUG: %s", fault);
}

/* Frees a block whose last reference is gone, on behalf of @caller. */
static void free_block(struct page *page, unsigned order, const void *caller)
{
	const char *fault = free_fault(page, order);

	if (unlikely(fault))
		refuse_free(page, fault);
	page->free_pc = pc_offset(caller);
	debug_pages_freed(page, order);
	count_vm_n(VM_pgfree, 1UL << order);
	if (order == 0) {
		pcp_free(page);
		return;
	}
	spin_lock(&buddy_lock);
	mark_free(page, order);
	block_free(page, order);
	spin_unlock(&buddy_lock);
}

void free_pages(struct page *page, unsigned order)
{
	/* A second free finds no reference to drop; neither does one of the middle of a block. */
	if (unlikely(atomic_read(&page->refcount) <= 0))
		refuse_free(page, free_fault(page, order) ?: "freeing what nobody has");
	if (unlikely(!atomic_dec_and_test(&page->refcount)))
		refuse_free(page, "freeing a page that others use");
	free_block(page, order, __builtin_return_address(0));
}

bool page_put(struct page *page)
{
	if (!atomic_dec_and_test(&page->refcount))
		return false;
	free_block(page, 0, __builtin_return_address(0));
	return true;
}

void buddy_add_range(unsigned long pfn, unsigned long end_pfn)
{
	static bool ready;

	if (!ready) {
		for (unsigned o = 0; o <= MAX_ORDER; o++)
			INIT_LIST_HEAD(&free_list[o]);
		for (unsigned i = 0; i < MAX_HARTS; i++)
			INIT_LIST_HEAD(&pcp[i].pages);
		ready = true;
	}
	while (pfn < end_pfn) {
		unsigned order = 0;

		while (order < MAX_ORDER && (pfn & ((2UL << order) - 1)) == 0 &&
		       pfn + (2UL << order) <= end_pfn)
			order++;
		for (unsigned long i = 0; i < (1UL << order); i++)
			pfn_to_page(pfn + i)->type = PAGE_FREE;
		debug_pages_freed(pfn_to_page(pfn), order);
		block_free(pfn_to_page(pfn), order);
		nr_total += 1UL << order;
		pfn += 1UL << order;
	}
}

void buddy_get_stats(struct buddy_stats *stats)
{
	stats->total = nr_total;
	stats->pcp = 0;
	for (unsigned i = 0; i < MAX_HARTS; i++)
		stats->pcp += READ_ONCE(pcp[i].count);
	spin_lock(&buddy_lock);
	for (unsigned o = 0; o <= MAX_ORDER; o++)
		stats->nr_free[o] = nr_free[o];
	stats->free = nr_free_total + stats->pcp;
	spin_unlock(&buddy_lock);
}

unsigned long nr_free_pages(void)
{
	unsigned long n = READ_ONCE(nr_free_total);

	for (unsigned i = 0; i < MAX_HARTS; i++)
		n += READ_ONCE(pcp[i].count);
	return n;
}

unsigned long nr_managed_pages(void)
{
	return nr_total;
}

void buddy_drain_local(void)
{
	struct pcp *p = &pcp[this_hart()->id];

	spin_lock(&p->lock);
	pcp_drain(p, p->count);
	spin_unlock(&p->lock);
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
	for (unsigned i = 0; i < MAX_HARTS; i++) {
		list_for_each_entry(page, &pcp[i].pages, lru) {
			if (page->type != PAGE_FREE || !(page->flags & PG_PCP))
				faults += complain(page, "page on a hart's list is not free");
			listed++;
		}
	}
	for (unsigned long i = 0; i < mem_map_nr; i++)
		marked += mem_map[i].type == PAGE_FREE;
	if (marked != listed) {
		printk("buddy: %lu pages are marked free, %lu are on the lists\n", marked, listed);
		faults++;
	}
	return faults;
}
