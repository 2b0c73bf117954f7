"""The page of figures is the one the results make, and the benchmarks still run."""

import re

from benchmarks import report, transfer, work
from benchmarks.__main__ import NAMES
from benchmarks.measure import RESULTS
from benchmarks.pacing import picture
from benchmarks.scale.pictures import digest


def test_the_page_is_made_from_the_results() -> None:
    assert {path.stem for path in RESULTS.glob("*.json")} == set(NAMES)
    assert report.PAGE.read_text() == report.page()
    assert "{{" not in report.page()


def test_the_picture_of_the_queue_shows_the_results() -> None:
    found = re.search(r"<dc:description>(\w+)</dc:description>", picture.QUEUE.read_text())
    assert found
    assert found[1] == digest(picture.data()), "make bench BENCH=burst"
    assert picture.QUEUE.stat().st_size < 60_000


def test_work_is_counted() -> None:
    result = work.run(quick=True)
    assert [goal.met for goal in result.goals] == [True] * len(work.BUDGET)


def test_a_transfer_is_measured() -> None:
    result = transfer.run(quick=True)
    ((size, ours, *_),) = result.rows
    assert size == "1 MiB"
    assert ours.endswith("MiB/s")
