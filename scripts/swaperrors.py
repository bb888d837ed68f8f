# swaperrors.py - a swap disk that fails (QEMU's blkdebug), and what the guest makes of it.
#
#   an area made here --> rules for blkdebug: slot BAD, all, its header --> usr/host/swaperrors.c
#
# Invariants: the machine goes on, and switches itself off; its own disk is clean.
import os
import struct
import tempfile

import fsck
import ktap
import machine

PROGRAMS = ("bin/init", "bin/sh", "host/swaperrors")
BAD = 100                    # as in usr/host/swaperrors.c
PAGE, PAGES = 4096, 4096
SOURCE = os.path.join(machine.ROOT, "usr", "host", "swaperrors.c")

# kind of TEST: what fails (read, write), and from which sector on; -1: everywhere
RULES = {"read": ("read", BAD * 8), "write": ("write", BAD * 8), "dead": ("write", -1),
         "header": ("read", 0)}


def make_area(path):
    """A swap area of PAGES pages in the format of mkswap(8)."""
    header = bytearray(PAGE)
    struct.pack_into("<III", header, 1024, 1, PAGES - 1, 0)
    header[-10:] = b"SWAPSPACE2"
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(PAGES * PAGE)


def drive(kind, path):
    """QEMU's options for that disk."""
    iotype, sector = RULES[kind]
    words = ["driver=blkdebug", "image.driver=file", "image.filename=" + path]
    words += ["inject-error.0." + word for word in (
        "event=none", "iotype=" + iotype, "errno=5", "sector=%d" % sector, "once=off")]
    return ",".join(words)


def tests(kind):
    """The names of usr/host/swaperrors.c's TESTs of this kind."""
    with open(SOURCE) as source:
        found = [line[5:].rstrip(")\n") for line in source if line.startswith("TEST(")]
    return [name for name in found if name.startswith(kind + "_")]


def examine(kind, smp):
    """Run the tests of one kind. None or words."""
    with tempfile.TemporaryDirectory(prefix="swaperrors.", dir=machine.BUILD) as work:
        disk, area = os.path.join(work, "disk.img"), os.path.join(work, "area.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, PROGRAMS, "")
        make_area(area)
        names = tests(kind)
        status, output = machine.run(disk, "/host/swaperrors " + " ".join(names), SMP=smp,
                                     SWAP_DRIVE=drive(kind, area))
        passed = [name for name in names if "- " + name + "\n" in output]
        if status or len(passed) != len(names) or ktap.KERNEL.search(output):
            return "status %d: %s" % (status, output[-3000:])
        return fsck.check(disk)
