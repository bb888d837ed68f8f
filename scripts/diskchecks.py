# diskchecks.py - the checks of `make test` that look at a disk from outside of the guest.
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
# Each runs with 1 hart and with 4 (SMP=n: only n), and where the layout matters with 1 KiB and with
# 4 KiB blocks; the names of the combinations are "powercut-1k-smp4" and so on.
import functools
import os
import re
import subprocess
import tempfile

import diskerrors
import ext2
import fsck
import machine
import mapstore
import mutate
import outside
import powercut
import pressure
import swaperrors

POINTS = 30   # power cuts of one recorded run
IMAGES = 28   # damaged images of one machine check: four boots
BLOCKS = {"4k": 4096, "1k": 1024}
# Tests of files that are run again where a page has several blocks.
BLOCK_TESTS = ("fsync", "diskfull", "bigfile")


def seed():
    return os.environ.get("SEED") or "1"


def powercut_check(smp, block):
    return powercut.examine(seed(), POINTS, block, SMP=smp)[0]


def small_blocks(smp):
    """Run BLOCK_TESTS on a disk of 1 KiB blocks. None or words."""
    programs = ["bin/init", "bin/sh", "bin/runtests"] + ["tests/" + name for name in BLOCK_TESTS]
    with tempfile.TemporaryDirectory(prefix="blocks.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, programs, "", block=1024, slack_mib=32)
        status, output = machine.run(disk, "runtests " + " ".join(BLOCK_TESTS), SMP=smp,
                                     SEED=seed())
        return "status %d: %s" % (status, output[-2000:]) if status else fsck.check(disk)


TWO_DISKS = """\
mount /dev/vdb /mnt || exit 2
for i in 1 2 3 4; do for d in /root /mnt; do seq $i %d >$d/two$i || touch /root/bad & done; done
wait; sync
echo 3 >/proc/sys/vm/drop_caches
for i in 1 2 3 4; do cmp /root/two$i /mnt/two$i || touch /root/bad & done
wait; umount /mnt; cat /proc/diskstats; test ! -e /root/bad"""
LAST = 200000  # number of a file: 1.3 MB


def judge_two_disks(status, output, image):
    """What is wrong after TWO_DISKS, the second of which is @image; None: nothing."""
    if status:
        return "status %d: %s" % (status, output[-2000:])
    for name in ("vda", "vdb"):
        found = re.search(r" %s (\d+) 0 (\d+) 0 (\d+) 0 (\d+) 0 0 " % name, output)
        if not found or int(found.group(2)) * 512 < 4 << 20 or int(found.group(4)) * 512 < 4 << 20:
            return "expected 4 MiB and more read and written on %s, got %s" % (name, output)
    with ext2.Image(image) as disk:
        for first in range(1, 5):
            expected = "".join("%d\n" % n for n in range(first, LAST + 1)).encode()
            if disk.read(disk.lookup("/two%d" % first)) != expected:
                return "/two%d of the second disk has other bytes than were written" % first
    return fsck.check(image)


def two_disks(smp):
    """Files are written to two disks at once, and read again from both. None or words."""
    with tempfile.TemporaryDirectory(prefix="two.", dir=machine.BUILD) as work:
        image = os.path.join(work, "second.img")
        subprocess.run(["mke2fs", "-q", "-t", "ext2", "-O", "none,filetype,sparse_super", image,
                        "32M"], check=True, stdout=subprocess.DEVNULL)
        with machine.private_disk() as disk:
            status, output = machine.run(disk, TWO_DISKS % LAST, SMP=smp, SWAP="32M",
                                         SWAP_DISK=image)
            return judge_two_disks(status, output, image) or fsck.check(disk)


def swap_disk(smp):
    """SWAP=8M: the guest finds a second disk of that size, all zeros. None or words."""
    status, output = machine.run_exec("cat /proc/diskstats; cat /dev/vdb | wc -c; "
                                      "tr -d '\\000' </dev/vdb | wc -c", SMP=smp, SWAP="8M")
    words = machine.without_debug(output).split()
    if status == 0 and "vdb" in words and words[-2:] == [str(8 << 20), "0"]:
        return None
    return "status %d: %s" % (status, output[-2000:])


WRITTEN = b"".join(b"%d\n" % n for n in range(1, 200001))


def written_disk(smp):
    """What dd puts on /dev/vdb is on the host's disk, and nothing beside it. None or words."""
    with tempfile.TemporaryDirectory(prefix="written.", dir=machine.BUILD) as work:
        image = os.path.join(work, "second.img")
        with open(image, "wb") as file:
            file.write(b"x" * (4 << 20))
        with machine.private_disk() as disk:
            status, output = machine.run(
                disk, "seq 200000 | dd of=/dev/vdb bs=777 seek=1 status=none; mkswap /dev/vdb 40",
                SMP=smp, SWAP="4M", SWAP_DISK=image)
        with open(image, "rb") as file:
            found = file.read()
    page = found[:4096]
    expected = bytearray(b"x" * (4 << 20))
    expected[777:777 + len(WRITTEN)] = WRITTEN
    if status or page[-10:] != b"SWAPSPACE2":
        return "status %d: %s" % (status, output[-2000:])
    if found[4096:] != expected[4096:]:
        return "the disk has other bytes than were written"
    return None


def read_only_disk(smp):
    """A second disk that cannot be written: EROFS for who tries, and it is read. None or words."""
    with tempfile.TemporaryDirectory(prefix="readonly.", dir=machine.BUILD) as work:
        image = os.path.join(work, "second.img")
        with open(image, "wb") as file:
            file.write(b"x" * (1 << 20))
        status, output = machine.run_exec(
            "echo >/dev/vdb; tr -d x </dev/vdb | wc -c", SMP=smp,
            QEMU_EXTRA="-drive if=none,id=disk1,format=raw,readonly=on,file=%s"
                       " -device virtio-blk-device,drive=disk1" % image)
    words = machine.without_debug(output).split()
    if status == 0 and "Read-only file system" in output and words[-1] == "0":
        return None
    return "status %d: %s" % (status, output[-2000:])


def _checks():
    for smp in [os.environ["SMP"]] if os.environ.get("SMP") else ["1", "4"]:
        for size, block in BLOCKS.items():
            name = "-%s-smp%s" % (size, smp)
            yield "powercut" + name, functools.partial(powercut_check, smp, block)
            yield "tree-from-outside" + name, functools.partial(outside.examine, smp, block, seed())
            yield "mapped-from-outside" + name, functools.partial(mapstore.examine, smp, block)
        for kind in ("read", "write"):
            yield "disk-%s-errors-smp%s" % (kind, smp), functools.partial(
                diskerrors.examine, kind, smp)
        for kind in swaperrors.RULES:
            yield "swap-%s-errors-smp%s" % (kind, smp), functools.partial(
                swaperrors.examine, kind, smp)
        yield "two-disks-smp" + smp, functools.partial(two_disks, smp)
        yield "swap-disk-smp" + smp, functools.partial(swap_disk, smp)
        yield "written-disk-smp" + smp, functools.partial(written_disk, smp)
        yield "read-only-disk-smp" + smp, functools.partial(read_only_disk, smp)
        yield "pressure-smp" + smp, functools.partial(pressure.examine, smp, seed())
        yield "working-set-smp" + smp, functools.partial(pressure.working_set, smp)
        yield "swap-full-smp" + smp, functools.partial(pressure.swap_full, smp)
        yield "powercut-pressure-smp" + smp, functools.partial(pressure.power_cuts, smp, seed())
        yield "small-blocks-smp" + smp, functools.partial(small_blocks, smp)
        yield "damaged-disks-smp" + smp, functools.partial(mutate.examine, seed(), IMAGES, SMP=smp)


CHECKS = dict(_checks(), thrash=pressure.thrashing)
