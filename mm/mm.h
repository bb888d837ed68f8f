/*
 * mm.h - an address space: struct mm, struct vm_area, and what the rest of the kernel asks of them.
 *
 *	struct mm
 *	  mmap --> [vm_area] <-> [vm_area] <-> [vm_area]     sorted by vm_start, disjoint
 *	  mm_rb -> the same areas in a balanced tree         only answers look-ups
 *	  pgd ---> level 2 -> level 1 -> level 0 -> frames   rebuilt from the list by faults
 *
 * The list says what may be where; the page tables are a cache of it. Lists and edits: mm/vma.c.
 * Faults: mm/fault.c. Lock order: docs/locking.md.
 */
#ifndef RAVEL_MM_MM_H
#define RAVEL_MM_MM_H

#include "arch/riscv/pte.h"
#include "kernel/lock.h"
#include "lib/rbtree.h"
#include "mm/page.h"

struct file;
struct address_space;
struct anon_root;

/* vm_prot: as mmap(2) has them. */
#define PROT_READ  0x1
#define PROT_WRITE 0x2
#define PROT_EXEC  0x4
#define PROT_NONE  0x0
#define PROT_MASK  (PROT_READ | PROT_WRITE | PROT_EXEC)

#define MAP_SHARED	    0x01
#define MAP_PRIVATE	    0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE	    0x0f
#define MAP_FIXED	    0x10
#define MAP_ANONYMOUS	    0x20
#define MAP_GROWSDOWN	    0x0100
#define MAP_DENYWRITE	    0x0800
#define MAP_EXECUTABLE	    0x1000
#define MAP_LOCKED	    0x2000
#define MAP_NORESERVE	    0x4000
#define MAP_POPULATE	    0x8000
#define MAP_NONBLOCK	    0x10000
#define MAP_STACK	    0x20000
#define MAP_HUGETLB	    0x40000
#define MAP_SYNC	    0x80000
#define MAP_FIXED_NOREPLACE 0x100000

#define MREMAP_MAYMOVE	 1
#define MREMAP_FIXED	 2
#define MREMAP_DONTUNMAP 4

/* vm_flags. */
#define VM_GROWSDOWN 0x1u /* a stack: a fault just below extends it */
#define VM_HEAP	     0x2u /* made by brk(); only a name for /proc and people */
#define VM_NORESERVE 0x4u
#define VM_SHARED    0x8u  /* stores go to the file (or shared memory) itself */
#define VM_MAYWRITE  0x10u /* of a shared area: it may be, or become, writable */

/* What mlock(2) says of an area: its pages may not be taken away. Reclaim passes them by. */
#define VM_LOCKED      0x20u
#define VM_LOCKONFAULT 0x400u /* with VM_LOCKED: pages come when they are touched, not before */
#define VM_LOCK_MASK   (VM_LOCKED | VM_LOCKONFAULT)

/* What madvise(2) says of an area. */
#define VM_DONTCOPY   0x40u  /* a child does not get it */
#define VM_WIPEONFORK 0x80u  /* a child finds zeros */
#define VM_SEQ	      0x100u /* will be read from its start to its end */
#define VM_RAND	      0x200u /* will be touched here and there: nothing is read ahead */
#define VM_DONTDUMP   0x800u /* not for a core dump */

struct vm_area {
	unsigned long vm_start, vm_end; /* user addresses, bytes, page aligned, end exclusive */
	struct vm_area *vm_prev, *vm_next;
	struct mm *vm_mm;
	u8 vm_prot;
	bool vm_anon; /* may hold anonymous pages: fork must look at its PTEs */
	u16 vm_flags;
	int vm_moved; /* pages that mremap() has moved it by, and the anonymous pages in it */
	/* Page index of vm_start in the file; for anonymous areas in the mm's linear space. */
	unsigned long vm_pgoff;
	struct file *vm_file; /* NULL: anonymous */
	struct rb_node vm_rb;
	unsigned long vm_gap;		  /* bytes free before it: vma_gap(); for the tree */
	unsigned long vm_gap_max;	  /* largest vm_gap of this subtree */
	struct list_head vm_mapping_link; /* in the file mapping's list of areas */
};

#define PAGE_MAPPING_ANON 1UL

struct mm {
	struct list_head all_link; /* in mm_list */
	struct vm_area *mmap;	   /* the list's head */
	struct rb_root mm_rb;
	struct vm_area *last_hit; /* where look-ups begin: an area of the list, or NULL */
	unsigned nr_areas;
	struct rwsem mmap_lock;		 /* readers fault, writers edit */
	struct spinlock page_table_lock; /* entries of levels 2 and 1 */
	pte_t *pgd;
	atomic_t users;
	unsigned long hart_mask;      /* logical harts whose satp is on pgd */
	struct anon_root *anon_root;  /* the fork family: mm/anon_root.c */
	struct list_head family_link; /* in anon_root->mms */
	struct {
		struct rb_root tree; /* what vm_moved of its areas may be, but for 0 */
		unsigned nr, max;    /* more than max: some may be out of use */
	} anon_shifts;

	/* Layout, user addresses; set by exec, read by /proc. */
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long mmap_base; /* the mmap area grows down from here */
	unsigned long vdso;	 /* where signal handlers return to; fs/vdso.c */
	struct file *exe_file;
	unsigned long auxv[48]; /* pairs, for /proc/<pid>/auxv */

	/* Pages. The first group changes under mmap_lock for writing, the second atomically. */
	unsigned long total_vm, data_vm, stack_vm, exec_vm;
	unsigned long committed_vm; /* promised: mm/commit.c */
	unsigned long locked_vm;    /* of VM_LOCKED areas: what RLIMIT_MEMLOCK limits, VmLck */
	u32 def_flags;		    /* mlockall(MCL_FUTURE): VM_LOCK_MASK bits of each new area */
	long rss_anon, rss_file, nr_ptes; /* nr_ptes: page-table pages, without the root */
	long swap_ents;			  /* PTEs that hold a swap entry */
	unsigned long hiwater_rss, hiwater_vm;

	/* The OOM killer's: mm/oom_reaper.c. Each is only ever set. */
	bool oom_victim; /* its tasks have been sent SIGKILL */
	bool oom_reaped; /* private pages were taken away: none may be made afresh */
	bool oom_done;	 /* reaped, or given up: nobody waits for its end */
	u8 oom_tries;	 /* mm_list_lock; rounds in which mmap_lock could not be had */
};

/* True for what is called [stack]: not for other memory that grows down, nor for parts cut off. */
static inline bool vma_is_stack(const struct vm_area *vma)
{
	unsigned long stack = vma->vm_mm->start_stack;

	return (vma->vm_flags & VM_GROWSDOWN) && vma->vm_start <= stack && stack <= vma->vm_end;
}

/* ---- address spaces (mm/mm.c, mm/fork.c) ---- */

/* Empty address space with one user; NULL: no memory. */
struct mm *mm_alloc(void);
void mm_get(struct mm *mm);
/* The last user's put unmaps everything and frees it; may sleep. */
void mm_put(struct mm *mm);

/* What the end of an address space did with the frames it had. */
struct mm_freed {
	unsigned long anon, file, tables;   /* free now; file: of a file that has gone, too */
	unsigned long kept_anon, kept_file; /* unmapped: relatives have them; the page cache has */
};
/* The same, and tells in @freed what came of it: zeros when @mm has users left. */
void mm_put_freed(struct mm *mm, struct mm_freed *freed);
/* A copy for fork: areas, and the PTEs that a fault could not rebuild; NULL: no memory, undone. */
struct mm *mm_fork(struct mm *parent);
/* Makes @next (NULL: the kernel's tables) what this hart translates through. Interrupts off. */
void mm_switch(struct mm *next);
void mm_init(void); /* caches; boot */

/* ---- the edits, each in its own file; all take mmap_lock themselves ---- */

/*
 * mmap(2) for @mm on bytes. @file may be NULL with MAP_ANONYMOUS (its reference stays the
 * caller's), @off is in bytes. Returns the address or -errno; on failure nothing has changed.
 */
long vm_mmap(struct mm *mm, struct file *file, unsigned long addr, unsigned long len, u32 prot,
	     u32 flags, unsigned long off);
int vm_munmap(struct mm *mm, unsigned long addr, unsigned long len);
/*
 * Unmaps what is left of a mapping made at @addr, which began with page 0 of a file that @is_it
 * says yes to. The file with a reference, or ERR_PTR(-EINVAL): there is none. Cannot fail half-way.
 */
struct file *vm_unmap_file(struct mm *mm, unsigned long addr, bool (*is_it)(const struct file *));
int vm_mprotect(struct mm *mm, unsigned long addr, unsigned long len, u32 prot);
/*
 * mremap(2) for @mm: the address of the area afterwards, or -errno with nothing changed. @new_addr
 * counts with MREMAP_FIXED and, as a hint, with MREMAP_DONTUNMAP.
 */
long vm_mremap(struct mm *mm, unsigned long addr, unsigned long old_len, unsigned long new_len,
	       u32 flags, unsigned long new_addr);
/*
 * remap_file_pages(2) for @mm: [addr, addr + len) of one shared mapping shows its file from page
 * @pgoff on. 0 or -errno with nothing changed.
 */
int vm_remap_file_pages(struct mm *mm, unsigned long addr, unsigned long len, u32 prot,
			unsigned long pgoff, u32 flags);
/* MS_SYNC and the like; waits for the disk. 0 or -errno, -ENOMEM: a hole. */
int vm_msync(struct mm *mm, unsigned long addr, unsigned long len, int flags);
/* Moves the break; returns the break afterwards (unchanged when refused), as brk(2) of Linux. */
unsigned long vm_brk(struct mm *mm, unsigned long brk);
/* exec: the first stack area of @size bytes below @top, growable; 0 or -errno. */
int vm_make_stack(struct mm *mm, unsigned long top, unsigned long size, u32 prot);

/* ---- faults ---- */

enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXEC };

enum fault_result {
	FAULT_OK,
	FAULT_SEGV_MAPERR, /* no area */
	FAULT_SEGV_ACCERR, /* the area forbids it */
	FAULT_SIGBUS,	   /* past the end of the file, or a read failed */
	FAULT_OOM,
	FAULT_KILLED, /* a fatal signal came while waiting: the access is retried after it */
};

/*
 * Makes @addr accessible for @access, whatever it takes: the one fault path. Takes mmap_lock for
 * reading, may drop it for I/O and start over, holds nothing on return. Counts in /proc/vmstat.
 */
enum fault_result handle_mm_fault(struct mm *mm, unsigned long addr, enum fault_access access);
/*
 * The same for who can say no: where there is no memory FAULT_OOM is the answer, and nobody is
 * killed for it. System calls that fail with ENOMEM, and looks into others.
 */
enum fault_result handle_mm_fault_or_fail(struct mm *mm, unsigned long addr,
					  enum fault_access access);

/*
 * The page that holds user address @addr with a reference, faulted in for @access; NULL with *res
 * set when that failed. For exec, /proc/<pid>/mem-like peeks and populate.
 */
struct page *get_user_page(struct mm *mm, unsigned long addr, enum fault_access access,
			   enum fault_result *res);

/* Copies between the kernel and another address space; returns the bytes copied (short: fault). */
size_t mm_copy_to(struct mm *mm, unsigned long uaddr, const void *src, size_t len);
size_t mm_copy_from(struct mm *mm, void *dst, unsigned long uaddr, size_t len);

/* One line on the console for a fault that killed: who, where, why, and the nearest areas. */
void fault_report(struct mm *mm, unsigned long addr, unsigned long pc, enum fault_access access,
		  enum fault_result res);

/* ---- looking ---- */

/* The first area with vm_end > addr (it may begin above addr), or NULL. mmap_lock held. */
struct vm_area *find_vma(struct mm *mm, unsigned long addr);

static inline unsigned long mm_rss(const struct mm *mm)
{
	long rss = READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_file);

	return rss > 0 ? rss : 0; /* added to after the PTEs changed: for a moment too small */
}

/* Pages of @mm that are in swap instead of memory. */
static inline unsigned long mm_swapped(const struct mm *mm)
{
	return max(READ_ONCE(mm->swap_ents), 0L);
}

/* Sums over every address space: pages, and the number of areas. */
struct mm_totals {
	long anon, file;	 /* resident; a page counts once for each that maps it */
	unsigned long tables;	 /* page tables, the roots included; pages */
	unsigned long committed; /* promised to areas; mm/commit.c */
	unsigned long areas;
};

/* Fills @totals with what is true about now: edits go on meanwhile. Takes mm_list_lock. */
void mm_totals(struct mm_totals *totals);

/* ---- checking (mm/check.c) ---- */

/* Verifies one address space; mmap_lock held for writing. 0, or the number of faults, printed. */
int mm_check(struct mm *mm);
/* Stops every hart and verifies all of memory. 0, or the number of faults, each printed. */
int vm_check_all(void);

#endif
