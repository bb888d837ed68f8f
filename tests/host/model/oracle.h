/*
 * oracle.h - what an address space must look like: one entry for each page, and every rule of
 * docs/ about mmap(2) and its family said in the plainest way. oracle.c has the drawing.
 *
 * The oracle knows nothing of areas, tables, frames or locks. tests/host/model/step.h does each
 * operation to it and to the real code.
 */
#ifndef RAVEL_HOST_ORACLE_H
#define RAVEL_HOST_ORACLE_H

#include "mm/mm.h"
#include "tests/host/host.h"

#define ORACLE_HARTS	  4
#define ORACLE_MMS	  5
#define ORACLE_FILES	  4
#define ORACLE_FILE_PAGES 24
#define ORACLE_MEMORIES	  4				   /* shared, without a name, at once */
#define ORACLE_ALL_FILES  (ORACLE_FILES + ORACLE_MEMORIES) /* those last */
#define ORACLE_STACK	  (64UL * PAGE_SIZE)		   /* RLIMIT_STACK */

/*
 * The pages that are looked at. The zones are where something ends: user memory, the span of a page
 * table, the heap, the place for mmap, the stack.
 */
enum { ZONE_LOW, ZONE_HEAP, ZONE_MID, ZONE_MMAP, ZONE_STACK, NR_ZONES };
#define ZONE_PAGES_LOW	 16
#define ZONE_PAGES_HEAP	 48
#define ZONE_PAGES_MID	 40
#define ZONE_PAGES_MMAP	 104
#define ZONE_PAGES_STACK 400
#define ORACLE_PAGES                                                                               \
	(ZONE_PAGES_LOW + ZONE_PAGES_HEAP + ZONE_PAGES_MID + ZONE_PAGES_MMAP + ZONE_PAGES_STACK)

struct zone {
	unsigned long start;
	unsigned nr; /* pages */
};
extern const struct zone zones[NR_ZONES];

#define NO_FILE	   (-1)
#define NEW_MEMORY (-2) /* of an area that mmap() is to make: shared memory, which comes with it */

struct oracle_page {
	bool mapped;
	bool was_exec; /* a hart may have fetched from it */
	u8 prot;
	u32 flags; /* VM_* */
	int file;
	unsigned long pgoff; /* in the file; of anonymous memory, as vm_pgoff */
	u8 *own;	     /* the bytes, if they are private by now; else the file's, or zeros */
};

struct oracle_file {
	struct file *file;
	enum file_kind kind;
	u64 size;
	bool was_exec; /* a hart may have fetched from it */
	/* Past the size zeros, but for what a mapping stored in the last page (shared.c). */
	u8 bytes[ORACLE_FILE_PAGES * PAGE_SIZE];
	bool lossy[ORACLE_FILE_PAGES]; /* writing it failed: it may fall back to the disk */
};

struct oracle_mm {
	struct mm *mm; /* NULL: none */
	unsigned long brk;
	u32 def_flags; /* mlockall(MCL_FUTURE) */
	struct oracle_page pages[ORACLE_PAGES];
};

extern struct oracle_mm oracle_mms[ORACLE_MMS];
extern struct oracle_file oracle_files[ORACLE_ALL_FILES];

/* ---- pages ---- */

unsigned long oracle_addr(unsigned index);
/* The entry of user address @addr; NULL: outside of the zones, where nothing is ever mapped. */
struct oracle_page *oracle_page(struct oracle_mm *om, unsigned long addr);
/* The first page at or above @addr that is mapped, and where it is; NULL: none. */
struct oracle_page *oracle_next(struct oracle_mm *om, unsigned long addr, unsigned long *at);
/* What a read of @page finds. */
const u8 *oracle_bytes(const struct oracle_page *page);
/* The same, for changing: private memory has its own copy from now on, shared is its file's. */
u8 *oracle_own(struct oracle_page *page);
/* Page @index of @as in the page cache; NULL: none, or it lies in a slot. */
const struct page *oracle_cached(struct address_space *as, unsigned long index);
/* Set by the steps: others ran in the windows of the step that is compared now. */
extern bool oracle_raced;
void oracle_disown(struct oracle_page *page);
/* No file, or not past its end. */
bool oracle_backed(const struct oracle_page *page);

/* ---- what a call does: the value that it returns, and the change unless @om is only asked ---- */

long oracle_mmap_where(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		       unsigned long len, u32 flags, unsigned long off);
void oracle_map(struct oracle_mm *om, const struct oracle_page *want, unsigned long addr,
		unsigned long len);
void oracle_unmap(struct oracle_mm *om, unsigned long addr, unsigned long len);
int oracle_munmap_result(unsigned long addr, unsigned long len);
int oracle_mprotect(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 prot);
unsigned long oracle_brk(struct oracle_mm *om, unsigned long brk);

struct oracle_remap {
	unsigned long addr, old_len, new_len, new_addr; /* whole pages */
	u32 flags;
	/* Anonymous memory that was written to. The area says: it remembers what is gone, too. */
	bool keeps_pgoff;
	unsigned long given_back; /* pages that are promised at the target, which the areas know */
};

/* The address that mremap must return, or -errno; and what has happened after it. */
long oracle_mremap_where(struct oracle_mm *om, const struct oracle_remap *r);
void oracle_mremap(struct oracle_mm *om, const struct oracle_remap *r, unsigned long to);

/* Populating, if that is the advice, is told by its result, and not done. (oracle_advice.c) */
int oracle_madvise(struct oracle_mm *om, unsigned long addr, unsigned long len, int advice);
/* @lock: VM_LOCK_MASK bits for the range, 0: munlock. Without populating; what that must return. */
int oracle_mlock(struct oracle_mm *om, unsigned long addr, unsigned long len, u32 lock);
int oracle_populate_locked(struct oracle_mm *om, unsigned long addr, unsigned long len);
int oracle_mlockall(struct oracle_mm *om, int flags);
/* May so many pages more be locked? May any? */
bool oracle_may_lock(struct oracle_mm *om, unsigned long pages);
bool oracle_may_lock_at_all(void);
void oracle_fork(struct oracle_mm *child, const struct oracle_mm *parent);
void oracle_drop(struct oracle_mm *om);
void oracle_truncate(struct oracle_file *of, u64 size);

/* The page of @addr is touched: stacks grow. */
enum fault_result oracle_touch(struct oracle_mm *om, unsigned long addr, enum fault_access access);
/* The same without growing. */
enum fault_result oracle_allows(struct oracle_mm *om, unsigned long addr, enum fault_access access);
/* A fault at @addr, which is not mapped, grows a stack: does that. */
bool oracle_grow(struct oracle_mm *om, unsigned long addr);

/* Panics where the real areas, tables and bytes are not what they must be. */
void oracle_check(struct oracle_mm *om);
/* Pages that left the cache after a failed write are what the disk says. */
void oracle_settle_files(bool write_failed);

/* ---- shared.c: shared areas ---- */

/* @page is of a shared area. */
bool oracle_shared(const struct oracle_page *page);
/* mmap's flags of a shared area, and which file it is of; @want is of @flags, a file or none. */
void oracle_want_shared(struct oracle_page *want, u32 flags);
/* ... and it is new memory. */
bool oracle_makes_memory(const struct oracle_page *want);
/* What is wrong with a shared request for @want: 0 or -errno. */
long oracle_shared_arguments(const struct oracle_page *want, u32 flags);
/*
 * An mmap() of @want at @start that is under way has changed the list. (It puts new memory's file
 * away, which may wait, also where it fails). */
bool oracle_is_made(struct oracle_mm *om, const struct oracle_page *want, unsigned long start);
/* The memory behind the area at @start of @om, which was NEW_MEMORY: its number. */
int oracle_adopt(struct oracle_mm *om, unsigned long start, unsigned long len);
/* There is room for so many more. */
unsigned oracle_memories_left(void);
/* With nothing under way: memory that no area shows any more is held by nobody. */
void oracle_release_memory(void);
/* Whose fetches must be told of stores through @page. */
bool oracle_is_code(const struct oracle_page *page);
/* Bytes past the end of a file, in its last page, are what was stored there, or zeros again. */
void oracle_settle_tails(void);
int oracle_msync_result(struct oracle_mm *om, unsigned long addr, unsigned long len, int flags);

#endif
