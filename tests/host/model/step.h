/*
 * step.h - one operation on address spaces and files, done to the real code and to the oracle.
 *
 * Unit tests made by the fuzzer (tests/host/fuzz/mm.c) are lists of these:
 *
 *	model_start((struct mmu_options){ .svade = true });
 *	step(&(struct step){ .kind = STEP_MMAP, .addr = 0x40000000, .len = 0x3000, ... });
 *	meanwhile(1, &(struct step){ .kind = STEP_WRITE, .hart = 1, .addr = 0x40001000, .len = 8 });
 *	step(&(struct step){ .kind = STEP_READ, .addr = 0x40001000, .len = 8 });
 *	model_end();
 */
#ifndef RAVEL_HOST_STEP_H
#define RAVEL_HOST_STEP_H

#include "tests/host/model/oracle.h"

#define STEP_KINDS(X)                                                                              \
	X(MMAP)	    /* addr, len, prot, flags, file, pos: the offset */                            \
	X(MUNMAP)   /* addr, len */                                                                \
	X(MPROTECT) /* addr, len, prot */                                                          \
	X(BRK)	    /* addr: the new break */                                                      \
	X(MADVISE)  /* addr, len, flags: the advice */                                             \
	X(MLOCK)    /* addr, len, flags: MLOCK_ONFAULT, or STEP_MUNLOCK */                         \
	X(MLOCKALL) /* flags: MCL_*, or STEP_MUNLOCK */                                            \
	X(MREMAP)   /* addr, len, pos: the new size, flags, to: the new address */                 \
	X(READ)	    /* addr, len: by the hart's program */                                         \
	X(WRITE)                                                                                   \
	X(FETCH)     /* addr */                                                                    \
	X(COPY_FROM) /* addr, len, slot: by the kernel, of any address space */                    \
	X(COPY_TO)                                                                                 \
	X(FORK)	     /* of the hart's address space into that slot, if it is empty */              \
	X(EXEC)	     /* a new address space into that slot, if it is empty */                      \
	X(EXIT)	     /* of that slot, unless it is the last */                                     \
	X(SWITCH)    /* the hart goes to that slot; ORACLE_MMS: to none */                         \
	X(FILE_READ) /* file, pos, len */                                                          \
	X(FILE_WRITE)                                                                              \
	X(USER_READ) /* read(2): file, pos, and addr, len of the buffer */                         \
	X(USER_WRITE)                                                                              \
	X(TRUNCATE)  /* file, pos: the size */                                                     \
	X(SHRINK)    /* len: pages */                                                              \
	X(DROP)	     /* file: its clean pages */                                                   \
	X(SYNC)	     /* file */                                                                    \
	X(MSYNC)     /* addr, len, flags */                                                        \
	X(DISK_FAIL) /* len: so many reads, pos: so many writes */                                 \
	X(FILE_MODE) /* file, prot: what may be done with it */                                    \
	X(SWAPOFF)   /* and on again; pos: a slot that fails to be written from now on, 0: none */ \
	X(RLIMIT)    /* len, pos, addr: pages, those of data, those locked; 0: no limit */         \
	X(CLEAR_REFS) /* flags: enum refs_of; of the hart's address space */

enum step_kind {
#define X(name) STEP_##name,
	STEP_KINDS(X)
#undef X
		NR_STEP_KINDS
};
extern const char *const step_name[NR_STEP_KINDS];

#define STEP_MUNLOCK 0x10

/* Where addr leads: there, or to the next page from there on that is mapped, or can be used. */
enum step_where { STEP_AT, STEP_NEXT_MAPPED, STEP_NEXT_USABLE };

struct step {
	enum step_kind kind;
	unsigned hart, slot;
	int file; /* NO_FILE: none */
	unsigned long addr, len, to;
	u32 prot, flags;
	u64 pos;
	unsigned fail; /* this allocation of it fails; 0: none */
	enum step_where where;
	bool there; /* only meanwhile(): at the page, and the file, that the outer step is at */
};

/* One address space, on harts 0 and 1, and four files. Boots the machine if nobody has. */
void model_start(struct mmu_options options);
/* The disk that is swapped to. */
struct block_device *step_swap_disk(void);
/* Does it, then compares everything. */
void step(const struct step *s);
/*
 * In the @window-th window of a step that follows: the first that has so many, and lets it. When
 * too many wait, the oldest is done by itself.
 */
void meanwhile(unsigned window, const struct step *s);
/* Puts everything away, and checks that nothing is left. */
void model_end(void);

/* ---- between the files of the steps ---- */

/* The step that is being done, while other harts run in its windows (step.c). */
struct outer {
	const struct step *step; /* NULL: none */
	struct oracle_mm *om;	 /* what it edits or touches */
	int file;		 /* that it populates from; NO_FILE */
	bool committed;		 /* the oracle knows already */
	/* mmap */
	struct oracle_page want;
	unsigned long start, len;
	bool populates;
	unsigned long to; /* mremap: len bytes to there */
	/* file writes and reads */
	u64 pos;
	unsigned nr;
	u8 bytes[PAGE_SIZE];
	unsigned nr_seen;
	unsigned nr_inside; /* steps of others that ran in its windows */
};
extern struct outer outer;
extern bool inside; /* in a window of the outer step */

/* The address space of @hart; NULL: it has none. */
struct oracle_mm *oracle_of(unsigned hart);
/* An allocation was made to fail in this step, or a request of the disk. */
bool step_alloc_failed(void);
bool step_disk_failed(void);
/* Makes the bytes of this write, which nobody has written before. */
void step_fill(u8 *buf, size_t len);
/* How much of @len at @pos is in one page if we are inside; else all of it. */
size_t step_piece(u64 pos, size_t len);
/* Private copies that MAP_POPULATE has made by now in [start, start + len). */
void step_note_populated(struct oracle_mm *om, unsigned long start, unsigned long len);
/* True when the call did what @must says, and the oracle must do the same. */
bool step_agrees(const struct step *s, long got, long must);
/*
 * It populates at its end without mmap_lock, or waits for a disk: no other step in its windows, and
 * it in nobody's.
 */
bool step_populates(const struct step *s);
/* What the file of this read holds now. */
void step_note_file(void);
/* Has this write, this truncation taken effect by now? */
void step_note_written(void);
void step_note_truncated(void);

void step_edit(const struct step *s);	/* step_edit.c */
void step_advice(const struct step *s); /* step_advice.c: madvise, mlock */
void step_life(const struct step *s);	/* step_life.c: fork, exec, exit, switch */
void step_access(const struct step *s); /* step_access.c */
enum fault_access step_access_of(const struct step *s);
void step_file(const struct step *s); /* step_file.c */
/* step_shared.c: msync; and what may happen in a window, as far as it is about shared areas. */
void step_msync(const struct step *s);
/* The page of a shared area may be stored to, by one who can wait, or by his MMU alone. */
bool step_may_store(const struct oracle_page *page, bool can_wait);
/* Who msyncs waits for no page that the outer step has locked, and changes none that it copies. */
bool step_may_msync(const struct step *s);
/* The file that the outer step is about to copy a page of, and which; NO_FILE: none. */
int step_file_being_copied(u64 *pgoff);
bool step_pages_are_locked(int file);
extern const u64 any_page;
/* The access with what the hart's MMU alone can do. */
void step_access_unlocked(const struct step *s);

#endif
