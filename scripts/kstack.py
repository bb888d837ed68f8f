# kstack.py - kernel stacks from outside: how they begin, grow, and end (docs/kernel-stacks.md).
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
# kernel/provokestack.c drives a stack to its limits; ravel.kstackpad= makes all of them grow.
import functools
import os
import re

import machine
from machine import run_exec

STACK_PAGES = 4
START_PAGES = 1  # mm/kstack.c
GROWN_AT_LEAST = 100  # pages, in the storm
STORM = "runtests kstack fork exec signals"


def vmstat(output, name):
    found = re.search(r"^%s (\d+)$" % name, output, re.M)
    return int(found.group(1)) if found else -1


def grows(cause):
    """A provocation that the kernel survives: init's stack has grown from one page to all."""
    status, output = run_exec("cat /proc/vmstat; echo here",
                              APPEND="kstack=1 ravel.panic=" + cause)
    if status != 0 or "here\n" not in output:
        return "expected `here` and status 0, got status %d and %r" % (status, output[-2000:])
    grown, deepest = vmstat(output, "kstack_grow"), vmstat(output, "kernel_stack_deepest")
    if grown < STACK_PAGES - 1 or deepest != STACK_PAGES:
        return "grown by %d pages, the deepest has %d" % (grown, deepest)
    return None


def overflows(pages):
    """However many pages there are at first: the report is the same."""
    status, output = run_exec("true", APPEND="kstack=%d ravel.panic=overflow" % pages)
    if status != machine.EXIT_PANIC or "overflow: task 1 (init) has used all 16384" not in output:
        return "expected status %d and the overflow, got %d and %r" % (
            machine.EXIT_PANIC, status, output[-2000:])
    return None


def boots_with(value, expected, refused):
    """kstack=value: that many pages at first, or a message and the usual number."""
    status, output = run_exec("cat /proc/vmstat", APPEND="kstack=" + value)
    said = "kstack=%s: must be 1 to %d pages" % (value, STACK_PAGES) in output
    deepest = vmstat(output, "kernel_stack_deepest")
    if status != 0 or said != refused or deepest < expected:
        return "status %d, %srefused, deepest %d" % (status, "" if said else "not ", deepest)
    return None


def storms(smp):
    """Stacks that begin with one page, most of it used: they grow everywhere."""
    pad = "kstack=1 ravel.kstackpad=" + os.environ.get("SEED", "7")
    status, output = run_exec(STORM + "; s=$?; cat /proc/vmstat; exit $s", SMP=smp, APPEND=pad)
    if status != 0:
        return "expected status 0, got %d and %s" % (status, output[-3000:])
    grown = vmstat(output, "kstack_grow")
    return None if grown >= GROWN_AT_LEAST else "stacks have grown by only %d pages" % grown


def grows_without_memory():
    """Processes come and grow while another takes all there is, until it is killed."""
    line = ("yes abcdefghijklmnop | sort >/dev/null & for k in 1 2 3 4 5 6; do"
            " for i in 1 2 3 4 5 6 7 8 9 10; do (ls -lR /bin | cat >/dev/null) & done;"
            " sleep 1; done; wait; cat /proc/vmstat")
    status, output = run_exec(line, MEM="32M", SMP="1", APPEND="kstack=1 ravel.kstackpad=" +
                              os.environ.get("SEED", "7"))
    killed, grown = vmstat(output, "oom_kill"), vmstat(output, "kstack_grow")
    if status == 0 and killed > 0 and grown >= STACK_PAGES:
        return None
    return "status %d, %d killed, grown by %d pages: %s" % (status, killed, grown, output[-3000:])


CHECKS = {
    "kstack-no-memory": grows_without_memory,
    "kstack-locked": functools.partial(grows, "stack-locked"),
    "kstack-traps": functools.partial(grows, "stack-traps"),
    "kstack-storm-smp1": functools.partial(storms, "1"),
    "kstack-storm-smp4": functools.partial(storms, "4"),
}
for number in range(1, STACK_PAGES + 1):
    CHECKS["kstack-%d-overflow" % number] = functools.partial(overflows, number)
    CHECKS["kstack-%d" % number] = functools.partial(boots_with, str(number), number, False)
for word in ("0", "5", "many", "-1"):
    CHECKS["kstack-refuses-" + word] = functools.partial(boots_with, word, START_PAGES, True)
