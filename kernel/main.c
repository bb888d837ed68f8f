/*
 * main.c - from the first C function to the first program.
 *
 *	boot hart   start_kernel(): memory, tasks, devices, other harts ---> its idle loop
 *	others      secondary_main() -------------------------------------> their idle loops
 *	pid 1       init_main(): disks, file systems, console, /bin/init --> user mode
 *
 * Locks: none; until smp_boot_secondaries() one hart runs one thing. What may sleep (disks, files)
 * happens in pid 1, which is a task like any other.
 */
#include "arch/riscv/irqflags.h"
#include "arch/riscv/machine.h"
#include "arch/riscv/mmu.h"
#include "arch/riscv/smp.h"
#include "arch/riscv/traps.h"
#include "drivers/block.h"
#include "drivers/tty.h"
#include "drivers/virtio_mmio.h"
#include "fs/vfs.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/process.h"
#include "kernel/random.h"
#include "kernel/resource.h"
#include "kernel/sched.h"
#include "kernel/stackwatch.h"
#include "lib/bitmap.h"
#include "lib/string.h"
#include "mm/debug.h"
#include "mm/early.h"
#include "mm/filemap.h"
#include "mm/ghost.h"
#include "mm/kstack.h"
#include "mm/oom.h"
#include "mm/slab.h"
#include "mm/swap.h"
#include "mm/watermark.h"
#include "mm/window.h"

#define RAVEL_VERSION "0.1"
#define INIT_PATH_MAX 128

static void print_banner(void)
{
	unsigned long bytes = 0;
	unsigned n = hweight64(harts_online_mask);

	for (unsigned i = 0; i < early_ram.nr; i++)
		bytes += early_ram.range[i].end - early_ram.range[i].start;
	pr_info("Ravel " RAVEL_VERSION ": %u hart%s, %lu MiB\n", n, n == 1 ? "" : "s", bytes >> 20);
}

/* ---- pid 1 ---- */

/* Descriptors 0, 1 and 2; without a console init runs silently. */
static void open_console(void)
{
	struct file *file = file_open("/dev/console", O_RDWR, 0);

	if (IS_ERR(file)) {
		printk("init: no /dev/console (error %ld)\n", -PTR_ERR(file));
		return;
	}
	for (int i = 0; i < 3; i++) {
		int fd = fd_alloc(0, false);

		if (fd >= 0)
			fd_install(fd, file_get(file));
	}
	file_put(file);
}

static const char *exec_error(int err)
{
	switch (-err) {
	case ENOENT:
		return "there is no such file";
	case EACCES:
		return "it is not an executable file";
	case ENOEXEC:
		return "it is not a static RISC-V program";
	case ENOMEM:
		return "there is not enough memory";
	case EIO:
		return "the disk cannot be read";
	default:
		return "execve failed";
	}
}

/* Replaces this kernel thread by the program that `init=` names, or /bin/init. */
static void run_init(void)
{
	static const char *const envp[] = { "HOME=/", "PATH=/bin", "TERM=linux", NULL };
	char path[INIT_PATH_MAX];
	const char *argv[] = { path, NULL };
	int err;

	if (!cmdline_option("init", path, sizeof(path)) || !path[0])
		strlcpy(path, "/bin/init", sizeof(path));
	/*
	 * With one hart and -icount these are the instructions since reset: `make bench` shows
	 * them.
	 */
	pr_info("boot: %lu ns of work\n", ktime_ns() - harts[0].idle_time);
	err = kernel_execve(path, argv, envp);
	if (err)
		panic("cannot run %s: %s (error %d)", path, exec_error(err), -err);
}

static void init_main(void *arg __maybe_unused)
{
	int err;

	rlimits_init(current);
	virtio_init();
	vfs_init();
	tty_init();
	debug_leak_baseline();
	current->files = files_alloc();
	if (!current->files)
		panic("no memory for the descriptors of init");
	err = vfs_mount_root();
	if (err)
		panic("cannot mount the root file system from disk vda (error %d)", -err);
	flusher_start();
	oom_reaper_start();
	if (!kernel_thread(kswapd, NULL, "kswapd"))
		panic("no memory for kswapd");
	if (!kernel_thread(swap_discarder, NULL, "swap_discarder"))
		panic("no memory for swap_discarder");
	open_console();
	panic_test();
	run_init();
}

/* ---- the harts ---- */

/* Leaves the boot stack, which has no guard, for good. */
static void __noreturn idle_on_own_stack(void)
{
	struct task *idle = current;
	unsigned long low;
	void *stack;

	stack_check(idle, "boot");
	stack = kstack_alloc(&low);
	if (!stack)
		panic("no memory for the idle task");
	stack_watch((void *)low, (char *)stack + THREAD_SIZE);
	/* A trap takes stack_low for that of the stack that sp is on: none may come in between. */
	local_irq_disable();
	idle->stack = stack;
	idle->stack_low = low;
	idle->kernel_sp = (unsigned long)stack + THREAD_SIZE;
	__asm__ volatile("mv sp, %0\n\tli s0, 0\n\tjr %1"
			 :
			 : "r"(idle->kernel_sp), "r"(idle_loop)
			 : "memory");
	__builtin_unreachable();
}

static void init_memory(void)
{
	paging_init();
	page_init();
	slab_init();
	kstack_init();
	mm_init();
	filemap_init();
	ghost_init();
	watermarks_init();
	window_init();
}

void start_kernel(void)
{
	stack_watch_boot();
	arch_setup();
	init_memory();
	task_init();
	arch_devices_init();
	time_init();
	random_init();
	block_init();

	current->on_hart = 1;
	strlcpy(current->comm, "idle", sizeof(current->comm));
	this_hart()->idle = current;
	hart_init_this();
	if (!kernel_thread(init_main, NULL, "init"))
		panic("no memory for the first task");
	smp_boot_secondaries();
	print_banner();
	idle_on_own_stack();
}

void secondary_main(void)
{
	hart_init_this();
	idle_loop();
}
