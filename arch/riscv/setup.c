/*
 * setup.c - reading the machine from the device tree that the firmware hands over.
 *
 *	/memory, /reserved-memory, memreserve   --> early_ram, early_reserved, machine.unmapped
 *	/cpus                                   --> harts[] (boot hart first), timebase, Sstc
 *	ns16550a plic virtio,mmio test0 rtc     --> machine.*
 *	/chosen                                 --> machine.cmdline, machine.rng_seed
 *
 * The tree is input: lib/fdt.h checks every access, and values out of range are reported or left
 * out. Runs once, on the boot hart, before there is memory management: no locks.
 */
#include "arch/riscv/machine.h"

#include "arch/riscv/smp.h"
#include "arch/riscv/timer.h"
#include "drivers/finisher.h"
#include "drivers/plic.h"
#include "drivers/rtc.h"
#include "drivers/uart.h"
#include "kernel/console.h"
#include "kernel/panic.h"
#include "kernel/printk.h"
#include "lib/fdt.h"
#include "lib/string.h"
#include "mm/early.h"

/* What the early page table of head.S reaches. */
#define EARLY_LIMIT (8UL << 30)
#define DTB_MAX	    (4UL << 20)
/* The direct map ends where the vmap region begins. */
#define DIRECT_LIMIT (VMAP_BASE - PAGE_OFFSET)

#define S_EXTERNAL_IRQ 9

extern char _stext[], _end[];

unsigned long boot_hartid; /* head.S: what the firmware said */
phys_addr_t boot_dtb;

struct machine machine;

static bool node_enabled(const struct fdt *fdt, int node)
{
	const char *status = fdt_prop_string(fdt, node, "status");

	return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

/* ---- memory ---- */

/* RAM that is the firmware's: neither allocated nor mapped. */
static void keep_off(phys_addr_t start, phys_addr_t size)
{
	struct ram_range *range = &machine.unmapped[machine.nr_unmapped];

	if (size == 0 || start + size < start)
		return;
	if (early_reserve(start, size) != 0)
		panic("device tree: too many reserved ranges");
	if (machine.nr_unmapped == MAX_UNMAPPED_RAM) {
		printk("memory: 0x%lx is reserved, but stays mapped\n", start);
		return;
	}
	range->start = start & PAGE_MASK;
	range->end = PAGE_ALIGN(start + size);
	machine.nr_unmapped++;
}

static void add_ram_bank(u64 start, u64 size)
{
	phys_addr_t image = virt_to_phys(_stext);

	if (start >= DIRECT_LIMIT || start + size < start)
		return;
	size = min(size, DIRECT_LIMIT - start);
	if (early_add_ram(start, size) != 0)
		panic("device tree: too many memory banks");
	/* Below the kernel in its bank lies the firmware, whether the tree says so or not. */
	if (start < image && image - start < size)
		keep_off(start, image - start);
}

static void setup_memory(const struct fdt *fdt)
{
	int reserved = fdt_node_by_path(fdt, "/reserved-memory");
	u64 start, size;

	for (int node = fdt_next_node(fdt, -1, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		const char *type = fdt_prop_string(fdt, node, "device_type");

		if (type && strcmp(type, "memory") == 0 && node_enabled(fdt, node)) {
			for (unsigned i = 0; fdt_reg(fdt, node, i, &start, &size); i++)
				add_ram_bank(start, size);
		}
		if (reserved >= 0 && fdt_parent(fdt, node) == reserved) {
			for (unsigned i = 0; fdt_reg(fdt, node, i, &start, &size); i++)
				keep_off(start, size);
		}
	}
	for (unsigned i = 0; fdt_memreserve(fdt, i, &start, &size); i++)
		keep_off(start, size);
	if (early_reserve(virt_to_phys(_stext), _end - _stext) != 0 ||
	    early_reserve(boot_dtb, fdt->size) != 0)
		panic("device tree: too many reserved ranges");
	if (early_ram.nr == 0)
		panic("device tree: no memory");
}

/* ---- harts ---- */

/* True when extension @name is in riscv,isa-extensions, or multi-letter in riscv,isa. */
static bool hart_has(const struct fdt *fdt, int node, const char *name)
{
	const char *isa = fdt_prop_string(fdt, node, "riscv,isa");
	size_t n = strlen(name);
	u32 len = 0;
	const char *list = fdt_getprop(fdt, node, "riscv,isa-extensions", &len);

	for (u32 at = 0; list && at < len; at += strnlen(list + at, len - at) + 1) {
		if (strnlen(list + at, len - at) == n && memcmp(list + at, name, n) == 0)
			return true;
	}
	while (isa && (isa = strchr(isa, '_')) != NULL) {
		isa++;
		if (strncmp(isa, name, n) == 0 && (isa[n] == '\0' || isa[n] == '_'))
			return true;
	}
	return false;
}

/* True for a hart that can run this kernel: on, 64 bits with M and A, and an MMU that has Sv39. */
static bool hart_usable(const struct fdt *fdt, int node)
{
	const char *type = fdt_prop_string(fdt, node, "device_type");
	const char *isa = fdt_prop_string(fdt, node, "riscv,isa");
	const char *base = fdt_prop_string(fdt, node, "riscv,isa-base");
	const char *mmu = fdt_prop_string(fdt, node, "mmu-type");

	if (!type || strcmp(type, "cpu") != 0 || !node_enabled(fdt, node))
		return false;
	if (!mmu || strncmp(mmu, "riscv,sv", 8) != 0 || strcmp(mmu, "riscv,sv32") == 0)
		return false;
	return (isa && strncmp(isa, "rv64ima", 7) == 0) || (base && strcmp(base, "rv64i") == 0);
}

static void add_hart(const struct fdt *fdt, int node, unsigned long hartid)
{
	unsigned i = 0;

	if (hartid != boot_hartid) {
		i = nr_harts;
		if (i == MAX_HARTS) {
			printk("harts: %d are enough; hart %lu stays off\n", MAX_HARTS, hartid);
			return;
		}
		nr_harts++;
	}
	harts[i].id = i;
	harts[i].hartid = hartid;
	if (!hart_has(fdt, node, "sstc"))
		machine.has_sstc = false;
}

static void setup_harts(const struct fdt *fdt)
{
	int cpus = fdt_node_by_path(fdt, "/cpus");
	u64 hartid, size;
	u32 hz = 0;

	if (cpus < 0 || !fdt_prop_u32(fdt, cpus, "timebase-frequency", 0, &hz))
		panic("device tree: no timebase-frequency");
	machine.timebase_hz = hz;
	harts[0].hartid = boot_hartid;
	nr_harts = 1;
	machine.has_sstc = true;
	for (int node = fdt_next_node(fdt, cpus, NULL); node >= 0;
	     node = fdt_next_node(fdt, node, NULL)) {
		if (fdt_parent(fdt, node) == cpus && hart_usable(fdt, node) &&
		    fdt_reg(fdt, node, 0, &hartid, &size))
			add_hart(fdt, node, hartid);
	}
	for (unsigned i = 0; i < MAX_HARTS; i++)
		INIT_LIST_HEAD(&harts[i].timers);
}

/* ---- devices ---- */

static void read_device(const struct fdt *fdt, int node, struct machine_device *dev)
{
	u64 base, size;

	if (!fdt_reg(fdt, node, 0, &base, &size))
		return;
	*dev = (struct machine_device){ .base = base, .size = size };
	fdt_prop_u32(fdt, node, "interrupts", 0, &dev->irq);
}

/* The first enabled device that is compatible with @name; its node, or -1. */
static int find_device(const struct fdt *fdt, const char *name, struct machine_device *dev)
{
	int node = -1;

	while ((node = fdt_node_by_compatible(fdt, node, name)) >= 0) {
		if (node_enabled(fdt, node)) {
			read_device(fdt, node, dev);
			return node;
		}
	}
	return -1;
}

/* The logical hart whose interrupt controller has @phandle, or MAX_HARTS. */
static unsigned hart_of_intc(const struct fdt *fdt, u32 phandle)
{
	int cpu = fdt_parent(fdt, fdt_node_by_phandle(fdt, phandle));
	u64 hartid, size;

	if (cpu >= 0 && fdt_reg(fdt, cpu, 0, &hartid, &size)) {
		for (unsigned i = 0; i < nr_harts; i++) {
			if (harts[i].hartid == hartid)
				return i;
		}
	}
	return MAX_HARTS;
}

static void setup_plic(const struct fdt *fdt)
{
	int node = find_device(fdt, "sifive,plic-1.0.0", &machine.plic);
	u32 phandle, irq;

	for (unsigned i = 0; i < MAX_HARTS; i++)
		machine.plic_context[i] = NO_PLIC_CONTEXT;
	if (node < 0)
		node = find_device(fdt, "riscv,plic0", &machine.plic);
	for (u32 ctx = 0; node >= 0; ctx++) {
		unsigned hart;

		if (!fdt_prop_u32(fdt, node, "interrupts-extended", 2 * ctx, &phandle) ||
		    !fdt_prop_u32(fdt, node, "interrupts-extended", 2 * ctx + 1, &irq))
			return;
		hart = irq == S_EXTERNAL_IRQ ? hart_of_intc(fdt, phandle) : MAX_HARTS;
		if (hart < MAX_HARTS)
			machine.plic_context[hart] = ctx;
	}
}

static void setup_virtio(const struct fdt *fdt)
{
	int node = -1;

	while ((node = fdt_node_by_compatible(fdt, node, "virtio,mmio")) >= 0) {
		if (!node_enabled(fdt, node))
			continue;
		if (machine.nr_virtio == MAX_VIRTIO_SLOTS)
			break;
		read_device(fdt, node, &machine.virtio[machine.nr_virtio]);
		if (machine.virtio[machine.nr_virtio].size)
			machine.nr_virtio++;
	}
}

static void setup_devices(const struct fdt *fdt)
{
	int uart = find_device(fdt, "ns16550a", &machine.uart);

	machine.uart_reg_shift = 0;
	if (uart >= 0)
		fdt_prop_u32(fdt, uart, "reg-shift", 0, &machine.uart_reg_shift);
	if (machine.uart_reg_shift > 4 || machine.uart.size < (8UL << machine.uart_reg_shift))
		machine.uart = (struct machine_device){ 0 };
	find_device(fdt, "sifive,test0", &machine.finisher);
	find_device(fdt, "google,goldfish-rtc", &machine.rtc);
	setup_plic(fdt);
	setup_virtio(fdt);
}

static void setup_chosen(const struct fdt *fdt)
{
	int chosen = fdt_node_by_path(fdt, "/chosen");
	const char *args;
	const void *seed;
	u32 len = 0;

	if (chosen < 0)
		return;
	args = fdt_prop_string(fdt, chosen, "bootargs");
	if (args && strlcpy(machine.cmdline, args, CMDLINE_MAX) >= CMDLINE_MAX)
		printk("command line: longer than %d bytes, cut\n", CMDLINE_MAX - 1);
	seed = fdt_getprop(fdt, chosen, "rng-seed", &len);
	if (seed) {
		machine.rng_seed_len = min(len, MAX_RNG_SEED);
		memcpy(machine.rng_seed, seed, machine.rng_seed_len);
	}
}

void arch_setup(void)
{
	struct fdt fdt;

	harts[0].hartid = boot_hartid;
	if (boot_dtb % 8 != 0 || boot_dtb > EARLY_LIMIT - DTB_MAX ||
	    fdt_open(&fdt, phys_to_virt(boot_dtb), DTB_MAX) != 0)
		panic("the firmware gave no device tree at 0x%lx", boot_dtb);
	setup_chosen(&fdt);
	console_set_quiet(cmdline_option("quiet", NULL, 0));
	setup_harts(&fdt);
	timer_setup();
	setup_memory(&fdt);
	setup_devices(&fdt);
}

void arch_devices_init(void)
{
	finisher_init();
	plic_init();
	uart_init();
	rtc_init();
	pr_info("harts: %u, booted on %lu; timer by %s, timebase %lu Hz\n", nr_harts, boot_hartid,
		machine.has_sstc ? "stimecmp" : "SBI", (unsigned long)machine.timebase_hz);
	for (unsigned i = 0; i < early_ram.nr; i++)
		pr_info("memory: 0x%lx..0x%lx\n", early_ram.range[i].start, early_ram.range[i].end);
}

bool cmdline_option(const char *name, char *buf, size_t size)
{
	size_t n = strlen(name), len;
	bool found = false;

	for (const char *word = machine.cmdline; *word; word += len) {
		while (*word == ' ')
			word++;
		for (len = 0; word[len] && word[len] != ' '; len++)
			;
		if (len < n || memcmp(word, name, n) != 0 || (len > n && word[n] != '='))
			continue;
		found = true;
		if (buf && size)
			strlcpy(buf, len > n ? word + n + 1 : "", min(size, len > n ? len - n : 1));
	}
	return found;
}
