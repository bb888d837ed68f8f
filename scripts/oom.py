# oom.py - memory runs out, and allocations that fail: from outside.
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
#   oom-smpN            usr/tests/oom.c in a machine of 64 MiB, and the shell that started it lives
#   fail-every-100th    all programs of usr/tests/ while each 100th allocation of pages fails, for
#                       whoever asks, with a second disk to swap to. They may fail with ENOMEM; the
#                       machine may not panic, hang, kill somebody for memory, break an invariant
#                       (no line mm_check:) or leave an object behind. One that could not be started
#                       is tried again: none is left out
import functools
import os
import re

import machine
from machine import run_exec

MEMORY = "64M"
SWAP = "64M"  # what swaps, and writes to a disk, runs too
NTH = 100
# Programs that take all memory there is, and whose processes are killed for it.
ASK_FOR_IT = {"fault", "oom"}
# Each TEST is run by itself, and what it leaves when it fails half-way is removed: a full disk.
ONE_BY_ONE = {"diskfull"}
TRIES = 4  # to start a program
# What a disk that has none is told when a test mounts it.
NO_FILE_SYSTEM = "ext2 (vdb): no ext2 file system"
CACHES = ("vm_area", "mm", "task", "file", "pipe", "files", "anon_root")  # usr/lib/testmem.c


def tail_of(output):
    return "..." + output[-2000:]


def runs_out(smp):
    """The killer's own tests; then the shell, which is older and smaller than the hogs, goes on."""
    status, output = run_exec("runtests oom; s=$?; echo the shell lives; exit $s", SMP=smp,
                              MEM=MEMORY)
    if status != 0 or "the shell lives\n" not in output:
        return "expected status 0 and a living shell, got %d and %s" % (status, tail_of(output))
    if "SKIP" in output or not re.search(r"^oom: killed \d+ \(oom\): \d+ pages", output, re.M):
        return "nobody was killed: " + tail_of(output)
    return None


def programs():
    """What runtests is asked to run: each program, or each TEST of it."""
    directory = os.path.join(machine.ROOT, "usr", "tests")
    for file in sorted(os.listdir(directory)):
        name, extension = os.path.splitext(file)
        if extension != ".c":
            continue
        if name not in ONE_BY_ONE:
            yield name
            continue
        with open(os.path.join(directory, file)) as source:
            for test in re.findall(r"^TEST\((\w+)\)", source.read(), re.M):
                yield name + "." + test


def number(text, name):
    found = re.search(r"^%s +(\d+)" % re.escape(name), text, re.M)
    return int(found.group(1)) if found else None


def fails_often():
    names = list(programs())
    line = ("cat /proc/slabinfo; echo BEGIN; echo %d >/proc/sys/vm/fail_page_alloc; "
            "for t in %s; do for n in %s; do runtests $t; [ $? -lt 2 ] && break; done; "
            "rm -rf /root/*.*; done; until echo 0 >/proc/sys/vm/fail_page_alloc; do :; done; "
            "echo 1 >/proc/sys/vm/check_all && echo SOUND; echo END; cat /proc/slabinfo "
            "/proc/vmstat" % (NTH, " ".join(names), " ".join(map(str, range(TRIES)))))
    # The same failures each time, as far as the disk of the host lets them be.
    status, output = run_exec(line, SMP="1", SWAP=SWAP,
                              APPEND="ravel.seed=" + os.environ.get("SEED", "1"))
    before, _, rest = output.partition("BEGIN\n")
    during, _, after = rest.rpartition("END\n")
    lost = [line for line in re.findall(r"^ext2 \(.*", during, re.M) if line != NO_FILE_SYSTEM]
    if status == machine.EXIT_UNCLEAN or lost:
        return "the disk is not clean: " + "; ".join(lost)
    if status != 0 or not during.endswith("SOUND\n"):
        return "expected status 0 and sound memory, got %d and %s" % (status, tail_of(output))
    broken = re.findall(r"^mm_check: .*", output, re.M)
    if broken:
        return "; ".join(broken[:5])
    begun = re.findall(r"^(?:not )?ok 1 - (\S+)(?! # could not start$)", during, re.M)
    missed = sorted(set(names) - set(begun))
    if missed:
        return "could not be started: " + ", ".join(missed)
    wrong = ["%s: %d objects, then %d" % (name, number(before, name), number(after, name))
             for name in CACHES if number(before, name) != number(after, name)]
    killed = set(re.findall(r"^oom: killed \d+ \((\w+)\)", during, re.M)) - ASK_FOR_IT
    if killed:
        wrong.append("killed for memory: " + ", ".join(sorted(killed)))
    if not number(after, "alloc_fail_injected"):
        wrong.append("no allocation failed")
    if not number(after, "pswpout"):
        wrong.append("nothing was swapped out")
    return "; ".join(wrong) or None


CHECKS = {"oom-smp" + smp: functools.partial(runs_out, smp) for smp in ("1", "4")}
CHECKS["fail-every-%dth" % NTH] = fails_often
