# diskchecks.py - the checks of `make test` that look at a disk from outside of the guest.
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
# Each runs with 1 hart and with 4 (SMP=n: only n), and where the layout matters with 1 KiB and with
# 4 KiB blocks; the names of the combinations are "powercut-1k-smp4" and so on.
import functools
import os
import tempfile

import diskerrors
import fsck
import machine
import mapstore
import mutate
import outside
import powercut

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
        yield "small-blocks-smp" + smp, functools.partial(small_blocks, smp)
        yield "damaged-disks-smp" + smp, functools.partial(mutate.examine, seed(), IMAGES, SMP=smp)


CHECKS = dict(_checks())
