"""The times of `make test` by suite, out of the report pytest leaves."""

from pathlib import Path

from benchmarks.developer import WORKERS, suites


def test_each_suite_is_added_up_beside_the_whole(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text("""<?xml version="1.0"?>
        <testsuites><testsuite name="pytest" time="9.5">
        <testcase classname="tests.unit.domain.test_a" name="x" time="0.5"/>
        <testcase classname="tests.unit.domain.test_a.TestB" name="y" time="1.5"/>
        <testcase classname="tests.e2e.test_c" name="z" time="8"/>
        <testcase classname="" name="collection" time="1"/>
        </testsuite></testsuites>""")
    assert suites("make test", report) == [
        (f"`make test`, 3 tests on {WORKERS} workers", 9.5),
        ("of it tests/e2e, 1 tests, added up over the workers", 8.0),
        ("of it tests/unit, 2 tests, added up over the workers", 2.0),
    ]
