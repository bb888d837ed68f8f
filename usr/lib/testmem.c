/*
 * testmem.c - the memory check of the test harness.
 *
 *	/proc/meminfo    Committed_AS                                      equal
 *	                 MemFree + Buffers + Cached + Slab + KernelStack   equal
 *	                 PageTables                    equal, but for those that reclaim has taken
 *	/proc/slabinfo   active objects of the caches below      equal
 *	/proc/sys/vm/check_all   write "1": vm_check_all(), EIO when an invariant is broken
 *
 * What went to a cache is not lost: pages of files and of the disk's metadata are in Buffers and
 * Cached, inodes, names and radix nodes in Slab. Their objects come and go with what was looked
 * at, so their caches are not compared.
 *
 * A page table without an entry goes when memory is short, of whichever process, and comes back
 * when it is needed. So there may be fewer by those that reclaim has taken since the snapshot, and
 * more by those that it has taken since the start; the memory beside them is more or less by just
 * as much. That no table is lost is vm_check_all()'s to see.
 *
 * With a swap area in use the memory of others goes and comes, and their page tables with it, so
 * sums say nothing: that each frame of a process and each slot has an owner is vm_check_all()'s to
 * see, and what scripts/pressure.py compares before and after.
 *
 * What the machine was at rest is kept for the next TEST: what was printed meanwhile may be in a
 * pipe, with a page of its own, until runtests has read it.
 *
 * Invariant: the snapshot that counts is taken without allocating user memory: its static buffers
 * have been touched by the one before it.  Locks: none.
 */
#include "usr/lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "usr/lib/testmem.h"
#include "usr/lib/testutil.h"

#define SETTLE_NS 2000000000ULL

static const char *const cache_names[] = {
	"vm_area", "mm", "task", "file", "pipe", "files", "anon_root",
};

#define NR_CACHES ARRAY_LEN(cache_names)

struct snapshot {
	long long memory_kb;
	long long page_tables_kb, committed_kb;
	long long objects[NR_CACHES];
	long long tables_taken_kb; /* by reclaim, since the start; not compared */
};

static struct snapshot before, at_rest;
static char text[16384];

/* Active objects of a cache: the first number of its line in /proc/slabinfo; -1: no such cache. */
static long long active_objects(const char *name)
{
	return text_number(text, name);
}

static void take_snapshot(struct snapshot *now)
{
	static const char *const parts[] = { "MemFree", "Buffers", "Cached", "Slab",
					     "KernelStack" };

	memset(now, 0, sizeof(*now));
	if (read_text("/proc/meminfo", text, sizeof(text)) > 0) {
		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			long long kb = text_number(text, parts[i]);

			now->memory_kb += kb > 0 ? kb : 0;
		}
		now->page_tables_kb = text_number(text, "PageTables");
		if (text_number(text, "SwapTotal") > 0)
			now->memory_kb = now->page_tables_kb = 0;
		now->committed_kb = text_number(text, "Committed_AS");
	}
	if (read_text("/proc/slabinfo", text, sizeof(text)) > 0)
		for (size_t i = 0; i < NR_CACHES; i++)
			now->objects[i] = active_objects(cache_names[i]);
	now->tables_taken_kb = vmstat("pgtable_reclaimed") * (long long)PAGE_SIZE / 1024;
}

static bool is_equal(const struct snapshot *was, const struct snapshot *now)
{
	long long tables = now->page_tables_kb - was->page_tables_kb;

	return tables <= now->tables_taken_kb &&
	       -tables <= now->tables_taken_kb - was->tables_taken_kb &&
	       was->memory_kb == now->memory_kb + tables &&
	       was->committed_kb == now->committed_kb &&
	       !memcmp(was->objects, now->objects, sizeof(now->objects));
}

/* Wait until the machine looks as it was. The last snapshot is left in now. */
static bool settle(const struct snapshot *was, struct snapshot *now)
{
	uint64_t end = test_now() + SETTLE_NS;
	unsigned int pause = 1;

	for (;;) {
		take_snapshot(now);
		if (is_equal(was, now))
			return true;
		if (test_now() > end)
			return false;
		test_pause(pause);
		if (pause < 64)
			pause *= 2;
	}
}

static bool check_invariants(void)
{
	int fd = open("/proc/sys/vm/check_all", O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0) {
		test_note("/proc/sys/vm/check_all: errno %d %s", errno, strerrorname_np(errno));
		return false;
	}
	ok = write(fd, "1", 1) == 1;
	if (!ok)
		test_note("vm_check_all() found a broken invariant: errno %d %s", errno,
			  strerrorname_np(errno));
	close(fd);
	return ok;
}

void testmem_before(void)
{
	if (!on_ravel())
		return;
	/*
	 * The first touches, and in a forked child copies, the pages of the buffers: these would
	 * count as lost.
	 */
	take_snapshot(&before);
	take_snapshot(&before);
}

bool testmem_settle(void)
{
	return !on_ravel() || settle(&before, &at_rest);
}

void testmem_rest(void)
{
	struct snapshot now;

	if (on_ravel())
		settle(&at_rest, &now);
}

bool testmem_after(void)
{
	struct snapshot now;
	bool settled;

	if (!on_ravel())
		return true;
	settled = settle(&before, &now);
	at_rest = now;
	if (settled)
		return check_invariants();
	if (before.memory_kb != now.memory_kb)
		test_note("memory: free, cached, Slab and KernelStack: expected %lld kB, got %lld "
			  "kB",
			  before.memory_kb, now.memory_kb);
	if (before.page_tables_kb != now.page_tables_kb)
		test_note("memory: PageTables: expected %lld kB, got %lld kB",
			  before.page_tables_kb, now.page_tables_kb);
	if (before.committed_kb != now.committed_kb)
		test_note("memory: Committed_AS: expected %lld kB, got %lld kB",
			  before.committed_kb, now.committed_kb);
	for (size_t i = 0; i < NR_CACHES; i++)
		if (before.objects[i] != now.objects[i])
			test_note("memory: active objects of %s: expected %lld, got %lld",
				  cache_names[i], before.objects[i], now.objects[i]);
	check_invariants();
	return false;
}
