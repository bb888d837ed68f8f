/*
 * machine.h - what the device tree told of this machine, kept from the boot on; only read
 * afterwards.
 */
#ifndef RAVEL_ARCH_MACHINE_H
#define RAVEL_ARCH_MACHINE_H

#include "arch/riscv/hart.h"
#include "arch/riscv/memlayout.h"

#define CMDLINE_MAX	 4096
#define MAX_VIRTIO_SLOTS 32
#define MAX_UNMAPPED_RAM 16
#define MAX_RNG_SEED	 64
#define NO_PLIC_CONTEXT	 (~0u)

/* A device's registers; base 0 and size 0: there is none. */
struct machine_device {
	phys_addr_t base, size; /* bytes */
	u32 irq;		/* PLIC source, 0: none */
};

struct ram_range {
	phys_addr_t start, end; /* end exclusive */
};

struct machine {
	u64 timebase_hz;
	bool has_sstc; /* on every hart */
	struct machine_device uart, plic, finisher, rtc;
	u32 uart_reg_shift;
	u32 plic_context[MAX_HARTS]; /* supervisor context of each logical hart */
	unsigned nr_virtio;
	struct machine_device virtio[MAX_VIRTIO_SLOTS];
	/* RAM that the kernel neither uses nor maps: the firmware's, and what the tree reserves. */
	unsigned nr_unmapped;
	struct ram_range unmapped[MAX_UNMAPPED_RAM];
	u8 rng_seed[MAX_RNG_SEED];
	size_t rng_seed_len;
	char cmdline[CMDLINE_MAX];
};

extern struct machine machine;

/*
 * Boot hart, first of all: reads the device tree into `machine`, harts[], early_ram and
 * early_reserved, and readies the clock. Panics without memory or with a tree it cannot read.
 */
void arch_setup(void);

/*
 * After paging_init(): maps and readies finisher, UART, PLIC and clock chip; the console moves from
 * the firmware to the UART. Interrupts stay off until the caller turns them on.
 */
void arch_devices_init(void);

/*
 * Looks for the word @name or name=value on the kernel's command line; the last one counts. True
 * when it is there: @buf (may be NULL) gets the value, cut to @size with its NUL, "" without one.
 */
bool cmdline_option(const char *name, char *buf, size_t size);

#endif
