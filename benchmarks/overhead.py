"""One durable job beyond its model's time: VSL's own code, and what a user would pick instead.

All speak to the same stand-in, in turns. VSL's steps run as handlers in this process, against
PostgreSQL, Valkey and the local engine's DynamoDB and S3; the engine's own cost for starting a
function is measured apart, with the smallest of ours.
"""

import importlib
import json
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace
from typing import Any

from benchmarks.hot_paths import as_a_function
from benchmarks.measure import Result, interleaved, median, ms, p95, progress, times
from benchmarks.stack import running
from devstack.replicate.faults import WebhookFault
from tests.support.stack import Stack
from vsl.domain.jobs.ids import new_job_id
from vsl.domain.predictions.prediction import OutcomeDocument

PARAMETERS = {"prompt": "overhead", "width": 256, "height": 256}


def run(*, quick: bool = False) -> Result:
    rounds = 3 if quick else 15
    result = Result(
        "overhead",
        "One job beyond its model's time",
        ["who", "median", "p95", "x DBOS", "when its worker dies"],
    )
    with running() as stack, ExitStack() as peers:
        with progress("peers"):
            celery = peers.enter_context(_celery(stack))
            dbos = peers.enter_context(_dbos(stack))
        stack.control.faults(WebhookFault.model_validate({"match": {}, "kind": "drop"}))
        over: dict[str, list[float]] = {}

        def beyond(name: str, job: Callable[[], float]) -> Callable[[], None]:
            """A job, and what it took beyond what the provider says its model took."""

            def call() -> None:
                began = time.perf_counter()
                model = job()
                over.setdefault(name, []).append(time.perf_counter() - began - model)

            return call

        with as_a_function(stack):
            vsl = _Steps(stack)
            jobs: dict[str, Callable[[], None]] = {
                "vsl": vsl.job,
                "dbos": beyond("dbos", dbos),
                "celery": beyond("celery", celery),
                "polling": beyond("polling", lambda: _script(stack, wait=False)),
                "waiting": beyond("waiting", lambda: _script(stack, wait=True)),
            }
            for warm in jobs.values():
                warm()
            for kept in (vsl.wall, vsl.own, *vsl.steps.values(), *over.values()):
                kept.clear()
            with progress(f"{rounds} jobs each"):
                interleaved(rounds, jobs)
        engine = _engine_cost(stack, rounds)
    base = median(over["dbos"])

    def row(who: str, values: list[float], dies: str) -> None:
        result.row(who, ms(median(values)), ms(p95(values)), times(median(values) / base), dies)

    row("VSL: processor time of its seven steps and its webhook", vsl.own, "goes on, paid once")
    row("VSL: the same with every wait for a store", vsl.wall, "")
    row("DBOS on PostgreSQL", over["dbos"], "goes on; pays twice at one point")
    row("Celery on Redis", over["celery"], "runs again, pays twice")
    row("script of `replicate`, polling", over["polling"], "is lost")
    row("script of `replicate`, Prefer: wait", over["waiting"], "is lost")
    row("(the local engine for one function call)", engine, "")
    shares = {name: median(values) for name, values in vsl.steps.items()}
    told = ", ".join(f"{name} {ms(share)}" for name, share in shares.items())
    result.notes.append(f"VSL's processor time by step: {told}.")
    result.data["steps"] = shares
    result.goal("VSL's own code beside all of DBOS's overhead", median(vsl.own) / base, 1.0)
    result.notes.append(
        "Every job downloads its file and puts it into the same bucket. VSL also looks into the file,"
        " makes a thumbnail, and keeps three stores: 15 requests of DynamoDB at the local engine's 2"
        " to 3 ms, where AWS takes as long over the network."
    )
    return result


class _Steps:
    """media_job's seven steps and its webhook as handlers, called in the machine's order."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.wall: list[float] = []
        self.own: list[float] = []
        self.steps: dict[str, list[float]] = {}
        self._own = 0.0
        self._wall = 0.0
        self.context = SimpleNamespace(
            aws_request_id="bench", get_remaining_time_in_millis=lambda: 60_000
        )

    def job(self) -> None:
        self._own = self._wall = 0.0
        now = datetime.now(UTC)
        job_id = new_job_id(now)
        request = {"userId": "bench", "modelId": "flux-schnell", "parameters": PARAMETERS}
        execution = {"id": job_id, "name": job_id, "startTime": now.isoformat()}
        job = self._call("validate_request", {"input": request, "execution": execution})["job"]
        self._call("check_rate_limit", {"job": job})
        self._call("create_job", {"job": job, "executionArn": "arn:bench"})
        submitted = self._call("submit_prediction", {"job": job})
        prediction = self._ended(submitted["replicateId"])
        self._call("process_webhook", self._webhook(prediction, job_id))
        item = self.stack_item(job_id)
        stored = self._call("store_media", {"job": job, "outcome": item})
        self._call("finalize_job", {"job": job, "outcome": item, "media": stored})
        self.own.append(self._own)
        self.wall.append(self._wall)

    def stack_item(self, job_id: str) -> OutcomeDocument:
        """What the token would be answered with."""
        from vsl.runtime.wiring import tracking_store

        item = tracking_store().get(job_id)
        assert item is not None
        assert item.outcome is not None
        return item.outcome.document()

    def _call(self, name: str, event: dict[str, Any]) -> Any:
        handler = importlib.import_module(f"functions.{name}.app").handler
        given = json.loads(json.dumps(event))
        began, worked = time.perf_counter(), time.process_time()
        with redirect_stdout(StringIO()):
            answer = handler(given, self.context)
        own = time.process_time() - worked
        self.steps.setdefault(name, []).append(own)
        self._own += own
        self._wall += time.perf_counter() - began
        return answer

    def _ended(self, replicate_id: str) -> Any:
        """The provider's prediction once it has ended; the real webhook is dropped by the stand-in."""
        import httpx

        url = f"{_origin(self.stack)}/v1/predictions/{replicate_id}"
        headers = {"Authorization": f"Bearer {_token(self.stack)}"}
        while True:
            found = httpx.get(url, headers=headers, timeout=10, trust_env=False).json()
            if found["status"] in {"succeeded", "failed"}:
                return found
            time.sleep(0.01)

    def _webhook(self, prediction: Any, job_id: str) -> dict[str, Any]:
        from vsl.domain.predictions.signature import sign

        body, now = json.dumps(prediction), str(int(time.time()))
        identifier = f"msg_{secrets.token_hex(8)}"
        signature = sign(self.stack.webhook_secret, identifier, now, body.encode())
        return {
            "headers": {
                "webhook-id": identifier,
                "webhook-timestamp": now,
                "webhook-signature": f"v1,{signature}",
            },
            "queryStringParameters": {"jobId": job_id, "attempt": "1"},
            "body": body,
        }


def _origin(stack: Stack) -> str:
    return str(stack.document["replicateUrl"]).split("/v1", maxsplit=1)[0]


def _token(stack: Stack) -> str:
    found = stack.client("ssm").get_parameter(
        Name="/vsl/local/replicate-token", WithDecryption=True
    )
    return str(found["Parameter"]["Value"])


def _environment(stack: Stack) -> dict[str, str]:
    return {
        "REPLICATE_API_TOKEN": _token(stack),
        "REPLICATE_URL": _origin(stack),
        "BENCH_BUCKET": str(stack.document["bucket"]),
        "AWS_ENDPOINT_URL": str(stack.document["awsEndpointUrl"]),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # pragma: allowlist secret
        "AWS_DEFAULT_REGION": "us-east-1",
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": str(stack.document["redisUrl"]),
    }


def _provider_input() -> dict[str, object]:
    return {"prompt": PARAMETERS["prompt"], "aspect_ratio": "1:1", "megapixels": "0.25"}


def _script(stack: Stack, *, wait: bool) -> float:
    """A person's script with Replicate's own library; its model's seconds."""
    os.environ.update(_environment(stack))
    from benchmarks.peers.job import MODEL, client, finish, store

    api: Any = client()
    prediction = api.models.predictions.create(
        model=MODEL, input=_provider_input(), **({"wait": True} if wait else {"wait": False})
    )
    if not wait:
        prediction.wait()
    finish(prediction)
    store(prediction.output[0], secrets.token_hex(8))
    return float(prediction.metrics["total_time"])


@contextmanager
def _celery(stack: Stack) -> Iterator[Callable[[], float]]:
    from benchmarks.peers.celery_peer import serving

    os.environ.update(_environment(stack))
    with serving(_environment(stack)) as call:
        yield call


@contextmanager
def _dbos(stack: Stack) -> Iterator[Callable[[], float]]:
    from benchmarks.peers.dbos_peer import serving

    os.environ.update(_environment(stack))
    with serving() as call:
        yield call


def _engine_cost(stack: Stack, rounds: int) -> list[float]:
    """A warm call of a function that does nearly nothing."""
    event = {"input": {"error": {"Error": "JobNotFound", "Cause": "{}"}}}
    stack.invoke("RejectRequestFunction", event)
    return interleaved(rounds, {"call": lambda: stack.invoke("RejectRequestFunction", event)})[
        "call"
    ]
