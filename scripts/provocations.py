# provocations.py - faults made on purpose (ravel.panic=), and what the kernel must say of them.
#
#   CHECKS: {name: function that returns None, or words about what is wrong}
#
# Who makes them: kernel/panic.c, kernel/provokestack.c, kernel/provoke.c, mm/provoke.c. Some only
# the debug kernel sees.
import functools
import re

import machine
from machine import run_exec


def panics(cause, words):
    """The kernel's last words: status 125, the message, a backtrace of functions with offsets."""
    status, output = run_exec("true", APPEND="ravel.panic=" + cause)
    if status != machine.EXIT_PANIC:
        return "expected status %d, got %d" % (machine.EXIT_PANIC, status)
    for word in ("PANIC: ", *words):
        if word not in output:
            return "no %r in %r" % (word, output[-2000:])
    if not re.search(r"\b[a-z_][a-z0-9_.]*\+0x", output):
        return "no function+0xoffset in %r" % output[-2000:]
    return None


def warns(cause, words):
    """The kernel warns, with a backtrace, and goes on."""
    status, output = run_exec("echo here", APPEND="ravel.panic=" + cause)
    if status != 0 or "here\n" not in output:
        return "expected `here` and status 0, got status %d and %r" % (status, output[-2000:])
    for word in ("WARNING: ", *words):
        if word not in output:
            return "no %r in %r" % (word, output[-2000:])
    return None


def leaks(cause, words):
    """The debug kernel's report at power-off, of what was left in use on purpose."""
    status, output = run_exec("true", APPEND="ravel.panic=leak-" + cause)
    if status != machine.EXIT_UNCLEAN:
        return "expected status %d, got %d and %r" % (machine.EXIT_UNCLEAN, status, output[-2000:])
    for word in words:
        if word not in output:
            return "no %r in %r" % (word, output[-2000:])
    return None


def leaks_nothing():
    """Whoever asks for it, and whatever runs and is open then: nothing is left at power-off."""
    line = ("cd /tmp; echo data >file; sleep 1000 <file & sleep 1000 | cat & mkdir dir; cd dir;"
            " (cd /proc/self; sleep 1000) & (sleep 1000 & kill -STOP $!); poweroff 9")
    status, output = run_exec(line, SMP="4")
    if status == 9 and machine.NO_LEAKS in output:
        return None
    return "expected status 9 and no leaks, got %d and %r" % (status, output[-2000:])


def finds_written_free():
    """vm_check_all(), which runs after each TEST, looks at free objects."""
    status, output = run_exec("echo 1 >/proc/sys/vm/check_all",
                              APPEND="ravel.panic=write-free-object")
    words = ["of cache kmalloc-1024", "free, but written to", "offset 20 to 20",
             "last freed by write_free_object+"]
    if status == 0 or not all(word in output for word in words):
        return "expected a failure and %r, got %d and %r" % (words, status, output[-2000:])
    return None


def refuses_what_needs_the_debug_kernel():
    status, output = run_exec("true", APPEND="ravel.panic=overrun")
    if status == 0 and "only the debug kernel" in output:
        return None
    return "expected status 0 and a refusal, got %d and %r" % (status, output[-2000:])


# What ravel.panic= makes happen (kernel/panic.c, kernel/provokestack.c, mm/provoke.c), and words of
# the report.
PROVOCATIONS = {
    "test": ["requested"],
    "bug": ["BUG: "],
    "null": ["null-pointer"],
    "wtext": ["store page fault"],
    "overflow": ["kernel stack overflow: task 1 (init) has used all 16384 bytes", "recurse"],
    "stack-reserve": ["kernel stack: the reserve of pages to grow it is empty", "descend+"],
    "stack-astray": ["kernel stack pointer astray: 0xffffffe040001000", "sp_astray+"],
    "stack-emergency": ["illegal instruction on the emergency stack", "trap_in_emergency+"],
    "double-free": ["double free", "last allocated by", "last freed by double_free+"],
    "wrong-order": ["wrong order", "order 1", "last allocated by wrong_order+"],
    "free-mapped": ["freeing a mapped page", "mapcount 1", "last allocated by free_mapped+"],
    "bad-kfree": ["no object of cache kmalloc-128"],
}
# What only the debug kernel finds (mm/provoke.c, kernel/provoke.c): panics,
DEBUG_PANICS = {
    "use-after-free-page": ["use after free of a page", "wrong bytes at offset 100 to 100", " 78\n",
                            "last allocated by use_after_free_page+",
                            "last freed by use_after_free_page+"],
    "use-after-free-object": ["use after free of an object of cache kmalloc-128",
                              "wrong bytes at offset 20 to 20", " 78\n",
                              "last allocated by use_after_free_object+",
                              "last freed by use_after_free_object+"],
    "overrun": ["write past the end of an object of cache kmalloc-128", "100 bytes were asked for",
                "wrong bytes at offset 100 to 100", "last allocated by overrun+"],
    "long-overrun": ["the record of an object of cache kmalloc-64 is overwritten",
                     "wrong bytes at offset 64 to 79"],
    "double-kfree": ["double free of an object of cache kmalloc-128",
                     "last allocated by double_kfree+", "last freed by double_kfree+"],
    "bad-area": ["mm_check found", "after vm_munmap+", "0x100000-0x102000 r-- "],
    "lock-order": ["lock order: [outer] taken inside [inner]", "before, task 1 (init)",
                   "holds outer, taken at lock_order+", "wants outer at lock_order+"],
    "lock-twice": ["lock order: [spin] taken twice", "holds spin, taken at lock_twice+"],
    "lock-not-held": ["lock: [spin] released by who does not hold it"],
    "lock-irq": ["a handler that takes [spin] may wait for [spin] of its own hart",
                 "an interrupt handler takes spin at spin_timer+",
                 "spin is taken with interrupts on at lock_irq+"],
    "sleep-atomic": ["mutex_lock() may sleep: called with 1 spinlocks held", "holds spin"],
    "fault-locked": ["handle_mm_fault() may sleep: called with 1 spinlocks held"],
}
# reports at power-off,
LEAKS = {
    "memory": ["leak: 3 objects of kmalloc-128 allocated by leak_memory+",
               "leak: 1 objects of mm allocated by mm_alloc_in_family+",
               "leak: 1 pages: kernel allocated by leak_memory+",
               "leak: 1 pages: large kmalloc allocated by leak_memory+",
               "leak: 1 pages: table allocated by pgd_alloc+", "debug: 9 leaks"],
    "file": ["leak: 1 objects of file allocated by ", "(devfs) is busy"],
}
# and warnings.
DEBUG_WARNINGS = {
    "ubsan": ["UBSan: kernel kernel/provoke.c:", "shift of 1, 64 bits, by 64"],
    "stack-deep": ["kernel stack: ", "of 16384 bytes used (init, go_down)"],
}

CHECKS = {}
for way, words in PROVOCATIONS.items():
    CHECKS["panic-" + way] = functools.partial(panics, way, words)
if machine.is_set("DEBUG"):
    for way, words in DEBUG_PANICS.items():
        CHECKS["debug-" + way] = functools.partial(panics, way, words)
    for way, words in DEBUG_WARNINGS.items():
        CHECKS["debug-" + way] = functools.partial(warns, way, words)
    for way, words in LEAKS.items():
        CHECKS["debug-leak-" + way] = functools.partial(leaks, way, words)
    CHECKS["debug-no-leaks"] = leaks_nothing
    CHECKS["debug-written-free"] = finds_written_free
else:
    CHECKS["debug-only"] = refuses_what_needs_the_debug_kernel
