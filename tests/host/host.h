/*
 * host.h - the machine on which the unit tests and fuzzers run mm/: harts, RAM, files, accesses.
 * machine.c has the drawing.
 */
#ifndef RAVEL_HOST_H
#define RAVEL_HOST_H

#include <stdio.h>

#include "arch/riscv/hart.h"
#include "mm/mm.h"
#include "tests/host/mmu.h"

struct address_space;
struct file;

/* ---- the machine (machine.c) ---- */

#define HOST_RAM_BASE 0x80000000UL

/*
 * Once in a process: @pages of RAM, @harts harts, the caches and allocators made as at boot; hart 0
 * goes first. Harts without an address space are on the kernel's own table.
 */
void machine_boot(unsigned long pages, unsigned harts);
/* From now on code runs on @hart. */
void machine_run_on(unsigned hart);
/* The current hart's task gets the address space @mm (NULL: none), and its satp. */
void machine_use_mm(struct mm *mm);
/*
 * At rest, everything put away: panics when an invariant is broken, a lock is held or a page, a
 * slab object or a translation is left.
 */
void machine_check_rest(void);
/* The same without the counts of what is in use. */
void machine_check(void);

/*
 * Called while the kernel sleeps (for a disk), and in the windows where it holds no lock: here the
 * other harts run. Not called again from inside itself. @locked: the hart that
 * gives way holds a spinlock, so that others may only use what their MMU can do alone.
 */
extern void (*machine_meanwhile)(bool locked);
/* Called once, when the next rwsem is wanted and before it is taken: others had it, and edited. */
extern void (*machine_down)(void);

/* A child of fork() that succeeded ends; what gcov counted in it is kept. */
void host_exit(void) __noreturn;

/* Panics end the process, but for one that is expected: then they end @fn, and the text is here. */
const char *machine_expect_panic(void (*fn)(void *), void *arg);

/* Where the kernel prints to; NULL: stderr. */
extern FILE *host_console;

/* The kernel's command line, for machine_boot(). */
extern const char *host_cmdline;

/* ---- the vmap region (vmap.c) ---- */

/* The so many-th kernel stack page to be mapped from now on cannot be (0: all can). */
extern unsigned kernel_map_fail;
/* sfence.vma on @hart for each page of [start, end). */
void vmap_fence(unsigned hart, unsigned long start, unsigned long end);
/* A store of @hart to @va does not fault, however little its MMU looks at the tables. */
bool vmap_reaches(unsigned hart, unsigned long va);
/* Frames [pfn, pfn + nr) are being freed: panics when a hart can still reach one. */
void vmap_frames_freed(unsigned long pfn, unsigned long nr);

extern struct task host_tasks[MAX_HARTS];
/* "function file:line" of host code address @pc. */
void host_symbol(unsigned long pc, char *buf, size_t size);

/* ---- what a user program does, on the current hart ---- */

/*
 * @len bytes at user address @addr are read, written or fetched, page by page through the MMU, with
 * faults served as the trap handler would. FAULT_OK, or why not; what came before was done.
 */
enum fault_result user_read(unsigned long addr, void *buf, size_t len);
enum fault_result user_write(unsigned long addr, const void *buf, size_t len);
enum fault_result user_fetch(unsigned long addr, u64 *bytes);

/* ---- files (stubs/files.c) ---- */

enum file_kind { FILE_DISK, FILE_TMPFS, FILE_ZERO_DEVICE, FILE_PIPE };

/* A file with one reference and room for @bytes; disk files read as file_pattern() says. */
struct file *host_file(enum file_kind kind, u64 bytes);
struct address_space *host_file_mapping(struct file *file);
/* What byte @pos of a fresh disk file number @nr is. */
u8 file_pattern(unsigned nr, u64 pos);
unsigned host_file_nr(const struct file *file);
/* References that are out: 1 when only the test has the file. */
int host_file_refs(const struct file *file);
/* A descriptor of the current task for @file, whose reference stays the caller's. */
int host_fd(struct file *file);
/* Panics when a file has a reference left. */
void host_files_check_gone(void);
ssize_t file_read_kernel(struct file *file, void *buf, size_t len, u64 pos);
void host_file_mode(struct file *file, bool readable, bool writable, bool executable);
/* The page at @index of @file, on the disk. */
u8 *host_file_disk(struct file *file, unsigned long index);

/* The disk: requests end while somebody sleeps. The next @n of them fail. */
extern unsigned disk_fail_reads, disk_fail_writes;
/* Ends all requests under way; false: there were none. */
bool disk_complete(void);

#endif
