/*
 * uts.h - what the system calls itself: uname(2), /proc/version, /proc/sys/kernel.
 */
#ifndef RAVEL_KERNEL_UTS_H
#define RAVEL_KERNEL_UTS_H

#define UTS_SYSNAME    "Ravel"
#define UTS_NODENAME   "ravel"
#define UTS_RELEASE    "6.1.0-ravel" /* glibc's start-up refuses one older than its own */
#define UTS_VERSION    "#1 SMP"
#define UTS_MACHINE    "riscv64"
#define UTS_DOMAINNAME "(none)"

#endif
