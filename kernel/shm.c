/*
 * shm.c - System V shared memory: shmget, shmat, shmdt. (shmctl: kernel/shmctl.c.)
 *
 *	slots[index] -> segment -> inode (nameless tmpfs file) -> pages
 *	                   ^                     ^
 *	shmat:  area -> struct file -------------+     one file for each attach
 *
 *	id = sequence number << 15 | index: an id of a removed segment does not name the next one
 *
 *	IPC_RMID   SHM_DEST: no key names it any more; it goes when its last attach goes, at once
 *	           if there is none. Until then its id still works, as on Linux.
 *
 * nattch is the number of areas that map the segment: so fork, exec, exit and munmap need not tell
 * us. The time of the last detach is that of the last shmdt(), or of the last area of one attach.
 *
 * Invariants: a segment is in its slot as long as it exists; `attaches` counts the open files that
 * shmat() made; nr_shm_total_pages is the sum of all sizes.
 * Locks: shm_lock guards the slots and all fields of segments. It is inside mmap_lock (the last
 * area of an attach closes its file there); nothing is allocated or freed under it.
 * Source: shmget(2), shmat(2), shmctl(2), proc_sysvipc_shm(5).
 */
#include "kernel/shm_segment.h"

#include "arch/riscv/hart.h"
#include "arch/riscv/uaccess.h"
#include "fs/permission.h"
#include "fs/tmpfs.h"
#include "kernel/syscall.h"
#include "kernel/task.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/commit.h"
#include "mm/mm.h"
#include "mm/slab.h"

#define IPC_CREAT     01000u
#define IPC_EXCL      02000u
#define SHM_HUGETLB   04000u
#define SHM_NORESERVE 010000u

#define SHM_RDONLY 010000u
#define SHM_RND	   020000u
#define SHM_REMAP  040000u
#define SHM_EXEC   0100000u

struct spinlock shm_lock = SPINLOCK_INIT;
struct shm_segment *shm_slots[SHMMNI];
unsigned nr_shm_segments;
unsigned long nr_shm_total_pages;
static unsigned last_seq;

static unsigned long size_pages(size_t size)
{
	return PAGE_ALIGN(size) >> PAGE_SHIFT;
}

/* ---- whose it is ---- */

bool shm_is_owner(const struct shm_segment *seg)
{
	return is_privileged() || current->cred.euid == seg->uid || current->cred.euid == seg->cuid;
}

int shm_may_use(const struct shm_segment *seg, u32 want)
{
	u32 granted = seg->mode;

	want = (want >> 6 | want >> 3 | want) & 07;
	if (is_privileged())
		return 0;
	if (current->cred.euid == seg->uid || current->cred.euid == seg->cuid)
		granted >>= 6;
	else if (in_fs_group(seg->gid) || in_fs_group(seg->cgid))
		granted >>= 3;
	return want & ~granted ? -EACCES : 0;
}

/* ---- shm_slots; shm_lock held ---- */

struct shm_segment *shm_find(int id)
{
	unsigned index = (unsigned)id & INDEX_MASK;

	if (id < 0 || index >= SHMMNI || !shm_slots[index] || shm_slots[index]->id != id)
		return NULL;
	return shm_slots[index];
}

static struct shm_segment *find_key(int key)
{
	for (unsigned i = 0; i < SHMMNI; i++) {
		if (shm_slots[i] && shm_slots[i]->key == key && !(shm_slots[i]->mode & SHM_DEST))
			return shm_slots[i];
	}
	return NULL;
}

/* Gives @seg a slot and an id, which it returns; -ENOSPC. */
static int add_segment(struct shm_segment *seg)
{
	unsigned index = 0;

	while (index < SHMMNI && shm_slots[index])
		index++;
	if (index == SHMMNI || nr_shm_total_pages + size_pages(seg->size) > SHMALL)
		return -ENOSPC;
	seg->id = (last_seq++ & 0xffff) << INDEX_BITS | index;
	shm_slots[index] = seg;
	nr_shm_segments++;
	nr_shm_total_pages += size_pages(seg->size);
	return seg->id;
}

bool shm_take_if_unused(struct shm_segment *seg)
{
	if (!(seg->mode & SHM_DEST) || seg->attaches > 0)
		return false;
	shm_slots[(unsigned)seg->id & INDEX_MASK] = NULL;
	nr_shm_segments--;
	nr_shm_total_pages -= size_pages(seg->size);
	return true;
}

void shm_free(struct shm_segment *seg)
{
	inode_put(seg->inode);
	kfree(seg);
}

void shm_remove_all(void)
{
	for (unsigned i = 0; i < SHMMNI; i++) {
		struct shm_segment *seg;
		bool unused = false;

		spin_lock(&shm_lock);
		seg = shm_slots[i];
		if (seg) {
			seg->mode |= SHM_DEST;
			unused = shm_take_if_unused(seg);
		}
		spin_unlock(&shm_lock);
		if (unused)
			shm_free(seg);
	}
}

/* ---- shmget ---- */

static struct shm_segment *make_segment(int key, size_t size, unsigned flags)
{
	struct shm_segment *seg = kzalloc(sizeof(*seg), GFP_KERNEL);
	char name[16];

	if (!seg)
		return ERR_PTR(-ENOMEM);
	snprintf(name, sizeof(name), "/SYSV%08x", key);
	seg->inode = tmpfs_nameless_inode(name, flags & ACCESS_MODES, size);
	if (IS_ERR(seg->inode)) {
		int err = PTR_ERR(seg->inode);

		kfree(seg);
		return ERR_PTR(err);
	}
	seg->key = key;
	seg->mode = flags & ACCESS_MODES;
	seg->uid = seg->cuid = current->cred.euid;
	seg->gid = seg->cgid = current->cred.egid;
	seg->size = size;
	seg->ctime = fs_now().tv_sec;
	seg->cpid = current->pid;
	return seg;
}

/* What shmget() returns for the segment that its key names. shm_lock held. */
static int use_existing(const struct shm_segment *seg, size_t size, unsigned flags)
{
	int err;

	if ((flags & (IPC_CREAT | IPC_EXCL)) == (IPC_CREAT | IPC_EXCL))
		return -EEXIST;
	if (size > seg->size)
		return -EINVAL;
	err = shm_may_use(seg, flags & ACCESS_MODES);
	return err ? err : seg->id;
}

/* The id of the segment of @key if there is one, else of *new, which is in its slot then: NULL. */
static int find_or_add(int key, size_t size, unsigned flags, struct shm_segment **new)
{
	struct shm_segment *seg;
	int ret = -ENOENT;

	spin_lock(&shm_lock);
	seg = key == IPC_PRIVATE ? NULL : find_key(key);
	if (seg) {
		ret = use_existing(seg, size, flags);
	} else if (*new) {
		ret = add_segment(*new);
		if (ret >= 0)
			*new = NULL;
	}
	spin_unlock(&shm_lock);
	return ret;
}

SYSCALL_DEFINE3(shmget, int, key, size_t, size, unsigned, flags)
{
	struct shm_segment *new = NULL;
	int ret = find_or_add(key, size, flags, &new);
	bool promised;

	if (ret != -ENOENT || (key != IPC_PRIVATE && !(flags & IPC_CREAT)))
		return ret;
	if (size == 0 || size > SHMMAX || (flags & SHM_HUGETLB))
		return -EINVAL;
	promised = !(flags & SHM_NORESERVE) || !commit_may_be_skipped();
	if (promised && commit_check(size_pages(size)))
		return -ENOMEM;
	new = make_segment(key, size, flags);
	if (IS_ERR(new))
		return PTR_ERR(new);
	if (promised)
		shmem_commit(&new->inode->i_data, size_pages(size));
	ret = find_or_add(key, size, flags, &new);
	if (new) /* somebody was first, or there is no room */
		shm_free(new);
	return ret;
}

/* ---- shmat ---- */

/* The last area of an attach has gone. mmap_lock may be held. */
static void shm_release(struct file *file)
{
	struct shm_segment *seg = file->private_data;
	bool unused;

	spin_lock(&shm_lock);
	seg->attaches--;
	seg->dtime = fs_now().tv_sec;
	seg->lpid = current->pid;
	unused = shm_take_if_unused(seg);
	spin_unlock(&shm_lock);
	if (unused)
		shm_free(seg);
}

static const struct file_operations shm_fops = { .release = shm_release };

/* Counts an attach to segment @id, which keeps it; ERR_PTR: -EINVAL, -EACCES. */
static struct shm_segment *start_attach(int id, unsigned flags)
{
	u32 want = 0444 | (flags & SHM_RDONLY ? 0 : 0222) | (flags & SHM_EXEC ? 0111 : 0);
	struct shm_segment *seg;
	int err = -EINVAL;

	spin_lock(&shm_lock);
	seg = shm_find(id);
	if (seg)
		err = shm_may_use(seg, want);
	if (!err)
		seg->attaches++;
	spin_unlock(&shm_lock);
	return err ? ERR_PTR(err) : seg;
}

/* An attach that did not come about. */
static void undo_attach(struct shm_segment *seg)
{
	bool unused;

	spin_lock(&shm_lock);
	seg->attaches--;
	unused = shm_take_if_unused(seg);
	spin_unlock(&shm_lock);
	if (unused)
		shm_free(seg);
}

/* Where to attach: the checked @addr; *map_flags for mmap. -EINVAL, -ENOMEM. */
static long attach_address(unsigned long addr, unsigned flags, u32 *map_flags)
{
	*map_flags = MAP_SHARED;
	if (addr == 0)
		return flags & SHM_REMAP ? -EINVAL : 0;
	if (offset_in_page(addr)) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		addr &= PAGE_MASK;
		if (addr == 0 && (flags & SHM_REMAP))
			return -EINVAL;
	}
	*map_flags |= flags & SHM_REMAP ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	return addr > LONG_MAX ? -ENOMEM : (long)addr;
}

static struct file *open_segment(struct shm_segment *seg, unsigned flags)
{
	struct file *file =
		tmpfs_nameless_open(inode_get(seg->inode), flags & SHM_RDONLY ? O_RDONLY : O_RDWR);

	if (!file) {
		inode_put(seg->inode);
		undo_attach(seg);
		return NULL;
	}
	file->f_op = &shm_fops;
	file->private_data = seg;
	return file;
}

/* The segment was attached at an address: tells so. */
static void note_attach(struct shm_segment *seg)
{
	spin_lock(&shm_lock);
	seg->atime = fs_now().tv_sec;
	seg->lpid = current->pid;
	spin_unlock(&shm_lock);
}

SYSCALL_DEFINE3(shmat, int, id, unsigned long, uaddr, unsigned, flags)
{
	u32 prot = PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) |
		   (flags & SHM_EXEC ? PROT_EXEC : 0);
	struct shm_segment *seg;
	struct file *file;
	u32 map_flags;
	long addr;

	if (id < 0)
		return -EINVAL;
	addr = attach_address(uaddr, flags, &map_flags);
	if (addr < 0)
		return addr;
	seg = start_attach(id, flags);
	if (IS_ERR(seg))
		return PTR_ERR(seg);
	file = open_segment(seg, flags);
	if (!file)
		return -ENOMEM;
	addr = vm_mmap(current->mm, file, addr, seg->size, prot, map_flags, 0);
	if (addr >= 0)
		note_attach(seg);
	file_put(file);
	return addr == -EEXIST ? -EINVAL : addr;
}

static bool is_attach(const struct file *file)
{
	return file->f_op == &shm_fops;
}

SYSCALL_DEFINE1(shmdt, unsigned long, addr)
{
	struct file *file = vm_unmap_file(current->mm, addr, is_attach);
	struct shm_segment *seg;

	if (IS_ERR(file))
		return PTR_ERR(file);
	seg = file->private_data;
	spin_lock(&shm_lock);
	seg->dtime = fs_now().tv_sec;
	seg->lpid = current->pid;
	spin_unlock(&shm_lock);
	file_put(file);
	return 0;
}
