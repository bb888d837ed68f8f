/*
 * slab.h - caches of equal objects and kmalloc() on top. mm/slab.c has the drawing.
 */
#ifndef RAVEL_MM_SLAB_H
#define RAVEL_MM_SLAB_H

#include "mm/buddy.h"

struct kmem_cache;

#define KMALLOC_MAX (PAGE_SIZE << MAX_ORDER)

/* Boot only, panics without memory. @align 0: 16. @name must stay valid. */
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
/* NULL when there is no memory. GFP_ZERO clears. Not from interrupt handlers. */
void *kmem_cache_alloc(struct kmem_cache *cache, gfp_t gfp);
void kmem_cache_free(struct kmem_cache *cache, void *obj);

/*
 * Up to KMALLOC_MAX bytes, 16-byte aligned (page-aligned from a page up); NULL: none, or too much.
 */
void *kmalloc(size_t size, gfp_t gfp);
void kfree(void *obj); /* NULL is fine */

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp | GFP_ZERO);
}

char *kstrdup(const char *s, gfp_t gfp);

struct slab_info {
	const char *name;
	unsigned long active_objs, num_objs, objsize, objperslab, pagesperslab, nr_slabs;
};

/* Fills @info for cache number @i (0..); false past the last. */
bool slab_get_info(unsigned i, struct slab_info *info);
unsigned long slab_nr_pages(void);
/* Gives back what no object is in, and what this hart keeps at hand; pages. For reclaim. */
unsigned long slab_shrink(void);
void slab_init(void);
int slab_check(void);
/* The bytes of an object like @obj, which a cache gave. */
size_t slab_object_size(const void *obj);
/*
 * Calls @fn for each object, free or in use, of the slab that begins with @page; for nothing when
 * none does. Nobody may allocate or free meanwhile.
 */
void slab_for_each(struct page *page, void (*fn)(void *obj, size_t size, const char *cache));

#endif
