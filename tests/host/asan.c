/*
 * asan.c - the hooks of the debug kernel (mm/debug.h) as AddressSanitizer does them.
 *
 *	frame   free: no byte of it may be touched, and no TLB may lead to it
 *	object  free: only the first word, which chains it, may be touched; behind it a red zone
 */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include "kernel/lock.h"
#include "kernel/panic.h"
#include "mm/debug.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "tests/host/host.h"

#define RED_ZONE   16
#define CHAIN_WORD sizeof(void *)
#define MANY_AREAS 1000

void host_symbol(unsigned long pc, char *buf, size_t size)
{
	__sanitizer_symbolize_pc((void *)pc, "%f %s:%l", buf, size);
}

void debug_pages_allocated(struct page *page, unsigned order)
{
	ASAN_UNPOISON_MEMORY_REGION(page_address(page), (size_t)PAGE_SIZE << order);
}

void debug_pages_freed(struct page *page, unsigned order)
{
	mmu_frames_freed(page_to_pfn(page), 1UL << order);
	vmap_frames_freed(page_to_pfn(page), 1UL << order);
	ASAN_POISON_MEMORY_REGION(page_address(page), (size_t)PAGE_SIZE << order);
}

size_t debug_object_room(size_t size)
{
	return size + RED_ZONE;
}

/* In use? The last byte of the red zone says it, which only these functions may touch. */
static __attribute__((no_sanitize_address)) void set_in_use(void *obj, size_t size, bool in_use)
{
	((bool *)obj)[debug_object_room(size) - 1] = in_use;
}

static __attribute__((no_sanitize_address)) bool is_in_use(const void *obj, size_t size)
{
	return ((const bool *)obj)[debug_object_room(size) - 1];
}

void debug_object_made(void *obj, size_t size)
{
	set_in_use(obj, size, false);
	ASAN_UNPOISON_MEMORY_REGION(obj, CHAIN_WORD);
	ASAN_POISON_MEMORY_REGION((char *)obj + CHAIN_WORD, debug_object_room(size) - CHAIN_WORD);
}

void debug_object_allocated(void *obj, size_t size, const char *cache, const void *caller)
{
	(void)caller;
	if (is_in_use(obj, slab_object_size(obj)))
		panic("second allocation of an object of %s", cache);
	set_in_use(obj, slab_object_size(obj), true);
	ASAN_POISON_MEMORY_REGION(obj, CHAIN_WORD);
	ASAN_UNPOISON_MEMORY_REGION(obj, size);
}

void debug_object_freed(void *obj, size_t size, const char *cache, const void *caller)
{
	(void)caller;
	if (!is_in_use(obj, size))
		panic("double free of an object of %s", cache);
	debug_object_made(obj, size);
}

/* Whoever writes to a free object is told so when he does. */
int debug_check_free(void)
{
	return 0;
}

void debug_object_kept(void *obj)
{
	(void)obj;
}

void debug_mm_edited(struct mm *mm)
{
	static unsigned long edits;

	/* Of a very long list each edit is looked at as often as the list is long. */
	if (mm->nr_areas > MANY_AREAS && edits++ % mm->nr_areas != 0)
		return;
	if (mm_check(mm) != 0)
		panic("mm_check() found what is printed above");
}

void debug_mm_faulted(struct mm *mm)
{
	/* Not in the middle of another hart's edit or fault. */
	if (!down_write_trylock(&mm->mmap_lock))
		return;
	debug_mm_edited(mm);
	up_write(&mm->mmap_lock);
}
