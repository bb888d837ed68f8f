/*
 * slab.c - caches of equal objects, and kmalloc() on top of them.
 *
 *	kmem_cache "vm_area"
 *	  magazine[hart]: up to MAG_SIZE free objects at hand, a stack        <- alloc, free
 *	        | ^  MAG_SIZE / 2 at a time, under the cache's lock
 *	        v |
 *	  partial --> slab (2^order pages) --> slab --> ...    slabs with a free object
 *	                [obj][obj][obj][obj]
 *	                  ^     |                              free objects chained through their
 *	  page->freelist -+     +--> next free            first word; page->inuse counts the others
 *
 *	A slab without a free object is on no list and found again through its object's address.
 *	A slab without a used object goes back to the buddy at once, but for one kept per cache.
 *
 * Invariants (slab_check()): inuse + free chain = objects of the slab; every page of a slab is
 * PAGE_SLAB and names its cache; objects in magazines count as in use for their slab.
 * Locks: a cache's lock is inside every other spinlock but the buddy's. Magazines belong to their
 * hart and need none: the kernel is not preempted, and interrupt handlers do not allocate.
 * Source: Bonwick, "The Slab Allocator" (1994), and "Magazines and Vmem" (2001).
 */
#include "mm/slab.h"

#include "arch/riscv/hart.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/string.h"
#include "mm/buddy.h"
#include "mm/debug.h"

#define MAG_SIZE       16
#define MAX_CACHES     48
#define MIN_OBJS       8 /* objects that a slab should hold ... */
#define MAX_SLAB_ORDER 3 /* ... unless that takes more pages than this order */

struct magazine {
	unsigned count;
	void *obj[MAG_SIZE];
};

struct kmem_cache {
	const char *name;
	unsigned size; /* of an object, as its users have it */
	unsigned
		stride; /* from one to the next: rounded up to the alignment, with debug.h's room */
	unsigned per_slab;
	unsigned order;
	struct spinlock lock; /* guards what follows */
	struct list_head partial;
	unsigned long nr_slabs, nr_inuse, nr_empty;
	struct magazine mag[MAX_HARTS];
};

static struct kmem_cache caches[MAX_CACHES];
static unsigned nr_caches;
static long nr_slab_pages;

static const unsigned kmalloc_sizes[] = { 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048 };
static struct kmem_cache *kmalloc_cache[ARRAY_SIZE(kmalloc_sizes)];

static void **chain_next(void *obj)
{
	return (void **)obj;
}

/* The slab (its first page) that holds @obj: slabs are aligned to their size. */
static struct page *slab_of(const struct kmem_cache *cache, const void *obj)
{
	unsigned long pfn = PFN_DOWN(virt_to_phys(obj));

	return pfn_to_page(pfn & ~((1UL << cache->order) - 1));
}

struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align)
{
	struct kmem_cache *cache = &caches[nr_caches];

	if (nr_caches == MAX_CACHES)
		panic("slab: more than %d caches", MAX_CACHES);
	cache->name = name;
	cache->size = max(size, sizeof(void *));
	cache->stride = ALIGN_UP(debug_object_room(cache->size), align ? align : 16);
	while (cache->order < MAX_SLAB_ORDER &&
	       (PAGE_SIZE << cache->order) / cache->stride < MIN_OBJS)
		cache->order++;
	cache->per_slab = (PAGE_SIZE << cache->order) / cache->stride;
	BUG_ON(cache->per_slab == 0);
	spin_lock_init(&cache->lock);
	INIT_LIST_HEAD(&cache->partial);
	nr_caches++;
	return cache;
}

/* A new slab with every object on its chain; without the cache's lock, since it may reclaim. */
static struct page *slab_new(struct kmem_cache *cache, gfp_t gfp)
{
	struct page *slab = alloc_pages(cache->order, gfp & ~GFP_ZERO);
	char *base;

	if (!slab)
		return NULL;
	for (unsigned i = 0; i < (1u << cache->order); i++) {
		slab[i].type = PAGE_SLAB;
		slab[i].mapping = cache;
	}
	base = page_address(slab);
	for (unsigned i = 0; i < cache->per_slab; i++) {
		char *obj = base + i * cache->stride;

		*chain_next(obj) = i + 1 < cache->per_slab ? obj + cache->stride : NULL;
		debug_object_made(obj, cache->size);
	}
	slab->index = (unsigned long)base;
	slab->inuse = 0;
	atomic_add_long(&nr_slab_pages, 1L << cache->order);
	return slab;
}

static void slab_destroy(struct kmem_cache *cache, struct page *slab)
{
	atomic_add_long(&nr_slab_pages, -(1L << cache->order));
	free_pages(slab, cache->order);
}

/* Moves objects from partial slabs into @mag until it is half full; cache lock held. */
static void magazine_fill(struct kmem_cache *cache, struct magazine *mag)
{
	while (mag->count < MAG_SIZE / 2 && !list_empty(&cache->partial)) {
		struct page *slab = list_first_entry(&cache->partial, struct page, lru);
		void *obj = (void *)slab->index;

		slab->index = (unsigned long)*chain_next(obj);
		if (slab->inuse++ == 0)
			cache->nr_empty--;
		cache->nr_inuse++;
		mag->obj[mag->count++] = obj;
		if (slab->index == 0)
			list_del_init(&slab->lru);
	}
}

static bool magazine_refill(struct kmem_cache *cache, gfp_t gfp)
{
	struct magazine *mag = &cache->mag[this_hart()->id];
	struct page *slab;

	spin_lock(&cache->lock);
	magazine_fill(cache, mag);
	spin_unlock(&cache->lock);
	if (mag->count > 0)
		return true;
	slab = slab_new(cache, gfp);
	if (!slab)
		return false;
	mag = &cache->mag[this_hart()->id];
	spin_lock(&cache->lock);
	list_add(&slab->lru, &cache->partial);
	cache->nr_slabs++;
	cache->nr_empty++;
	magazine_fill(cache, mag);
	spin_unlock(&cache->lock);
	return true;
}

/* Puts @obj back on its slab's chain. Returns the slab when it should be destroyed. */
static struct page *slab_return(struct kmem_cache *cache, void *obj)
{
	struct page *slab = slab_of(cache, obj);

	*chain_next(obj) = (void *)slab->index;
	if (slab->index == 0)
		list_add(&slab->lru, &cache->partial);
	slab->index = (unsigned long)obj;
	cache->nr_inuse--;
	if (--slab->inuse > 0)
		return NULL;
	if (cache->nr_empty == 0) {
		cache->nr_empty++;
		return NULL;
	}
	list_del(&slab->lru);
	cache->nr_slabs--;
	return slab;
}

/* Until @mag has @keep objects. Cache lock held. */
static void magazine_empty(struct kmem_cache *cache, struct magazine *mag, unsigned keep)
{
	struct page *slab;

	while (mag->count > keep) {
		slab = slab_return(cache, mag->obj[--mag->count]);
		if (slab)
			slab_destroy(cache, slab);
	}
}

static void magazine_drain(struct kmem_cache *cache, struct magazine *mag)
{
	spin_lock(&cache->lock);
	magazine_empty(cache, mag, MAG_SIZE / 2);
	spin_unlock(&cache->lock);
}

/* The slab that is kept though it is empty goes. Cache lock held. */
static void destroy_empty(struct kmem_cache *cache)
{
	struct page *slab, *next;

	list_for_each_entry_safe(slab, next, &cache->partial, lru) {
		if (slab->inuse > 0)
			continue;
		list_del(&slab->lru);
		cache->nr_slabs--;
		cache->nr_empty--;
		slab_destroy(cache, slab);
	}
}

unsigned long slab_shrink(void)
{
	long before = READ_ONCE(nr_slab_pages);

	for (unsigned i = 0; i < nr_caches; i++) {
		struct kmem_cache *cache = &caches[i];

		spin_lock(&cache->lock);
		magazine_empty(cache, &cache->mag[this_hart()->id], 0);
		if (cache->nr_empty > 0)
			destroy_empty(cache);
		spin_unlock(&cache->lock);
	}
	return max(before - READ_ONCE(nr_slab_pages), 0L);
}

/* An object of @cache for @caller, who will use @size bytes of it; NULL: no memory. */
static inline void *object_alloc(struct kmem_cache *cache, size_t size, gfp_t gfp,
				 const void *caller)
{
	struct magazine *mag = &cache->mag[this_hart()->id];
	void *obj;

	might_alloc(gfp);
	if (unlikely(current->fail_alloc) && alloc_should_fail())
		return NULL;
	if (unlikely(mag->count == 0)) {
		if (!magazine_refill(cache, gfp))
			return NULL;
		mag = &cache->mag[this_hart()->id]; /* it may have slept, and woken elsewhere */
	}
	obj = mag->obj[--mag->count];
	debug_object_allocated(obj, size, cache->name, caller);
	if (gfp & GFP_ZERO)
		memset(obj, 0, size);
	return obj;
}

void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp)
{
	return object_alloc(cache, cache->size, gfp, __builtin_return_address(0));
}

size_t slab_object_size(const void *obj)
{
	const struct kmem_cache *cache = virt_to_page(obj)->mapping;

	return cache->size;
}

/* The page of @obj, which may be any pointer, if that is PAGE_SLAB; else NULL. */
static struct page *slab_page(const void *obj)
{
	if (!pfn_valid(PFN_DOWN(virt_to_phys(obj))) || virt_to_page(obj)->type != PAGE_SLAB)
		return NULL;
	return virt_to_page(obj);
}

/* True when @obj is the address of an object of @cache. */
static bool belongs(const struct kmem_cache *cache, const void *obj)
{
	const struct page *page = slab_page(obj);
	unsigned long offset;

	if (!page || page->mapping != cache)
		return false;
	offset = (unsigned long)obj - (unsigned long)page_address(slab_of(cache, obj));
	return offset % cache->stride == 0 && offset / cache->stride < cache->per_slab;
}

static void tell_story(const void *obj, const char *why)
{
	if (pfn_valid(PFN_DOWN(virt_to_phys(obj))))
		page_story(virt_to_page(obj), why);
}

static inline void object_free(struct kmem_cache *cache, void *obj, const void *caller)
{
	struct magazine *mag = &cache->mag[this_hart()->id];

	if (unlikely(!belongs(cache, obj))) {
		tell_story(obj, "freed as an object of another cache");
		panic("BUG: %p is no object of cache %s", obj, cache->name);
	}
	debug_object_freed(obj, cache->size, cache->name, caller);
	if (unlikely(mag->count == MAG_SIZE))
		magazine_drain(cache, mag);
	mag->obj[mag->count++] = obj;
}

void kmem_cache_free(struct kmem_cache *cache, void *obj)
{
	object_free(cache, obj, __builtin_return_address(0));
}

/* ---- kmalloc ---- */

static unsigned order_of(size_t size)
{
	unsigned order = 0;

	while (((size_t)PAGE_SIZE << order) < size)
		order++;
	return order;
}

static void *kmalloc_for(size_t size, gfp_t gfp, const void *caller)
{
	struct page *page;

	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++) {
		if (size <= kmalloc_sizes[i])
			return object_alloc(kmalloc_cache[i], size, gfp, caller);
	}
	if (size > KMALLOC_MAX)
		return NULL;
	page = alloc_pages(order_of(size), gfp);
	if (!page)
		return NULL;
	page_set_owner(page, caller);
	page->type = PAGE_SLAB; /* without a cache: a large block */
	page->mapping = NULL;
	atomic_add_long(&nr_slab_pages, 1L << page->order);
	return page_address(page);
}

void *kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc_for(size, gfp, __builtin_return_address(0));
}

void kfree(void *obj)
{
	struct page *page;

	if (!obj)
		return;
	page = slab_page(obj);
	if (page && page->mapping) {
		object_free(page->mapping, obj, __builtin_return_address(0));
		return;
	}
	if (!page || offset_in_page(obj) != 0) {
		tell_story(obj, "kfree of what kmalloc did not give");
		panic("BUG: bad kfree of %p", obj);
	}
	atomic_add_long(&nr_slab_pages, -(1L << page->order));
	free_pages(page, page->order);
}

char *kstrdup(const char *s, gfp_t gfp)
{
	size_t size = strlen(s) + 1;
	char *copy = kmalloc_for(size, gfp, __builtin_return_address(0));

	return copy ? memcpy(copy, s, size) : NULL;
}

void slab_init(void)
{
	static const char *const names[] = {
		"kmalloc-16",  "kmalloc-32",  "kmalloc-64",  "kmalloc-96",   "kmalloc-128",
		"kmalloc-192", "kmalloc-256", "kmalloc-512", "kmalloc-1024", "kmalloc-2048",
	};

	BUILD_BUG_ON(ARRAY_SIZE(names) != ARRAY_SIZE(kmalloc_sizes));
	for (unsigned i = 0; i < ARRAY_SIZE(kmalloc_sizes); i++)
		kmalloc_cache[i] = kmem_cache_create(names[i], kmalloc_sizes[i], 16);
}

/* ---- looking and checking ---- */

unsigned long slab_nr_pages(void)
{
	return READ_ONCE(nr_slab_pages);
}

static unsigned long in_magazines(const struct kmem_cache *cache)
{
	unsigned long n = 0;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		n += READ_ONCE(cache->mag[i].count);
	return n;
}

bool slab_get_info(unsigned i, struct slab_info *info)
{
	struct kmem_cache *cache = &caches[i];

	if (i >= nr_caches)
		return false;
	spin_lock(&cache->lock);
	*info = (struct slab_info){
		.name = cache->name,
		.active_objs = cache->nr_inuse - in_magazines(cache),
		.num_objs = cache->nr_slabs * cache->per_slab,
		.objsize = cache->stride,
		.objperslab = cache->per_slab,
		.pagesperslab = 1UL << cache->order,
		.nr_slabs = cache->nr_slabs,
	};
	spin_unlock(&cache->lock);
	return true;
}

void slab_for_each(struct page *page, void (*fn)(void *obj, size_t size, const char *cache))
{
	const struct kmem_cache *cache = page->mapping;

	if (page->type != PAGE_SLAB || !cache || slab_of(cache, page_address(page)) != page)
		return;
	for (unsigned i = 0; i < cache->per_slab; i++)
		fn((char *)page_address(page) + i * cache->stride, cache->size, cache->name);
}

static int check_partial_slab(const struct kmem_cache *cache, struct page *slab)
{
	unsigned free = 0;

	for (void *obj = (void *)slab->index; obj; obj = *chain_next(obj)) {
		if (!belongs(cache, obj) || ++free > cache->per_slab) {
			page_story(slab, "free chain of a slab is corrupt");
			return 1;
		}
	}
	if (free + slab->inuse != cache->per_slab || free == 0) {
		page_story(slab, "objects of a slab do not add up");
		return 1;
	}
	return 0;
}

/* Every other hart is paused. 0, or the number of faults, each printed. */
int slab_check(void)
{
	int faults = 0;

	for (unsigned i = 0; i < nr_caches; i++) {
		struct page *slab;

		list_for_each_entry(slab, &caches[i].partial, lru)
			faults += check_partial_slab(&caches[i], slab);
		if (caches[i].nr_inuse > caches[i].nr_slabs * caches[i].per_slab) {
			printk("slab: %s: more objects in use than there are\n", caches[i].name);
			faults++;
		}
	}
	return faults;
}
