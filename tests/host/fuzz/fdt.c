/*
 * fdt.c - the reader of device trees against libfdt, on trees that libfdt made and on damaged ones.
 *
 *	operations --libfdt's sequential write--> tree --close--> blob --damage--> damaged blob
 *	                                                                         /      \
 *	                                                                   lib/fdt.c == libfdt
 *
 * The blob lies in memory of exactly its size, so AddressSanitizer sees each byte that is read
 * beyond it. Where libfdt finds the blob in order (fdt_check_full), everything must be the same;
 * where it does not, the reader may refuse or read what it likes, if only inside and not for ever.
 */
#include <stdlib.h>
#include <string.h>

/* libfdt's functions, which host.mk has renamed. */
#define fdt_add_reservemap_entry   libfdt_add_reservemap_entry
#define fdt_address_cells	   libfdt_address_cells
#define fdt_begin_node		   libfdt_begin_node
#define fdt_check_full		   libfdt_check_full
#define fdt_check_header	   libfdt_check_header
#define fdt_create		   libfdt_create
#define fdt_end_node		   libfdt_end_node
#define fdt_finish		   libfdt_finish
#define fdt_finish_reservemap	   libfdt_finish_reservemap
#define fdt_first_property_offset  libfdt_first_property_offset
#define fdt_get_mem_rsv		   libfdt_get_mem_rsv
#define fdt_get_name		   libfdt_get_name
#define fdt_get_path		   libfdt_get_path
#define fdt_getprop		   libfdt_getprop
#define fdt_getprop_by_offset	   libfdt_getprop_by_offset
#define fdt_next_node		   libfdt_next_node
#define fdt_next_property_offset   libfdt_next_property_offset
#define fdt_next_tag		   libfdt_next_tag
#define fdt_node_check_compatible  libfdt_node_check_compatible
#define fdt_nop_node		   libfdt_nop_node
#define fdt_nop_property	   libfdt_nop_property
#define fdt_node_offset_by_phandle libfdt_node_offset_by_phandle
#define fdt_num_mem_rsv		   libfdt_num_mem_rsv
#define fdt_parent_offset	   libfdt_parent_offset
#define fdt_path_offset		   libfdt_path_offset
#define fdt_property		   libfdt_property
#define fdt_size_cells		   libfdt_size_cells
#include <libfdt.h>
#undef fdt_address_cells
#undef fdt_getprop
#undef fdt_next_node
#undef fdt_size_cells

#include "kernel/panic.h"
#include "lib/fdt.h"
#include "tests/host/fuzz.h"

#define TREE_MAX   8192
#define MAX_DEPTH  12
#define MAX_DAMAGE 8
#define MAX_NODES  4096 /* visited in one walk: more than a blob of TREE_MAX has room for */
#define OLDEST	   16	/* version of the format; libfdt reads older ones too */

enum { OP_BEGIN, OP_END, OP_PROP, OP_PROP_TOO, OP_RESERVE, OP_NEW, OP_DAMAGE, OP_LOOK, NR_CODES };

static const char *const node_names[] = {
	"cpus", "cpu@0", "cpu@1", "memory@80000000", "soc", "uart@10000000", "soc@1", "x",
};
static const char *const prop_names[] = {
	"compatible", "reg", "phandle", "#address-cells", "#size-cells", "status", "x", "no-such",
};
#define NR_BUILT_PROPS 7 /* the last one is in no tree */
static const char *const compatibles[] = { "ns16550a", "riscv", "sifive,plic-1.0.0", "r", "" };

static u8 tree[TREE_MAX];
static unsigned depth;
static bool in_reservations, props_allowed;

/* Bytes that change, or what libfdt itself takes out by writing NOPs over it. */
enum damage_kind { BYTE, WORD, PROP_OUT, NODE_OUT };

static struct damage {
	enum damage_kind kind;
	u32 at, value; /* bytes from the start, or backwards from the end; nodes */
	bool from_end;
} damages[MAX_DAMAGE];
static unsigned nr_damages;

/* ---- building ---- */

static void put_be32(u8 *at, u32 value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = value >> (24 - 8 * i);
}

static void new_tree(void)
{
	memset(tree, 0, sizeof(tree));
	BUG_ON(libfdt_create(tree, sizeof(tree)) != 0);
	depth = 0;
	in_reservations = true;
	props_allowed = false;
	nr_damages = 0;
}

static void begin_node(void *blob, const char *name)
{
	if (in_reservations)
		BUG_ON(libfdt_finish_reservemap(blob) != 0);
	in_reservations = false;
	if (libfdt_begin_node(blob, name) == 0) {
		depth++;
		props_allowed = true;
	}
}

/* Bytes that suit the property; its length is returned. */
static unsigned prop_value(const struct fuzz_op *op, const char *name, u8 *value)
{
	unsigned len = op->b >> 8 & 31;

	for (unsigned i = 0; i < 32; i++)
		value[i] = op->c >> i * 2;
	if (strcmp(name, "compatible") == 0) {
		const char *first = compatibles[op->c % ARRAY_SIZE(compatibles)];
		const char *second = compatibles[(op->c >> 8) % ARRAY_SIZE(compatibles)];

		snprintf((char *)value, 64, "%s%c%s", first, 0, second);
		/* Sometimes without the last end. */
		return strlen(first) + strlen(second) + (op->b >> 8 & 7 ? 2 : 1);
	}
	if (name[0] == '#')
		put_be32(value, (op->c >> 4) % (op->c & 8 ? 9 : 3));
	if (name[0] == '#' || strcmp(name, "phandle") == 0)
		return op->b >> 8 & 31 ? 4 : len;
	return len;
}

static void add_prop(const struct fuzz_op *op)
{
	const char *name = prop_names[op->a % NR_BUILT_PROPS];
	u8 value[64];
	unsigned len = prop_value(op, name, value);

	if (props_allowed)
		libfdt_property((void *)tree, name, value, len);
}

static void apply(const struct damage *damage, u8 *blob, size_t size)
{
	u32 at = damage->from_end ? size - 1 - damage->at % 8 : damage->at % (size - 3);
	int node = -1;

	if (damage->kind == BYTE) {
		blob[at] = damage->value;
	} else if (damage->kind == WORD) {
		put_be32(blob + min(at & ~3u, (u32)size - 4), damage->value);
	} else if (libfdt_check_full(blob, size) == 0) {
		for (u32 n = damage->at % 16; n > 0; n--)
			node = max(libfdt_next_node(blob, node, NULL), node);
		if (node > 0 && damage->kind == NODE_OUT)
			libfdt_nop_node(blob, node);
		else if (node >= 0)
			libfdt_nop_property(blob, node, prop_names[damage->value % NR_BUILT_PROPS]);
	}
}

/* The finished and damaged blob, in memory of its size; the caller frees it. */
static u8 *finished(size_t *size)
{
	static u8 copy[TREE_MAX];
	unsigned open = depth;
	bool reservations = in_reservations, props = props_allowed;
	u8 *blob;

	memcpy(copy, tree, sizeof(tree));
	if (in_reservations)
		begin_node(copy, "");
	while (depth > 0 && libfdt_end_node(copy) == 0)
		depth--;
	if (depth > 0 || libfdt_finish(copy) != 0)
		memset(copy, 0, sizeof(copy));
	depth = open;
	in_reservations = reservations;
	props_allowed = props;
	*size = max(fdt_blob_size(copy), sizeof(struct fdt_header));
	blob = malloc(*size);
	memcpy(blob, copy, *size);
	/* First what needs a tree in order. */
	for (unsigned i = 0; i < nr_damages; i++) {
		if (damages[i].kind >= PROP_OUT)
			apply(&damages[i], blob, *size);
	}
	for (unsigned i = 0; i < nr_damages; i++) {
		if (damages[i].kind < PROP_OUT)
			apply(&damages[i], blob, *size);
	}
	return blob;
}

/* ---- comparing: `ours` is lib/fdt.c's view, blob libfdt's ---- */

static void check_prop_readers(const struct fdt *ours, int node, const char *name, const u8 *data,
			       u32 len)
{
	u32 value;

	for (u32 i = 0; i <= len / 4; i++) {
		bool got = fdt_prop_u32(ours, node, name, i, &value);

		BUG_ON(got != (data && i < len / 4));
		BUG_ON(got && value != get_be32(data + 4 * i));
	}
	BUG_ON(fdt_prop_string(ours, node, name) !=
	       (data && memchr(data, 0, len) ? (const char *)data : NULL));
}

static void check_props(const struct fdt *ours, const u8 *blob, int node)
{
	struct fdt_prop prop;
	bool more = fdt_first_prop(ours, node, &prop);
	int off, len;
	u32 our_len;

	for (off = libfdt_first_property_offset(blob, node); off >= 0;
	     off = libfdt_next_property_offset(blob, off)) {
		const char *name;
		const void *data = libfdt_getprop_by_offset(blob, off, &name, &len);

		BUG_ON(!more || !data || strcmp(prop.name, name) != 0);
		BUG_ON(prop.data != data || prop.len != (u32)len);
		more = fdt_next_prop(ours, &prop);
	}
	BUG_ON(more);
	for (unsigned i = 0; i < ARRAY_SIZE(prop_names); i++) {
		const void *data = libfdt_getprop(blob, node, prop_names[i], &len);

		BUG_ON(fdt_getprop(ours, node, prop_names[i], &our_len) != data);
		BUG_ON(data && our_len != (u32)len);
		check_prop_readers(ours, node, prop_names[i], data, data ? len : 0);
	}
}

static u64 cells_at(const u8 *at, int n)
{
	u64 value = 0;

	while (n-- > 0) {
		value = value << 32 | get_be32(at);
		at += 4;
	}
	return value;
}

static void check_reg(const struct fdt *ours, const u8 *blob, int node, int parent)
{
	int ac = parent < 0 ? 2 : libfdt_address_cells(blob, parent);
	int sc = parent < 0 ? 1 : libfdt_size_cells(blob, parent);
	int len, entry = (ac + sc) * 4;
	const u8 *reg = libfdt_getprop(blob, node, "reg", &len);
	u64 addr, size;

	if (ac < 1 || sc < 0)
		return; /* libfdt has no opinion */
	BUG_ON(parent >= 0 && fdt_address_cells(ours, parent) != (unsigned)ac);
	BUG_ON(parent >= 0 && fdt_size_cells(ours, parent) != (unsigned)sc);
	for (int i = 0; i <= (reg ? len / entry : 0); i++) {
		bool got = fdt_reg(ours, node, i, &addr, &size);

		BUG_ON(got != (reg && i < len / entry && ac <= 2 && sc <= 2));
		BUG_ON(got && addr != cells_at(reg + i * entry, ac));
		BUG_ON(got && size != cells_at(reg + i * entry + ac * 4, sc));
	}
}

static void check_compatible(const struct fdt *ours, const u8 *blob, int node)
{
	int len;
	const char *list = libfdt_getprop(blob, node, "compatible", &len);

	/* An end that is missing: libfdt may take it from what follows the property. */
	if (list && (len == 0 || list[len - 1] != '\0'))
		return;
	/* And the last, the empty string, it finds behind every list. */
	for (unsigned i = 0; i < ARRAY_SIZE(compatibles) - 1; i++)
		BUG_ON(fdt_is_compatible(ours, node, compatibles[i]) !=
		       (libfdt_node_check_compatible(blob, node, compatibles[i]) == 0));
}

/* A path finds what libfdt finds; so does the path without its last unit address. */
static void check_path(const struct fdt *ours, const u8 *blob, int node)
{
	char path[TREE_MAX];
	char *unit;

	if (libfdt_get_path(blob, node, path, sizeof(path)) != 0)
		return;
	BUG_ON(fdt_node_by_path(ours, path) != max(libfdt_path_offset(blob, path), -1));
	unit = strrchr(path, '@');
	if (!unit)
		return;
	*unit = '\0';
	BUG_ON(fdt_node_by_path(ours, path) != max(libfdt_path_offset(blob, path), -1));
}

static void check_nodes(const struct fdt *ours, const u8 *blob)
{
	int node, our_node, level = -1, our_level = -1;

	our_node = fdt_next_node(ours, -1, &our_level);
	for (node = libfdt_next_node(blob, -1, &level); node >= 0 && level >= 0;
	     node = libfdt_next_node(blob, node, &level)) {
		int parent = max(libfdt_parent_offset(blob, node), -1);

		BUG_ON(our_node != node || our_level != level);
		BUG_ON(strcmp(fdt_node_name(ours, node), libfdt_get_name(blob, node, NULL)) != 0);
		BUG_ON(fdt_parent(ours, node) != parent);
		check_props(ours, blob, node);
		check_compatible(ours, blob, node);
		check_reg(ours, blob, node, parent);
		check_path(ours, blob, node);
		our_node = fdt_next_node(ours, our_node, &our_level);
	}
	BUG_ON(our_node >= 0);
}

/* The first node whose phandle is @phandle; libfdt also wants it to be exactly 4 bytes. */
static int oracle_phandle(const u8 *blob, u32 phandle)
{
	int len;

	for (int node = libfdt_next_node(blob, -1, NULL); node >= 0;
	     node = libfdt_next_node(blob, node, NULL)) {
		const u8 *data = libfdt_getprop(blob, node, "phandle", &len);

		if (data && len >= 4 && get_be32(data) == phandle)
			return node;
	}
	return -1;
}

static void check_searches(const struct fdt *ours, const u8 *blob)
{
	int len;

	BUG_ON(fdt_node_by_phandle(ours, 0x12345678) != oracle_phandle(blob, 0x12345678));
	for (int node = libfdt_next_node(blob, -1, NULL); node >= 0;
	     node = libfdt_next_node(blob, node, NULL)) {
		const u8 *data = libfdt_getprop(blob, node, "phandle", &len);

		if (data && len >= 4)
			BUG_ON(fdt_node_by_phandle(ours, get_be32(data)) !=
			       oracle_phandle(blob, get_be32(data)));
	}
	for (unsigned i = 0; i < ARRAY_SIZE(compatibles); i++) {
		int node = -1, found = fdt_node_by_compatible(ours, -1, compatibles[i]);

		while ((node = libfdt_next_node(blob, node, NULL)) >= 0) {
			if (!fdt_is_compatible(ours, node, compatibles[i]))
				continue;
			BUG_ON(node != found);
			found = fdt_node_by_compatible(ours, node, compatibles[i]);
		}
		BUG_ON(found != -1);
	}
}

static void check_reservations(const struct fdt *ours, const u8 *blob)
{
	int nr = libfdt_num_mem_rsv(blob);
	u64 addr, size;
	uint64_t lib_addr, lib_size;

	for (int i = 0; i < nr; i++) {
		BUG_ON(libfdt_get_mem_rsv(blob, i, &lib_addr, &lib_size) != 0);
		BUG_ON(!fdt_memreserve(ours, i, &addr, &size));
		BUG_ON(addr != lib_addr || size != lib_size);
	}
	/* libfdt takes any entry of size 0 for the last; that is only one of address 0 as well. */
	BUG_ON(nr >= 0 && fdt_memreserve(ours, nr, &addr, &size) && size != 0);
}

/* Everything that can be read, of a tree of which nothing is known. */
static void read_all(const struct fdt *ours)
{
	unsigned visited = 0;
	struct fdt_prop prop;
	u64 addr, size;
	u32 len;

	for (int node = fdt_next_node(ours, -1, NULL); node >= 0;
	     node = fdt_next_node(ours, node, NULL)) {
		BUG_ON(++visited > MAX_NODES);
		BUG_ON(strlen(fdt_node_name(ours, node)) > TREE_MAX);
		for (bool ok = fdt_first_prop(ours, node, &prop); ok;
		     ok = fdt_next_prop(ours, &prop)) {
			BUG_ON(strlen(prop.name) > TREE_MAX);
			BUG_ON(prop.len && memchr(prop.data, 0, prop.len) == ours);
			fdt_prop_string(ours, node, prop.name);
		}
		fdt_getprop(ours, node, "no-such", &len);
		fdt_parent(ours, node);
		fdt_reg(ours, node, 0, &addr, &size);
		fdt_reg(ours, node, 1, &addr, &size);
		fdt_node_by_compatible(ours, node, "riscv");
	}
	fdt_node_by_path(ours, "/soc/uart");
	fdt_node_by_phandle(ours, 1);
	visited = 0;
	while (fdt_memreserve(ours, visited, &addr, &size))
		BUG_ON(++visited > TREE_MAX);
}

/* libfdt is content without a root or with several; the reader, as the specification, is not. */
static bool has_one_root(const u8 *blob)
{
	const u8 *structure = blob + get_be32(blob + 8);
	int node, level = -1;

	if (get_be32(structure) != FDT_BEGIN_NODE)
		return false;
	for (node = libfdt_next_node(blob, -1, &level); level >= 0;)
		node = libfdt_next_node(blob, node, &level);
	while (get_be32(structure + node) == FDT_NOP)
		node += FDT_TAGSIZE;
	return get_be32(structure + node) == FDT_END;
}

/*
 * Every token leads on to the next, and the last one is an end. libfdt 1.6.1 adds a length of -12
 * as it is, and then its walks meet the same property for ever.
 */
static bool leads_on(const u8 *blob)
{
	int off = 0, next;

	while (libfdt_next_tag(blob, off, &next) != FDT_END) {
		if (next <= off)
			return false;
		off = next;
	}
	return next >= 0;
}

/* libfdt says that all is well, and it speaks of trees as the reader knows them. */
static bool in_order(const u8 *blob, size_t size)
{
	/* In this order: libfdt 1.6.1 falls over damaged trees of the older versions. */
	return get_be32(blob + 20) >= OLDEST && libfdt_check_header(blob) == 0 &&
	       fdt_blob_size(blob) <= size && leads_on(blob) &&
	       libfdt_check_full(blob, size) == 0 && has_one_root(blob);
}

/* @cut: how many bytes the reader is told to be fewer than there are. */
static void compare(size_t cut)
{
	size_t size;
	u8 *blob = finished(&size), *short_blob;
	struct fdt ours;
	int err;

	short_blob = malloc(size - min(cut, size));
	memcpy(short_blob, blob, size - min(cut, size));
	err = fdt_open(&ours, short_blob, size - min(cut, size));
	if (!err)
		read_all(&ours);
	free(short_blob);

	err = fdt_open(&ours, blob, size);
	if (in_order(blob, size)) {
		BUG_ON(err);
		check_nodes(&ours, blob);
		check_searches(&ours, blob);
		check_reservations(&ours, blob);
	} else {
		BUG_ON(nr_damages == 0 && get_be32(blob) == FDT_MAGIC);
		if (!err)
			read_all(&ours);
	}
	free(blob);
}

static void start(void)
{
	new_tree();
}

static const char *node_name(const struct fuzz_op *op)
{
	return node_names[op->a % ARRAY_SIZE(node_names)];
}

static struct damage damage_of(const struct fuzz_op *op)
{
	struct damage damage = {
		.kind = op->a & 0x300 ? op->a & 1 : PROP_OUT + (op->a & 1),
		.at = op->b,
		.value = op->c,
		.from_end = (op->a & 0xc00) == 0,
	};

	if (op->a & 2)
		damage.at %= 64; /* the header and what is next to it */
	if (op->a & 4)
		damage.value %= 16; /* tokens, small lengths */
	if (op->a & 8)
		damage.value = -damage.value; /* lengths that overflow */
	return damage;
}

static void step(const struct fuzz_op *op)
{
	switch (op->code) {
	case OP_BEGIN:
		if (in_reservations || (depth > 0 && depth < MAX_DEPTH))
			begin_node(tree, in_reservations ? "" : node_name(op));
		break;
	case OP_END:
		if (depth > 1 && libfdt_end_node(tree) == 0) {
			depth--;
			props_allowed = false;
		}
		break;
	case OP_PROP:
	case OP_PROP_TOO:
		add_prop(op);
		break;
	case OP_RESERVE:
		if (in_reservations)
			libfdt_add_reservemap_entry(tree, op->c, op->b);
		break;
	case OP_NEW:
		if (op->a % 8 == 0)
			new_tree();
		break;
	case OP_DAMAGE:
		if (op->a % 64 < 8)
			nr_damages = 0;
		else if (nr_damages < MAX_DAMAGE)
			damages[nr_damages++] = damage_of(op);
		break;
	default:
		compare(op->b % 64);
		break;
	}
}

static void end(void)
{
	compare(1);
	nr_damages = 0;
	compare(4);
}

static void print(FILE *out, const struct fuzz_op *op)
{
	static const char *const kinds[] = { "BYTE", "WORD", "PROP_OUT", "NODE_OUT" };
	struct damage damage = damage_of(op);
	u8 value[64];
	unsigned len;

	switch (op->code) {
	case OP_BEGIN:
		fprintf(out, "\tbegin_node(tree, \"%s\");\n", node_name(op));
		break;
	case OP_END:
		fprintf(out, "\tend_node(tree);\n");
		break;
	case OP_PROP:
	case OP_PROP_TOO:
		len = prop_value(op, prop_names[op->a % NR_BUILT_PROPS], value);
		fprintf(out, "\tproperty(tree, \"%s\", \"", prop_names[op->a % NR_BUILT_PROPS]);
		for (unsigned i = 0; i < len; i++)
			fprintf(out, "\\x%02x", value[i]);
		fprintf(out, "\", %u);\n", len);
		break;
	case OP_RESERVE:
		fprintf(out, "\treserve(tree, 0x%lx, 0x%x);\n", (unsigned long)op->c, op->b);
		break;
	case OP_NEW:
		fprintf(out, "\t/* perhaps a new tree */\n");
		break;
	case OP_DAMAGE:
		fprintf(out, "\tdamage(%s, %u, 0x%x, %d); /* at, value, from the end? */\n",
			kinds[damage.kind], damage.at, damage.value, damage.from_end);
		break;
	default:
		fprintf(out, "\tcompare(%u);\n", op->b % 64);
		break;
	}
}

const struct fuzz_target fuzz_target = {
	.name = "fdt",
	.nr_codes = NR_CODES,
	.default_ops = 15000,
	.start = start,
	.step = step,
	.end = end,
	.print = print,
};
