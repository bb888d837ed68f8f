#!/usr/bin/env python3
# bench.py - the whole of `make bench`: runs vmbench in the guest, with Linux's figures beside it,
# filebench (usr/bench/filebench.c) on a disk with room for it, swapbench (usr/bench/swapbench.c)
# with a swap area, and the policies of page replacement (policies.py).
#
# Every figure is in instructions per operation: ICOUNT=1, one hart, 512 MiB, nothing else running.
# What vmbench printed is kept in build/bench.txt; the figures to compare with are in
# scripts/bench-reference.tsv. Exit status 1 if a row is worse than Linux's (lean), more than 5 %
# worse than before memory became a cache of the disk (before), or none came; and if swap makes more
# requests for a page than it may.
# What waits for the disk is measured by a real clock, and only reported: this machine's load is in
# it.
import os
import subprocess
import sys

import machine
import policies

COMMAND = "cat /proc/kmsg; /bench/vmbench -d /tmp"
FILE_ROOM = 256 << 20  # bytes more on the disk, for filebench
SWAP_COMMAND = "mkswap /dev/vdb >/tmp/mkswap && swapon /dev/vdb && /bench/swapbench"
RESIDENT_PAGES = 16384  # of fork_exit_wait_64M
WORSE_AT_MOST = 1.05    # of a row, with a working set that fits, beside `before`
# Requests for a page: 32 go together, 8 come together.
SWAP_REQUESTS = {"swap_out": 0.1, "swap_in": 0.2}
REFERENCE = os.path.join(machine.ROOT, "scripts", "bench-reference.tsv")
RAW = os.path.join(machine.BUILD, "bench.txt")


def run(disk, command, **environment):
    """One guest, its output shown. Returns (text, exit status)."""
    with machine.guest(disk, command, **environment) as guest:
        text = b""
        for chunk in machine.without_firmware(guest.output()):
            sys.stdout.buffer.write(chunk)
            sys.stdout.flush()
            text += chunk
    return text.decode(errors="replace"), guest.status


def measure():
    """Run the benchmark, keeping its output. Returns (text, exit status)."""
    with machine.private_disk() as disk:
        text, status = run(disk, COMMAND)
    with open(RAW, "w") as raw:
        raw.write(text)
    return text, status


def measure_files():
    """Run filebench by instructions and by a real clock. Returns ({}, {}, exit status)."""
    with machine.private_disk() as disk:
        os.truncate(disk, os.path.getsize(disk) + FILE_ROOM)
        for tool in (["e2fsck", "-fy"], ["resize2fs"]):
            env = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
            done = subprocess.run([*tool, disk], env=env, capture_output=True, text=True)
            if done.returncode > 1:
                sys.exit("%s: %s" % (tool[0], done.stderr))
        counted, status = run(disk, "/bench/filebench")
        timed, status2 = run(disk, "/bench/filebench", ICOUNT="")
    return figures(counted), figures(timed), status or status2


def file_table(counted, timed):
    """Print what filebench found, for 4096 bytes."""
    print("\n%-48s %12s %12s" % ("the page cache and the disk, for 4096 bytes", "instructions",
                                 "microseconds"))
    for name, value in timed.items():
        hot = name.endswith("_hot") and name in counted
        print("%-48s %12s %12.1f" % (name, "{:,.0f}".format(counted[name]) if hot else "-",
                                     value / 1000))
    if "file_read_cold" in timed and "raw_read_cold" in timed:
        print("a cold file is read at %.0f %% of the speed of the raw disk (wanted: 80 %%)"
              % (100 * timed["raw_read_cold"] / timed["file_read_cold"]))


def measure_swap():
    """Run swapbench by a real clock. Returns ({}, exit status)."""
    with machine.private_disk() as disk:
        text, status = run(disk, SWAP_COMMAND, ICOUNT="", SWAP="128M")
    return figures(text), status


def swap_table(found):
    """Print what swapbench found. Returns how many rows are not what they should be."""
    print("\n%-48s %12s %12s" % ("swap", "pages/second", "requests/page"))
    for name in ("swap_out", "swap_in", "swap_in_random"):
        if name in found:
            print("%-48s %12s %12.3f" % (name, "{:,.0f}".format(1e9 / found[name]),
                                         found[name + "_requests"]))
        else:
            print("%-48s %12s %12s" % (name, "n/a", "n/a"))
    wrong = [name for name, limit in SWAP_REQUESTS.items()
             if not found.get(name + "_requests", limit + 1) <= limit]
    for name in wrong:
        print("%s: more than %.1f requests for a page, or not measured"
              % (name, SWAP_REQUESTS[name]))
    return len(wrong)


def figures(text):
    """name<TAB>number lines; also the kernel's `boot: N ns of work`. Returns {name: float}."""
    found = {}
    for line in text.splitlines():
        name, tab, value = line.partition("\t")
        words = line.split()
        if tab and not name.startswith("#"):
            try:
                found[name] = float(value)
            except ValueError:
                continue  # n/a
        elif "boot:" in words and words[-3:] == ["ns", "of", "work"]:
            found["boot, million instructions"] = int(words[-4]) / 1e6
    return found


def derive(found):
    """Add the rows which are made of others."""
    def subtract(name, minuend, subtrahend, divisor):
        if minuend in found and subtrahend in found:
            found[name] = (found[minuend] - found[subtrahend]) / divisor

    subtract("fork, per resident page", "fork_exit_wait_64M", "fork_exit_wait_small",
             RESIDENT_PAGES)
    subtract("vma_write_fault growth", "vma_write_fault@10000vmas", "vma_write_fault@10vmas", 1)


def references():
    """[(row, lean or None, goal, before or None)]"""
    def known(text):
        return None if text == "-" else float(text)

    rows = []
    with open(REFERENCE) as table:
        for line in table:
            if not line.startswith("#"):
                name, lean, goal, before = line.rstrip("\n").split("\t")
                rows.append((name, known(lean), float(goal), known(before)))
    return rows


def table(found):
    """Print the table. Returns (rows measured, rows worse than lean, or than before)."""
    def text(value):
        return "-" if value is None else "{:,.0f}".format(value)

    measured = worse = 0
    form = "%-48s %10s %10s %10s %10s  %s"
    print("\n" + form % ("instructions per operation", "Ravel", "lean", "goal", "before",
                         "verdict"))
    for name, lean, goal, before in references():
        value = found.get(name)
        verdict = "n/a"
        if value is not None:
            measured += 1
            verdict = "ok, goal met" if value <= goal else "ok"
            if lean is not None and value > lean:
                worse += 1
                verdict = "WORSE than lean"
            elif before is not None and value > before * WORSE_AT_MOST:
                worse += 1
                verdict = "%.1f %% WORSE than before" % (100 * value / before - 100)
        print(form % (name, "n/a" if value is None else text(value), text(lean), text(goal),
                      text(before), verdict))
    return measured, worse


def main():
    os.environ.update(ICOUNT="1", SMP="1", MEM="512M")
    os.environ.setdefault("TIMEOUT_IDLE", "300")  # a slow row is silent for long
    text, status = measure()
    counted, timed, file_status = measure_files()
    swapped, swap_status = measure_swap()
    found = figures(text)
    derive(found)
    measured, worse = table(found)
    print("%d rows measured, %d worse than they may be; raw figures: %s"
          % (measured, worse, os.path.relpath(RAW)))
    file_table(counted, timed)
    missed = swap_table(swapped)
    for name, code in (("vmbench", status), ("filebench", file_status), ("swapbench", swap_status)):
        if code:
            print("%s ended with status %d" % (name, code))
    print()
    os.environ.update(ICOUNT="", MEM="64M")
    missed += policies.report()
    return 1 if status or file_status or swap_status or worse or not measured or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
