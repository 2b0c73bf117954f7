"""Refusals of the API as errors of the command line, and how they are shown."""

import json
import re

import pytest

from cli.client.errors import CommandError, Exit, refusal
from cli.client.screen import Screen
from tests.support.documents import document
from vsl.domain.errors import error_classes


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("InvalidRequest", 2), ("InvalidParameters", 2), ("UnknownModel", 2), ("JobNotFound", 3),
     ("Forbidden", 4), ("RequestInProgress", 2), ("IdempotencyKeyReused", 2),
     ("RateLimitExceeded", 5), ("StoreUnavailable", 6), ("ConfigurationError", 6)],
)  # fmt: skip
def test_every_refusal_has_its_exit_code(code: str, exit_code: int) -> None:
    status = error_classes()[code].status
    error = refusal(status, {"code": code, "detail": "why", "status": status})
    assert (error.code, error.message, error.exit_code) == (code, "why", exit_code)


def test_a_limit_says_when_to_try_again() -> None:
    error = refusal(429, {"code": "RateLimitExceeded", "detail": "x", "retryAfter": 90, "limit": 1})
    assert error.hint == "Try again in 90 seconds."
    assert error.document() == {
        "error": {
            "code": "RateLimitExceeded",
            "message": "x",
            "status": 429,
            "retryAfter": 90,
            "limit": 1,
            "hint": "Try again in 90 seconds.",
        },
        "exitCode": 5,
    }


def test_an_answer_that_is_no_problem_is_an_error_all_the_same() -> None:
    error = refusal(502, {})
    assert (error.code, error.exit_code) == ("Http502", Exit.UNAVAILABLE)


def test_errors_go_to_stderr_and_json_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        with pytest.raises(SystemExit) as ended, Screen(as_json).errors():
            raise CommandError("Odd", "[bold] \x1b[2J", Exit.NOT_FOUND, "Do this.")
        assert ended.value.code == 3
    printed = capsys.readouterr()
    assert printed.err == "[bold] \ufffd[2J\nDo this.\n"
    assert json.loads(printed.out) == {
        "error": {"code": "Odd", "message": "[bold] \x1b[2J", "hint": "Do this."},
        "exitCode": 3,
    }


def test_nobody_is_asked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="no terminal") as caught:
        Screen().confirm("Really?")
    assert caught.value.exit_code == Exit.REFUSED


def test_the_document_lists_every_exit_code() -> None:
    (rows,) = [
        table for table in document("docs/command-line.md").tables() if "exit code" in table[0][0]
    ]
    listed = {int(re.sub(r"\D", "", row[0])) for row in rows[1:]}
    assert listed == {int(each) for each in Exit}
