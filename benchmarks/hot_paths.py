"""The three paths that run most: status reads, webhook intake, admission, beside the bare calls.

In-process against a running stack, warm, in turns. The DynamoDB and Step Functions of the local
engine are far slower than AWS's: what is compared makes the same calls of them.
"""

import hashlib
import hmac
import importlib
import json
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
from benchmarks.events import webhook_event
from benchmarks.measure import Result, interleaved, median, ms, p95, times
from benchmarks.stack import running
from tests.support.jobs import make_job
from tests.support.stack import Stack, close_clients
from vsl.adapters import aws, redis_limits
from vsl.domain.ids import new_job_id

CONTEXT = SimpleNamespace(aws_request_id="bench", get_remaining_time_in_millis=lambda: 28_000)


def run(*, quick: bool = False) -> Result:
    result = Result(
        "hot_paths",
        "The paths that run most",
        ["path", "median", "p95", "beside", "its median", "ratio"],
    )
    rounds = 20 if quick else 400
    with running() as stack, as_a_function(stack):
        bare = redis.Redis.from_url(str(stack.document["redisUrl"]))
        _status(stack, bare, result, rounds)
        _intake(stack, result, 20 if quick else 1000)
        _admission(stack, bare, result, rounds)
        bare.close()
    close_clients()
    result.notes.append(
        "Terminal status answers sign two addresses for each file; that is most of a hot read."
    )
    return result


@contextmanager
def as_a_function(stack: Stack) -> Iterator[None]:
    """This process as Lambda would start it, logs thrown away."""
    before = dict(os.environ)
    os.environ.update(environment_of(stack, "GetStatusFunction"))
    os.environ["MODELS_CONFIG"] = "config/models.json"
    close_clients()
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
    running_job = make_job("live", now, job_id=new_job_id(now))
    stack.live_jobs().create(running_job, now + timedelta(minutes=7), None)
    live_key = f"job:status:{running_job.job_id}"

    def ask(job_id: str) -> Callable[[], object]:
        path = {"jobId": job_id}
        event = {"httpMethod": "GET", "pathParameters": path, "headers": {}}

        def call() -> None:
            assert get_status(event, CONTEXT)["statusCode"] == 200

        return call

    hot, live = ask(ended), ask(running_job.job_id)
    hot()
    live()
    kept = bare.get(live_key)
    assert kept is not None
    bare.set(live_key, kept, ex=3600)  # a running job's document lives two seconds

    def missed() -> None:
        bare.delete(live_key)
        live()

    table = str(stack.document["table"])

    def only_postgresql() -> None:
        bare.delete(f"job:status:{ended}")
        hot()

    taken = interleaved(
        rounds,
        {
            "raw": lambda: bare.get(f"job:status:{ended}"),
            "live": live,
            "hot": hot,
        },
    )
    _compare(result, "status, running job, hot", taken["live"], "raw GET", taken["raw"], 3)
    _compare(result, "status, ended job with a file, hot", taken["hot"], "raw GET", taken["raw"], 3)
    client = aws.client("dynamodb")
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
    stack.live_jobs()  # the end of a job is left to PostgreSQL once its item has expired
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
    from vsl.domain.ids import timestamp_of

    return {"jobId": {"S": job_id}, "timestamp": {"N": str(timestamp_of(job_id))}}


def _intake(stack: Stack, result: Result, count: int) -> None:
    """Verify, record, note: for a job that does not wait yet, so nothing is released."""
    process_webhook = _handler("process_webhook")
    live = stack.live_jobs()
    events = iter([webhook_event(stack, live) for _ in range(count)])
    client, table = aws.client("dynamodb"), str(stack.document["table"])
    body = webhook_event(stack, live)["body"].encode()

    def ours() -> None:
        assert process_webhook(next(events), CONTEXT)["statusCode"] == 200

    def theirs() -> None:
        hmac.compare_digest(hmac.new(b"k", body, hashlib.sha256).hexdigest(), "x")
        identifier = secrets.token_hex(16)
        client.update_item(
            TableName=table,
            Key={"jobId": {"S": identifier}, "timestamp": {"N": "1"}},
            UpdateExpression="SET outcome = :o",
            ConditionExpression="attribute_not_exists(outcome)",
            ExpressionAttributeValues={":o": {"S": body.decode()}},
        )

    taken = interleaved(count, {"ours": ours, "bare": theirs})
    name = "HMAC and one conditional write"
    _compare(result, f"webhook intake ({count})", taken["ours"], name, taken["bare"], 1.5)


def _admission(stack: Stack, bare: Any, result: Result, rounds: int) -> None:
    """What the door decides before it writes: is the request sound, and is there a place."""
    from functions.check_rate_limit import app as check
    from vsl.adapters.catalogue import load_catalogue
    from vsl.services.accept_request import Execution, accept_request

    catalogue = load_catalogue("config/models.json")
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
        job = accept_request(
            {"request": body}, execution, catalogue=catalogue, once=_Never(), check=lambda _: None
        )
        check.handler({"job": job.document()}, CONTEXT)

    def theirs() -> None:
        at = int(stack.now().timestamp() * 1000)
        script(keys=["bench:bare"], args=[at, secrets.token_hex(8)])

    own_script = bare.register_script(redis_limits.ADMIT)
    hour = "ratelimit:user:bench:hour"
    keys = [hour, f"{{{hour}}}:running", f"{{{hour}}}:limits"]

    def same() -> None:
        at = int(stack.now().timestamp() * 1000)
        asked = [secrets.token_hex(8), at, at + 60_000, 0, ""]
        assert b" " in own_script(keys=keys, args=asked), "nothing was missing"

    ours()
    taken = interleaved(rounds, {"ours": ours, "bare": theirs, "same": same})
    name = "admission: validate and limit"
    _compare(result, name, taken["ours"], "one Lua call", taken["bare"], 2)
    _compare(result, name, taken["ours"], "its own Lua script alone", taken["same"], None)


class _Never:
    """No Idempotency-Key in these requests."""

    def once(self, key: str, body: Any, produce: Any) -> dict[str, Any]:
        raise AssertionError(json.dumps([key, body, repr(produce)]))
