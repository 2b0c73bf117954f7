"""What a contributor waits for: the stack, a changed function, the tests."""

import json
import re
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.measure import Result, median, ms, progress
from tests.support.stack import Stack, vsl
from tests.support.template import REPOSITORY

# Where each leaves its report, and the seconds it may take.
TESTS = {"make test": ("junit.xml", 300), "make test-all": ("junit-all.xml", 720)}
MAKEFILE = (REPOSITORY / "Makefile").read_text()
WORKERS = re.findall(r"^WORKERS := -n (\d+)$", MAKEFILE, re.MULTILINE)[0]
HANDLER = REPOSITORY / "functions" / "reject_request" / "app.py"


def run(*, quick: bool = False) -> Result:
    result = Result("developer", "What a contributor waits for", ["what", "seconds"])
    with tempfile.TemporaryDirectory(prefix="vsl-developer-") as folder:
        state = Path(folder)
        cold = _up(state, result, "`vsl up`, the first time (makes the database)")
        warm = [_up(state, None, "") for _ in range(1 if quick else 3)]
    result.row("`vsl up`, warm", f"{median(warm):.1f}")
    result.goal("warm `vsl up`, seconds", median(warm), 10)
    result.data["cold"] = cold
    for command, (name, allowed) in TESTS.items():
        report = REPOSITORY / "test-output" / name
        if not report.exists():
            result.notes.append(f"`{command}` has not run here: its suites are not listed.")
            continue
        rows = suites(command, report)
        for what, seconds in rows:
            result.row(what, f"{seconds:.0f}")
        result.goal(f"`{command}`, seconds", rows[0][1], allowed)
    return result


def _up(state: Path, result: Result | None, what: str) -> float:
    began = time.perf_counter()
    with progress("vsl up"):
        told = vsl("up", "--detach", "--json", state=state)
    taken = time.perf_counter() - began
    stack = Stack(json.loads(told))
    try:
        if result is not None:
            result.row(what, f"{taken:.1f}")
            result.row("a changed function, to its first answer beside an unchanged one",
                       _reload(stack))  # fmt: skip
    finally:
        stack.close()
        vsl("down", state=state)
    return taken


def _reload(stack: Stack) -> str:
    event = {"input": {"error": {"Error": "JobNotFound", "Cause": "{}"}}}

    def call() -> float:
        began = time.perf_counter()
        stack.invoke("RejectRequestFunction", event)
        return time.perf_counter() - began

    call()
    unchanged = median([call() for _ in range(3)])
    HANDLER.touch()  # its time is what tells the worker
    return f"{ms(call())} beside {ms(unchanged)}"


def suites(command: str, report: Path) -> list[tuple[str, float]]:
    """Rows out of the report that a command leaves: the whole, then what each suite adds up to.

    The tests run on several workers, so the suites together take longer than the whole.
    """
    root = ET.parse(report).getroot()  # noqa: S314 - we wrote it
    whole = sum(float(run.get("time", "0")) for run in root.iter("testsuite"))
    each: defaultdict[str, float] = defaultdict(float)
    tests: Counter[str] = Counter()
    for case in root.iter("testcase"):
        parts = case.get("classname", "").split(".")
        if parts[0] == "tests" and len(parts) > 2:
            each[parts[1]] += float(case.get("time", "0"))
            tests[parts[1]] += 1
    rows = [(f"`{command}`, {tests.total():,} tests on {WORKERS} workers", whole)]
    rows += [
        (f"of it tests/{name}, {tests[name]:,} tests, added up over the workers", seconds)
        for name, seconds in sorted(each.items(), key=lambda one: -one[1])
    ]
    return rows
