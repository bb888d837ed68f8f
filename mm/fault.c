/*
 * fault.c - the one page-fault handler: looks the address up in the area list and dispatches.
 *
 *	no area holds the address      -> below a growable stack, in its limit: grow, start over;
 *	                                  else SIGSEGV, SEGV_MAPERR
 *	the area forbids this access   -> SIGSEGV, SEGV_ACCERR
 *	PTE empty, anonymous, read     -> map the shared zero page                    anon.c
 *	PTE empty, anonymous, write    -> demand-zero: fresh zeroed page              anon.c
 *	PTE empty, file                -> page cache, read in if absent; SIGBUS past  filefault.c
 *	                                  the end of file; private write: copy at once
 *	..., shared, write             -> page gets its place, is dirty, writable     shared.c
 *	PTE is a swap entry            -> from the swap cache, read in if absent;     swapin.c
 *	                                  SIGBUS if it cannot be read
 *	PTE present, write, read-only  -> private: copy-on-write: reuse or copy       cow.c
 *	                                  shared: as above; no room: SIGBUS           shared.c
 *	PTE present, A or D clear      -> set it (hardware without automatic update)
 *	PTE present, allowed           -> spurious: another hart was first, or the TLB was stale
 *	no memory                      -> reclaim (in the allocator), then the OOM killer  oom.c
 *
 * The choice itself is in mm/decide.h, because mm/explain.c tells it without acting.
 *
 * Everybody comes here: user faults, the kernel's copies to and from user memory, MAP_POPULATE,
 * exec's stack set-up. Each case prepares its page unlocked and re-checks the PTE under its lock;
 * if the PTE has changed the whole table above is gone through again.
 *
 * Invariants: mmap_lock is not held on return; exactly one counter of the table is counted for a
 * fault that was served, plus pgfault; plus fault_swap_in or fault_io_retry where something had to
 * be read first. (Test: fault.)
 * Locks: mmap_lock for reading, for writing to grow a stack; then what the cases say.
 * Source: RISC-V privileged specification, "Virtual Address Translation Process", steps 5 to 8.
 */
#include "mm/fault.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/mmu.h"
#include "fs/mapping.h"
#include "kernel/panic.h"
#include "lib/errno.h"
#include "mm/debug.h"
#include "mm/decide.h"
#include "mm/filemap.h"
#include "mm/internal.h"
#include "mm/oom.h"
#include "mm/pgtable.h"
#include "mm/stack.h"
#include "mm/vma.h"
#include "mm/vmstat.h"
#include "mm/window.h"

void fault_sync_icache(struct page **pages, unsigned nr)
{
	bool flushed = false;

	for (unsigned i = 0; i < nr; i++) {
		if (page_flags(pages[i]) & PG_ICACHE_CLEAN)
			continue;
		if (!flushed)
			flush_icache_all();
		flushed = true;
		page_set_flags(pages[i], PG_ICACHE_CLEAN);
	}
}

enum fault_result fault_from_errno(int err)
{
	switch (err) {
	case -ENOMEM:
		return FAULT_OOM;
	case -EINTR:
		return FAULT_KILLED;
	default:
		return FAULT_SIGBUS;
	}
}

bool fault_alloc_pte(struct fault *f)
{
	if (f->ptep)
		return true;
	f->ptep = pte_alloc(f->mm, f->addr);
	f->new_table = true;
	return f->ptep;
}

/*
 * An sfence with an address orders leaves only: where a table is new too, the walker may have
 * cached the empty entry above. Other harts, which may have as well, fault once more
 * (finish_present()).
 */
void fault_flush_local(const struct fault *f)
{
	if (unlikely(f->new_table))
		local_flush_tlb_all();
	else
		local_flush_tlb_page(f->addr);
}

bool page_still_in_file(const struct page *page, const struct address_space *as)
{
	return READ_ONCE(page->mapping) == as && index_is_in_file(as, page->index);
}

enum fault_result fault_install(struct fault *f, pte_t pte)
{
	struct spinlock *ptl;

	if (!fault_alloc_pte(f))
		return FAULT_OOM;
	window();
	ptl = pte_lockptr(f->ptep);
	spin_lock(ptl);
	if (unlikely(!pte_none(pte_read(f->ptep))) ||
	    (f->source && !page_still_in_file(f->source, f->source_mapping))) {
		spin_unlock(ptl);
		return FAULT_RETRY;
	}
	if (mm_is_reaped(f->mm)) {
		spin_unlock(ptl);
		return FAULT_KILLED;
	}
	if (!pte_special(pte))
		atomic_inc(&pfn_to_page(pte_pfn(pte))->mapcount); /* a new page */
	pte_set(f->ptep, pte);
	spin_unlock(ptl);
	fault_flush_local(f);
	return FAULT_OK;
}

/* The PTE is there and grants the access: only A or D are missing, or nothing is. */
static enum fault_result finish_present(struct fault *f)
{
	struct spinlock *ptl = pte_lockptr(f->ptep);
	bool spurious = decide_present(f->orig, f->access) == CASE_ALLOWED;
	enum fault_result res = FAULT_RETRY;

	spin_lock(ptl);
	if (pte_read(f->ptep).val == f->orig.val) {
		pte_set_bits(f->ptep, pte_needs(f->access));
		res = FAULT_OK;
	}
	spin_unlock(ptl);
	/* A stale translation: of the leaf, or of the tables above it. */
	if (spurious)
		local_flush_tlb_all();
	else
		local_flush_tlb_page(f->addr);
	if (res == FAULT_OK)
		count_vm(spurious ? VM_fault_spurious : VM_fault_access_bits);
	return res;
}

/* The table at the head of this file. mmap_lock is held for reading. */
static enum fault_result fault_dispatch(struct fault *f)
{
	f->vma = vma_lookup(f->mm, f->addr);
	if (unlikely(!f->vma))
		return FAULT_SEGV_MAPERR;
	if (unlikely(!area_allows(f->vma, f->access)))
		return FAULT_SEGV_ACCERR;
	f->new_table = false;
	f->source = NULL;
	f->ptep = pte_find(f->mm, f->addr);
	f->orig = f->ptep ? pte_read(f->ptep) : (pte_t){ 0 };
	switch (decide_pte(f->vma, f->access, f->orig)) {
	case CASE_ANON:
		return anon_fault(f);
	case CASE_FILE:
		return file_fault(f);
	case CASE_SWAP:
		window();
		return swap_fault(f);
	case CASE_SHARED_WRITE:
		window();
		return shared_write_fault(f);
	case CASE_COW:
		window();
		return cow_fault(f);
	default:
		window();
		return finish_present(f);
	}
}

/* Who dirties pages faster than they are written waits; no lock of mm/ is held. */
static void throttle(struct fault *f)
{
	balance_dirty_pages(file_mapping(f->throttle));
	file_put(f->throttle);
	f->throttle = NULL;
}

/* Somebody is made to give memory back, and that may be us. */
static enum fault_result make_room_in_memory(struct fault *f)
{
	if (oom_make_room(f->addr, f->access, &f->luck))
		return FAULT_RETRY;
	return current->killed ? FAULT_KILLED : FAULT_OOM;
}

/* One try, with mmap_lock taken and released. FAULT_RETRY: try again. */
static enum fault_result fault_try(struct fault *f)
{
	enum fault_result res;

	down_read(&f->mm->mmap_lock);
	res = fault_dispatch(f);
	if (res == FAULT_RETRY_UNLOCKED)
		return FAULT_RETRY;
	up_read(&f->mm->mmap_lock);
	if (unlikely(f->throttle))
		throttle(f);
	if (unlikely(res == FAULT_RETRY))
		count_vm(VM_fault_raced);
	if (unlikely(res == FAULT_SEGV_MAPERR) && stack_grow(f->mm, f->addr) == 0) {
		count_vm(VM_fault_stack_grow);
		return FAULT_RETRY;
	}
	if (unlikely(res == FAULT_OOM) && f->may_kill && current->fail_fired == f->fail_fired)
		return make_room_in_memory(f);
	return res;
}

static void count_refused(enum fault_result res)
{
	switch (res) {
	case FAULT_SEGV_MAPERR:
		count_vm(VM_fault_sigsegv_maperr);
		break;
	case FAULT_SEGV_ACCERR:
		count_vm(VM_fault_sigsegv_accerr);
		break;
	case FAULT_SIGBUS:
		count_vm(VM_fault_sigbus);
		break;
	case FAULT_OOM:
		count_vm(VM_fault_oom);
		break;
	default:
		break;
	}
}

static inline enum fault_result serve(struct mm *mm, unsigned long addr, enum fault_access access,
				      bool may_kill)
{
	enum fault_result res;
	struct fault f;

	/* Field by field, this being the hottest of all paths: fault_dispatch() sets the others. */
	f.mm = mm;
	f.addr = addr & PAGE_MASK;
	f.access = access;
	f.may_kill = may_kill;
	f.waited = f.made_room = false;
	f.luck = 0;
	f.fail_fired = current->fail_fired;
	f.throttle = NULL;

	count_vm(VM_pgfault);
	while ((res = fault_try(&f)) == FAULT_RETRY)
		cond_resched();
	if (f.waited) {
		count_vm(VM_pgmajfault);
		current->maj_flt++;
	} else {
		current->min_flt++;
	}
	if (unlikely(res != FAULT_OK))
		count_refused(res);
	debug_mm_faulted(mm);
	return res;
}

enum fault_result handle_mm_fault(struct mm *mm, unsigned long addr, enum fault_access access)
{
	return serve(mm, addr, access, true);
}

enum fault_result handle_mm_fault_or_fail(struct mm *mm, unsigned long addr,
					  enum fault_access access)
{
	return serve(mm, addr, access, false);
}
