"""Budgets, credits, usage and the ledger over the API of a running stack."""

import csv
import io
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e.test_refusals import problem
from tests.support import web
from tests.support.api import unique
from tests.support.stack import Stack

pytestmark = pytest.mark.e2e

MODEL = "flux-schnell"
PRICE = Decimal("0.003")


def ask(stack: Stack, method: str, path: str, status: int = 200, **more: Any) -> Any:
    url = f"{stack.api.url}{path}"
    answer = web.request(method, url, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def limit(stack: Stack, owner: str, period: str, amount: str | None) -> Any:
    body = {"period": period, "limit": amount}
    return ask(stack, "PUT", f"/budgets/{owner}", json=body)


def line(document: Any, period: str) -> dict[str, Any]:
    (found,) = [each for each in document["budgets"] if each["period"] == period]
    return dict(found)


def generate(stack: Stack, user: str, **options: Any) -> httpx.Response:
    prompt = options.pop("prompt", unique("money"))
    return stack.api.decided(MODEL, {"prompt": prompt}, user_id=user, **options)


@pytest.fixture
def user() -> str:
    return f"money-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def stage_limit(stack: Stack) -> Iterator[None]:
    """What a test limits of the whole deployment is taken away for the others."""
    yield
    for period in ("day", "month", "total"):
        limit(stack, "stage", period, None)


@pytest.mark.parametrize("owner", ["user", "stage"])
def test_concurrent_jobs_are_admitted_until_a_budget_is_full(
    stack: Stack, user: str, owner: str, stage_limit: None
) -> None:
    whose = user if owner == "user" else "stage"
    before = line(ask(stack, "GET", f"/budgets/{whose}"), "total")
    taken = Decimal(before["spent"]) + Decimal(before["held"])
    full = f"{taken + 7 * PRICE:f}"
    assert line(limit(stack, whose, "total", full), "total")["own"] is True
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: generate(stack, user), range(12)))
    assert Counter(answer.status_code for answer in answers) == {202: 7, 402: 5}
    for answer in answers:
        if answer.status_code == 402:
            body = problem(answer, 402, "BudgetExceeded")
            assert body["budget"] == f"{owner}/total"
            assert "resetsAt" not in body, "it never does"
            assert body["wouldHold"] == str(PRICE)
            if owner == "stage":
                assert not {"limit", "spent", "held", "left"} & body.keys()
                continue
            assert body["left"] == "0"
            assert Decimal(str(body["limit"])) == Decimal(full)
            assert Decimal(str(body["spent"])) + Decimal(str(body["held"])) == Decimal(full)
        else:
            stack.api.finish(answer.json()["jobId"])
    assert ask(stack, "GET", "/budget", params={"userId": user})["canStart"] is False


def test_a_refused_request_gives_its_key_and_its_place_back(stack: Stack, user: str) -> None:
    limit(stack, user, "day", "0.002")
    key, prompt = uuid.uuid4().hex, unique("again")
    for _ in range(3):
        body = problem(generate(stack, user, key=key, prompt=prompt), 402, "BudgetExceeded")
        assert (body["budget"], body["limit"], body["spent"]) == ("user/day", "0.002", "0")
        assert (body["held"], body["left"], body["wouldHold"]) == ("0", "0.002", "0.003")
        assert str(body["resetsAt"]).endswith("T00:00:00.000Z")
    assert ask(stack, "GET", "/jobs", params={"userId": user})["jobs"] == []
    shown = line(limit(stack, user, "day", "0.5"), "day")
    assert (shown["limit"], shown["spent"], shown["held"]) == ("0.5", "0", "0")
    answer = generate(stack, user, key=key, prompt=prompt)
    assert answer.status_code == 202, answer.text
    hour, concurrent = re.findall(r";r=(\d+)", answer.headers["ratelimit"])
    assert (int(hour), int(concurrent)) == (99, 19), "the refusals count in no limit"
    stack.api.finish(answer.json()["jobId"])


def test_a_frozen_model_takes_no_jobs(stack: Stack, user: str) -> None:
    frozen = "INSERT INTO frozen_models (model_id, job_id, estimate, cost) VALUES (%s, %s, 1, 9)"
    model, body = "flux-dev", {"userId": user, "parameters": {"prompt": "a fox"}}
    with psycopg.connect(stack.document["databaseUrl"], autocommit=True) as database:
        database.execute(frozen, (model, uuid.uuid4()))
        try:
            answer = stack.api.generate(model, {"prompt": unique("cold")}, user_id=user)
            assert problem(answer, 503, "ModelFrozen")["title"]
            assert int(answer.headers["retry-after"]) >= 1
            estimate = ask(stack, "POST", f"/models/{model}/estimate", json=body)
            assert estimate["admitted"] is False
            assert estimate["refusedBy"] == {"of": "model", "modelId": model}
        finally:
            database.execute("DELETE FROM frozen_models WHERE model_id = %s", (model,))
    assert ask(stack, "POST", f"/models/{model}/estimate", json=body)["admitted"] is True
    answer = stack.api.generate(model, {"prompt": unique("warm")}, user_id=user)
    assert answer.status_code == 202, answer.text
    assert re.findall(r";r=(\d+)", answer.headers["ratelimit"]) == ["99", "19"]
    stack.api.finish(answer.json()["jobId"])


def test_an_estimate_says_whether_the_budgets_have_room(stack: Stack, user: str) -> None:
    limit(stack, user, "month", "0.005")

    def estimate(outputs: int) -> Any:
        parameters = {"prompt": "a fox", "num_outputs": outputs}
        body = {"userId": user, "parameters": parameters}
        return ask(stack, "POST", f"/models/{MODEL}/estimate", json=body)

    one, two = estimate(1), estimate(2)
    assert (one["wouldHold"], one["admitted"], one["refusedBy"]) == ("0.003", True, None)
    assert (two["wouldHold"], two["admitted"]) == ("0.006", False)
    assert two["refusedBy"]["period"] == "month"
    assert line(ask(stack, "GET", f"/budgets/{user}"), "month")["held"] == "0"


def test_credits_are_added_once_per_key_and_spent(stack: Stack, user: str) -> None:
    body, headers = {"userId": user, "amount": "0.0050"}, {"Idempotency-Key": uuid.uuid4().hex}

    def grant() -> httpx.Response:
        url = f"{stack.api.url}/credits"
        return web.post(url, json=body, headers=headers)

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: grant(), range(10)))
    assert {(it.status_code, it.text) for it in answers} == {
        (200, f'{{"userId":"{user}","amount":"0.005"}}')
    }
    replayed = [it.headers.get("Idempotency-Replayed") for it in answers]
    assert sorted(map(str, replayed)) == ["None", *["true"] * 9]
    own = ask(stack, "GET", "/budget", params={"userId": user})
    assert (line(own, "credit")["limit"], own["canStart"]) == ("0.005", True)
    body["amount"] = "0.006"
    problem(grant(), 422, "IdempotencyKeyReused")
    first = generate(stack, user)
    assert first.status_code == 202, first.text
    assert problem(generate(stack, user), 402, "BudgetExceeded")["budget"] == "user/credit"
    stack.api.finish(first.json()["jobId"])
    own = ask(stack, "GET", "/budget", params={"userId": user})
    assert line(own, "credit")["spent"] == "0.003"


def test_what_ended_is_in_the_usage_and_in_the_ledger(stack: Stack, user: str) -> None:
    ended = [stack.api.run(MODEL, {"prompt": unique("sum")}, user_id=user) for _ in range(2)]
    four = {"prompt": unique("sum"), "num_outputs": 4}
    ended.append(stack.api.run(MODEL, four, user_id=user))
    costs = [Decimal(str(job["actualCost"])) for job in ended]
    usage = ask(stack, "GET", "/usage", params={"userId": user, "by": "modelId,mediaType"})
    (found,) = usage["lines"]
    assert (found["modelId"], found["mediaType"]) == (MODEL, "image")
    assert (found["jobs"], found["succeeded"], found["held"]) == (3, 3, "0")
    assert Decimal(found["spent"]) == Decimal(usage["total"]["spent"]) == sum(costs)
    assert Decimal(line(ask(stack, "GET", f"/budgets/{user}"), "day")["spent"]) == sum(costs)

    everyone = ask(stack, "GET", "/usage", params={"by": "userId"})
    (theirs,) = [each for each in everyone["lines"] if each["userId"] == user]
    assert theirs["spent"] == found["spent"]

    table = web.get(
        f"{stack.api.url}/usage",
        params={"userId": user, "by": "modelId", "format": "csv"},
    )
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["modelId"], row["jobs"], row["spent"]) == (MODEL, "3", found["spent"])

    for job, cost in zip(ended, costs, strict=True):
        ledger = ask(stack, "GET", "/ledger", params={"jobId": job["jobId"]})
        moved = [(it["movement"], it["from"], it["to"]) for it in ledger["movements"]]
        assert moved == [
            ("hold", f"invoice:{user}", f"held:{user}"),
            ("charge", f"held:{user}", "provider"),
        ]
        assert {Decimal(it["amount"]) for it in ledger["movements"]} == {cost}


def test_what_runs_is_held(stack: Stack, user: str) -> None:
    job_id = stack.api.submit("minimax-video-01", {"prompt": unique("a slow boat")}, user_id=user)
    usage = ask(stack, "GET", "/usage", params={"userId": user, "by": ""})
    held = Decimal(usage["total"]["held"])
    assert Decimal(str(stack.api.status(job_id)["heldCost"])) == held
    assert (usage["total"]["jobs"], usage["total"]["spent"]) == (1, "0")
    assert held > 0
    assert Decimal(line(ask(stack, "GET", f"/budgets/{user}"), "day")["held"]) == held
    ask(stack, "POST", f"/jobs/{job_id}/cancel", 202)
    assert stack.api.finish(job_id)["heldCost"] is None


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("GET", "/budget", {}, 400, "InvalidRequest"),
        ("GET", "/usage?by=hour", {}, 400, "InvalidRequest"),
        ("GET", "/usage?format=xml", {}, 400, "InvalidRequest"),
        ("GET", "/budgets/-", {}, 400, "InvalidRequest"),
        ("GET", "/budgets/stage?userId=me", {}, 403, "Forbidden"),
        ("PUT", "/budgets/me", {"json": {"period": "day"}}, 400, "InvalidRequest"),
        ("PUT", "/budgets/me?userId=me", {"json": {}}, 403, "Forbidden"),
        ("POST", "/credits", {"json": {"userId": "me", "amount": "1"}}, 400, "InvalidRequest"),
        ("GET", "/ledger", {}, 400, "InvalidRequest"),
        ("GET", "/ledger?jobId=nothing", {}, 404, "JobNotFound"),
        (
            "POST",
            "/generate-media",
            {"json": {"userId": "stage", "modelId": MODEL, "prompt": "x"}},
            400,
            "InvalidRequest",
        ),
    ],
)
def test_what_is_refused(
    stack: Stack, method: str, path: str, more: dict[str, Any], status: int, code: str
) -> None:
    url = f"{stack.api.url}{path}"
    problem(web.request(method, url, **more), status, code)


@pytest.mark.parametrize(
    ("method", "path", "more", "field"),
    [
        ("POST", "/credits", {"json": {"userId": "me", "amount": "1"}}, "Idempotency-Key"),
        ("GET", "/ledger", {}, "jobId"),
    ],
)
def test_what_is_missing_beside_the_body_is_named(
    stack: Stack, method: str, path: str, more: dict[str, Any], field: str
) -> None:
    url = f"{stack.api.url}{path}"
    answer = web.request(method, url, **more)
    found: dict[str, Any] = problem(answer, 400, "InvalidRequest")
    assert [fault["field"] for fault in found["fields"]] == [field]
