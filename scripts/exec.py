# exec.py - runs one line of the guest's shell: the work of scripts/exec 'command line'
#
# Builds what is missing, boots, runs the line by /bin/sh, powers off, and ends with the line's own
# exit status (128 + n: killed by signal n; 125: the kernel panicked; 124: no output for
# TIMEOUT_IDLE seconds). The guest's console goes to standard output; V=1 adds the boot log.
# MEM SMP ICOUNT SEED APPEND QEMU_EXTRA ROOTFS are taken from the environment, as make takes them.
# CHECK_DISK=1: status 123 when e2fsck finds fault with the disk that the run left, or the debug
# kernel has found a leak (scripts/test).
import os
import sys

import machine


def main():
    if len(sys.argv) != 2 or not sys.argv[1]:
        sys.exit("usage: scripts/exec 'command line'")
    if os.environ.get("ROOTFS"):
        os.environ["ROOTFS"] = os.path.abspath(os.environ["ROOTFS"])
    machine.encode(sys.argv[1])  # refuse what is too long before building
    with machine.private_disk() as disk, machine.guest(disk, sys.argv[1]) as guest:
        for chunk in machine.without_firmware(guest.output()):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
        unclean = machine.disk_verdict(guest, disk) if machine.is_set("CHECK_DISK") else None
    if unclean:
        print("exec: the disk is not clean: " + unclean, file=sys.stderr)
        return machine.EXIT_UNCLEAN
    if machine.is_set("CHECK_DISK") and machine.leak_verdict(guest):
        print("exec: " + machine.leak_verdict(guest), file=sys.stderr)
        return machine.EXIT_UNCLEAN
    if guest.idle:
        print("exec: no output for %g seconds (TIMEOUT_IDLE): the machine was stopped"
              % machine.idle_limit(), file=sys.stderr)
    return guest.status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
