"""The page of figures is the one the results make, and the benchmarks still run."""

from benchmarks import report, transfer, work
from benchmarks.__main__ import NAMES
from benchmarks.measure import RESULTS


def test_the_page_is_made_from_the_results() -> None:
    assert {path.stem for path in RESULTS.glob("*.json")} == set(NAMES)
    assert report.PAGE.read_text() == report.page()
    assert "{{" not in report.page()


def test_work_is_counted() -> None:
    result = work.run(quick=True)
    assert [goal.met for goal in result.goals] == [True] * len(work.BUDGET)


def test_a_transfer_is_measured() -> None:
    result = transfer.run(quick=True)
    ((size, ours, *_),) = result.rows
    assert size == "1 MiB"
    assert ours.endswith("MiB/s")
