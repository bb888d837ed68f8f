/*
 * fsmodel.c - ten thousand random operations on files, against a model in memory.
 *
 * Every result and every errno is compared with usr/lib/treemodel.c, at intervals and in the end
 * the whole tree: names, types, modes, link counts, sizes, contents, targets.
 *
 * KEEP_TREE=path in the environment leaves the tree there, and path.manifest beside it, one line
 * for each name, so that the host can compare the disk with what was promised:
 *
 *	TYPE MODE NLINK SIZE CRC32 PATH [-> TARGET]	f 644 1 12 0a1b2c3d d/a
 *
 * TYPE f, d or l; MODE octal; CRC32 hexadecimal, of a file's bytes or a link's target, of a
 * directory 0; PATH relative to the tree.
 */
#include "usr/lib/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "usr/lib/testdir.h"
#include "usr/lib/treemodel.h"

#define OPERATIONS 10000
#define MAX_DIRS   24
#define MAX_PAGES  1500 /* of all files together; then they are shortened */
#define MAX_WRITE  100000
#define NR_NAMES   14
#define OUTSIDE	   0x5a /* stored past the end of a file */

struct open_file {
	int fd;
	int flags;
	struct tree_node *node;
};

static struct tree_node *root;
static struct open_file files[8]; /* node NULL: free */
static unsigned int operation;
static bool dirs_count_links; /* some Linux file systems give directories always 1 */
static bool writes_back;      /* a tmpfs does not */
static bool has_fallocate;    /* and some have no fallocate */
static unsigned char bytes[MAX_WRITE], expected_bytes[MAX_WRITE];
static FILE *manifest;

/* ---- what is compared ---- */

/* A call gave this result: error 0 means that it must have succeeded. */
static void expect(long got, int error, const char *call, const char *path)
{
	int was = got == -1 ? errno : 0;

	if (was != error)
		test_fail(__FILE__, __LINE__, "expected errno %d, got %d (%s %s, operation %u)",
			  error, was, call, path, operation);
}

static void check_bytes(const unsigned char *got, const struct tree_node *node, size_t size,
			off_t offset, const char *how)
{
	CHECK_EQ(tree_read(node, expected_bytes, size, offset), size);
	for (size_t i = 0; i < size; i++)
		if (got[i] != expected_bytes[i])
			test_fail(__FILE__, __LINE__,
				  "expected %#x, got %#x (byte %lld of %lld, %s, operation %u)",
				  expected_bytes[i], got[i], (long long)offset + (long long)i,
				  (long long)node->size, how, operation);
}

/* All bytes of a file; returns their CRC. */
static unsigned int check_contents(const struct tree_node *node, const char *path)
{
	unsigned int crc = 0;
	off_t offset = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	expect(fd, 0, "open", path);
	while ((n = CHECK_OK(read(fd, bytes, sizeof(bytes)))) > 0) {
		CHECK(offset + n <= node->size);
		check_bytes(bytes, node, n, offset, path);
		crc = crc32_update(crc, bytes, n);
		offset += n;
	}
	CHECK_EQ(offset, node->size);
	CHECK_OK(close(fd));
	return crc;
}

/* Everything stat says. Returns the size. */
static off_t check_stat(const struct tree_node *node, const char *path)
{
	struct stat st;

	expect(lstat(path, &st), 0, "lstat", path);
	CHECK_EQ(st.st_mode, node->mode);
	if (!S_ISDIR(node->mode))
		CHECK_EQ(st.st_size, node->size);
	if (!S_ISDIR(node->mode) || dirs_count_links)
		CHECK_EQ(st.st_nlink, node->nlink);
	return st.st_size;
}

static unsigned int check_target(const struct tree_node *node, const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	expect(n, 0, "readlink", path);
	CHECK_EQ(n, node->size);
	CHECK_EQ(memcmp(target, node->target, n), 0);
	return crc32_update(0, target, n);
}

/* Each name of a directory, each once. */
static void check_names(struct tree_node *dir, const char *path)
{
	unsigned int seen = 0, dots = 0, wanted = 0;
	struct dirent *entry;
	DIR *stream = opendir(path);

	CHECK(stream != NULL);
	while ((entry = readdir(stream))) {
		struct tree_place place = { .dir = dir };
		struct tree_node *node;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) {
			dots++;
			continue;
		}
		snprintf(place.name, sizeof(place.name), "%s", entry->d_name);
		node = tree_lookup(&place);
		if (!node)
			test_fail(__FILE__, __LINE__, "expected no name %s in %s", entry->d_name,
				  path);
		CHECK(entry->d_type == DT_UNKNOWN || entry->d_type == IFTODT(node->mode));
		seen++;
	}
	closedir(stream);
	for (struct tree_entry *e = dir->entries; e; e = e->next)
		wanted++;
	CHECK_EQ(dots, 2);
	CHECK_EQ(seen, wanted);
}

static void check_tree(struct tree_node *dir)
{
	struct tree_place place = { .dir = dir, .name = "." };
	char path[TREE_PATH_SIZE];

	tree_path(&place, path);
	check_names(dir, path);
	for (struct tree_entry *e = dir->entries; e; e = e->next) {
		unsigned int crc = 0;
		off_t size;

		memcpy(place.name, e->name, sizeof(place.name));
		tree_path(&place, path);
		size = check_stat(e->node, path);
		if (S_ISREG(e->node->mode))
			crc = check_contents(e->node, path);
		if (S_ISLNK(e->node->mode))
			crc = check_target(e->node, path);
		if (manifest)
			fprintf(manifest, "%c %o %u %lld %08x %s%s%s\n",
				S_ISREG(e->node->mode) ? 'f' :
				S_ISDIR(e->node->mode) ? 'd' :
							 'l',
				e->node->mode & 07777, e->node->nlink, (long long)size, crc, path,
				e->node->target ? " -> " : "",
				e->node->target ? e->node->target : "");
		if (S_ISDIR(e->node->mode))
			check_tree(e->node);
	}
	test_progress();
}

/* ---- random choices ---- */

/* The n-th directory at or below this one; n counts down. */
static struct tree_node *nth_dir(struct tree_node *dir, unsigned int *n)
{
	struct tree_node *found = NULL;

	if ((*n)-- == 0)
		return dir;
	for (struct tree_entry *e = dir->entries; e && !found; e = e->next)
		if (S_ISDIR(e->node->mode))
			found = nth_dir(e->node, n);
	return found;
}

static void random_name(char *name)
{
	unsigned int n = test_random_below(NR_NAMES);

	memset(name, 0, TREE_NAME_SIZE);
	memset(name, 'a' + n, test_random_below(40) ? 1 + n % 7 : 255);
}

static void random_place(struct tree_place *place, char *path)
{
	unsigned int n = test_random_below(tree_nr_dirs());

	place->dir = nth_dir(root, &n);
	CHECK(place->dir != NULL);
	random_name(place->name);
	tree_path(place, path);
}

/* Anywhere, but often near the edges of blocks, of pages, and of the levels of indirection. */
static off_t random_offset(const struct tree_node *node)
{
	static const off_t edges[] = { 12 * 1024,   (12 + 256) * 1024,	    12 * 4096,
				       1024 * 4096, (12 + 1024) * 4096 - 4, 65536 };

	switch (test_random_below(8)) {
	case 0:
		return edges[test_random_below(ARRAY_LEN(edges))] + test_random_below(9) - 4;
	case 1:
		return test_random_below(300) * 1024;
	case 2:
		return test_random_below(80) * TREE_PAGE + TREE_PAGE - test_random_below(3);
	case 3:
		return node->size;
	case 4:
		return test_random_below(300000);
	default:
		return test_random_below(node->size + 1);
	}
}

static size_t random_size(void)
{
	return test_random_below(16) ? test_random_below(6000) : test_random_below(MAX_WRITE);
}

/* ---- the operations ---- */

static void do_open(void)
{
	static const int access[] = { O_RDONLY, O_RDWR, O_RDWR, O_WRONLY | O_APPEND };
	struct open_file *file = &files[test_random_below(ARRAY_LEN(files))];
	int flags = access[test_random_below(ARRAY_LEN(access))], error = 0;
	mode_t mode = 0600 | test_random_below(0200);
	struct tree_place place;
	char path[TREE_PATH_SIZE];
	struct tree_node *node;

	if (file->node) {
		CHECK_OK(close(file->fd));
		tree_put(file->node);
		file->node = NULL;
	}
	random_place(&place, path);
	flags |= test_random_below(2) ? O_CREAT : 0;
	flags |= flags & O_CREAT && !test_random_below(4) ? O_EXCL : 0;
	flags |= (flags & O_ACCMODE) != O_RDONLY && !test_random_below(8) ? O_TRUNC : 0;
	flags |= test_random_below(8) ? 0 : O_NOFOLLOW;
	node = tree_lookup(&place);
	if (node && flags & O_EXCL)
		error = EEXIST;
	else if (node && S_ISLNK(node->mode) && flags & O_NOFOLLOW)
		error = ELOOP;
	else
		error = tree_follow(&place);
	node = tree_lookup(&place);
	if (!error && !node)
		error = flags & O_CREAT ? tree_create(&place, S_IFREG | (mode & ~022), NULL) :
					  ENOENT;
	else if (!error && S_ISDIR(node->mode) && flags & (O_CREAT | O_ACCMODE))
		error = EISDIR;
	file->fd = open(path, flags, mode);
	expect(file->fd, error, "open", path);
	if (error)
		return;
	node = tree_lookup(&place);
	if (S_ISDIR(node->mode)) {
		CHECK_OK(close(file->fd));
		return;
	}
	if (flags & O_TRUNC)
		tree_truncate(node, 0);
	file->flags = flags;
	file->node = tree_get(node);
}

/* An open file, also one that has no name any more; NULL when the choice is a free slot. */
static struct open_file *random_file(void)
{
	struct open_file *file = &files[test_random_below(ARRAY_LEN(files))];

	return file->node ? file : NULL;
}

static bool can_write(const struct open_file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

static bool can_read(const struct open_file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}

static void do_ftruncate(void)
{
	struct open_file *file = random_file();
	off_t size;

	if (!file)
		return;
	size = random_offset(file->node);
	expect(ftruncate(file->fd, size), can_write(file) ? 0 : EINVAL, "ftruncate", "");
	if (can_write(file))
		tree_truncate(file->node, size);
}

static void do_write(void)
{
	struct open_file *file = random_file();
	size_t size = random_size();
	off_t offset;
	ssize_t n;

	if (!file)
		return;
	offset = file->flags & O_APPEND ? file->node->size : random_offset(file->node);
	if (tree_nr_pages() > MAX_PAGES || offset + (off_t)size > TREE_MAX_SIZE) {
		offset = test_random_below(10000);
		if (can_write(file)) {
			CHECK_OK(ftruncate(file->fd, offset));
			tree_truncate(file->node, offset);
		}
	}
	fill_pattern(bytes, size, operation, offset);
	if (file->flags & O_APPEND || test_random_below(3) == 0) {
		CHECK_EQ(lseek(file->fd, offset, SEEK_SET), offset);
		n = write(file->fd, bytes, size);
	} else {
		n = pwrite(file->fd, bytes, size, offset);
	}
	expect(n, can_write(file) ? 0 : EBADF, "write", "");
	if (!can_write(file))
		return;
	CHECK_EQ(n, size);
	if (size)
		tree_write(file->node, bytes, size, offset);
}

static void do_read(void)
{
	struct open_file *file = random_file();
	size_t size = random_size();
	off_t offset;
	ssize_t n;

	if (!file)
		return;
	offset = random_offset(file->node);
	n = pread(file->fd, bytes, size, offset);
	expect(n, can_read(file) ? 0 : EBADF, "read", "");
	if (!can_read(file))
		return;
	CHECK_EQ(n, tree_read(file->node, expected_bytes, size, offset));
	check_bytes(bytes, file->node, n, offset, "read");
}

/*
 * Mapped from the end of the file to the end of the page there: zeros. Until the page is written
 * back or the end moves, what was stored there may still be seen, also in a new mapping: it is the
 * same page (mmap(2)).
 */
static void check_past_end(const unsigned char *p, const struct tree_node *node)
{
	for (size_t i = node->size % PAGE_SIZE; i > 0 && i < PAGE_SIZE; i++, p++)
		if (*p != 0 && !(node->tail_stored && *p == OUTSIDE))
			test_fail(
				__FILE__, __LINE__,
				"expected 0, got %#x (byte %zu of the page at the end, size %lld, "
				"operation %u)",
				*p, i, (long long)node->size, operation);
}

static void do_map(void)
{
	struct open_file *file = random_file();
	off_t offset, size;
	unsigned char *p;

	if (!file || !can_read(file) || !file->node->size)
		return;
	offset = test_random_below(file->node->size) / PAGE_SIZE * PAGE_SIZE;
	size = 1 + test_random_below(6 * PAGE_SIZE);
	size = MIN(size, file->node->size - offset);
	p = CHECK_OK(mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->fd, offset));
	check_bytes(p, file->node, size, offset, "mmap");
	if (offset + size == file->node->size)
		check_past_end(p + size, file->node);
	CHECK_OK(munmap(p, size));
}

/*
 * Through a shared mapping. What is stored past the end of the file, in its last page, never is the
 * file's; not every Linux file system keeps to that when a write makes the file longer.
 */
static void do_store(void)
{
	struct open_file *file = random_file();
	off_t offset, size, start;
	unsigned char *p;

	if (!file || !can_read(file) || !can_write(file) || !file->node->size ||
	    tree_nr_pages() > MAX_PAGES)
		return;
	offset = test_random_below(file->node->size);
	size = random_size() + 1;
	size = MIN(size, file->node->size - offset);
	start = offset / PAGE_SIZE * PAGE_SIZE;
	p = CHECK_OK(mmap(NULL, offset - start + size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd,
			  start));
	fill_pattern(p + (offset - start), size, operation, offset);
	tree_write(file->node, p + (offset - start), size, offset);
	if (on_ravel() && offset + size == file->node->size)
		for (off_t i = offset - start + size; i % PAGE_SIZE; i++) {
			p[i] = OUTSIDE;
			file->node->tail_stored = true;
		}
	if (test_random_below(4) == 0) {
		CHECK_OK(msync(p, offset - start + size, MS_SYNC));
		if (writes_back && offset + size == file->node->size)
			file->node->tail_stored = false;
	}
	CHECK_OK(munmap(p, offset - start + size));
}

static void do_fallocate(void)
{
	static const int modes[] = { 0, FALLOC_FL_KEEP_SIZE,
				     FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE };
	int mode = modes[test_random_below(ARRAY_LEN(modes))], result;
	struct open_file *file = random_file();
	off_t offset, size = 1 + test_random_below(20000);

	if (!file || !has_fallocate)
		return;
	offset = random_offset(file->node);
	if (offset + size > TREE_MAX_SIZE)
		return;
	result = fallocate(file->fd, mode, offset, size);
	if (result && errno == EOPNOTSUPP)
		return;
	expect(result, can_write(file) ? 0 : EBADF, "fallocate", "");
	if (!can_write(file))
		return;
	if (mode == 0 && offset + size > file->node->size)
		tree_truncate(file->node, offset + size);
	if (mode & FALLOC_FL_PUNCH_HOLE)
		tree_punch(file->node, offset, size);
}

static void do_truncate(void)
{
	struct tree_place place;
	char path[TREE_PATH_SIZE];
	struct tree_node *node;
	off_t size;
	int error;

	random_place(&place, path);
	error = tree_follow(&place);
	node = tree_lookup(&place);
	if (!error && (!node || S_ISDIR(node->mode)))
		error = node ? EISDIR : ENOENT;
	size = error ? 0 : random_offset(node);
	expect(truncate(path, size), error, "truncate", path);
	if (!error)
		tree_truncate(node, size);
}

static void do_unlink(void)
{
	struct tree_place place;
	char path[TREE_PATH_SIZE];

	random_place(&place, path);
	expect(unlink(path), tree_unlink(&place), "unlink", path);
}

static void do_rename(void)
{
	char path[TREE_PATH_SIZE], new_path[TREE_PATH_SIZE];
	struct tree_place from, to;
	struct tree_node *node;

	random_place(&from, path);
	random_place(&to, new_path);
	node = tree_lookup(&from);
	if (node && S_ISDIR(node->mode) && strlen(to.name) > 100)
		return; /* paths stay below their limit */
	expect(rename(path, new_path), tree_rename(&from, &to), path, new_path);
}

static void do_link(void)
{
	char path[TREE_PATH_SIZE], new_path[TREE_PATH_SIZE];
	struct tree_place from, to;

	random_place(&from, path);
	random_place(&to, new_path);
	expect(link(path, new_path), tree_link(&from, &to), path, new_path);
}

/* To a name of the same directory; long ones do not fit in an inode. */
static void do_symlink(void)
{
	char path[TREE_PATH_SIZE], target[512] = "", name[TREE_NAME_SIZE];
	struct tree_place place;
	size_t dots = test_random_below(2) ? 0 : test_random_below(100);

	random_place(&place, path);
	random_name(name);
	for (size_t i = 0; i < dots; i++)
		memcpy(target + 2 * i, "./", 3);
	memcpy(target + 2 * dots, name, strlen(name) + 1);
	expect(symlink(target, path), tree_create(&place, S_IFLNK | 0777, target), "symlink", path);
}

static void do_mkdir(void)
{
	struct tree_place place;
	char path[TREE_PATH_SIZE];
	mode_t mode = 0700 | test_random_below(0100);

	random_place(&place, path);
	if (tree_nr_dirs() >= MAX_DIRS || strlen(place.name) > 100)
		return;
	expect(mkdir(path, mode), tree_create(&place, S_IFDIR | (mode & ~022), NULL), "mkdir",
	       path);
}

static void do_rmdir(void)
{
	struct tree_place place;
	char path[TREE_PATH_SIZE];

	random_place(&place, path);
	expect(rmdir(path), tree_rmdir(&place), "rmdir", path);
}

/* Mode and times, through links. */
static void do_attributes(void)
{
	mode_t mode = 0700 | test_random_below(0100);
	struct timespec times[2] = { { .tv_sec = 1 + test_random_below(1UL << 30) },
				     { .tv_sec = 1 + test_random_below(1UL << 30) } };
	struct tree_place place;
	char path[TREE_PATH_SIZE];
	struct stat st;
	int error;

	random_place(&place, path);
	error = tree_follow(&place);
	if (!error && !tree_lookup(&place))
		error = ENOENT;
	expect(chmod(path, mode), error, "chmod", path);
	expect(utimensat(AT_FDCWD, path, times, 0), error, "utimensat", path);
	expect(stat(path, &st), error, "stat", path);
	if (error)
		return;
	tree_lookup(&place)->mode = (tree_lookup(&place)->mode & S_IFMT) | mode;
	CHECK_EQ(st.st_atim.tv_sec, times[0].tv_sec);
	CHECK_EQ(st.st_mtim.tv_sec, times[1].tv_sec);
	CHECK_EQ(st.st_mode & 07777, mode);
}

/* Files that lost their last name as well. */
static void do_fstat(void)
{
	struct open_file *file = random_file();
	struct stat st;

	if (!file)
		return;
	CHECK_OK(fstat(file->fd, &st));
	CHECK_EQ(st.st_mode, file->node->mode);
	CHECK_EQ(st.st_nlink, file->node->nlink);
	CHECK_EQ(st.st_size, file->node->size);
}

static void do_stat(void)
{
	struct tree_place place;
	char path[TREE_PATH_SIZE];
	struct tree_node *node;
	struct stat st;

	random_place(&place, path);
	node = tree_lookup(&place);
	if (!node) {
		expect(lstat(path, &st), ENOENT, "lstat", path);
		return;
	}
	check_stat(node, path);
	if (S_ISLNK(node->mode))
		check_target(node, path);
	else
		expect(readlink(path, (char *)bytes, 10), EINVAL, "readlink", path);
	if (S_ISDIR(node->mode))
		check_names(node, path);
}

static void do_sync(void)
{
	struct open_file *file = random_file();

	if (file) {
		CHECK_OK(test_random_below(2) ? fsync(file->fd) : fdatasync(file->fd));
		if (writes_back)
			file->node->tail_stored = false;
	}
	if (!on_ravel() || test_random_below(8))
		return; /* the host's disk and cache are not ours */
	sync();
	drop_caches();
}

static const struct {
	void (*run)(void);
	unsigned int weight;
} operations[] = {
	{ do_open, 16 },  { do_write, 16 },	{ do_read, 10 },    { do_map, 4 },
	{ do_stat, 8 },	  { do_ftruncate, 5 },	{ do_truncate, 5 }, { do_unlink, 7 },
	{ do_rename, 9 }, { do_fallocate, 3 },	{ do_link, 4 },	    { do_symlink, 4 },
	{ do_mkdir, 4 },  { do_attributes, 3 }, { do_rmdir, 3 },    { do_sync, 1 },
	{ do_fstat, 5 },  { do_store, 8 },
};

static void random_operation(void)
{
	unsigned int total = 0, choice, i = 0;

	for (size_t n = 0; n < ARRAY_LEN(operations); n++)
		total += operations[n].weight;
	choice = test_random_below(total);
	while (choice >= operations[i].weight)
		choice -= operations[i++].weight;
	operations[i].run();
}

/* ---- the whole ---- */

/* What this file system has; on Ravel each has all. */
static void probe(void)
{
	struct statfs fs;
	struct stat st;
	int fd = CHECK_OK(open("probe", O_RDWR | O_CREAT, 0600));

	has_fallocate = fallocate(fd, 0, 0, 1) == 0;
	if (!has_fallocate) {
		CHECK(errno == EOPNOTSUPP && !on_ravel());
		test_note("no fallocate");
	}
	CHECK_OK(close(fd));
	CHECK_OK(unlink("probe"));
	CHECK_OK(mkdir("probe", 0700));
	CHECK_OK(stat(".", &st));
	CHECK_OK(statfs(".", &fs));
	writes_back = fs.f_type != TMPFS_MAGIC;
	dirs_count_links = st.st_nlink == 3;
	CHECK(dirs_count_links || !on_ravel());
	CHECK_OK(rmdir("probe"));
}

static void close_all(void)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i].node) {
			CHECK_OK(close(files[i].fd));
			tree_put(files[i].node);
			files[i].node = NULL;
		}
}

/* The directory to work in, and for KEEP_TREE the manifest beside it. */
static void enter(const char *kept)
{
	char name[PATH_MAX];

	if (!kept) {
		test_dir();
		return;
	}
	umask(022);
	CHECK_OK(mkdir(kept, 0755));
	CHECK_OK(chdir(kept));
	snprintf(name, sizeof(name), "%s.manifest", kept);
	manifest = fopen(name, "we");
	CHECK(manifest != NULL);
}

TEST(ten_thousand_operations)
{
	const char *kept = getenv("KEEP_TREE");
	FILE *list;

	enter(kept);
	list = manifest;
	manifest = NULL;
	probe();
	root = tree_new();
	for (operation = 0; operation < OPERATIONS; operation++) {
		random_operation();
		if (operation % 64 == 0)
			test_progress();
		if (operation % 2500 == 2499)
			check_tree(root);
	}
	close_all();
	manifest = list;
	check_tree(root);
	tree_free(root);
	if (kept) {
		CHECK_EQ(fclose(manifest), 0);
		sync();
	} else {
		test_dir_leave();
	}
}
