/*
 * swap_internal.h - what the files of swap share: areas, tables of slots, and their lock.
 */
#ifndef RAVEL_MM_SWAP_INTERNAL_H
#define RAVEL_MM_SWAP_INTERNAL_H

#include "drivers/block.h"
#include "kernel/lock.h"
#include "mm/swap.h"

/* A table has its slots in clusters of the size of a word of the maps. */
#define SLOTS_PER_TABLE 512
#define CLUSTER_SLOTS	32
#define TABLE_CLUSTERS	(SLOTS_PER_TABLE / CLUSTER_SLOTS)
#define TABLES_PER_DIR	(PAGE_SIZE / sizeof(void *))
#define MAX_DIRS	64
#define MAX_SLOTS	(MAX_DIRS * TABLES_PER_DIR * SLOTS_PER_TABLE) /* 64 GiB */

/* How many clusters of a table, or of those that one directory names, are of no use to whom. */
struct unfit {
	u32 whole; /* a slot is taken: who wants a whole cluster */
	u32 open;  /* all are: who wants any slot */
};

/* A frame: slots [n * SLOTS_PER_TABLE, ...) of an area. */
struct swap_table {
	u32 frame[SLOTS_PER_TABLE]; /* cached page: its number in mem_map + 1; 0: none */
	u16 count[SLOTS_PER_TABLE]; /* PTEs that hold the entry */
	u32 taken[TABLE_CLUSTERS];  /* not to be given out: counted, cached, bad, past the end */
	u32 bad[TABLE_CLUSTERS];    /* the disk cannot keep it */
	struct unfit unfit;
	unsigned long first;   /* its slot 0 is that of the area */
	u16 freed;	       /* clusters that the disk may be told of */
	struct list_head link; /* in area->freed, while it has such clusters */
};

struct swap_area {
	unsigned nr; /* in swap_areas[] */
	struct block_device *bdev;
	char name[64];
	int prio;		     /* higher goes first */
	bool closing;		     /* swapoff: no slot is given out any more */
	unsigned long turn;	     /* when it gave out slots last: areas of one prio take turns */
	unsigned long nr_slots;	     /* slot 0, the header's, included */
	unsigned long nr_good;	     /* slots that can be used */
	unsigned long nr_busy;	     /* counted or cached */
	unsigned long nr_busy_bad;   /* of them, those that are bad by now */
	unsigned long cursor;	     /* where the last ones were given out */
	bool discards;		     /* freed clusters are told to the disk */
	bool discarding;	     /* some of them just now: swapoff waits */
	unsigned long nr_discarding; /* slots taken for that time; they count as free */
	struct list_head freed;	     /* tables with freed clusters */
	struct swap_table **dir[MAX_DIRS];
	struct unfit dir_unfit[MAX_DIRS];
};

/*
 * Guards all of them. Inside the pte lock and mapping->lock; nothing inside it but the console and
 * wait queues.
 */
extern struct spinlock swap_lock;
extern struct swap_area *swap_areas[MAX_SWAP_AREAS];
extern unsigned long nr_swap_cached;

/* Where what is known of a slot lies. */
struct slot {
	struct swap_area *area;
	struct swap_table *table;
	unsigned at; /* in the table */
	unsigned long nr;
};

static inline struct swap_table *area_table(const struct swap_area *area, unsigned long slot)
{
	unsigned long n = slot / SLOTS_PER_TABLE;

	return area->dir[n / TABLES_PER_DIR][n % TABLES_PER_DIR];
}

static inline bool slot_is_bad(struct slot s)
{
	return s.table->bad[s.at / CLUSTER_SLOTS] >> (s.at % CLUSTER_SLOTS) & 1;
}

static inline struct page *slot_page(struct slot s)
{
	u32 frame = s.table->frame[s.at];

	return frame ? &mem_map[frame - 1] : NULL;
}

/* Slots that nobody uses; all but nr_discarding of them may be given out by swap_lock's holder. */
static inline unsigned long area_nr_free(const struct swap_area *area)
{
	return area->nr_good - (area->nr_busy - area->nr_busy_bad);
}

/* ---- slots (mm/swap.c); swap_lock held ---- */

/* False: @entry names none (any more). */
bool slot_look(pte_t entry, struct slot *s);
/* The same for who keeps the slot in use. */
struct slot slot_find(pte_t entry);
/* The slot has lost its last count, or its page: free if it has neither. */
void slot_check_free(struct slot s);

/* ---- where the next pages go (mm/swap_room.c); swap_lock held, or an unused area ---- */

/* Slot @slot may not be given out from now on, or may again. */
void slot_set_taken(struct swap_area *area, unsigned long slot, bool taken);
/* The same for a cluster: its map is @taken from now on. */
void cluster_set_taken(struct swap_area *area, unsigned long cluster, u32 taken);
/*
 * Up to @nr slots in a row, still nobody's: the first in *@first, and how many; 0: no slot is free.
 * The caller gives them to pages before he unlocks.
 */
unsigned slots_take(unsigned nr, pte_t *first);
/* The sums over the map of @area, made afresh: 0, or the number of faults, printed. */
int swap_check_room(const struct swap_area *area);

/* The next entry of a row. */
static inline pte_t swap_entry_next(pte_t entry, unsigned by)
{
	return (pte_t){ entry.val + ((unsigned long)by << PTE_PPN_SHIFT) };
}

/* True when a PTE holds @entry, and its slot has not failed. */
bool swap_wants_write(pte_t entry);
/* The slot of @entry failed: it is never given out again. Takes swap_lock. */
void swap_slot_failed(pte_t entry);

/* ---- the cache (mm/swap_cache.c); each takes swap_lock ---- */

/*
 * Locked anonymous @pages that are in no cache get slots in a row and are cached, dirty; how many,
 * from the first on.
 */
unsigned swap_cache_add(struct page **pages, unsigned nr);
/*
 * New locked @page is to be read from @entry: cached from now on. False: the slot has a page
 * already, or nobody wants it any more.
 */
bool swap_cache_add_unread(struct page *page, pte_t entry);
/* True when it would have been added, a moment ago. */
bool swap_wants_read(pte_t entry);
/* It could not be read: as if it had not been added. */
void swap_cache_unread(struct page *page);
/*
 * Locked @page, with a reference of the caller's, leaves the cache if nobody else has one, and the
 * slot has its contents, or is not wanted.
 */
bool swap_cache_release(struct page *page);

/* ---- the disk (mm/swapio.c) ---- */

/*
 * Reads or writes @nr locked cached pages, up to SWAP_CLUSTER, with slots in a row. Where that
 * fails, each page by itself: bit n of the result is set when pages[n] failed. Sleeps; allocates
 * nothing.
 */
u32 swap_transfer(enum bio_op op, struct page **pages, unsigned nr);

/* The first sector of @slot is that many times the slot's number. */
#define SLOT_SECTORS (PAGE_SIZE / SECTOR_SIZE)

/* ---- telling the disk what is free (mm/swap_discard.c) ---- */

/* A slot of cluster @cluster of @table has become free; area->discards is set. swap_lock held. */
void swap_cluster_freed(struct swap_area *area, struct swap_table *table, unsigned cluster);
/*
 * Discards the freed clusters of one table, which nobody gets meanwhile. False: there are none.
 * Sleeps; allocates nothing.
 */
bool swap_discard_freed(void);
/* If all free slots are being discarded just now: sleeps until that has ended. */
void swap_discard_wait(void);
/* An area is not closing any more: the thread looks at what was freed meanwhile. */
void swap_discard_go_on(void);
/* Returns when no discard of @area is under way; it is closing, so none begins. */
void swap_discard_end(struct swap_area *area);
/*
 * @area, which is not in use yet, is to be discarded as the @flags of swapon(2) say: all of it but
 * its header and bad slots now, what is freed later. Sleeps.
 */
void swap_discard_init(struct swap_area *area, int flags);

/* ---- on and off ---- */

extern struct mutex swap_mutex; /* outside mmap_lock: one area is made or ended at a time */
void swap_area_free(struct swap_area *area);

/* ---- in (mm/swapin.c) ---- */

/*
 * Reads the slot of @entry, and with @around its neighbours that are in use and not here. 0, or
 * -ENOMEM, -EIO. Sleeps.
 */
int swap_read_in(pte_t entry, bool around);

#endif
