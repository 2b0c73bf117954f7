"""Creating a prediction: sent once, and every answer told apart by what it proves."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.memory_ssm import PREFIX, MemorySsm
from tests.support.replicate_api import (
    BASE,
    ID,
    TOKEN,
    CannedReplicate,
    canned,
    prediction,
    problem,
)
from vsl import VERSION
from vsl.adapters.aws import clients, parameters
from vsl.adapters.aws.parameters import Secret
from vsl.adapters.replicate.client import ReplicateProvider
from vsl.domain.errors import (
    ConfigurationError,
    ProviderAuthenticationFailed,
    ProviderInsufficientCredit,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
    SubmissionUncertain,
    VslError,
)
from vsl.domain.predictions.prediction import Prediction, PredictionStatus

OFFICIAL = "black-forest-labs/flux-schnell"
VERSION_ID = "7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
PINNED = f"stability-ai/sdxl:{VERSION_ID}"
WEBHOOK = "https://api.example.com/webhook/replicate?jobId=j&attempt=1"
PRIVATE_PROMPT = "a prompt nobody but the provider may read"


def create(
    replicate: CannedReplicate,
    reference: str = OFFICIAL,
    *,
    cancel_after: int = 300,
    token: Callable[[], str] = lambda: TOKEN,
) -> Prediction:
    return replicate.provider(token).create(
        reference, {"prompt": PRIVATE_PROMPT}, WEBHOOK, cancel_after
    )


def refused(replicate: CannedReplicate) -> VslError:
    with pytest.raises(VslError) as raised:
        create(replicate)
    assert len(replicate.requests) == 1, "a submission is never repeated by the client"
    assert TOKEN not in str(raised.value)
    assert PRIVATE_PROMPT not in str(raised.value)
    assert raised.value.__cause__ is None
    return raised.value


def test_a_deployment_is_called_by_its_own_route() -> None:
    replicate = canned(httpx.Response(201, json=prediction(version="dp-" + "a" * 32)))

    created = create(replicate, "deployments/acme/fox-writer")

    assert created.id == ID
    (request,) = replicate.requests
    assert str(request.url) == f"{BASE}/deployments/acme/fox-writer/predictions"
    assert set(replicate.body()) == {"input", "webhook", "webhook_events_filter"}


def test_an_official_model_is_called_by_name() -> None:
    replicate = canned(httpx.Response(201, json=prediction()))

    created = create(replicate)

    assert (created.id, created.status) == (ID, PredictionStatus.STARTING)
    (request,) = replicate.requests
    assert request.method == "POST"
    assert str(request.url) == f"{BASE}/models/{OFFICIAL}/predictions"
    assert replicate.body() == {
        "input": {"prompt": PRIVATE_PROMPT},
        "webhook": WEBHOOK,
        "webhook_events_filter": ["start", "completed"],
    }
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["user-agent"] == f"vsl/{VERSION}"
    assert request.headers["content-type"] == "application/json"
    assert "prefer" not in request.headers


def test_any_other_model_is_called_by_version() -> None:
    replicate = canned(httpx.Response(201, json=prediction(version=VERSION_ID)))

    create(replicate, PINNED)

    assert replicate.paths == ["POST /v1/predictions"]
    assert replicate.body()["version"] == VERSION_ID
    assert "model" not in replicate.body()


@pytest.mark.parametrize(
    ("seconds", "header"), [(300, "300s"), (1, "5s"), (0, "5s"), (10**6, "86400s")]
)
def test_the_deadline_is_kept_within_the_provider_s_range(seconds: int, header: str) -> None:
    replicate = canned(httpx.Response(201, json=prediction()))
    create(replicate, cancel_after=seconds)
    assert replicate.requests[0].headers["cancel-after"] == header


def test_the_token_is_asked_for_every_time_and_trimmed() -> None:
    tokens = iter(["r8_old\n", "r8_new"])
    replicate = canned(httpx.Response(201, json=prediction()))
    provider = replicate.provider(lambda: next(tokens))

    for _ in range(2):
        provider.create(OFFICIAL, {}, WEBHOOK, 60)

    sent = [request.headers["authorization"] for request in replicate.requests]
    assert sent == ["Bearer r8_old", "Bearer r8_new"]


@pytest.mark.parametrize(
    ("status", "more"),
    [
        (201, {}),
        (202, {"status": "processing"}),
        (201, {"status": "succeeded", "output": ["https://replicate.delivery/xezq/k/out-0.webp"]}),
        (201, {"status": "a-status-of-tomorrow"}),
        (200, {"metrics": None, "logs": None, "created_at": "soon"}),
    ],
)
def test_lenient_with_what_comes_back(status: int, more: dict[str, Any]) -> None:
    created = create(canned(httpx.Response(status, json=prediction(**more))))
    assert created.id == ID


def test_a_status_of_tomorrow_counts_as_unfinished() -> None:
    created = create(canned(httpx.Response(201, json=prediction("a-status-of-tomorrow"))))
    assert created.status is PredictionStatus.PROCESSING


_CONNECTION_FAILURES = [
    httpx.ConnectError("[Errno 111] Connection refused"),
    httpx.ConnectError("[Errno -2] Name or service not known"),
    httpx.ConnectTimeout("timed out"),
    httpx.PoolTimeout("timed out"),
]
_LOST_ANSWERS = [
    httpx.ReadTimeout("timed out"),
    httpx.WriteTimeout("timed out"),
    httpx.ReadError("[Errno 104] Connection reset by peer"),
    httpx.WriteError("[Errno 32] Broken pipe"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
    httpx.DecodingError("Error -3 while decompressing data: incorrect header check"),
]


@pytest.mark.parametrize("failure", _CONNECTION_FAILURES, ids=repr)
def test_without_a_connection_nothing_was_accepted(failure: Exception) -> None:
    assert type(refused(canned(failure))) is ProviderUnavailable


@pytest.mark.parametrize("failure", _LOST_ANSWERS, ids=repr)
def test_a_lost_answer_leaves_it_open(failure: Exception) -> None:
    assert type(refused(canned(failure))) is SubmissionUncertain


@pytest.mark.parametrize(
    "answer",
    [
        problem(500, detail="Internal server error"),
        httpx.Response(502, text="<html>Bad gateway</html>"),
        httpx.Response(503),
        httpx.Response(504),
        httpx.Response(408),
        httpx.Response(201, text="<html>"),
        httpx.Response(201, text=""),
        httpx.Response(201, json=[]),
        httpx.Response(201, json={"status": "starting"}),
        httpx.Response(201, json={"id": None, "status": "starting"}),
    ],
    ids=lambda answer: f"{answer.status_code} {answer.text}",
)
def test_a_fault_or_an_unreadable_success_leaves_it_open(answer: httpx.Response) -> None:
    assert type(refused(canned(answer))) is SubmissionUncertain


def later(retry_after: str, date: str | None = None) -> httpx.Response:
    headers = {"Retry-After": retry_after} | ({"Date": date} if date else {})
    return httpx.Response(429, headers=headers)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (
            problem(
                429,
                detail="Request was throttled. Your rate limit for creating predictions is reduced"
                " to 6 requests per minute with a burst of 1 requests while you have less than $5.0"
                " in credit. Your rate limit resets in ~9s.",
                status=429,
                retry_after=7,
            ),
            7,
        ),
        (problem(429, detail="Request was throttled. Your rate limit resets in ~30s."), 30),
        (problem(429, detail="Request was throttled. Expected available in 1 second."), 1),
        (httpx.Response(429, headers={"Retry-After": "12"}, json={"detail": "resets in ~9s"}), 12),
        (later("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"), 30),
        (later("Wednesday, 21-Oct-26 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"), 30),
        (later("Wed, 21 Oct 2026 07:27:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"), 0),
        (later("Wed, 21 Oct 2037 07:27:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"), None),
        (later("Wed, 21 Oct 2015 07:27:00 GMT", "soon"), 0),
        (later("Wed, 32 Oct 2026 07:28:00 GMT"), None),
        (later("nan"), None),
        (httpx.Response(429, text="slow down"), None),
        (problem(429, retry_after="soon", detail="resets in ~4s"), 4),
        (problem(429, retry_after=-1), None),
    ],
)  # fmt: skip
def test_throttling_says_how_long(answer: httpx.Response, seconds: float | None) -> None:
    error = refused(canned(answer))
    assert type(error) is ProviderThrottled
    assert error.details.get("retryAfter") == seconds


_INVALID_INPUT = problem(
    422,
    title="Input validation failed",
    status=422,
    detail="- input: prompt is required\n- input.num_inference_steps: Must be less than or equal to 4\n",
    invalid_fields=[
        {"type": "required", "field": "input", "description": "prompt is required"},
        {
            "type": "number_lte",
            "field": "input.num_inference_steps",
            "description": "Must be less than or equal to 4",
        },
    ],
)


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (
            problem(400, detail="Failed to parse request body as JSON: EOF", status=400),
            ProviderRejected,
            "The provider refused the request (400): Failed to parse request body as JSON: EOF",
        ),
        (
            problem(
                401,
                title="Unauthenticated",
                detail="You did not pass a valid authentication token",
                status=401,
            ),
            ProviderAuthenticationFailed,
            "replicate-token: You did not pass a valid authentication token",
        ),
        (problem(403, title="Forbidden"), ProviderAuthenticationFailed, "(403)"),
        (
            problem(402, title="Insufficient credit", detail="You have insufficient credit."),
            ProviderInsufficientCredit,
            "has no credit: You have insufficient credit.",
        ),
        (
            problem(404, detail="The requested resource could not be found.", status=404),
            ProviderRejected,
            "(404): The requested resource could not be found.",
        ),
        (httpx.Response(413, text="<html>413</html>"), ProviderRejected, "(413)"),
        (
            problem(
                422,
                title="Invalid version or not permitted",
                detail="The specified version does not exist",
                status=422,
            ),
            ProviderRejected,
            "(422): The specified version does not exist",
        ),
        (
            problem(
                422,
                title="Version disabled",
                detail="This version has been disabled because it consistently fails.",
                status=422,
            ),
            ProviderRejected,
            "This version has been disabled",
        ),
        (_INVALID_INPUT, ProviderRejected, "- input: prompt is required"),
        (
            problem(
                422,
                title="Input validation failed",
                detail="- version is required\n- Additional property model is not allowed\n",
                status=422,
            ),
            ProviderRejected,
            "Additional property model is not allowed",
        ),
        (httpx.Response(301, headers={"location": "https://elsewhere.example/"}), ProviderRejected, "(301)"),
        (httpx.Response(409, json=["odd"]), ProviderRejected, "(409)"),
        (problem(422, detail="x" * 9000), ProviderRejected, "x" * 500),
    ],
)  # fmt: skip
def test_refusals(answer: httpx.Response, kind: type[VslError], message: str) -> None:
    error = refused(canned(answer))
    assert type(error) is kind
    assert message in error.message
    assert len(error.message) < 700


def test_a_refusal_brings_the_provider_s_invalid_fields() -> None:
    assert refused(canned(_INVALID_INPUT)).details["invalidFields"] == [
        {"field": "input", "type": "required", "description": "prompt is required"},
        {
            "field": "input.num_inference_steps",
            "type": "number_lte",
            "description": "Must be less than or equal to 4",
        },
    ]


@pytest.mark.parametrize("token", ["", "r8_a\nb: c", "r8_ü", "r8_\x00"])
def test_a_malformed_token_is_named_but_not_shown(token: str) -> None:
    replicate = canned(httpx.Response(201, json=prediction()))
    with pytest.raises(ConfigurationError, match="replicate-token") as raised:
        create(replicate, token=lambda: token)

    assert not replicate.requests
    assert "r8_" not in str(raised.value)


@pytest.mark.parametrize("base_url", ["api.replicate.com/v1", "ftp://api.replicate.com"])
def test_a_malformed_address_is_named(base_url: str) -> None:
    provider = ReplicateProvider(base_url, lambda: TOKEN)
    with pytest.raises(ConfigurationError, match="REPLICATE_API_URL"):
        provider.create(OFFICIAL, {}, WEBHOOK, 60)
    provider.close()


def test_the_version_sent_is_the_package_s() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^version = "(.+)"$', text, re.MULTILINE)
    assert found is not None
    assert found[1] == VERSION


def rotated(monkeypatch: pytest.MonkeyPatch, after: str) -> Secret:
    """A token that was read as TOKEN, and is another one in SSM by now."""
    ssm = MemorySsm(replicate_token=TOKEN)
    monkeypatch.setattr(clients, "client", {"ssm": ssm}.__getitem__)
    monkeypatch.setattr(parameters, "RENEW_SECONDS", 0)
    token = parameters.Parameters(PREFIX).secret("replicate-token")
    assert token() == TOKEN
    ssm.values["replicate-token"] = after
    return token


def test_a_token_refused_after_its_rotation_is_replaced_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """401 proves that nothing was accepted: sending again cannot pay twice."""
    replicate = canned(
        problem(401, title="Unauthenticated"), httpx.Response(201, json=prediction())
    )
    created = create(replicate, token=rotated(monkeypatch, "r8_new"))
    assert created.id == ID
    sent = [request.headers["Authorization"] for request in replicate.requests]
    assert sent == [f"Bearer {TOKEN}", "Bearer r8_new"]
    assert replicate.body(0) == replicate.body(1)


def test_a_refused_token_that_is_still_the_same_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replicate = canned(problem(401, title="Unauthenticated"))
    with pytest.raises(ProviderAuthenticationFailed):
        create(replicate, token=rotated(monkeypatch, TOKEN))
    assert len(replicate.requests) == 1
