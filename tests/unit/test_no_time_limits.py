"""No test asserts that something takes no longer than so many seconds: a busy machine is no fault.

What such a test means is said by order, by a count or in virtual time; how long things take is for
the benchmarks. A test that hangs is ended by pytest's own limit.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.template import REPOSITORY

CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "time"}


def reads_a_clock(node: ast.AST) -> bool:
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute | ast.Name)
        and (part.func.attr if isinstance(part.func, ast.Attribute) else part.func.id) in CLOCKS
        for part in ast.walk(node)
    )


def is_elapsed(node: ast.AST, known: set[str]) -> bool:
    """A clock's reading less an earlier one, or a name for that; or the clock held against a limit."""
    if isinstance(node, ast.Call) and reads_a_clock(node) and not node.args:
        return True
    return any(
        (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and reads_a_clock(part.left))
        or (isinstance(part, ast.Name) and part.id in known)
        for part in ast.walk(node)
    )


def limits(tree: ast.AST) -> Iterator[int]:
    """Lines of assertions that time passed is less than something."""
    known = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and is_elapsed(node.value, set()) and has_sub(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assert):
            continue
        for compared in ast.walk(node.test):
            if not isinstance(compared, ast.Compare):
                continue
            sides = [compared.left, *compared.comparators]
            for left, operator, right in zip(sides, compared.ops, sides[1:], strict=False):
                small = left if isinstance(operator, ast.Lt | ast.LtE) else right
                if not isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                    continue
                if is_elapsed(small, known):
                    yield node.lineno


def has_sub(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Sub) for part in ast.walk(node))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("assert time.monotonic() - began < 5", True),
        ("assert 0.3 < time.monotonic() - began < 5", True),
        ("assert 5 > perf_counter() - began", True),
        ("took = time.time() - began\nassert took < 1", True),
        ("slowest = max(slowest, time.monotonic() - began)\nassert slowest < made / 2", True),
        ("assert time.monotonic() < deadline", True),
        ("assert time.monotonic() - began > 1", False),
        ("before = time.time()\nassert before <= told <= time.time()", False),
        ("assert len(found) < 5", False),
    ],
)
def test_a_limit_is_recognised(source: str, found: bool) -> None:
    assert bool(list(limits(ast.parse(source)))) is found


def test_no_test_asserts_one() -> None:
    found = [
        f"{path.relative_to(REPOSITORY)}:{line}"
        for path in sorted(Path(REPOSITORY, "tests").rglob("*.py"))
        for line in limits(ast.parse(path.read_text()))
    ]
    assert found == []
