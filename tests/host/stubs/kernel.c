/*
 * kernel.c - what lies below mm/, for a machine with one thread: who runs, panics, sleep, fences.
 *
 * Another hart runs only where the kernel gives way: where it sleeps, and in the windows in which
 * it holds no lock (machine_meanwhile). So every run can be repeated.
 */
#include <setjmp.h>
#include <stdlib.h>

#include "arch/riscv/machine.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "lib/string.h"
#include "mm/oom.h"
#include "mm/window.h"
#include "tests/host/host.h"
#include "tests/host/swapdisk.h"

#define MAX_IDLE_SLEEPS 64

struct hart harts[MAX_HARTS];
unsigned nr_harts;
unsigned long harts_online_mask;
bool host_irqs_on = true;

struct task host_tasks[MAX_HARTS];
struct task *current_task_reg;
struct task *init_task = &host_tasks[0];
struct spinlock task_lock = SPINLOCK_INIT;
struct list_head task_list = LIST_HEAD_INIT(task_list);

static u64 now_ns;

/* ---- harts ---- */

void (*machine_meanwhile)(bool locked);

static void meanwhile(void)
{
	void (*run)(bool) = machine_meanwhile;
	struct task *task = current;

	if (!run)
		return;
	machine_meanwhile = NULL;
	mmu_busy++;
	run(task->hart->spin_depth > 0);
	mmu_busy--;
	current_task_reg = task;
	machine_meanwhile = run;
}

void window(void)
{
	meanwhile();
}

void cpu_relax(void)
{
	panic("deadlock: a spinlock that another hart holds");
}

void harts_pause(void)
{
	lockdep_might_sleep(__func__);
}

void harts_resume(void)
{
}

const char *host_cmdline = "";

/* Of a command line of one word. */
bool cmdline_option(const char *name, char *buf, size_t size)
{
	size_t n = strlen(name);

	if (strncmp(host_cmdline, name, n) != 0 || host_cmdline[n] != '=')
		return false;
	strlcpy(buf, host_cmdline + n + 1, size);
	return true;
}

void clear_page(void *page)
{
	memset(page, 0, PAGE_SIZE);
}

void copy_page(void *dst, const void *src)
{
	memcpy(dst, src, PAGE_SIZE);
}

/* ---- panics ---- */

static jmp_buf *expecting;
static char panic_text[512];

static void __noreturn die(const char *what, const char *fmt, va_list ap)
{
	vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
	if (expecting)
		longjmp(*expecting, 1);
	printk("%s: %s\n", what, panic_text);
	fflush(NULL);
	abort();
}

void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die("PANIC", fmt, ap);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	die("WARNING", fmt, ap);
}

const char *machine_expect_panic(void (*fn)(void *), void *arg)
{
	jmp_buf here;

	if (setjmp(here) == 0) {
		expecting = &here;
		fn(arg);
		expecting = NULL;
		return NULL;
	}
	expecting = NULL;
	return panic_text;
}

FILE *host_console;

void vprintk(const char *fmt, va_list ap)
{
	if (!expecting)
		vfprintf(host_console ? host_console : stderr, fmt, ap);
}

void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

void symbol_name(unsigned long pc, char *buf, size_t size)
{
	host_symbol(pc, buf, size);
}

/* ---- sleeping: a single thread cannot wait for anything but its own disk ---- */

void (*machine_down)(void);

void __real_lockdep_might_sleep(const char *what);
void __wrap_lockdep_might_sleep(const char *what);

/* The linker leads calls here (host.mk): down_read() and down_write() ask before they take. */
void __wrap_lockdep_might_sleep(const char *what)
{
	void (*run)(void) = machine_down;
	struct task *task = current;

	__real_lockdep_might_sleep(what);
	if (!run || strncmp(what, "down_", 5) != 0)
		return;
	machine_down = NULL;
	run();
	current_task_reg = task;
}

static unsigned idle_sleeps;

void schedule(void)
{
	lockdep_might_sleep(__func__);
	/* Who waits for swap has pages locked, which he unlocks himself: others wait till then. */
	if (swapdisk_complete())
		return;
	idle_sleeps = disk_complete() || machine_meanwhile ? 0 : idle_sleeps + 1;
	if (idle_sleeps > MAX_IDLE_SLEEPS)
		panic("sleeps for ever");
	meanwhile();
}

bool schedule_until(u64 deadline_ns)
{
	schedule();
	now_ns = deadline_ns;
	return true;
}

void cond_resched(void)
{
	lockdep_might_sleep(__func__);
	meanwhile();
}

bool wake_task_in(struct task *task, unsigned states)
{
	(void)task, (void)states;
	return false;
}

void oom_wake_reaper(void)
{
}

u64 ktime_ns(void)
{
	return now_ns;
}

void send_signal(struct task *task, int sig, const struct sig_info *info)
{
	(void)info;
	if (sig == SIGKILL)
		task->killed = true;
}

void signal_self(int sig)
{
	send_signal(current, sig, NULL);
}
