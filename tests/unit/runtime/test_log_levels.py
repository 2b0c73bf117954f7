"""LogLevel holds lines back and never a metric: in our logger, and not in Lambda's filter.

Lambda's filter takes a JSON line without a level, as metrics are, and one whose timestamp is not RFC
3339, for INFO. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.paths import LAYER_CORE
from tests.support.deployed import resolved, transformed
from tests.support.template import template

LEVELS = template()["Parameters"]["LogLevel"]["AllowedValues"]
ORDER = ["DEBUG", "INFO", "WARN", "ERROR"]
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
PROGRAM = """
import logging
from vsl.runtime.observability import logger, metrics
for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
    logger.log(level, "one line")
    logging.getLogger("vsl.adapters.some").log(level, "a module's line")
try:
    raise ValueError("wrong")
except ValueError:
    logger.exception("one error")
metrics.count("JobStarted")
"""


def written(configured: str, variables: dict[str, str]) -> list[dict[str, Any]]:
    """All lines of a function whose Lambda is `configured` to a level, before Lambda's filter."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(LAYER_CORE),
        "AWS_LAMBDA_LOG_LEVEL": configured,
        "AWS_LAMBDA_FUNCTION_NAME": "vsl-production-one",
        **variables,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def let_through(configured: str, lines: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """As Lambda filters."""
    for line in lines:
        level = {"WARNING": "WARN"}.get(str(line.get("level")), str(line.get("level")))
        known = level in ORDER and RFC_3339.fullmatch(str(line.get("timestamp")))
        if ORDER.index(level if known else "INFO") >= ORDER.index(configured):
            yield line


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_holds_back_what_is_below_and_no_metric(level: str) -> None:
    chosen = {"LogLevel": level}
    function = resolved(transformed(chosen), chosen)["GetStatusFunction"]["Properties"]
    configured = function["LoggingConfig"]["ApplicationLogLevel"]
    variables = function["Environment"]["Variables"]
    arrived = list(let_through(configured, written(configured, variables)))
    (metric,) = [line for line in arrived if "_aws" in line]
    assert metric["JobStarted"] == 1
    said = [line["level"].replace("WARNING", "WARN") for line in arrived if "_aws" not in line]
    own = [name for name in ORDER if ORDER.index(name) >= ORDER.index(level)]
    assert sorted(said) == sorted([*own, *own, "ERROR"])


def test_every_line_has_a_time_that_lambda_takes() -> None:
    variables = {"STAGE": "local", "API_AUTH": "NONE", "DYNAMODB_TABLE": "t", "SSM_PREFIX": "/p/"}
    lines = [line for line in written("DEBUG", variables) if "_aws" not in line]
    assert len(lines) == 9 - 2, "without LOG_LEVEL everything from INFO on"
    assert all(RFC_3339.fullmatch(line["timestamp"]) for line in lines)
    assert any("exception" in line for line in lines)
