/*
 * page.h - struct page: one for each frame of RAM, and how frames are counted.
 *
 *	mem_map[0 .. nr_frames)   frame number pfn <-> mem_map[pfn - mem_map_base_pfn]
 *
 * What the fields mean depends on the type:
 *
 *	type          mapping            index              lru
 *	PAGE_FREE     -                  -                  free list of its order (head page only)
 *	PAGE_ANON     anon_root | 1      linear page index  reclaim's lists
 *	PAGE_FILE     address_space      page in file       reclaim's lists
 *	PAGE_TABLE    mm                 -                  -          (ptl guards its entries)
 *	PAGE_SLAB     kmem_cache         free object chain  partial list of its cache
 *	PAGE_KERNEL   -                  -                  -
 *	PAGE_RESERVED: never handed out (firmware, kernel image, mem_map itself)
 *
 * Invariants: refcount is 0 exactly for free pages; each PTE that maps a page holds one reference
 * and one mapcount; the page cache holds one reference.
 */
#ifndef RAVEL_MM_PAGE_H
#define RAVEL_MM_PAGE_H

#include "arch/riscv/memlayout.h"
#include "arch/riscv/pte.h"
#include "kernel/lock.h"

typedef unsigned gfp_t;

#define GFP_KERNEL   0x0u /* may reclaim, and sleep for it: under no spinlock */
#define GFP_ATOMIC   0x1u /* takes what is free, a part of the reserve too; never sleeps */
#define GFP_ZERO     0x2u /* cleared */
#define GFP_UNFAILED 0x4u /* no failure is injected here: there is none, or there is memory */

/* In the debug kernel: panics when an allocation by @gfp could sleep where nobody may. */
#define might_alloc(gfp)                                                                           \
	do {                                                                                       \
		if (!((gfp)&GFP_ATOMIC))                                                           \
			might_sleep();                                                             \
	} while (0)

enum page_type {
	PAGE_RESERVED,
	PAGE_FREE,
	PAGE_KERNEL,
	PAGE_SLAB,
	PAGE_TABLE,
	PAGE_ANON,
	PAGE_FILE,
	PAGE_STACK,
	NR_PAGE_TYPES,
};

#define PG_LOCKED	(1u << 0)  /* owned by an I/O or by who checks the owner */
#define PG_UPTODATE	(1u << 1)  /* the contents are those of the file */
#define PG_ERROR	(1u << 2)  /* the last read failed */
#define PG_REFERENCED	(1u << 3)  /* used since reclaim last looked */
#define PG_ICACHE_CLEAN (1u << 4)  /* every hart has done fence.i since the contents came in */
#define PG_WAITERS	(1u << 5)  /* somebody sleeps for PG_LOCKED */
#define PG_BUDDY	(1u << 6)  /* head of a block on a buddy list */
#define PG_PCP		(1u << 7)  /* on a hart's list of single pages */
#define PG_SHMEM	(1u << 8)  /* of a mapping without backing store, now or once */
#define PG_DIRTY	(1u << 9)  /* differs from the disk; of a file: under mapping->lock */
#define PG_WRITEBACK	(1u << 10) /* being written to the disk */
#define PG_MAPPED	(1u << 11) /* every byte has its place on the disk */
#define PG_KEPT		(1u << 12) /* debug kernel: in use until power-off, not a leak */
#define PG_SWAPCACHE	(1u << 13) /* anonymous: also in a slot's care; page->swap names it */
#define PG_LRU		(1u << 14) /* on one of reclaim's lists */
#define PG_ACTIVE	(1u << 15) /* ... on the active one, or going there */
#define PG_FILE_LIST	(1u << 16) /* ... on those of files; next to PG_ACTIVE: mm/lru.c */
#define PG_SECOND	(1u << 17) /* reclaim found it used once, and let it go round once more */
#define PG_UNWANTED	(1u << 20) /* cached for swap and nobody's: unlock_page() looks at it */
#define PG_FRESH	(1u << 19) /* on its way to one, with others: mm/lru.h */
#define PG_READAHEAD	(1u << 18) /* read before somebody asked, and not used since */

#define PG_NO_MEMORY (1u << 24) /* with PG_ERROR: not the disk failed, there was no memory for it */

struct page {
	u32 flags;
	atomic_t refcount;
	atomic_t mapcount;
	u8 order; /* of the block, in its first page */
	u8 type;
	u16 inuse; /* PAGE_SLAB: objects handed out */
	void *mapping;
	unsigned long index;
	struct list_head lru;
	union {
		struct spinlock ptl; /* PAGE_TABLE */
		pte_t swap;	     /* PG_SWAPCACHE: its swap entry */
	};
	u32 alloc_pc, free_pc; /* return addresses, as offsets from the start of kernel text */
};

extern struct page *mem_map;
extern unsigned long mem_map_base_pfn, mem_map_nr;

static inline unsigned long page_to_pfn(const struct page *page)
{
	return (page - mem_map) + mem_map_base_pfn;
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return &mem_map[pfn - mem_map_base_pfn];
}

static inline bool pfn_valid(unsigned long pfn)
{
	return pfn - mem_map_base_pfn < mem_map_nr;
}

static inline void *page_address(const struct page *page)
{
	return phys_to_virt(PFN_PHYS(page_to_pfn(page)));
}

static inline struct page *virt_to_page(const void *va)
{
	return pfn_to_page(PFN_DOWN(virt_to_phys(va)));
}

static inline phys_addr_t page_to_phys(const struct page *page)
{
	return PFN_PHYS(page_to_pfn(page));
}

static inline u32 page_flags(const struct page *page)
{
	return __atomic_load_n(&page->flags, __ATOMIC_ACQUIRE);
}

static inline void page_set_flags(struct page *page, u32 bits)
{
	__atomic_fetch_or(&page->flags, bits, __ATOMIC_RELEASE);
}

static inline void page_clear_flags(struct page *page, u32 bits)
{
	__atomic_fetch_and(&page->flags, ~bits, __ATOMIC_RELEASE);
}

/* mm/page.c: makes mem_map from early_ram and hands every free frame to the buddy. Boot hart. */
void page_init(void);

/* A reference more. The caller already has one, or holds what keeps the page alive. */
static inline void page_get(struct page *page)
{
	atomic_inc(&page->refcount);
}

/* A reference more unless the page is being freed. */
static inline bool page_get_unless_zero(struct page *page)
{
	return atomic_inc_not_zero(&page->refcount);
}

/* Frees a single page whose last reference is gone, for page_put(). */
void page_free(struct page *page);

/* A reference less; the last one frees the page (order 0). Any context but interrupts. */
static inline void page_put(struct page *page)
{
	if (atomic_dec_and_test(&page->refcount))
		page_free(page);
}

struct address_space;

/* The page lock: owned from I/O start to I/O end. lock_page() sleeps. */
void lock_page(struct page *page);
/* A page that nobody else has: locked on its way to @as; unlocked if it does not get there. */
void lock_new_page(struct page *page, const struct address_space *as);
void unlock_new_page(struct page *page);
bool trylock_page(struct page *page);
/* Interrupt context too. */
void unlock_page(struct page *page);
/* Sleeps until the page is unlocked. */
void wait_on_page_locked(struct page *page);
/* The same; 0, or -EINTR when a fatal signal came first. */
int wait_on_page_locked_killable(struct page *page);

/* PG_WRITEBACK ends, and who waits for that is woken. Interrupt context too. */
void page_wake_writeback(struct page *page);
/* Sleeps until the page is not being written. The caller has a reference. */
void wait_on_page_writeback(struct page *page);

/* "file", "anonymous" ...: what page->type says. */
const char *page_type_name(const struct page *page);
/* Prints all that is known of a page: type, counts, owner, who allocated and freed it. */
void page_story(const struct page *page, const char *why);

/* Contents, unrolled: 4096 bytes at page-aligned kernel addresses. */
void clear_page(void *page);
void copy_page(void *dst, const void *src);

#endif
