/*
 * step.c - one operation at a time to the real code and the oracle; and others in its windows.
 *
 *	step(A)      A runs ... window ................. window ... A returns, all is compared
 *	meanwhile(B)            B, on another hart, if A's locks let it; else in a later step's
 *
 * The oracle has to know in which order A and B took effect:
 *
 *	A edits areas       holds mmap_lock for writing: B does not edit, and touches only what its
 *	                    MMU still grants; that was before A
 *	A touches memory    B was before A, which looks again after each window
 *	A does both, or     (mmap that populates, a write to a file, a truncation) at each window
 *	something longer    the oracle looks whether A's part has come to pass (outer_sync())
 */
#include "tests/host/model/step.h"

#include <string.h>

#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "kernel/task.h"
#include "lib/prng.h"
#include "mm/filemap.h"
#include "mm/swap.h"
#include "mm/vma.h"
#include "tests/host/swapdisk.h"
#include "mm/walk.h"
#include "tests/host/test.h"

#define MAX_PENDING    6
#define CHECK_ALL_EACH 16
#define FILE_BYTES     (9 * PAGE_SIZE + 100) /* of each file, at first */

const char *const step_name[NR_STEP_KINDS] = {
#define X(name) [STEP_##name] = #name,
	STEP_KINDS(X)
#undef X
};

struct outer outer;
bool inside;

static struct {
	struct step step;
	unsigned window;
} pending[MAX_PENDING];
static unsigned nr_pending, windows, nr_steps;
static unsigned disk_failures_left;
static struct prng fill;

/* ---- what the files of the steps share ---- */

struct oracle_mm *oracle_of(unsigned hart)
{
	struct mm *mm = harts[hart].idle->mm;

	for (unsigned i = 0; mm && i < ORACLE_MMS; i++) {
		if (oracle_mms[i].mm == mm)
			return &oracle_mms[i];
	}
	return NULL;
}

bool step_alloc_failed(void)
{
	return current->fail_fired > 0;
}

bool step_disk_failed(void)
{
	return disk_fail_reads + disk_fail_writes != disk_failures_left;
}

void step_fill(u8 *buf, size_t len)
{
	u64 word = 0;

	for (size_t i = 0; i < len; i++, word >>= 8) {
		if (i % sizeof(word) == 0)
			word = prng_next(&fill);
		buf[i] = word;
	}
}

size_t step_piece(u64 pos, size_t len)
{
	return inside ? min(len, PAGE_SIZE - offset_in_page(pos)) : len;
}

/* ---- steps ---- */

static bool is_access(enum step_kind kind)
{
	return kind >= STEP_READ && kind <= STEP_COPY_TO;
}

static bool is_edit(enum step_kind kind)
{
	return kind <= STEP_MREMAP;
}

static void set_limits(const struct step *s)
{
	for (unsigned hart = 0; hart < nr_harts; hart++) {
		struct rlimit *rlim = harts[hart].idle->rlim;

		rlim[RLIMIT_AS].cur = s->len ? s->len * PAGE_SIZE : RLIM_INFINITY;
		rlim[RLIMIT_DATA].cur = s->pos ? s->pos * PAGE_SIZE : RLIM_INFINITY;
		rlim[RLIMIT_MEMLOCK].cur = s->addr ? s->addr * PAGE_SIZE : RLIM_INFINITY;
		harts[hart].idle->cred.euid = s->addr ? 1 : 0;
	}
}

/* ---- swap ---- */

#define SWAP_PAGES   100
#define MADV_PAGEOUT 21

static struct block_device *swap_disk;

struct block_device *step_swap_disk(void)
{
	return swap_disk;
}

static void swap_start(void)
{
	if (!swap_disk)
		swap_disk = swapdisk_new(SWAP_PAGES);
	if (swap_area_on(swap_disk, "swap", 0) != 0)
		panic("step: swapon failed");
}

/* Everything comes back; where an allocation is to fail, some of it. */
static void swap_anew(const struct step *s)
{
	int err = swap_area_off(swap_disk);

	swapdisk_bad_write = s->pos;
	if (err && !step_alloc_failed())
		panic("step: swapoff: %d", err);
	current->fail_alloc = 0;
	if (!err)
		swap_start();
}

static void swap_end(void)
{
	swapdisk_bad_write = 0;
	if (swap_nr_free() != swap_nr_slots())
		panic("step: %lu swap slots are left", swap_nr_slots() - swap_nr_free());
	if (swap_area_off(swap_disk) != 0)
		panic("step: swapoff failed");
}

/* Nothing changes that can be seen but in smaps: the oracle knows nothing of A bits. */
static void clear_refs(const struct step *s)
{
	const struct oracle_mm *om = oracle_of(s->hart);

	if (om)
		mm_clear_refs(om->mm, s->flags);
}

/* On the current hart. */
static void perform(const struct step *s)
{
	if (is_edit(s->kind))
		step_edit(s);
	else if (is_access(s->kind))
		step_access(s);
	else if (s->kind <= STEP_SWITCH)
		step_life(s);
	else if (s->kind == STEP_DISK_FAIL)
		disk_fail_reads = s->len, disk_fail_writes = s->pos;
	else if (s->kind == STEP_FILE_MODE)
		host_file_mode(oracle_files[s->file].file, s->prot & PROT_READ, true,
			       s->prot & PROT_EXEC);
	else if (s->kind == STEP_MSYNC)
		step_msync(s);
	else if (s->kind == STEP_SWAPOFF)
		swap_anew(s);
	else if (s->kind == STEP_RLIMIT)
		set_limits(s);
	else if (s->kind == STEP_CLEAR_REFS)
		clear_refs(s);
	else
		step_file(s);
}

/* ---- in the windows ---- */

/* Some page of @file is locked, and not for a read: who waits for it waits for the outer step. */
bool step_pages_are_locked(int file)
{
	struct address_space *as = host_file_mapping(oracle_files[file].file);

	for (unsigned i = 0; i < ORACLE_FILE_PAGES; i++) {
		const struct page *page = radix_tree_lookup(&as->pages, i);

		if (page && (page_flags(page) & PG_LOCKED) && (page_flags(page) & PG_UPTODATE))
			return true;
	}
	return false;
}

static bool is_file_change(enum step_kind kind)
{
	return kind == STEP_FILE_WRITE || kind == STEP_TRUNCATE || kind == STEP_USER_WRITE;
}

const u64 any_page = ~0UL;

/* The file that the outer step is about to copy a page of: this one, or any of them. */
int step_file_being_copied(u64 *pgoff)
{
	const struct oracle_page *page;

	*pgoff = any_page;
	if (outer.step->kind == STEP_MMAP)
		return outer.file;
	if (outer.step->kind != STEP_WRITE && outer.step->kind != STEP_COPY_TO)
		return NO_FILE;
	page = outer.om ? oracle_page(outer.om, outer.start) : NULL;
	if (!page || !page->mapped || page->own || oracle_shared(page))
		return NO_FILE;
	*pgoff = page->pgoff;
	return page->file;
}

static bool may_change_file(const struct step *s)
{
	u64 pgoff;

	if (is_file_change(outer.step->kind) && outer.step->file == s->file)
		return false; /* the inode's lock */
	if (s->file == NO_FILE || step_pages_are_locked(s->file))
		return false;
	if (step_file_being_copied(&pgoff) != s->file)
		return true;
	/*
	 * It may copy from before or from after, but for where nothing is left to copy. Growing
	 * makes zeros of what was stored past the end.
	 */
	return s->kind == STEP_TRUNCATE && s->pos <= oracle_files[s->file].size &&
	       (offset_in_page(s->pos) == 0 || (pgoff != any_page && s->pos / PAGE_SIZE != pgoff));
}

static bool lock_is_free(const struct oracle_mm *om)
{
	return om && om->mm && !om->mm->mmap_lock.writer && om->mm->mmap_lock.count == 0;
}

static bool may_edit(const struct step *s)
{
	struct oracle_mm *om = oracle_of(s->hart);

	if (step_populates(s))
		return false;
	if (outer.populates && om == outer.om && s->kind != STEP_MPROTECT &&
	    s->kind != STEP_MADVISE)
		return false;
	/* A truncation will zero its tail at some time: nobody copies it meanwhile. */
	if (outer.step->kind == STEP_TRUNCATE && s->kind == STEP_MMAP && (s->flags & MAP_POPULATE))
		return false;
	return lock_is_free(om);
}

/* A fault can be served: mmap_lock can be read, or written if a stack grows. */
static bool may_fault(const struct step *s)
{
	bool copies = s->kind == STEP_COPY_TO || s->kind == STEP_COPY_FROM;
	struct oracle_mm *om = copies ? &oracle_mms[s->slot] : oracle_of(s->hart);

	if (!om || !om->mm || om->mm->mmap_lock.writer)
		return false;
	for (unsigned long at = s->addr & PAGE_MASK; at < s->addr + s->len + 8; at += PAGE_SIZE) {
		const struct oracle_page *page = oracle_page(om, at);

		/* Nothing there, inside of the zones or outside: a stack above it may grow. */
		if ((!page || !page->mapped) && om->mm->mmap_lock.count > 0)
			return false;
		if (page && page->mapped && !page->own && outer.step->kind == STEP_TRUNCATE &&
		    page->file == outer.step->file && page->pgoff == outer.pos / PAGE_SIZE)
			return false;
		if (page && step_access_of(s) == FAULT_WRITE && !step_may_store(page, true))
			return false;
	}
	return true;
}

/* The outer step is about to put an address space there. */
static bool fills_slot(unsigned slot)
{
	return (outer.step->kind == STEP_FORK || outer.step->kind == STEP_EXEC) &&
	       outer.step->slot == slot;
}

static bool may_look(const struct step *s)
{
	const struct oracle_mm *om = oracle_of(s->hart);

	return om && !om->mm->mmap_lock.writer;
}

static bool may_run(const struct step *s)
{
	struct oracle_mm *om = &oracle_mms[s->slot];
	u64 pgoff;

	if (is_edit(s->kind))
		return may_edit(s);
	if (is_access(s->kind))
		return may_fault(s);
	switch (s->kind) {
	case STEP_FORK:
		return !fills_slot(s->slot) && may_edit(s);
	case STEP_EXIT:
		return om != outer.om && om != oracle_of(outer.step->hart) && lock_is_free(om);
	case STEP_EXEC:
		return !fills_slot(s->slot);
	case STEP_SWITCH:
	case STEP_SHRINK:
	case STEP_DROP:
	case STEP_FILE_READ:
		return true;
	case STEP_FILE_WRITE:
	case STEP_TRUNCATE:
		return may_change_file(s);
	case STEP_SYNC:
		return s->file != NO_FILE && !step_pages_are_locked(s->file) &&
		       step_file_being_copied(&pgoff) != s->file;
	case STEP_MSYNC:
		return step_may_msync(s);
	case STEP_CLEAR_REFS:
		return may_look(s);
	default:
		return false;
	}
}

/* The part of the outer step that has taken effect by now is done to the oracle. */
static void outer_sync(void)
{
	const struct step *s = outer.step;

	if (s->kind == STEP_MMAP && outer.len > 0 && !outer.om->mm->mmap_lock.writer) {
		if (!outer.committed && !oracle_is_made(outer.om, &outer.want, outer.start))
			return;
		if (!outer.committed)
			oracle_map(outer.om, &outer.want, outer.start, outer.len);
		outer.committed = true;
		if (outer.populates)
			step_note_populated(outer.om, outer.start, outer.len);
	}
	if (is_access(s->kind) && outer.om) {
		const struct oracle_page *page = oracle_page(outer.om, outer.start);

		if (page && !page->mapped && vma_lookup(outer.om->mm, outer.start))
			oracle_grow(outer.om, outer.start);
	}
	if (s->kind == STEP_FILE_WRITE && !outer.committed)
		step_note_written();
	if (s->kind == STEP_TRUNCATE && !outer.committed)
		step_note_truncated();
}

/* The outer step may or may not have moved pages to there: what is reached cannot be foretold. */
static bool is_moved_to(const struct step *s)
{
	return outer.step->kind == STEP_MREMAP && oracle_of(s->hart) == outer.om &&
	       s->addr + PAGE_SIZE > outer.to && s->addr < outer.to + outer.len;
}

/* Runs pending[i] if it can; false: it has to wait. */
static bool run_inside(const struct step *s, bool locked)
{
	if (!locked && may_run(s)) {
		perform(s);
		return true;
	}
	if (is_access(s->kind)) {
		if (!is_moved_to(s))
			step_access_unlocked(s);
		return true;
	}
	if (s->kind == STEP_SWITCH)
		perform(s);
	return s->kind == STEP_SWITCH;
}

/* The next page from @addr on, and around, that may be used as @s does; or that is mapped. */
static unsigned long next_page(struct oracle_mm *om, const struct step *s)
{
	unsigned long at = s->addr & PAGE_MASK, first = at;

	for (unsigned i = 0; i < 2 * ORACLE_PAGES; i++, at += PAGE_SIZE) {
		if (!oracle_next(om, at, &at) && !oracle_next(om, MMAP_MIN_ADDR, &at))
			return s->addr & PAGE_MASK;
		if (!is_access(s->kind) || s->where == STEP_NEXT_MAPPED ||
		    oracle_allows(om, at, step_access_of(s)) == FAULT_OK)
			return at & PAGE_MASK;
		if (i == 0)
			first = at & PAGE_MASK;
	}
	return first;
}

/* @s with its address, if it is at the next page that is mapped. */
static struct step resolve(const struct step *s)
{
	bool copies = s->kind == STEP_COPY_TO || s->kind == STEP_COPY_FROM;
	struct oracle_mm *om = copies ? &oracle_mms[s->slot] : oracle_of(s->hart);
	struct step resolved = *s;

	if (s->where != STEP_AT && om)
		resolved.addr = next_page(om, s) + offset_in_page(s->addr);
	return resolved;
}

/* A page of @om that shows @file, or NULL; @draw says which. */
static const struct oracle_page *page_of_file(const struct oracle_mm *om, int file, unsigned draw)
{
	const struct oracle_page *found[ORACLE_PAGES];
	unsigned nr = 0;

	for (unsigned i = 0; i < ORACLE_PAGES; i++) {
		if (om->pages[i].mapped && om->pages[i].file == file)
			found[nr++] = &om->pages[i];
	}
	return nr > 0 ? found[draw % nr] : NULL;
}

/* @s goes to where the outer step is, if it can on another hart of the same address space. */
static void aim(struct step *s)
{
	bool file_step = outer.step->kind >= STEP_FILE_READ && outer.step->file != NO_FILE;
	const struct oracle_page *page;
	struct oracle_mm *om;

	for (unsigned i = 1; i < ORACLE_HARTS; i++) {
		unsigned hart = (outer.step->hart + i) % ORACLE_HARTS;

		if (oracle_of(hart) == outer.om)
			s->hart = hart;
	}
	om = oracle_of(s->hart);
	if (!om)
		return;
	page = file_step ? page_of_file(om, outer.step->file, s->len) :
			   oracle_page(om, outer.start);
	if (!page)
		return;
	s->slot = om - oracle_mms;
	if (s->kind != STEP_BRK)
		s->addr = oracle_addr(page - om->pages) +
			  (is_edit(s->kind) ? 0 : offset_in_page(s->addr));
	if (page->mapped && page->file != NO_FILE) {
		s->file = page->file;
		s->pos = page->pgoff * PAGE_SIZE;
	}
}

/* A truncation has files in the middle of things. */
static void settle_inside(void)
{
	if (outer.step->kind != STEP_TRUNCATE)
		oracle_settle_files(step_disk_failed());
}

static void others_run(bool locked)
{
	unsigned kept = 0;

	windows++;
	inside = true;
	outer_sync();
	settle_inside();
	for (unsigned i = 0; i < nr_pending; i++) {
		struct step s = pending[i].step;

		if (s.where != STEP_AT)
			s = resolve(&s);
		if (s.there)
			aim(&s);
		if (s.hart == outer.step->hart)
			s.hart = (s.hart + 1) % ORACLE_HARTS;
		machine_run_on(s.hart);
		current->fail_alloc = 0;
		current->fail_fired = 0;
		if (pending[i].window > windows || !run_inside(&s, locked)) {
			pending[kept++] = pending[i];
			continue;
		}
		settle_inside();
		if (outer.step->kind == STEP_FILE_READ)
			step_note_file();
		outer.nr_inside++;
	}
	nr_pending = kept;
	inside = false;
}

void meanwhile(unsigned window, const struct step *s)
{
	if (nr_pending == MAX_PENDING) {
		struct step oldest = pending[0].step;

		memmove(pending, pending + 1, sizeof(pending) - sizeof(pending[0]));
		nr_pending--;
		step(&oldest);
	}
	pending[nr_pending].step = *s;
	pending[nr_pending++].window = window;
}

/* ---- a step from outside ---- */

static void compare_all(void)
{
	oracle_raced = outer.nr_inside > 0;
	for (unsigned i = 0; i < ORACLE_MMS; i++) {
		if (oracle_mms[i].mm)
			oracle_check(&oracle_mms[i]);
	}
	mmu_check();
	oracle_release_memory();
	if (++nr_steps % CHECK_ALL_EACH == 0)
		machine_check();
}

/*
 * The oracle could not tell in which order its parts and the others' took effect: it copies more
 * than a page at once, or between a file and user memory.
 */
static bool has_to_be_alone(const struct step *s)
{
	if (step_populates(s))
		return true;
	switch (s->kind) {
	case STEP_MADVISE:
		return s->flags == MADV_PAGEOUT; /* area by area: between two the list may change */
	case STEP_SWAPOFF:
	case STEP_USER_READ:
	case STEP_USER_WRITE:
		return true;
	case STEP_COPY_FROM:
	case STEP_COPY_TO:
		return offset_in_page(s->addr) + s->len > PAGE_SIZE;
	case STEP_FILE_READ:
	case STEP_FILE_WRITE:
		return offset_in_page(s->pos) + s->len > PAGE_SIZE;
	default:
		return false;
	}
}

static void run_outer(const struct step *s)
{
	bool copies = s->kind == STEP_COPY_TO || s->kind == STEP_COPY_FROM;

	machine_run_on(s->hart);
	current->fail_alloc = s->fail;
	current->fail_fired = 0;
	disk_failures_left = disk_fail_reads + disk_fail_writes;
	if (s->kind == STEP_DISK_FAIL)
		disk_failures_left = s->len + s->pos;
	outer = (struct outer){
		.step = s,
		.om = copies ? &oracle_mms[s->slot] : oracle_of(s->hart),
		.file = NO_FILE,
		.start = s->addr & PAGE_MASK,
	};
	windows = 0;
	machine_meanwhile = nr_pending > 0 && !has_to_be_alone(s) ? others_run : NULL;
	perform(s);
	machine_meanwhile = NULL;
	machine_run_on(s->hart);
	current->fail_alloc = 0;
	oracle_settle_files(step_disk_failed());
	outer.step = NULL;
}

void step(const struct step *s)
{
	struct step resolved = resolve(s);

	run_outer(&resolved);
	compare_all();
}

/* ---- start and end ---- */

void model_start(struct mmu_options options)
{
	static const enum file_kind kinds[ORACLE_FILES] = {
		FILE_DISK,
		FILE_TMPFS,
		FILE_DISK,
		FILE_ZERO_DEVICE,
	};

	if (nr_harts == 0)
		machine_boot(TEST_PAGES, ORACLE_HARTS);
	mmu_options = options;
	fill = (struct prng){ 1 };
	nr_pending = nr_steps = 0;
	disk_fail_reads = disk_fail_writes = 0;
	set_limits(&(struct step){});
	for (unsigned hart = 0; hart < nr_harts; hart++)
		harts[hart].idle->rlim[RLIMIT_STACK].cur = ORACLE_STACK;
	for (unsigned f = 0; f < ORACLE_FILES; f++) {
		struct oracle_file *of = &oracle_files[f];

		memset(of, 0, sizeof(*of));
		of->kind = kinds[f];
		of->size = FILE_BYTES;
		of->file = host_file(of->kind, FILE_BYTES);
		for (u64 pos = 0; of->kind == FILE_DISK && pos < FILE_BYTES; pos++)
			of->bytes[pos] = file_pattern(host_file_nr(of->file), pos);
	}
	memset(oracle_files + ORACLE_FILES, 0, ORACLE_MEMORIES * sizeof(oracle_files[0]));
	for (unsigned i = 0; i < ORACLE_MMS; i++)
		oracle_drop(&oracle_mms[i]);
	swap_start();
	step(&(struct step){ .kind = STEP_EXEC });
	for (unsigned hart = 0; hart < nr_harts; hart++)
		step(&(struct step){ .kind = STEP_SWITCH, .hart = hart });
}

void model_end(void)
{
	disk_fail_reads = disk_fail_writes = 0;
	nr_pending = 0;
	for (unsigned hart = 0; hart < nr_harts; hart++) {
		machine_run_on(hart);
		machine_use_mm(NULL);
	}
	machine_run_on(0);
	for (unsigned i = 0; i < ORACLE_MMS; i++) {
		struct mm *mm = oracle_mms[i].mm;

		oracle_drop(&oracle_mms[i]);
		if (mm)
			mm_put(mm);
	}
	oracle_release_memory();
	for (unsigned f = 0; f < ORACLE_FILES; f++)
		file_put(oracle_files[f].file);
	swap_end();
	flush_icache_all();
	machine_check_rest();
}
