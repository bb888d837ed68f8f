/*
 * slab.c - caches of equal objects, and kmalloc() (mm/slab.c).
 *
 *	magazine[hart]  [o o o o o o o o . . . . . . . .]   16 places, filled and emptied by 8
 *	      ^ |
 *	      | v
 *	slabs           [ooooo..][......][ooooooo]
 */
#include "mm/slab.h"

#include <sanitizer/asan_interface.h>

#include "kernel/task.h"
#include "lib/string.h"
#include "tests/host/unit/space.h"

/* The state of cache @name. */
static struct slab_info info_of(const char *name)
{
	struct slab_info info;

	for (unsigned i = 0; slab_get_info(i, &info); i++) {
		if (strcmp(info.name, name) == 0)
			return info;
	}
	CHECK(!"there is such a cache");
	return info;
}

/* ---- sizes ---- */

TEST(kmalloc_takes_the_smallest_size_that_fits)
{
	static const struct {
		size_t asked, got;
	} row[] = {
		{ 0, 16 },     { 1, 16 },      { 16, 16 },     { 17, 32 },   { 33, 64 },
		{ 65, 96 },    { 97, 128 },    { 129, 192 },   { 193, 256 }, { 257, 512 },
		{ 513, 1024 }, { 1025, 2048 }, { 2048, 2048 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(row); i++) {
		char *obj = kmalloc(row[i].asked, GFP_KERNEL);

		CHECK_EQ(slab_object_size(obj), row[i].got);
		CHECK_EQ((unsigned long)obj % 16, 0);
		kfree(obj);
	}
}

TEST(above_that_whole_blocks_of_pages)
{
	unsigned long before = slab_nr_pages();
	char *one = kmalloc(2049, GFP_KERNEL), *four = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	char *most = kmalloc(KMALLOC_MAX, GFP_KERNEL);

	CHECK_EQ(offset_in_page(one) + offset_in_page(four), 0);
	CHECK_EQ(slab_nr_pages() - before, 1 + 4 + (1UL << MAX_ORDER));
	CHECK(most != NULL);
	CHECK(kmalloc(KMALLOC_MAX + 1, GFP_KERNEL) == NULL);
	CHECK(kmalloc(~0UL, GFP_KERNEL) == NULL);
	memset(four, 1, 3 * PAGE_SIZE);
	kfree(one);
	kfree(four);
	kfree(most);
	CHECK_EQ(slab_nr_pages(), before);
}

TEST(objects_do_not_overlap)
{
	static u8 *obj[200];

	for (unsigned i = 0; i < 200; i++) {
		obj[i] = kmalloc(96, GFP_KERNEL);
		memset(obj[i], i, 96);
	}
	for (unsigned i = 0; i < 200; i++) {
		for (unsigned b = 0; b < 96; b++)
			CHECK_EQ(obj[i][b], i);
		kfree(obj[i]);
	}
}

TEST(memory_can_be_had_cleared)
{
	u8 *obj = kmalloc(100, GFP_KERNEL);

	memset(obj, 0xee, 100);
	kfree(obj);
	obj = kzalloc(100, GFP_KERNEL);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(obj[i], 0);
	kfree(obj);
	obj = kzalloc(3 * PAGE_SIZE, GFP_KERNEL);
	CHECK_EQ(obj[0] | obj[3 * PAGE_SIZE - 1], 0);
	kfree(obj);
}

TEST(strings_are_copied_with_their_end)
{
	char *copy = kstrdup("a dozen more", GFP_KERNEL);

	CHECK_STRING(copy, "a dozen more");
	CHECK(__asan_address_is_poisoned(copy + 13));
	kfree(copy);
	current->fail_alloc = 1;
	CHECK(kstrdup("a dozen more", GFP_KERNEL) == NULL);
}

TEST(kfree_of_nothing_is_fine)
{
	kfree(NULL);
}

/* ---- red zones: AddressSanitizer's, for just the bytes that were asked for ---- */

TEST(what_was_not_asked_for_cannot_be_touched)
{
	char *obj = kmalloc(100, GFP_KERNEL);

	CHECK(!__asan_region_is_poisoned(obj, 100));
	CHECK(__asan_address_is_poisoned(obj + 100));
	kfree(obj);
	CHECK(__asan_address_is_poisoned(obj + 8));
	CHECK(__asan_address_is_poisoned(obj + 99));
}

TEST(neighbours_are_a_red_zone_apart)
{
	struct kmem_cache *cache = kmem_cache_create("test", 64, 0);
	char *a = kmem_cache_alloc(cache, GFP_KERNEL), *b = kmem_cache_alloc(cache, GFP_KERNEL);

	CHECK(!__asan_region_is_poisoned(a, 64) && !__asan_region_is_poisoned(b, 64));
	CHECK(__asan_address_is_poisoned(a + 64) && __asan_address_is_poisoned(b + 64));
	kmem_cache_free(cache, a);
	kmem_cache_free(cache, b);
}

/* ---- caches ---- */

TEST(a_cache_keeps_its_alignment_and_eight_objects_in_a_slab)
{
	struct kmem_cache *cache = kmem_cache_create("test", 500, 256);
	void *obj = kmem_cache_alloc(cache, GFP_KERNEL);
	struct slab_info info = info_of("test");

	CHECK_EQ((unsigned long)obj % 256, 0);
	CHECK_EQ(info.objsize, 768);   /* with its red zone */
	CHECK_EQ(info.objperslab, 10); /* of one page there were five */
	CHECK_EQ(info.pagesperslab, 2);
	CHECK_EQ(info.nr_slabs, 1);
	CHECK_EQ(info.num_objs, 10);
	CHECK_EQ(info.active_objs, 1);
	kmem_cache_free(cache, obj);
	CHECK_EQ(info_of("test").active_objs, 0);
}

TEST(tiny_objects_have_room_for_the_chain)
{
	struct kmem_cache *cache = kmem_cache_create("test", 1, 0);
	void *obj = kmem_cache_alloc(cache, GFP_KERNEL);

	CHECK_EQ(slab_object_size(obj), sizeof(void *));
	kmem_cache_free(cache, obj);
}

TEST(an_empty_slab_goes_back_but_for_one)
{
	enum { N = 64 };
	struct kmem_cache *cache = kmem_cache_create("test", 2000, 0);
	unsigned long before = slab_nr_pages();
	struct slab_info info;
	void *obj[N];

	for (unsigned i = 0; i < N; i++)
		obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	info = info_of("test");
	CHECK_EQ(info.active_objs, N);
	CHECK_EQ(slab_nr_pages() - before, info.nr_slabs * info.pagesperslab);
	CHECK_EQ(info.nr_slabs, DIV_ROUND_UP(N, info.objperslab));
	for (unsigned i = 0; i < N; i++)
		kmem_cache_free(cache, obj[i]);
	info = info_of("test");
	CHECK_EQ(info.active_objs, 0);
	/* What is in the magazine holds two slabs; of the empty ones one is kept. */
	CHECK_EQ(info.nr_slabs, 3);
	CHECK_EQ(slab_nr_pages() - before, info.nr_slabs * info.pagesperslab);
	CHECK_EQ(slab_check(), 0);
}

TEST(a_magazine_gives_half_back_when_it_is_full)
{
	struct kmem_cache *cache = kmem_cache_create("test", 64, 0);
	void *obj[17], *mine[15], *last;

	for (unsigned i = 0; i < 17; i++)
		obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	machine_run_on(1); /* its magazine is empty */
	for (unsigned i = 0; i < 17; i++)
		kmem_cache_free(cache, obj[i]);
	last = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK(last == obj[16]); /* a stack */
	kmem_cache_free(cache, last);
	CHECK_EQ(info_of("test").active_objs, 0);
	CHECK_EQ(slab_check(), 0);
	/* Hart 0 still has seven of its own; then it gets the eight that hart 1 gave back. */
	machine_run_on(0);
	for (unsigned i = 0; i < 15; i++) {
		bool came_back = false;

		mine[i] = kmem_cache_alloc(cache, GFP_KERNEL);
		for (unsigned j = 8; j < 16; j++)
			came_back |= mine[i] == obj[j];
		CHECK_EQ(came_back, i >= 7);
	}
	for (unsigned i = 0; i < 15; i++)
		kmem_cache_free(cache, mine[i]);
}

TEST(a_full_slab_comes_back_to_the_list_with_its_first_free_object)
{
	struct kmem_cache *cache = kmem_cache_create("test", 400, 0);
	unsigned n = info_of("test").objperslab * 4;
	void *obj[200];

	for (unsigned i = 0; i < n; i++)
		obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK_EQ(slab_check(), 0);
	for (unsigned i = 0; i < n; i += 2)
		kmem_cache_free(cache, obj[i]);
	CHECK_EQ(slab_check(), 0);
	for (unsigned i = 0; i < n; i += 2)
		obj[i] = kmem_cache_alloc(cache, GFP_KERNEL);
	CHECK_EQ(info_of("test").nr_slabs, 4 + 0);
	for (unsigned i = 0; i < n; i++)
		kmem_cache_free(cache, obj[i]);
}

TEST(without_memory_there_is_none)
{
	struct kmem_cache *cache = kmem_cache_create("test", 64, 0);

	current->fail_alloc = 1; /* the object */
	CHECK(kmem_cache_alloc(cache, GFP_KERNEL) == NULL);
	current->fail_alloc = 2; /* the slab for it */
	CHECK(kmem_cache_alloc(cache, GFP_KERNEL) == NULL);
	CHECK_EQ(current->fail_alloc, 0);
	CHECK_EQ(info_of("test").nr_slabs, 0);
	current->fail_alloc = 1;
	CHECK(kmalloc(10000, GFP_KERNEL) == NULL);
	CHECK_EQ(slab_check(), 0);
}

/* ---- misuse ---- */

static struct kmem_cache *cache_a, *cache_b;
static char *object;

static void make_caches(void)
{
	cache_a = kmem_cache_create("a", 64, 0);
	cache_b = kmem_cache_create("b", 64, 0);
	object = kmem_cache_alloc(cache_a, GFP_KERNEL);
}

TEST(an_object_goes_back_to_its_cache)
{
	make_caches();
	CHECK_PANIC(kmem_cache_free(cache_b, object), "no object of cache b");
	kmem_cache_free(cache_a, object);
}

TEST(from_its_beginning)
{
	make_caches();
	CHECK_PANIC(kmem_cache_free(cache_a, object + 8), "no object of cache a");
	CHECK_PANIC(kfree(object + 8), "no object of cache a");
	kfree(object); /* kfree finds the cache */
}

/* Behind the last object of a slab there is room for a part of one more. */
TEST(the_rest_of_a_slab_is_no_object)
{
	static struct slab_info info;

	make_caches();
	info = info_of("a");
	CHECK(info.objsize * info.objperslab < PAGE_SIZE);
	CHECK_PANIC(kmem_cache_free(cache_a, (char *)page_address(virt_to_page(object)) +
						     info.objsize * info.objperslab),
		    "no object of cache a");
	kmem_cache_free(cache_a, object);
}

TEST(once)
{
	make_caches();
	kmem_cache_free(cache_a, object);
	CHECK_PANIC(kmem_cache_free(cache_a, object), "double free of an object of a");
}

TEST(what_is_no_memory_at_all_is_told_as_such)
{
	static char elsewhere[64];

	make_caches();
	CHECK_PANIC(kmem_cache_free(cache_a, elsewhere), "no object of cache a");
	CHECK_PANIC(kfree(elsewhere), "bad kfree");
	kmem_cache_free(cache_a, object);
}

TEST(kfree_takes_only_what_kmalloc_gave)
{
	struct page *page = alloc_pages(1, GFP_KERNEL);
	struct file *file = host_file(FILE_DISK, PAGE_SIZE);
	struct mm *mm = space_new();
	unsigned long addr = map_anon(mm, 1, RW);

	object = page_address(page);
	CHECK_PANIC(kfree(object), "bad kfree");
	free_pages(page, 1);
	CHECK_PANIC(kfree(object), "bad kfree");
	object = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	CHECK_PANIC(kfree(object + 16), "bad kfree");
	CHECK_PANIC(kfree(object + PAGE_SIZE), "bad kfree");
	kfree(object);
	/* Pages whose owner is no cache: user memory, and a file's. */
	CHECK_EQ(user_put(addr, 1), FAULT_OK);
	object = page_address(page_at(mm, addr));
	CHECK_PANIC(kfree(object), "bad kfree");
	page = read_mapping_page(host_file_mapping(file), 0);
	object = page_address(page);
	CHECK_PANIC(kfree(object), "bad kfree");
	page_put(page);
	space_end(mm);
	file_put(file);
}

TEST(there_is_an_end_to_caches)
{
	struct slab_info info;
	unsigned n = 0;

	while (slab_get_info(n, &info))
		n++;
	for (; n < 48; n++)
		kmem_cache_create("more", 32, 0);
	CHECK_PANIC(kmem_cache_create("too many", 32, 0), "more than 48 caches");
}

TEST(an_object_larger_than_a_slab_cannot_be_cached)
{
	CHECK_PANIC(kmem_cache_create("huge", 9 * PAGE_SIZE, 0), "per_slab");
}
