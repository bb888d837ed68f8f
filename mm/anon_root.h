/*
 * anon_root.h - fork families, and where in them an anonymous page may be: mm/anon_root.c has the
 * drawing.
 */
#ifndef RAVEL_MM_ANON_ROOT_H
#define RAVEL_MM_ANON_ROOT_H

#include "mm/mm.h"

/* One for each fork family: the owner that anonymous pages name (page->mapping, tagged with 1). */
struct anon_root {
	atomic_t refcount;    /* address spaces that have not ended yet, and who walks */
	struct spinlock lock; /* guards mms, and the shifts of each of them */
	struct list_head mms; /* by mm->family_link; parents before their children */
};

/* How far mremap() has moved some area of an address space: one of mm->anon_shifts.tree. */
struct anon_shift {
	struct rb_node rb;
	long pages; /* not 0; the key */
	bool found; /* by a sweep: some area was moved so far */
};

void anon_root_init(void); /* slab caches; boot */
/* A family without members, one reference; NULL: no memory. */
struct anon_root *anon_root_alloc(void);
/* A reference less; the last one frees it. */
void anon_root_put(struct anon_root *root);
/*
 * The family of anonymous @page, to which the caller has a reference, with a reference; NULL: no
 * PTE maps the page, and its family may be gone.
 */
struct anon_root *anon_root_of_page(const struct page *page);

/* @mm becomes a member of its family, mm->anon_root: from now on pages are looked for in it. */
void anon_root_join(struct mm *mm);
/* And from now on not any more: before its tables go. Its shifts are forgotten. */
void anon_root_leave(struct mm *mm);

/*
 * An area of @mm is about to be @pages away from where it was made: from anon_shift_insert() on,
 * which cannot fail, pages are looked for there, too. anon_shift_prepare() gets the memory for it,
 * *newp (NULL: none is needed); 0 or -ENOMEM; anon_shift_discard() gives it back. mmap_lock held
 * for writing. When no area is so far away any more, that is forgotten at some time.
 */
int anon_shift_prepare(struct mm *mm, long pages, struct anon_shift **newp);
void anon_shift_discard(struct anon_shift *new);
void anon_shift_insert(struct mm *mm, struct anon_shift *new);
/* True if pages of @mm are looked for @pages away from where their areas were made. */
bool anon_shift_is_known(struct mm *mm, long pages);

#endif
