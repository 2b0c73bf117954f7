"""Our lines against those that Powertools' own formatter writes of the same records."""

import json
import logging
import sys
from decimal import Decimal
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from vsl.runtime.log_lines import LineFormatter

OURS = LineFormatter("vsl")
THEIRS = LambdaPowertoolsFormatter(utc=True, service="vsl")
KEYS: dict[str, Any] = {
    "job_id": "019ca945-0a00-7e8c-9902-207afaeb7120",
    "attempt": 2,
    "nothing": None,
    "cost": Decimal("0.003"),
    "name of a file": "välkommen.png",
    "inner": {"list": [1, None, True]},
}


def record(message: Any, *arguments: Any, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord(
        "vsl", logging.WARNING, "/a/file.py", 7, message, arguments, None, func="handler"
    )
    made.__dict__.update(more)
    return made


@pytest.mark.parametrize("trace", ["", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"])
@pytest.mark.parametrize(
    "written",
    [
        record("step done"),
        record("step done", **KEYS),
        record("Redis is away: %s", "no answer in time", job_id="one"),
        record("100 %"),
        record({"a document": 1}, job_id="one"),
        record("of our own", level="low", service="another"),
    ],
)
def test_a_line_is_written_as_powertools_writes_it(
    written: logging.LogRecord, trace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", trace)
    assert json.loads(OURS.format(written)) == json.loads(THEIRS.format(written))
    assert "\n" not in OURS.format(written)


def test_an_error_comes_with_its_trace() -> None:
    try:
        int("what is wrong")
    except ValueError:
        failed = record("step failed unexpectedly", exc_info=sys.exc_info(), job_id="one")
    line = json.loads(OURS.format(failed))
    assert line == json.loads(THEIRS.format(failed))
    assert (line["exception_name"], line["service"]) == ("ValueError", "vsl")
    assert "what is wrong" in line["exception"]
