#!/usr/bin/env python3
# bench.py - the whole of `make bench`: runs vmbench in the guest, with Linux's figures beside it,
# filebench (usr/bench/filebench.c) on a disk with room for it, swapbench (usr/bench/swapbench.c)
# with a swap area, mallocbench (usr/bench/mallocbench/), and the policies of page replacement
# (policies.py).
#
# Every figure is in instructions per operation: ICOUNT=1, one hart, 512 MiB, nothing else running.
# What vmbench printed is kept in build/bench.txt; the figures to compare with are in
# scripts/bench-reference.tsv. Exit status 1 if a row is worse than Linux's (lean), more than 5 %
# worse than before memory became a cache of the disk (before), or none came; if swap makes more
# requests for a page than it may; or if libumalloc misses a goal (MALLOC_GOALS).
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
MALLOC_COMMAND = "/bench/mallocbench"
# Of all traces: the mean of payload over heap, which glibc's must not reach, and its least; the
# mean of glibc's instructions per operation over libumalloc's, and its least.
MALLOC_GOALS = {"mean utilisation": 0.92, "least utilisation": 0.80,
                "mean throughput": 0.90, "least throughput": 0.70}
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


def malloc_tables(text):
    """{title: {trace: (umalloc, glibc)}} of mallocbench's tables."""
    tables, rows = {}, {}
    for line in text.splitlines():
        words = line.split()
        if words[-2:] == ["umalloc", "glibc"]:
            rows = tables.setdefault(" ".join(words[:-2]), {})
        elif len(words) == 3 and words[1] != "umalloc":
            try:
                rows[words[0]] = (float(words[1]), float(words[2]))
            except ValueError:  # fails
                rows[words[0]] = (0.0, 0.0)
    return tables


def malloc_misses(text):
    """What of MALLOC_GOALS does not hold, a line each."""
    tables = malloc_tables(text)
    used, costs = tables.get("utilisation", {}), tables.get("cost per op", {})
    used_mean = used.pop("mean", (0, 0))
    costs.pop("mean", None)
    if not used or set(used) != set(costs):
        return ["there is no table of utilisation and cost"]
    speeds = {trace: theirs / ours if ours else 0 for trace, (ours, theirs) in costs.items()}
    found = {"mean utilisation": used_mean[0],
             "mean throughput": sum(speeds.values()) / len(speeds)}
    misses = ["%s %.3f, wanted: %.2f" % (name, value, MALLOC_GOALS[name])
              for name, value in found.items() if value < MALLOC_GOALS[name]]
    if used_mean[0] <= used_mean[1]:
        misses.append("mean utilisation %.3f, glibc's is %.3f" % used_mean)
    for trace in used:
        for name, value in (("least utilisation", used[trace][0]),
                            ("least throughput", speeds[trace])):
            if value < MALLOC_GOALS[name]:
                misses.append("%s: %s %.3f, wanted: %.2f" % (trace, name.split()[1], value,
                                                             MALLOC_GOALS[name]))
    return misses


def measure_malloc():
    """Run mallocbench by instructions. Returns ([goals that are missed], exit status)."""
    with machine.private_disk() as disk:
        text, status = run(disk, MALLOC_COMMAND)
    return malloc_misses(text), status


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
    # A slow row is silent for long.
    os.environ["TIMEOUT_IDLE"] = os.environ.get("TIMEOUT_IDLE") or "300"
    text, status = measure()
    counted, timed, file_status = measure_files()
    swapped, swap_status = measure_swap()
    malloc_missed, malloc_status = measure_malloc()
    found = figures(text)
    derive(found)
    measured, worse = table(found)
    print("%d rows measured, %d worse than they may be; raw figures: %s"
          % (measured, worse, os.path.relpath(RAW)))
    file_table(counted, timed)
    missed = swap_table(swapped)
    print("\nlibumalloc beside glibc's malloc: %s" % ("; ".join(malloc_missed) or "goals met"))
    statuses = (("vmbench", status), ("filebench", file_status), ("swapbench", swap_status),
                ("mallocbench", malloc_status))
    for name, code in statuses:
        if code:
            print("%s ended with status %d" % (name, code))
    print()
    os.environ.update(ICOUNT="", MEM="64M")
    missed += policies.report()
    failed = any(code for _, code in statuses)
    return 1 if failed or malloc_missed or worse or not measured or missed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
