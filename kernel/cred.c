/*
 * cred.c - user and group ids: asking for them and changing them.
 *
 *	setuid(u)        root: all four ids        others: effective, to real or saved
 *	setreuid(r, e)   real and effective        saved follows when real is set
 *	setresuid(...)   each of the three         others: only to one of the three
 *	setfsuid(u)      files only
 *
 * Users and groups obey the same rules, written once over a set of four ids.
 *
 * Locks: task_lock around each change, so that kill(2) and /proc see whole sets.
 */
#include "kernel/cred.h"

#include "arch/riscv/uaccess.h"
#include "fs/abi.h"
#include "kernel/process.h"
#include "kernel/signal.h"
#include "kernel/syscall.h"
#include "lib/string.h"

/* The ids of one sort, in the order of struct cred. */
struct ids {
	u32 real, effective, saved, fs;
};

#define KEEPS(id) ((id) == NO_ID)

bool is_privileged(void)
{
	return current->cred.euid == 0;
}

bool in_fs_group(u32 gid)
{
	const struct cred *cred = &current->cred;

	if (gid == cred->fsgid)
		return true;
	for (unsigned i = 0; i < cred->nr_groups; i++) {
		if (cred->groups[i] == gid)
			return true;
	}
	return false;
}

bool may_signal(const struct task *task, int sig)
{
	const struct cred *mine = &current->cred, *its = &task->cred;

	return mine->euid == 0 || task == current || mine->euid == its->suid ||
	       mine->euid == its->uid || mine->uid == its->suid || mine->uid == its->uid ||
	       (sig == SIGCONT && task->sid == current->sid);
}

void cred_exec(struct cred *cred, mode_t mode, u32 uid, u32 gid)
{
	if (mode & S_ISUID)
		cred->euid = uid;
	/* Without the x bit, set-group-id means mandatory locking to old systems. */
	if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
		cred->egid = gid;
	cred->suid = cred->fsuid = cred->euid;
	cred->sgid = cred->fsgid = cred->egid;
}

/* ---- sets of ids ---- */

static struct ids get_ids(bool group)
{
	const struct cred *cred = &current->cred;

	if (group)
		return (struct ids){ cred->gid, cred->egid, cred->sgid, cred->fsgid };
	return (struct ids){ cred->uid, cred->euid, cred->suid, cred->fsuid };
}

static long put_ids(bool group, const struct ids *ids)
{
	struct cred *cred = &current->cred;
	unsigned long flags = spin_lock_irqsave(&task_lock);

	if (group) {
		cred->gid = ids->real;
		cred->egid = ids->effective;
		cred->sgid = ids->saved;
		cred->fsgid = ids->fs;
	} else {
		cred->uid = ids->real;
		cred->euid = ids->effective;
		cred->suid = ids->saved;
		cred->fsuid = ids->fs;
	}
	spin_unlock_irqrestore(&task_lock, flags);
	return 0;
}

static bool is_one_of_three(u32 id, const struct ids *ids)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

static long set_id(bool group, u32 id)
{
	struct ids ids = get_ids(group);

	if (KEEPS(id))
		return -EINVAL;
	if (is_privileged())
		ids.real = ids.saved = id;
	else if (id != ids.real && id != ids.saved)
		return -EPERM;
	ids.effective = ids.fs = id;
	return put_ids(group, &ids);
}

static long set_re(bool group, u32 real, u32 effective)
{
	struct ids old = get_ids(group), ids = old;

	if (!is_privileged() && ((!KEEPS(real) && real != old.real && real != old.effective) ||
				 (!KEEPS(effective) && !is_one_of_three(effective, &old))))
		return -EPERM;
	if (!KEEPS(real))
		ids.real = real;
	if (!KEEPS(effective))
		ids.effective = effective;
	if (!KEEPS(real) || (!KEEPS(effective) && effective != old.real))
		ids.saved = ids.effective;
	ids.fs = ids.effective;
	return put_ids(group, &ids);
}

static long set_res(bool group, u32 real, u32 effective, u32 saved)
{
	struct ids old = get_ids(group), ids = old;

	if (!is_privileged() && ((!KEEPS(real) && !is_one_of_three(real, &old)) ||
				 (!KEEPS(effective) && !is_one_of_three(effective, &old)) ||
				 (!KEEPS(saved) && !is_one_of_three(saved, &old))))
		return -EPERM;
	if (!KEEPS(real))
		ids.real = real;
	if (!KEEPS(effective))
		ids.effective = effective;
	if (!KEEPS(saved))
		ids.saved = saved;
	ids.fs = ids.effective;
	return put_ids(group, &ids);
}

static long get_res(bool group, u32 *real, u32 *effective, u32 *saved)
{
	struct ids ids = get_ids(group);

	return put_user(ids.real, real) || put_user(ids.effective, effective) ||
			       put_user(ids.saved, saved) ?
		       -EFAULT :
		       0;
}

/* Tells the old one, whether it was changed or not: that is all that setfsuid(2) says. */
static long set_fs(bool group, u32 id)
{
	struct ids ids = get_ids(group);
	u32 old = ids.fs;

	if (!KEEPS(id) && (is_privileged() || id == old || is_one_of_three(id, &ids))) {
		ids.fs = id;
		put_ids(group, &ids);
	}
	return old;
}

/* ---- the calls ---- */

SYSCALL_DEFINE0(getuid)
{
	return current->cred.uid;
}

SYSCALL_DEFINE0(geteuid)
{
	return current->cred.euid;
}

SYSCALL_DEFINE0(getgid)
{
	return current->cred.gid;
}

SYSCALL_DEFINE0(getegid)
{
	return current->cred.egid;
}

SYSCALL_DEFINE1(setuid, u32, id)
{
	return set_id(false, id);
}

SYSCALL_DEFINE1(setgid, u32, id)
{
	return set_id(true, id);
}

SYSCALL_DEFINE2(setreuid, u32, real, u32, effective)
{
	return set_re(false, real, effective);
}

SYSCALL_DEFINE2(setregid, u32, real, u32, effective)
{
	return set_re(true, real, effective);
}

SYSCALL_DEFINE3(setresuid, u32, real, u32, effective, u32, saved)
{
	return set_res(false, real, effective, saved);
}

SYSCALL_DEFINE3(setresgid, u32, real, u32, effective, u32, saved)
{
	return set_res(true, real, effective, saved);
}

SYSCALL_DEFINE3(getresuid, u32 *, real, u32 *, effective, u32 *, saved)
{
	return get_res(false, real, effective, saved);
}

SYSCALL_DEFINE3(getresgid, u32 *, real, u32 *, effective, u32 *, saved)
{
	return get_res(true, real, effective, saved);
}

SYSCALL_DEFINE1(setfsuid, u32, id)
{
	return set_fs(false, id);
}

SYSCALL_DEFINE1(setfsgid, u32, id)
{
	return set_fs(true, id);
}

SYSCALL_DEFINE2(getgroups, int, size, u32 *, list)
{
	const struct cred *cred = &current->cred;

	if (size < 0 || (size && (unsigned)size < cred->nr_groups))
		return -EINVAL;
	if (size && copy_to_user(list, cred->groups, cred->nr_groups * sizeof(u32)))
		return -EFAULT;
	return cred->nr_groups;
}

static void sort(u32 *ids, unsigned nr)
{
	for (unsigned i = 1; i < nr; i++) {
		for (unsigned j = i; j > 0 && ids[j - 1] > ids[j]; j--)
			swap(ids[j - 1], ids[j]);
	}
}

SYSCALL_DEFINE2(setgroups, int, size, const u32 *, list)
{
	u32 groups[NR_GROUPS_MAX];
	unsigned long flags;

	if (!is_privileged())
		return -EPERM;
	if ((unsigned)size > NR_GROUPS_MAX)
		return -EINVAL;
	if (copy_from_user(groups, list, size * sizeof(u32)))
		return -EFAULT;
	for (int i = 0; i < size; i++) {
		if (KEEPS(groups[i]))
			return -EINVAL;
	}
	sort(groups, size);
	flags = spin_lock_irqsave(&task_lock);
	current->cred.nr_groups = size;
	memcpy(current->cred.groups, groups, size * sizeof(u32));
	spin_unlock_irqrestore(&task_lock, flags);
	return 0;
}
