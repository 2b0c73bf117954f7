"""Our errors in OpenAI's shape: what its clients repeat, and what they must not."""

import pytest

from vsl.domain.compat.openai_answers import MOST_ANSWER_BYTES, fits, too_large
from vsl.domain.compat.openai_errors import job_error, openai_error, still_running
from vsl.domain.compat.problems import problem_error
from vsl.domain.errors import (
    BudgetExceeded,
    ContentFlagged,
    Forbidden,
    InternalError,
    InvalidParameters,
    InvalidRequest,
    RateLimitExceeded,
    StoreUnavailable,
    UnknownModel,
    VslError,
)

REPEATED = {408, 409, 429} | set(range(500, 600))


@pytest.mark.parametrize(
    ("error", "status", "kind", "code", "param"),
    [
        (InvalidRequest.of([("n", "is wrong")]), 400, "invalid_request_error", None, "n"),
        (
            InvalidParameters.of([("parameters.seed", "is wrong")]),
            400,
            "invalid_request_error",
            None,
            "seed",
        ),
        (UnknownModel("No."), 404, "invalid_request_error", "model_not_found", "model"),
        (Forbidden("No."), 403, "permission_error", None, None),
        (BudgetExceeded("No."), 429, "insufficient_quota", "insufficient_quota", None),
        (RateLimitExceeded("No.", retryAfter=40.4), 429, "requests", None, None),
        (StoreUnavailable("No."), 503, "server_error", None, None),
        (InternalError("secret"), 500, "server_error", None, None),
    ],
)
def test_every_kind(
    error: VslError, status: int, kind: str, code: str | None, param: str | None
) -> None:
    found = openai_error(error)
    told = found.body["error"]
    assert (found.status, told["type"], told["param"]) == (status, kind, param)
    assert told["code"] == (code or error.code)
    assert "secret" not in told["message"]


def test_when_to_come_again() -> None:
    assert openai_error(RateLimitExceeded("No.", retryAfter=40.4)).headers["Retry-After"] == "40"
    assert openai_error(StoreUnavailable("No.")).headers["Retry-After"] == "5"
    assert openai_error(BudgetExceeded("No.")).headers["x-should-retry"] == "false"


def test_a_problem_of_the_workflow_is_the_error_it_was() -> None:
    error = problem_error(
        {"code": "RateLimitExceeded", "detail": "No.", "status": 429, "retryAfter": 7}
    )
    assert isinstance(error, RateLimitExceeded)
    assert (error.message, error.details) == ("No.", {"retryAfter": 7})
    assert isinstance(problem_error({"code": "Unheard", "title": "T"}), InternalError)


def test_only_who_joins_its_own_job_is_asked_to_come_again() -> None:
    joined = still_running("job-1", joins=True, retry_after=1)
    assert joined.status in REPEATED
    assert joined.headers == {"Retry-After": "1", "x-should-retry": "true"}
    paid = still_running("job-1", joins=False, retry_after=1)
    assert paid.status not in REPEATED
    assert paid.headers == {"x-should-retry": "false"}
    for each in (joined, paid):
        assert "job-1" in each.body["error"]["message"]


def test_a_failed_job_is_repeated_by_nobody() -> None:
    for code in ("PredictionFailed", "PredictionTimedOut", "JobCanceled", None):
        assert job_error(code, "It broke.").status not in REPEATED
    flagged = job_error(ContentFlagged.__name__, "NSFW")
    assert flagged.status == 400
    assert flagged.body["error"]["code"] == "content_policy_violation"


def test_what_fits_an_answer() -> None:
    assert fits([MOST_ANSWER_BYTES // 4 * 3])
    assert not fits([MOST_ANSWER_BYTES // 4 * 3 + 1])
    assert not fits([3 * 1024**2, 3 * 1024**2])
    assert "url" in too_large([9 * 1024**2], "job-1").message
