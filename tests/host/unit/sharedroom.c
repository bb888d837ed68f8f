/*
 * sharedroom.c - a write through a shared mapping to a disk that must find a place for it.
 */
#include "tests/host/unit/space.h"

#define FAR 0x70000000UL /* an address with a page table of its own */

static struct file *file;
static struct address_space *as;
static struct address_space_ops ops;
static struct mm *mm;

/* ---- a file system that keeps count ---- */

static unsigned nr_maps, last_to, nr_rooms;
static int map_error, room_error;
static unsigned map_failures; /* so often, then there is room */
static bool map_whole;

static int map_place(struct address_space *mapping, struct page *page, unsigned to)
{
	CHECK(mapping == as);
	CHECK(page_flags(page) & PG_LOCKED);
	CHECK(page_flags(page) & PG_UPTODATE);
	nr_maps++;
	last_to = to;
	if (map_failures > 0) {
		map_failures--;
		return map_error;
	}
	if (map_whole)
		page_set_flags(page, PG_MAPPED);
	return 0;
}

/* Nothing may be locked here: who waits with one thread would wait for ever. */
static int free_room(struct address_space *mapping)
{
	struct page *page = find_get_page(mapping, 0);

	CHECK(mapping == as);
	down_write(&mm->mmap_lock);
	up_write(&mm->mmap_lock);
	lock_page(page);
	unlock_page(page);
	page_put(page);
	nr_rooms++;
	return room_error;
}

static void start(u64 bytes)
{
	file = host_file(FILE_DISK, bytes);
	as = host_file_mapping(file);
	ops = *as->ops;
	ops.map_locked_page = map_place;
	ops.make_room = free_room;
	as->ops = &ops;
	mm = space_new();
}

static void finish(void)
{
	machine_check();
	space_end(mm);
	CHECK_EQ(host_file_refs(file), 1);
	file_put(file);
}

static unsigned long map_shared(unsigned n, u32 prot)
{
	long addr = vm_mmap(mm, file, 0, n * PAGE_SIZE, prot, MAP_SHARED, 0);

	CHECK(addr > 0);
	return addr;
}

/* ---- no room ---- */

TEST(a_full_disk_is_SIGBUS_and_no_PTE_has_changed)
{
	unsigned long a, before;

	start(PAGE_SIZE);
	a = map_shared(1, RW);
	map_error = -ENOSPC;
	map_failures = 2;
	CHECK_EQ(user_put(a, 1), FAULT_SIGBUS);
	CHECK_EQ(pte_at(mm, a), 0);
	CHECK_EQ(user_byte(a), pattern_of(file, 0));
	before = pte_at(mm, a);
	CHECK_EQ(user_put(a, 1), FAULT_SIGBUS);
	CHECK_EQ(pte_at(mm, a), before);
	CHECK_EQ(user_byte(a), pattern_of(file, 0));
	CHECK_EQ(nr_rooms, 0);
	/* A block that it got all the same must not keep what the disk held. */
	CHECK_EQ(filemap_nr_dirty(), 1);
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_EQ(nr_maps, 3);
	finish();
}

TEST(room_is_made_without_locks_and_then_once_more)
{
	unsigned long a;

	start(PAGE_SIZE);
	a = map_shared(1, RW);
	map_error = -EAGAIN;
	map_failures = 1;
	CHECK_EQ(user_put(a, 77), FAULT_OK);
	CHECK_EQ(nr_rooms, 1);
	CHECK_EQ(nr_maps, 2);
	CHECK_EQ(user_byte(a), 77);
	finish();
}

TEST(room_is_made_only_once)
{
	unsigned long a;

	start(PAGE_SIZE);
	a = map_shared(1, RW);
	map_error = -EAGAIN;
	map_failures = 2;
	CHECK_EQ(user_put(a, 77), FAULT_SIGBUS);
	CHECK_EQ(nr_rooms, 1);
	CHECK_EQ(nr_maps, 2);
	CHECK_EQ(pte_at(mm, a), 0);
	finish();
}

TEST(failing_to_make_room_ends_the_fault)
{
	unsigned long a;

	start(PAGE_SIZE);
	a = map_shared(1, RW);
	map_error = -EAGAIN;
	map_failures = 2;
	room_error = -EIO;
	CHECK_EQ(user_put(a, 77), FAULT_SIGBUS);
	room_error = -EINTR;
	CHECK_EQ(user_put(a, 77), FAULT_KILLED);
	CHECK_EQ(nr_rooms, 2);
	CHECK_EQ(nr_maps, 2);
	finish();
}

/* ---- what is asked for ---- */

TEST(a_page_with_a_place_is_not_asked_for_again)
{
	unsigned long a;

	start(PAGE_SIZE);
	a = map_shared(1, RW);
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_EQ(filemap_write_all(as), 0);
	map_whole = true;
	CHECK_EQ(user_put(a, 2), FAULT_OK);
	CHECK_EQ(nr_maps, 2);
	CHECK_EQ(filemap_write_all(as), 0);
	CHECK_EQ(user_put(a, 3), FAULT_OK);
	CHECK_EQ(nr_maps, 2);
	CHECK_EQ(filemap_nr_dirty(), 1);
	finish();
}

TEST(only_what_lies_in_the_file_has_a_place_and_growing_takes_W_away)
{
	unsigned long a, b;

	start(PAGE_SIZE + 100);
	a = map_shared(2, RW);
	/* Another mapping of it, without a page table. */
	CHECK_EQ(vm_mmap(mm, file, FAR, 2 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, 0), FAR);
	b = a + PAGE_SIZE;
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_EQ(last_to, PAGE_SIZE);
	CHECK_EQ(user_put(b, 1), FAULT_OK);
	CHECK_EQ(last_to, 100);
	CHECK(pte_at(mm, b) & PTE_W);
	filemap_grow(as, PAGE_SIZE + 1000);
	CHECK(!(pte_at(mm, b) & PTE_W));
	CHECK(pte_at(mm, a) & PTE_W);
	CHECK_EQ(user_put(b + 900, 2), FAULT_OK);
	CHECK_EQ(last_to, 1000);
	CHECK_EQ(nr_maps, 3);
	CHECK_EQ(user_put(b + 901, 2), FAULT_OK);
	CHECK_EQ(nr_maps, 3);
	finish();
}

TEST(growing_a_file_whose_last_page_is_not_there)
{
	unsigned long a;

	start(100);
	a = map_shared(1, RW);
	filemap_grow(as, 200);
	CHECK(!find_get_page(as, 0));
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_EQ(last_to, 200);
	finish();
}

/* ---- others, meanwhile ---- */

/* In the @at_window-th window: the file is cut off, or grows. */
static unsigned window_nr, at_window;
static bool was_locked;

static bool is_locked(unsigned long index)
{
	struct page *page = find_get_page(as, index);
	bool locked = page && (page_flags(page) & PG_LOCKED);

	if (page)
		page_put(page);
	return locked;
}

static void truncate_meanwhile(bool locked)
{
	if (!locked && !is_locked(0) && ++window_nr == at_window)
		filemap_truncate(as, 0);
}

TEST(the_page_goes_from_the_file_before_it_is_locked)
{
	unsigned hits = 0;

	start(PAGE_SIZE);
	for (at_window = 1;; at_window++) {
		unsigned long a = map_shared(1, RW);
		enum fault_result res;

		CHECK(user_byte(a) >= 0);
		window_nr = 0;
		counters_start();
		machine_meanwhile = truncate_meanwhile;
		res = user_put(a, 1);
		machine_meanwhile = NULL;
		CHECK_EQ(vm_munmap(mm, a, PAGE_SIZE), 0);
		if (window_nr < at_window) {
			CHECK_EQ(res, FAULT_OK);
			break;
		}
		if (res == FAULT_SIGBUS) {
			CHECK_EQ(filemap_nr_dirty(), 0);
			hits++;
		}
		filemap_truncate(as, PAGE_SIZE);
	}
	CHECK(hits >= 2);
	finish();
}

static void grow_meanwhile(bool locked)
{
	if (locked || was_locked || !is_locked(0) || nr_maps == 0)
		return;
	was_locked = true;
	filemap_grow(as, 300);
}

TEST(the_file_grows_between_the_place_and_the_PTE)
{
	unsigned long a;

	start(100);
	a = map_shared(1, RW);
	CHECK_EQ(user_byte(a), pattern_of(file, 0));
	machine_meanwhile = grow_meanwhile;
	CHECK_EQ(user_put(a + 200, 5), FAULT_OK);
	machine_meanwhile = NULL;
	CHECK(was_locked);
	CHECK_EQ(nr_maps, 2);
	CHECK_EQ(last_to, 300);
	CHECK_EQ(user_byte(a + 200), 5);
	finish();
}

/* ---- and the rest of shared mappings ---- */

TEST(what_is_written_may_be_code)
{
	unsigned long w, x;
	u64 bytes;

	start(PAGE_SIZE);
	w = map_shared(1, RW);
	x = map_shared(1, RX);
	CHECK_EQ(user_fetch(x, &bytes), FAULT_OK);
	CHECK(page_flags(page_at(mm, x)) & PG_ICACHE_CLEAN);
	CHECK_EQ(user_put(w, 1), FAULT_OK);
	CHECK(!(page_flags(page_at(mm, w)) & PG_ICACHE_CLEAN));
	finish();
}

TEST(memory_gets_W_back_at_the_next_write_and_may_be_code)
{
	unsigned long a;
	u64 bytes;

	start(PAGE_SIZE);
	a = vm_mmap(mm, NULL, 0, PAGE_SIZE, RO, MAP_SHARED | MAP_ANONYMOUS, 0);
	CHECK_EQ(user_byte(a), 0);
	CHECK_EQ(user_put(a, 1), FAULT_SEGV_ACCERR);
	CHECK_EQ(vm_mprotect(mm, a, PAGE_SIZE, RWX), 0);
	CHECK(!(pte_at(mm, a) & PTE_W));
	counters_start();
	CHECK_EQ(user_put(a, 1), FAULT_OK);
	CHECK_ONE_FAULT(VM_fault_shared_write);
	CHECK(page_flags(page_at(mm, a)) & PG_ICACHE_CLEAN);
	CHECK_EQ(user_fetch(a, &bytes), FAULT_OK);
	CHECK_EQ(bytes & 0xff, 1);
	CHECK_EQ(filemap_nr_dirty(), 0);
	finish();
}

TEST(who_dirties_too_much_through_a_mapping_waits)
{
	unsigned long a;

	start(8 * PAGE_SIZE);
	a = map_shared(8, RW);
	dirty_background = 2;
	dirty_limit = 4;
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(user_put(a + i * PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(filemap_nr_dirty(), 3); /* above the first limit: only the flusher is woken */
	CHECK_EQ(user_put(a + 3 * PAGE_SIZE, 1), FAULT_OK);
	CHECK_EQ(host_file_disk(file, 2)[0], 1);
	/* The last write's W was taken before the program came to it: it was noticed again. */
	CHECK_EQ(filemap_nr_dirty(), 1);
	CHECK_EQ(user_byte(a + 3 * PAGE_SIZE), 1);
	finish();
}

TEST(shared_memory_that_cannot_be)
{
	unsigned long huge = (nr_managed_pages() + 1) * PAGE_SIZE;
	u32 shared = MAP_SHARED | MAP_ANONYMOUS;
	long a;

	start(PAGE_SIZE);
	CHECK_EQ(vm_mmap(mm, NULL, 0, PAGE_SIZE, RW, shared | MAP_GROWSDOWN, 0), -EINVAL);
	CHECK_EQ(vm_mmap(mm, NULL, 0, huge, RW, shared, 0), -ENOMEM);
	a = vm_mmap(mm, NULL, 0, huge, RW, shared | MAP_NORESERVE, 0);
	CHECK(a > 0);
	CHECK_EQ(vm_munmap(mm, a, huge), 0);
	finish();
}
