/*
 * fdt.h - a reader of flattened device trees. The blob is input: nothing in it is believed
 * unchecked.
 *
 * A node is named by its offset in the structure block. Every function that returns an offset
 * returns -1 when there is none. After fdt_open() succeeded the structure block is known to be well
 * formed.
 *
 * Source: Devicetree Specification, chapter 5.
 */
#ifndef RAVEL_LIB_FDT_H
#define RAVEL_LIB_FDT_H

#include "lib/types.h"

struct fdt {
	const u8 *blob;
	u32 size; /* totalsize, at most what fdt_open() was given */
	u32 struct_off, struct_size, strings_off, strings_size, rsvmap_off;
};

struct fdt_prop {
	const char *name;
	const void *data;
	u32 len;
	int next; /* where to look for the next one */
};

/* Checks the header and the whole structure block of at most @max bytes; 0 or -EINVAL. */
int fdt_open(struct fdt *fdt, const void *blob, size_t max);
/* The blob's size in bytes as its own header says; 0 when that is no device tree. */
size_t fdt_blob_size(const void *blob);

/*
 * The node after @node in document order; -1 gives the root. *depth, if not NULL, is kept: start
 * with -1; the root has depth 0.
 */
int fdt_next_node(const struct fdt *fdt, int node, int *depth);
const char *fdt_node_name(const struct fdt *fdt, int node);
/* Properties of @node in order; false: there is none (more). */
bool fdt_first_prop(const struct fdt *fdt, int node, struct fdt_prop *prop);
bool fdt_next_prop(const struct fdt *fdt, struct fdt_prop *prop);
/* The value of property @name, its length in *len; NULL: no such property. */
const void *fdt_getprop(const struct fdt *fdt, int node, const char *name, u32 *len);

/* "/cpus/cpu@0"; a component without unit address matches the first of that name. */
int fdt_node_by_path(const struct fdt *fdt, const char *path);
/* The next node after @after (-1: from the start) whose compatible list has @compatible. */
int fdt_node_by_compatible(const struct fdt *fdt, int after, const char *compatible);
int fdt_node_by_phandle(const struct fdt *fdt, u32 phandle);
int fdt_parent(const struct fdt *fdt, int node);
bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible);

/* #address-cells and #size-cells of @node, for its children; 2 and 1 where they are not given. */
unsigned fdt_address_cells(const struct fdt *fdt, int node);
unsigned fdt_size_cells(const struct fdt *fdt, int node);
/* Entry @index of @node's reg; false when it is not there or has cells that we cannot hold. */
bool fdt_reg(const struct fdt *fdt, int node, unsigned index, u64 *addr, u64 *size);
/* Cell @index of property @name. */
bool fdt_prop_u32(const struct fdt *fdt, int node, const char *name, unsigned index, u32 *value);
/* The property as a string, or NULL when it is absent or not terminated. */
const char *fdt_prop_string(const struct fdt *fdt, int node, const char *name);
/* Entry @index of the memory reservation block; false past the last. */
bool fdt_memreserve(const struct fdt *fdt, unsigned index, u64 *addr, u64 *size);

#endif
