/*
 * cred.h - whose a process is: the ids that permissions go by.
 *
 *	real       who started it           access(2), kill(2)
 *	effective  in whose name it acts    all privileges: 0 may do anything but with files
 *	saved      what effective may go back to
 *	fs         in whose name it touches files; follows effective, but for setfsuid(2)
 *
 * Privilege is one bit here, euid 0 (fsuid 0 where files are concerned): no capabilities.
 *
 * Locks: a task changes only its own, under task_lock, and reads them without; others read them
 * under task_lock.
 */
#ifndef RAVEL_KERNEL_CRED_H
#define RAVEL_KERNEL_CRED_H

#include "lib/types.h"

#define NR_GROUPS_MAX 32
#define NO_ID	      ((u32)-1) /* "leave it" in calls; nobody's id */

struct task;

struct cred {
	u32 uid, euid, suid, fsuid;
	u32 gid, egid, sgid, fsgid;
	unsigned nr_groups;
	u32 groups[NR_GROUPS_MAX]; /* supplementary, in ascending order */
};

/* True when the current task's fsgid or a supplementary group is @gid: for files. */
bool in_fs_group(u32 gid);
/* True when the current task may do what only root may. */
bool is_privileged(void);
/* May the current task send @sig to @task? task_lock held. */
bool may_signal(const struct task *task, int sig);
/* What @cred becomes by executing a file of @mode, @uid and @gid. */
void cred_exec(struct cred *cred, mode_t mode, u32 uid, u32 gid);

#endif
