/*
 * fdt.c - a reader of flattened device trees.
 *
 *	blob   [ header | memory reservations | structure block        | strings block ]
 *	                                        BEGIN_NODE "name" PROP {len, name offset, value}
 *	                                          BEGIN_NODE ... END_NODE
 *	                                        END_NODE  END
 *
 *	fdt_open() walks the structure block once and refuses what is malformed; yet each token is
 *	bounds-checked again when it is read, so a bug in one place is not a hole.
 *
 * Invariants: no byte outside [blob, blob + size) is read; no loop runs without moving forward.
 * Locks: none; the blob is only read.
 * Source: Devicetree Specification, chapter 5 "Flattened Devicetree Format".
 */
#include "lib/fdt.h"

#include "lib/errno.h"
#include "lib/string.h"

#define FDT_MAGIC      0xd00dfeed
#define FDT_BEGIN_NODE 1
#define FDT_END_NODE   2
#define FDT_PROP       3
#define FDT_NOP	       4
#define FDT_END	       9
#define FDT_HEADER     40
#define MAX_DEPTH      32

/* ---- bounds-checked reading ---- */

/* The big-endian word at @off of the structure block, or 0 (no token) outside of it. */
static u32 word_at(const struct fdt *fdt, u32 off)
{
	if (off > fdt->struct_size || fdt->struct_size - off < 4)
		return 0;
	return get_be32(fdt->blob + fdt->struct_off + off);
}

/* A string of the structure block at @off that ends inside of it, or NULL. */
static const char *struct_string(const struct fdt *fdt, u32 off)
{
	const char *s = (const char *)fdt->blob + fdt->struct_off + off;

	if (off >= fdt->struct_size || !memchr(s, '\0', fdt->struct_size - off))
		return NULL;
	return s;
}

static const char *name_string(const struct fdt *fdt, u32 off)
{
	const char *s = (const char *)fdt->blob + fdt->strings_off + off;

	if (off >= fdt->strings_size || !memchr(s, '\0', fdt->strings_size - off))
		return NULL;
	return s;
}

/* The offset after the token at @off; -1 when it is malformed or the last. */
static int skip_token(const struct fdt *fdt, u32 off)
{
	const char *name;
	u32 len;

	switch (word_at(fdt, off)) {
	case FDT_BEGIN_NODE:
		name = struct_string(fdt, off + 4);
		if (!name)
			return -1;
		return ALIGN_UP(off + 4 + (u32)strlen(name) + 1, 4u);
	case FDT_PROP:
		len = word_at(fdt, off + 4);
		if (fdt->struct_size - off < 12 || len > fdt->struct_size - off - 12)
			return -1;
		return ALIGN_UP(off + 12 + len, 4u);
	case FDT_END_NODE:
	case FDT_NOP:
		return off + 4;
	default:
		return -1;
	}
}

/* ---- opening ---- */

static bool block_fits(const struct fdt *fdt, u32 off, u32 size)
{
	return off >= FDT_HEADER && off <= fdt->size && size <= fdt->size - off;
}

/* Every token is whole, nodes nest, properties have names, and one root ends the block. */
static bool check_structure(const struct fdt *fdt)
{
	int off = 0, depth = 0;

	if (word_at(fdt, 0) != FDT_BEGIN_NODE)
		return false;
	for (;;) {
		switch (word_at(fdt, off)) {
		case FDT_BEGIN_NODE:
			if (++depth > MAX_DEPTH || (depth == 1 && off != 0))
				return false;
			break;
		case FDT_END_NODE:
			if (--depth < 0)
				return false;
			break;
		case FDT_PROP:
			if (depth == 0 || !name_string(fdt, word_at(fdt, off + 8)))
				return false;
			break;
		case FDT_END:
			return depth == 0;
		default:
			break;
		}
		off = skip_token(fdt, off);
		if (off < 0)
			return false;
	}
}

size_t fdt_blob_size(const void *blob)
{
	return get_be32(blob) == FDT_MAGIC ? get_be32((const u8 *)blob + 4) : 0;
}

int fdt_open(struct fdt *fdt, const void *blob, size_t max)
{
	const u8 *b = blob;

	if (max < FDT_HEADER || get_be32(b) != FDT_MAGIC)
		return -EINVAL;
	fdt->blob = b;
	fdt->size = get_be32(b + 4);
	if (fdt->size < FDT_HEADER || fdt->size > max || fdt->size > INT_MAX)
		return -EINVAL;
	if (get_be32(b + 20) < 16 || get_be32(b + 24) > 17)
		return -EINVAL;
	fdt->struct_off = get_be32(b + 8);
	fdt->strings_off = get_be32(b + 12);
	fdt->rsvmap_off = get_be32(b + 16);
	fdt->strings_size = get_be32(b + 32);
	/* Version 16 has no size_dt_struct: the block then ends where the blob does. */
	fdt->struct_size = get_be32(b + 20) >= 17 ? get_be32(b + 36) : fdt->size - fdt->struct_off;
	if (!block_fits(fdt, fdt->struct_off, fdt->struct_size) ||
	    !block_fits(fdt, fdt->strings_off, fdt->strings_size) ||
	    !block_fits(fdt, fdt->rsvmap_off, 16))
		return -EINVAL;
	return check_structure(fdt) ? 0 : -EINVAL;
}

/* ---- nodes ---- */

int fdt_next_node(const struct fdt *fdt, int node, int *depth)
{
	int off = node < 0 ? 0 : skip_token(fdt, node);

	while (off >= 0) {
		switch (word_at(fdt, off)) {
		case FDT_BEGIN_NODE:
			if (depth)
				(*depth)++;
			return off;
		case FDT_END_NODE:
			if (depth)
				(*depth)--;
			break;
		default:
			break;
		}
		off = skip_token(fdt, off);
	}
	return -1;
}

const char *fdt_node_name(const struct fdt *fdt, int node)
{
	const char *name = struct_string(fdt, node + 4);

	return name ? name : "";
}

int fdt_parent(const struct fdt *fdt, int node)
{
	int at[MAX_DEPTH + 1];
	int depth = -1;

	for (int n = fdt_next_node(fdt, -1, &depth); n >= 0; n = fdt_next_node(fdt, n, &depth)) {
		if (depth < 0 || depth > MAX_DEPTH)
			return -1;
		at[depth] = n;
		if (n == node)
			return depth > 0 ? at[depth - 1] : -1;
	}
	return -1;
}

/* True when the component @want of @len characters names @name, with or without unit address. */
static bool name_matches(const char *name, const char *want, size_t len)
{
	if (strncmp(name, want, len) != 0)
		return false;
	return name[len] == '\0' || (name[len] == '@' && !memchr(want, '@', len));
}

/* The first child of @parent that component @want names. */
static int child_by_name(const struct fdt *fdt, int parent, const char *want, size_t len)
{
	int depth = 0;

	for (int n = fdt_next_node(fdt, parent, &depth); n >= 0 && depth > 0;
	     n = fdt_next_node(fdt, n, &depth)) {
		if (depth == 1 && name_matches(fdt_node_name(fdt, n), want, len))
			return n;
	}
	return -1;
}

int fdt_node_by_path(const struct fdt *fdt, const char *path)
{
	int node = fdt_next_node(fdt, -1, NULL);

	while (node >= 0) {
		const char *end;

		while (*path == '/')
			path++;
		if (!*path)
			return node;
		end = strchr(path, '/');
		if (!end)
			end = path + strlen(path);
		node = child_by_name(fdt, node, path, end - path);
		path = end;
	}
	return -1;
}

bool fdt_is_compatible(const struct fdt *fdt, int node, const char *compatible)
{
	u32 len, i = 0;
	const char *list = fdt_getprop(fdt, node, "compatible", &len);

	while (list && i < len) {
		u32 n = strnlen(list + i, len - i);

		if (n == len - i) /* the last string does not end */
			return false;
		if (strcmp(list + i, compatible) == 0)
			return true;
		i += n + 1;
	}
	return false;
}

int fdt_node_by_compatible(const struct fdt *fdt, int after, const char *compatible)
{
	int node = after;

	while ((node = fdt_next_node(fdt, node, NULL)) >= 0) {
		if (fdt_is_compatible(fdt, node, compatible))
			return node;
	}
	return -1;
}

int fdt_node_by_phandle(const struct fdt *fdt, u32 phandle)
{
	int node = -1;
	u32 value;

	while ((node = fdt_next_node(fdt, node, NULL)) >= 0) {
		if (fdt_prop_u32(fdt, node, "phandle", 0, &value) && value == phandle)
			return node;
	}
	return -1;
}

/* ---- properties ---- */

/* The property at or after @off in the same node. */
static bool prop_at(const struct fdt *fdt, int off, struct fdt_prop *prop)
{
	while (off >= 0 && word_at(fdt, off) == FDT_NOP)
		off = skip_token(fdt, off);
	if (off < 0 || word_at(fdt, off) != FDT_PROP)
		return false;
	prop->next = skip_token(fdt, off);
	prop->len = word_at(fdt, off + 4);
	prop->name = name_string(fdt, word_at(fdt, off + 8));
	prop->data = fdt->blob + fdt->struct_off + off + 12;
	return prop->next >= 0 && prop->name;
}

bool fdt_first_prop(const struct fdt *fdt, int node, struct fdt_prop *prop)
{
	return node >= 0 && prop_at(fdt, skip_token(fdt, node), prop);
}

bool fdt_next_prop(const struct fdt *fdt, struct fdt_prop *prop)
{
	return prop_at(fdt, prop->next, prop);
}

const void *fdt_getprop(const struct fdt *fdt, int node, const char *name, u32 *len)
{
	struct fdt_prop prop;

	for (bool ok = fdt_first_prop(fdt, node, &prop); ok; ok = fdt_next_prop(fdt, &prop)) {
		if (strcmp(prop.name, name) == 0) {
			*len = prop.len;
			return prop.data;
		}
	}
	return NULL;
}

bool fdt_prop_u32(const struct fdt *fdt, int node, const char *name, unsigned index, u32 *value)
{
	u32 len;
	const u8 *data = fdt_getprop(fdt, node, name, &len);

	if (!data || index >= len / 4)
		return false;
	*value = get_be32(data + index * 4);
	return true;
}

const char *fdt_prop_string(const struct fdt *fdt, int node, const char *name)
{
	u32 len;
	const char *s = fdt_getprop(fdt, node, name, &len);

	return s && memchr(s, '\0', len) ? s : NULL;
}

static unsigned cells(const struct fdt *fdt, int node, const char *name, unsigned otherwise)
{
	u32 value;

	return node >= 0 && fdt_prop_u32(fdt, node, name, 0, &value) ? value : otherwise;
}

unsigned fdt_address_cells(const struct fdt *fdt, int node)
{
	return cells(fdt, node, "#address-cells", 2);
}

unsigned fdt_size_cells(const struct fdt *fdt, int node)
{
	return cells(fdt, node, "#size-cells", 1);
}

static u64 read_cells(const u8 *p, unsigned n)
{
	return n == 2 ? get_be64(p) : n == 1 ? get_be32(p) : 0;
}

bool fdt_reg(const struct fdt *fdt, int node, unsigned index, u64 *addr, u64 *size)
{
	int parent = fdt_parent(fdt, node);
	unsigned ac = fdt_address_cells(fdt, parent), sc = fdt_size_cells(fdt, parent);
	u32 len, entry;
	const u8 *reg = fdt_getprop(fdt, node, "reg", &len);

	if (!reg || ac < 1 || ac > 2 || sc > 2)
		return false;
	entry = (ac + sc) * 4;
	if (index >= len / entry)
		return false;
	*addr = read_cells(reg + index * entry, ac);
	*size = read_cells(reg + index * entry + ac * 4, sc);
	return true;
}

bool fdt_memreserve(const struct fdt *fdt, unsigned index, u64 *addr, u64 *size)
{
	u64 off = fdt->rsvmap_off + (u64)index * 16;

	if (off > fdt->size || fdt->size - off < 16)
		return false;
	*addr = get_be64(fdt->blob + off);
	*size = get_be64(fdt->blob + off + 8);
	return *addr != 0 || *size != 0;
}
