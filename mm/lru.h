/*
 * lru.h - the lists of pages that may be taken away. mm/lru.c has the drawing.
 */
#ifndef RAVEL_MM_LRU_H
#define RAVEL_MM_LRU_H

#include "lib/list.h"
#include "mm/page.h"

#define LRU_ACTIVE 1u
#define LRU_FILE   2u

enum lru_list {
	LRU_INACTIVE_ANON = 0,
	LRU_ACTIVE_ANON = LRU_ACTIVE,
	LRU_INACTIVE_FILE = LRU_FILE,
	LRU_ACTIVE_FILE = LRU_FILE | LRU_ACTIVE,
	NR_LRU_LISTS,
};

#define LRU_BATCH 32 /* pages that are isolated at once */

/* The list that @page is on, or goes to. */
static inline enum lru_list lru_of(const struct page *page)
{
	return (page->flags / PG_ACTIVE) & (LRU_ACTIVE | LRU_FILE);
}

/* True for what belongs on the lists of files: not for memory without a disk behind it. */
static inline bool page_is_file(const struct page *page)
{
	return page->type == PAGE_FILE && !(page->flags & PG_SHMEM);
}

extern struct spinlock lru_lock;
extern struct list_head lru[NR_LRU_LISTS];
extern unsigned long nr_lru[NR_LRU_LISTS];

/* New pages of anonymous memory, PG_FRESH, that go to their list together; of one hart. */
struct lru_batch {
	unsigned long nr;
	struct page *pages[LRU_BATCH - 1];
};

extern struct lru_batch lru_fresh[MAX_HARTS];

/* The pages of this hart's batch go to their list. */
void lru_flush(void);
/* Those of all harts: for who wants to know all, or to have all looked at. */
void lru_flush_all(void);

/*
 * Puts a new page of anonymous memory, which is about to be mapped first, on its list, as the
 * newest, soon. Inline: every fault on new memory comes here.
 */
static inline void lru_add_fresh(struct page *page)
{
	struct lru_batch *batch = &lru_fresh[this_hart()->id];
	unsigned long nr = batch->nr;

	batch->pages[nr] = page;
	batch->nr = nr + 1;
	/* Named, so that lru_check() finds it so. From here on others may, who see all it says. */
	__atomic_store_n(&page->flags, page->flags | PG_FRESH, __ATOMIC_RELEASE);
	if (unlikely(nr + 1 == ARRAY_SIZE(batch->pages)))
		lru_flush();
}

/*
 * The same for a page that came into the cache of a file, or from a swap area. It says already what
 * it is and, if that is known, whose, and at which index. Any task context. Where the policy wants
 * so, one that came back soon goes to the active list; also a page from a swap area, which was on a
 * list before it was known whose it is.
 */
void lru_add(struct page *page);
/* Takes pages off that have no reference any more, of the @nr in @pages: those of PG_LRU_ANY. */
#define PG_LRU_ANY (PG_LRU | PG_FRESH)
void lru_del_freed(struct page *const *pages, unsigned nr);

/*
 * Takes up to @nr of the oldest pages off @list, each with a reference for the caller, into @pages;
 * returns how many. They are to be given to lru_putback() or lru_forget() soon.
 */
unsigned lru_isolate(enum lru_list list, unsigned nr, struct page **pages);
/* The same for one page that the caller has a reference to, which stays his. False: not on one. */
bool lru_isolate_page(struct page *page);
/* As the newest of the lists that PG_ACTIVE says; the references stay the caller's. */
void lru_putback(struct page *const *pages, unsigned nr);
/* They are not put back: the caller's references may be the last ones. */
void lru_forget(unsigned nr);
/* Referenced @page, of which nobody has any use soon, is the oldest of the inactive ones. */
void lru_make_oldest(struct page *page);
/* All active pages become inactive ones, the oldest of all. */
void lru_deactivate_all(void);

/* Pages on @list, those that other harts are about to put there left out: lru_flush_all(). */
unsigned long lru_nr(enum lru_list list);
unsigned long lru_nr_isolated(void);

/* For the checker, with the machine stopped: 0, or the number of faults, each printed. */
int lru_check(void);

#endif
