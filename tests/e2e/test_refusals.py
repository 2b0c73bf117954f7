"""What the API refuses, how it is said, and that it costs nothing."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest

from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

PROBLEM = "application/problem+json"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, object] = answer.json()
    assert (body["status"], body["code"]) == (status, code)
    return body


def test_the_answer_to_an_accepted_request(stack: Stack) -> None:
    answer = stack.api.generate("flux-schnell", {"prompt": unique("a lighthouse")})
    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "pending"
    assert body["replicateId"] is None
    assert body["estimatedCost"] == "0.003"
    assert answer.headers["location"] == body["statusUrl"]
    assert re.fullmatch(r'"hour";r=\d+;t=\d+, "concurrent";r=\d+', answer.headers["ratelimit"])
    assert answer.headers["ratelimit-policy"].startswith('"hour";q=100;w=3600, "concurrent";q=20;')
    assert "RateLimit-Policy" in answer.headers["access-control-expose-headers"]
    assert web.get(body["statusUrl"]).status_code in {200, 404}
    assert stack.api.finish(body["jobId"])["status"] == "succeeded"


@pytest.mark.parametrize("name", ["X-Forwarded-Proto", "x-forwarded-proto", "Host", "Origin"])
def test_a_client_is_led_to_the_api_whatever_it_claims(stack: Stack, name: str) -> None:
    """Whoever follows a link sends a token along."""
    evil = "https://evil.example/?"
    prompt = unique("a lighthouse")
    body = {"userId": "e2e", "modelId": "flux-schnell", "parameters": {"prompt": prompt}}
    for options in ({"params": {name: evil}}, {"headers": {name: "evil.example"}}):
        answer = web.post(
            f"{stack.api.url}/generate-media",
            json=body,
            **options,  # type: ignore[arg-type]
        )
        if "params" in options:  # the route takes no query
            problem(answer, 400, "InvalidRequest")
            assert "evil" not in answer.text
            answer = stack.api.decided("flux-schnell", {"prompt": prompt})
        assert answer.status_code == 202, answer.text
        expected = f"{stack.api.url}/status/{answer.json()['jobId']}"
        assert answer.json()["statusUrl"] == answer.headers["location"] == expected
        described = web.get(f"{stack.api.url}/openapi.json", **options)  # type: ignore[arg-type]
        assert described.json()["servers"] == [{"url": stack.api.url}]
        assert stack.api.finish(answer.json()["jobId"])["status"] == "succeeded"


def test_a_client_may_wait_for_the_end(stack: Stack) -> None:
    ask = {"prompt": unique("now")}
    answer = stack.api.generate("flux-schnell", ask, prefer="respond-async, wait=25")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded"), answer.text
    assert answer.headers["preference-applied"] == "wait=25"
    assert answer.headers["location"].endswith(answer.json()["jobId"])
    result = answer.json()["result"]
    assert len(web.get(result["originalUrl"]).content) == result["fileSize"]

    slow = stack.api.generate("minimax-video-01", ask, prefer="wait=1")
    assert (slow.status_code, slow.json()["status"]) == (202, "pending")
    assert slow.headers["preference-applied"] == "wait=1"
    cancel(stack, slow.json()["jobId"])


@pytest.mark.parametrize("kibibytes", [129, 300])
def test_a_body_that_is_too_large(stack: Stack, kibibytes: int) -> None:
    answer = stack.api.generate("flux-schnell", {"prompt": "x" * kibibytes * 1024})
    body = problem(answer, 413, "PayloadTooLarge")
    assert "131,072" in str(body["detail"])
    assert body["limit"] == 131_072


def test_wrong_parameters_are_all_named(stack: Stack) -> None:
    before = len(stack.control.predictions())
    parameters = {"width": "wide", "num_outputs": 99, "promt": "x"}
    answer = stack.api.generate("flux-schnell", parameters)
    body = problem(answer, 400, "InvalidParameters")
    fields = body["fields"]
    assert isinstance(fields, list)
    assert {"prompt", "promt", "num_outputs", "width"} <= {
        str(field["field"]).rpartition(".")[2] for field in fields
    }
    assert len(stack.control.predictions()) == before


def test_an_unknown_model_is_answered_with_the_nearest_names(stack: Stack) -> None:
    body = problem(stack.api.generate("flux-schnel", {"prompt": "x"}), 404, "UnknownModel")
    assert "flux-schnell" in str(body["detail"])


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"text"', b'{"modelId": "flux-schnell"}', b'{"userId": 7}']
)
def test_a_body_that_is_no_request(stack: Stack, content: bytes) -> None:
    answer = web.post(
        f"{stack.api.url}/generate-media",
        content=content,
        headers={"Content-Type": "application/json"},
    )
    problem(answer, 400, "InvalidRequest")


def test_the_same_key_is_the_same_job(stack: Stack) -> None:
    key, prompt = unique("key"), unique("once")
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda _: stack.api.generate("flux-schnell", {"prompt": prompt}, key=key), range(4)
            )
        )
    again = stack.api.generate("flux-schnell", {"prompt": prompt}, key=key)
    assert {answer.status_code for answer in [*answers, again]} == {202}
    assert len({answer.json()["jobId"] for answer in [*answers, again]}) == 1
    stack.api.finish(again.json()["jobId"])
    made = [each for each in stack.control.predictions() if each.input.get("prompt") == prompt]
    assert len(made) == 1
    other = stack.api.generate("flux-schnell", {"prompt": "another"}, key=key)
    problem(other, 422, "IdempotencyKeyReused")


def test_the_hourly_limit(stack: Stack) -> None:
    user = unique("limited").replace(" ", "-")
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, jobs_per_hour) VALUES (%s, 2)", [user]
        )
    accepted = [stack.api.generate("flux-schnell", {"prompt": "x"}, user_id=user) for _ in range(2)]
    assert [answer.status_code for answer in accepted] == [202, 202]
    refused = stack.api.generate("flux-schnell", {"prompt": "x"}, user_id=user)
    problem(refused, 429, "RateLimitExceeded")
    assert refused.headers["ratelimit"].startswith('"hour";r=0;t=')
    assert refused.headers["ratelimit-policy"].startswith('"hour";q=2;w=3600')
    assert 0 < int(refused.headers["retry-after"]) <= 3600
    for answer in accepted:
        assert stack.api.finish(answer.json()["jobId"])["status"] == "succeeded"


def test_jobs_at_once(stack: Stack) -> None:
    user = unique("crowded").replace(" ", "-")
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, concurrent_jobs) VALUES (%s, 3)", [user]
        )
    # Slow enough that none ends while the others are being asked for.
    ask = {"prompt": unique("slow")}
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: stack.api.generate("minimax-video-01", ask, user_id=user), range(8))
        )
    accepted = [answer for answer in answers if answer.status_code == 202]
    assert len(accepted) == 3
    for answer in answers:
        if answer not in accepted:
            assert problem(answer, 429, "TooManyJobs")["limit"] == 3
            assert int(answer.headers["retry-after"]) > 0
    for answer in accepted:
        cancel(stack, answer.json()["jobId"])
    again = stack.api.generate("flux-schnell", {"prompt": "x"}, user_id=user)
    assert again.status_code == 202, "their places are free again"
    stack.api.finish(again.json()["jobId"])


def cancel(stack: Stack, job_id: str) -> None:
    web.post(f"{stack.api.url}/jobs/{job_id}/cancel")
    assert stack.api.finish(job_id)["status"] == "canceled"


def test_an_unknown_job(stack: Stack) -> None:
    for job_id in ("nonsense", "01994a3c-0000-7000-8000-000000000000"):
        answer = web.get(f"{stack.api.url}/status/{job_id}")
        problem(answer, 404, "JobNotFound")


def test_the_models_are_listed_with_their_parameters(stack: Stack) -> None:
    models = web.get(f"{stack.api.url}/models").json()["models"]
    assert {"flux-schnell", "stability-video", "musicgen", "sdxl"} <= {
        model["modelId"] for model in models
    }
    one = web.get(f"{stack.api.url}/models/flux-schnell").json()
    assert one["parameters"]["required"] == ["prompt"]
    problem(web.get(f"{stack.api.url}/models/x"), 404, "UnknownModel")
