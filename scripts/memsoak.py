# memsoak.py - a machine that is short of memory for half an hour, and what it has left at the end:
# a part of `make soak`.
#
#   one boot:  mkswap, swapon, then /host/pressure with one seed after the other: fork storms,
#              mapped files, shared memory, twice as much of each as there is
#              after each round: caches dropped, then /proc/meminfo and /proc/slabinfo
#
# Flat: from the first round, which warms things up, to the last, free memory, free swap and the
# objects of each cache differ by no more than SLACK; and from the first third of the rounds to the
# last third, in the mean, memory (guestmem.py), free swap and objects by no more than TREND and the
# noise, which a leak of two pages in each round does not pass:
#
#     | o   o  o   o   o        a round may be high or low: what init and sh have in memory the one
#     |  o o  o  o  o    o  o   time is in swap the other
#     |            o  o   o     but the mean of a third is the surer, the more rounds it is of
#
# Noise: NOISE times the standard error of the difference of both means, from what the rounds within
# each third differ by.
#
# Within a round usr/lib/test.c compares them before and after each TEST.
import os
import re
import statistics
import tempfile

import fsck
import guestmem
import machine
import pressure

PROGRAMS = pressure.PROGRAMS + ("bin/date",)
LINE = "mkswap /dev/vdb >/dev/null && swapon /dev/vdb || exit 9; " \
    "end=$(($(date +%%s) + %d)); n=0; while [ $(date +%%s) -lt $end ] || [ $n -lt 2 ]; do " \
    "SEED=$((%d + n)) /host/pressure || exit; echo round $n; " + guestmem.LOOK + \
    "echo; n=$((n + 1)); done; swapoff /dev/vdb"
# KiB of memory, KiB of swap, objects: lists of each hart, and pages of init and sh, which may be in
# memory the one time and swapped out the other.
SLACK_KIB, SLACK_SWAP_KIB, SLACK_OBJECTS = 512, 512, 32
SLACK = {"MemFree": SLACK_KIB, "memory": SLACK_KIB, "SwapFree": SLACK_SWAP_KIB}
# The same of the means, beside noise. Fewer rounds than TREND_ROUNDS say nothing about it.
TREND = {"memory": 16, "SwapFree": 16}
TREND_OBJECTS, TREND_ROUNDS, NOISE = 1, 15, 4


def rounds_of(text):
    """[what guestmem.table() says], a table for each round."""
    return [guestmem.table(part) for part in re.split(r"^round \d+$", text, flags=re.M)[1:]]


def compared(tables):
    """The keys that are looked at: sums, free swap, objects. Parts of memory turn into another."""
    return sorted({key for table in tables for key in table
                   if key in SLACK or key not in guestmem.LINES})


def drift(first, last):
    """(by how much the mean of the numbers of @last is larger, how much of that is noise)"""
    error = sum(statistics.variance(part) / len(part) for part in (first, last)) ** 0.5
    return statistics.fmean(last) - statistics.fmean(first), NOISE * error


def trend(tables):
    """Words about each key that rises or falls from the first third of the rounds to the last."""
    third = (len(tables) - 1) // 3
    if len(tables) < TREND_ROUNDS:
        return []
    wrong = []
    for key in compared(tables):
        if key == "MemFree":
            continue  # what is in caches the one time and not the other is memory's to tell
        numbers = [table.get(key, 0) for table in tables]
        change, noise = drift(numbers[1:1 + third], numbers[-third:])
        if abs(change) > TREND.get(key, TREND_OBJECTS) + noise:
            wrong.append("%s: the mean of the last %d rounds is %+.1f beside that of the first, "
                         "noise is %.1f" % (key, third, change, noise))
    return wrong


def judge(tables):
    """None, or what is not flat."""
    if len(tables) < 2 or "memory" not in tables[0] or "task" not in tables[0]:
        return "%d rounds; what the first says makes no sense: %r" % (len(tables), tables[:1])
    first, last = tables[0], tables[-1]
    wrong = ["%s: %d after the first round, %d after the last"
             % (key, first.get(key, 0), last.get(key, 0)) for key in compared([first, last])
             if abs(last.get(key, 0) - first.get(key, 0)) > SLACK.get(key, SLACK_OBJECTS)]
    return "; ".join(wrong + trend(tables)) or None


def examine(minutes, seed, progress=None, **environment):
    """Returns (None or words about what is wrong, a summary)."""
    os.environ["TIMEOUT_IDLE"] = os.environ.get("TIMEOUT_IDLE") or "300"
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
