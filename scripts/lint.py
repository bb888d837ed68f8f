#!/usr/bin/env python3
# lint.py - the rules of the house that no compiler checks. Prints file:line: rule; status 1 if any.
#
#   text      every file opens with what it is; lines of 100 columns, tabs of 8; no space at the end
#   size      a C function has at most 80 lines
#   rooms     who may include what (docs: the table of the rooms); includes by path from the root
#   circles   no header includes itself by way of others
import os
import re
import subprocess
import sys

MAX_COLUMNS = 100
MAX_FUNCTION = 80
NOT_OURS = {"usr/bench/vmbench.c"}  # kept as it was measured with on other kernels
ROOMS = ("arch", "drivers", "fs", "kernel", "lib", "mm", "usr", "tests")

# The headers of arch/riscv that are mechanism, which every room but lib/ may use.
MECHANISM = {"arch/riscv/%s.h" % name for name in (
    "asm-offsets", "csr", "hart", "irqflags", "machine", "memlayout", "mmu", "page", "pte", "sbi",
    "timer", "uaccess")}
# What mm/ may know of the rooms above it: its interface down.
BELOW_MM = {"fs/mapping.h", "drivers/block.h"} | {"kernel/%s.h" % name for name in (
    "lock", "lock_types", "panic", "printk", "rwsem", "sched", "signal", "syscall", "task", "trace",
    "wait")}
# Per-hart data and faults in user memory are found by way of the current task (tp); and a hart has
# a counter for each event.
BELOW_MECHANISM = {"kernel/task.h", "kernel/lock.h", "mm/vmstat_events.h"}
# The task that runs, its hart and the locks that stop preemption know each other: the one circle.
KNOT = {"arch/riscv/hart.h", "kernel/task.h", "kernel/lock.h"}

# Where fs/ meets drivers/: file systems submit to disks, and a character device is a file.
BETWEEN_ROOMS = {("fs", "drivers/block.h"), ("drivers", "fs/chrdev.h")}

COMMENT_STARTS = {".c": ("/*", "//"), ".h": ("/*", "//"), ".S": ("/*", "//"), ".ld": ("/*",),
                  ".md": ("#",), ".py": ("#",), "": ("#",)}
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def files():
    """Every file of the tree that git would keep."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True,
                            stdout=subprocess.PIPE).stdout.decode().splitlines()
    return sorted(path for path in set(listed) if os.path.isfile(path) and path not in NOT_OURS)


def is_checked(path):
    name = os.path.basename(path)
    return (path.startswith((".ci/", "scripts/")) and "." not in name or name == "Makefile"
            or os.path.splitext(name)[1] in COMMENT_STARTS and "." in name.lstrip("."))


def may_include(path, target):
    """Is `#include "target"` in path within the table of the rooms?"""
    room, wanted = path.split("/")[0], target.split("/")[0]
    if room == wanted and path not in MECHANISM:
        return True
    if path in MECHANISM:
        return wanted == "lib" or target in MECHANISM | BELOW_MECHANISM
    if room in ("arch", "kernel", "tests"):
        return wanted != "usr" or room == "tests"
    if room == "mm":
        return wanted == "lib" or target in MECHANISM | BELOW_MM
    if room in ("fs", "drivers"):
        return (wanted in ("lib", "mm", "kernel") or target in MECHANISM
                or (room, target) in BETWEEN_ROOMS)
    return False  # lib/ includes nothing, usr/ knows the ABI only


def check_text(path, lines):
    extension = os.path.splitext(path)[1]
    if not lines or not lines[0].startswith(COMMENT_STARTS.get(extension, ("#",))):
        yield 1, "does not open with a comment that says what it is"
    elif extension in (".c", ".h") and lines[0].startswith("#"):
        yield 1, "does not open with a comment that says what it is"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "space at the end of the line"
        if len(line.expandtabs(8)) > MAX_COLUMNS and extension != ".md":
            yield number, "%d columns, at most %d" % (len(line.expandtabs(8)), MAX_COLUMNS)


def check_functions(lines):
    start = 0
    for number, line in enumerate(lines, 1):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > MAX_FUNCTION:
                yield start, "a function of %d lines, at most %d" % (number - start - 1,
                                                                     MAX_FUNCTION)
            start = 0


def includes(lines):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found.group(1)


def check_includes(path, lines):
    for number, target in includes(lines):
        if target.split("/")[0] not in ROOMS or not os.path.isfile(target):
            yield number, 'include "%s": no such file from the root of the tree' % target
        elif not may_include(path, target):
            yield number, "%s may not include %s (layering)" % (path, target)


def circles(graph):
    """Yield (header, words) for every include that closes a circle."""
    done = set()

    def visit(path, trail):
        if path in trail:
            circle = trail[trail.index(path):] + [path]
            if not KNOT.issuperset(circle):
                yield path, "circle of includes: " + " -> ".join(circle)
        elif path not in done:
            for target in graph.get(path, ()):
                yield from visit(target, trail + [path])
            done.add(path)

    for path in sorted(graph):
        yield from visit(path, [])


def main():
    os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    problems = []
    graph = {}
    for path in filter(is_checked, files()):
        with open(path, encoding="utf-8") as source:
            lines = source.read().split("\n")
        if lines[-1] == "":
            lines.pop()
        else:
            problems.append((path, len(lines), "no newline at the end"))
        found = list(check_text(path, lines))
        if path.endswith((".c", ".h", ".S")):
            found += check_includes(path, lines)
        if path.endswith(".c"):
            found += check_functions(lines)
        if path.endswith(".h"):
            graph[path] = [target for _, target in includes(lines)]
        problems += [(path, number, words) for number, words in found]
    problems += [(path, 1, words) for path, words in circles(graph)]
    for problem in sorted(problems):
        print("%s:%d: %s" % problem)
    print("lint.py: %d problems" % len(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
