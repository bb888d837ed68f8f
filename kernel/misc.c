/*
 * misc.c - small system calls about the machine and the task that belong nowhere else.
 *
 * Locks: none but those of what is called.
 */
#include "arch/riscv/mmu.h"
#include "arch/riscv/uaccess.h"
#include "drivers/finisher.h"
#include "fs/vfs.h"
#include "kernel/printk.h"
#include "kernel/random.h"
#include "kernel/sched.h"
#include "kernel/signal.h"
#include "kernel/shutdown.h"
#include "kernel/syscall.h"
#include "kernel/time.h"
#include "kernel/uts.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/filemap.h"
#include "mm/swap.h"

#define UTS_LEN 65

struct utsname_abi {
	char sysname[UTS_LEN], nodename[UTS_LEN], release[UTS_LEN], version[UTS_LEN];
	char machine[UTS_LEN], domainname[UTS_LEN];
};

SYSCALL_DEFINE1(uname, struct utsname_abi *, user)
{
	static const struct utsname_abi name = {
		.sysname = UTS_SYSNAME,
		.nodename = UTS_NODENAME,
		.release = UTS_RELEASE,
		.version = UTS_VERSION,
		.machine = UTS_MACHINE,
		.domainname = UTS_DOMAINNAME,
	};

	return copy_to_user(user, &name, sizeof(name)) ? -EFAULT : 0;
}

struct sysinfo_abi {
	s64 uptime;
	u64 loads[3];
	u64 totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u32 pad2;
	u64 totalhigh, freehigh;
	u32 mem_unit, pad3;
};

SYSCALL_DEFINE1(sysinfo, struct sysinfo_abi *, user)
{
	struct buddy_stats stats;
	struct sysinfo_abi info;

	buddy_get_stats(&stats);
	memset(&info, 0, sizeof(info));
	info.uptime = ktime_ns() / NSEC_PER_SEC;
	info.totalram = stats.total << PAGE_SHIFT;
	info.freeram = stats.free << PAGE_SHIFT;
	/* As /proc/loadavg: what wants a hart now, in 1/65536. */
	info.loads[0] = info.loads[1] = info.loads[2] = (u64)nr_running() << 16;
	info.bufferram = filemap_nr_buffers() << PAGE_SHIFT;
	info.sharedram = shmem_nr_pages() << PAGE_SHIFT;
	info.totalswap = (u64)swap_nr_slots() << PAGE_SHIFT;
	info.freeswap = (u64)swap_nr_free() << PAGE_SHIFT;
	info.procs = nr_tasks();
	info.mem_unit = 1;
	return copy_to_user(user, &info, sizeof(info)) ? -EFAULT : 0;
}

/* ---- random bytes ---- */

#define GRND_NONBLOCK 1
#define GRND_RANDOM   2
#define GRND_INSECURE 4

SYSCALL_DEFINE3(getrandom, char *, user, size_t, len, unsigned, flags)
{
	u8 chunk[256];
	size_t done = 0;

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	len = min(len, (size_t)INT_MAX);
	while (done < len) {
		size_t n = min(len - done, sizeof(chunk));

		random_bytes(chunk, n);
		if (copy_to_user(user + done, chunk, n))
			return done ? (long)done : -EFAULT;
		done += n;
		if (signal_pending(current))
			break;
		cond_resched();
	}
	return done;
}

/* ---- the task ---- */

SYSCALL_DEFINE1(set_tid_address, int *, tid)
{
	current->clear_child_tid = tid;
	return current->pid;
}

struct robust_list_head {
	unsigned long list, futex_offset, pending;
};

SYSCALL_DEFINE2(set_robust_list, struct robust_list_head *, head, size_t, len)
{
	if (len != sizeof(*head))
		return -EINVAL;
	current->robust_list = head;
	return 0;
}

SYSCALL_DEFINE3(get_robust_list, pid_t, pid, struct robust_list_head **, head, size_t *, len)
{
	struct task *task;
	struct robust_list_head *list;

	task = find_task_get(pid ? pid : current->pid);
	if (!task)
		return -ESRCH;
	list = task->robust_list;
	task_put(task);
	if (put_user(sizeof(*list), len))
		return -EFAULT;
	return put_user(list, head);
}

#define PR_SET_NAME 15
#define PR_GET_NAME 16

SYSCALL_DEFINE2(prctl, int, option, char *, user)
{
	char name[TASK_COMM_LEN] = "";

	if (option == PR_GET_NAME)
		return copy_to_user(user, current->comm, sizeof(current->comm)) ? -EFAULT : 0;
	if (option != PR_SET_NAME)
		return -EINVAL;
	if (strncpy_from_user(name, user, sizeof(name)) < 0)
		return -EFAULT;
	strlcpy(current->comm, name, sizeof(current->comm));
	return 0;
}

SYSCALL_DEFINE3(sched_getaffinity, pid_t, pid, size_t, len, unsigned long *, user)
{
	struct task *task;

	if (len < sizeof(*user) || len % sizeof(*user))
		return -EINVAL;
	task = find_task_get(pid ? pid : current->pid);
	if (!task)
		return -ESRCH;
	task_put(task);
	return put_user(harts_online_mask, user) ? -EFAULT : (long)sizeof(*user);
}

/* ---- the machine ---- */

#define FLUSH_ICACHE_LOCAL 1

/*
 * Of the range and the hint to flush this hart only, nothing is used: fence.i knows no addresses.
 */
SYSCALL_DEFINE3(riscv_flush_icache, unsigned long, start, unsigned long, end, unsigned long, flags)
{
	(void)start;
	(void)end;
	if (flags & ~(unsigned long)FLUSH_ICACHE_LOCAL)
		return -EINVAL;
	flush_icache_all();
	return 0;
}

#define REBOOT_MAGIC1	 0xfee1dead
#define REBOOT_RESTART	 0x01234567
#define REBOOT_POWER_OFF 0x4321fedc

static bool reboot_magic_ok(u32 magic1, u32 magic2)
{
	return magic1 == REBOOT_MAGIC1 && (magic2 == 672274793 || magic2 == 85072278 ||
					   magic2 == 369367448 || magic2 == 537993216);
}

/* The last argument of POWER_OFF is the exit status that the machine ends with. */
SYSCALL_DEFINE4(reboot, u32, magic1, u32, magic2, u32, cmd, int, status)
{
	if (!is_privileged())
		return -EPERM;
	if (!reboot_magic_ok(magic1, magic2))
		return -EINVAL;
	if (cmd != REBOOT_POWER_OFF && cmd != REBOOT_RESTART)
		return -EINVAL;
	if (debug_shutdown(cmd == REBOOT_RESTART, status & 0xff))
		return -EINTR;
	/* Linux leaves this to who calls; here nothing that was written is ever lost this way. */
	vfs_shutdown();
	if (cmd == REBOOT_RESTART)
		machine_reboot();
	machine_poweroff(status & 0xff);
	return 0;
}
