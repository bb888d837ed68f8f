/*
 * shmctl.c - shmctl(2): what there is to know of System V shared memory, and to change and remove.
 *
 *	IPC_STAT, SHM_STAT, SHM_STAT_ANY   one segment, by id or by slot
 *	IPC_SET                            owner, group and permissions
 *	IPC_RMID                           the beginning of the end (kernel/shm.c)
 *	SHM_LOCK, SHM_UNLOCK               a mark: its pages are not swapped out
 *	IPC_INFO, SHM_INFO                 limits, and what is used of them
 *
 * Locks: shm_lock; a segment is copied under it and given to the user without.
 * Source: shmctl(2).
 */
#include "arch/riscv/uaccess.h"
#include "kernel/shm_segment.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "mm/mlock.h"
#include "mm/rmap.h"

enum {
	IPC_RMID = 0,
	IPC_SET = 1,
	IPC_STAT = 2,
	IPC_INFO = 3,
	SHM_LOCK = 11,
	SHM_UNLOCK = 12,
	SHM_STAT = 13,
	SHM_INFO = 14,
	SHM_STAT_ANY = 15,
};

/* ---- looking ---- */

/* shm_lock held. */
static void fill_view(const struct shm_segment *seg, struct shm_view *view)
{
	*view = (struct shm_view){
		.id = seg->id,
		.key = seg->mode & SHM_DEST ? IPC_PRIVATE : seg->key,
		.mode = seg->mode,
		.uid = seg->uid,
		.gid = seg->gid,
		.cuid = seg->cuid,
		.cgid = seg->cgid,
		.seq = (unsigned)seg->id >> INDEX_BITS,
		.size = seg->size,
		.atime = seg->atime,
		.dtime = seg->dtime,
		.ctime = seg->ctime,
		.cpid = seg->cpid,
		.lpid = seg->lpid,
		.nr_attached = mapping_nr_areas(&seg->inode->i_data),
		.nr_pages = READ_ONCE(seg->inode->i_data.nr_pages),
		.nr_swapped = READ_ONCE(seg->inode->i_data.nr_swapped),
	};
}

bool shm_view_next(unsigned *slot, struct shm_view *view)
{
	bool found;

	spin_lock(&shm_lock);
	while (*slot < SHMMNI && !shm_slots[*slot])
		++*slot;
	found = *slot < SHMMNI;
	if (found)
		fill_view(shm_slots[*slot], view);
	spin_unlock(&shm_lock);
	return found;
}

/* ---- shmctl ---- */

struct shmid_abi {
	struct {
		int key;
		u32 uid, gid, cuid, cgid, mode;
		u16 seq, pad;
		unsigned long unused[2];
	} perm;
	size_t segsz;
	s64 atime, dtime, ctime;
	int cpid, lpid;
	unsigned long nattch, unused[2];
};

/* IPC_STAT, SHM_STAT (by index, which is returned as an id), SHM_STAT_ANY (for everybody). */
static long stat_segment(int id, int cmd, struct shmid_abi *ubuf)
{
	struct shm_segment *seg = NULL;
	struct shm_view view = {};
	struct shmid_abi abi;
	int err = -EINVAL;

	spin_lock(&shm_lock);
	if (cmd == IPC_STAT)
		seg = shm_find(id);
	else if (id >= 0 && (unsigned)id < SHMMNI)
		seg = shm_slots[id];
	if (seg)
		err = cmd == SHM_STAT_ANY ? 0 : shm_may_use(seg, 0444);
	if (!err)
		fill_view(seg, &view);
	spin_unlock(&shm_lock);
	if (err)
		return err;
	abi = (struct shmid_abi){
		.perm = { .key = view.key,
			  .uid = view.uid,
			  .gid = view.gid,
			  .cuid = view.cuid,
			  .cgid = view.cgid,
			  .mode = view.mode,
			  .seq = view.seq },
		.segsz = view.size,
		.atime = view.atime,
		.dtime = view.dtime,
		.ctime = view.ctime,
		.cpid = view.cpid,
		.lpid = view.lpid,
		.nattch = view.nr_attached,
	};
	if (copy_to_user(ubuf, &abi, sizeof(abi)))
		return -EFAULT;
	return cmd == IPC_STAT ? 0 : view.id;
}

static long set_segment(int id, const struct shmid_abi *ubuf)
{
	struct shm_segment *seg;
	struct shmid_abi abi;
	int err = -EINVAL;

	if (copy_from_user(&abi, ubuf, sizeof(abi)))
		return -EFAULT;
	if (abi.perm.uid == NO_ID || abi.perm.gid == NO_ID)
		return -EINVAL;
	spin_lock(&shm_lock);
	seg = shm_find(id);
	if (seg)
		err = shm_is_owner(seg) ? 0 : -EPERM;
	if (!err) {
		seg->uid = abi.perm.uid;
		seg->gid = abi.perm.gid;
		seg->mode = (seg->mode & ~ACCESS_MODES) | (abi.perm.mode & ACCESS_MODES);
		seg->ctime = fs_now().tv_sec;
	}
	spin_unlock(&shm_lock);
	return err;
}

static long remove_segment(int id)
{
	struct shm_segment *seg;
	bool unused = false;
	int err = -EINVAL;

	spin_lock(&shm_lock);
	seg = shm_find(id);
	if (seg)
		err = shm_is_owner(seg) ? 0 : -EPERM;
	if (!err) {
		seg->mode |= SHM_DEST;
		unused = shm_take_if_unused(seg);
	}
	spin_unlock(&shm_lock);
	if (unused)
		shm_free(seg);
	return err;
}

/* Its pages are not swapped out any more, from those on that reclaim has not in hand yet. */
/*
 * A locked segment stays in memory, whoever maps it: so its owner needs the right, and the room of
 * mlock(2). Each segment is held against the limit by itself. 0, -EPERM, -ENOMEM.
 */
static int may_lock_segment(const struct shm_segment *seg)
{
	if (!may_lock())
		return -EPERM;
	return may_lock_pages(current->mm, DIV_ROUND_UP(seg->size, PAGE_SIZE)) ? 0 : -ENOMEM;
}

static long lock_segment(int id, bool lock)
{
	struct shm_segment *seg;
	int err = -EINVAL;

	spin_lock(&shm_lock);
	seg = shm_find(id);
	if (seg)
		err = shm_is_owner(seg) ? 0 : -EPERM;
	if (!err && lock)
		err = may_lock_segment(seg);
	if (!err) {
		WRITE_ONCE(seg->inode->i_data.kept_in_memory, lock);
		seg->mode = lock ? seg->mode | SHM_LOCKED : seg->mode & ~SHM_LOCKED;
	}
	spin_unlock(&shm_lock);
	return err;
}

/* The highest slot in use, as the calls for programs like ipcs return it; 0: none. */
static long highest_slot(void)
{
	for (unsigned i = SHMMNI; i-- > 0;) {
		if (READ_ONCE(shm_slots[i]))
			return i;
	}
	return 0;
}

static long tell_limits(unsigned long *ubuf)
{
	/* shmmax, shmmin, shmmni, shmseg, shmall; four words unused */
	unsigned long info[9] = { SHMMAX, 1, SHMMNI, SHMMNI, SHMALL };

	return copy_to_user(ubuf, info, sizeof(info)) ? -EFAULT : highest_slot();
}

static long tell_use(void *ubuf)
{
	struct {
		int used_ids;
		unsigned long total, resident, swapped, swap_attempts, swap_successes;
	} info = { .used_ids = READ_ONCE(nr_shm_segments), .total = READ_ONCE(nr_shm_total_pages) };
	struct shm_view view;

	for (unsigned slot = 0; shm_view_next(&slot, &view); slot++)
		info.resident += view.nr_pages;
	info.swapped += view.nr_swapped;
	return copy_to_user(ubuf, &info, sizeof(info)) ? -EFAULT : highest_slot();
}

SYSCALL_DEFINE3(shmctl, int, id, int, cmd, void *, ubuf)
{
	if (id < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_RMID:
		return remove_segment(id);
	case IPC_SET:
		return set_segment(id, ubuf);
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return stat_segment(id, cmd, ubuf);
	case IPC_INFO:
		return tell_limits(ubuf);
	case SHM_INFO:
		return tell_use(ubuf);
	case SHM_LOCK:
	case SHM_UNLOCK:
		return lock_segment(id, cmd == SHM_LOCK);
	default:
		return -EINVAL;
	}
}
