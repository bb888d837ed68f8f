# lockorder.py - compares the orders of locks that a debug kernel saw with docs/locking.md
#
#     kernel, ravel.lockdep, at power-off     lockdep: inode->lock -> page lock, lru_lock
#     docs/locking.md, between ```lock-order and ```, outer to inner:
#                                             inode->lock
#                                             page lock, page lock of metadata
#                                             lru_lock            # a remark
#
# Each lock taken inside another must stand on a line below it. Locks of one line are never held
# together, but for several of one class: "x/2" inside "x/1" or "x", which the kernel checks.
import os
import re

import machine

PREFIX = "lockdep: "


def base(name):
    """A class without "/2" (the third of its kind) and "+0x40" (inside a static array)."""
    return re.sub(r"(/\d+|\+0x[0-9a-f]+)$", "", name)


def documented():
    """{name: line} of docs/locking.md."""
    with open(os.path.join(machine.ROOT, "docs", "locking.md")) as file:
        block = re.search(r"^```lock-order\n(.*?)^```$", file.read(), re.M | re.S)
    ranks = {}
    for rank, line in enumerate(block.group(1).splitlines()):
        for name in line.partition("#")[0].split(","):
            if name.strip():
                ranks[name.strip()] = rank
    return ranks


def verdict(lines):
    """None, or what lines of a run's output say against the documented order."""
    ranks, seen, wrong = documented(), 0, []
    for line in lines:
        if not line.startswith(PREFIX):
            continue
        outer, _, inners = line[len(PREFIX):].partition(" -> ")
        outer = base(outer.strip())
        for inner in inners.split(","):
            inner = base(inner.strip())
            seen += 1
            for name in {outer, inner} - set(ranks):
                wrong.append("%s is not in docs/locking.md" % name)
                ranks[name] = -1
            if inner != outer and -1 not in (ranks[outer], ranks[inner]) and \
                    ranks[inner] <= ranks[outer]:
                wrong.append("%s was taken inside %s" % (inner, outer))
    if not seen:
        return "the kernel reported no orders"
    return "; ".join(wrong) or None


def self_test():
    """Yield (name, None or what is wrong)."""
    names = list(documented())
    first, last = names[0], names[-1]
    for name, line, ok in (
            ("a documented order", "%s -> %s, %s/1" % (first, last, last), True),
            ("two of one class", "%s/1 -> %s/2" % (first, first), True),
            ("against the order", "%s -> %s" % (last, first), False),
            ("unknown locks", "%s -> what" % first, False)):
        got = verdict([PREFIX + line])
        yield "lockorder: " + name, None if (got is None) == ok else "verdict: %s" % got
