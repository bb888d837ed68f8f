/*
 * testdir.h - the directory in which a test of file systems works.
 *
 *	TEST_DIR=path in the environment      below that
 *	Ravel                                 below /root, /var/tmp or /tmp: the first that can be
 *	                                      written, so the disk where it can be
 *	Linux                                 below TMPDIR or /tmp
 *
 * Locks: none.
 */
#ifndef RAVEL_USR_LIB_TESTDIR_H
#define RAVEL_USR_LIB_TESTDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Make a new empty directory, the current one from now on, with umask 022. It is removed by
 * test_dir_leave(); a TEST that fails leaves it for who looks into the failure.
 * Returns its absolute path, in a static buffer.
 */
const char *test_dir(void);

/* Leave the directory of test_dir() and remove it with all that is in it. */
void test_dir_leave(void);

/* Remove path with all that is below it; fails the TEST when something cannot be removed. */
void remove_tree(const char *path);

/*
 * Make Ravel forget the clean pages, names and inodes that it keeps; the host's cache is not ours.
 * Returns false when nothing was done.
 */
bool drop_caches(void);

/* Fill a buffer with bytes that are known from the key and the place in the file alone. */
void fill_pattern(unsigned char *buffer, size_t size, unsigned int key, off_t offset);

/* CRC-32 as zlib computes it; start with crc 0. */
unsigned int crc32_update(unsigned int crc, const void *bytes, size_t size);

#endif
