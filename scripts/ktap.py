# ktap.py - reads what a run of the tests printed, and says what passed and what did not.
#
#   KTAP version 1            one report of usr/bin/runtests
#   1..2
#     KTAP version 1          one program, indented by two spaces
#     1..1
#     ok 1 - name             a test: counted
#   ok 1 - brk                the program: counted only when it has no failed test to speak for it
#
# Silence is failure: a program that never ran or never ended, a plan that was not kept, a program
# with no test at all, a report from the kernel (BUG:, WARNING:, a panic), a silent machine and an
# exit status that nothing explains are failures each. Anything else between the lines is the
# console's and is ignored.
import re

RESULT = re.compile(r"(ok|not ok) (\d+)(?: -)? ?(.*)")
PLAN = re.compile(r"1\.\.(\d+)$")
KERNEL = re.compile(r"\b(BUG|WARNING|PANIC): ")


class Failure:
    """What failed (program or program.test), and why."""

    def __init__(self, name, reason):
        self.name = name
        self.reason = reason


class Report:
    """Fed one run's output line by line; finish() then fills passed, skipped and failures."""

    def __init__(self, expected):
        self.expected = list(expected)  # names as given to runtests, in the order they run
        self.passed = 0
        self.skipped = 0
        self.failures = []
        self.last = "the start"         # the last result line, for whoever waits for the next
        self._plan = None
        self._ended = []                # programs whose own line has come
        self._new_program()

    def _new_program(self):
        self._inner_plan = None
        self._inner = 0                 # results so far of the program that runs
        self._inner_failed = 0

    def running(self):
        """The program that runs, or would be next."""
        done = len(self._ended)
        return self.expected[done] if done < len(self.expected) else None

    def _fail(self, name, reason):
        self.failures.append(Failure(name or "machine", reason))

    def line(self, text):
        inner = text.startswith("  ")
        body = text[2:] if inner else text
        result = RESULT.match(body)
        plan = PLAN.match(body)
        if result:
            passed, number, rest = result.group(1) == "ok", int(result.group(2)), result.group(3)
            name, _, directive = rest.partition(" # ")
            self.last = text.strip()
            if inner:
                self._test(passed, number, name.strip(), directive)
            else:
                self._program(passed, number, name.strip(), directive)
        elif plan and inner:
            self._inner_plan = int(plan.group(1))
        elif plan:
            self._plan = int(plan.group(1))
        elif not body.startswith("#") and KERNEL.search(text):
            self._fail(self.running(), "the kernel says: " + text.strip())

    def _test(self, passed, number, name, directive):
        self._inner += 1
        full = "%s.%s" % ((self.running() or "?").partition(".")[0], name)
        if number != self._inner:
            self._fail(full, "result %d came where %d was due" % (number, self._inner))
        if not passed:
            self._inner_failed += 1
            self._fail(full, directive or "not ok")
        elif directive.upper().startswith("SKIP"):
            self.skipped += 1
        else:
            self.passed += 1

    def _program(self, passed, number, name, directive):
        due = self.running()
        if name != due or number != len(self._ended) + 1:
            self._fail(name, "came as program %d where %s was due" % (number, due or "nothing"))
        if not passed and not self._inner_failed:
            self._fail(name, directive or "not ok")
        elif passed and self._inner_plan != self._inner:
            self._fail(name, "planned %s tests, %d ran" % (self._inner_plan, self._inner))
        elif passed and not self._inner:
            self._fail(name, "has no test")
        self._ended.append(name)
        self._new_program()

    def finish(self, status, idle=0):
        """The run is over, with this exit status, or stopped after so many idle seconds.

        What stopped it is the failure of the first program that has not ended.
        """
        stopped = ("hang: no output for %g seconds; the last result was: %s" % (idle, self.last)
                   if idle else "the kernel panicked (exit status 125)" if status == 125 else None)
        explained = bool(self.failures or stopped)
        missing = [name for name in self.expected if name not in self._ended]
        if missing:
            begun = self._inner or self._inner_plan is not None
            self._fail(missing[0], stopped or ("never ended" if begun else "never ran"))
            for name in missing[1:]:
                self._fail(name, "never ran")
        elif stopped:
            self._fail(self.expected[-1], stopped)
        elif self._plan != len(self.expected):
            self._fail(None, "planned %s programs, expected %d" % (self._plan, len(self.expected)))
        if status and not stopped and not (status == 1 and (explained or missing)):
            self._fail(None, "the machine ended with status %d" % status)


def self_test():
    """Feed canned runs to Report. Returns [(name, None or what was wrong)]."""
    head = "KTAP version 1\n1..%d\n"
    good = "  KTAP version 1\n  1..2\n  ok 1 - x\n  ok 2 - y # SKIP why\nok %d - %s\n"
    bad = ("  KTAP version 1\n  1..2\n  ok 1 - x\n  # f.c:3: expected 1, got 2\n"
           "  not ok 2 - y # exit 1\nnot ok %d - %s # exit 1\n")
    one, two = good % (1, "a"), good % (2, "b")
    both = ["a", "b"]
    # name, programs expected, output, exit status, idle seconds; passed, words of each failure
    runs = [
        ("pass", both, head % 2 + one + two, 0, 0, 2, []),
        ("a failed test", both, head % 2 + one + bad % (2, "b"), 1, 0, 2, ["b.y: exit 1"]),
        ("noise between lines", ["a"], "[ 0.1] hello\n" + head % 1 + one + "bye\n", 0, 0, 1, []),
        ("a signal before any test", ["a"], head % 1 + "not ok 1 - a # killed by signal 11\n",
         1, 0, 0, ["a: killed by signal 11"]),
        ("panic", both, head % 2 + one + "  1..3\n  ok 1 - x\nPANIC: no\n", 125, 0, 2,
         ["b: the kernel says", "b: the kernel panicked"]),
        ("a warning", ["a"], head % 1 + "WARNING: odd\n" + one, 0, 0, 1, ["a: the kernel says"]),
        ("a test's own remark", ["a"], head % 1 + "  # WARNING: odd\n" + one, 0, 0, 1, []),
        ("hang", both, head % 2 + one + "  KTAP version 1\n  1..2\n  ok 1 - x\n", 124, 60, 2,
         ["b: hang"]),
        ("cut off", both, head % 2 + "  1..2\n  ok 1 - x\n", 0, 0, 1,
         ["a: never ended", "b: never ran"]),
        ("nothing at all", both, "", 0, 0, 0, ["a: never ran", "b: never ran"]),
        ("never ran", both, head % 2 + one, 0, 0, 1, ["b: never ran"]),
        ("a plan not kept", ["a"], head % 1 + "  1..3\n  ok 1 - x\nok 1 - a\n", 0, 0, 1,
         ["a: planned 3 tests, 1 ran"]),
        ("zero tests", ["a"], head % 1 + "  1..0\nok 1 - a\n", 0, 0, 0, ["a: has no test"]),
        ("a lost result", ["a"], head % 1 + "  1..2\n  ok 2 - y\nok 1 - a\n", 0, 0, 1,
         ["a.y: result 2 came", "a: planned 2 tests, 1 ran"]),
        ("another program", ["a"], head % 1 + good % (1, "c"), 0, 0, 1,
         ["c: came as program 1", "a: never ran"]),
        ("a status nobody explains", ["a"], head % 1 + one, 3, 0, 1,
         ["machine: the machine ended"]),
        ("all passed but status 1", ["a"], head % 1 + one, 1, 0, 1, ["machine: the machine ended"]),
        ("one test of a program", ["a.x"], head % 1 + "  1..1\n  ok 1 - x\nok 1 - a.x\n", 0, 0, 1,
         []),
    ]
    return [(run[0], _check_run(*run[1:])) for run in runs]


def _check_run(expected, output, status, idle, passed, failures):
    report = Report(expected)
    for text in output.splitlines():
        report.line(text)
    report.finish(status, idle)
    got = ["%s: %s" % (failure.name, failure.reason) for failure in report.failures]
    if report.passed != passed:
        return "expected %d passed, got %d" % (passed, report.passed)
    if len(got) != len(failures) or any(not g.startswith(f) for g, f in zip(got, failures)):
        return "expected failures %r, got %r" % (failures, got)
    return None
