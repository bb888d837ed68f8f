#!/usr/bin/env python3
# mallocplot.py - draws a trace on some allocators: payload, heap and fragmentation over time, as
# SVG.
#
#   scripts/mallocplot.py [-a NAME,NAME...] TRACE OUT.svg
#
# Needs `make umalloc`: the measurements are those of build/oracle/bench/mallocbench -t. Above, the
# payload (filled) and the heap of each allocator; below, what share of the heap is no payload.
import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BENCH = os.path.join(HERE, "..", "build", "oracle", "bench", "mallocbench")
COLOURS = ("#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#e377c2")
WIDTH, LEFT, RIGHT = 760, 70, 130
UPPER, LOWER, TOP, BETWEEN, BOTTOM = 240, 110, 40, 40, 40


def samples(allocator, trace):
    """[(operation, payload, heap)] of a replay."""
    program = BENCH + ("-glibc" if allocator == "glibc" else "")
    out = subprocess.run([program, "-t", allocator, trace], check=True, stdout=subprocess.PIPE)
    return [tuple(map(int, line.split())) for line in out.stdout.decode().splitlines()]


def in_bytes(number):
    for unit in ("B", "KiB", "MiB"):
        if number < 1024 or unit == "MiB":
            return "%.3g %s" % (number, unit)
        number /= 1024


class Panel:
    """A box with axes, into which lines are drawn."""

    def __init__(self, top, height, x_max, y_max):
        self.top, self.height = top, height
        self.x_max, self.y_max = max(x_max, 1), max(y_max, 1e-9)

    def point(self, x, y):
        return "%.1f,%.1f" % (LEFT + x / self.x_max * (WIDTH - LEFT - RIGHT),
                              self.top + self.height * (1 - y / self.y_max))

    def line(self, points, colour):
        return '<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>' % (
            colour, " ".join(self.point(x, y) for x, y in points))

    def area(self, points, colour):
        corners = [(points[0][0], 0)] + points + [(points[-1][0], 0)]
        return '<polygon fill="%s" points="%s"/>' % (
            colour, " ".join(self.point(x, y) for x, y in corners))

    def frame(self, name_of):
        yield '<rect x="%d" y="%d" width="%d" height="%d" fill="none" stroke="#888"/>' % (
            LEFT, self.top, WIDTH - LEFT - RIGHT, self.height)
        for part in (0, 0.5, 1):
            yield text(LEFT - 6, self.top + self.height * (1 - part) + 4,
                       name_of(self.y_max * part), "end")


def text(x, y, words, anchor="start", colour="#222"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>' % (
        x, y, anchor, colour, words)


def draw(name, runs):
    """The SVG of {allocator: samples}."""
    last = max(run[-1][0] for run in runs.values())
    most = max(heap for run in runs.values() for _, _, heap in run)
    upper = Panel(TOP, UPPER, last, most * 1.05)
    lower = Panel(TOP + UPPER + BETWEEN, LOWER, last, 1)
    height = TOP + UPPER + BETWEEN + LOWER + BOTTOM
    first = next(iter(runs.values()))
    yield ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'font-family="sans-serif" font-size="12">' % (WIDTH, height))
    yield '<rect width="%d" height="%d" fill="white"/>' % (WIDTH, height)
    yield text(LEFT, TOP - 14, "%s: payload (grey) and heap" % name)
    yield text(LEFT, lower.top - 8, "fragmentation: the share of the heap that is no payload")
    yield upper.area([(op, payload) for op, payload, _ in first], "#cccccc")
    for number, (allocator, run) in enumerate(runs.items()):
        colour = COLOURS[number % len(COLOURS)]
        yield upper.line([(op, heap) for op, _, heap in run], colour)
        yield lower.line([(op, max(0, 1 - payload / heap) if heap else 0)
                          for op, payload, heap in run], colour)
        yield text(WIDTH - RIGHT + 8, TOP + 14 + 18 * number, allocator, colour=colour)
    yield from upper.frame(in_bytes)
    yield from lower.frame("{:.1f}".format)
    yield text(LEFT, height - BOTTOM + 18, "0")
    yield text(WIDTH - RIGHT, height - BOTTOM + 18, "%d operations" % last, "end")
    yield "</svg>"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-a", default="umalloc,glibc", help="allocators")
    parser.add_argument("trace")
    parser.add_argument("out")
    arguments = parser.parse_args()
    if not os.path.exists(BENCH):
        sys.exit("mallocplot: make umalloc first")
    runs = {allocator: samples(allocator, arguments.trace)
            for allocator in arguments.a.split(",")}
    name = os.path.basename(arguments.trace).replace(".rep", "")
    with open(arguments.out, "w") as out:
        out.write("\n".join(draw(name, runs)) + "\n")


if __name__ == "__main__":
    main()
