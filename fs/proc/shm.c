/*
 * shm.c - /proc/sysvipc/shm: the segments of System V shared memory, as ipcs(1) reads them.
 *
 * Each line is what was true when it was made; segments come and go meanwhile.
 * Source: proc_sysvipc_shm(5).
 */
#include "fs/proc/proc.h"
#include "kernel/shm.h"

int proc_show_shm(struct seq_buf *seq, struct task *task __maybe_unused)
{
	struct shm_view v;

	seq_printf(
		seq,
		"       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
		"  cuid  cgid      atime      dtime      ctime                   rss"
		"                  swap\n");
	for (unsigned slot = 0; shm_view_next(&slot, &v); slot++) {
		seq_printf(seq, "%10d %10d  %4o %21lu %5u %5u  %5lu %5u %5u %5u %5u ", v.key, v.id,
			   v.mode, v.size, v.cpid, v.lpid, v.nr_attached, v.uid, v.gid, v.cuid,
			   v.cgid);
		seq_printf(seq, "%10lu %10lu %10lu %21lu %21lu\n", (unsigned long)v.atime,
			   (unsigned long)v.dtime, (unsigned long)v.ctime, v.nr_pages << PAGE_SHIFT,
			   0UL);
	}
	return 0;
}

int proc_show_shmmax(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, "%lu\n", SHMMAX);
	return 0;
}

int proc_show_shmall(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, "%lu\n", SHMALL);
	return 0;
}

int proc_show_shmmni(struct seq_buf *seq, struct task *task __maybe_unused)
{
	seq_printf(seq, "%u\n", SHMMNI);
	return 0;
}
