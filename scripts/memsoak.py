# memsoak.py - a machine that is short of memory for half an hour, and what it has left at the end:
# a part of `make soak`.
#
#   one boot:  mkswap, swapon, then /host/pressure with one seed after the other: fork storms,
#              mapped files, shared memory, twice as much of each as there is
#              after each round: caches dropped, then /proc/meminfo and /proc/slabinfo
#
# Flat: from the first round, which warms things up, to the last, free memory, free swap and the
# objects of each cache differ by no more than SLACK. Within a round usr/lib/test.c compares them
# before and after each TEST.
import os
import re
import tempfile

import fsck
import machine
import pressure

PROGRAMS = pressure.PROGRAMS + ("bin/date", "bin/echo")
LINE = "mkswap /dev/vdb >/dev/null && swapon /dev/vdb || exit 9; " \
    "end=$(($(date +%%s) + %d)); n=0; while [ $(date +%%s) -lt $end ] || [ $n -lt 2 ]; do " \
    "SEED=$((%d + n)) /host/pressure || exit; echo 3 >/proc/sys/vm/drop_caches; " \
    "echo round $n; cat /proc/meminfo /proc/slabinfo; echo; n=$((n + 1)); done; swapoff /dev/vdb"
# KiB of memory, KiB of swap, objects: lists of each hart, and pages of init and sh, which may be in
# memory the one time and swapped out the other.
SLACK_KIB, SLACK_SWAP_KIB, SLACK_OBJECTS = 512, 512, 32


def rounds_of(text):
    """[{"MemFree": KiB, "SwapFree": KiB, cache: objects}], a table for each round."""
    tables = []
    for part in re.split(r"^round \d+$", text, flags=re.M)[1:]:
        table = {}
        for key, number in re.findall(r"^(MemFree|SwapFree): +(\d+) kB$", part, flags=re.M):
            table[key] = int(number)
        for cache, number in re.findall(r"^([a-z][\w-]*) +(\d+) +\d+ +\d+ +\d+ +\d+ : tunables",
                                        part, flags=re.M):
            table[cache] = int(number)
        tables.append(table)
    return tables


def slack_of(key):
    return {"MemFree": SLACK_KIB, "SwapFree": SLACK_SWAP_KIB}.get(key, SLACK_OBJECTS)


def judge(tables):
    """None, or what is not flat."""
    if len(tables) < 2 or "MemFree" not in tables[0] or "task" not in tables[0]:
        return "%d rounds; what the first says makes no sense: %r" % (len(tables), tables[:1])
    first, last = tables[0], tables[-1]
    wrong = ["%s: %d after the first round, %s after the last" % (key, first.get(key, 0), now)
             for key, now in last.items() if abs(now - first.get(key, 0)) > slack_of(key)]
    return "; ".join(wrong) or None


def examine(minutes, seed, progress=None, **environment):
    """Returns (None or words about what is wrong, a summary)."""
    os.environ.setdefault("TIMEOUT_IDLE", "300")
    environment = dict({"MEM": pressure.MEMORY, "SWAP": pressure.SWAP}, **environment)
    with tempfile.TemporaryDirectory(prefix="memsoak.", dir=machine.BUILD) as work:
        disk = os.path.join(work, "disk.img")
        with machine.locked_build():
            machine.make("all")
            machine.make_disk(disk, PROGRAMS, "", slack_mib=pressure.DISK_MIB)
        text = b""
        with machine.guest(disk, LINE % (minutes * 60, seed), **environment) as guest:
            for chunk in machine.without_firmware(guest.output()):
                before, text = len(re.findall(rb"^round", text, re.M)), text + chunk
                if progress and len(re.findall(rb"^round", text, re.M)) > before:
                    progress(before + 1)
        text = text.decode(errors="replace")
        tables = rounds_of(text)
        if guest.idle:
            return "stopped: nothing was printed for too long: %s" % text[-3000:], ""
        if guest.status:
            return "status %d: %s" % (guest.status, text[-3000:]), ""
        return (judge(tables) or machine.leak_verdict(guest) or fsck.check(disk),
                "%d rounds" % len(tables))
