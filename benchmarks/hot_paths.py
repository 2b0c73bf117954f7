"""The three paths that run most: status reads, webhook intake, admission, beside the bare calls.

In-process against a running stack, warm, in turns. The DynamoDB and Step Functions of the local
engine are far slower than AWS's: what is compared makes the same calls of them.
"""

import hashlib
import hmac
import importlib
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import redis

from benchmarks.cold_start import environment_of
from benchmarks.events import submitted_job, webhook_event
from benchmarks.measure import Result, interleaved, median, ms, p95, times
from benchmarks.stack import running
from tests.support.jobs import make_job
from tests.support.stack import Stack
from vsl.adapters.aws import clients
from vsl.adapters.redis import rate_limits
from vsl.adapters.redis.client import RedisClient
from vsl.adapters.redis.slot_scripts import LOOK
from vsl.adapters.redis.slots import KEYS as QUEUE_KEYS
from vsl.domain.jobs.ids import new_job_id

CONTEXT = SimpleNamespace(aws_request_id="bench", get_remaining_time_in_millis=lambda: 28_000)


def run(*, quick: bool = False) -> Result:
    result = Result(
        "hot_paths",
        "The paths that run most",
        ["path", "median", "p95", "beside", "its median", "ratio"],
    )
    rounds = 20 if quick else 400
    with running() as stack, as_a_function(stack):
        client = RedisClient(lambda: str(stack.document["redisUrl"]))
        # redis-py itself, with the options that the stores give it.
        bare = client.run(lambda server: server)
        _status(stack, bare, result, rounds)
        _intake(stack, result, 20 if quick else 1000)
        _admission(stack, bare, result, rounds)
        client.close()
    clients.forget()
    result.notes.append(
        "A hot read of an ended job hands out two addresses for its file that were signed before."
        " Admission includes what is checked beyond the request; the write beside the intake meets an"
        " item like the one a webhook meets."
    )
    return result


@contextmanager
def as_a_function(stack: Stack) -> Iterator[None]:
    """This process as Lambda would start it, logs thrown away."""
    before = dict(os.environ)
    os.environ.update(environment_of(stack, "GetStatusFunction"))
    os.environ["MODELS_CONFIG"] = "config/models.json"
    clients.forget()
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _handler(name: str) -> Callable[[Any, Any], Any]:
    found: Callable[[Any, Any], Any] = importlib.import_module(f"functions.{name}.app").handler
    return found


def _compare(
    result: Result,
    name: str,
    ours: list[float],
    bare_name: str,
    bare: list[float],
    limit: float | None,
) -> None:
    ratio = median(ours) / median(bare)
    result.row(name, ms(median(ours)), ms(p95(ours)), bare_name, ms(median(bare)), times(ratio))
    if limit is not None:
        result.goal(f"{name}, beside {bare_name}", ratio, limit)


def _status(stack: Stack, bare: Any, result: Result, rounds: int) -> None:
    get_status = _handler("get_status")
    ended = stack.api.run("flux-schnell", {"prompt": "hot", "width": 256, "height": 256})["jobId"]
    now = stack.now()
    running_job = make_job("running", now, job_id=new_job_id(now))
    stack.tracking_store().create(running_job, now + timedelta(minutes=7), None)
    running_key = f"job:status:{running_job.job_id}"

    def ask(job_id: str) -> Callable[[], object]:
        path = {"jobId": job_id}
        event = {"httpMethod": "GET", "pathParameters": path, "headers": {}}

        def call() -> None:
            assert get_status(event, CONTEXT)["statusCode"] == 200

        return call

    hot, running = ask(ended), ask(running_job.job_id)
    hot()
    running()
    kept = bare.get(running_key)
    assert kept is not None
    bare.set(running_key, kept, ex=3600)  # a running job's document lives two seconds

    def missed() -> None:
        bare.delete(running_key)
        running()

    table = str(stack.document["table"])

    default = redis.Redis.from_url(str(stack.document["redisUrl"]))

    def only_postgresql() -> None:
        bare.delete(f"job:status:{ended}")
        hot()

    taken = interleaved(
        rounds,
        {
            "raw": lambda: bare.get(f"job:status:{ended}"),
            "default": lambda: default.get(f"job:status:{ended}"),
            "running": running,
            "hot": hot,
        },
    )
    for job, ours in (("running job", "running"), ("ended job with a file", "hot")):
        name = f"status, {job}, hot"
        _compare(result, name, taken[ours], "raw GET, same client", taken["raw"], 3)
        _compare(result, name, taken[ours], "raw GET, default client", taken["default"], None)
    default.close()
    client = clients.client("dynamodb")
    key = {
        "jobId": {"S": running_job.job_id},
        "timestamp": {"N": str(int(running_job.created_at.timestamp() * 1000))},
    }
    few = max(10, rounds // 8)
    more = interleaved(
        few,
        {
            "bare": lambda: client.get_item(TableName=table, Key=key, ConsistentRead=True),
            "ours": missed,
        },
    )
    _compare(result, "status, miss to DynamoDB", more["ours"], "bare GetItem", more["bare"], None)
    stack.tracking_store()  # the end of a job is left to PostgreSQL once its item has expired
    client.delete_item(TableName=table, Key=_key(ended))
    import psycopg

    with psycopg.connect(stack.database_url, autocommit=True) as connection:
        last = interleaved(
            few,
            {
                "bare": lambda: connection.execute(
                    "SELECT * FROM jobs WHERE job_id = %s", (ended,)
                ).fetchone(),
                "ours": only_postgresql,
            },
        )
    _compare(result, "status, miss to PostgreSQL", last["ours"], "bare SELECT", last["bare"], None)


def _key(job_id: str) -> dict[str, dict[str, str]]:
    from vsl.domain.jobs.ids import timestamp_of

    return {"jobId": {"S": job_id}, "timestamp": {"N": str(timestamp_of(job_id))}}


def _intake(stack: Stack, result: Result, count: int) -> None:
    """Verify, record, note: for a job that does not wait yet, so nothing is released."""
    process_webhook = _handler("process_webhook")
    tracking = stack.tracking_store()
    events = iter([webhook_event(stack, tracking) for _ in range(count)])
    client, table = clients.client("dynamodb"), str(stack.document["table"])
    body = webhook_event(stack, tracking)["body"].encode()
    # The same write meets the same item: what it weighs is part of a write's time.
    jobs = iter([submitted_job(stack, tracking)[0].job_id for _ in range(count)])

    def ours() -> None:
        assert process_webhook(next(events), CONTEXT)["statusCode"] == 200

    def theirs() -> None:
        hmac.compare_digest(hmac.new(b"k", body, hashlib.sha256).hexdigest(), "x")
        client.update_item(
            TableName=table,
            Key=_key(next(jobs)),
            UpdateExpression="SET outcome = :o",
            ConditionExpression="attribute_not_exists(outcome)",
            ExpressionAttributeValues={":o": {"S": body.decode()}},
        )

    taken = interleaved(count, {"ours": ours, "bare": theirs})
    name = "HMAC and one conditional write"
    _compare(result, f"webhook intake ({count})", taken["ours"], name, taken["bare"], 2)


def _admission(stack: Stack, bare: Any, result: Result, rounds: int) -> None:
    """What the API workflow decides before it writes: is the request valid, and within the limits."""
    from functions.check_rate_limit import app as check
    from vsl.domain.jobs.execution import Execution
    from vsl.runtime.use_cases.admission import accept_request

    accept = accept_request()
    never: Any = None  # no Idempotency-Key in these requests
    body = {
        "userId": "bench",
        "modelId": "flux-schnell",
        "parameters": {"prompt": "a lighthouse", "width": 1024, "height": 768},
    }
    script = bare.register_script(
        "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - 3600000)"
        " redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2]) redis.call('PEXPIRE', KEYS[1], 3600000)"
        " return redis.call('ZCARD', KEYS[1])"
    )

    def ours() -> None:
        now = stack.now()
        execution = Execution(secrets.token_hex(8), "x", now)
        accepted = accept({"request": body}, execution, never)
        check.handler({"job": accepted.job.document()}, CONTEXT)

    def theirs() -> None:
        at = int(stack.now().timestamp() * 1000)
        script(keys=["bench:bare"], args=[at, secrets.token_hex(8)])

    own_scripts = bare.register_script(rate_limits.ADMIT), bare.register_script(LOOK)
    hour = "ratelimit:user:bench:hour"
    keys = [hour, f"{{{hour}}}:running", f"{{{hour}}}:limits"]

    def same() -> None:
        at = int(stack.now().timestamp() * 1000)
        asked = [secrets.token_hex(8), at, at + 60_000, 0, ""]
        limits, queue = own_scripts
        assert " " in limits(keys=keys, args=asked), "nothing was missing"
        queue(keys=QUEUE_KEYS, args=[at, 600, 60])

    ours()
    taken = interleaved(rounds, {"ours": ours, "bare": theirs, "same": same})
    name = "admission: validate, limit, look at the queue"
    _compare(result, name, taken["ours"], "one Lua call", taken["bare"], None)
    _compare(result, name, taken["ours"], "its own two Lua scripts alone", taken["same"], 3)
