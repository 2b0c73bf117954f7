"""The short form of `make chaos`: a few jobs on a stack that is being taken apart."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.__main__ import OPTIONS
from tests.chaos.run import run
from tests.support.stack import Stack, vsl

pytestmark = pytest.mark.e2e

SEED = 11
JOBS = 10


def test_nothing_is_lost_and_nothing_paid_twice(tmp_path: Path) -> None:
    try:
        stack = Stack(json.loads(vsl("up", "--detach", "--json", *OPTIONS, state=tmp_path)))
        with closing(stack):
            # Gentler than by hand: another worker's stack has the other core.
            report = run(stack, JOBS, SEED, patience=800, say=print, kill_every=5.0)
    finally:
        vsl("down", state=tmp_path)
    assert report.verdict.faults == []
    assert report.verdict.statuses == {"succeeded": JOBS}
    assert sum(report.kills.values()) > 0, "no worker was killed: nothing was shown"
    assert len(report.faults) >= 3, "the plan of this seed has too few faults"
