/*
 * sbi.h - calls into the firmware (OpenSBI), which runs in machine mode below the kernel.
 *
 *	a7 = extension, a6 = function, a0.. = arguments   ecall   a0 = error, a1 = value
 *
 * Source: RISC-V Supervisor Binary Interface specification 1.0.
 */
#ifndef RAVEL_ARCH_SBI_H
#define RAVEL_ARCH_SBI_H

#include "lib/types.h"

#define SBI_EXT_PUTCHAR 0x1 /* legacy: one character to the firmware's console */
#define SBI_EXT_BASE	0x10
#define SBI_EXT_TIME	0x54494d45
#define SBI_EXT_IPI	0x735049
#define SBI_EXT_RFENCE	0x52464e43
#define SBI_EXT_HSM	0x48534d
#define SBI_EXT_SRST	0x53525354
#define SBI_EXT_DBCN	0x4442434e

#define SBI_BASE_PROBE	      3
#define SBI_RFENCE_FENCE_I    0
#define SBI_RFENCE_SFENCE_VMA 1
#define SBI_HSM_START	      0
#define SBI_SRST_SHUTDOWN     0
#define SBI_SRST_COLD_REBOOT  1
#define SBI_DBCN_WRITE_BYTE   2

struct sbiret {
	long error; /* 0, or a negative SBI code (not an errno) */
	long value;
};

static inline struct sbiret sbi_call(long ext, long fn, unsigned long arg0, unsigned long arg1,
				     unsigned long arg2, unsigned long arg3)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a3 __asm__("a3") = arg3;
	register unsigned long a6 __asm__("a6") = fn;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ volatile("ecall"
			 : "+r"(a0), "+r"(a1)
			 : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
			 : "memory");
	return (struct sbiret){ (long)a0, (long)a1 };
}

/* True when the firmware offers extension @ext. */
static inline bool sbi_probe(long ext)
{
	struct sbiret ret = sbi_call(SBI_EXT_BASE, SBI_BASE_PROBE, ext, 0, 0, 0);

	return ret.error == 0 && ret.value != 0;
}

/* One character by the firmware, for the time before there is a UART. */
static inline void sbi_putchar(char c)
{
	sbi_call(SBI_EXT_PUTCHAR, 0, (unsigned char)c, 0, 0, 0);
}

#endif
