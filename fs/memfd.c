/*
 * memfd.c - memfd_create(2): memory with a descriptor; and seals, promises that it will not change.
 *
 *	memfd_create -> nameless tmpfs file, seals none (MFD_ALLOW_SEALING) or F_SEAL_SEAL
 *	F_ADD_SEALS  -> bits are added, never taken away
 *
 *	seal           forbids                                       looked at by
 *	SHRINK, GROW   another size                                  truncate, write, fallocate
 *	WRITE          any change of the bytes; EBUSY while a        write, fallocate, mmap
 *	               shared mapping may be written
 *	FUTURE_WRITE   the same, but for mappings that exist         write, fallocate, mmap
 *	EXEC           to change the x bits of the mode              chmod
 *	SEAL           more seals                                    here
 *
 * Every regular file of tmpfs has seals; those with a name have SEAL from the start. Other files
 * have none: EINVAL.
 *
 * Locks: the inode's for i_seals, and so for whoever must not change the file any more; what mmap
 * looks at is the mapping's (mm/rmap.c).
 * Source: memfd_create(2), F_GET_SEALS in fcntl(2).
 */
#include "arch/riscv/uaccess.h"
#include "fs/internal.h"
#include "fs/tmpfs.h"
#include "kernel/syscall.h"
#include "lib/string.h"
#include "lib/vsnprintf.h"
#include "mm/slab.h"

#define MFD_CLOEXEC	  0x1u
#define MFD_ALLOW_SEALING 0x2u
#define MFD_NOEXEC_SEAL	  0x8u
#define MFD_EXEC	  0x10u
#define MFD_ALL		  (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

#define PREFIX	 "/memfd:"
#define NAME_LEN 249 /* the longest name, without its NUL */

#define F_SEAL_ALL                                                                                 \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE |          \
	 F_SEAL_EXEC)

/* ---- what seals forbid ---- */

int seals_allow_write(const struct inode *inode, u64 pos, u64 len)
{
	if (inode->i_seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	return (inode->i_seals & F_SEAL_GROW) && pos + len > inode->i_data.size ? -EPERM : 0;
}

int seals_allow_size(const struct inode *inode, u64 size)
{
	if ((inode->i_seals & F_SEAL_SHRINK) && size < inode->i_data.size)
		return -EPERM;
	return (inode->i_seals & F_SEAL_GROW) && size > inode->i_data.size ? -EPERM : 0;
}

int seals_allow_mode(const struct inode *inode, mode_t mode)
{
	return (inode->i_seals & F_SEAL_EXEC) && ((mode ^ inode->i_mode) & S_IXUGO) ? -EPERM : 0;
}

/* ---- seals ---- */

static bool has_seals(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) && inode->i_data.ops && inode->i_data.ops->no_backing;
}

long file_get_seals(const struct file *file)
{
	return has_seals(file->f_inode) ? (long)READ_ONCE(file->f_inode->i_seals) : -EINVAL;
}

/* The inode is locked: nobody writes to it by write(2). */
static int add_seals(struct inode *inode, u32 seals)
{
	bool write;

	if (inode->i_seals & F_SEAL_SEAL)
		return -EPERM;
	/* What may be executed, and will stay so, is to stay what it is. */
	if ((seals & F_SEAL_EXEC) && (inode->i_mode & S_IXUGO))
		seals |= F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
	write = seals & ~inode->i_seals & F_SEAL_WRITE;
	if (write && !mapping_seal(&inode->i_data, true))
		return -EBUSY;
	if (seals & F_SEAL_FUTURE_WRITE)
		mapping_seal(&inode->i_data, false);
	inode->i_seals |= seals;
	return 0;
}

long file_add_seals(struct file *file, unsigned seals)
{
	struct inode *inode = file->f_inode;
	int err;

	if (!has_seals(inode) || (seals & ~F_SEAL_ALL))
		return -EINVAL;
	if (!(file->f_mode & FMODE_WRITE))
		return -EPERM;
	mutex_lock(&inode->lock);
	err = add_seals(inode, seals);
	mutex_unlock(&inode->lock);
	return err;
}

/* ---- memfd_create ---- */

/* The user's name with the prefix that /proc shows; ERR_PTR: -EFAULT, -EINVAL, -ENOMEM. */
static char *name_from_user(const char *uname)
{
	size_t prefix = sizeof(PREFIX) - 1;
	char *name = kmalloc(prefix + NAME_LEN + 1, GFP_KERNEL);
	ssize_t len;

	if (!name)
		return ERR_PTR(-ENOMEM);
	memcpy(name, PREFIX, prefix);
	len = strncpy_from_user(name + prefix, uname, NAME_LEN + 1);
	if (len >= 0 && len <= NAME_LEN)
		return name;
	kfree(name);
	return ERR_PTR(len < 0 ? len : -EINVAL);
}

static struct file *make_memfd(const char *name, unsigned flags)
{
	bool noexec = flags & MFD_NOEXEC_SEAL;
	struct file *file = tmpfs_nameless_file(name, noexec ? 0666 : 0777, 0);

	if (IS_ERR(file))
		return file;
	if (noexec)
		file->f_inode->i_seals = F_SEAL_EXEC;
	else if (flags & MFD_ALLOW_SEALING)
		file->f_inode->i_seals = 0;
	return file;
}

SYSCALL_DEFINE2(memfd_create, const char *, uname, unsigned, flags)
{
	struct file *file;
	char *name;
	int fd;

	if ((flags & ~MFD_ALL) ||
	    (flags & (MFD_EXEC | MFD_NOEXEC_SEAL)) == (MFD_EXEC | MFD_NOEXEC_SEAL))
		return -EINVAL;
	name = name_from_user(uname);
	if (IS_ERR(name))
		return PTR_ERR(name);
	fd = fd_alloc(0, flags & MFD_CLOEXEC);
	if (fd < 0) {
		fd = fd == -EINVAL ? -EMFILE : fd;
		goto out;
	}
	file = make_memfd(name, flags);
	if (IS_ERR(file)) {
		fd_free(fd);
		fd = PTR_ERR(file);
	} else {
		fd_install(fd, file);
	}
out:
	kfree(name);
	return fd;
}
