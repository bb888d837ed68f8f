/*
 * dump.c - the heap as a graph: plain text to read, or Graphviz's language to draw
 * (`dot -Tsvg`). Roots come first, then each block with the blocks that it points to; what nobody
 * reaches is called garbage, and drawn grey. A block's name is its offset in the heap, in hex.
 *
 *	roots
 *	  data 0x8c010 -> 40
 *	blocks
 *	  40   32 bytes, list 1 -> 60
 *	  60   32 bytes, garbage -> 60
 *
 * Invariants: frees nothing; the marks are those of this moment.  Locks: none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "usr/lib/gc/internal.h"

#define LABEL_ROOM 64

struct dump {
	FILE *out;
	enum gc_format format;
	gc_label_fn *label;
};

static size_t name_of(const struct gc_block *block)
{
	return block->start - gc->base;
}

static void print_root(void *arg, enum gc_root_kind kind, uintptr_t where, uintptr_t word)
{
	static const char *const kinds[] = { "register", "stack", "data", "thread", "added" };
	const struct dump *dump = arg;
	struct gc_block block;
	size_t inside;

	if (!gc_find(word, &block))
		return;
	inside = word - (uintptr_t)block.start;
	if (dump->format == GC_DOT) {
		fprintf(dump->out, "\tr%lx [label=\"%s\\n0x%lx\", shape=plaintext];\n", where,
			kinds[kind], where);
		fprintf(dump->out, "\tr%lx -> b%zx;\n", where, name_of(&block));
		return;
	}
	fprintf(dump->out, "  %s 0x%lx -> %zx", kinds[kind], where, name_of(&block));
	if (inside)
		fprintf(dump->out, " + %zu", inside);
	fputc('\n', dump->out);
}

static void print_edges(const struct dump *dump, const struct gc_block *from)
{
	const uintptr_t *words = (const uintptr_t *)from->start;
	struct gc_block to;

	for (size_t i = 0; !from->page->leaf && i < from->size / sizeof(*words); i++) {
		if (!gc_find(words[i], &to))
			continue;
		if (dump->format == GC_DOT)
			fprintf(dump->out, "\tb%zx -> b%zx;\n", name_of(from), name_of(&to));
		else
			fprintf(dump->out, " -> %zx", name_of(&to));
	}
}

static void print_block(const struct dump *dump, const struct gc_block *block)
{
	bool reached = gc_bit(block->page->marked, block->cell);
	char label[LABEL_ROOM] = "";

	if (dump->label)
		dump->label(block->start, block->size, label, sizeof(label));
	if (dump->format == GC_DOT) {
		fprintf(dump->out, "\tb%zx [label=\"%s\\n%zx, %zu bytes\"%s];\n", name_of(block),
			label, name_of(block), block->size,
			reached ? "" : ", style=filled, fillcolor=grey");
		print_edges(dump, block);
		return;
	}
	fprintf(dump->out, "  %-6zx %4zu bytes%s%s%s", name_of(block), block->size,
		*label ? ", " : "", label, reached ? "" : ", garbage");
	print_edges(dump, block);
	fputc('\n', dump->out);
}

static void print_blocks(const struct dump *dump)
{
	for (struct gc_page *page = gc->pages; page < gc->pages + gc->nr_pages; page++) {
		if (page->kind != GC_SMALL && page->kind != GC_LARGE)
			continue;
		for (unsigned int cell = 0; cell < gc_nr_cells(page); cell++) {
			struct gc_block block = gc_block_of(page, cell);

			if (gc_bit(page->used, cell))
				print_block(dump, &block);
		}
	}
}

int gc_dump(FILE *out, enum gc_format format, gc_label_fn *label)
{
	struct dump dump = { out, format, label };
	int status;

	if (!gc && gc_init(GC_DEFAULT_LIMIT))
		return -1;
	fputs(format == GC_DOT ? "digraph heap {\n\tnode [shape=box, fontname=monospace];\n" :
				 "roots\n",
	      out);
	gc->root_seen = print_root;
	gc->root_arg = &dump;
	status = gc_mark();
	gc->root_seen = NULL;
	if (status)
		return -1;
	if (format == GC_TEXT)
		fputs("blocks\n", out);
	print_blocks(&dump);
	if (format == GC_DOT)
		fputs("}\n", out);
	return ferror(out) ? -1 : 0;
}
