/*
 * page_alloc.c - hands out pages: single ones from a short list of each hart, blocks from buddy.c.
 *
 *	alloc_page() --> pcp[hart]: up to PCP_HIGH single pages, last freed first
 *	   page_put() <--  |  ^     refilled and drained PCP_BATCH at a time
 *	                   v  |
 *	alloc_pages() --> blocks (mm/buddy.c) <-- pages_put(): many at once, as runs
 *
 *	Each refill looks at how much is left (mm/watermark.h):
 *
 *	    free   high ----- kswapd goes back to sleep
 *	           low  ----- kswapd is woken
 *	           min  ----- who may sleep takes what other harts keep, then reclaims himself
 *	           min/2 ---- who may not sleep, and who is dying, fails
 *	           0    ----- who reclaims
 *
 * Invariants (pcp_check()): pages on a hart's list are PAGE_FREE with PG_PCP, and counted. A page
 * that is freed was a whole block, with no reference, no mapping and no lock: anything else stops
 * the machine, with the page's story.
 * Locks: pcp lock, then buddy_lock. Neither is taken by interrupt handlers, which must not
 * allocate.
 */
#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "mm/blocks.h"
#include "mm/buddy.h"
#include "mm/debug.h"
#include "mm/lru.h"
#include "mm/vmstat.h"
#include "mm/watermark.h"

#define PCP_BATCH 16
#define PCP_HIGH  64

struct pcp {
	struct spinlock lock;
	unsigned count;
	struct list_head pages;
};

static struct pcp pcp[MAX_HARTS];

extern char _stext[];

static u32 pc_offset(const void *pc)
{
	return (u32)((unsigned long)pc - (unsigned long)_stext);
}

/* ---- single pages of a hart; its lock held ---- */

static void pcp_add_last(struct pcp *p, struct page *page)
{
	page->flags = PG_PCP;
	list_add_tail(&page->lru, &p->pages);
	p->count++;
}

/* What the current task may not touch, pages. */
static unsigned long reserve_of(gfp_t gfp)
{
	if (current->reclaiming)
		return 0;
	if ((gfp & GFP_ATOMIC) || current->killed || current->oom_victim || current->no_way_back)
		return mark_min / 2;
	return mark_min;
}

/* Above the reserve. buddy_lock held. */
static unsigned long free_for(gfp_t gfp)
{
	unsigned long reserve = reserve_of(gfp), nr = nr_block_pages();

	return nr > reserve ? nr - reserve : 0;
}

/* The smallest blocks first: the large ones stay whole as long as they can. */
static void pcp_refill(struct pcp *p, gfp_t gfp)
{
	unsigned wanted, order;

	spin_lock(&buddy_lock);
	wanted = min((unsigned long)PCP_BATCH, free_for(gfp));
	while (wanted > 0 && (order = block_smallest()) <= MAX_ORDER) {
		struct page *page;

		while (1U << order > wanted)
			order--;
		page = block_alloc(order);
		for (unsigned i = 0; i < 1U << order; i++)
			pcp_add_last(p, &page[i]);
		wanted -= 1U << order;
	}
	spin_unlock(&buddy_lock);
	count_vm(VM_pcp_refill);
	look_at_watermark();
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

static struct page *pcp_alloc(gfp_t gfp)
{
	struct pcp *p = &pcp[this_hart()->id];
	struct page *page = NULL;

	spin_lock(&p->lock);
	if (unlikely(p->count == 0))
		pcp_refill(p, gfp);
	if (likely(p->count > 0)) {
		page = list_first_entry(&p->pages, struct page, lru);
		list_del(&page->lru);
		p->count--;
		prepare_block(page, 0);
	}
	spin_unlock(&p->lock);
	return page;
}

static void pcp_free(struct page *const *pages, unsigned nr)
{
	struct pcp *p = &pcp[this_hart()->id];

	spin_lock(&p->lock);
	for (unsigned i = 0; i < nr; i++) {
		pages[i]->type = PAGE_FREE;
		pages[i]->flags = PG_PCP;
		list_add(&pages[i]->lru, &p->pages);
	}
	p->count += nr;
	if (unlikely(p->count > PCP_HIGH))
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

void buddy_drain_local(void)
{
	struct pcp *p = &pcp[this_hart()->id];

	spin_lock(&p->lock);
	pcp_drain(p, p->count);
	spin_unlock(&p->lock);
}

void pcp_init(void)
{
	for (unsigned i = 0; i < MAX_HARTS; i++)
		INIT_LIST_HEAD(&pcp[i].pages);
}

unsigned long pcp_nr_pages(void)
{
	unsigned long n = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		n += READ_ONCE(pcp[i].count);
	return n;
}

int pcp_check(unsigned long *listed)
{
	const struct page *page;
	int faults = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++) {
		unsigned nr = 0;

		list_for_each_entry(page, &pcp[i].pages, lru) {
			nr++;
			if (page->type == PAGE_FREE && (page->flags & PG_PCP))
				continue;
			page_story(page, "page on a hart's list is not free");
			faults++;
		}
		*listed += nr;
		if (nr != pcp[i].count) {
			printk("buddy: hart %u: %u pages listed, %u counted\n", i, nr,
			       pcp[i].count);
			faults++;
		}
	}
	return faults;
}

/* ---- the interface ---- */

bool alloc_should_fail(void)
{
	if (current->fail_alloc == 0 || current->no_way_back || --current->fail_alloc > 0)
		return false;
	current->fail_fired++;
	count_vm(VM_alloc_fail_injected);
	return true;
}

unsigned long fail_page_alloc;

/* The n-th of all, or the one that the task asked for itself. */
static bool page_alloc_should_fail(gfp_t gfp)
{
	static atomic_t asked;
	unsigned long nth = READ_ONCE(fail_page_alloc);

	if (current->fail_alloc && alloc_should_fail())
		return true;
	if (nth == 0 || (gfp & GFP_UNFAILED) || current->no_way_back ||
	    (unsigned)atomic_add_return(&asked, 1) % nth != 0)
		return false;
	count_vm(VM_alloc_fail_injected);
	return true;
}

static void note_failure(unsigned order, gfp_t gfp, const void *caller)
{
	current->failed_alloc =
		(struct failed_alloc){ .order = order, .gfp = gfp, .caller = caller };
}

static struct page *alloc_block_locked(unsigned order, gfp_t gfp)
{
	struct page *page = NULL;

	spin_lock(&buddy_lock);
	if (free_for(gfp) >= 1UL << order)
		page = block_alloc(order);
	if (page)
		prepare_block(page, order);
	spin_unlock(&buddy_lock);
	look_at_watermark();
	return page;
}

/* Is there any hope after @tries tries? */
static bool try_again(unsigned order, gfp_t gfp, unsigned tries)
{
	if ((gfp & GFP_ATOMIC) || current->reclaiming)
		return false;
	return reclaim_for(order, tries) || (current->no_way_back && wait_for_memory(tries));
}

/* Nothing free at first sight: collect what lies about on the harts, then what can be reclaimed. */
static struct page *alloc_slow(unsigned order, gfp_t gfp)
{
	struct page *page;
	unsigned tries = 0;

	drain_all_harts();
	while ((page = alloc_block_locked(order, gfp)) == NULL) {
		if (!try_again(order, gfp, tries++))
			break;
		drain_all_harts();
	}
	return page;
}

struct page *alloc_pages(unsigned order, gfp_t gfp)
{
	struct page *page;

	might_alloc(gfp);
	if (unlikely(current->fail_alloc | (long)fail_page_alloc) && page_alloc_should_fail(gfp)) {
		note_failure(order, gfp, __builtin_return_address(0));
		return NULL;
	}
	if (order > MAX_ORDER)
		return NULL;
	page = order == 0 ? pcp_alloc(gfp) : alloc_block_locked(order, gfp);
	if (unlikely(!page))
		page = alloc_slow(order, gfp);
	if (unlikely(!page)) {
		count_vm(VM_alloc_fail);
		note_failure(order, gfp, __builtin_return_address(0));
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

bool memory_must_begin(void)
{
	bool before = current->no_way_back;

	current->no_way_back = true;
	return before;
}

void memory_must_end(bool before)
{
	current->no_way_back = before;
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

/* free_fault() at a glance, where the last reference is known to be gone. */
static inline bool may_be_freed(const struct page *page, unsigned order)
{
	BUILD_BUG_ON(PAGE_RESERVED > PAGE_FREE);
	return !(page->flags & (PG_BUDDY | PG_PCP | PG_LOCKED)) && page->type > PAGE_FREE &&
	       atomic_read(&page->mapcount) == 0 && page->order == order;
}

/* The last reference of a block is gone, on behalf of @caller: it may be freed, or this panics. */
static inline void check_free(struct page *page, unsigned order, const void *caller)
{
	if (unlikely(!may_be_freed(page, order)))
		refuse_free(page, free_fault(page, order));
	page->free_pc = pc_offset(caller);
	debug_pages_freed(page, order);
}

void free_pages(struct page *page, unsigned order)
{
	/* A second free finds no reference to drop; neither does one of the middle of a block. */
	if (unlikely(atomic_read(&page->refcount) <= 0))
		refuse_free(page, free_fault(page, order) ?: "freeing what nobody has");
	if (unlikely(!atomic_dec_and_test(&page->refcount)))
		refuse_free(page, "freeing a page that others use");
	check_free(page, order, __builtin_return_address(0));
	count_vm_n(VM_pgfree, 1UL << order);
	if (order == 0) {
		pcp_free(&page, 1);
		return;
	}
	spin_lock(&buddy_lock);
	free_run(page_to_pfn(page), page_to_pfn(page) + (1UL << order));
	spin_unlock(&buddy_lock);
}

void page_free(struct page *page)
{
	check_free(page, 0, __builtin_return_address(0));
	if (page->flags & PG_LRU_ANY)
		lru_del_freed(&page, 1);
	count_vm(VM_pgfree);
	pcp_free(&page, 1);
}

/* Back to the lists, past the harts': pages that were taken in a row are given back so. */
static void free_runs(struct page *const *pages, unsigned nr)
{
	spin_lock(&buddy_lock);
	for (unsigned i = 0, next; i < nr; i = next) {
		for (next = i + 1; next < nr && pages[next] == pages[next - 1] + 1;)
			next++;
		free_run(page_to_pfn(pages[i]), page_to_pfn(pages[next - 1]) + 1);
	}
	spin_unlock(&buddy_lock);
}

static inline unsigned drop_references(struct page **pages, unsigned nr, const void *caller)
{
	unsigned last = 0;
	u32 flags = 0;

	for (unsigned i = 0; i < nr; i++) {
		struct page *page = pages[i];

		if (!atomic_dec_and_test(&page->refcount))
			continue;
		check_free(page, 0, caller);
		flags |= page->flags;
		pages[last++] = page;
	}
	if (flags & PG_LRU_ANY)
		lru_del_freed(pages, last);
	return last;
}

unsigned pages_drop(struct page **pages, unsigned nr)
{
	return drop_references(pages, nr, __builtin_return_address(0));
}

static inline void free_dropped(struct page **pages, unsigned nr)
{
	count_vm_n(VM_pgfree, nr);
	if (nr > PCP_BATCH)
		free_runs(pages, nr);
	else if (nr > 0)
		pcp_free(pages, nr);
}

void pages_free(struct page **pages, unsigned nr)
{
	free_dropped(pages, nr);
}

void pages_put(struct page **pages, unsigned nr)
{
	free_dropped(pages, drop_references(pages, nr, __builtin_return_address(0)));
}
