/*
 * move.c - mremap's pages: PTEs go from one place of an address space to another, frames stay.
 *
 *	from      | .  a  b  c | d  .  e  f | g         one leaf table between the bars
 *	             \  \  \  \  \     \
 *	to        |  .  a  b  c  d | .  e  f  g |       PTE by PTE, in pieces that have one table
 *	                                                on each side
 *
 *	from      |   table 1   |   table 2   |         where both begin a table's span, the table
 *	                 \             \                itself goes: one entry of the level above
 *	to               |   table 1   |   table 2   |
 *
 * No page is touched: page->index of an anonymous page is where it was made, and the area knows how
 * far that is (vm_moved). Frames, reference counts and sums are as before.
 *
 * Who walks tables without mmap_lock does so from a file's list of areas, with the mapping's lock
 * (truncation, write-back: mm/rmap.c). That lock is held from before the old PTE is taken to after
 * the new one is set, and both areas are on the list: so one of the two PTEs is found, in whatever
 * order the areas are visited.
 *
 * Each piece: take the old PTEs, set the new ones, flush the harts, and only then unlock. Who finds
 * a page by its new PTE may free it at once, after a flush of the new address; if a hart could
 * still translate the old one it would use a frame of somebody else's.
 *
 * Locks: mmap_lock for writing, from the caller; inside it the mapping's mmap_lock, and inside that
 * the old leaf table's lock, then the new one's, nested.
 */
#include "mm/move.h"

#include "mm/pgtable.h"
#include "mm/tlb.h"
#include "mm/vma.h"
#include "mm/window.h"

/* A part of the move for which there is one leaf table on each side. */
struct piece {
	unsigned long from, to, len; /* user addresses, bytes */
	pte_t *src;		     /* the entry of from */
};

/* len of @piece is all that its tables translate: it is theirs alone. */
static bool is_whole_table(const struct piece *piece)
{
	return piece->len == PT_SPAN(1);
}

/*
 * The next piece, after @piece, of what moves up to @end: the next that has a table. False: there
 * is none.
 */
static bool next_piece(struct mm *mm, struct piece *piece, unsigned long end)
{
	unsigned long shift = piece->to - piece->from;
	unsigned long from = piece->from + piece->len, to, next;

	for (; from < end; from = next) {
		if (!pte_present(pte_read(&mm->pgd[pt_index(from, 2)]))) {
			next = pt_addr_end(from, end, 2);
			continue;
		}
		next = pt_addr_end(from, end, 1);
		piece->src = pte_find(mm, from);
		if (!piece->src)
			continue;
		to = from + shift;
		piece->from = from;
		piece->to = to;
		piece->len = pt_addr_end(to, next + shift, 1) - to;
		return true;
	}
	return false;
}

unsigned move_nr_tables(struct mm *mm, unsigned long from, unsigned long to, unsigned long len,
			bool to_is_mapped)
{
	struct piece piece = { .from = from, .to = to };
	unsigned long leaf = ~0UL, upper = ~0UL; /* those that were counted last */
	unsigned nr = 0;

	while (next_piece(mm, &piece, from + len)) {
		pte_t above = pte_read(&mm->pgd[pt_index(piece.to, 2)]);

		if (piece.to >> PT_SHIFT(2) != upper)
			nr += to_is_mapped || !pte_present(above);
		upper = piece.to >> PT_SHIFT(2);
		if (!is_whole_table(&piece) && piece.to >> PT_SHIFT(1) != leaf)
			nr += to_is_mapped || !pte_find(mm, piece.to);
		leaf = piece.to >> PT_SHIFT(1);
	}
	return nr;
}

static void move_leaves(struct mm *mm, const struct piece *piece, pte_t *dst)
{
	struct spinlock *src_ptl = pte_lockptr(piece->src), *dst_ptl = pte_lockptr(dst);
	pte_t *src = piece->src, *end = src + (piece->len >> PAGE_SHIFT);
	bool moved = false;

	spin_lock(src_ptl);
	if (dst_ptl != src_ptl)
		spin_lock_nested(dst_ptl, 1); /* only an edit holds two, and it has mmap_lock */
	for (; src < end; src++, dst++) {
		if (pte_none(pte_read(src)))
			continue;
		/* The hardware may set A or D until it is taken. */
		pte_set(dst, pte_take(src));
		moved = true;
	}
	window();
	if (moved)
		flush_tlb_range(mm, piece->from, piece->from + piece->len);
	if (dst_ptl != src_ptl)
		spin_unlock(dst_ptl);
	spin_unlock(src_ptl);
}

void move_pages(struct vm_area *vma, unsigned long from, unsigned long to, unsigned long len,
		struct table_reserve *reserve)
{
	struct piece piece = { .from = from, .to = to };
	struct mm *mm = vma->vm_mm;

	while (next_piece(mm, &piece, from + len)) {
		bool whole = is_whole_table(&piece);
		pte_t *dst = whole ? NULL : pte_alloc_reserved(mm, piece.to, reserve);

		mapping_lock_area(vma);
		if (whole)
			table_move(mm, piece.from, piece.to, reserve);
		else
			move_leaves(mm, &piece, dst);
		mapping_unlock_area(vma);
	}
}
