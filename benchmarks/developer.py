"""What a contributor waits for: the stack, a changed function, the tests."""

import json
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as ET

from benchmarks.measure import Result, median, ms, progress
from tests.support.stack import Stack, vsl
from tests.support.template import REPOSITORY

SUITES = ("unit", "machines", "contract", "fault", "integration", "e2e", "chaos", "console")
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
    report = REPOSITORY / "test-output" / "junit.xml"
    if report.exists() and not quick:
        for suite, seconds in _suites(report).items():
            result.row(f"tests/{suite}, of the last `make test` (two workers share it)",
                       f"{seconds:.0f}")  # fmt: skip
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


def _suites(report: Path) -> dict[str, float]:
    """Seconds by suite out of pytest's own report, each test on the worker it ran on."""
    seconds = dict.fromkeys(SUITES, 0.0)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - we wrote it
        parts = case.get("classname", "").split(".")
        suite = parts[1] if parts[0] == "tests" and len(parts) > 1 else ""
        if suite in seconds:
            seconds[suite] += float(case.get("time", "0"))
    return {name: taken for name, taken in seconds.items() if taken}
