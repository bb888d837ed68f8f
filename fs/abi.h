/*
 * abi.h - file-related constants and structures as riscv64 Linux user programs know them.
 *
 * Values are those of the asm-generic ABI (see open(2), stat(2), statx(2), getdents(2), poll(2)).
 */
#ifndef RAVEL_FS_ABI_H
#define RAVEL_FS_ABI_H

#include "lib/types.h"

#define PATH_MAX 4096 /* bytes of a path, with its NUL */
#define NAME_MAX 255  /* bytes of one name, without NUL */
#define PIPE_BUF 4096 /* a write to a pipe of up to so many bytes is atomic */

/* File types and permission bits (st_mode). */
#define S_IFMT	  0170000
#define S_IFSOCK  0140000
#define S_IFLNK	  0120000
#define S_IFREG	  0100000
#define S_IFBLK	  0060000
#define S_IFDIR	  0040000
#define S_IFCHR	  0020000
#define S_IFIFO	  0010000
#define S_ISUID	  0004000
#define S_ISGID	  0002000
#define S_ISVTX	  0001000
#define S_IALLUGO 07777
#define S_IXGRP	  0010
#define S_IXUGO	  0111

#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

/* open(2). */
#define O_ACCMODE   00000003
#define O_RDONLY    00000000
#define O_WRONLY    00000001
#define O_RDWR	    00000002
#define O_CREAT	    00000100
#define O_EXCL	    00000200
#define O_NOCTTY    00000400
#define O_TRUNC	    00001000
#define O_APPEND    00002000
#define O_NONBLOCK  00004000
#define O_DSYNC	    00010000
#define O_ASYNC	    00020000
#define O_DIRECT    00040000
#define O_LARGEFILE 00100000
#define O_DIRECTORY 00200000
#define O_NOFOLLOW  00400000
#define O_NOATIME   01000000
#define O_CLOEXEC   02000000
#define O_SYNC	    04010000
#define O_PATH	    010000000
#define O_TMPFILE   020000000 /* the bit that is its own; the flag includes O_DIRECTORY */

#define AT_FDCWD	    (-100)
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS	    0x200
#define AT_REMOVEDIR	    0x200
#define AT_SYMLINK_FOLLOW   0x400
#define AT_NO_AUTOMOUNT	    0x800
#define AT_EMPTY_PATH	    0x1000
#define AT_STATX_SYNC_TYPE  0x6000

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4

#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4

#define F_DUPFD		0
#define F_GETFD		1
#define F_SETFD		2
#define F_GETFL		3
#define F_SETFL		4
#define F_GETLK		5
#define F_SETLK		6
#define F_SETLKW	7
#define F_OFD_GETLK	36
#define F_OFD_SETLK	37
#define F_OFD_SETLKW	38
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ	1031
#define F_GETPIPE_SZ	1032
#define F_ADD_SEALS	1033
#define F_GET_SEALS	1034

#define F_SEAL_SEAL	    0x1
#define F_SEAL_SHRINK	    0x2
#define F_SEAL_GROW	    0x4
#define F_SEAL_WRITE	    0x8
#define F_SEAL_FUTURE_WRITE 0x10
#define F_SEAL_EXEC	    0x20
#define FD_CLOEXEC	    1

/* Record locks (fcntl_locking(2)). */
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2

struct flock_abi {
	s16 l_type, l_whence;
	s64 l_start, l_len; /* l_len 0: to the end, however far that moves */
	s32 l_pid;
};

#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE	 2
#define RENAME_WHITEOUT	 4

/* mount(2), umount2(2). */
#define MS_RDONLY	0x1u
#define MS_NOSUID	0x2u
#define MS_NODEV	0x4u
#define MS_NOEXEC	0x8u
#define MS_REMOUNT	0x20u
#define MS_NOATIME	0x400u
#define MS_NODIRATIME	0x800u
#define MS_SILENT	0x8000u
#define MS_RELATIME	0x200000u
#define MS_STRICTATIME	0x1000000u
#define MS_LAZYTIME	0x2000000u
#define MS_MGC_VAL	0xc0ed0000u
#define MS_MGC_MSK	0xffff0000u
#define UMOUNT_NOFOLLOW 0x8u

#define FIONREAD     0x541b
#define FIONBIO	     0x5421
#define FIOCLEX	     0x5451
#define FIONCLEX     0x5450
#define BLKGETSIZE64 0x80081272

/* poll(2). */
#define POLLIN	   0x0001
#define POLLPRI	   0x0002
#define POLLOUT	   0x0004
#define POLLERR	   0x0008
#define POLLHUP	   0x0010
#define POLLNVAL   0x0020
#define POLLRDNORM 0x0040
#define POLLRDBAND 0x0080
#define POLLWRNORM 0x0100
#define POLLWRBAND 0x0200

struct pollfd_abi {
	s32 fd;
	s16 events;
	s16 revents;
};

struct iovec_abi {
	void *base; /* user address */
	size_t len; /* bytes */
};

struct timespec_abi {
	s64 tv_sec, tv_nsec;
};

/* utimensat(2). */
#define UTIME_NOW  0x3fffffffL
#define UTIME_OMIT 0x3ffffffeL

struct stat_abi {
	u64 st_dev, st_ino;
	u32 st_mode, st_nlink, st_uid, st_gid;
	u64 st_rdev, pad1;
	s64 st_size;
	s32 st_blksize, pad2;
	s64 st_blocks;
	struct timespec_abi st_atim, st_mtim, st_ctim;
	u32 reserved[2];
};

struct statx_timestamp_abi {
	s64 tv_sec;
	u32 tv_nsec;
	s32 reserved;
};

#define STATX_BASIC_STATS 0x7ffu
#define STATX_RESERVED	  0x80000000u

#define STATX_ATTR_MOUNT_ROOT 0x2000u

struct statx_abi {
	u32 stx_mask, stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink, stx_uid, stx_gid;
	u16 stx_mode, pad1;
	u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct statx_timestamp_abi stx_atime, stx_btime, stx_ctime, stx_mtime;
	u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	u64 spare[14];
};

struct statfs_abi {
	s64 f_type, f_bsize;
	u64 f_blocks, f_bfree, f_bavail, f_files, f_ffree;
	s32 f_fsid[2];
	s64 f_namelen, f_frsize, f_flags;
	s64 f_spare[4];
};

#define ST_RDONLY 0x0001
#define ST_VALID  0x0020

/* getdents64(2); the name follows, with its NUL, then padding to 8 bytes. */
struct dirent64_abi {
	u64 d_ino;
	s64 d_off;
	u16 d_reclen;
	u8 d_type;
	char d_name[];
};

#define DT_UNKNOWN 0
#define DT_FIFO	   1
#define DT_CHR	   2
#define DT_DIR	   4
#define DT_BLK	   6
#define DT_REG	   8
#define DT_LNK	   10
#define DT_SOCK	   12

#endif
