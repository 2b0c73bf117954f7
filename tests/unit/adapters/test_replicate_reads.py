"""Everything but creating: repeated briefly where the provider falters, and read leniently."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.support.replicate_api import BASE, ID, TOKEN, canned, page, prediction, problem
from vsl.adapters.replicate.client import MAX_ANSWER_BYTES, REPEAT_WITHIN_SECONDS, ReplicateProvider
from vsl.domain.errors import (
    ProviderAuthenticationFailed,
    ProviderRejected,
    ProviderThrottled,
    ProviderUnavailable,
)
from vsl.domain.predictions.prediction import PredictionStatus

SINCE = datetime(2026, 1, 2, 3, 4, 5, 60_000, UTC)
OUTPUT = "https://replicate.delivery/xezq/k/out-0.webp"


def finished(status: str = "succeeded") -> httpx.Response:
    return httpx.Response(
        200,
        json=prediction(
            status,
            output=[OUTPUT],
            started_at="2026-01-02T03:04:05.1Z",
            completed_at="2026-01-02T03:04:06.064427123Z",
            metrics={"predict_time": 0.829263399, "total_time": 0.840202, "image_count": 1},
            webhook_completed=None,
            data_removed=False,
        ),
    )


def test_get() -> None:
    replicate = canned(finished())

    found = replicate.provider().get(ID)

    assert found is not None
    assert (found.status, found.output) == (PredictionStatus.SUCCEEDED, [OUTPUT])
    assert found.metrics["predict_time"] == 0.829263399
    assert replicate.paths == [f"GET /v1/predictions/{ID}"]


def test_get_of_an_unknown_prediction_is_none() -> None:
    replicate = canned(problem(404, detail="The requested resource could not be found."))
    assert replicate.provider().get(ID) is None


@pytest.mark.parametrize("zipped", [True, False])
def test_an_answer_is_read_to_a_limit_and_no_further(zipped: bool) -> None:
    """One that would fill the memory of the poller would stop it for every job."""
    content = b"[" + b" " * MAX_ANSWER_BYTES + b"]"
    headers = {"content-encoding": "gzip"} if zipped else {}
    content = gzip.compress(content, 1) if zipped else content
    replicate = canned(httpx.Response(200, headers=headers, content=content))
    with pytest.raises(ProviderUnavailable, match="DecodingError"):
        replicate.provider().get(ID)


@pytest.mark.parametrize("encoding", ["gzip", "", "Identity", "aws-chunked", "x-unknown"])
def test_a_header_that_says_nothing_changes_nothing(encoding: str) -> None:
    content = json.dumps(prediction("succeeded", output=[OUTPUT])).encode()
    content = gzip.compress(content) if encoding == "gzip" else content
    headers = {"content-encoding": encoding, "content-type": "text/plain; charset=none"}
    found = canned(httpx.Response(200, headers=headers, content=content)).provider().get(ID)
    assert found is not None
    assert found.output == [OUTPUT]


def test_an_id_cannot_lead_elsewhere() -> None:
    replicate = canned(finished())
    with pytest.raises(ProviderUnavailable, match="of another prediction"):
        replicate.provider().get("../account?x=")
    assert replicate.requests[0].url.raw_path == b"/v1/predictions/..%2Faccount%3Fx%3D"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(500),
        httpx.Response(503, text="<html>"),
        problem(429, detail="Your rate limit resets in ~1s."),
        httpx.ReadTimeout("timed out"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("disconnected"),
    ],
    ids=repr,
)
def test_a_stumble_is_overcome(failure: httpx.Response | Exception) -> None:
    replicate = canned(failure, failure, finished())

    found = replicate.provider().get(ID)

    assert found is not None
    assert len(replicate.requests) == 3
    assert len(replicate.pauses) == 2
    assert all(0.2 <= pause <= 3 for pause in replicate.pauses)


@pytest.mark.parametrize(
    "failure", [httpx.Response(502), httpx.ReadTimeout("timed out"), httpx.ConnectError("refused")],
    ids=repr,
)  # fmt: skip
def test_a_lasting_failure_ends_after_two_repetitions(failure: httpx.Response | Exception) -> None:
    replicate = canned(failure)
    with pytest.raises(ProviderUnavailable):
        replicate.provider().get(ID)
    assert len(replicate.requests) == 3


def test_nothing_is_repeated_once_it_took_too_long() -> None:
    replicate = canned(httpx.ReadTimeout("timed out"))
    times = iter([0.0, REPEAT_WITHIN_SECONDS])
    provider = ReplicateProvider(
        BASE,
        lambda: TOKEN,
        transport=httpx.MockTransport(replicate.handle),
        sleep=replicate.pauses.append,
        monotonic=lambda: next(times),
    )
    with pytest.raises(ProviderUnavailable):
        provider.get(ID)
    assert (len(replicate.requests), replicate.pauses) == (1, [])


def test_lasting_throttling_keeps_its_name() -> None:
    replicate = canned(problem(429, detail="Your rate limit resets in ~1s.", retry_after=1))
    with pytest.raises(ProviderThrottled) as raised:
        replicate.provider().get(ID)
    assert raised.value.details["retryAfter"] == 1
    assert all(pause >= 1 for pause in replicate.pauses)


def test_a_long_wait_is_left_to_the_caller() -> None:
    replicate = canned(problem(429, retry_after=30))
    with pytest.raises(ProviderThrottled):
        replicate.provider().get(ID)
    assert (len(replicate.requests), replicate.pauses) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
    ],
)
def test_an_unreadable_answer(answer: httpx.Response) -> None:
    with pytest.raises(ProviderUnavailable, match="unreadable"):
        canned(answer).provider().get(ID)


def test_a_refused_token() -> None:
    replicate = canned(problem(401, title="Unauthenticated", detail="No valid token"))
    with pytest.raises(ProviderAuthenticationFailed):
        replicate.provider().get(ID)
    assert len(replicate.requests) == 1


def test_the_list_is_followed_page_by_page() -> None:
    replicate = canned(
        page([prediction(id="c"), prediction(id="b")], f"{BASE}/predictions?cursor=cD0y"),
        page([prediction(id="a", webhook="https://x.example/")], None, f"{BASE}/predictions?cursor=cD0x"),
    )  # fmt: skip

    found = list(replicate.provider().list_since(SINCE))

    assert [entry.id for entry in found] == ["c", "b", "a"]
    assert found[2].webhook == "https://x.example/"
    assert dict(replicate.requests[0].url.params) == {
        "created_after": "2026-01-02T03:04:05.060000Z"
    }
    assert str(replicate.requests[1].url) == f"{BASE}/predictions?cursor=cD0y"


def test_a_list_has_two_ends() -> None:
    replicate = canned(page([], None))
    list(replicate.provider().list_since(SINCE, SINCE + timedelta(minutes=3)))
    assert dict(replicate.requests[0].url.params) == {
        "created_after": "2026-01-02T03:04:05.060000Z",
        "created_before": "2026-01-02T03:07:05.060000Z",
    }


def test_the_list_is_read_only_as_far_as_needed() -> None:
    replicate = canned(page([prediction(id="b")], f"{BASE}/predictions?cursor=1"))
    assert next(replicate.provider().list_since(SINCE)).id == "b"
    assert len(replicate.requests) == 1


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/v1/predictions?cursor=1",
        "http://api.replicate.com/v1/predictions?cursor=1",
        "https://api.replicate.com:444/v1/predictions?cursor=1",
        "https://api.replicate.com.evil.example/v1/predictions",
        "//evil.example/",
        "https://[",
    ],
)
def test_the_token_never_follows_the_list_to_another_server(following: str) -> None:
    replicate = canned(page([], following))
    with pytest.raises(ProviderUnavailable, match="another server"):
        list(replicate.provider().list_since(SINCE))
    assert len(replicate.requests) == 1


def test_an_endless_list_is_not_taken_for_a_complete_one() -> None:
    replicate = canned(page([], f"{BASE}/predictions?cursor=again"))
    with pytest.raises(ProviderUnavailable, match="more than 50 pages"):
        list(replicate.provider().list_since(SINCE))
    assert len(replicate.requests) == 50


@pytest.mark.parametrize(
    "body", [{}, {"results": None}, {"results": ["x"]}, {"results": [{"status": "starting"}]}, []]
)
def test_an_unreadable_list_is_not_taken_for_an_empty_one(body: object) -> None:
    with pytest.raises(ProviderUnavailable, match="unreadable"):
        list(canned(httpx.Response(200, json=body)).provider().list_since(SINCE))


def test_cancel() -> None:
    replicate = canned(httpx.Response(200, json=prediction("canceled", output=None, logs=None)))

    canceled = replicate.provider().cancel(ID)

    assert canceled is not None
    assert canceled.status is PredictionStatus.CANCELED
    assert replicate.paths == [f"POST /v1/predictions/{ID}/cancel"]


def test_cancel_of_an_unknown_prediction_is_none() -> None:
    assert canned(problem(404, detail="Not found")).provider().cancel(ID) is None


@pytest.mark.parametrize("status", [400, 409, 422])
def test_cancel_of_a_finished_prediction_tells_how_it_ended(status: int) -> None:
    replicate = canned(problem(status, detail="already completed"), finished())

    found = replicate.provider().cancel(ID)

    assert found is not None
    assert found.status is PredictionStatus.SUCCEEDED
    assert replicate.paths[1] == f"GET /v1/predictions/{ID}"


def test_cancel_refused_for_a_running_prediction_is_an_error() -> None:
    replicate = canned(
        problem(400, detail="no"), httpx.Response(200, json=prediction("processing"))
    )
    with pytest.raises(ProviderRejected):
        replicate.provider().cancel(ID)


def test_cancel_is_repeated_after_a_lost_answer() -> None:
    replicate = canned(httpx.ReadTimeout("timed out"), finished("canceled"))
    canceled = replicate.provider().cancel(ID)
    assert canceled is not None
    assert len(replicate.requests) == 2


def test_webhook_secret() -> None:
    key = "whsec_" + "A" * 32
    replicate = canned(httpx.Response(200, json={"key": key}))
    assert replicate.provider().webhook_secret() == key
    assert replicate.paths == ["GET /v1/webhooks/default/secret"]


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": None}, "whsec_x"])
def test_an_answer_without_a_secret(body: object) -> None:
    with pytest.raises(ProviderUnavailable):
        canned(httpx.Response(200, json=body)).provider().webhook_secret()


def test_a_redirect_is_not_followed() -> None:
    replicate = canned(httpx.Response(307, headers={"location": "https://evil.example/"}))
    with pytest.raises(ProviderRejected):
        replicate.provider().get(ID)
    assert len(replicate.requests) == 1


def test_the_connection_is_opened_late_and_closed() -> None:
    provider = canned(finished()).provider()
    provider.close()
    provider.get(ID)
    provider.close()
    provider.close()
    assert provider.get(ID) is not None
    provider.close()
