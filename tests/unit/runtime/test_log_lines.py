"""What a log line says of its job, whichever function wrote it, and what saved queries ask for."""

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.log_lines import written_to
from tests.support.template import REPOSITORY, template
from vsl.domain.errors import StoreUnavailable
from vsl.runtime.handler import Event, answer, api, step
from vsl.runtime.observability import JOB_KEYS, METRICS, job_keys, keys_of_the_line, logger

STEPS = sorted((REPOSITORY / "events/steps").glob("*.json"))
# The request has no job yet, and the refusal of one may have none.
WITHOUT_A_JOB = {"validate_request"}


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 3000


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "vsl-homolog-one")
    monkeypatch.setenv("RELEASE", "20260301T120509Z")
    # A process that was "killed" in another test left its own.
    monkeypatch.setattr(keys_of_the_line, "known", {})
    with written_to(io.StringIO()) as stream:
        yield stream


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.stem)
def test_a_step_that_is_done_says_whose_it_was(path: Path, written: io.StringIO) -> None:
    event = json.loads(path.read_text())
    step(lambda _event, _context: {})(event, Context())
    (line,) = lines(written)
    assert (line["message"], line["level"]) == ("step done", "INFO")
    assert (line["function_name"], line["request_id"]) == ("vsl-homolog-one", "request-1")
    assert line["release"] == "20260301T120509Z"
    assert line["execution"].startswith("arn:aws:states:")
    if path.stem not in WITHOUT_A_JOB:
        assert line["job_id"] == "019ca945-0afa-70d8-98e0-985ecc7f6041"
        assert (line["user_id"], line["model_id"]) == ("user-42", "flux-schnell")


def test_nothing_of_a_job_is_left_for_the_next_one(written: io.StringIO) -> None:
    event = json.loads((REPOSITORY / "events/steps/record_failure.json").read_text())
    step(lambda _event, _context: {})(event, Context())
    step(lambda _event, _context: {})({}, Context())
    first, second = lines(written)
    assert first["attempt"] == 1
    assert not set(JOB_KEYS) & second.keys()


def test_a_job_inside_a_step_takes_nothing_from_the_step(written: io.StringIO) -> None:
    def several(_event: Event, _context: object) -> None:
        for job in ("one", "two"):
            with job_keys({"jobId": job}):
                logger.info("told")

    step(several)({}, Context())
    assert [line.get("job_id") for line in lines(written)] == ["one", "two", None]
    assert {line["function_name"] for line in lines(written)} == {"vsl-homolog-one"}
    assert {line["request_id"] for line in lines(written)} == {"request-1"}


def test_the_step_that_makes_an_attempt_names_it(written: io.StringIO) -> None:
    step(lambda _event, _context: {"attempt": 2})({}, Context())
    (line,) = lines(written)
    assert line["attempt"] == 2
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta()


def test_a_level_above_it_keeps_the_line_back(written: io.StringIO) -> None:
    before = logger.log_level
    logger.setLevel("WARNING")
    try:
        step(lambda _event, _context: {})({}, Context())
    finally:
        logger.setLevel(before)
    assert lines(written) == []


def test_a_step_that_fails_names_its_error_and_is_not_done(written: io.StringIO) -> None:
    def fails(_event: Event, _context: object) -> None:
        raise StoreUnavailable("PostgreSQL is away.")

    with pytest.raises(StoreUnavailable):
        step(fails)({"jobId": "one"}, Context())
    (line,) = lines(written)
    assert (line["error_code"], line["job_id"]) == ("StoreUnavailable", "one")


def test_a_webhook_names_the_job_of_its_address(written: io.StringIO) -> None:
    event = json.loads((REPOSITORY / "events/api/process_webhook.json").read_text())
    api(lambda _event, _context: answer(200, {}))(event, Context())
    (line,) = lines(written)
    assert (line["status"], line["attempt"]) == (200, "1")
    assert line["job_id"] == event["queryStringParameters"]["jobId"]


def test_an_id_that_is_none_and_a_reader_leave_no_line_of_a_job(written: io.StringIO) -> None:
    made_up = {"httpMethod": "POST", "queryStringParameters": {"jobId": "x\ny", "attempt": "z"}}
    api(lambda _event, _context: answer(200, {}))(made_up, Context())
    api(lambda _event, _context: answer(200, {}))({"httpMethod": "GET"}, Context())
    (line,) = lines(written)
    assert not set(JOB_KEYS) & line.keys()


def test_only_the_webhooks_address_names_a_job_in_the_query(written: io.StringIO) -> None:
    """Else a request for anything could write lines under the id of somebody else's job."""
    query = json.loads((REPOSITORY / "events/api/process_webhook.json").read_text())
    for name in ("create_upload", "cancel_job"):
        event = json.loads((REPOSITORY / f"events/api/{name}.json").read_text())
        own = (event["pathParameters"] or {}).get("jobId")
        event["queryStringParameters"] = query["queryStringParameters"]
        event["queryStringParameters"]["jobId"] = "019ca945-0afa-70d8-98e0-985ecc7f6049"
        api(lambda _event, _context: answer(200, {}))(event, Context())
        line = lines(written)[-1]
        assert (line.get("job_id"), line.get("attempt")) == (own, None)


def test_saved_queries_ask_for_what_is_logged(written: io.StringIO) -> None:
    """A field that nobody writes is an empty column, and nobody notices before the night it is needed."""
    logger.error("failed", exc_info=StoreUnavailable("away"))
    exception = lines(written)[0].keys()
    logged = {*JOB_KEYS, *METRICS, *exception, "function_name", "error_code", "reason"}
    dimensions = {"modelId", "source", "type", "@timestamp", "@log"}
    words = {"fields", "filter", "sort", "limit", "stats", "by", "as", "asc", "desc", "bin"}
    functions = {"count", "sum", "latest", "ispresent", "pct", "max"}
    resources = template()["Resources"].values()
    queries = [r["Properties"] for r in resources if r["Type"] == "AWS::Logs::QueryDefinition"]
    assert len(queries) >= 6
    for query in queries:
        text = re.sub(r'"[^"]*"|record\.metrics\.\w+', "", query["QueryString"])
        named = set(re.findall(r"\bas (\w+)", text))
        asked = {name for name in re.findall(r"@?[A-Za-z_]\w*", text) if name != "m"}
        assert asked <= logged | dimensions | words | functions | named, query["Name"]
