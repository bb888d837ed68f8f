#!/usr/bin/env python3
# malloctrace.py - makes a trace for mallocbench of what a program allocates.
#
#   scripts/malloctrace.py [-n OPERATIONS] TRACE.rep.gz PROGRAM [ARGUMENT...]
#
# The program runs on this machine with usr/bench/mallocrecord.c preloaded; its first OPERATIONS
# (20000) become the trace, in which blocks have numbers instead of addresses: a number is used
# again when its block is free. What is not freed stays so: mallocbench frees it at the end. The
# same lines give the same bytes (gzip without a time). TRACE without .gz is not compressed.
import argparse
import gzip
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDER = os.path.join(HERE, "..", "usr", "bench", "mallocrecord.c")


def record(command, directory):
    """Run the command; the lines that the recorder wrote."""
    shared = os.path.join(directory, "record.so")
    log = os.path.join(directory, "log")
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-ftls-model=initial-exec",
                    "-fno-builtin-malloc", RECORDER, "-o", shared], check=True)
    environment = dict(os.environ, MALLOC_RECORD=log, LD_PRELOAD=shared)
    subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
    with open(log) as lines:
        return [line.split() for line in lines if line.endswith("\n")]


class Numbers:
    """A number for each address that is in use."""

    def __init__(self):
        self.of, self.unused, self.count = {}, [], 0

    def take(self, address):
        number = self.unused.pop() if self.unused else self.count
        self.count = max(self.count, number + 1)
        self.of[address] = number
        return number

    def drop(self, address):
        number = self.of.pop(address)
        self.unused.append(number)
        return number


def convert(lines, limit):
    """The operations of the trace, and how many numbers they use."""
    numbers, ops = Numbers(), []
    for line in lines:
        if len(ops) >= limit:
            break
        kind, address = line[0], line[1]
        if kind == "a":
            if address in numbers.of or address == "(nil)":
                continue  # it came free unseen, or there was no memory
            ops.append("a %d %s" % (numbers.take(address), line[2]))
        elif kind == "f":
            if address in numbers.of:
                ops.append("f %d" % numbers.drop(address))
        elif address == "(nil)":
            ops.append("a %d %s" % (numbers.take(line[2]), line[3]))
        elif address in numbers.of and line[2] != "(nil)":
            number = numbers.of.pop(address)
            numbers.of[line[2]] = number
            ops.append("r %d %s" % (number, line[3]))
    return ops, numbers.count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-n", type=int, default=20000)
    parser.add_argument("trace")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if not arguments.command:
        parser.error("no program")
    with tempfile.TemporaryDirectory() as directory:
        ops, ids = convert(record(arguments.command, directory), arguments.n)
    text = "%d\n%d\n%s\n" % (ids, len(ops), "\n".join(ops))
    data = text.encode()
    if arguments.trace.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    with open(arguments.trace, "wb") as out:
        out.write(data)
    print("%s: %d operations, %d blocks at most, %d bytes" % (
        arguments.trace, len(ops), ids, len(data)), file=sys.stderr)


if __name__ == "__main__":
    main()
