# oom.py - memory runs out, and allocations that fail: from outside.
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
#   oom-smpN            usr/tests/oom.c in a machine of 64 MiB, and the shell that started it lives
#   fail-every-100th    the programs of usr/tests/ while each 100th allocation of pages fails, for
#                       whoever asks. They may fail with ENOMEM; the machine may not panic, hang,
#                       kill somebody for memory, break an invariant or leave an object behind
import functools
import os
import re

import machine
from machine import run_exec

MEMORY = "64M"
NTH = 100
# What they leave when they fail half-way would be missed by the others (a full disk); or they take
# all memory; or they wait, until they are ended, for bytes of a child that could not be started.
LEFT_OUT = {"diskfull", "oom", "fragment", "race", "exec", "locks"}
ASK_FOR_IT = {"fault"}  # programs with a test that takes all memory there is
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
    return sorted(name[:-2] for name in os.listdir(os.path.join(machine.ROOT, "usr", "tests"))
                  if name.endswith(".c") and name[:-2] not in LEFT_OUT)


def number(text, name):
    found = re.search(r"^%s +(\d+)" % re.escape(name), text, re.M)
    return int(found.group(1)) if found else None


def fails_often():
    names = programs()
    line = ("cat /proc/slabinfo; echo BEGIN; echo %d >/proc/sys/vm/fail_page_alloc; "
            "for t in %s; do runtests $t; done; "
            "echo 0 >/proc/sys/vm/fail_page_alloc; echo 1 >/proc/sys/vm/check_all && echo SOUND; "
            "echo END; cat /proc/slabinfo /proc/vmstat" % (NTH, " ".join(names)))
    # The same failures each time, as far as the disk of the host lets them be.
    status, output = run_exec(line, SMP="1", APPEND="ravel.seed=" + os.environ.get("SEED", "1"))
    before, _, rest = output.partition("BEGIN\n")
    during, _, after = rest.rpartition("END\n")
    if status != 0 or not during.endswith("SOUND\n"):
        return "expected status 0 and sound memory, got %d and %s" % (status, tail_of(output))
    begun = len(re.findall(r"^KTAP version 1$", during, re.M))
    if begun < len(names) / 2:
        return "only %d of %d programs could be started" % (begun, len(names))
    wrong = ["%s: %d objects, then %d" % (name, number(before, name), number(after, name))
             for name in CACHES if number(before, name) != number(after, name)]
    killed = set(re.findall(r"^oom: killed \d+ \((\w+)\)", during, re.M)) - ASK_FOR_IT
    if killed:
        wrong.append("killed for memory: " + ", ".join(sorted(killed)))
    if not number(after, "alloc_fail_injected"):
        wrong.append("no allocation failed")
    return "; ".join(wrong) or None


CHECKS = {"oom-smp" + smp: functools.partial(runs_out, smp) for smp in ("1", "4")}
CHECKS["fail-every-%dth" % NTH] = fails_often
