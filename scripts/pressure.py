# pressure.py - a small machine with a swap disk, and programs that want more than it has.
#
#   usr/host/pressure.c: private, shared and file memory, twice what there is, with checksums
#   overfill: one working set of eight times what there is; and two when swap is full as well
#   thrash: says of a set that fits, and of one that does not, what they are
#   powercut.py --pressure: the power goes while files are written back because memory is needed
#
# Invariants: a machine that is short of memory is slow, not wrong; nothing leaks, no slot stays.
import os
import re
import tempfile

import fsck
import guestmem
import machine
import powercut

PROGRAMS = ("bin/init", "bin/sh", "bin/mkswap", "bin/swapon", "bin/swapoff", "bin/cat",
            "bin/echo", "host/pressure")
SWAP_ON = "mkswap /dev/vdb >/dev/null && swapon /dev/vdb && "
# Swap is used once before the first look, and the second counts: what stays for good is there.
LINE = SWAP_ON + "swapoff /dev/vdb && { %s%s} && echo PRESSURE && swapon /dev/vdb && " \
    "/host/pressure && cat /proc/vmstat && swapoff /dev/vdb && echo OVER && { %s%s}" \
    % ((guestmem.LOOK,) * 4)
# Objects that may be more or fewer, and by how many; all others are the same. drivers/block.c keeps
# 32 bios and fs/mpage.c 8 batches, to write without asking for memory, and a few are under way; the
# nodes are those over the pages of programs' files, of which only those in use came back.
SPARE_OBJECTS = {"bio": 40, "mpage_batch": 12, "radix_node": 4}
# One of the two large ones is killed, the others end well; who started them is there to tell.
FULL = SWAP_ON + "{ overfill -r 4 20 & small=$!; overfill 56 & one=$!; overfill 56; two=$?; " \
    "wait $one; echo large $(($? + two)); wait $small; echo small $?; " \
    "swapoff /dev/vdb; cat /proc/swaps; }"
MEMORY, SWAP, DISK_MIB = "64M", "256M", 128
SEEDS, POINTS = 5, 8


def happened(output, counter):
    """What a counter of /proc/vmstat in the output says."""
    words = output.split()
    return int(words[words.index(counter) + 1]) if counter in words else 0


def left_over(output):
    """Before the pressure and after it: None, or what is not the same."""
    before, after = (guestmem.table(part) for part in output.partition("PRESSURE\n")[::2])
    if "memory" not in before or "task" not in before or "memory" not in after:
        return "what the guest says of its memory makes no sense: %r, %r" % (before, after)
    wrong = ["%s: %d, after the pressure %d" % (key, value, after.get(key, 0))
             for key, value in before.items()
             if (key not in guestmem.LINES or key == "PageTables")
             and abs(after.get(key, 0) - value) > SPARE_OBJECTS.get(key, 0)]
    return "; ".join(wrong) or None


def examine(smp, seed):
    """None, or words about what is wrong."""
    with tempfile.TemporaryDirectory(prefix="pressure.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, PROGRAMS, "", slack_mib=DISK_MIB)
        status, output = machine.run(disk, LINE, SMP=smp, MEM=MEMORY, SWAP=SWAP, SEED=seed)
        if status:
            return "status %d: %s" % (status, output[-3000:])
        for counter in ("pswpin", "pswpout", "pgwriteback"):
            if happened(output, counter) < 1000:
                return "%s: %d: there was no pressure" % (counter, happened(output, counter))
        return left_over(output) or fsck.check(disk)


def working_set(smp):
    """Eight times memory, all of it written, read and changed. None or words."""
    status, output = machine.run_exec(SWAP_ON + "overfill -v 512 && cat /proc/vmstat && "
                                      "echo 1 >/proc/sys/vm/check_all",
                                      SMP=smp, MEM="64M", SWAP="640M")
    if status:
        return "status %d: %s" % (status, output[-2000:])
    if not happened(output, "workingset_refault_anon"):
        return "no page that came back counts as a refault"
    return None


def thrashing():
    """The demo says which set fits, and that one and a half of memory does not. None or words."""
    status, output = machine.run_exec(SWAP_ON + "thrash -t 1 50 150", SMP="2", MEM=MEMORY,
                                      SWAP=SWAP)
    said = dict(re.findall(r"^ *(50|150)% .*\d  ([a-z]+)", output, re.M))
    if status or said != {"50": "fits", "150": "thrashing"}:
        return "status %d: %s" % (status, output[-2000:])
    return None


def swap_full(smp):
    """Memory and swap are both used up. None or words."""
    status, output = machine.run_exec(FULL, SMP=smp, MEM="64M", SWAP="32M")
    words = machine.without_debug(output).split()
    expected = ("oom: killed", "large 1\n", "small 0\n")
    if status or words[-1:] != ["Priority"] or any(word not in output for word in expected):
        return "status %d: %s" % (status, output[-3000:])
    return None


def power_cuts(smp, seed):
    """The power goes under pressure, with SEEDS seeds. None or words."""
    for number in range(SEEDS):
        wrong = powercut.examine(str(int(seed) + number), POINTS, rounds=120, pressure=True,
                                 SMP=smp)[0]
        if wrong:
            return wrong
    return None
