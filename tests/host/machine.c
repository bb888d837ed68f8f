/*
 * machine.c - the machine on which mm/ runs inside a host process: harts, RAM, time, sleep.
 *
 *	unit tests, fuzzers        user_read(), vm_mmap(), ...
 *	mm/ lib/ unchanged         headers shadowed by tests/host/include/
 *	stubs/                     what lies below: locks, sleep, files; harts take turns
 *	mmu.c                      what runs beside: walks the tables, keeps translations
 *
 * RAM is an array at PAGE_OFFSET; what a user program touches goes through the MMU.
 */
#include "tests/host/host.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/riscv/mmu.h"
#include "arch/riscv/uaccess.h"
#include "drivers/block.h"
#include "kernel/panic.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/debug.h"
#include "mm/early.h"
#include "mm/filemap.h"
#include "mm/ghost.h"
#include "mm/internal.h"
#include "mm/kstack.h"
#include "mm/slab.h"

#define MAX_FAULTS_FOR_ACCESS 16 /* of one access: more, and it never gets through */

static unsigned long pages_at_rest;

/* ---- harts ---- */

void machine_run_on(unsigned hart)
{
	current_task_reg = &host_tasks[hart];
}

void machine_use_mm(struct mm *mm)
{
	unsigned long flags = local_irq_save();

	current->mm = mm;
	mm_switch(mm);
	local_irq_restore(flags);
}

static void hart_init(unsigned i)
{
	struct task *task = &host_tasks[i];

	harts[i] = (struct hart){ .id = i, .hartid = i, .online = true, .idle = task };
	harts_online_mask |= BIT(i);
	task->hart = &harts[i];
	task->pid = i + 1;
	snprintf(task->comm, sizeof(task->comm), "hart%u", i);
	for (unsigned r = 0; r < RLIM_NLIMITS; r++)
		task->rlim[r] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	task->rlim[RLIMIT_STACK].cur = 8UL << 20;
	list_add_tail(&task->all_link, &task_list);
}

/* ---- RAM, and the rest of the start ---- */

static void ram_init(unsigned long pages)
{
	void *at = phys_to_virt(HOST_RAM_BASE);
	void *ram = mmap(at, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);

	if (ram != at) {
		perror("machine: RAM");
		exit(2);
	}
	BUG_ON(early_add_ram(HOST_RAM_BASE, pages * PAGE_SIZE) != 0);
}

static unsigned long pages_in_reach(void)
{
	return nr_free_pages() + slab_nr_pages() + kstack_nr_pages();
}

void machine_boot(unsigned long pages, unsigned nr)
{
	nr_harts = nr;
	for (unsigned i = 0; i < nr; i++)
		hart_init(i);
	machine_run_on(0);
	ram_init(pages);
	page_init();
	slab_init();
	block_init();
	kstack_init();
	mm_init();
	filemap_init();
	ghost_init();
	writeback_set_limits();
	for (unsigned i = 0; i < nr; i++) {
		machine_run_on(i);
		mmu_switch(kernel_root);
	}
	machine_run_on(0);
	pages_at_rest = pages_in_reach();
}

void __gcov_dump(void) __attribute__((weak));

void host_exit(void)
{
	fflush(NULL);
	if (__gcov_dump)
		__gcov_dump();
	_exit(0);
}

/* ---- checking ---- */

void machine_check(void)
{
	unsigned hart = current->hart->id;

	for (unsigned i = 0; i < nr_harts; i++) {
		machine_run_on(i);
		lockdep_check_none("at rest");
	}
	machine_run_on(hart);
	if (vm_check_all() != 0)
		panic("vm_check_all() found what is printed above");
	mmu_check();
}

void machine_check_rest(void)
{
	struct slab_info info;
	long lost;

	machine_check();
	host_files_check_gone();
	for (unsigned i = 0; slab_get_info(i, &info); i++) {
		if (info.active_objs != 0)
			panic("leak: %lu objects of %s", info.active_objs, info.name);
	}
	lost = pages_at_rest - pages_in_reach();
	if (lost)
		panic("leak: %ld pages", lost);
}

/* ---- what a user program does ---- */

typedef enum mmu_result (*try_fn)(unsigned hart, unsigned long addr, void *arg);

/* As the trap handler: a page fault is served, then the instruction runs again. */
static enum fault_result access_until_done(unsigned long addr, enum fault_access access,
					   try_fn attempt, void *arg)
{
	for (unsigned n = 0; n < MAX_FAULTS_FOR_ACCESS; n++) {
		enum fault_result res;

		if (attempt(current->hart->id, addr, arg) == MMU_OK)
			return FAULT_OK;
		if (addr >= TASK_SIZE || !current->mm)
			return FAULT_SEGV_MAPERR;
		res = handle_mm_fault(current->mm, addr, access);
		if (res != FAULT_OK)
			return res;
	}
	panic("the access to 0x%lx faults for ever: a fence is missing", addr);
}

struct copy {
	enum fault_access access;
	u8 *bytes;
	size_t len; /* within a page */
};

static enum mmu_result attempt_copy(unsigned hart, unsigned long addr, void *arg)
{
	struct copy *copy = arg;
	phys_addr_t pa;

	if (mmu_access(hart, addr, copy->access, &pa) != MMU_OK)
		return MMU_FAULT;
	if (copy->access == FAULT_WRITE)
		memcpy(phys_to_virt(pa), copy->bytes, copy->len);
	else
		memcpy(copy->bytes, phys_to_virt(pa), copy->len);
	return MMU_OK;
}

static enum mmu_result attempt_fetch(unsigned hart, unsigned long addr, void *arg)
{
	return mmu_fetch(hart, addr, arg);
}

/* Page by page; *done counts the bytes. */
static enum fault_result copy_user(unsigned long addr, void *buf, size_t len,
				   enum fault_access access, size_t *done)
{
	struct copy copy = { .access = access };
	enum fault_result res = FAULT_OK;

	for (*done = 0; *done < len && res == FAULT_OK; *done += copy.len) {
		copy.bytes = (u8 *)buf + *done;
		copy.len = min(len - *done, PAGE_SIZE - offset_in_page(addr + *done));
		if (current->pagefault_disabled)
			res = attempt_copy(current->hart->id, addr + *done, &copy) == MMU_OK ?
				      FAULT_OK :
				      FAULT_SEGV_MAPERR;
		else
			res = access_until_done(addr + *done, access, attempt_copy, &copy);
		if (res != FAULT_OK)
			break;
	}
	return res;
}

enum fault_result user_read(unsigned long addr, void *buf, size_t len)
{
	size_t done;

	return copy_user(addr, buf, len, FAULT_READ, &done);
}

enum fault_result user_write(unsigned long addr, const void *buf, size_t len)
{
	size_t done;

	return copy_user(addr, (void *)buf, len, FAULT_WRITE, &done);
}

enum fault_result user_fetch(unsigned long addr, u64 *bytes)
{
	return access_until_done(addr & ~7UL, FAULT_EXEC, attempt_fetch, bytes);
}

/* ---- the kernel's own ways to user memory ---- */

static size_t kernel_copy(unsigned long addr, void *buf, size_t n, enum fault_access access)
{
	size_t done = 0;

	might_fault();
	if (n <= TASK_SIZE && addr <= TASK_SIZE - n)
		copy_user(addr, buf, n, access, &done);
	return n - done;
}

size_t copy_from_user(void *dst, const void *user_src, size_t n)
{
	return kernel_copy((unsigned long)user_src, dst, n, FAULT_READ);
}

size_t copy_to_user(void *user_dst, const void *src, size_t n)
{
	return kernel_copy((unsigned long)user_dst, (void *)src, n, FAULT_WRITE);
}

size_t clear_user(void *user_dst, size_t n)
{
	static u8 zeros[PAGE_SIZE];
	size_t done = 0;

	while (done < n) {
		size_t part = min(n - done, sizeof(zeros));
		size_t left = copy_to_user((u8 *)user_dst + done, zeros, part);

		done += part - left;
		if (left)
			break;
	}
	return n - done;
}
