"""OpenAI's images API as its clients speak it, each from its registry (docs/compatibility.md)."""

import uuid
from typing import Any

import httpx
import psycopg
import pytest

from devstack.replicate.faults import Match, PredictionFails, PredictionSlow
from tests.support import web
from tests.support.api import unique
from tests.support.cutting_proxy import cutting_proxy
from tests.support.stack import Stack
from tests.support.stock import (
    javascript_client,
    needs_stock_javascript,
    needs_stock_python,
    python_client,
)

pytestmark = pytest.mark.e2e

# Longer than a request is kept waiting, and shorter than the request and its repetition together.
LONG = 32.0


def jobs_of(stack: Stack, prompt: str) -> list[str]:
    with psycopg.connect(stack.database_url) as connection:
        found = connection.execute(
            "SELECT job_id::text FROM jobs WHERE parameters->>'prompt' = %s", [prompt]
        )
        return [row[0] for row in found]


def slow(prompt: str) -> PredictionSlow:
    return PredictionSlow(running=LONG, match=Match(prompt=prompt))


def url_of(stack: Stack) -> str:
    return str(stack.document["apiUrl"])


@needs_stock_python
def test_openai_for_python(stack: Stack) -> None:
    prompt = unique("a lighthouse")
    made = python_client("openai_client", url_of(stack), "works", prompt)
    assert {"flux-schnell", "sdxl"} <= set(made["models"])
    assert "musicgen" not in made["models"]
    assert made["model"] == "sdxl"
    assert made["both"] == [[True, True]] * 2
    assert made["url"][1] is None
    assert made["jpeg"] == "ffd8ff"
    for url in (made["url"][0], made["edited"]):
        assert web.get(url).status_code == 200
    assert len(jobs_of(stack, prompt)) == 4, "one request, one job"


@needs_stock_python
def test_openai_for_python_is_refused_in_its_own_words(stack: Stack) -> None:
    prompt = unique("a lighthouse")
    told = python_client("openai_client", url_of(stack), "refused", prompt)
    wrong = "invalid_request_error"
    assert told == {
        "model": ["NotFoundError", "model_not_found", "model", wrong],
        "n": ["BadRequestError", "InvalidRequest", "n", wrong],
        "size": ["BadRequestError", "InvalidRequest", "size", wrong],
        "quality": ["BadRequestError", "InvalidRequest", "quality", wrong],
        "seed": ["BadRequestError", "InvalidParameters", "seed", wrong],
        "media": ["BadRequestError", "InvalidRequest", "model", wrong],
    }
    assert jobs_of(stack, prompt) == []


@needs_stock_python
def test_a_failed_job_is_an_error_and_no_second_job(stack: Stack) -> None:
    prompt = unique("a fog")
    stack.control.faults(PredictionFails(error="out of memory", match=Match(prompt=prompt)))
    made = python_client("openai_client", url_of(stack), "one", prompt)
    assert made["error"][:2] == ["UnprocessableEntityError", "PredictionFailed"]
    assert len(jobs_of(stack, prompt)) == 1


@needs_stock_python
@pytest.mark.parametrize("key", ["", "by a key"], ids=["marked", "with a key"])
def test_the_clients_repetition_waits_on_for_its_job(stack: Stack, key: str) -> None:
    prompt = unique("a slow lighthouse")
    stack.control.faults(slow(prompt))
    made = python_client("openai_client", url_of(stack), "one", prompt, key and prompt)
    assert "url" in made, made
    assert len(jobs_of(stack, prompt)) == 1


@needs_stock_python
@pytest.mark.parametrize("how", ["cut", "reset", "504"])
@pytest.mark.parametrize("key", ["", "by a key"], ids=["marked", "with a key"])
def test_an_answer_that_was_lost_is_paid_once(stack: Stack, key: str, how: str) -> None:
    prompt = unique("a lost lighthouse")
    with cutting_proxy(url_of(stack), lose=2, how=how) as proxy:
        made = python_client("openai_client", proxy.url, "one", prompt, key and prompt)
    assert proxy.lost == 2
    assert "url" in made, made
    assert len(jobs_of(stack, prompt)) == 1


@needs_stock_python
def test_litellm(stack: Stack) -> None:
    prompt = unique("a bell")
    made = python_client("litellm_client", url_of(stack), "works", prompt)
    assert len(made["urls"]) == 2
    assert all(url.startswith("http") for url in [*made["urls"], made["edited"]])
    assert len(jobs_of(stack, prompt)) == 2
    told = python_client("litellm_client", url_of(stack), "refused", prompt)
    assert (told["model"][0], told["n"][0]) == ("NotFoundError", "BadRequestError")


@needs_stock_javascript
def test_openai_for_javascript(stack: Stack) -> None:
    prompt = unique("a harbour")
    made = javascript_client("openai_client", url_of(stack), "works", prompt)
    assert {"flux-schnell", "sdxl"} <= set(made["models"])
    assert made["both"] == [[True, True]] * 2
    assert web.get(made["edited"]).status_code == 200
    told = javascript_client("openai_client", url_of(stack), "refused", prompt)
    assert told == {
        "model": ["NotFoundError", "model_not_found", "model"],
        "n": ["BadRequestError", "InvalidRequest", "n"],
    }
    assert len(jobs_of(stack, prompt)) == 2


@needs_stock_javascript
def test_the_ai_sdk(stack: Stack) -> None:
    """It makes one request for each picture: the model's own limit is unknown to it."""
    prompt = unique("a pier")
    made = javascript_client("ai_sdk", url_of(stack), "works", prompt)
    assert made == {"made": ["image/webp"] * 2, "edited": ["image/webp"]}
    assert len(jobs_of(stack, prompt)) == 3


@needs_stock_javascript
def test_the_ai_sdk_pays_once_for_a_picture_that_takes_long(stack: Stack) -> None:
    """It repeats requests and marks none: without a key it is told not to."""
    marked, unmarked = unique("a slow pier"), unique("a slower pier")
    stack.control.faults(slow(marked), slow(unmarked))
    made = javascript_client("ai_sdk", url_of(stack), "one", marked, uuid.uuid4().hex)
    assert made == {"images": 1}
    made = javascript_client("ai_sdk", url_of(stack), "one", unmarked)
    (job_id,) = jobs_of(stack, unmarked)
    assert made["error"][:2] == ["AI_APICallError", 422]
    assert job_id in made["error"][2]
    assert len(jobs_of(stack, marked)) == 1


def post(stack: Stack, headers: dict[str, str] | None = None, **members: Any) -> httpx.Response:
    body = {"model": "flux-schnell", "prompt": unique("a bell"), **members}
    url = f"{url_of(stack)}/openai/v1/images/generations"
    return web.post(url, json=body, headers=headers)


def test_limits_and_budgets_hold(stack: Stack) -> None:
    with psycopg.connect(stack.database_url) as connection:
        connection.execute(
            "INSERT INTO user_limits (user_id, jobs_per_hour, concurrent_jobs) VALUES ('oai', 1, 5)"
        )
    who = {"VSL-User": "oai"}
    assert post(stack, who, response_format="url").status_code == 200
    refused = post(stack, who)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "RateLimitExceeded")
    assert int(refused.headers["Retry-After"]) > 0


def test_what_is_no_request(stack: Stack) -> None:
    url = f"{url_of(stack)}/openai/v1/images/edits"
    form = {"model": (None, "sdxl"), "prompt": (None, "a bell")}
    for files, param in (
        (form, "image"),
        (form | {"image": ("a.png", b"no picture", "image/png")}, "image"),
        (form | {"picture": ("a.png", b"x", "image/png")}, "image"),
    ):
        answer = web.post(url, files=files)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    answer = web.post(url, content=b"\xff\xfe")
    assert answer.status_code == 400
