# guestmem.py - what a guest says of its memory, as numbers: pressure.py and memsoak.py compare it.
#
#   LOOK             a line for the guest's shell: caches dropped, then both files printed
#   table(text)      {"MemFree": KiB, ..., "memory": KiB, "bio": objects, ...} of the last LOOK
#
# memory: what usr/lib/testmem.c adds up. What went to a cache of files or to the kernel's own is
# not lost, so their sum is what stays; pages of programs are not in it, so one that is forgotten
# makes it less.
import re

LOOK = "echo 3 >/proc/sys/vm/drop_caches; cat /proc/meminfo /proc/slabinfo; "
PARTS = ("MemFree", "Buffers", "Cached", "Slab", "KernelStack")  # of memory
LINES = PARTS + ("SwapFree", "PageTables")


def table(text):
    """What the last /proc/meminfo and /proc/slabinfo in @text say; {} without them."""
    found = {key: int(number) for key, number in re.findall(r"^(\w+): +(\d+) kB$", text, re.M)
             if key in LINES}
    found.update((cache, int(number)) for cache, number in re.findall(
        r"^([a-z][\w-]*) +(\d+) +\d+ +\d+ +\d+ +\d+ : tunables", text, re.M))
    if all(part in found for part in PARTS):
        found["memory"] = sum(found[part] for part in PARTS)
    return found
